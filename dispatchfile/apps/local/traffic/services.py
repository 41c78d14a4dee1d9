"""Services and Ingresses on the engine: a proxy before the pods of each Service, and one that sorts requests by Ingress.

All proxies follow from what was applied and from the pods that are ready (wiring.py). Whatever changes, each is made to
do what follows now, and left alone when it does so already; see proxy.py for how no connection is lost.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dispatchfile.apps.local.labels import engine_name, object_of
from dispatchfile.apps.local.traffic import ingress, proxy, service, telling, wiring
from dispatchfile.apps.local.traffic.kept import Kept
from dispatchfile.apps.local.traffic.publish import Wish
from dispatchfile.apps.local.traffic.upkeep import Maker, Want
from dispatchfile.apps.status import Result
from dispatchfile.errors import DispatchfileError, EnvironmentProblem, UsageError
from dispatchfile.run.connect import Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeVar

    from docker import APIClient

    from dispatchfile.apps.app import App
    from dispatchfile.apps.local.pods import Pod
    from dispatchfile.apps.local.traffic import Say
    from dispatchfile.apps.local.traffic.ingress import Ingress
    from dispatchfile.apps.local.traffic.service import Service
    from dispatchfile.apps.manifest import Key, Manifest
    from dispatchfile.apps.status import Resource

    Kind = TypeVar("Kind")

KINDS = ("Service", "Ingress")
INGRESS_OBJECT = "Ingress//"
"""The label OBJECT of the proxy that all Ingresses of an application share."""
WORKERS = 4
_POLL_S = (0.1, 0.2, 0.4, 0.8)


class Services:
    """Keeps traffic.Traffic. `folder` is where it remembers what it did; `image` names another one for the proxies."""

    def __init__(
        self, client: APIClient, app: App, wanted: Sequence[Manifest], folder: Path, image: str = ""
    ) -> None:
        self._app = app
        self._wanted = [manifest for manifest in wanted if manifest.key.kind in KINDS]
        self._client = client
        self._kept = Kept(folder)
        self._maker = Maker(client, app.name, self._kept, image)
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def aliases(self, namespace: str, pod: str, labels: Mapping[str, str], subdomain: str) -> Sequence[str]:
        """Return the names that a new pod has on the application's network: those of headless Services."""
        names: dict[str, None] = {}
        for found in _read(service.read, (one for one in self._wanted if one.key.kind == "Service")):
            if (
                found.headless
                and found.key.namespace == namespace
                and service.selects(found.selector, labels)
            ):
                names.update(dict.fromkeys(self._names(found)))
                if subdomain == found.key.name:
                    names.update(dict.fromkeys(f"{pod}.{name}" for name in found.names))
        return tuple(names)

    def observe(self, pods: Sequence[Pod]) -> Sequence[Resource]:
        """Return how each wanted Service and Ingress stands, and then what is there of them and not wanted."""
        listed = self._maker.listed()
        services = _read(service.read, (one for one in self._wanted if one.key.kind == "Service"))
        found = _read(ingress.read, (one for one in self._wanted if one.key.kind == "Ingress"))
        common = self._want_ingresses(found, services, ()) if found else None
        resources = []
        for manifest in self._wanted:
            applied = self._kept.manifest(manifest.key)
            try:
                if manifest.key.kind == "Service":
                    one = service.read(manifest)
                    want = self._want_service(one, ()) if one.needs_proxy else None
                    item = listed.get(want.name) if want else None
                    said = telling.of_service(one, pods, item)
                else:
                    want, item = common, listed.get(self._ingress_name)
                    said = telling.of_ingress(ingress.read(manifest), _finder(services), item)
            except UsageError as error:
                resources.append(telling.refused(manifest, applied, error))
                continue
            resources.append(telling.resource(manifest, applied, want, item, said))
        return [*resources, *telling.unwanted(self._wanted, self._kept, listed)]

    def apply(self, chosen: Sequence[Manifest], pods: Sequence[Pod], say: Say) -> Sequence[Result]:
        """Bring Services and Ingresses about; `pods` are all there are, those that are ready get requests."""
        results: dict[Key, Result] = {}
        for manifest in chosen:
            try:
                service.read(manifest) if manifest.key.kind == "Service" else ingress.read(manifest)
            except UsageError as error:
                results[manifest.key] = Result(manifest.key, "SyncFailed", error.message)
        good = [manifest for manifest in chosen if manifest.key not in results]
        with self._kept.together():
            self._kept.only(pod for pod in pods if pod.ready)
            for manifest in good:
                self._kept.apply(manifest)
        failures = self._bring_all(say)
        for manifest in good:
            label = object_of(manifest.key) if manifest.key.kind == "Service" else INGRESS_OBJECT
            failure = failures.get(label, "")
            results[manifest.key] = Result(manifest.key, "SyncFailed" if failure else "Synced", failure)
        return [results[manifest.key] for manifest in chosen]

    def admit(self, pod: Pod) -> None:
        """Let a pod that became ready, or has another address now, get requests; may be called again."""
        self._kept.admit(pod)
        for name in self._proxies_of(pod):
            self._order(name)

    def retire(self, pod: Pod, grace: float) -> None:
        """Send a pod no new requests; return when it has no connection left, or after `grace` seconds."""
        deadline = time.monotonic() + grace
        host, left = pod.container[:12], {}
        self._kept.retire(pod.container)
        for name in self._proxies_of(pod):
            with self._alone(name):
                left[name] = self._maker.places(name, host)
                self._maker.leave(name, left[name])
            self._order(name)
        for name, places in left.items():
            pauses = iter(_POLL_S)
            while places and proxy.connections(self._client, name, places):
                rest = deadline - time.monotonic()
                if rest <= 0:
                    break
                time.sleep(min(rest, next(pauses, _POLL_S[-1])))
            self._maker.freed(name, places)

    def prune(self, gone: Sequence[Resource], say: Say) -> Sequence[Result]:
        """Remove Services and Ingresses that are not wanted any more."""
        results = []
        for resource in gone:
            try:
                self._kept.forget(resource.key)
                if resource.key.kind == "Service":
                    self._maker.remove(self._service_name(resource.key))
                elif not self._kept.applied("Ingress"):
                    self._maker.remove(self._ingress_name)
            except Unanswered:
                raise
            except DispatchfileError as error:
                results.append(Result(resource.key, "SyncFailed", error.message))
                continue
            say(f"removed {resource.key}")
            results.append(Result(resource.key, "Pruned"))
        if self._kept.applied("Ingress"):
            self._order(self._ingress_name)
        return results

    def delete(self) -> None:
        """Remove all Services and Ingresses of the application."""
        for name in self._maker.listed():
            self._maker.remove(name)
        self._kept.clear()

    def urls(self) -> Sequence[str]:
        """Return the addresses at which the application answers from this machine."""
        listed = self._maker.listed()
        found: list[str] = []
        for one in _read(ingress.read, self._kept.applied("Ingress")):
            found += telling.urls_of_ingress(one, listed.get(self._ingress_name))
        for each in self._applied_services():
            found += telling.urls_of_service(each, listed.get(self._service_name(each.key)))
        return list(dict.fromkeys(found))

    def _bring_all(self, say: Say) -> dict[str, str]:
        """Bring all proxies about; return what failed, by the label of the object."""
        listed = self._maker.listed()
        wanted = self._names_wanted()
        failures: dict[str, str] = {}

        def bring(name: str) -> None:
            with self._alone(name):
                want = self._want(name)
                if want is None:
                    return
                try:
                    if self._maker.bring(want, listed.get(name)):
                        say(telling.told(want, self._kept.published(name)))
                except Unanswered:
                    raise
                except DispatchfileError as error:
                    failures[want.object] = f"{error.message}; {error.help}" if error.help else error.message

        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(bring, wanted))
        for name in listed.keys() - wanted.keys():
            self._maker.remove(name)
        return failures

    def _order(self, name: str) -> None:
        """Let a proxy know of pods that came or went."""
        with self._alone(name):
            want = self._want(name)
            if want is None or self._kept.given(name) == want.orders:
                return
            try:
                self._maker.order(want)
            except EnvironmentProblem:
                # It was removed or stopped by hand: `observe` tells, and the next sync makes it anew, with all pods.
                self._kept.give(name, None)

    def _names_wanted(self) -> dict[str, str]:
        """Return the proxies that are to be, by name, with the label of their object."""
        services = [one for one in self._applied_services() if one.needs_proxy]
        wanted = {self._service_name(one.key): object_of(one.key) for one in services}
        if _read(ingress.read, self._kept.applied("Ingress")):
            wanted[self._ingress_name] = INGRESS_OBJECT
        return wanted

    def _want(self, name: str) -> Want | None:
        """Return a proxy as it follows from what was applied and from the pods that are ready; None: it is not to be."""
        pods = self._kept.pods()
        if name == self._ingress_name:
            found = _read(ingress.read, self._kept.applied("Ingress"))
            return self._want_ingresses(found, self._applied_services(), pods) if found else None
        mine = (one for one in self._kept.applied("Service") if self._service_name(one.key) == name)
        return next(
            (self._want_service(one, pods) for one in _read(service.read, mine) if one.needs_proxy), None
        )

    def _want_service(self, one: Service, pods: Sequence[Pod]) -> Want:
        config, wishes = wiring.of_service(one, pods), wiring.wishes_of(one)
        return Want(self._service_name(one.key), object_of(one.key), config, self._names(one), wishes)

    def _want_ingresses(
        self, found: Sequence[Ingress], services: Sequence[Service], pods: Sequence[Pod]
    ) -> Want:
        config = wiring.of_ingresses(found, _finder(services), pods)
        wishes = (Wish(80, first=wiring.INGRESS_PORT),)
        return Want(self._ingress_name, INGRESS_OBJECT, config, (wiring.INGRESS_HOST,), wishes)

    def _proxies_of(self, pod: Pod) -> list[str]:
        """Return the names of the proxies that send requests to a pod."""
        services = [one for one in self._applied_services() if one.selects(pod)]
        names = [self._service_name(one.key) for one in services if one.needs_proxy]
        behind = {(one.key.namespace, one.key.name) for one in services}
        if any(
            (one.key.namespace, target.service) in behind
            for one in _read(ingress.read, self._kept.applied("Ingress"))
            for target in one.targets
        ):
            names.append(self._ingress_name)
        return names

    def _names(self, one: Service) -> tuple[str, ...]:
        """Return the names of a Service; the shortest is nobody's when two namespaces have it."""
        key = one.key
        named = [*self._wanted, *self._kept.applied("Service")]
        shared = any(
            other.key.kind == "Service"
            and other.key.name == key.name
            and other.key.namespace != key.namespace
            for other in named
        )
        return one.names[1:] if shared else one.names

    def _applied_services(self) -> list[Service]:
        return _read(service.read, self._kept.applied("Service"))

    def _service_name(self, key: Key) -> str:
        # No name of Kubernetes has a capital letter: this is no pod's.
        return engine_name(self._app.name, key.namespace, key.name) + "_Service"

    @property
    def _ingress_name(self) -> str:
        return f"{self._app.name}_Ingress"

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            yield


def _read(read: Callable[[Manifest], Kind], manifests: Iterable[Manifest]) -> list[Kind]:
    """Return what can be read; what cannot was refused when it was to be applied."""
    found = []
    for manifest in manifests:
        with suppress(UsageError):
            found.append(read(manifest))
    return found


def _finder(services: Iterable[Service]) -> wiring.Find:
    known = {(one.key.namespace, one.key.name): one for one in services}
    return lambda namespace, name: known.get((namespace, name))
