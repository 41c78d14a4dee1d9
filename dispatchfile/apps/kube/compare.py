"""An object as it is beside what it would be after an apply: both from the cluster, so that its defaults are in both."""

from __future__ import annotations

import re

from dispatchfile.apps.kube.marks import CLUSTERS_OWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dispatchfile.apps.manifest import Object
    from dispatchfile.kube.problems import Refused


def told(found: Object) -> Object:
    """Return an object without what only the cluster says of it."""
    metadata = {name: value for name, value in found["metadata"].items() if name not in CLUSTERS_OWN}
    rest = {name: value for name, value in found.items() if name not in ("metadata", "status")}
    return {**rest, "metadata": metadata}


def changed(live: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of fields that differ, as `spec.replicas` or `spec.containers[0].image`."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        for name in sorted({**live, **wanted}):
            if live.get(name) != wanted.get(name):
                yield from changed(live.get(name), wanted.get(name), f"{path}.{name}" if path else name)
    elif isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        for index, (one, other) in enumerate(zip(live, wanted, strict=True)):
            if one != other:
                yield from changed(one, other, f"{path}[{index}]")
    elif live != wanted:
        yield path


def conflicts(problem: Refused) -> str:
    """Return who else has set fields that an apply would set: "kubectl has set spec.replicas, …"; "" when nobody."""
    by: dict[str, list[str]] = {}
    for cause in problem.causes:
        if cause.reason == "FieldManagerConflict":
            manager = cause.message.partition('"')[2].partition('"')[0] or "somebody else"
            by.setdefault(manager, []).append(cause.field.removeprefix("."))
    return "; ".join(f"{manager} has set {', '.join(fields)}" for manager, fields in by.items())


def refusal(problem: Refused, kind: str) -> str:
    """Return why an object is not taken, and what to do; of a Secret, no value that the cluster quotes."""
    said = problem.message.removeprefix("the cluster refused: ")
    if kind == "Secret":
        said = re.split(r"[,:]? (?:got|Invalid value:) ", said, maxsplit=1)[0]
    if problem.code == 422 and "immutable" in said:
        return (
            f"{said}; fields of a {kind} that cannot be changed need a new one: give it another name, "
            "or the annotation argocd.argoproj.io/sync-options: Force=true,Replace=true"
        )
    return f"{said}: {problem.help}" if problem.help else said
