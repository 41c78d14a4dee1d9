"""Steps and volumes: built from values, and checked as Kubernetes would check them."""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic, Related, Severity
from dispatchfile.model.pipeline import EnvVar, Limits, Pipeline, SecretKey, Step, Task, Volume, VolumeMount
from dispatchfile.model.quantities import quantity
from dispatchfile.spelling import nearest
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ENV_NAME = r"[-._a-zA-Z][-._a-zA-Z0-9]*"


# Building


def text(value: Value | None) -> str | None:
    """Return a scalar as the string it was meant to be; None when it is none."""
    data = value.data if value is not None else None
    if isinstance(data, bool):
        return str(data).lower()
    if data is None or isinstance(data, (list, dict)):
        return None
    return data if isinstance(data, str) else str(data)


def texts(value: Value | None) -> tuple[str, ...] | None:
    """Return a list of strings; a lone string counts as a list of one. None when it is neither."""
    if value is None:
        return None
    if isinstance(value.data, list):
        return tuple(content for item in value.data if (content := text(item)) is not None)
    return (value.data,) if isinstance(value.data, str) else None


def secret_key(value: Value | None) -> SecretKey | None:
    """Return a reference to a key of a secret; None when a part of it is missing."""
    if value is None:
        return None
    name, key = text(value.at("name")), text(value.at("key"))
    return SecretKey(name, key, optional=_flag(value.at("optional"))) if name and key else None


def step(index: int, value: Value) -> Step:
    """Return a step; one without a name is called unnamed-N, as in Tekton."""
    return Step(
        text(value.at("name")) or f"unnamed-{index}",
        text(value.at("image")) or "",
        texts(value.at("command")),
        texts(value.at("args")),
        text(value.at("workingDir")),
        _env(value.at("env")),
        tuple(_mount(item) for item in _structs(value.at("volumeMounts"))),
        Limits(
            _bytes(value.at("resources", "limits", "memory")),
            _processors(value.at("resources", "limits", "cpu")),
        ),
        _flag(value.at("securityContext", "privileged")),
        _whole(value.at("securityContext", "runAsUser")),
        _whole(value.at("securityContext", "runAsGroup")),
        text(value.at("script")),
        value,
    )


def volume(value: Value) -> Volume:
    """Return a volume; without a source it is an empty directory, as in Kubernetes."""
    name = text(value.at("name")) or ""
    for kind, source in value.data.items() if isinstance(value.data, dict) else ():
        if kind != "name" and isinstance(source.data, dict):
            return Volume(name, kind, {label: item.plain() for label, item in source.data.items()}, value)
    return Volume(name, "emptyDir", {}, value)


def _env(value: Value | None) -> tuple[EnvVar, ...]:
    if value is not None and isinstance(value.data, dict):
        return tuple(EnvVar(name, text(item) or "", None, item) for name, item in value.data.items())
    found = []
    for item in _structs(value):
        secret = secret_key(item.at("valueFrom", "secretKeyRef"))
        content = text(item.at("value"))
        if content is None and item.at("valueFrom") is None:
            content = ""
        found.append(
            EnvVar(text(item.at("name")) or "", content, None if content is not None else secret, item)
        )
    return tuple(found)


def _mount(value: Value) -> VolumeMount:
    return VolumeMount(
        text(value.at("name")) or "",
        text(value.at("mountPath")) or "",
        text(value.at("subPath")) or "",
        _flag(value.at("readOnly")),
        value,
    )


def _structs(value: Value | None) -> list[Value]:
    data = value.data if value is not None else None
    return [item for item in data if isinstance(item.data, dict)] if isinstance(data, list) else []


def _flag(value: Value | None) -> bool:
    return value is not None and value.data is True


def _whole(value: Value | None) -> int | None:
    data = value.data if value is not None else None
    return data if isinstance(data, int) and not isinstance(data, bool) else None


