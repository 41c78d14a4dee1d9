"""What `dispatchfile tekton --target NAME` adds: its options, and the objects that it emits, one module a target.

Each has `add_options(parser)` and `emission(args, pipeline, options) -> Emission`.
"""
