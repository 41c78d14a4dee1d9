"""Pushed images: what a real Distribution registry tells when an image is pushed goes through the emitted trigger."""

from __future__ import annotations

import hashlib
import http.client
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dispatchfile.tekton.options import Options
from dispatchfile.tekton.triggers import objects as triggers
from dispatchfile.tekton.triggers.waiting import Settings
from tests import image_registry
from tests.event import pipelines
from tests.tekton import listener
from tests.tekton.webhooks import Webhook

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
TEXT = """
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
task:
  unit:
    inputs: [src]
    steps: [{name: run, image: "tool:1", command: [echo, $(context.build.name)]}]
actions:
- {name: every, tasks: [unit], on: {image: {push: {}}}}
- {name: releases, tasks: [unit], on: {image: {push: {tags: ["v*", "!*-rc"]}}}}
"""

Told = queue.Queue[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[str, Told]]:
    """Return an address that takes notifications, and what it was told: authorization and body."""
    heard: Told = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.put((self.headers["Authorization"], json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", heard
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="module")
def registry(told: tuple[str, Told], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a registry that tells."""
    endpoint = {
        "name": "listener", "url": f"http://{told[0]}/", "headers": {"Authorization": ["Bearer s3cret"]},
        "timeout": "5s", "threshold": 3, "backoff": "1s",
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("registry")
    with image_registry.serving(folder, notifications={"endpoints": [endpoint]}) as address:
        yield address


def request(
    address: str, method: str, path: str, body: bytes = b"", kind: str = "application/octet-stream"
) -> tuple[int, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": kind, "Accept": MANIFEST})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers
    finally:
        connection.close()


def push(address: str, repository: str, *tags: str) -> None:
    """Push an image of one layer, which is its configuration, with these tags."""
    blob = json.dumps({"repository": repository}).encode()
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    status, headers = request(address, "POST", f"/v2/{repository}/blobs/uploads/")
    assert status == 202
    place = headers["Location"].removeprefix(f"http://{address}")
    status, _ = request(address, "PUT", f"{place}&digest={digest}", blob)
    assert status == 201
    layer = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": len(blob),
        "digest": digest,
    }
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": layer, "layers": []}
    body = json.dumps(manifest).encode()
    for tag in tags:
        status, _ = request(address, "PUT", f"/v2/{repository}/manifests/{tag}", body, MANIFEST)
        assert status == 201
    status, _ = request(address, "GET", f"/v2/{repository}/manifests/{tags[0]}")  # a pull is told as well
    assert status == 200


def test_a_pushed_tag_starts_what_waits_for_it(registry: str, told: tuple[str, Told]) -> None:
    settings = Settings(repository="https://git.example.com/acme/shop.git", revision="main")
    made = triggers.objects(pipelines.pipeline(TEXT), Options("shop"), settings).objects
    push(registry, "team/app", "v1.0", "v2.0-rc", "latest")
    started, kinds = [], set()
    while (len(started), len(kinds)) < (3, 3):
        authorization, body = told[1].get(timeout=20)
        assert authorization == "Bearer s3cret"
        kinds |= {(event["action"], "tag" in event["target"]) for event in body["events"]}
        created = listener.runs(made, Webhook("", body))
        if created:
            started.append({name: listener.params(run)["build-name"] for name, run in created.items()})
    assert kinds == {("push", False), ("push", True), ("pull", True)}
    assert started == [
        {"shop-every": "v1.0", "shop-releases": "v1.0"},
        {"shop-every": "v2.0-rc"},
        {"shop-every": "latest"},
    ]
