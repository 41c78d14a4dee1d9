"""What the inputs and outputs of a task add to it, and what passes from task to task on the run's volume.

Tekton's own PipelineResources, to which Dispatch compiled, did this until v0.46 removed them.
"""

from __future__ import annotations

from dispatchfile.tekton.parts import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.model.pipeline import Task
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object


def parts(draft: Draft, task: Task) -> Parts:
    """Return what the inputs and outputs of a task add to it; what is wrong with them is in `draft.found` afterwards."""
    return Parts()


def extra_tasks(draft: Draft) -> tuple[Object, ...]:
    """Return the tasks of the Pipeline that clone git inputs onto the run's volume, with `--workspace pvc`."""
    return ()


def waits(draft: Draft, task: Task) -> tuple[str, ...]:
    """Return the names, on the cluster, of the extra tasks that a task runs after."""
    return ()


def needs_volume(draft: Draft) -> bool:
    """Return whether something passes between tasks on a volume: the Pipeline's workspace `parts.WORKSPACE`."""
    return False
