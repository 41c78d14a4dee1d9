"""An image registry on this machine: the program `docker-registry` of Debian."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import ci


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[str]:
    """Start a registry that keeps its images in a folder, with more of its settings, and yield its HOST:PORT."""
    program = shutil.which("docker-registry")
    if program is None:
        ci.skip("docker-registry is not on PATH; `make test` brings it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "http": {"addr": address},
        "storage": {"delete": {"enabled": True}, "filesystem": {"rootdirectory": str(folder)}},
        **settings,
    }
    (folder / "config.yml").write_text(json.dumps(config), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        _wait_for(address, server, folder / "log")
        yield address
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            connection.request("GET", "/v2/")
            connection.getresponse().read()
        except OSError:
            assert server.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise AssertionError(f"the registry did not answer: {log.read_text(encoding='utf-8')}")
