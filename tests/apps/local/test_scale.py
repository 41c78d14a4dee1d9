"""How the work of the local engine grows: counted in requests to Docker's engine, which do not depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.apps.app import App
from dispatchfile.apps.local.engine import LocalEngine
from tests.bench.apps import objects

pytestmark = pytest.mark.docker


@pytest.fixture
def engine(tmp_path: Path, toolbox: str, proxy_image: str) -> Iterator[LocalEngine]:
    made = LocalEngine(tmp_path)
    yield made
    for app in (App("scale-8", "/x"), App("scale-16", "/x")):
        made.delete(app, lambda line: None, data=True)
    made.close()


def test_requests_grow_with_the_objects_and_a_sync_with_nothing_to_do_needs_few(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
):
    requests = 0
    send = engine._client.send

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal requests
        requests += 1
        return send(*arguments, **options)

    monkeypatch.setattr(engine._client, "send", counted)
    syncs, looks = {}, {}
    for count in (8, 16):
        app, wanted = App(f"scale-{count}", "/x"), objects(count)
        requests = 0
        assert {one.done for one in engine.apply(app, wanted, wanted, lambda line: None)} == {"Synced"}
        syncs[count], requests = requests, 0
        assert {one.sync for one in engine.observe(app, wanted)} == {"Synced"}
        looks[count], requests = requests, 0
    assert syncs[16] < 2.5 * syncs[8]
    containers = 16 // 4 * 2
    # What the SDK's `containers.list` would do: one request, and one for each container.
    assert looks[16] <= 2 * (1 + containers)
