"""What is emitted for every example, one file an object, read by eye when it changes: `pytest --snapshot-update`."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from dispatchfile.plan.graph import make
from dispatchfile.tekton import emit, manifest
from dispatchfile.tekton.options import Options
from tests.tekton import events, sources


class Manifests(SingleFileSnapshotExtension):
    """A file of YAML for each object."""

    file_extension = "yaml"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def manifests(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Manifests)


@pytest.mark.parametrize("path", sources.EXAMPLES, ids=sources.name)
def test_examples(path: Path, manifests: SnapshotAssertion) -> None:
    pipeline = sources.load(path)
    for _action, event in events.firing(pipeline):
        plan = make(pipeline, event)
        for name, made in emit.emit(plan, Options(sources.name(path))).files.items():
            assert manifest.text([made]) == manifests(name=name.removesuffix(".yaml"))
