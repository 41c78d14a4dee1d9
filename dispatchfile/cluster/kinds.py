"""The kinds of Tekton that a run is made of."""

from __future__ import annotations

from dispatchfile.kube.client import Kind

GROUP, VERSION = "tekton.dev", "v1"
PIPELINE_RUNS = Kind(GROUP, VERSION, "pipelineruns")
TASK_RUNS = Kind(GROUP, VERSION, "taskruns")

RUN_LABEL = "tekton.dev/pipelineRun"
"""Label of TaskRuns and pods: the PipelineRun they belong to."""
TASK_LABEL = "tekton.dev/pipelineTask"
"""Label of TaskRuns and pods: the task of the Pipeline."""
