"""The engine `local`: an application's objects as containers, volumes and a network of a Docker engine.

Objects of one call are brought about side by side, as on a cluster: one may wait for another. Nothing is remembered
that the labels of what there is do not tell, but the manifests themselves (applied.py), and what is counted between
two calls (tending.py).
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from dispatchfile.apps.diff import hidden
from dispatchfile.apps.local import health, jobs, plain, rollout, schedules
from dispatchfile.apps.local.applied import Applied
from dispatchfile.apps.local.labels import APP, network_name
from dispatchfile.apps.local.looked import Looked
from dispatchfile.apps.local.machine import Machine
from dispatchfile.apps.local.objects import Objects
from dispatchfile.apps.local.readiness import has_probe, is_ready
from dispatchfile.apps.local.snapshot import take
from dispatchfile.apps.local.template import WORKLOADS
from dispatchfile.apps.local.traffic.services import KINDS as NETWORK_KINDS
from dispatchfile.apps.local.traffic.services import Services
from dispatchfile.apps.local.workload import Site, workload
from dispatchfile.apps.manifest import Key
from dispatchfile.apps.status import Resource, Result
from dispatchfile.errors import DispatchfileError, UsageError
from dispatchfile.record import replace
from dispatchfile.run.connect import Unanswered, asking, connect
from dispatchfile.run.sweep import discard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from docker import APIClient

    from dispatchfile.apps.app import App
    from dispatchfile.apps.local.pods import Pod
    from dispatchfile.apps.local.snapshot import Found, Snapshot
    from dispatchfile.apps.manifest import Manifest

    Say = Callable[[str], None]

LOOKS = 8
"""Containers that are looked at at one time."""
_SILENCE = 10.0
"""Seconds after which it is told what is waited for; again when that is something else."""


class LocalEngine:
    """Keeps apps/engine.Engine. `folder` is the application's own, for what the engine remembers between calls."""

    def __init__(self, folder: Path, *, docker_host: str = "", proxy_image: str = "") -> None:
        self._folder = folder
        self._proxy_image = proxy_image
        self._client: APIClient = connect(docker_host)

    @asking("look at the application")
    def observe(self, app: App, wanted: Sequence[Manifest]) -> Sequence[Resource]:
        """Return how each wanted object stands, in their order, and then what is there of `app` and not wanted."""
        site = self._site(app, wanted, _nothing)
        site.looked.begin()
        seen = take(self._client, app.name)
        details = self._details(site, seen)
        pods = [pod.pod(ready=not details.unready.get(pod.owner.id)) for pod in seen.pods]
        found = {one.key: one for one in site.traffic.observe(pods)}
        claims = plain.claims(site, wanted)
        resources = []
        for manifest in wanted:
            kind = manifest.key.kind
            if kind in WORKLOADS and manifest.key.group in ("", "apps", "batch"):
                resources.append(health.stands(site, manifest, seen.of(manifest.key), details))
            elif manifest.key in found:
                resources.append(found.pop(manifest.key))
            else:
                resources.append(plain.stands(site, manifest, claims))
        resources += found.values()
        site.looked.save(seen)
        return [_shown(one) for one in (*resources, *self._unwanted(site, wanted, seen))]

    @asking("bring the application about")
    def apply(
        self,
        app: App,
        wanted: Sequence[Manifest],
        chosen: Sequence[Manifest],
        say: Say,
        until: float = float("inf"),
    ) -> Sequence[Result]:
        """Bring `chosen` about, side by side; return what was done with each, in their order."""
        site = self._site(app, wanted, say)
        if any(manifest.key.kind in (*WORKLOADS, *NETWORK_KINDS) for manifest in chosen):
            site.machine.network()
        site.looked.begin()
        seen = take(self._client, app.name)
        site.machine.in_use(seen.volumes_in_use)
        for left in seen.fillers:
            site.machine.remove_stray(left)
        results: dict[Key, Result] = {}
        try:
            for manifest in chosen:
                if manifest.key.kind not in (*WORKLOADS, *NETWORK_KINDS):
                    results[manifest.key] = plain.apply(site, manifest)
            network = [one for one in chosen if one.key.kind in NETWORK_KINDS]
            if network:
                pods = self._pods(seen)
                results.update((one.key, one) for one in site.traffic.apply(network, pods, say))
            loads = []
            for one in chosen:
                if one.key.kind not in WORKLOADS:
                    continue
                if _is_as_wanted(site, one, seen.of(one.key)):
                    results[one.key] = Result(one.key, "Synced")
                else:
                    loads.append(one)
            with ThreadPoolExecutor(max(1, len(loads)), thread_name_prefix="workload") as workers:
                try:
                    doing = {workers.submit(self._bring_about, site, one, seen.of(one.key)) for one in loads}
                    results.update((one.key, one) for one in _followed(site, doing, until))
                except BaseException:
                    site.stop.set()
                    raise
            if loads:
                site.machine.tidy(plain.is_claim)
        finally:
            site.applied.save()
        return [results[manifest.key] for manifest in chosen]

    @asking("remove what is not wanted any more")
    def prune(self, app: App, gone: Sequence[Resource], say: Say) -> Sequence[Result]:
        """Remove objects that are not wanted any more; what claims hold stays."""
        site = self._site(app, (), say)
        seen = take(self._client, app.name)
        network = [one for one in gone if one.key.kind in NETWORK_KINDS]
        results = {one.key: one for one in site.traffic.prune(network, say)} if network else {}
        for resource in gone:
            if resource.key not in results:
                results[resource.key] = self._prune(site, resource.key, seen)
        site.machine.tidy(plain.is_claim)
        site.applied.save()
        return [results[resource.key] for resource in gone]

    @asking("tend the application")
    def tend(self, app: App, wanted: Sequence[Manifest], say: Say) -> float:
        """Run what is due: probes, CronJobs, Jobs that go on; return the seconds until the next is due."""
        from dispatchfile.apps.local.tending import tend

        site = self._site(app, wanted, say)
        try:
            return tend(site, wanted, take(self._client, app.name), self._folder)
        finally:
            site.applied.save()

    def delete(self, app: App, say: Say, *, data: bool) -> None:
        """Remove all that is there of `app`; the volumes of claims only with `data`."""
        site = self._site(app, (), say)
        site.traffic.delete()
        only = {"label": f"{APP}={app.name}"}
        with asking(f"remove what is there of {app.name}"):
            containers = self._client.containers(all=True, filters=only)
            with ThreadPoolExecutor(LOOKS) as workers:
                list(workers.map(self._discard_container, [item["Id"] for item in containers]))
            for volume in self._client.volumes(filters=only).get("Volumes") or []:
                if data or not plain.is_claim(volume):
                    discard(self._client.remove_volume, volume["Name"], force=True)
            for network in self._client.networks(names=[network_name(app.name)], filters=only):
                discard(self._client.remove_network, network["Id"])
        site.applied.clear()

    def urls(self, app: App) -> Sequence[str]:
        """Return the addresses at which the application answers from this machine."""
        return self._site(app, (), _nothing).traffic.urls()

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    # --- within ---

    def _site(self, app: App, wanted: Sequence[Manifest], say: Say) -> Site:
        traffic = Services(self._client, app, wanted, self._folder, self._proxy_image)
        machine = Machine(self._client, app)
        looked = Looked(self._client, self._folder, app)
        return Site(
            app, Objects(wanted), machine, traffic, Applied(self._folder), looked, say, threading.Event(), {}
        )

    def _discard_container(self, container: str) -> None:
        discard(self._client.remove_container, container, force=True, v=True)

    def _bring_about(self, site: Site, manifest: Manifest, pods: Sequence[Found]) -> Result:
        try:
            problem = _bring_about(site, manifest, pods)
        except Unanswered:
            raise
        except DispatchfileError as error:
            problem = f"{error.message}; {error.help}" if error.help else error.message
        if problem:
            return Result(manifest.key, "SyncFailed", problem)
        site.applied.put(manifest.key, manifest.object)
        return Result(manifest.key, "Synced")

    def _prune(self, site: Site, key: Key, seen: Snapshot) -> Result:
        try:
            stray = next((one for one in seen.strays if one.name == key.name), None)
            for pod in seen.of(key):
                if pod.running:
                    site.traffic.retire(pod.pod(ready=False), float(pod.grace))
                site.machine.stop(pod)
            if stray is not None and not seen.of(key):
                site.machine.remove_stray(stray)
            site.applied.forget(key)
        except Unanswered:
            raise
        except DispatchfileError as error:
            return Result(key, "SyncFailed", error.message)
        kept = "; its data is kept" if key.kind == "PersistentVolumeClaim" else ""
        site.say(f"{key}: removed{kept}")
        return Result(key, "Pruned", f"pruned{kept}")

    def _details(self, site: Site, seen: Snapshot) -> health.Details:
        """Ask the engine about every container, and every pod whether it is ready."""
        images = site.machine.images
        ids = [part.id for pod in seen.pods if not site.looked.is_clean(pod, images) for part in pod.parts]
        with ThreadPoolExecutor(LOOKS) as workers:
            containers = dict(zip(ids, workers.map(site.machine.inspect_if_there, ids), strict=True))
        return health.Details(
            {name: found for name, found in containers.items() if found}, self._unready(seen)
        )

    def _unready(self, seen: Snapshot) -> Mapping[str, str]:
        def ask(pod: Found) -> str:
            try:
                return is_ready(self._client, pod)
            except UsageError as error:
                return error.message

        probed = [pod for pod in seen.pods if has_probe(pod)]
        answers = {pod.owner.id: ask(pod) for pod in seen.pods if not has_probe(pod)}
        if probed:
            with ThreadPoolExecutor(LOOKS) as workers:
                found = workers.map(ask, probed)
                answers.update((pod.owner.id, one) for pod, one in zip(probed, found, strict=True))
        return answers

    def _pods(self, seen: Snapshot) -> list[Pod]:
        unready = self._unready(seen)
        return [pod.pod(ready=not unready[pod.owner.id]) for pod in seen.pods]

    def _unwanted(self, site: Site, wanted: Sequence[Manifest], seen: Snapshot) -> list[Resource]:
        keys = {manifest.key for manifest in wanted}
        found: dict[Key, list[Found]] = {}
        for pod in seen.pods:
            if pod.key not in keys:
                found.setdefault(pod.key, []).append(pod)
        resources = [health.unwanted(site, key, pods) for key, pods in found.items()]
        for key in site.applied.keys():  # noqa: SIM118 no mapping
            if key not in keys and key not in found and key.kind not in NETWORK_KINDS:
                resources.append(plain.unwanted(site, key))
        return resources + [_stray(site.app, one.name, one.image) for one in seen.strays]


