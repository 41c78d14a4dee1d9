"""What the inputs and outputs of a task add to it, and what passes from task to task on the run's volume.

Tekton's own PipelineResources, to which Dispatch compiled, did this until v0.46 removed them. What they meant is kept:
an input is at /workspace/NAME and is the task's own, an output at /workspace/output/NAME.

| resource | as input | as output |
|---|---|---|
| git | cloned; a copy from the volume if a task here makes it | on the volume if a task here takes it |
| image | nothing | results with its URL and digest |
| storage with a location | fetched from it | stored there |
| storage without | a copy from the volume if a task here makes it, else empty | on the volume if a task here takes it |
"""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.record import Record
from dispatchfile.tekton import _scripts, git, home, images, scripts, storage
from dispatchfile.tekton.draft import OWN
from dispatchfile.tekton.parts import Binding, Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.model.pipeline import Resource, Task
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

_INPUTS = "/workspace"
_OUTPUTS = "/workspace/output"
_VOLUME_AT = "/dispatchfile"
"""Below it a task sees, read-only, what other tasks made, of which it gets copies."""


class _Work(Record):
    """What there is to do for a task: inputs that are `cloned` … `empty`, outputs that are `kept` … `images`.

    `shared` inputs are cloned by another task, `copied` ones and `kept` outputs pass between tasks on the volume.
    """

    cloned: Sequence[Resource]
    shared: Sequence[Resource]
    copied: Sequence[Resource]
    fetched: Sequence[Resource]
    empty: Sequence[Resource]
    kept: Sequence[Resource]
    stored: Sequence[Resource]
    images: Sequence[Resource]


def parts(draft: Draft, task: Task) -> Parts:
    """Return what the inputs and outputs of a task add to it; what is wrong with them is in `draft.found` afterwards."""
    work = _work(draft, task)
    aliases = home.aliases(task)
    return Parts(
        before=tuple(_before(draft, work, _folders(draft, task, work, aliases))),
        after=tuple(_after(draft, work)),
        results=images.results(draft, work.images),
        volumes=(*home.volumes(aliases), *storage.volumes([*work.fetched, *work.stored])),
        mounts=home.mounts(aliases),
        workspaces=tuple(_workspaces(draft, work)),
    )


def extra_tasks(draft: Draft) -> tuple[Object, ...]:
    """Return the tasks of the Pipeline that clone git inputs onto the run's volume, with `--workspace pvc`."""
    return tuple(git.clone_task(draft, one) for one in git.shared(draft))


def waits(draft: Draft, task: Task) -> tuple[str, ...]:
    """Return the names, on the cluster, of the extra tasks that a task runs after."""
    inputs = draft.resources(dict.fromkeys(task.inputs))
    return tuple(draft.clone_names[one.name] for one in inputs if git.is_shared(draft, one))


def needs_volume(draft: Draft) -> bool:
    """Return whether something passes between tasks on a volume: the Pipeline's workspace `parts.WORKSPACE`."""
    return any(_passes(draft, one) for one in draft.resources(draft.makers)) or any(git.shared(draft))


# What there is to do


def _work(draft: Draft, task: Task) -> _Work:
    inputs: dict[str, list[Resource]] = {}
    outputs: dict[str, list[Resource]] = {}
    for resource in draft.resources(dict.fromkeys(task.inputs)):
        inputs.setdefault(_input(draft, task, resource), []).append(resource)
    for resource in draft.resources(dict.fromkeys(task.outputs)):
        outputs.setdefault(_output(draft, task, resource), []).append(resource)
    return _Work(
        *(inputs.get(kind, ()) for kind in ("cloned", "shared", "copied", "fetched", "empty")),
        *(outputs.get(kind, ()) for kind in ("kept", "stored", "image")),
    )


def _input(draft: Draft, task: Task, resource: Resource) -> str:
    """Return what is to be done for an input; what is wrong with it is in `draft.found` afterwards."""
    if _cannot_be_carried(draft, resource) or resource.type == "image":
        return ""
    if draft.makers.get(resource.name, task.name) != task.name and _passes(draft, resource):
        return "copied"
    if resource.type == "git":
        if git.is_out_of_reach(resource):
            draft.found.append(_out_of_reach(resource))
        return "shared" if git.is_shared(draft, resource) else "cloned"
    if resource.param.get("location"):
        return "fetched"
    draft.found.append(_lost(resource, f'is empty when task "{task.name}" starts'))
    return "empty"


def _output(draft: Draft, task: Task, resource: Resource) -> str:
    """Return what is to be done for an output; what is wrong with it is in `draft.found` afterwards."""
    if _cannot_be_carried(draft, resource):
        return ""
    if resource.type == "image":
        return "image"
    if _passes(draft, resource):
        return "kept"
    if resource.type == "storage" and resource.param.get("location"):
        return "stored"
    if resource.type == "storage":
        draft.found.append(_lost(resource, f'is gone when task "{task.name}" ends'))
    return ""


