"""What a fake cluster holds: objects with versions, the history that watches read, and the logs of containers."""

from __future__ import annotations

import copy
import random
import string
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Object = dict[str, Any]


_DICE = random.Random()
"""Not the shared one: a request that is answered late would disturb who counts on that in the meantime."""


class Kind(NamedTuple):
    """A kind of object that the cluster serves."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    status: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


KINDS = (
    Kind("", "v1", "namespaces", "Namespace", namespaced=False),
    Kind("", "v1", "pods", "Pod"),
    Kind("", "v1", "configmaps", "ConfigMap"),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "services", "Service"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount"),
    Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Kind("", "v1", "endpoints", "Endpoints"),
    Kind(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        namespaced=False,
    ),
    Kind("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False),
    Kind("apps", "v1", "deployments", "Deployment"),
    Kind("apps", "v1", "daemonsets", "DaemonSet"),
    Kind("apps", "v1", "replicasets", "ReplicaSet"),
    Kind("apps", "v1", "statefulsets", "StatefulSet"),
    Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Kind("batch", "v1", "cronjobs", "CronJob"),
    Kind("batch", "v1", "jobs", "Job"),
    Kind("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    Kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False),
    Kind("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress"),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    Kind("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False),
    Kind("tekton.dev", "v1", "pipelines", "Pipeline"),
    Kind("tekton.dev", "v1", "pipelineruns", "PipelineRun"),
    Kind("tekton.dev", "v1", "tasks", "Task"),
    Kind("tekton.dev", "v1", "taskruns", "TaskRun"),
    Kind("triggers.tekton.dev", "v1beta1", "eventlisteners", "EventListener"),
    Kind("triggers.tekton.dev", "v1beta1", "triggers", "Trigger"),
    Kind("triggers.tekton.dev", "v1beta1", "triggerbindings", "TriggerBinding"),
    Kind("triggers.tekton.dev", "v1beta1", "triggertemplates", "TriggerTemplate"),
    Kind("pipelinesascode.tekton.dev", "v1alpha1", "repositories", "Repository"),
    Kind("argoproj.io", "v1alpha1", "applications", "Application", status=False),
)
BY_KIND = {kind.kind: kind for kind in KINDS}


class Refusal(Exception):
    """The API's answer to what it does not do: an HTTP status, a reason as Kubernetes has it, and a message."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details or {}


class Change(NamedTuple):
    """An entry of the history: what watches get to see."""

    version: int
    type: str
    kind: Kind
    object: Object


