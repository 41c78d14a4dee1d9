"""Who manages which field: server-side apply, and what other writes make of it (Kubernetes, "Server-Side Apply")."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from tests.cluster import fields
from tests.cluster.fields import Fields
from tests.cluster.schemas import Node, child, is_atomic, key_of, list_type, resolved
from tests.cluster.store import Object, Refusal, now


class Writer(NamedTuple):
    """Who writes, and how."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        part = f' with subresource "{self.subresource}"' if self.subresource else ""
        return f'"{self.name}"{part} using {self.api_version}'


Managers = dict[Writer, Fields]


def read(found: Object) -> tuple[Managers, dict[Writer, str]]:
    """Return who manages what of an object, and since when."""
    managers: Managers = {}
    times = {}
    for entry in found.get("metadata", {}).get("managedFields") or ():
        writer = Writer(
            entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", "")
        )
        managers[writer] = fields.from_v1(entry["fieldsV1"])
        times[writer] = entry["time"]
    return managers, times


def write(made: Object, managers: Managers, before: Object | None) -> None:
    """Write down who manages what; who manages what he did before keeps his time."""
    old, times = read(before or {})
    made["metadata"]["managedFields"] = [
        {
            "manager": writer.name,
            "operation": writer.operation,
            "apiVersion": writer.api_version,
            "time": times[writer] if old.get(writer) == its else now(),
            "fieldsType": "FieldsV1",
            "fieldsV1": fields.to_v1(its),
            **({"subresource": writer.subresource} if writer.subresource else {}),
        }
        for writer, its in managers.items()
        if its
    ]


def merged(node: Node, live: Any, given: Any) -> Any:
    """Return what is there with what is given laid over it."""
    node = resolved(node)
    if isinstance(live, dict) and isinstance(given, dict) and not is_atomic(node):
        return {
            **live,
            **{
                name: merged(child(node, name), live[name], value) if name in live else copy.deepcopy(value)
                for name, value in given.items()
            },
        }
    if isinstance(live, list) and isinstance(given, list) and list_type(node) in ("map", "set"):
        return _merged_list(node, live, given)
    return copy.deepcopy(given)


def _merged_list(node: Node, live: list[Any], given: list[Any]) -> list[Any]:
    here = {key_of(node, one): one for one in live}
    there = {key_of(node, one): one for one in given}
    items = {
        key: merged(node.get("items", {}), here[key], one) if key in here else copy.deepcopy(one)
        for key, one in there.items()
    }
    common = [key for key in here if key in there]
    if common == [key for key in there if key in here]:  # nothing has changed places
        return [items.get(key, one) for key, one in here.items()] + [
            one for key, one in items.items() if key not in here
        ]
    return [*items.values(), *(one for key, one in here.items() if key not in there)]


def applied(
    node: Node, live: Object | None, given: Object, writer: Writer
) -> tuple[Object, Managers, Fields]:
    """Return an object after an apply without regard to conflicts, who managed it before, and the fields given."""
    managers, _ = read(live or {})
    wants = fields.of(node, given)
    made = merged(node, copy.deepcopy(live) if live else {}, given)
    others = [its for other, its in managers.items() if other != writer]
    for path in sorted(managers.get(writer, set()) - wants, key=len):  # an item before its keys
        length = len(path)
        held = any(one[:length] == path for its in [*others, wants] for one in its)
        if not held:
            fields.remove(node, made, path)
    return made, managers, wants


def settle_apply(
    node: Node,
    live: Object | None,
    made: Object,
    managers: Managers,
    wants: Fields,
    writer: Writer,
    *,
    force: bool,
) -> None:
    """Write down who manages an applied object; raises Refusal for conflicts, unless forced."""
    fresh, _ = fields.changed(node, live or {}, made)
    conflicts = [
        (other, path)
        for other, its in managers.items()
        if other != writer
        for path in sorted(its & fresh & wants)
    ]
    if conflicts and not force and live is not None:
        raise _conflict(conflicts)
    for other, path in conflicts:
        managers[other] = managers[other] - {path}
    managers[writer] = wants
    write(made, managers, live)


def settle_update(node: Node, live: Object | None, made: Object, writer: Writer) -> None:
    """Write down who manages an object that was created, replaced or patched."""
    managers, _ = read(live or {})
    fresh, gone = fields.changed(node, live or {}, made)
    for other in managers:
        managers[other] = managers[other] - gone if other == writer else managers[other] - fresh - gone
    managers[writer] = managers.get(writer, set()) | fresh
    write(made, managers, live)


def _conflict(conflicts: list[tuple[Writer, fields.Path]]) -> Refusal:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {writer}",
            "field": fields.path_text(path),
        }
        for writer, path in conflicts
    ]
    if len(conflicts) == 1:
        writer, path = conflicts[0]
        said = f"Apply failed with 1 conflict: conflict with {writer}: {fields.path_text(path)}"
    else:
        listed = "\n".join(f"- {fields.path_text(path)}" for _, path in conflicts)
        said = f"Apply failed with {len(conflicts)} conflicts: conflicts with {conflicts[0][0]}:\n{listed}"
    return Refusal(409, "Conflict", said, {"causes": causes})
