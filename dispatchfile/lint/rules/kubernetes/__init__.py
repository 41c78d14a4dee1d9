"""DF5xx: what a cluster or an engine would refuse."""
