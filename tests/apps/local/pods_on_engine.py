"""Pods for tests of the network: containers of the toolbox with a small web server, made without the rest of the engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from docker import APIClient

from dispatchfile.apps.app import App
from dispatchfile.apps.local.labels import APP, network_name
from dispatchfile.apps.local.pods import Pod
from dispatchfile.apps.local.traffic.services import Services
from dispatchfile.apps.manifest import Key, Manifest, key_of
from dispatchfile.record import replace
from dispatchfile.run.connect import connect

TOOLBOX = "dispatchfile/toolbox:latest"
# Answers every request with its name and the length of the body; it ends at once, with whatever it was answering.
WEB = """mkdir -p /w/cgi-bin; cd /w; echo $NAME >index.html
cat >cgi-bin/web <<'END'
#!/bin/sh
length=0; [ "$REQUEST_METHOD" = GET ] || length=$(wc -c)
[ -z "$QUERY_STRING" ] || sleep "$QUERY_STRING"
printf 'Content-Type: text/plain\\r\\n\\r\\n%s %s' "$NAME" "$length"
END
chmod +x cgi-bin/web; exec httpd -f -p 8080 -h /w"""


class Site:
    """An application's network with pods on it."""

    def __init__(self, client: APIClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.app = App("net-" + uuid.uuid4().hex[:8], "/nowhere")
        self.network = network_name(self.app.name)
        self.pods: list[Pod] = []
        client.create_network(self.network, labels={APP: self.app.name})

    def services(self, *wanted: Manifest) -> Services:
        """Return the part under test, as a new process would have it."""
        return Services(self.client, self.app, wanted, self.folder)

    def pod(
        self,
        name: str,
        labels: Mapping[str, str],
        *,
        ready: bool = True,
        script: str = WEB,
        aliases: tuple[str, ...] = (),
        image: str = TOOLBOX,
    ) -> Pod:
        """Start a pod that answers with its name at port 8080, called "web"."""
        config: dict[str, Any] = {
            "Image": image,
            "Cmd": ["sh", "-c", script] if image == TOOLBOX else ["-c", script],
            "Env": [f"NAME={name}"],
            "Labels": {APP: self.app.name},
            "HostConfig": {"NetworkMode": self.network},
            "NetworkingConfig": {"EndpointsConfig": {self.network: {"Aliases": list(aliases)}}},
        }
        if image != TOOLBOX:
            config["Entrypoint"] = ["/usr/bin/python3"]
        host = f"{self.app.name}_default_{name}_web"
        container = self.client.create_container_from_config(config, host)["Id"]
        self.client.start(container)
        pod = Pod(
            name, "default", Key("apps", "Deployment", "default", "web"), dict(labels), container, host,
            self.address(container), ready, {"web": 8080},
        )  # fmt: skip
        self.pods.append(pod)
        return pod

    def address(self, container: str) -> str:
        """Return the address of a container on the application's network."""
        found = self.client.inspect_container(container)["NetworkSettings"]["Networks"]
        return str(found[self.network]["IPAddress"])

    def stop(self, pod: Pod, timeout: int = 1) -> None:
        """Remove a pod, as the rest of the engine does after it was retired."""
        self.client.stop(pod.container, timeout=timeout)
        self.client.remove_container(pod.container, force=True)
        self.pods.remove(pod)

    def inside(self, pod: Pod, *command: str) -> str:
        """Return what a command prints in a pod."""
        begun = self.client.exec_create(pod.container, list(command))
        return str(self.client.exec_start(begun["Id"]).decode())

    def close(self) -> None:
        """Remove all that was made."""
        for item in self.client.containers(all=True, filters={"label": f"{APP}={self.app.name}"}):
            self.client.remove_container(item["Id"], force=True, v=True)
        self.client.remove_network(self.network)


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Yield a network of an application; all that is on it is removed at the end."""
    client = connect()
    made = Site(client, folder)
    try:
        yield made
    finally:
        made.close()
        client.close()


def manifest(found: dict[str, Any]) -> Manifest:
    """Return an object as the repository wants it."""
    return Manifest(key_of(found, "default"), found)


def twin(pod: Pod, ports: Mapping[str, int], number: int) -> Pod:
    """Return another pod at the same address, as far as a proxy can tell."""
    return replace(pod, container=f"{pod.container[:10]}{number:02x}" + "0" * 52, ports=dict(ports))


def service(name: str = "hello", selector: str = "hello", **spec: Any) -> Manifest:
    """Return a Service of port 80 to the port called "web" of the pods labelled app=SELECTOR."""
    full = {"selector": {"app": selector}, "ports": [{"port": 80, "targetPort": "web"}], **spec}
    full = {key: value for key, value in full.items() if value is not None}
    return manifest({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": full})


def ingress(*paths: tuple[str, str, str], name: str = "web", kind: str = "Prefix", **spec: Any) -> Manifest:
    """Return an Ingress of paths: host, path, Service."""
    rules = []
    for host, path, target in paths:
        backend = {"service": {"name": target, "port": {"number": 80}}}
        rule: dict[str, Any] = {"http": {"paths": [{"path": path, "pathType": kind, "backend": backend}]}}
        rules.append({**rule, "host": host} if host else rule)
    return manifest(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name},
            "spec": {"rules": rules, **spec},
        }
    )
