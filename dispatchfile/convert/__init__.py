"""One flavour to another: CUE, YAML, and JSON."""