def _followed(site: Site, doing: set[Future[Result]], until: float) -> Iterator[Result]:
    """Yield what becomes of workloads, telling what fails while others go on, and what is waited for.

    At `until` (time.monotonic) those that are not done are ended.
    """
    told: dict[str, str] = {}
    while doing:
        left = until - time.monotonic()
        if left <= 0:
            site.stop.set()
        done, doing = wait(doing, min(left, _SILENCE) if left > 0 else None, return_when=FIRST_COMPLETED)
        for one in done:
            result = one.result()
            if result.message and doing:
                site.say(f"{result.key}: failed: {result.message.splitlines()[0]}")
            yield result
        waits = dict(site.waits)
        if not done and waits != told and not site.stop.is_set():
            for pod, why in sorted(waits.items()):
                site.say(f"waiting for the pod {pod}: {why}")
            told = waits


def _is_as_wanted(site: Site, manifest: Manifest, pods: Sequence[Found]) -> bool:
    """Return whether a workload was brought about, and nothing was done to its pods since they were looked at last."""
    if manifest.key.kind in ("Job", "CronJob") or site.applied.get(manifest.key) != manifest.object:
        return False
    try:
        wanted = workload(site, manifest)
    except UsageError:
        return False  # it is told when it is tried
    images = site.machine.images
    return len(pods) == wanted.count and all(
        wanted.fits(pod) and site.looked.is_clean(pod, images) for pod in pods
    )


