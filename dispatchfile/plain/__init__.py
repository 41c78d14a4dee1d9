"""YAML and JSON: text to value, with places."""
