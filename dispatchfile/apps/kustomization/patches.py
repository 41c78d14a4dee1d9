"""Patches: strategic merges of Kubernetes' own kinds, merges of others, and RFC 6902's lists of operations."""

from __future__ import annotations

import copy

from dispatchfile.apps import documents
from dispatchfile.apps.export import SourceProblem
from dispatchfile.apps.kustomization.item import unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.apps.kustomization.item import Item

# The lists of pods and services that are merged by a key; all others are replaced (OpenAPI of Kubernetes,
# x-kubernetes-patch-merge-key).
_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
_BUILTIN = (".k8s.io",)
_PLAIN_GROUPS = ("", "apps", "batch", "autoscaling", "policy", "extensions")
_DIRECTIVE = "$patch"


def merge(item: Item, patch: dict[str, Any], name: str) -> bool:
    """Merge a patch into an object; return False when it says that the object is to go."""
    if patch.get(_DIRECTIVE) == "delete":
        return False
    kept = {field: item.metadata.get(field) for field in ("name", "namespace")}
    own = {field: item.object[field] for field in ("apiVersion", "kind")}
    strategic = item.group in _PLAIN_GROUPS or item.group.endswith(_BUILTIN)
    merged = _Merge(name, item.kind, strategic=strategic).mapping(item.object, patch)
    item.object = {**merged, **own}
    for field, value in kept.items():
        if value is None:
            item.metadata.pop(field, None)
        else:
            item.metadata[field] = value
    return True


class _Merge:
    def __init__(self, name: str, kind: str, *, strategic: bool) -> None:
        self._name = name
        self._kind = kind
        self._strategic = strategic

    def mapping(self, base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
        directive = patch.get(_DIRECTIVE, "merge")
        patch = {field: value for field, value in patch.items() if field != _DIRECTIVE}
        if directive == "replace":
            return self._clean(patch)
        if directive != "merge" or any(field.startswith("$") for field in patch):
            odd = (
                directive if directive != "merge" else next(field for field in patch if field.startswith("$"))
            )
            raise unsupported(self._name, f"the directive {odd} of a patch")
        merged = dict(base)
        for field, value in patch.items():
            if value is None:
                merged.pop(field, None)
            elif isinstance(value, dict):
                below = base.get(field)
                if value.get(_DIRECTIVE) == "delete":
                    merged.pop(field, None)
                else:
                    merged[field] = self.mapping(below if isinstance(below, dict) else {}, value)
            elif isinstance(value, list):
                merged[field] = self._list(field, base.get(field), value)
            else:
                merged[field] = value
        return merged

    def _list(self, field: str, base: Any, patch: list[Any]) -> list[Any]:
        keys = self._keys(field)
        if not keys or not all(isinstance(one, dict) for one in patch):
            return [self._clean(one) if isinstance(one, dict) else one for one in patch]
        rest = [one for one in base if isinstance(one, dict)] if isinstance(base, list) else []
        # As kustomize orders them: those of the patch in its order, then those that it does not mention.
        first: list[Any] = []
        for one in patch:
            if set(one) == {_DIRECTIVE}:
                raise unsupported(self._name, f"the directive {one[_DIRECTIVE]} of a list")
            same = next((other for other in rest if _key(other, keys) == _key(one, keys)), None)
            rest = [other for other in rest if other is not same]
            if one.get(_DIRECTIVE) != "delete":
                first.append(self.mapping(same or {}, one))
        return [*first, *rest]

    def _keys(self, field: str) -> tuple[str, ...]:
        if not self._strategic:
            return ()
        if field == "ports":
            return ("port", "protocol") if self._kind == "Service" else ("containerPort", "protocol")
        return _KEYS.get(field, ())

    def _clean(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return what a patch adds where nothing was: without what it deletes."""
        return self.mapping({}, found)


def _key(found: dict[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(found.get(key, "TCP" if key == "protocol" else None) for key in keys)


def operate(found: Any, operations: list[Any], name: str) -> Any:
    """Return a document after the operations of RFC 6902. Raises SourceProblem for one that does not apply."""
    found = copy.deepcopy(found)
    left = documents.MOST_NODES
    for number, one in enumerate(operations, 1):
        try:
            if one["op"] == "copy":
                left -= _size(_get(found, _pointer(one["from"])))
                if left < 0:
                    raise ValueError("the object becomes too large")
            found = _operation(found, one)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            what = one.get("op") if isinstance(one, dict) else one
            raise SourceProblem(
                f"{name}: operation {number} of the patch ({what}) does not apply: {error}"
            ) from None
    return found


def _operation(found: Any, one: dict[str, Any]) -> Any:
    op, path = one["op"], _pointer(one["path"])
    if op == "add":
        return _add(found, path, copy.deepcopy(one["value"]))
    if op == "remove":
        _take(found, path)
        return found
    if op == "replace":
        _get(found, path)
        if path:
            _take(found, path)
        return _add(found, path, copy.deepcopy(one["value"]))
    if op == "test":
        if _get(found, path) != one["value"]:
            raise ValueError(f"{one['path']} is {_get(found, path)!r}")
        return found
    if op in ("move", "copy"):
        source = _pointer(one["from"])
        value = _take(found, source) if op == "move" else copy.deepcopy(_get(found, source))
        return _add(found, path, value)
    raise ValueError(f"unknown operation {op!r}")


def _size(found: Any) -> int:
    """Return how many values there are in a document: a copy of a copy grows fast."""
    below = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return 1 + sum(map(_size, below))


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(f"{text!r} is no path: it begins with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _get(found: Any, path: list[str]) -> Any:
    for part in path:
        found = found[_index(found, part)] if isinstance(found, list) else found[part]
    return found


def _take(found: Any, path: list[str]) -> Any:
    above = _get(found, path[:-1])
    return above.pop(_index(above, path[-1]) if isinstance(above, list) else path[-1])


def _add(found: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    above = _get(found, path[:-1])
    if isinstance(above, list):
        at = len(above) if path[-1] == "-" else _index(above, path[-1], more=1)
        above.insert(at, value)
    else:
        above[path[-1]] = value
    return found


def _index(found: list[Any], part: str, more: int = 0) -> int:
    if not part.isascii() or not part.isdecimal() or int(part) >= len(found) + more:
        raise IndexError(f"there is no element {part}")
    return int(part)
