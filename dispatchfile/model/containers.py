"""Steps and volumes as Kubernetes would check them: environment, mounts, and what a step may use."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Fix, Related, Severity
from dispatchfile.model.edits import is_json_like, listed, reworded
from dispatchfile.model.kubernetes import VOLUME
from dispatchfile.model.pipeline import EnvVar, Pipeline, Step, Task, Volume, VolumeMount
from dispatchfile.model.steps import text
from dispatchfile.record import replace
from dispatchfile.spelling import nearest
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ENV_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")


def check(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield what Kubernetes would refuse in the steps and volumes of all tasks, and what it takes but nobody means.

    The latter are warnings: a file that ran on Dispatch runs here.
    """
    for task in pipeline.tasks.values():
        yield from _check_volumes(task)
        for index, one in enumerate(task.steps):
            path = f"task.{task.name}.steps[{index}]"
            image = one.value.at("image")
            if image is not None and isinstance(image.data, str) and not image.data.strip():
                yield _error("DF102", f'step "{one.name}" has an empty image', image, f"{path}.image")
            yield from _check_env(one, path)
            if one.value.at("resources") is not None:
                yield from _check_resources(one, path)
        yield from _check_all_mounts(task)


def _error(
    code: str, message: str, place: Value | None, path: str, advice: str = "", *related: Related, fix: Fix | None = None
) -> Diagnostic:  # fmt: skip
    span = (place.span or place.key) if place is not None else None
    return Diagnostic(code, Severity.ERROR, message, span, "", related, advice, path, fix)


def _check_env(step: Step, path: str) -> Iterator[Diagnostic]:
    seen: dict[str, EnvVar] = {}
    for index, variable in enumerate(step.env):
        here = f"{path}.env[{index}]"
        name, place = variable.name, variable.place
        given = place.at("name")
        if given is not None and given.data is not None and not _is_env_name(name):
            yield _error(
                "DF503", f'"{name}" is no name for an environment variable', given, f"{here}.name",
                "letters, digits, `_`, `-`, and `.`, not starting with a digit",
            )  # fmt: skip
        first = seen.setdefault(name, variable)
        if first is not variable and name:
            span = first.place.span
            twice = _error(
                "DF503", f'step "{step.name}" sets "{name}" twice', given or place, f"{here}.name",
                "only the last one holds; remove one of them", *((Related(span, "first set here"),) if span else ()),
            )  # fmt: skip
            yield replace(twice, severity=Severity.WARNING)
        yield from _check_source(variable, here)


def _is_env_name(name: str) -> bool:
    return name != "" and _ENV_NAME.issuperset(name) and not "0" <= name[0] <= "9"


def _check_source(variable: EnvVar, path: str) -> Iterator[Diagnostic]:
    """Yield what is wrong with where the value of a variable comes from: exactly one of `value` and `valueFrom`."""
    name, place = variable.name, variable.place
    if not isinstance(place.data, dict):
        return
    value, source = place.at("value"), place.at("valueFrom")
    given = value is not None and value.data is not None
    if source is None or source.data is None:
        # A field with another name is a finding of its own.
        if not given and name and place.data.keys() <= {"name", "value", "valueFrom"}:
            neither = _error(
                "DF503", f'"{name}" has neither `value` nor `valueFrom`', place.at("name"), path,
                'it is empty; if that is meant, write value: ""',
            )  # fmt: skip
            yield replace(neither, severity=Severity.WARNING)
    elif given and text(value):
        yield _error(
            "DF503",
            f'"{name}" has both `value` and `valueFrom`',
            Value(None, source.keys or source.spans),
            path,
            "keep one of them",
        )
    elif isinstance(source.data, dict) and len(source.data) != 1:
        yield _error(
            "DF503", f'the `valueFrom` of "{name}" needs exactly one source', source, f"{path}.valueFrom",
            'such as secretKeyRef: {name: "…", key: "…"}',
        )  # fmt: skip


def _check_all_mounts(task: Task) -> Iterator[Diagnostic]:
    volumes = {volume.name: volume for volume in task.volumes}
    if not volumes and not any(step.volume_mounts for step in task.steps):
        return
    unknown: set[str] = set()
    for index, step in enumerate(task.steps):
        seen: set[str] = set()
        for number, mount in enumerate(step.volume_mounts):
            here = f"task.{task.name}.steps[{index}].volumeMounts[{number}]"
            if mount.name and mount.name not in volumes:
                yield _undefined(mount, step, task, here, again=mount.name in unknown)
                unknown.add(mount.name)
            yield from _check_mount(mount, step, seen, here)
    mounted = {mount.name for step in task.steps for mount in step.volume_mounts}
    mounted |= {nearest(name, volumes) or "" for name in unknown}
    for index, volume in enumerate(task.volumes):
        if volume.name and volume.name not in mounted:
            place = volume.value.at("name")
            yield Diagnostic(
                "DF504", Severity.WARNING, f'no step mounts the volume "{volume.name}"',
                place.span if place is not None else volume.value.span, "never mounted",
                help="mount it with `volumeMounts`, or remove it", path=f"task.{task.name}.volumes[{index}]",
            )  # fmt: skip


