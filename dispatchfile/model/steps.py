"""Steps and volumes, built from values."""

from __future__ import annotations

from dispatchfile.model.pipeline import EnvVar, Limits, SecretKey, Step, Volume, VolumeMount
from dispatchfile.value import Value


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
        text(value.at("script")) or None,  # an empty one is none, as in Tekton
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
    from dispatchfile.model.quantities import quantity

    try:
        return quantity(written)
    except ValueError:
        return None
