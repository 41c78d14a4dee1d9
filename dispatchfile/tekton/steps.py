"""Steps of a task, field by field, as Tekton v1 takes them.

What Dispatch's containers had and Tekton's steps no longer have (since v0.36: probes, ports, lifecycle, …) is dropped
with a warning.
"""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.model import images
from dispatchfile.tekton import amounts, results, shield, text, volumes
from dispatchfile.tekton.fields import Fields
from dispatchfile.tekton.parts import step_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dispatchfile.model.pipeline import EnvVar, Step, Task
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

_WRITTEN = frozenset(
    ("name", "image", "command", "args", "script", "workingDir", "env", "envFrom", "volumeMounts", "volumeDevices",
     "resources", "imagePullPolicy", "securityContext")
)  # fmt: skip
_FILLED_SOURCES = frozenset(("secretKeyRef", "configMapKeyRef"))


def steps(draft: Draft, task: Task, volume_names: Mapping[str, str]) -> list[Object]:
    """Return the steps of a task; what is wrong with them is in `draft.found` afterwards."""
    requests = amounts.compute_resources(task.steps)
    made = []
    for index, step in enumerate(task.steps):
        fields = Fields(draft, task, f"task.{task.name}.steps[{index}]")
        draft.found.extend(_dropped(step, fields.path))
        written = shield.shielded(draft, task, step, _step(fields, step, requests[index], volume_names))
        if (task.name, step.name) in draft.read:
            written = results.captured(draft, task, step, written)
        made.append(_with_dollar(draft, task, written))
    return made


def image(draft: Draft, ref: str) -> str:
    """Return the image that runs on the cluster for an image of a step, as the options say."""
    gitops = {images.GITOPS: draft.options.gitops_image} if draft.options.gitops_image else {}
    return images.stand_in(ref, draft.options.images, gitops)


def _step(fields: Fields, step: Step, requests: Object, volume_names: Mapping[str, str]) -> Object:
    draft, task = fields.draft, fields.task
    made: Object = {
        "name": draft.step_names[task.name, step.name],
        "image": image(draft, fields.text(step.image, step.value.at("image"), "image")),
    }
    if step.working_dir:
        made["workingDir"] = fields.text(step.working_dir, step.value.at("workingDir"), "workingDir")
    if step.script is None and step.command:
        made["command"] = _words(fields, step, "command", step.command)
    if step.args:
        made["args"] = _words(fields, step, "args", step.args)
    if step.env:
        made["env"] = _env(fields, step)
    if sources := fields.filled(step.value.at("envFrom"), "envFrom"):
        made["envFrom"] = sources
    if step.volume_mounts:
        made["volumeMounts"] = [
            volumes.mount(fields.below(f"volumeMounts[{at}]"), one, volume_names)
            for at, one in enumerate(step.volume_mounts)
        ]
    if devices := volumes.devices(fields, step.value.at("volumeDevices"), volume_names):
        made["volumeDevices"] = devices
    fields.unfilled(step.value.at("resources"), "resources")
    made |= {"computeResources": requests} if requests else {}
    if policy := fields.filled(step.value.at("imagePullPolicy"), "imagePullPolicy"):
        made["imagePullPolicy"] = policy
    if rights := fields.unfilled(step.value.at("securityContext"), "securityContext"):
        made["securityContext"] = rights
    if step.script is not None:
        made["script"] = fields.text(step.script, step.value.at("script"), "script")
    return made


def _words(fields: Fields, step: Step, field: str, words: tuple[str, ...]) -> list[str]:
    """Return command or args; a lone string in the Dispatchfile is a list of one."""
    listed = step.value.at(field)
    made = []
    for index, word in enumerate(words):
        place = step.value.at(field, index) or listed
        made.append(fields.text(word, place, f"{field}[{index}]", kubelet=True))
    return made


def _env(fields: Fields, step: Step) -> list[Object]:
    """Return the variables of a step.

    A variable sees those before it, and Tekton puts those of the template behind all others (strategic merge), where
    Dispatch's Tekton had HOME first. So a step with a variable that needs HOME has its own.
    """
    made = [_variable(fields.below(f"env[{at}]"), one) for at, one in enumerate(step.env)]
    wants_home = any("$(HOME)" in one.get("value", "") for one in made)
    has_home = any(one["name"] == "HOME" for one in made)
    return [*step_template()["env"], *made] if wants_home and not has_home else made


def _variable(fields: Fields, variable: EnvVar) -> Object:
    """Return an entry of `env`, from wherever it has its value."""
    source = variable.place.at("valueFrom")
    if variable.value is not None or source is None or not isinstance(source.data, dict):
        given = variable.place.at("value") or variable.place
        value = fields.text(variable.value or "", given, "value", kubelet=True)
        return {"name": variable.name, "value": value}
    below = fields.below("valueFrom")
    taken = {
        kind: below.filled(value, kind) if kind in _FILLED_SOURCES else below.unfilled(value, kind)
        for kind, value in source.data.items()
    }
    return {"name": variable.name, "valueFrom": taken}


def _with_dollar(draft: Draft, task: Task, made: Object) -> Object:
    """Return a step with the variable that its texts need to keep a `$` from Tekton, before all others."""
    dollar = text.dollar(draft, task, made)
    return {**made, "env": [*dollar, *made.get("env", ())]} if dollar else made


def _dropped(step: Step, path: str) -> Iterator[Diagnostic]:
    """Yield a warning for each field of a step that Tekton's steps do not have."""
    given = step.value.data if isinstance(step.value.data, dict) else {}
    for name, value in given.items():
        unused = name == "command" and step.script is not None
        if value.data is None or (name in _WRITTEN and not (unused and value.data)):
            continue
        yield Diagnostic(
            "DF801",
            Severity.WARNING,
            f'`{name}` of step "{step.name}" is dropped: '
            + ("the step has a script" if unused else "steps of Tekton have no such field"),
            value.key or value.span,
            help="remove it; nothing on the cluster heeds it",
            path=f"{path}.{name}",
        )
