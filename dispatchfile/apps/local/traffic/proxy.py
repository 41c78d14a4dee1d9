"""The containers of proxies: how one is made, given its servers while it runs, and let go of pods without a lost request.

The file in the container is what a proxy is to do; it is written after what runs was told, so that a program killed in
between finds work to do the next time. What runs tells by its description which file's structure it was started with.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.traffic import haproxy
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record
from dispatchfile.run.connect import asking, last_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from docker import APIClient

    from dispatchfile.apps.local.traffic.haproxy import Config

OWN_IMAGE = "dispatchfile/proxy:latest"
PULLED_IMAGE = "haproxy:lts-alpine"
NOBODY = "65534:65534"

_LONGEST_LINE = 12000
"""Characters of commands at once; HAProxy reads as many as its buffer holds."""
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8)
_PATIENCE_S = 20.0
_TAKEN = ("port is already allocated", "address already in use", "permission denied")


class PortTaken(Exception):
    """A port of this machine cannot be published; what the engine said."""


class Plan(Record):
    """A container of a proxy as it is to be made. `published` has for ports of the proxy those of this machine."""

    name: str
    image: str
    network: str
    aliases: tuple[str, ...]
    labels: Mapping[str, str]
    published: tuple[tuple[int, int], ...] = ()


def image_of(client: APIClient, chosen: str) -> str:
    """Return the image of proxies, on the engine now. Raises EnvironmentProblem when it cannot be had."""
    from dispatchfile.run.images import Images, inspect_image

    if not chosen and inspect_image(client, OWN_IMAGE) is not None:
        return OWN_IMAGE
    ref = chosen or PULLED_IMAGE
    try:
        Images(client, offline=False, platform="").ensure(ref, "missing")
    except EnvironmentProblem as problem:
        raise EnvironmentProblem(
            f"no image for the proxies of Services: {problem.message}",
            help=f"make {OWN_IMAGE} with runner/images/proxy/build.sh, or name one that holds HAProxy: proxy-image",
        ) from None
    return ref


def create(client: APIClient, plan: Plan, text: str) -> str:
    """Start a container and return its id. Raises PortTaken, and EnvironmentProblem; then nothing of it is left."""
    from dispatchfile.run.sweep import discard

    bindings: dict[str, list[dict[str, str]]] = {}
    for inside, outside in plan.published:
        bindings.setdefault(f"{inside}/tcp", []).append({"HostIp": "127.0.0.1", "HostPort": str(outside)})
    config: dict[str, Any] = {
        "Image": plan.image,
        "Cmd": list(haproxy.ARGUMENTS),
        "User": NOBODY,
        "Labels": dict(plan.labels),
        "StopSignal": "SIGUSR1",
        "ExposedPorts": {port: {} for port in bindings},
        "HostConfig": {
            "NetworkMode": plan.network,
            "PortBindings": bindings,
            "RestartPolicy": {"Name": "unless-stopped"},
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "Sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
        },
        "NetworkingConfig": {"EndpointsConfig": {plan.network: {"Aliases": list(plan.aliases)}}},
    }
    with asking(f"make the proxy {plan.name}"):
        container = str(client.create_container_from_config(config, plan.name)["Id"])
    try:
        write(client, container, text)
        _start(client, container)
        wait_for(client, container, text)
    except BaseException:
        discard(client.remove_container, container, force=True, v=True)
        raise
    return container


def write(client: APIClient, container: str, text: str) -> None:
    """Lay the file into a container, running or not."""
    from dispatchfile.run.archive import Archive

    archive = Archive()
    archive.file(haproxy.FILE.lstrip("/"), text.encode(), 0o644)
    with asking("write the configuration of a proxy"):
        client.put_archive(container, "/", archive.bytes())


def read(client: APIClient, container: str) -> str:
    """Return the file in a container, "" when it holds none."""
    import docker

    from dispatchfile.run.archive import read_single

    with asking("read the configuration of a proxy"):
        try:
            chunks, _ = client.get_archive(container, haproxy.FILE)
        except docker.errors.NotFound:
            return ""
        return (read_single(chunks, 1 << 24) or b"").decode(errors="replace")


def update(
    client: APIClient, container: str, old: str, config: Config, busy: Mapping[str, Collection[int]]
) -> str:
    """Let a running proxy do what `config` says, losing no connection; return the text of its file, which was `old`.

    `busy` are places, by backend, that pods have left whose connections still last.
    """
    before = haproxy.places_in(old)
    after = {
        one.name: haproxy.seat(one, before.get(one.name, ()), busy.get(one.name, ()))
        for one in config.backends
    }
    text = haproxy.text_of(config, after)
    if haproxy.structure_of(text) == haproxy.structure_of(old):
        commands = [
            command
            for name, places in after.items()
            for command in haproxy.changes(config.own, name, before[name], places)
        ]
        if _is_so(ask(client, container, [*commands, *_QUESTIONS]), text):
            write(client, container, text)
            return text
    write(client, container, text)
    with asking("reload a proxy"):
        client.kill(container, "SIGUSR2")
    wait_for(client, container, text)
    return text


def wait_for(client: APIClient, container: str, text: str) -> None:
    """Return when what runs in a container does what a file says. Raises EnvironmentProblem when it will not."""
    deadline = time.monotonic() + _PATIENCE_S
    pauses = iter(_PAUSES_S)
    while not _is_so(ask(client, container, _QUESTIONS), text):
        if time.monotonic() > deadline:
            with asking("read the log of a proxy"):
                log = client.logs(container, tail=3).decode(errors="replace").strip()
            raise EnvironmentProblem(f"the proxy does not take its configuration: {log or 'it says nothing'}")
        time.sleep(next(pauses, _PAUSES_S[-1]))


def connections(client: APIClient, container: str, places: Collection[tuple[str, int]]) -> int:
    """Return how many connections last at places, each a backend and a number from 0."""
    wanted = {(backend, f"s{number + 1}") for backend, number in places}
    rows = (line.split(",") for line in ask(client, container, ["show stat"]).splitlines())
    return sum(int(row[4] or 0) for row in rows if len(row) > 4 and (row[0], row[1]) in wanted)


def ask(client: APIClient, container: str, commands: Sequence[str]) -> str:
    """Return what HAProxy answers, "" when nothing in the container does."""
    import docker

    answers = []
    for line in _lines(commands):
        script = ["sh", "-c", f'printf "%s\\n" "$1" | nc 127.0.0.1 {haproxy.SOCKET_PORT}', "sh", line]
        with asking("speak to a proxy"):
            try:
                begun = client.exec_create(container, script, user=NOBODY, stderr=False)
                answers.append(client.exec_start(begun["Id"]).decode(errors="replace"))
            except docker.errors.APIError as error:
                if error.status_code != 409:  # 409: it does not run
                    raise
                return ""
    return "\n".join(answers)


_QUESTIONS = ("show info", "show servers state")


def _lines(commands: Sequence[str]) -> list[str]:
    """Return commands as lines, no longer than HAProxy reads at once."""
    lines: list[str] = []
    for command in commands:
        if lines and len(lines[-1]) + len(command) < _LONGEST_LINE:
            lines[-1] += f"; {command}"
        else:
            lines.append(command)
    return lines


def _is_so(answer: str, text: str) -> bool:
    """Return whether an answer tells of all that a file says."""
    wanted = {
        name: tuple((server.host, server.port) if server else None for server in places)
        for name, places in haproxy.places_in(text).items()
        if places
    }
    return f"\ndescription: {haproxy.structure_of(text)}\n" in answer and haproxy.held(answer) == wanted


def _start(client: APIClient, container: str) -> None:
    import docker

    with asking("start a proxy"):
        try:
            client.start(container)
        except docker.errors.APIError as error:
            said = last_line(error)
            if any(words in said for words in _TAKEN):
                raise PortTaken(said) from None
            raise
