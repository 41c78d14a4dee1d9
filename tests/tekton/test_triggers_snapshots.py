"""What waits for the events of every example, one file an object but the Pipelines: `pytest --snapshot-update`."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from dispatchfile.tekton import manifest, triggers
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.waiting import Settings
from tests.tekton import sources
from tests.tekton.test_snapshots import Manifests

SETTINGS = Settings(
    rbac=True, repository="https://git.example.com/acme/shop.git", revision="main", partial=True
)


@pytest.mark.parametrize("path", sources.EXAMPLES, ids=sources.name)
def test_examples(path: Path, snapshot: SnapshotAssertion) -> None:
    manifests = snapshot.use_extension(Manifests)
    made = triggers.objects(sources.load(path), Options(sources.name(path), namespace="ci"), SETTINGS)
    for name, one in made.files.items():
        if one["kind"] != "Pipeline":
            assert manifest.text([one]) == manifests(name=name.removesuffix(".yaml"))
