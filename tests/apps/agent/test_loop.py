"""The agent: what it does for each application, and what it leaves alone."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import http.client
import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatchfile.apps.agent import loop, server, worker
from dispatchfile.apps.app import App
from dispatchfile.apps.engines import Settings
from dispatchfile.apps.keeper import SyncRequest
from dispatchfile.apps.manifest import Manifest
from dispatchfile.apps.own import OwnKeeper
from dispatchfile.apps.store import Store
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import replace
from tests.apps.agent.house import FileEngine, House, quick
from tests.apps.repository import GitOps, config, deployment, git


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for module, name in (
        (loop, "SCAN"),
        (loop, "FAREWELL"),
        *((worker, name) for name in ("LOOK", "BUSY", "TEND_AGAIN", "HEAL_LOOK")),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    quick()
    made = House()
    yield made
    made.end()


@pytest.fixture
def web(gitops: GitOps) -> GitOps:
    gitops.commit({"web.yaml": deployment("web"), "settings.yaml": config("settings", {"a": "1"})}, "start")
    return gitops


def applied(house: House) -> list[str]:
    return [call for call in house.engine.calls if call.startswith("apply")]


def test_a_new_commit_is_synced_and_told_once(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.start(interval=0.1)
    house.until(lambda: house.occasions() == ["sync-started", "sync-succeeded"])
    web.commit({"web.yaml": deployment("web", "web:2")})
    house.until(lambda: house.occasions() == ["sync-started", "sync-succeeded"] * 2)
    time.sleep(0.5)
    assert applied(house) == ["apply ConfigMap/settings", "apply Deployment/web", "apply Deployment/web"]
    assert house.occasions() == ["sync-started", "sync-succeeded"] * 2
    assert sum("new commit" in line for line in house.lines) == 2
    assert "tend" in house.engine.calls


def test_drift_is_told_once_and_left_without_self_heal(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.start(interval=0.1)
    house.until(lambda: "sync-succeeded" in house.occasions())
    key = next(key for key in house.engine.live if key.kind == "Deployment")
    house.engine.live[key]["spec"]["replicas"] = 5
    house.until(lambda: "drift-found" in house.occasions())
    time.sleep(0.5)
    assert house.occasions().count("drift-found") == 1
    assert house.engine.live[key]["spec"]["replicas"] == 5


def test_self_heal_corrects_without_asking_the_repository(house: House, web: GitOps) -> None:
    house.create("web", web.url, self_heal=True)
    house.start()
    house.until(lambda: "sync-succeeded" in house.occasions())
    key = next(key for key in house.engine.live if key.kind == "Deployment")
    house.engine.live[key]["spec"]["replicas"] = 5
    house.until(lambda: "replicas" not in house.engine.live[key]["spec"])
    assert house.said("web: what runs was changed")


def test_self_heal_backs_off_and_gives_up(house: House, web: GitOps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(worker, "LONGEST_PAUSE", 0.05)
    house.create("web", web.url, self_heal=True)
    house.start()
    house.until(lambda: "sync-succeeded" in house.occasions())
    house.engine.during = lambda manifest: house.engine.live[manifest.key].update(touched=True)
    house.engine.live.clear()
    house.until(lambda: house.said("not corrected until the next commit"), 30)
    count = len(applied(house))
    time.sleep(0.5)
    assert len(applied(house)) == count
    assert sum("what runs was changed" in line for line in house.lines) == worker.MOST_HEALS


def test_attempts_wait_longer_each_time() -> None:
    attempts, now, waits = worker.Attempts(), 1000.0, []
    for _ in range(8):
        waits.append(attempts.pause(now))
        now += waits[-1]
        attempts.add("c", now)
    assert waits == [0, 5, 10, 20, 40, 80, 160, 180]
    attempts.see("d")
    assert attempts.pause(now) == 0


def test_what_fails_for_days_is_waited_for_no_longer() -> None:
    attempts = worker.Attempts()
    for now in range(5000):
        attempts.add("c", now)
    assert attempts.pause(now) == worker.longer(100_000) == worker.LONGEST_PAUSE


def test_auto_sync_off_touches_nothing(house: House, web: GitOps) -> None:
    house.create("web", web.url, auto_sync=False)
    house.start(interval=0.1)
    house.until(lambda: Store("web").state().revision)
    time.sleep(0.3)
    assert applied(house) == []
    keeper = house.keeper()
    keeper.change(replace(Store("web").app(), auto_sync=True), house.lines.append)
    assert applied(house) != []


def test_a_broken_repository_leaves_the_last_good_state(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.start(interval=0.1)
    house.until(lambda: "sync-succeeded" in house.occasions())
    live = dict(house.engine.live)
    web.commit({"web.yaml": "kind: [\n"})
    house.until(lambda: house.said("web: ComparisonError: "))
    time.sleep(0.4)
    assert house.engine.live == live
    assert sum("ComparisonError" in line for line in house.lines) == 1
    view = house.keeper().view("web")
    assert (view.sync, view.conditions[0].type) == ("Unknown", "ComparisonError")
    web.commit({"web.yaml": deployment("web", "web:2")})
    house.until(lambda: house.said("no more: ComparisonError"))
    house.until(lambda: house.occasions().count("sync-succeeded") == 2)


def test_a_repository_that_is_away_and_comes_back_forced(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.start(interval=0.1)
    house.until(lambda: "sync-succeeded" in house.occasions())
    away = web.folder.rename(web.folder.with_name("away"))
    house.until(lambda: house.said("ComparisonError"))
    assert applied(house)
    away.rename(web.folder)
    git(web.folder, "commit", "-q", "--amend", "-m", "forced", "--allow-empty")
    web.commit({"web.yaml": deployment("web", "web:3")})
    git(web.folder, "reset", "-q", "--soft", "HEAD^")
    git(web.folder, "commit", "-q", "--amend", "-m", "forced again")
    house.until(lambda: Store("web").state().synced == git(web.folder, "rev-parse", "HEAD"))


def test_a_sync_that_fails_is_not_tried_again_and_stays_told(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.engine.refused.add("web")
    house.start(interval=0.1)
    house.until(lambda: "sync-failed" in house.occasions())
    time.sleep(0.5)
    assert house.occasions().count("sync-failed") == 1
    assert not house.said("no more")
    house.engine.refused.clear()
    web.commit({"settings.yaml": config("settings", {"a": "2"})})
    house.until(lambda: house.said("no more: "))


def test_an_engine_that_goes_away_in_the_middle_and_comes_back(
    house: House, web: GitOps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.1)
    house.create("web", web.url)

    def break_down(manifest: Manifest) -> None:
        house.engine.down = "the engine is away"

    house.engine.during = break_down
    house.start()
    house.until(lambda: house.said("web: the engine is away"))
    time.sleep(0.5)
    assert sum(line == "web: the engine is away" for line in house.lines) == 1
    house.engine.during = lambda _manifest: None
    house.engine.down = ""
    house.until(lambda: Store("web").state().synced)
    house.until(lambda: house.said("no more: the engine is away"))
    assert house.keeper().view("web").sync == "Synced"


def test_applications_come_and_go(house: House, web: GitOps) -> None:
    house.start()
    house.create("web", web.url)
    house.create("left", web.url, engine="argocd")
    house.until(lambda: "sync-succeeded" in house.occasions())
    assert house.said("left: left to Argo CD")
    house.keeper().delete("web", house.lines.append, cascade=True, data=False)
    house.until(lambda: house.agent and house.agent.health()["applications"] == 0)
    house.create("web", web.url)
    house.until(lambda: house.occasions().count("sync-succeeded") == 2)


def test_only_the_named_ones(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.create("api", web.url)
    house.start("api")
    house.until(lambda: "sync-succeeded" in house.occasions())
    assert {occasion.app for occasion in house.told} == {"api"}


def test_two_agents_on_one_application(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    with (Store("web").folder / "agent.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write("4711\n")
        other.flush()
        house.start()
        house.until(
            lambda: house.said("web: kept by the agent with process 4711; waiting until that is gone")
        )
        assert house.make("web").once()
        assert applied(house) == []
        assert sum("kept by" in line for line in house.lines) == 2
    house.until(lambda: house.said("taken over"))
    house.until(lambda: "sync-succeeded" in house.occasions())


def test_a_command_beside_it(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.start(interval=0.05)
    for number in range(5):
        web.commit({"settings.yaml": config("settings", {"a": str(number)})})
        house.keeper().sync("web", SyncRequest(), house.lines.append)
    with Store("web").locked(5):
        before = len(house.lines)
        time.sleep(0.4)
        assert len(house.lines) == before
    house.until(lambda: house.keeper().view("web").sync == "Synced")


def test_once(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.create("gone", str(web.folder / "none"))
    assert not house.make().once()
    assert house.said("gone: ComparisonError")
    assert house.make("web").once()
    assert applied(house)


def test_it_ends_in_the_middle_of_a_sync_and_goes_on_the_next_time(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    house.engine.during = lambda manifest: (
        house.agent.stop.set() if manifest.key.kind == "ConfigMap" else None
    )  # type: ignore[union-attr] # it is there
    house.start()
    house.until(lambda: house.said("left in the middle"))
    house.end()
    operation = Store("web").state().operation
    assert operation is not None
    assert operation.phase == "Error"
    assert not house.engine.live.keys() - {key for key in house.engine.live if key.kind == "ConfigMap"}
    house.engine.during = lambda _manifest: None
    house.start()
    house.until(lambda: Store("web").state().synced)


def keep(path: Path, lag: float) -> None:
    """What a process does that is killed."""
    quick()
    keeper = OwnKeeper(Settings(), engine=lambda _app, _settings: FileEngine(path, lag))
    loop.Agent(loop.Plan(interval=0.1), lambda _app: keeper, lambda _name, _text: None).run()


@pytest.mark.parametrize("after", [1, 3, 5])
def test_killed_in_the_middle_of_a_sync_it_ends_in_the_same_state(
    house: House, gitops: GitOps, tmp_path: Path, after: int
) -> None:
    gitops.commit({f"{name}.yaml": config(name, {"a": "1"}) for name in "abcdef"})
    path = tmp_path / "live.json"
    OwnKeeper(Settings()).create(App("web", gitops.url), upsert=False)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=keep, args=(path, 0.3))
    process.start()
    house.until(lambda: path.exists() and len(json.loads(path.read_text())) >= after)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(10)
    assert len(json.loads(path.read_text())) == after
    house.engine = FileEngine(path, 0)
    house.start()
    house.until(lambda: Store("web").state().synced)
    assert sorted(key.name for key in house.engine.live) == list("abcdef")
    view = house.keeper().view("web")
    assert (view.sync, view.health, view.operation and view.operation.phase) == (
        "Synced",
        "Healthy",
        "Succeeded",
    )
    assert [one.number for one in house.keeper().history("web")] == [0]


SECRET = "hook-secret-of-the-tests"


def hook(url: str, branch: str = "main") -> bytes:
    after = "b" * 40
    return json.dumps(
        {"ref": f"refs/heads/{branch}", "after": after, "repository": {"clone_url": url, "full_name": "a/b"}}
    ).encode()


def post(
    port: int, body: bytes, *, secret: str = SECRET, path: str = "/api/webhook", **headers: str
) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = {"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signature}"}
    connection.request(
        "POST", path, body, {**given, **{name.replace("_", "-"): text for name, text in headers.items()}}
    )
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    return answer.status, found


@pytest.fixture
def forge(web: GitOps, tmp_path: Path) -> None:
    """Let git find the forge's repository on this machine."""
    (tmp_path / "gitconfig").write_text(
        f'[url "{web.folder}"]\n\tinsteadOf = https://git.example.test/acme/gitops.git\n'
    )


