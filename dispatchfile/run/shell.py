"""A shell where a step failed: its files as it left them, its mounts and network, on the user's terminal."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.connect import asking

if TYPE_CHECKING:
    from docker import APIClient

# The best shell that the image has; a login shell would change the directory and the variables of the step.
_FIRST_SHELL = ["/bin/sh", "-c", "command -v bash >/dev/null && exec bash; exec sh"]


def shell_after(
    client: APIClient, container: str, labels: Mapping[str, str]
) -> tuple[int, list[str], list[str]]:
    """Run a shell in a copy of an ended container; return its exit code, and the container and image to remove.

    Raises EnvironmentProblem when there is no terminal, or no shell in the image.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise EnvironmentProblem(
            "a shell needs a terminal", help="run it without redirecting input or output"
        )
    with asking("keep the state of the step"):
        changes = [f"LABEL {name}={value}" for name, value in labels.items()]
        image = str(client.commit(container, changes=changes)["Id"])
        ended = client.inspect_container(container)
    with asking("open a shell"):
        made = str(client.create_container_from_config(_shell_config(ended, image, labels))["Id"])
        code = _attached(client, made)
    return code, [made], [image]


def _shell_config(ended: Mapping[str, Any], image: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of the ended step's container, with a shell on a terminal in place of its program."""
    kept = {name: ended["Config"].get(name) for name in ("Env", "WorkingDir", "User")}
    host = {
        name: ended["HostConfig"].get(name) for name in ("NetworkMode", "Mounts", "Privileged", "LogConfig")
    }
    terminal = {"Tty": True, "OpenStdin": True, "StdinOnce": True, "AttachStdin": True, "AttachStdout": True}
    return {
        **kept,
        **terminal,
        "Image": image,
        "Entrypoint": _FIRST_SHELL,
        "Cmd": [],
        "Labels": dict(labels),
        "HostConfig": host,
    }


def _attached(client: APIClient, container: str) -> int:
    """Start a container on the user's terminal, wait for its end, and return its exit code."""
    channel = client.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    connection = getattr(channel, "_sock", channel)
    try:
        client.start(container)
        with _raw_terminal(), _following_size(client, container):
            _relay(connection)
        return int(client.wait(container, timeout=None)["StatusCode"])
    finally:
        channel._response.close()


def _relay(connection: Any) -> None:
    """Carry bytes between the terminal and the container until the container's side ends."""
    sources = [sys.stdin.fileno(), connection]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if connection in ready:
            data = connection.recv(65536)
            if not data:
                return
            os.write(sys.stdout.fileno(), data)
        if sys.stdin.fileno() in ready:
            typed = os.read(sys.stdin.fileno(), 4096)
            if not typed:
                sources = [connection]
            else:
                connection.sendall(typed)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Hand every key to the container, Ctrl-C too; the terminal is as before afterwards, whatever happens."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextmanager
def _following_size(client: APIClient, container: str) -> Iterator[None]:
    """Keep the container's terminal as large as the user's."""

    def resize(*_: object) -> None:
        rows, columns = struct.unpack("HHHH", fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8)))[
            :2
        ]
        if rows and columns:
            client.resize(container, height=rows, width=columns)

    if threading.current_thread() is not threading.main_thread():
        resize()
        yield
        return
    before = signal.signal(signal.SIGWINCH, resize)
    try:
        resize()
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