def _bytes(value: Value | None) -> int | None:
    amount = _quantity(value)
    return None if amount is None else -(-amount[0] // amount[1])


def _processors(value: Value | None) -> float | None:
    amount = _quantity(value)
    return None if amount is None else amount[0] / amount[1]


def _quantity(value: Value | None) -> tuple[int, int] | None:
    written = text(value)
    if written is None:
        return None
    try:
        return quantity(written)
    except ValueError:
        return None


# Checking


def check(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield what Kubernetes would refuse in the steps and volumes of all tasks."""
    for task in pipeline.tasks.values():
        volumes = {volume.name: volume for volume in task.volumes}
        yield from _check_volumes(task)
        for index, one in enumerate(task.steps):
            path = f"task.{task.name}.steps[{index}]"
            yield from _check_env(one, path)
            yield from _check_mounts(one, volumes, path)
            yield from _check_resources(one, path)


def _error(
    code: str, message: str, place: Value | None, path: str, advice: str = "", *related: Related
) -> Diagnostic:
    span = (place.span or place.key) if place is not None else None
    return Diagnostic(code, Severity.ERROR, message, span, related=related, help=advice, path=path)


def _check_env(step: Step, path: str) -> Iterator[Diagnostic]:
    seen: dict[str, EnvVar] = {}
    for index, variable in enumerate(step.env):
        here = f"{path}.env[{index}]"
        name, place = variable.name, variable.place
        if name and not re.fullmatch(_ENV_NAME, name):
            yield _error(
                "DF503", f'"{name}" is no name for an environment variable', place.at("name") or place, here,
                "letters, digits, `_`, `-`, and `.`, not starting with a digit",
            )  # fmt: skip
        if name in seen and name:
            first = seen[name].place.span
            also = (Related(first, "first set here"),) if first else ()
            yield Diagnostic(
                "DF503", Severity.WARNING, f'step "{step.name}" sets "{name}" twice; the last one holds', place.span,
                related=also, help="remove one of them", path=here,
            )  # fmt: skip
        seen[name] = variable
        source = place.at("valueFrom")
        if source is None or not isinstance(source.data, dict):
            continue
        if place.at("value") is not None and text(place.at("value")):
            yield _error(
                "DF503", f'"{name}" has both `value` and `valueFrom`', place, here, "keep one of them"
            )
        elif len(source.data) != 1:
            yield _error(
                "DF503", f"the `valueFrom` of \"{name}\" needs exactly one source", source, f"{here}.valueFrom",
                'such as secretKeyRef: {name: "…", key: "…"}',
            )  # fmt: skip


def _check_mounts(step: Step, volumes: dict[str, Volume], path: str) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for index, mount in enumerate(step.volume_mounts):
        here = f"{path}.volumeMounts[{index}]"
        if mount.name and mount.name not in volumes:
            meant = nearest(mount.name, volumes)
            advice = (
                f'did you mean "{meant}"?'
                if meant
                else f'add it to the `volumes` of the task: {{name: "{mount.name}", emptyDir: {{}}}}'
            )
            yield _error(
                "DF504", f'step "{step.name}" mounts "{mount.name}", which is no volume of its task',
                mount.value.at("name"), f"{here}.name", advice,
            )  # fmt: skip
        where = mount.mount_path.rstrip("/")
        if mount.mount_path and (
            not mount.mount_path.startswith("/") or ":" in mount.mount_path or not where
        ):
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
        sources = (
            [label for label in one.value.data if label != "name"] if isinstance(one.value.data, dict) else []
        )
        if len(sources) > 1:
            yield _error(
                "DF504", f'the volume "{one.name}" has {len(sources)} sources: {", ".join(sources)}', one.value, here,
                "a volume has one source",
            )  # fmt: skip


def _check_resources(step: Step, path: str) -> Iterator[Diagnostic]:
    amounts: dict[str, dict[str, tuple[int, int]]] = {"limits": {}, "requests": {}}
    for part, known in amounts.items():
        settings = step.value.at("resources", part)
        for name, value in settings.data.items() if settings and isinstance(settings.data, dict) else ():
            written = text(value)
            if written is None:
                continue
            here = f"{path}.resources.{part}.{name}"
            try:
                known[name] = quantity(written)
            except ValueError as error:
                yield _error("DF506", f'"{written}" is no quantity of {name}', value, here, str(error))
                continue
            if known[name][0] < 0:
                yield _error("DF506", f"the {name} of a step cannot be negative", value, here)
    for name, wanted in amounts["requests"].items():
        most = amounts["limits"].get(name)
        if most is not None and wanted[0] * most[1] > most[0] * wanted[1]:
            yield _error(
                "DF506", f'step "{step.name}" requests more {name} than its limit allows',
                step.value.at("resources", "requests", name), f"{path}.resources.requests.{name}",
            )  # fmt: skip
