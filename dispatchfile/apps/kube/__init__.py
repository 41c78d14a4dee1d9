"""A cluster as the engine: objects are applied by its API server, and compared by a dry run of the same."""