def test_a_webhook_has_it_looked_at_at_once(house: House, web: GitOps, forge: None) -> None:
    house.create("web", "https://git.example.test/acme/gitops.git", revision="main")
    house.create("tag", "https://git.example.test/acme/gitops.git", revision="refs/heads/main")
    house.create("other", web.url)
    agent = house.start(listen=("127.0.0.1", 0), secrets=(SECRET,))
    house.until(lambda: house.occasions().count("sync-succeeded") == 3)
    web.commit({"web.yaml": deployment("web", "web:2")})
    start = time.monotonic()
    assert post(agent.port, hook("git@git.example.test:acme/gitops.git")) == (
        202,
        {"message": "heard", "applications": 2},
    )
    house.until(lambda: house.occasions().count("sync-succeeded") >= 4)
    assert time.monotonic() - start < 5
    assert house.said("web: github tells of a push")
    assert post(agent.port, hook("git@git.example.test:acme/gitops.git", "topic"))[1]["applications"] == 0
    assert post(agent.port, hook("https://elsewhere.test/acme/gitops.git"))[1]["applications"] == 0


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"secret": "wrong"}, 401),
        ({"X_Hub_Signature_256": ""}, 401),
        ({"X_GitHub_Event": "ping"}, 200),
        ({"X_GitHub_Event": "issues"}, 200),
        ({"path": "/"}, 404),
        ({"Origin": "http://rebound.example.test:8484"}, 403),
        ({"body": b"{}"}, 400),
        ({"body": b"\xff"}, 400),
        ({"Content_Length": "-1"}, 411),
        ({"Content_Length": "99999999999"}, 413),
    ],
    ids=str,
)
def test_what_the_door_refuses(house: House, given: dict[str, object], status: int) -> None:
    agent = house.start(listen=("127.0.0.1", 0), secrets=(SECRET,))
    house.until(lambda: agent.port)
    body = given.pop("body", hook("https://git.example.test/a/b"))
    assert post(agent.port, body, **given)[0] == status  # type: ignore[arg-type] # any of them
    assert (status < 300) != house.said("webhook from 127.0.0.1 refused")
    assert not house.said(SECRET)


