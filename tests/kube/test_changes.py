"""Changes of objects: each is told, whatever happens to the watch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.kube import changes as changes_module
from dispatchfile.kube.changes import changes
from dispatchfile.kube.client import PODS, Cluster
from dispatchfile.kube.kubeconfig import Target
from dispatchfile.kube.problems import Refused, Unreachable
from tests.cluster.api_server import ApiServer, Fault


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as made:
        yield made


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(Target("fake", "ci", {"server": server.url}, {}))
    yield made
    made.close()


class Seen:
    """What a watch in a thread of its own told."""

    def __init__(self, cluster: Cluster, **selectors: str) -> None:
        self.stop, self.notes = threading.Event(), list[str]()
        self.told: list[tuple[str, str, Any]] = []
        self.problem: Exception | None = None
        self._news = threading.Condition()

        def work() -> None:
            try:
                for what, found in changes(cluster, PODS, self.stop, self.notes.append, **selectors):
                    with self._news:
                        self.told.append((what, found["metadata"]["name"], found["spec"]["x"]))
                        self._news.notify_all()
            except (Refused, Unreachable) as problem:
                self.problem = problem

        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def wait(self, *entry: Any) -> None:
        with self._news:
            assert self._news.wait_for(lambda: tuple(entry) in self.told, 20), self.told


def pod(server: ApiServer, name: str, x: Any, **labels: str) -> None:
    server.cluster.create("Pod", "ci", {"metadata": {"name": name, "labels": labels}, "spec": {"x": x}})


def change(server: ApiServer, name: str, x: Any) -> None:
    server.cluster.change("Pod", "ci", name, lambda found: found["spec"].update(x=x))


def test_what_is_there_and_what_changes(server: ApiServer, cluster: Cluster) -> None:
    pod(server, "a", 1, app="mine")
    pod(server, "b", 1)
    seen = Seen(cluster, labelSelector="app=mine")
    seen.wait("is", "a", 1)
    change(server, "a", 2)
    seen.wait("is", "a", 2)
    server.cluster.delete("Pod", "ci", "a")
    seen.wait("gone", "a", 2)
    seen.stop.set()
    assert {name for _, name, _ in seen.told} == {"a"}


@pytest.mark.parametrize("as_event", [False, True])
def test_what_was_missed_is_told_once(server: ApiServer, cluster: Cluster, as_event: bool) -> None:
    server.gone_as_event = as_event
    for name in "abc":
        pod(server, name, 1)
    seen = Seen(cluster)
    seen.wait("is", "c", 1)
    server.fail("watch", "pods", Fault(500), times=2)
    server.drop_watches()
    change(server, "a", 2)
    server.cluster.delete("Pod", "ci", "b")
    server.store.compact()
    seen.wait("is", "a", 2)
    seen.wait("gone", "b", 1)
    seen.stop.set()
    assert seen.told.count(("is", "c", 1)) == 1


def test_polling_where_watching_is_forbidden(
    server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "POLL_S", 0.05)
    server.forbid("watch", "pods")
    pod(server, "a", 1)
    seen = Seen(cluster)
    seen.wait("is", "a", 1)
    change(server, "a", 2)
    seen.wait("is", "a", 2)
    seen.stop.set()
    assert len(seen.told) == 2


def test_an_outage_is_told_and_passes(
    server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "FIRST_WAIT_S", 0.05)
    server.fail("list", "pods", Fault(503, message="starting"), times=4)
    pod(server, "a", 1)
    seen = Seen(cluster)
    seen.wait("is", "a", 1)
    seen.stop.set()
    assert [note.partition(" (")[0] for note in seen.notes] == [
        "the cluster answered with HTTP 503: starting", "the cluster answers again",
    ]  # fmt: skip


def test_given_up_in_the_end(server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_module, "GIVE_UP_S", 0.3)
    server.__exit__()
    seen = Seen(cluster)
    seen.thread.join(20)
    assert isinstance(seen.problem, Unreachable)


def test_a_cluster_that_dies_while_it_is_watched_is_given_up(
    server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(changes_module, "GIVE_UP_S", 1.0)
    pod(server, "a", 1)
    seen = Seen(cluster)
    seen.wait("is", "a", 1)
    server.drop_watches()
    server.__exit__()
    seen.thread.join(30)
    assert isinstance(seen.problem, Unreachable)
    assert len(seen.notes) == 1
    assert "trying again" in seen.notes[0]  # and nobody says that it answers again


def test_what_breaks_once_is_not_told(server: ApiServer, cluster: Cluster) -> None:
    server.fail("list", "pods", Fault(503), times=1)
    pod(server, "a", 1)
    seen = Seen(cluster)
    seen.wait("is", "a", 1)
    seen.stop.set()
    assert seen.notes == []


def test_a_list_that_is_refused_is_the_end(server: ApiServer, cluster: Cluster) -> None:
    server.forbid("list", "pods")
    seen = Seen(cluster)
    seen.thread.join(20)
    assert isinstance(seen.problem, Refused)
    assert seen.problem.code == 403


def test_a_watch_that_ends_at_once_is_not_asked_for_all_the_time(
    server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "WATCH_S", 0)
    seen = Seen(cluster)
    seen.thread.join(1.5)
    seen.stop.set()
    assert 2 <= len(server.requests) < 12