def _bring_about(site: Site, manifest: Manifest, pods: Sequence[Found]) -> str:
    """Bring a workload about; return why it cannot be, "" when it is."""
    wanted = workload(site, manifest)
    kind = manifest.key.kind
    if kind == "CronJob":
        wanted.example()
        schedules.begun(wanted)
        return ""
    if wanted.suspended:
        if kind == "Job":
            rollout.drop(wanted, [pod for pod in pods if jobs.outcome(pod) is None])
        return ""
    wanted.bring_images()
    if kind == "Job":
        site.applied.put(manifest.key, manifest.object)  # it is there also when it fails
        return jobs.run(wanted, pods)
    found = rollout.sort(wanted, pods)
    for what in found.mended:
        site.say(f"{manifest.key}: {what}")
    same = not found.old and not found.mended and len(found.new) == len(pods) == wanted.count
    if same and site.applied.get(manifest.key) == manifest.object:
        return ""
    return (rollout.in_order if kind in ("StatefulSet", "Pod") else rollout.roll)(wanted, found)


def _stray(app: App, name: str, image: str) -> Resource:
    key = Key("", "Pod", app.namespace, name)
    live = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": app.namespace},
        "spec": {"containers": [{"name": name, "image": image}]},
    }
    message = "a container with this application's label that it did not make"
    return Resource(key, "OutOfSync", None, message, None, live)


def _shown(resource: Resource) -> Resource:
    if resource.key.kind != "Secret":
        return resource
    return replace(
        resource,
        wanted=resource.wanted and hidden(resource.wanted),
        live=resource.live and hidden(resource.live),
    )


def _nothing(_text: str) -> None:
    return
