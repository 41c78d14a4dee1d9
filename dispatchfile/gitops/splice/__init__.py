"""Values of YAML and JSON files changed in place: the bytes of what is meant are replaced, and all others stay."""