def _undefined(mount: VolumeMount, step: Step, task: Task, path: str, *, again: bool) -> Diagnostic:
    """Return the finding that a mounted volume is none; the fix that adds it comes once, however often it is mounted."""
    place = mount.value.at("name")
    meant = nearest(mount.name, [volume.name for volume in task.volumes])
    fix = None
    if meant is not None:
        advice = f'did you mean "{meant}"?'
        edit = reworded(place.span, mount.name, meant) if place is not None else None
        fix = Fix(f'write "{meant}"', (edit,), safe=False) if edit is not None else None
    else:
        name, empty = ('"name"', '"emptyDir"') if is_json_like(mount.value) else ("name", "emptyDir")
        entry = f'{{{name}: "{mount.name}", {empty}: {{}}}}'
        advice = f"add it to the `volumes` of the task: {entry}"
        edits = listed(task.value, "volumes", entry)
        fix = Fix("add it to the `volumes` of the task", edits, safe=False) if edits and not again else None
    return _error(
        "DF504", f'step "{step.name}" mounts "{mount.name}", which is no volume of its task', place, f"{path}.name",
        advice, fix=fix,
    )  # fmt: skip


def _check_mount(mount: VolumeMount, step: Step, seen: set[str], here: str) -> Iterator[Diagnostic]:
    where = mount.mount_path.rstrip("/")
    if mount.mount_path and (not mount.mount_path.startswith("/") or ":" in mount.mount_path or not where):
        yield _error(
            "DF504", f'"{mount.mount_path}" is no place to mount a volume', mount.value.at("mountPath"),
            f"{here}.mountPath", "an absolute path other than /, without a colon",
        )  # fmt: skip
    elif where and where in seen:
        yield _error(
            "DF504", f'step "{step.name}" mounts two volumes at "{mount.mount_path}"',
            mount.value.at("mountPath"), f"{here}.mountPath",
        )  # fmt: skip
    seen.add(where)
    if mount.sub_path.startswith("/") or ".." in mount.sub_path.split("/"):
        yield _error(
            "DF504", f'the subPath "{mount.sub_path}" leaves its volume', mount.value.at("subPath"),
            f"{here}.subPath", "a relative path without `..`",
        )  # fmt: skip


def _check_volumes(task: Task) -> Iterator[Diagnostic]:
    seen: dict[str, Volume] = {}
    for index, one in enumerate(task.volumes):
        here = f"task.{task.name}.volumes[{index}]"
        first = seen.setdefault(one.name, one)
        if one.name and first is not one:
            also = (Related(first.value.span, "first defined here"),) if first.value.span else ()
            yield _error(
                "DF105", f'task "{task.name}" has two volumes "{one.name}"', one.value, here, "", *also
            )
        data = one.value.data if isinstance(one.value.data, dict) else {}
        sources = [label for label in data if label != "name" and label in VOLUME.by_name]
        yield from _check_amount(
            one.value.at("emptyDir", "sizeLimit"), "memory", f"{here}.emptyDir.sizeLimit"
        )
        if len(sources) > 1:
            yield _error(
                "DF504", f'the volume "{one.name}" has {len(sources)} sources: {", ".join(sources)}', one.value, here,
                "a volume has one source",
            )  # fmt: skip


def _check_amount(value: Value | None, name: str, path: str) -> Iterator[Diagnostic]:
    written = text(value)
    if written is None:
        return
    from dispatchfile.model.quantities import quantity

    try:
        if quantity(written)[0] < 0:
            yield _error("DF506", f"an amount of {name} cannot be negative", value, path)
    except ValueError as error:
        yield _error("DF506", f'"{written}" is no quantity of {name}', value, path, str(error))


def _check_resources(step: Step, path: str) -> Iterator[Diagnostic]:
    from dispatchfile.model.quantities import quantity

    amounts: dict[str, dict[str, tuple[int, int]]] = {"limits": {}, "requests": {}}
    for part, known in amounts.items():
        settings = step.value.at("resources", part)
        for name, value in settings.data.items() if settings and isinstance(settings.data, dict) else ():
            problems = [*_check_amount(value, name, f"{path}.resources.{part}.{name}")]
            yield from problems
            written = text(value)
            if written is not None and not problems:
                known[name] = quantity(written)
    for name, wanted in amounts["requests"].items():
        most = amounts["limits"].get(name)
        if most is not None and wanted[0] * most[1] > most[0] * wanted[1]:
            yield _error(
                "DF506", f'step "{step.name}" requests more {name} than its limit allows',
                step.value.at("resources", "requests", name), f"{path}.resources.requests.{name}",
            )  # fmt: skip
