"""What waits for events goes through kubectl, whose reader of YAML is Go's, and comes out as it was."""

from __future__ import annotations

from pathlib import Path

import yaml

from dispatchfile.record import replace
from dispatchfile.tekton import manifest
from dispatchfile.tekton.triggers import objects as triggers
from tests.cluster.api_server import ApiServer
from tests.cluster.test_kubectl import create, kubectl, server
from tests.tekton.pac_model import LOADER
from tests.tekton.triggers.test_triggers import CONDITIONS, OPTIONS, SETTINGS, pipeline

__all__ = ["kubectl", "server"]


def test_every_condition(kubectl: str, server: ApiServer, tmp_path: Path) -> None:
    options = replace(OPTIONS, namespace="default")
    made = triggers.objects(pipeline(*CONDITIONS, "{image: {push: {}}}"), options, SETTINGS).objects
    text = manifest.text(made)
    assert [one for one in yaml.load_all(text, LOADER) if one] == list(made)
    made = tuple({one["kind"]: one for one in made}.values())  # kubectl sends five objects a second
    text = manifest.text(made)
    before = len(server.bodies)
    done = create(kubectl, server, tmp_path, text)
    assert done.returncode == 0, done.stderr
    for kept, one in zip(server.bodies[before:], made, strict=True):
        assert kept == one
