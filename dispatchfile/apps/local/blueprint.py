"""A pod to be: its containers in order, its volumes, and what holds its network."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local import container as containers
from dispatchfile.apps.local import hooks, probes
from dispatchfile.apps.local.environment import Facts, asks_address, environment
from dispatchfile.apps.local.labels import (
    APP,
    CONTAINER,
    GIVEN,
    HASH,
    INIT,
    JOB,
    MAIN,
    OBJECT,
    PARTS,
    PAUSE,
    POD,
    POD_LABELS,
    PORTS,
    ROLE,
    engine_name,
    object_of,
)
from dispatchfile.apps.local.objects import as_text, items, mapping, number, texts
from dispatchfile.apps.local.volumes import Volumes
from dispatchfile.errors import UsageError
from dispatchfile.record import Record
from dispatchfile.run.pause import PAUSE_IMAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.apps.app import App
    from dispatchfile.apps.local.objects import Objects
    from dispatchfile.apps.local.template import Template
    from dispatchfile.apps.local.volumes import Volume

HOLDER = "pod.network"
"""The name of the container that holds a pod's network; a container of a pod has no dot in its name."""
_HOSTNAME = 63


class Part(Record):
    """A container of a pod. `given` is what the manifest says of it; `sidecar` begins with those before the pod's own."""

    name: str
    role: str
    config: dict[str, Any]
    given: Mapping[str, Any]
    sidecar: bool = False


class Blueprint(Record):
    """A pod to be. `holder` has the pod's network where several containers share it, None for a pod of one."""

    name: str
    namespace: str
    template: Template
    holder: Part | None
    init: tuple[Part, ...]
    main: tuple[Part, ...]
    volumes: tuple[Volume, ...]
    aliases: tuple[str, ...]
    grace: int
    notes: tuple[str, ...]
    asks_address: bool

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return all its containers in the order in which they begin."""
        return ((self.holder,) if self.holder else ()) + self.init + self.main

    def part(self, name: str) -> Part | None:
        """Return the container of a name, None when the pod has none."""
        return next((part for part in self.parts if part.name == name), None)


class Draft(Record):
    """What a pod is drawn from, beside its template. `claims` are claims by the names of their volumes.

    `labels`, `annotations` and `hostname` are what a controller gives to each pod of its own.
    """

    app: App
    objects: Objects
    restart: dict[str, Any]
    aliases: tuple[str, ...] = ()
    claims: Mapping[str, str] = {}
    env: Mapping[str, str] = {}
    job: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    hostname: str = ""


def blueprint(draft: Draft, template: Template, name: str, address: str = "") -> Blueprint:
    """Return a pod of a template. Raises UsageError for what cannot be run."""
    spec, where = template.spec, str(template.key)
    containers.refuse_privileges(spec, draft.app, where)
    facts = Facts(
        name, template.key.namespace, {**template.labels, **draft.labels},
        {**template.annotations, **draft.annotations}, _uid(template, name),
        as_text(spec.get("serviceAccountName")) or "default", address,
    )  # fmt: skip
    volumes = Volumes(draft.app, draft.objects, facts, spec, where)
    for volume, claim in draft.claims.items():
        volumes.claim(volume, claim)
    init, main = (
        [_part(draft, one, role, spec, facts, volumes, where) for one in items(spec, field, where)]
        for field, role in (("initContainers", INIT), ("containers", MAIN))
    )
    names = [part.name for part in (*init, *main)]
    if twice := next((one for one in names if names.count(one) > 1), ""):
        raise UsageError(f'{where}: two containers are called "{twice}"')
    asks = any(asks_address(part.given) for part in (*init, *main))
    shared = len(main) > 1 or any(part.sidecar for part in init) or asks
    # A volume in memory is gone when nothing mounts it, as between the containers that begin a pod and its own.
    shared |= bool(init) and any(volume.memory for volume in volumes.used.values())
    host = spec.get("hostNetwork") is True
    shared = shared and not host
    labels = _labels(draft, template, name, [*init, *main], len(names) + shared, where)
    holder = _holder(volumes, labels) if shared else None
    for part in (*init, *main):
        part.config["Labels"] = {**labels, ROLE: part.role, CONTAINER: part.name}
    owners = [holder] if holder else [*init, *main]
    for part in owners:
        _give_network(part, spec, _hostname(draft, spec, name), host=host, where=where)
    ports = {port: bound for part in main for port, bound in containers.published(part.given, where).items()}
    if ports and not host:
        owner = holder or main[0]
        owner.config["ExposedPorts"] = {port: {} for port in ports}
        owner.config["HostConfig"]["PortBindings"] = ports
    grace = number(spec, "terminationGracePeriodSeconds", 30, where)
    return Blueprint(
        name, template.key.namespace, template, holder, tuple(init), tuple(main), tuple(volumes.used.values()),
        draft.aliases, grace, (*template.notes, *dict.fromkeys(volumes.notes)), asks,
    )  # fmt: skip


def container_name(app: App, pod: Blueprint, part: Part) -> str:
    """Return the name of a container on the engine."""
    return engine_name(app.name, pod.namespace, pod.name, part.name)


def _part(
    draft: Draft,
    given: dict[str, Any],
    role: str,
    spec: Mapping[str, Any],
    facts: Facts,
    volumes: Volumes,
    where: str,
) -> Part:
    name = as_text(given.get("name"))
    where = f"{where}, container {name}"
    if "." in name:
        raise UsageError(f"{where}: the name of a container has no dot")
    engine_name("", name)
    env = {
        "HOSTNAME": _hostname(draft, spec, facts.name),
        **draft.env,
        **environment(given, draft.objects, facts, spec, where),
    }
    config = containers.config(given, spec, env, volumes.mounts(given, env), draft.app, where)
    for field in probes.FIELDS.values():
        probes.probe_of(
            given, field, containers.named_ports(given, where), where
        )  # a bad one is told before it begins
    hooks.check(given, where)
    containers.may_not_be_root(given, spec, where)
    sidecar = role == INIT and given.get("restartPolicy") == "Always"
    restart = {"Name": "always"} if sidecar else {"Name": "no"} if role == INIT else draft.restart
    config["HostConfig"]["RestartPolicy"] = {"MaximumRetryCount": 0, **restart}
    for field, mode in (("hostPID", "PidMode"), ("hostIPC", "IpcMode")):
        if spec.get(field) is True:
            config["HostConfig"][mode] = "host"
    return Part(name, MAIN if sidecar else role, config, given, sidecar)


def _holder(volumes: Volumes, labels: dict[str, str]) -> Part:
    mounts = [
        {"Type": "volume", "Source": volume.name, "Target": f"/{number}", "VolumeOptions": {"NoCopy": True}}
        for number, volume in enumerate(volumes.used.values())
        if volume.memory
    ]
    config = {
        "Image": PAUSE_IMAGE,
        "Labels": {**labels, ROLE: PAUSE, CONTAINER: HOLDER},
        "HostConfig": {
            "Mounts": mounts,
            "LogConfig": {"Type": "none"},
            "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
            **containers.UNLIMITED,
        },
    }
    return Part(HOLDER, PAUSE, config, {})


def _give_network(part: Part, spec: Mapping[str, Any], hostname: str, *, host: bool, where: str) -> None:
    """Let a container that has a network of its own be known by the pod's name, with the hosts that the pod names."""
    if host:
        part.config["HostConfig"]["NetworkMode"] = "host"
        return
    part.config["Hostname"] = hostname
    part.config["HostConfig"]["ExtraHosts"] = [
        f"{name}:{as_text(one.get('ip'))}"
        for one in items(spec, "hostAliases", where)
        for name in texts(one, "hostnames", where)
    ]