def _passes(draft: Draft, resource: Resource) -> bool:
    """Return whether a resource goes from the task here that makes it to others on the volume."""
    takes = resource.type == "git" or (resource.type == "storage" and not resource.param.get("location"))
    return takes and any(name != draft.makers.get(resource.name) for name in draft.takers[resource.name])


def _cannot_be_carried(draft: Draft, resource: Resource) -> bool:
    """Return whether a resource has no place on a cluster; why is in `draft.found` afterwards."""
    problem = _problem(draft, resource)
    if problem:
        place = resource.value.key or resource.value.span
        message = f'resource "{resource.name}" {problem}'
        draft.found.append(
            Diagnostic("DF805", Severity.ERROR, message, place, path=f"resource.{resource.name}")
        )
    return problem != ""


def _problem(draft: Draft, resource: Resource) -> str:
    if resource.name in (".", "..") or any(char in "/:" or ord(char) < 32 for char in resource.name):
        return "has a name that no directory can have"
    if resource.type == "git":
        # One that a task makes need not be anywhere else.
        return "" if draft.makers.get(resource.name) else git.problem(resource)
    if resource.type == "storage":
        return storage.problem(resource) if resource.param.get("location") else ""
    if resource.type != "image":
        return (
            f'is of type "{resource.type}", which Tekton no longer has; git, image and storage can be carried'
        )
    return ""


def _lost(resource: Resource, what: str) -> Diagnostic:
    return Diagnostic(
        "DF805",
        Severity.WARNING,
        f'storage "{resource.name}" {what}: without a `location` there is no bucket for it on a cluster',
        resource.value.key or resource.value.span,
        help="give it a `location`, and a `secret` that opens it",
        path=f"resource.{resource.name}",
    )


def _out_of_reach(resource: Resource) -> Diagnostic:
    url = resource.value.at("param", "url") or resource.value
    return Diagnostic(
        "DF805",
        Severity.WARNING,
        f'resource "{resource.name}" is on this machine, where no pod can clone it from',
        url.span,
        help="give the URL at which the cluster reaches it",
        path=f"resource.{resource.name}.param.url",
    )


# Steps and workspaces


def _folders(draft: Draft, task: Task, work: _Work, aliases: Sequence[str]) -> list[str]:
    """Return the directories that a task finds empty, writable for every user."""
    folders = [f"{_OUTPUTS}/{one.name}" for one in draft.resources(dict.fromkeys(task.outputs))]
    folders += [f"{_INPUTS}/{one.name}" for one in work.empty]
    if home.OLDEST in aliases:
        folders += [f"{home.HOME}/image-outputs/{one.name}" for one in work.images]
    return folders


def _before(draft: Draft, work: _Work, folders: Sequence[str]) -> Iterator[Object]:
    image = draft.options.git_image
    for index, one in enumerate(work.cloned):
        also = () if index else folders
        yield git.clone(draft, one, _called(draft, "clone", one), f"{_INPUTS}/{one.name}", also)
    if not work.cloned and (folders or work.shared or work.copied):
        yield scripts.step(
            f"{OWN}prepare", image, _scripts.PREPARE, {}, [scripts.value(one) for one in folders]
        )
    if work.copied:
        pairs = [(_volume_path(draft, one), f"{_INPUTS}/{one.name}") for one in work.copied]
        args = [scripts.value(path) for pair in pairs for path in pair]
        yield scripts.step(f"{OWN}copy", image, _scripts.COPY, {}, args)
    for one in work.fetched:
        name, to = _called(draft, "fetch", one), f"{_INPUTS}/{one.name}"
        yield storage.fetch(draft, one, name, to, is_optional=one.name in draft.makers)


def _after(draft: Draft, work: _Work) -> Iterator[Object]:
    for one in work.stored:
        yield storage.store(draft, one, _called(draft, "store", one), f"{_OUTPUTS}/{one.name}")
    if work.images:
        yield images.digests(draft, work.images, f"{OWN}digests")


def _workspaces(draft: Draft, work: _Work) -> Iterator[Binding]:
    for one in work.shared:
        yield git.binding(draft, one)
    for one in work.copied:
        yield Binding(
            f"input-{draft.resource_names[one.name]}",
            _volume_path(draft, one),
            _folder(draft, one),
            read_only=True,
        )
    for one in work.kept:
        yield Binding(
            f"output-{draft.resource_names[one.name]}", f"{_OUTPUTS}/{one.name}", _folder(draft, one)
        )


def _called(draft: Draft, verb: str, resource: Resource) -> str:
    return f"{OWN}{verb}-{draft.resource_names[resource.name]}"


def _volume_path(draft: Draft, resource: Resource) -> str:
    return f"{_VOLUME_AT}/{draft.resource_names[resource.name]}"


def _folder(draft: Draft, resource: Resource) -> str:
    """Return the folder of the volume on which a resource passes between tasks."""
    return f"{resource.type}/{draft.resource_names[resource.name]}"
