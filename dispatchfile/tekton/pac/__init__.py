"""PipelineRuns for Pipelines-as-Code (PaC), the files of a repository's `.tekton/`."""
