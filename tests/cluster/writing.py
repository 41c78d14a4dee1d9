"""How objects are written where the published schemas are known: validated, with defaults, and with managers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tests.cluster import defaults, managed
from tests.cluster.managed import Writer
from tests.cluster.schemas import Node, invalid, prune, undeclared
from tests.cluster.store import Kind, Object, Refusal, now

if TYPE_CHECKING:
    from tests.cluster.api_server import ApiServer

# CustomResourceDefinitions without a status subresource, as Argo CD's: their status is written as any field.
_OWN = ("uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp", "selfLink")
ACTED = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod")


class Write:
    """One write to one kind; `dry` keeps nothing."""

    def __init__(
        self, api: ApiServer, kind: Kind, namespace: str, writer: Writer, *, validation: str, dry: bool
    ) -> None:
        assert api.schemas is not None
        self.api, self.kind, self.namespace, self.writer = api, kind, namespace, writer
        self.validation, self.dry = validation, dry
        self.node: Node = api.schemas.of(kind.group, kind.version, kind.kind)

    def create(self, made: Object) -> Object:
        """Return a new object as it is kept."""
        made = copy.deepcopy(made)
        self._strict(made)
        made.pop("status", None)
        return self._settled(None, made)

    def update(self, live: Object, made: Object, subresource: str = "") -> Object:
        """Return an object as it is kept in the place of another."""
        made = copy.deepcopy(made)
        self._strict(made)
        writer = self.writer._replace(subresource=subresource) if subresource else self.writer
        if subresource == "status":
            made = {**copy.deepcopy(live), "status": made.get("status")}
        elif self._has_status:
            made.pop("status", None)
            made |= {"status": live["status"]} if "status" in live else {}
        return self._settled(live, made, writer)

    def apply(self, live: Object | None, given: Object, *, force: bool) -> Object:
        """Return an object as it is after an apply."""
        given = copy.deepcopy(given)
        metadata = given.get("metadata", {})
        if metadata.get("managedFields"):
            raise Refusal(400, "BadRequest", "metadata.managedFields must be nil")
        if faults := list(undeclared(self.node, given)):
            name = f"{self.namespace}/{metadata.get('name')}; {self.kind.api_version}, Kind={self.kind.kind}"
            # The real one gives no reason here, and the status of an error of its own.
            raise Refusal(500, "", f"failed to create typed patch object ({name}): {'; '.join(faults)}")
        if self._has_status:
            given.pop("status", None)
        made, managers, wants = managed.applied(self.node, live, _without_null(given), self.writer)
        self._fill(live, made)
        managed.settle_apply(self.node, live, made, managers, wants, self.writer, force=force)
        return self._kept(live, made)

    def _settled(self, live: Object | None, made: Object, writer: Writer | None = None) -> Object:
        self._fill(live, made)
        managed.settle_update(self.node, live, made, writer or self.writer)
        return self._kept(live, made)

    @property
    def _has_status(self) -> bool:
        return "status" in self.node.get("properties", {}) and self.kind.status

    def _strict(self, made: Object) -> None:
        if self.validation == "Strict" and (faults := list(undeclared(self.node, made))):
            said = ", ".join(f'unknown field "{one.partition(":")[0].lstrip(".")}"' for one in faults)
            raise Refusal(
                400, "BadRequest", f'{self.kind.kind} in version "{self.kind.version}" cannot be handled as a '
                f"{self.kind.kind}: strict decoding error: {said}")  # fmt: skip
        prune(self.node, made)

    def _fill(self, live: Object | None, made: Object) -> None:
        metadata = made["metadata"]
        for name in _OWN:
            metadata.pop(name, None)
        before = (live or {}).get("metadata", {})
        metadata |= {name: before[name] for name in _OWN if name in before}
        if live is None:
            metadata |= {"uid": self.api.store.new_uid(), "creationTimestamp": now(), "generation": 1}
        if self.kind.namespaced:
            metadata["namespace"] = self.namespace
        made |= {"apiVersion": self.kind.api_version, "kind": self.kind.kind}
        defaults.filled(self.kind, self.node, made)

    def _kept(self, live: Object | None, made: Object) -> Object:
        name = made["metadata"]["name"]
        if faults := list(invalid(self.node, made)):
            causes = [
                {"reason": "FieldValueInvalid", "field": path, "message": what} for path, what in faults
            ]
            said = ", ".join(f"{path}: {what}" for path, what in faults)
            said = f"[{said}]" if len(faults) > 1 else said
            raise Refusal(
                422,
                "Invalid",
                f'{defaults.resource_of(self.kind)} "{name}" is invalid: {said}',
                {"causes": causes},
            )
        if denied := self.api.admission(made):
            raise Refusal(403, "Forbidden", f'admission webhook "policy.test" denied the request: {denied}')
        if live is not None:
            defaults.check_fixed(self.kind, live, made)
            if _bare(live) == _bare(made):
                return copy.deepcopy(live)
            if live.get("spec") != made.get("spec"):
                made["metadata"]["generation"] = int(live["metadata"].get("generation", 1)) + 1
        if self.dry:
            return made
        return self.api.keep(self.kind, self.namespace, made)


def _bare(found: Object) -> Object:
    """Return an object without the times of its managers."""
    made = copy.deepcopy(found)
    for entry in made["metadata"].get("managedFields") or ():
        entry.pop("time", None)
    made["metadata"].pop("resourceVersion", None)
    return made


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(inner) for name, inner in value.items() if inner is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value