def test_healthz(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    agent = house.start(listen=("127.0.0.1", 0))
    house.until(lambda: agent.port and agent.health()["applications"])
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=10)
    connection.request("GET", "/healthz")
    assert json.loads(connection.getresponse().read()) == {"status": "ok", "applications": 1}
    connection.close()


def test_silent_clients_do_not_hold_it_up(house: House) -> None:
    agent = house.start(listen=("127.0.0.1", 0), secrets=(SECRET,))
    house.until(lambda: agent.port)
    silent = [socket.create_connection(("127.0.0.1", agent.port)) for _ in range(5)]
    assert post(agent.port, hook("https://git.example.test/a/b"))[0] == 202
    for client in silent:
        client.close()


def test_clients_that_drip_do_not_hold_it_up_for_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LONGEST", 0.5)
    agent = house.start(listen=("127.0.0.1", 0), secrets=(SECRET,))
    house.until(lambda: agent.port)
    dripping = [socket.create_connection(("127.0.0.1", agent.port)) for _ in range(server.MOST_AT_ONCE)]
    for client in dripping:
        client.sendall(b"POST /api/webhook HTTP/1.1\r\nX: ")

    def heard() -> bool:
        for client in dripping:
            with contextlib.suppress(OSError):
                client.send(b"x")
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", agent.port), timeout=5) as asking,
        ):
            asking.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            return asking.recv(16) != b""
        return False

    assert not heard()
    house.until(heard)
    for client in dripping:
        client.close()


def test_the_door_is_another_agents_until_that_is_gone(house: House, web: GitOps) -> None:
    house.create("web", web.url)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        agent = house.start(listen=("127.0.0.1", other.getsockname()[1]))
        house.until(lambda: house.said("no webhooks are heard for now"))
        house.until(lambda: "sync-succeeded" in house.occasions())
        assert agent.port == 0
    house.until(lambda: agent.port)


def test_an_address_of_another_machine(house: House) -> None:
    agent = house.make(listen=("192.0.2.1", 80))
    with pytest.raises(EnvironmentProblem, match=r"cannot listen on 192\.0\.2\.1:80"):
        agent.run()
