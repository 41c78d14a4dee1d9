"""The controllers of a cluster, as far as statuses tell: what is asked for is there at once, or never comes up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster.api_server import ApiServer
from tests.cluster.store import Kind, Object


@contextmanager
def running(server: ApiServer, *, broken: str = "broken") -> Iterator[None]:
    """Let workloads come up; whose image's name has `broken` in it never does."""

    def kept(kind: Kind, found: Object) -> None:
        status = _status(kind.kind, found, broken)
        metadata = found["metadata"]
        place = (kind, metadata.get("namespace", ""), metadata["name"])
        if status is not None and server.store.find(*place) is not None:
            server.store.change(*place, lambda made: made.update(status=status))

    server.kept.append(kept)
    yield
    server.kept.remove(kept)


def _status(kind: str, found: Object, broken: str) -> dict[str, Any] | None:
    count = found.get("spec", {}).get("replicas", 1)
    observed = {"observedGeneration": found["metadata"].get("generation", 1)}
    up = broken not in str(found.get("spec", {}).get("template"))
    match kind:
        case "Deployment" | "ReplicaSet" if up:
            names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
            return {**observed, **dict.fromkeys(names, count)}
        case "Deployment":
            late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
            return {**observed, "replicas": count, "conditions": [late | {"message": "no pod came up"}]}
        case "StatefulSet" if up:
            same = {"updateRevision": "a", "currentRevision": "a"}
            return {
                **observed,
                **dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas"), count),
                **same,
            }
        case "Job":
            return {"conditions": [{"type": "Complete" if up else "Failed", "status": "True", "message": ""}]}
        case "Ingress":
            return {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
        case "PersistentVolumeClaim":
            return {"phase": "Bound"}
    return None
