"""What is emitted for every example, one file an object, read by eye when it changes: `pytest --snapshot-update`."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from dispatchfile.plan.graph import make
from dispatchfile.tekton import emit, manifest
from dispatchfile.tekton.emit import Emission
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.pac import objects as pac
from dispatchfile.tekton.triggers import objects as triggers
from dispatchfile.tekton.triggers import waiting
from tests.tekton import crds, events, sources


class Manifests(SingleFileSnapshotExtension):
    """A file of YAML for each object."""

    file_extension = "yaml"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def manifests(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Manifests)


def hold(emission: Emission, manifests: SnapshotAssertion, *, without: str = "") -> None:
    """Hold the objects against their files, but those of a kind that another test holds."""
    for name, made in emission.files.items():
        if made["kind"] != without:
            assert manifest.text([made], emission.how) == manifests(name=Path(name).stem)


@pytest.mark.parametrize("path", sources.EXAMPLES, ids=sources.name)
def test_events(path: Path, manifests: SnapshotAssertion) -> None:
    pipeline = sources.load(path)
    for _action, event in events.firing(pipeline):
        hold(emit.emit(make(pipeline, event), Options(sources.name(path))), manifests)


@pytest.mark.parametrize("path", sources.EXAMPLES, ids=sources.name)
def test_triggers(path: Path, manifests: SnapshotAssertion) -> None:
    settings = waiting.Settings(repository=events.URL, partial=True)
    emission = triggers.objects(sources.load(path), Options(sources.name(path)), settings)
    assert crds.validate_all(emission.objects) == []
    hold(emission, manifests, without="Pipeline")


@pytest.mark.parametrize("path", sources.EXAMPLES, ids=sources.name)
def test_pac(path: Path, manifests: SnapshotAssertion) -> None:
    emission = pac.objects(sources.load(path), Options(sources.name(path)), pac.Settings(partial=True))
    assert crds.validate_all(emission.objects) == []
    hold(emission, manifests)