class ContainerLog:
    """What a container wrote: lines with the time at which each began."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bytes]] = []
        self.ended = False

    def write(self, data: bytes) -> None:
        for piece in data.splitlines(keepends=True) if b"\r" not in data else _by_newline(data):
            if self.lines and not self.lines[-1][1].endswith(b"\n"):
                stamp, before = self.lines[-1]
                self.lines[-1] = (stamp, before + piece)
            else:
                self.lines.append((now(nanoseconds=True), piece))


def _by_newline(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


class Store:
    """All objects. Every method may be called from any thread; `changed` is notified of every change."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.version = 100
        self.compacted = 0
        self.history: list[Change] = []
        self.logs: dict[tuple[str, str, str], ContainerLog] = {}
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._uid = 0
        self.kind_by_plural = {kind.plural: kind for kind in KINDS}

    def create(self, kind: Kind, namespace: str, made: Object) -> Object:
        made = copy.deepcopy(made)
        metadata = made.setdefault("metadata", {})
        with self.changed:
            name = metadata.get("name")
            if not name:
                if not metadata.get("generateName"):
                    raise Refusal(422, "Invalid", f"{kind.kind} is invalid: name or generateName is required")
                name = metadata["generateName"][:58] + "".join(
                    _DICE.choices(string.ascii_lowercase + string.digits, k=5)
                )
            if (kind.plural, namespace, name) in self._objects:
                raise Refusal(409, "AlreadyExists", f'{kind.plural}.{kind.group} "{name}" already exists')
            metadata |= {
                "name": name,
                "uid": self.new_uid(),
                "creationTimestamp": now(),
                "generation": 1,
            }
            if kind.namespaced:
                metadata["namespace"] = namespace
            made |= {"apiVersion": kind.api_version, "kind": kind.kind}
            return self._keep("ADDED", kind, namespace, made)

    def new_uid(self) -> str:
        with self.changed:
            self._uid += 1
            return f"00000000-0000-4000-8000-{self._uid:012}"

    def put(self, kind: Kind, namespace: str, made: Object) -> Object:
        """Keep an object as it is, new or not; one that only waited for its finalizers goes."""
        with self.changed:
            made = copy.deepcopy(made)
            metadata = made["metadata"]
            is_new = (kind.plural, namespace, metadata["name"]) not in self._objects
            kept = self._keep("ADDED" if is_new else "MODIFIED", kind, namespace, made)
            if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
                self.delete(kind, namespace, metadata["name"])
            return kept

    def dependents(self, uid: str) -> list[tuple[Kind, str, str]]:
        """Return kind, namespace and name of all objects that an object owns."""
        with self.changed:
            return [
                (self.kind_by_plural[plural], namespace, name)
                for (plural, namespace, name), found in self._objects.items()
                if any(one.get("uid") == uid for one in found["metadata"].get("ownerReferences") or ())
            ]

    def within(self, namespace: str) -> list[tuple[Kind, str, str]]:
        """Return kind, namespace and name of all objects of a namespace."""
        with self.changed:
            return [
                (self.kind_by_plural[plural], its, name)
                for plural, its, name in self._objects
                if its == namespace
            ]

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        with self.changed:
            found = self._objects.get((kind.plural, namespace, name))
            if found is None:
                resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
                raise Refusal(404, "NotFound", f'{resource} "{name}" not found')
            return copy.deepcopy(found)

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return an object, None where there is none."""
        with self.changed:
            found = self._objects.get((kind.plural, namespace if kind.namespaced else "", name))
            return copy.deepcopy(found)

    def list(self, kind: Kind, namespace: str = "") -> list[Object]:
        with self.changed:
            return [
                copy.deepcopy(found)
                for (plural, its, _), found in sorted(self._objects.items())
                if plural == kind.plural and namespace in ("", its)
            ]

    def replace(self, kind: Kind, namespace: str, name: str, made: Object) -> Object:
        """Replace an object; refuses one that is made of an older version."""
        with self.changed:
            before = self.get(kind, namespace, name)
            given = made.get("metadata", {}).get("resourceVersion")
            if given and given != before["metadata"]["resourceVersion"]:
                raise Refusal(
                    409, "Conflict", f'Operation cannot be fulfilled on {kind.plural} "{name}": the object has '
                    "been modified; please apply your changes to the latest version and try again")  # fmt: skip
            made = copy.deepcopy(made)
            for field in ("name", "namespace", "uid", "creationTimestamp"):
                if field in before["metadata"]:
                    made.setdefault("metadata", {})[field] = before["metadata"][field]
            return self._keep("MODIFIED", kind, namespace, made)

    def change(self, kind: Kind, namespace: str, name: str, how: Callable[[Object], None]) -> Object:
        """Change an object in place, whatever its version."""
        with self.changed:
            found = self.get(kind, namespace, name)
            how(found)
            return self._keep("MODIFIED", kind, namespace, found)

    def delete(self, kind: Kind, namespace: str, name: str) -> Object:
        with self.changed:
            found = self.get(kind, namespace, name)
            del self._objects[kind.plural, namespace, name]
            self.version += 1
            found["metadata"]["resourceVersion"] = str(self.version)
            self.history.append(Change(self.version, "DELETED", kind, found))
            if kind.plural == "pods":
                for key, log in self.logs.items():
                    log.ended = log.ended or key[:2] == (namespace, name)
            self.changed.notify_all()
            return found

    def compact(self) -> None:
        """Forget the history, as a cluster does after some minutes: older versions are gone."""
        with self.changed:
            self.version += 1
            self.compacted = self.version
            self.history.clear()
            self.changed.notify_all()

    def since(self, kind: Kind, namespace: str, version: int) -> list[Change]:
        with self.changed:
            return [
                change
                for change in self.history
                if change.version > version
                and change.kind == kind
                and namespace in ("", change.object["metadata"].get("namespace", ""))
            ]

    def log(self, namespace: str, pod: str, container: str, data: bytes = b"", *, end: bool = False) -> None:
        """Append to the log of a container."""
        with self.changed:
            log = self.logs.setdefault((namespace, pod, container), ContainerLog())
            log.write(data)
            log.ended = log.ended or end
            self.changed.notify_all()

    def log_lines(
        self, key: tuple[str, str, str], at: tuple[int, int], patience: float
    ) -> tuple[list[tuple[str, bytes, bool]], tuple[int, int], bool]:
        """Return what a log has behind `at` (line, byte), as (time, bytes, whether a line begins), and whether it ended."""
        with self.changed:
            log = self.logs.get(key) or ContainerLog()
            if not _behind(log, at) and not log.ended:
                self.changed.wait(patience)
            found = list(_pieces(log, at))
            if log.lines:
                at = (len(log.lines) - 1, len(log.lines[-1][1]))
            return found, at, log.ended

    def _keep(self, type_: str, kind: Kind, namespace: str, made: Object) -> Object:
        self.version += 1
        made["metadata"]["resourceVersion"] = str(self.version)
        self._objects[kind.plural, namespace, made["metadata"]["name"]] = made
        self.history.append(Change(self.version, type_, kind, copy.deepcopy(made)))
        self.changed.notify_all()
        return copy.deepcopy(made)


def _behind(log: ContainerLog, at: tuple[int, int]) -> bool:
    line, byte = at
    return len(log.lines) > line + 1 or (len(log.lines) == line + 1 and len(log.lines[line][1]) > byte)


def _pieces(log: ContainerLog, at: tuple[int, int]) -> Iterator[tuple[str, bytes, bool]]:
    line, byte = at
    for number, (stamp, data) in enumerate(log.lines[line:], line):
        start = byte if number == line else 0
        if data[start:]:
            yield stamp, data[start:], start == 0


def now(*, nanoseconds: bool = False) -> str:
    """Return the time as Kubernetes writes it."""
    ns = time.time_ns()
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9))
    return f"{text}.{ns % 10**9:09}Z" if nanoseconds else f"{text}Z"
