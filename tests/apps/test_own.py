"""The keeper: what becomes of an application as its repository and what runs change."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from dispatchfile.apps import own
from dispatchfile.apps.app import App
from dispatchfile.apps.auto import due, reconcile
from dispatchfile.apps.engines import Settings
from dispatchfile.apps.keeper import SyncRequest
from dispatchfile.apps.own import INTERRUPTED, OwnKeeper
from dispatchfile.apps.status import Deployment, View
from dispatchfile.apps.store import Store
from dispatchfile.apps.sync import SyncFailed
from dispatchfile.errors import EnvironmentProblem, TimedOut, UsageError
from dispatchfile.notify import Occasion
from dispatchfile.record import replace
from tests.apps.dummy_engine import DummyEngine
from tests.apps.repository import GitOps, config, deployment, git

HOOK = "argocd.argoproj.io/hook"
WAVE = "argocd.argoproj.io/sync-wave"


class House:
    """A keeper of one application "web", its engine and its repository."""

    def __init__(self, gitops: GitOps, **fields: object) -> None:
        self.gitops = gitops
        self.engine = DummyEngine()
        self.said: list[str] = []
        self.told: list[Occasion] = []
        self.keeper = OwnKeeper(Settings(), engine=lambda _app, _settings: self.engine, tell=self.told.append)
        self.app = App("web", gitops.url, **fields)  # type: ignore[arg-type] # any field

    def create(self) -> House:
        self.keeper.create(self.app, upsert=False)
        return self

    def sync(self, **request: object) -> View:
        return self.keeper.sync("web", SyncRequest(**request), self.said.append)  # type: ignore[arg-type] # any field

    def reconcile(self) -> View:
        return reconcile(self.keeper, self.app, self.said.append)

    @property
    def names(self) -> set[str]:
        return {f"{key.kind}/{key.name}" for key in self.engine.live}


@pytest.fixture
def house(gitops: GitOps) -> House:
    gitops.commit({"web.yaml": deployment("web"), "settings.yaml": config("settings", {"a": "1"})}, "start")
    return House(gitops)


def test_nothing_is_known_before_the_repository_is_asked(house: House) -> None:
    view = house.create().keeper.view("web")
    assert (view.sync, view.health, view.resources) == ("Unknown", "Unknown", ())


def test_refresh_compares_and_touches_nothing(house: House) -> None:
    view = house.create().keeper.refresh("web")
    assert (view.sync, view.health) == ("OutOfSync", "Missing")
    assert [resource.place for resource in view.resources] == ["settings.yaml:1", "web.yaml:1"]
    assert house.engine.calls == []


def test_sync_brings_it_about_and_is_remembered(house: House) -> None:
    head = git(house.gitops.folder, "rev-parse", "HEAD")
    view = house.create().sync()
    assert (view.sync, view.health, view.revision, view.synced) == ("Synced", "Healthy", head, head)
    assert house.engine.calls == ["apply ConfigMap/settings", "apply Deployment/web"]
    assert view.operation is not None
    assert view.operation.phase == "Succeeded"
    (entry,) = house.keeper.history("web")
    assert (entry.number, entry.revision, entry.subject, entry.images) == (0, head, "start", ("web:1",))
    assert [occasion.what for occasion in house.told] == ["sync-started", "sync-succeeded"]


def test_what_is_as_wanted_is_not_touched(house: House) -> None:
    house.create().sync()
    house.engine.calls.clear()
    house.sync()
    assert house.engine.calls == []


def test_a_sync_with_nothing_to_do_looks_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.create().sync()
    looks: list[int] = []
    observe = house.engine.observe
    monkeypatch.setattr(house.engine, "observe", lambda app, wanted: looks.append(1) or observe(app, wanted))
    monkeypatch.setattr(house.engine, "apply", lambda *_args: pytest.fail("there is nothing to apply"))
    assert house.sync().sync == "Synced"
    assert len(looks) == 1


def test_what_is_synced_and_not_healthy_is_applied_all_the_same(house: House) -> None:
    house.create().sync()
    house.engine.health["web"] = "Degraded"
    view = house.sync()
    assert view.operation is not None
    assert [one.message for one in view.operation.results] == ["unchanged", "unchanged"]
    assert view.health == "Degraded"


def test_a_pushed_commit_is_synced_once(house: House) -> None:
    house.create().reconcile()
    house.gitops.commit({"web.yaml": deployment("web", "web:2")})
    house.engine.calls.clear()
    assert house.reconcile().sync == "Synced"
    assert house.engine.calls == ["apply Deployment/web"]
    assert len(house.keeper.history("web")) == 2


def test_a_commit_that_failed_is_not_tried_again_but_the_next_is(house: House) -> None:
    house.engine.refused.add("web")
    house.create()
    with pytest.raises(SyncFailed, match="the engine refused it"):
        house.reconcile()
    view = house.reconcile()
    assert view.operation is not None
    assert (view.operation.phase, view.conditions[-1].type) == ("Failed", "SyncError")
    assert house.engine.calls == ["apply ConfigMap/settings"]
    house.engine.refused.clear()
    house.gitops.commit({"web.yaml": deployment("web", "web:2")})
    assert house.reconcile().sync == "Synced"


def test_what_ended_outside_is_tried_again(house: House) -> None:
    house.create()

    def goes_away(_manifest: object) -> None:
        house.engine.down = "the engine is gone"

    house.engine.during = goes_away
    with pytest.raises(EnvironmentProblem, match="the engine is gone"):
        house.reconcile()
    house.engine.down, house.engine.during = "", lambda _manifest: None
    view = house.reconcile()
    assert (view.sync, view.operation and view.operation.phase) == ("Synced", "Succeeded")


@pytest.mark.parametrize(
    ("fields", "corrected"),
    [({}, False), ({"self_heal": True}, True), ({"auto_sync": False}, False)],
    ids=str,
)
def test_drift_is_corrected_with_self_heal_alone(
    gitops: GitOps, house: House, fields: dict[str, bool], corrected: bool
) -> None:
    house.app = replace(house.app, **fields)
    house.create().sync()
    key = next(key for key in house.engine.live if key.kind == "ConfigMap")
    house.engine.live[key] = {**house.engine.live[key], "data": {"a": "by hand"}}
    view = house.reconcile()
    assert (view.sync == "Synced") is corrected
    assert "drift-found" in [occasion.what for occasion in house.told]
    house.reconcile()
    assert [occasion.what for occasion in house.told].count("drift-found") == 1


def test_auto_sync_off_touches_nothing_and_on_corrects_at_once(house: House) -> None:
    house.app = replace(house.app, auto_sync=False)
    house.create()
    assert house.reconcile().sync == "OutOfSync"
    assert house.engine.calls == []
    view = house.keeper.change(replace(house.app, auto_sync=True), house.said.append)
    assert view.sync == "Synced"


def test_another_path_of_the_same_commit_is_synced(house: House) -> None:
    house.gitops.commit({"other/web.yaml": deployment("other")})
    house.create().sync()
    house.keeper.change(replace(house.app, path="other", prune=True), house.said.append)
    assert house.names == {"Deployment/other"}


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"web.yaml": "kind: [\n"}, r"web\.yaml:2: "),
        (
            {"web.yaml": deployment("web") + "\n---\n" + deployment("web")},
            r"is there twice: web\.yaml:1 and web\.yaml",
        ),
        ({"web.yaml": None, "settings.yaml": None}, "there are no manifests"),
    ],
    ids=["broken YAML", "an object twice", "nothing left"],
)
def test_a_broken_commit_leaves_what_runs(house: House, broken: dict[str, str | None], why: str) -> None:
    good = house.create().sync().revision
    house.engine.calls.clear()
    house.gitops.commit({"README.md": "x", **broken})
    view = house.reconcile()
    (condition,) = view.conditions
    assert condition.type == "ComparisonError"
    assert re.search(why, condition.message)
    assert (view.sync, view.health, view.synced) == ("Unknown", "Healthy", good)
    assert house.engine.calls == []
    assert house.names == {"Deployment/web", "ConfigMap/settings"}
    house.gitops.commit(
        {"web.yaml": deployment("web", "web:3"), "settings.yaml": config("settings", {"a": "1"})}
    )
    assert house.reconcile().conditions == ()


def test_an_unreachable_repository_leaves_what_runs(house: House) -> None:
    house.create().sync()
    house.gitops.folder.rename(house.gitops.folder.with_name("elsewhere"))
    view = house.reconcile()
    assert (view.sync, view.health) == ("Unknown", "Healthy")
    assert "there is no repository at" in view.conditions[0].message
    with pytest.raises(EnvironmentProblem, match="there is no repository at"):
        house.sync()
    assert len(house.engine.live) == 2


def test_a_force_push_is_followed(house: House) -> None:
    first = house.create().sync().revision
    house.gitops.commit({"web.yaml": deployment("web", "web:2")})
    house.sync()
    git(house.gitops.folder, "reset", "-q", "--hard", first)
    house.gitops.commit({"web.yaml": deployment("web", "web:other")}, "forced")
    view = house.reconcile()
    assert view.sync == "Synced"
    assert [one.images for one in house.keeper.history("web")] == [("web:1",), ("web:2",), ("web:other",)]


def test_rollback_to_a_commit_that_the_repository_forgot(house: House) -> None:
    house.app = replace(house.app, auto_sync=False)
    first = house.create().sync().revision
    git(house.gitops.folder, "checkout", "-q", "--orphan", "new")
    house.gitops.commit({"web.yaml": deployment("web", "web:2")})
    git(house.gitops.folder, "branch", "-M", "new", "main")
    house.sync()
    house.gitops.folder.rename(house.gitops.folder.with_name("unreachable"))
    view = house.keeper.rollback("web", 0, house.said.append, prune=False)
    assert (view.synced, view.sync) == (first, "OutOfSync")
    assert [one.number for one in house.keeper.history("web")] == [0, 1, 2]


@pytest.mark.parametrize(("number", "why"), [(7, "has no deployment 7"), (0, "auto-sync is on")])
def test_a_rollback_that_cannot_be(house: House, number: int, why: str) -> None:
    house.app = replace(house.app, auto_sync=number == 0)
    house.create().sync()
    with pytest.raises(UsageError, match=why):
        house.keeper.rollback("web", number, house.said.append, prune=False)


def test_what_is_gone_is_removed_when_asked(house: House) -> None:
    house.create().sync()
    house.gitops.commit({"settings.yaml": None})
    assert house.reconcile().sync == "OutOfSync"
    view = house.sync()
    assert [(one.key.name, one.done) for one in view.operation.results if one.done != "Synced"] == [  # type: ignore[union-attr] # it was synced
        ("settings", "PruneSkipped")
    ]
    assert due(house.reconcile()) == ""
    assert house.sync(prune=True).sync == "Synced"
    assert house.names == {"Deployment/web"}


def test_what_others_need_is_removed_last(house: House) -> None:
    namespace = '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}'
    house.gitops.commit({"a.yaml": namespace, "z.yaml": deployment("z", namespace="shop")})
    house.create().sync()
    house.gitops.commit({"a.yaml": None, "z.yaml": None, "settings.yaml": None})
    house.engine.calls.clear()
    house.sync(prune=True)
    assert house.engine.calls == ["prune Deployment/z", "prune ConfigMap/settings", "prune Namespace/shop"]


@pytest.mark.parametrize(
    ("annotation", "sync"),
    [
        ({"argocd.argoproj.io/sync-options": "Prune=false"}, "OutOfSync"),
        (
            {
                "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
                "argocd.argoproj.io/sync-options": "Prune=false",
            },
            "Synced",
        ),
    ],
    ids=["not pruned", "no difference either"],
)
def test_an_object_that_is_to_stay(house: House, annotation: dict[str, str], sync: str) -> None:
    house.gitops.commit({"settings.yaml": config("settings", annotations=annotation)})
    house.create().sync()
    house.gitops.commit({"settings.yaml": None})
    assert house.sync(prune=True).sync == sync
    assert "ConfigMap/settings" in house.names


def test_waves_and_hooks(house: House) -> None:
    house.gitops.commit(
        {
            "before.yaml": config("before", annotations={HOOK: "PreSync"}),
            "after.yaml": config(
                "after",
                annotations={HOOK: "PostSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"},
            ),
            "failed.yaml": config("failed", annotations={HOOK: "SyncFail"}),
            "first.yaml": deployment("first", annotations={WAVE: "-1"}),
            "last.yaml": config("last", annotations={WAVE: "5"}),
        }
    )
    view = house.create().sync()
    assert house.engine.calls == [
        "apply ConfigMap/before", "apply Deployment/first", "apply ConfigMap/settings", "apply Deployment/web",
        "apply ConfigMap/last", "apply ConfigMap/after", "prune ConfigMap/after",
    ]  # fmt: skip
    assert view.sync == "Synced"
    assert {one.key.name for one in view.resources} == {"first", "settings", "web", "last"}


def test_hooks_of_the_phase_sync_run_each_time_and_are_waited_for(house: House) -> None:
    once = {HOOK: "Sync", "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation,HookFailed"}
    house.gitops.commit({"during.yaml": deployment("during", annotations=once)})
    house.create().sync()
    house.engine.calls.clear()
    house.sync(dry_run=True)
    assert "would apply apps/Deployment default/during (Sync, wave 0)" in house.said
    house.sync()
    assert house.engine.calls == ["prune Deployment/during", "apply Deployment/during"]
    house.engine.health["during"] = "Degraded"
    with pytest.raises(SyncFailed, match="Deployment default/during is degraded"):
        house.sync()
    assert house.engine.calls[-1] == "prune Deployment/during"


def test_a_commit_that_wants_nothing_removes_all_only_when_asked(house: House) -> None:
    house = House(house.gitops, prune=True)
    house.create().sync()
    files: dict[str, str | None] = dict.fromkeys(("settings.yaml", "web.yaml"))
    house.gitops.commit({**files, "kustomization.yaml": "resources: []\n"})
    view = house.reconcile()
    assert (view.sync, [one.type for one in view.conditions]) == ("OutOfSync", ["SyncError"])
    assert "auto-sync would remove all there is" in view.conditions[0].message
    assert house.names
    house.sync()
    assert not house.names


@pytest.mark.parametrize("mark", [{HOOK: "PostDelete"}, {HOOK: "PreSink"}, {"helm.sh/hook": "pre-delete"}])
def test_a_hook_that_is_never_run_is_told(house: House, mark: dict[str, str]) -> None:
    house.gitops.commit({"last.yaml": config("last", annotations=mark)})
    view = house.create().sync()
    assert [one.type for one in view.conditions] == ["SourceWarning"]
    assert "last.yaml:1: ConfigMap default/last is a hook of P" in view.conditions[0].message
    assert "ConfigMap/last" not in house.names


def test_health_that_is_to_be_ignored(house: House) -> None:
    ignored = {"argocd.argoproj.io/ignore-healthcheck": "true"}
    house.gitops.commit({"slow.yaml": deployment("slow", annotations=ignored)})
    house.engine.health["slow"] = "Degraded"
    assert house.create().sync().health == "Healthy"


def test_a_failed_wave_ends_the_sync_and_runs_the_hooks_of_failure(house: House) -> None:
    house.gitops.commit(
        {
            "first.yaml": deployment("first", annotations={WAVE: "-1"}),
            "failed.yaml": config("failed", annotations={HOOK: "SyncFail"}),
        }
    )
    house.engine.health["first"] = "Degraded"
    with pytest.raises(SyncFailed, match="Deployment default/first is degraded"):
        house.create().sync()
    assert house.engine.calls == ["apply Deployment/first", "apply ConfigMap/failed"]


def test_a_wave_that_never_gets_healthy(house: House) -> None:
    house.gitops.commit({"first.yaml": deployment("first", annotations={WAVE: "-1"})})
    house.engine.health["first"] = "Progressing"
    with pytest.raises(TimedOut, match=r"not healthy after 0\.2 s: .*first"):
        house.create().sync(timeout=0.2)
    assert house.keeper.view("web").operation.phase == "Failed"  # type: ignore[union-attr] # it was tried


def test_kinds_that_the_engine_does_not_know(house: House) -> None:
    house.engine.unknown.add("Deployment")
    view = house.create().sync()
    assert view.sync == "Synced"
    assert view.conditions[0].type == "UnsupportedKindWarning"
    with pytest.raises(SyncFailed, match="does not know this kind"):
        house.sync(strict=True)


def test_a_part_of_it(house: House) -> None:
    house.create().sync(only=("configmap/settings",))
    assert house.names == {"ConfigMap/settings"}
    assert house.keeper.history("web") == ()
    with pytest.raises(UsageError, match='no object "Deployment/wep"') as caught:
        house.sync(only=("Deployment/wep",))
    assert caught.value.help == 'did you mean "Deployment/web"?'
    operation = house.keeper.view("web").operation
    assert operation is not None
    assert operation.phase == "Succeeded"


def test_a_dry_run_says_what_would_be(house: House) -> None:
    house.create().sync(dry_run=True)
    assert house.said == [
        "would apply ConfigMap default/settings (Sync, wave 0)",
        "would apply apps/Deployment default/web (Sync, wave 0)",
    ]
    assert house.engine.live == {}
    assert house.keeper.view("web").operation is None


def test_another_revision_for_this_once(house: House) -> None:
    first = git(house.gitops.folder, "rev-parse", "HEAD")
    house.gitops.commit({"web.yaml": deployment("web", "web:2")})
    house.create()
    with pytest.raises(UsageError, match="auto-sync is on"):
        house.sync(revision=first)
    house.keeper.create(replace(house.app, auto_sync=False), upsert=True)
    view = house.sync(revision=first)
    assert (view.synced, view.sync) == (first, "OutOfSync")


def test_create_again(house: House) -> None:
    house.create().create()
    other = replace(house.app, path="other")
    with pytest.raises(UsageError, match="already, and it is another"):
        house.keeper.create(other, upsert=False)
    house.keeper.create(other, upsert=True)
    assert house.keeper.view("web").app.path == "other"
    with pytest.raises(UsageError, match="cannot move"):
        house.keeper.create(replace(other, engine="kube"), upsert=True)


@pytest.mark.parametrize("cascade", [True, False])
def test_delete(house: House, cascade: bool) -> None:
    house.create().sync()
    house.keeper.delete("web", house.said.append, cascade=cascade, data=False)
    assert (house.engine.live == {}) is cascade
    with pytest.raises(UsageError, match='no application "web"'):
        house.keeper.view("web")


def test_an_application_that_is_deleted_while_another_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.create()
    store = Store("web")
    monkeypatch.setattr(own, "find", lambda _name, _home: store)
    store.remove()
    with pytest.raises(UsageError, match='no application "web"'):
        house.sync()


def test_the_history_is_limited(house: House) -> None:
    house.create()
    for _ in range(12):
        house.sync()
    assert [one.number for one in house.keeper.history("web")] == list(range(2, 12))


def _killed_in_the_middle(url: str) -> None:
    engine = DummyEngine()
    engine.during = lambda _manifest: os.kill(os.getpid(), signal.SIGKILL)
    keeper = OwnKeeper(Settings(), engine=lambda _app, _settings: engine)
    keeper.create(App("web", url), upsert=False)
    keeper.sync("web", SyncRequest(by="agent"), lambda _line: None)


def test_a_sync_whose_process_was_killed_is_done_again(house: House) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=_killed_in_the_middle, args=(house.gitops.url,)
    )
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    kept = Store("web").state().operation
    assert kept is not None
    assert kept.phase == "Running"
    operation = house.keeper.view("web").operation
    assert operation is not None
    assert (operation.phase, operation.message) == ("Error", INTERRUPTED)
    assert house.reconcile().sync == "Synced"


def test_a_sync_killed_while_it_was_remembered_stands_once_in_the_history(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.create().sync()
    tip = house.gitops.commit({"web.yaml": deployment("web", "web:2")})
    save = Store.save_history

    def killed(store: Store, history: Sequence[Deployment]) -> None:
        save(store, history)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Store, "save_history", killed)
        house.sync(by="agent")
    view = house.reconcile()
    assert (view.sync, view.synced) == ("Synced", tip)
    assert [(one.number, one.revision == tip) for one in house.keeper.history("web")] == [
        (0, False),
        (1, True),
    ]


def test_one_at_a_time(house: House) -> None:
    house.create()
    with Store("web").locked(0), pytest.raises(TimedOut, match="another process is working on web"):
        house.sync(by="agent")
    house.sync()


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("app.json", "{", "app create web` anew"),
        ("state.json", '{"version": 1, "state": {"nonsense": 1}}', "--refresh` finds out anew"),
        ("state.json", '{"version": 99}', "use the program that wrote it"),
    ],
    ids=["no JSON", "other fields", "of a newer program"],
)
def test_a_broken_state_is_told(house: House, file: str, text: str, why: str) -> None:
    house.create().sync()
    path = Path(os.environ["XDG_STATE_HOME"]) / "dispatchfile" / "apps" / "web" / file
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(text)
    with pytest.raises(EnvironmentProblem) as caught:
        house.keeper.view("web")
    assert file in caught.value.message
    assert why in caught.value.help


def test_a_mistyped_name(house: House) -> None:
    house.create()
    with pytest.raises(UsageError) as caught:
        house.keeper.view("wep")
    assert caught.value.help == 'did you mean "web"?'