def _labels(
    draft: Draft, template: Template, name: str, begun: list[Part], parts: int, where: str
) -> dict[str, str]:
    ports: dict[str, int] = {}
    for part in begun:
        ports.update(containers.named_ports(part.given, where))
    labels = {
        APP: draft.app.name,
        OBJECT: object_of(template.key),
        POD: f"{template.key.namespace}/{name}",
        HASH: template.digest,
        PARTS: str(parts),
        POD_LABELS: json.dumps({**template.labels, **draft.labels}, sort_keys=True),
        PORTS: json.dumps(ports, sort_keys=True),
        GIVEN: json.dumps(
            _outline(template.spec, [part for part in begun if part.role == MAIN]), sort_keys=True
        ),
    }
    return {**labels, JOB: draft.job} if draft.job else labels


def _outline(spec: Mapping[str, Any], parts: list[Part]) -> dict[str, Any]:
    """Return what has to be known of a pod's spec for as long as it is there."""
    fields = ("name", "ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle")
    return {
        "terminationGracePeriodSeconds": spec.get("terminationGracePeriodSeconds"),
        "restartPolicy": spec.get("restartPolicy"),
        "containers": [
            {
                **{name: part.given[name] for name in fields if name in part.given},
                **({"sidecar": True} if part.sidecar else {}),
            }
            for part in parts
        ],
    }


def _hostname(draft: Draft, spec: Mapping[str, Any], pod: str) -> str:
    return (draft.hostname or as_text(spec.get("hostname")) or pod)[:_HOSTNAME].rstrip("-.")


def _uid(template: Template, name: str) -> str:
    """Return an id in the form of a UUID that a pod of the same name and content has again."""
    digest = hashlib.sha256(f"{template.key} {name} {template.digest}".encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))


def pull_secrets(spec: Mapping[str, Any], where: str) -> list[str]:
    """Return the names of the Secrets with which the images of a pod are pulled."""
    return [
        as_text(mapping({"it": one}, "it", where).get("name"))
        for one in items(spec, "imagePullSecrets", where)
    ]
