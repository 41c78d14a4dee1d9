"""A workload as it is to be: what its pods are made of, how many there are, and how each is drawn."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local import template as templates
from dispatchfile.apps.local.blueprint import Draft, blueprint, pull_secrets
from dispatchfile.apps.local.container import may_not_be_root
from dispatchfile.apps.local.images import logins
from dispatchfile.apps.local.objects import MOST_PODS, as_text, items, mapping, number
from dispatchfile.errors import UsageError
from dispatchfile.record import Record, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.local.applied import Applied
    from dispatchfile.apps.local.blueprint import Blueprint
    from dispatchfile.apps.local.looked import Looked
    from dispatchfile.apps.local.machine import Machine
    from dispatchfile.apps.local.objects import Objects
    from dispatchfile.apps.local.snapshot import Found
    from dispatchfile.apps.local.template import Template
    from dispatchfile.apps.local.traffic import Traffic
    from dispatchfile.apps.manifest import Key, Manifest

PROGRESS_DEADLINE = 600
"""Seconds that a new pod has to become ready (Kubernetes apps/v1 Deployment)."""
_QUARTER = "25%"


class Site(Record, eq=False):
    """What one call of the engine works with. `stop` is set when its work is to end early.

    `waits` is why pods that begin are not ready yet, by their names.
    """

    app: App
    objects: Objects
    machine: Machine
    traffic: Traffic
    applied: Applied
    looked: Looked
    say: Callable[[str], None]
    stop: threading.Event
    waits: dict[str, str]


class Workload(Record):
    """A workload as it is to be. `suspended` is one that is not to change for now, or not to run."""

    key: Key
    spec: Mapping[str, Any]
    template: Template
    draft: Draft
    site: Site
    count: int
    suspended: bool

    @property
    def where(self) -> str:
        """Return what messages call it."""
        return str(self.key)

    def draw(self, name: str, address: str = "") -> Blueprint:
        """Return one of its pods. Raises UsageError."""
        draft = self.draft
        if self.key.kind == "StatefulSet":
            index = {
                "statefulset.kubernetes.io/pod-name": name,
                "apps.kubernetes.io/pod-index": name.rpartition("-")[2],
            }
            claims = _claims(self.spec, name, self.where)
            draft = replace(draft, claims=claims, labels=index, hostname=name)
        host = draft.hostname or as_text(self.template.spec.get("hostname")) or name
        subdomain = _subdomain(self.template.spec, self.spec, self.key.kind)
        found = _aliases(self.site, self.key, {**self.template.labels, **draft.labels}, host, subdomain)
        return blueprint(replace(draft, aliases=tuple(sorted({name, *found}))), self.template, name, address)

    def example(self) -> Blueprint:
        """Return a pod as it would be drawn, to see what all of them have."""
        return self.draw(self.names()[0])

    def notes(self) -> str:
        """Return what is asked for and not honoured, as a message. Raises UsageError for what cannot be run."""
        looked = self.site.looked
        found = looked.notes(self.template.digest)
        if found is None:
            found = list(self.example().notes)
            looked.note(self.template.digest, found)
        return "; ".join(found)

    def names(self) -> list[str]:
        """Return the names of the first pods; a rolling replacement goes on where these are taken."""
        if self.key.kind == "Pod":
            return [self.key.name]
        if self.key.kind == "StatefulSet":
            first = number(mapping(self.spec, "ordinals", self.where), "start", 0, self.where)
            return [f"{self.key.name}-{first + at}" for at in range(max(1, self.count))]
        return [f"{self.key.name}-{self.template.digest}-{at}" for at in range(max(1, self.count))]

    def name_beside(self, taken: set[str]) -> str:
        """Return the first name that no pod has."""
        at = 0
        while (name := f"{self.key.name}-{self.template.digest}-{at}") in taken:
            at += 1
        return name

    def fits(self, pod: Found) -> bool:
        """Return whether a pod was made of what is wanted now."""
        return pod.whole and pod.digest == self.template.digest

    def stays(self, pod: Found) -> bool:
        """Return whether a pod of an earlier make is not to be replaced: somebody removes it, or lowers the partition."""
        if self.key.kind not in ("StatefulSet", "DaemonSet") or not pod.whole or self.fits(pod):
            return False
        strategy = mapping(self.spec, "updateStrategy", self.where)
        if strategy.get("type") == "OnDelete":
            return True
        rolling = mapping(strategy, "rollingUpdate", self.where)
        return self.key.kind == "StatefulSet" and ordinal(pod.name) < number(
            rolling, "partition", 0, self.where
        )

    def bring_images(self) -> None:
        """Make the images of its pods usable. Raises EnvironmentProblem and UsageError."""
        namespace, spec = self.key.namespace, self.template.spec
        known = logins(self.site.objects, namespace, pull_secrets(spec, self.where))
        for part in self.example().parts:
            policy = as_text(part.given.get("imagePullPolicy"))
            image = part.config["Image"]
            self.site.machine.images.ensure(image, policy, known)
            if may_not_be_root(part.given, spec, self.where) and self.site.machine.images.is_root(image):
                raise UsageError(
                    f"{self.where}: runAsNonRoot is true, and the image {image} runs as root",
                    help="say runAsUser, or give the image a USER",
                )


def workload(site: Site, manifest: Manifest) -> Workload:
    """Return what a manifest wants. Raises UsageError for what cannot be run."""
    key, where = manifest.key, str(manifest.key)
    spec = manifest.object.get("spec")
    if not isinstance(spec, dict):
        raise UsageError(f"{where}: it has no spec")
    metadata = mapping(templates.pod_template(manifest), "metadata", where)
    labels = {name: as_text(value) for name, value in mapping(metadata, "labels", where).items()}
    pod = mapping(templates.pod_template(manifest), "spec", where)
    aliases = _aliases(site, key, labels, "pod", _subdomain(pod, spec, key.kind))
    made_of = templates.template(manifest, site.objects, sorted(aliases))
    if problem := templates.selector_problem(manifest, made_of.labels):
        raise UsageError(problem)
    draft = Draft(site.app, site.objects, _restart(key.kind, made_of.spec, spec, where))
    suspended = spec.get("paused") is True or (key.kind in ("Job", "CronJob") and spec.get("suspend") is True)
    return Workload(key, spec, made_of, draft, site, _count(key.kind, spec, where), suspended)


def ordinal(name: str) -> int:
    """Return the number of a StatefulSet's pod, -1 for another pod."""
    last = name.rpartition("-")[2]
    return int(last) if last.isdecimal() else -1


