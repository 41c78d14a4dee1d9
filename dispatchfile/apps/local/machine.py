"""What is done to pods on the engine: make, mend, stop. Whoever is killed here leaves what the next call recognizes.

A pod is whole when it has as many containers as each of them says, and all were begun. One that is not is removed and
made anew; nothing else remembers how far the making came.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.archive import archive
from dispatchfile.apps.local.blueprint import container_name
from dispatchfile.apps.local.images import PodImages
from dispatchfile.apps.local.labels import (
    APP,
    FILLER,
    INIT,
    OBJECT,
    PAUSE,
    POD,
    ROLE,
    network_name,
    object_of,
)
from dispatchfile.apps.local.owned import check_own, remove_own
from dispatchfile.apps.local.snapshot import snapshot
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.connect import asking, last_line
from dispatchfile.run.pause import PAUSE_IMAGE
from dispatchfile.run.sweep import discard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from docker import APIClient

    from dispatchfile.apps.app import App
    from dispatchfile.apps.local.blueprint import Blueprint, Part
    from dispatchfile.apps.local.snapshot import Found, Seen
    from dispatchfile.apps.local.volumes import Volume
    from dispatchfile.apps.manifest import Key

AT_ONCE = 6
"""Calls that change something at one time: more make the engine no faster."""
_PRISTINE = 0o755
_LOG_LINES = 5
_HOOK_S = 60.0
"""Seconds that postStart gets; a cluster would wait for as long as the pod may take."""


class Machine:
    """The engine for one application. Every method raises EnvironmentProblem for what the engine refuses."""

    def __init__(self, client: APIClient, app: App) -> None:
        self.client, self.app = client, app
        self.images = PodImages(client)
        self._gate = threading.BoundedSemaphore(AT_ONCE)
        self._filled: set[str] = set()
        self._volume_lock = threading.Lock()

    def network(self) -> None:
        """Make the application's network when it is not there."""
        import docker

        name = network_name(self.app.name)
        with asking("make the application's network"):
            try:
                check_own("network", name, self.client.inspect_network(name), self.app.name)
            except docker.errors.NotFound:
                self.client.create_network(
                    name, driver="bridge", labels={APP: self.app.name}, check_duplicate=True
                )

    def in_use(self, volumes: Iterable[str]) -> None:
        """Tell that pods mount volumes: what is mounted has been filled."""
        self._filled.update(volumes)

    # --- making ---

    def make(
        self, plan: Blueprint, again: Callable[[str], Blueprint], deadline: float, stopped: Callable[[], bool]
    ) -> None:
        """Make a pod and begin it; returns when its first containers have ended and its own are begun.

        `again` draws it anew once its address is known. `deadline` (time.monotonic) ends the wait for the first ones.
        """
        self.fill(plan.volumes)
        network = f"container:{self._begin(plan, plan.holder, '')}" if plan.holder else ""
        if plan.asks_address and plan.holder:
            plan = again(self.address(container_name(self.app, plan, plan.holder)))
        for part in plan.init:
            made = self._begin(plan, part, network)
            if part.sidecar:
                self._until_begun(plan, part, made, deadline, stopped)
            else:
                self._until_done(plan, part, made, deadline, stopped)
        # All are made before any begins: what is whole has been begun.
        own = [(part, self._create(plan, part, network)) for part in plan.main]
        for part, container in own:
            self._start(plan, part, container)

    def _begin(self, plan: Blueprint, part: Part, network: str) -> str:
        container = self._create(plan, part, network)
        self._start(plan, part, container)
        return container

    def _create(self, plan: Blueprint, part: Part, network: str) -> str:
        import docker

        name = container_name(self.app, plan, part)
        settings = self._settings(plan, part, network)
        with self._gate, asking(f"create the container {part.name} of {plan.name}"):
            try:
                return str(self.client.create_container_from_config(settings, name)["Id"])
            except docker.errors.APIError as error:
                if error.status_code != 409:
                    raise
            # Its name is taken by what somebody made by hand in its place.
            remove_own(self.client, name, self.app.name)
            return str(self.client.create_container_from_config(settings, name)["Id"])

    def _settings(self, plan: Blueprint, part: Part, network: str) -> dict[str, Any]:
        host = {**part.config["HostConfig"]}
        host["Mounts"] = [self._placed(mount) for mount in host["Mounts"]]
        settings = {**part.config, "HostConfig": host}
        if host.get("NetworkMode") == "host":
            return settings
        host["NetworkMode"] = network or network_name(self.app.name)
        if not network:
            aliases = list(plan.aliases) if part.role != INIT else []
            settings["NetworkingConfig"] = {
                "EndpointsConfig": {network_name(self.app.name): {"Aliases": aliases}}
            }
        return settings

    def _placed(self, mount: dict[str, Any]) -> dict[str, Any]:
        """Return a mount of a part of laid-in content as the path that it has on the engine's machine."""
        if "Inner" not in mount:
            return mount
        place = self.client.inspect_volume(mount["Volume"])["Mountpoint"]
        kept = {field: value for field, value in mount.items() if field not in ("Volume", "Inner")}
        return {**kept, "Source": f"{place}/{mount['Inner']}"}

    def _start(self, plan: Blueprint, part: Part, container: str) -> None:
        with self._gate, asking(f"start the container {part.name}"):
            self.client.start(container)
        if (part.given.get("lifecycle") or {}).get("postStart"):
            from dispatchfile.apps.local import hooks

            address = self.address(container_name(self.app, plan, plan.holder or part))
            if problem := hooks.run(self.client, part.given, "postStart", container, address, _HOOK_S):
                raise EnvironmentProblem(f"postStart of the container {part.name} failed: {problem}")

    def _until_begun(
        self, plan: Blueprint, part: Part, container: str, deadline: float, stopped: Callable[[], bool]
    ) -> None:
        """Wait for the startupProbe of a sidecar: what comes after may need it."""
        from dispatchfile.apps.local import probes
        from dispatchfile.apps.local.container import named_ports

        asked = probes.probe_of(part.given, "startupProbe", named_ports(part.given, plan.name), plan.name)
        while asked is not None:
            address = self.address(container_name(self.app, plan, plan.holder or part))
            problem = probes.run(self.client, asked, container, address)
            if not problem:
                return
            if stopped() or time.monotonic() > deadline:
                raise EnvironmentProblem(
                    f"{plan.name}: the sidecar {part.name} did not begin: {problem}{self.last_words(container)}"
                )
            time.sleep(0.2)

    def _until_done(
        self, plan: Blueprint, part: Part, container: str, deadline: float, stopped: Callable[[], bool]
    ) -> None:
        """Wait for the end of a container that begins a pod, and run it again as the pod's restartPolicy says."""
        pause = 1.0
        while True:
            state = self._ended(container, deadline, stopped)
            if state is not None and state["ExitCode"] == 0:
                return
            reason = "it did not end in time" if state is None else f"exit code {state['ExitCode']}"
            again = plan.template.spec.get("restartPolicy") != "Never" and time.monotonic() + pause < deadline
            if state is None or not again or stopped():
                raise EnvironmentProblem(
                    f"{plan.name}: the init container {part.name} failed: {reason}{self.last_words(container)}"
                )
            time.sleep(pause)
            pause = min(pause * 2, 30.0)
            with asking(f"start the container {part.name}"):
                self.client.start(container)

    def _ended(self, container: str, deadline: float, stopped: Callable[[], bool]) -> dict[str, Any] | None:
        pause = 0.05
        while time.monotonic() < deadline and not stopped():
            state = self.inspect(container)["State"]
            if state["Status"] in ("exited", "dead"):
                return dict(state)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        return None

    def address(self, container: str) -> str:
        """Return a container's address on the application's network, "" while it has none."""
        networks = self.inspect(container)["NetworkSettings"]["Networks"]
        return str((networks.get(network_name(self.app.name)) or {}).get("IPAddress", ""))

    # --- volumes ---

    def fill(self, volumes: Iterable[Volume]) -> None:
        """Make volumes, and lay in what they hold, all at once through a container that is never started."""
        with self._volume_lock:
            new = [volume for volume in volumes if volume.name not in self._filled]
            if not new:
                return
            with asking("make the volumes of a pod"):
                for volume in new:
                    made = self.client.create_volume(
                        volume.name, "local", dict(volume.options), dict(volume.labels)
                    )
                    # The engine gives what is there; of what was there before it was started, without its labels.
                    if not made.get("Labels"):
                        made = self.client.inspect_volume(volume.name)
                    check_own("volume", volume.name, made, self.app.name)
                self._lay([volume for volume in new if not volume.memory])
            self._filled.update(volume.name for volume in new)

    def _lay(self, volumes: list[Volume]) -> None:
        if not volumes:
            return
        from dispatchfile.run.seats import make_holder

        self.images.ensure(PAUSE_IMAGE, "", {})
        mounts = [
            {"Type": "volume", "Source": volume.name, "Target": f"/{at}", "VolumeOptions": {"NoCopy": True}}
            for at, volume in enumerate(volumes)
        ]
        labels = {APP: self.app.name, ROLE: FILLER}
        holder = make_holder(self.client, None, labels, mounts)
        try:
            chosen = [
                (f"{at}", volume)
                for at, volume in enumerate(volumes)
                if volume.files is not None or self._is_pristine(holder, f"/{at}")
            ]
            if chosen:
                self.client.put_archive(holder, "/", archive(chosen))
        finally:
            discard(self.client.remove_container, holder, force=True)

    def _is_pristine(self, holder: str, path: str) -> bool:
        """Return whether nobody changed the mode of a volume's folder since the engine made it."""
        import json

        from dispatchfile.run.seats import path_stat

        return bool(
            json.loads(_decoded(path_stat(self.client, holder, path))).get("mode", 0) & 0o777 == _PRISTINE
        )

    # --- mending and removing ---

    def mend(self, pod: Found, names: dict[str, str]) -> list[str]:
        """Undo what was done to a whole pod by hand and can be undone without another; return what that was.

        `names` are the names that its containers ought to have, by their names in the pod.
        """
        done = []
        network = network_name(self.app.name)
        for part in sorted(pod.parts, key=lambda part: part.role != PAUSE):
            with self._gate, asking(f"mend the container {part.name}"):
                if (name := names.get(part.part, part.name)) != part.name:
                    self.client.rename(part.id, name)
                    done.append(f"{part.name} is {name} again")
                if part.role == INIT:
                    continue
                if part.id == pod.owner.id and not part.connected and part.mode != "host":
                    self.client.connect_container_to_network(part.id, network)
                    done.append(f"{name} is on its network again")
                if part.state == "paused":
                    self.client.unpause(part.id)
                    done.append(f"{name} goes on")
                elif part.state == "exited":
                    self.client.start(part.id)
                    done.append(f"{name} is started again")
        return done

    def stop(self, pod: Found) -> None:
        """End a pod as the kubelet does: preStop, the signal that the image names, SIGKILL when its time is over."""
        from dispatchfile.apps.local import hooks

        began = time.monotonic()
        given = {one.get("name"): one for one in pod.given.get("containers") or ()}

        def end(part: Seen) -> None:
            if part.state == "running":
                asked = given.get(part.part, {})
                hooks.run(self.client, asked, "preStop", part.id, pod.owner.address, float(pod.grace))
            self._end(part, max(1, int(pod.grace - (time.monotonic() - began))) if pod.grace else 0)

        for parts in (pod.own, [part for part in pod.main if part not in pod.own]):  # sidecars go last
            with ThreadPoolExecutor(max(1, len(parts))) as workers:
                list(workers.map(end, parts))
        self.remove(pod)

    def rest(self, pod: Found) -> None:
        """End what still runs of a pod that has done its work, which stays to tell how that went."""
        for part in sorted(pod.parts, key=lambda part: part.role == PAUSE):
            if part.state == "running":
                self._end(part, 1 if part.role == PAUSE else pod.grace)

    def _end(self, part: Seen, grace: int) -> None:
        import docker

        with asking(f"stop the container {part.name}"):
            try:
                if part.state == "paused":
                    self.client.unpause(part.id)
                self.client.stop(part.id, timeout=grace)
            except docker.errors.APIError as error:
                if error.status_code not in (304, 404, 409):
                    raise

    def remove(self, pod: Found) -> None:
        """Remove a pod's containers and the volumes that live no longer than it does."""
        with self._gate, asking(f"remove the pod {pod.name}"):
            for part in sorted(pod.parts, key=lambda part: part.role == PAUSE):
                discard(self.client.remove_container, part.id, force=True, v=True)
            own = [f"{APP}={self.app.name}", f"{POD}={pod.namespace}/{pod.name}"]
            for part in pod.parts:
                self._filled.difference_update(part.volumes)
            if any(f"{self.app.name}_empty_" in name for part in pod.parts for name in part.volumes):
                for volume in self.client.volumes(filters={"label": own}).get("Volumes") or []:
                    discard(self.client.remove_volume, volume["Name"], force=True)

    def tidy(self, kept: Callable[[dict[str, Any]], bool]) -> None:
        """Remove the volumes of the application that no container mounts any more, but for those to be kept."""
        unused = {"dangling": True, "label": f"{APP}={self.app.name}"}
        with asking("remove volumes that are not used any more"):
            for volume in self.client.volumes(filters=unused).get("Volumes") or []:
                if not kept(volume):
                    discard(self.client.remove_volume, volume["Name"], force=True)

    def remove_stray(self, stray: Seen) -> None:
        """Remove a container that has the application's label and belongs to none of its pods."""
        with self._gate, asking(f"remove the container {stray.name}"):
            discard(self.client.remove_container, stray.id, force=True, v=True)

    # --- looking ---

    def find(self, namespace: str, name: str) -> Found | None:
        """Return a pod that is on the engine, None when there is nothing of it."""
        pods = self._pods(f"{POD}={namespace}/{name}")
        return pods[0] if pods else None

    def pods_of(self, key: Key) -> Sequence[Found]:
        """Return the pods of a workload that are on the engine, the oldest first."""
        return self._pods(f"{OBJECT}={object_of(key)}")

    def _pods(self, label: str) -> Sequence[Found]:
        labels = [f"{APP}={self.app.name}", label]
        with asking("list the containers of a pod"):
            return snapshot(self.client.containers(all=True, filters={"label": labels}), self.app.name).pods

    def inspect(self, container: str) -> dict[str, Any]:
        """Return what the engine knows about a container."""
        with asking("look at a container"):
            return dict(self.client.inspect_container(container))

    def inspect_if_there(self, container: str) -> dict[str, Any] | None:
        """Return what the engine knows about a container, None when it is gone."""
        import docker

        with asking("look at a container"):
            try:
                return dict(self.client.inspect_container(container))
            except docker.errors.NotFound:
                return None

    def last_words(self, container: str) -> str:
        """Return the last lines of a container's log as the end of a message, "" when it wrote none."""
        import docker

        try:
            log = self.client.logs(container, tail=_LOG_LINES, stdout=True, stderr=True)
        except docker.errors.APIError as error:
            return f"; its log cannot be read: {last_line(error)}"
        text = log.decode("utf-8", "replace").strip()
        return f"; its last lines: {text}" if text else ""


def _decoded(header: str) -> bytes:
    import base64

    return header.encode() if header == "{}" else base64.b64decode(header)
