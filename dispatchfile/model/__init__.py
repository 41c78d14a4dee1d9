"""What a pipeline is: the schema, its decoding from a value, and the variables in its strings."""