def share(value: Any, of: int, *, up: bool, where: str) -> int:
    """Return a number, or a percentage of one rounded up or down (Kubernetes IntOrString). Raises UsageError."""
    text = str(value)
    if text.endswith("%") and text[:-1].isdecimal():
        parts = int(text[:-1]) * of
        return -(-parts // 100) if up else parts // 100
    if isinstance(value, bool) or not text.isdecimal():
        raise UsageError(f'{where}: "{value}" is no number and no percentage')
    return int(text)


def room(wanted: Workload) -> tuple[int, int]:
    """Return how many pods may be there beyond the wanted, and how many may be missing, while pods are replaced."""
    where = wanted.where
    kind = wanted.key.kind
    strategy = mapping(wanted.spec, "updateStrategy" if kind == "DaemonSet" else "strategy", where)
    rolling = mapping(strategy, "rollingUpdate", where)
    one_by_one = kind == "DaemonSet"
    surge = share(rolling.get("maxSurge", 0 if one_by_one else _QUARTER), wanted.count, up=True, where=where)
    missing = share(
        rolling.get("maxUnavailable", 1 if one_by_one else _QUARTER), wanted.count, up=False, where=where
    )
    if strategy.get("type") == "Recreate":
        return 0, wanted.count
    if any(part.config["HostConfig"].get("PortBindings") for part in wanted.example().parts):
        surge = 0  # a port of this machine is given once
    return (surge, missing) if surge or missing else (0, 1)


def progress_deadline(wanted: Workload) -> float:
    """Return the seconds that a new pod has to become ready."""
    return float(number(wanted.spec, "progressDeadlineSeconds", PROGRESS_DEADLINE, wanted.where))


def _count(kind: str, spec: Mapping[str, Any], where: str) -> int:
    if kind not in ("Deployment", "ReplicaSet", "StatefulSet"):
        return 1
    return number(spec, "replicas", 1, where, MOST_PODS)


def _restart(kind: str, pod: Mapping[str, Any], spec: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the engine's word for restartPolicy. A container comes back with the engine unless it has ended for good."""
    policy = as_text(pod.get("restartPolicy")) or "Always"
    if kind == "CronJob":
        spec = mapping(mapping(spec, "jobTemplate", where), "spec", where)
    if kind in ("Job", "CronJob"):
        if policy not in ("Never", "OnFailure"):
            raise UsageError(f"{where}: the restartPolicy of a Job is Never or OnFailure")
        tries = number(spec, "backoffLimit", 6, where)
        # The engine takes no tries to mean any number of them.
        again = policy == "OnFailure" and tries
        return {"Name": "on-failure", "MaximumRetryCount": tries} if again else {"Name": "no"}
    if kind != "Pod" and policy != "Always":
        raise UsageError(f"{where}: the restartPolicy of its pods is Always")
    words = {"Always": "always", "OnFailure": "on-failure", "Never": "no"}
    if policy not in words:
        raise UsageError(f'{where}: "{policy}" is no restartPolicy')
    return {"Name": words[policy]}


def _claims(spec: Mapping[str, Any], pod: str, where: str) -> dict[str, str]:
    names = [
        as_text(mapping(one, "metadata", where).get("name"))
        for one in items(spec, "volumeClaimTemplates", where)
    ]
    return {name: f"{name}-{pod}" for name in names}


def _subdomain(pod: Mapping[str, Any], spec: Mapping[str, Any], kind: str) -> str:
    return as_text(spec.get("serviceName") if kind == "StatefulSet" else pod.get("subdomain"))


def _aliases(site: Site, key: Key, labels: Mapping[str, str], host: str, subdomain: str) -> Sequence[str]:
    if not site.objects.has_headless(key.namespace):
        return ()
    return site.traffic.aliases(key.namespace, host, labels, subdomain)
