"""An object on its way through kustomizations, which may change its name and its namespace more than once."""

from __future__ import annotations

import re

from dispatchfile.apps.export import SourceProblem
from dispatchfile.apps.scope import group_kind
from dispatchfile.cue.builtins import regular
from dispatchfile.cue.values import Stop
from dispatchfile.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.apps.manifest import Object


class Item:
    """`object` is changed in place; `names` and `namespaces` are all that it had; `hashed`: its name gets a hash."""

    def __init__(self, found: Object, place: str, *, hashed: bool = False) -> None:
        self.object = found
        self.place = place
        self.hashed = hashed
        self.names = [self.name]
        self.namespaces = [self.namespace]

    @property
    def kind(self) -> str:
        """Return its kind."""
        return str(self.object["kind"])

    @property
    def group(self) -> str:
        """Return its API group, "" for the core."""
        return group_kind(self.object)[0]

    @property
    def metadata(self) -> dict[str, Any]:
        """Return its metadata, to be changed in place."""
        found: dict[str, Any] = self.object["metadata"]
        return found

    @property
    def name(self) -> str:
        """Return the name that it has now."""
        return str(self.metadata["name"])

    @property
    def namespace(self) -> str:
        """Return the namespace that it names, "" for none."""
        return str(self.metadata.get("namespace") or "")

    def rename(self, name: str) -> None:
        """Give it another name; by the former ones others still find it."""
        self.metadata["name"] = name
        self.names.append(name)

    def move(self, namespace: str) -> None:
        """Give it another namespace."""
        self.metadata["namespace"] = namespace
        self.namespaces.append(namespace)


def unsupported(name: str, what: str) -> EnvironmentProblem:
    """Return the error that only kustomize itself can do something."""
    return EnvironmentProblem(
        f"{name}: {what} needs kustomize, and neither `kubectl` nor `kustomize` is on this machine",
        help="install kubectl, which has kustomize built in",
    )


def select(items: list[Item], target: dict[str, Any], name: str) -> list[Item]:
    """Return the items that a target means; its fields are patterns that match the whole of what they are held against."""
    unknown = set(target) - {
        "group",
        "version",
        "kind",
        "name",
        "namespace",
        "labelSelector",
        "annotationSelector",
    }
    if unknown:
        raise unsupported(name, f"the target's {sorted(unknown)[0]}")
    return [item for item in items if _is_meant(item, target, name)]


def _is_meant(item: Item, target: dict[str, Any], name: str) -> bool:
    version = str(item.object["apiVersion"]).rpartition("/")[2]
    fields = (
        ("group", [item.group]),
        ("version", [version]),
        ("kind", [item.kind]),
        ("name", item.names),
        ("namespace", [item.namespace]),
    )
    for field, values in fields:
        pattern = target.get(field)
        if pattern and not any(_matches(str(pattern), value, name) for value in values):
            return False
    return all(
        _has(item.metadata.get(field) or {}, str(target.get(selector) or ""), name)
        for field, selector in (("labels", "labelSelector"), ("annotations", "annotationSelector"))
    )


def _matches(pattern: str, value: str, name: str) -> bool:
    if not re.fullmatch(r"[A-Za-z0-9_./*|()?+^$-]*", pattern) or len(pattern) > 200:
        raise unsupported(name, f"the pattern {pattern!r}")
    # Python's own engine could be kept busy for years.
    whole = rf"^(?:{pattern.removeprefix('^').removesuffix('$')})\z"
    try:
        return regular.search(whole, value, None)
    except Stop as stop:
        raise SourceProblem(f"{name}: {pattern!r} is no pattern: {stop}") from None


def _has(found: dict[str, Any], selector: str, name: str) -> bool:
    for term in filter(None, (part.strip() for part in selector.split(","))):
        match = re.fullmatch(r"([A-Za-z0-9_./-]+)\s*(==|=|!=)\s*([A-Za-z0-9_.-]*)", term)
        if match is None:
            raise unsupported(name, f"the selector {selector!r}")
        if (found.get(match[1]) == match[3]) is (match[2] == "!="):
            return False
    return True
