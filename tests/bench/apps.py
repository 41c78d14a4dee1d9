"""How long an application of many objects takes on the local engine: the sync, and one that finds nothing to do.

    make bench BENCH=apps                     50, 100 and 200 objects
    make bench BENCH="apps 20 40 --rounds 5"

A quarter of the objects each are ConfigMaps, Secrets, Deployments of one pod that reads both, and Services. The sync is
told in seconds and seconds an object; looking at all of it when nothing changed beside listing its containers in three
ways: one request of the API, `docker ps -a`, and the SDK's `containers.list(all=True)`. Of these, the best of the
rounds. Prints figures of one run and asserts nothing: machines differ.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from dispatchfile.apps.app import App  # noqa: E402 the line above lets it be found
from dispatchfile.apps.local.engine import LocalEngine  # noqa: E402 as above
from dispatchfile.apps.local.labels import APP  # noqa: E402 as above
from dispatchfile.apps.manifest import Manifest, key_of  # noqa: E402 as above
from dispatchfile.run.connect import find_endpoint  # noqa: E402 as above

TOOLBOX = "dispatchfile/toolbox:latest"


def objects(count: int) -> list[Manifest]:
    """Return so many objects, a fourth of each kind."""
    return [
        Manifest(key_of(one, "default"), one)
        for number in range(count // 4)
        for one in _four(f"web-{number}")
    ]


def _four(name: str) -> list[dict[str, Any]]:
    metadata = {"name": name}
    both = [{"configMapRef": {"name": name}}, {"secretRef": {"name": name}}]
    container = {
        "name": "web",
        "image": TOOLBOX,
        "command": ["sh", "-c", "trap exit TERM; sleep 100000 & wait"],
    }
    pod = {"terminationGracePeriodSeconds": 1, "containers": [{**container, "envFrom": both}]}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"NAME": name}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"TOKEN": name}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
    ]


def best(rounds: int, work: Callable[[], object]) -> float:
    """Return the shortest time of some rounds, in seconds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def measure(count: int, rounds: int) -> None:
    """Sync an application of so many objects, look at it, remove it, and print the times."""
    import docker

    wanted = objects(count)
    app = App(f"bench-{count}-{os.getpid()}", "https://git.example.test/apps.git")
    with tempfile.TemporaryDirectory() as folder:
        engine = LocalEngine(Path(folder))
        sdk = docker.DockerClient(base_url=find_endpoint().host)
        try:
            sync = best(1, lambda: engine.apply(app, wanted, wanted, lambda line: None))
            found = engine.observe(app, wanted)
            off = [one for one in found if one.sync != "Synced"]
            nothing = best(rounds, lambda: engine.observe(app, wanted))
            label = f"label={APP}={app.name}"
            mine = {"label": label.partition("=")[2]}
            listings = {
                "one request": lambda: engine._client.containers(all=True, filters=mine),
                "docker ps -a": lambda: subprocess.run(
                    ["docker", "ps", "-a", "--filter", label], capture_output=True, check=True
                ),
                "containers.list": lambda: sdk.containers.list(all=True, filters=mine, ignore_removed=True),
            }
            times = {name: best(rounds, work) for name, work in listings.items()}
        finally:
            engine.delete(app, lambda line: None, data=True)
            engine.close()
            sdk.close()
    print(
        f"{count:4} objects: sync {sync:6.2f} s, {sync / count * 1000:4.0f} ms an object, {len(off)} not Synced"
    )
    for name, seconds in times.items():
        print(
            f"     nothing to do {nothing * 1000:4.0f} ms, {nothing / seconds:4.1f} times {name} ({seconds * 1000:.0f} ms)"
        )


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("counts", nargs="*", type=int, default=[50, 100, 200])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    for count in args.counts:
        measure(count, args.rounds)


if __name__ == "__main__":
    main()
