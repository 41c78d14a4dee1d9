"""Runs on a cluster: a PipelineRun is submitted, followed until it ends, and cancelled when the user wants that."""
