"""`gitops app` as its user sees it: what it prints, and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from dispatchfile.apps import own
from dispatchfile.apps.store import Store
from dispatchfile.cli import gitops_app_verbs
from dispatchfile.cli.main import main
from tests.apps.dummy_engine import DummyEngine
from tests.apps.repository import GitOps, config, deployment


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gitconfig").touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setattr(gitops_app_verbs, "SETTLED", 0.0)


@pytest.fixture
def gitops(tmp_path: Path) -> GitOps:
    made = GitOps(tmp_path / "gitops")
    made.commit({"web.yaml": deployment("web"), "settings.yaml": config("settings", {"a": "1"})}, "Say hello")
    return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> DummyEngine:
    """The engine that every application has, whatever it asks for."""
    made = DummyEngine()
    defaults = own.OwnKeeper.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "engine", lambda _app, _settings: made)
    return made


class Shell:
    """Runs `gitops app`; `out` and `err` are what it printed last."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, line: str, *more: str) -> int:
        code = main(["gitops", "app", *line.split(), *more])
        self.out, self.err = self._capsys.readouterr()
        return code


@pytest.fixture
def app(capsys: pytest.CaptureFixture[str], engine: DummyEngine) -> Shell:
    return Shell(capsys)


@pytest.fixture
def web(app: Shell, gitops: GitOps) -> Shell:
    assert app("create web --repo", gitops.url) == 0
    return app


def test_create_syncs_and_says_how_it_stands(app: Shell, gitops: GitOps) -> None:
    assert app("create web --repo", gitops.url) == 0
    assert "auto-sync is on, so it is synced now" in app.err
    assert "apps/Deployment default/web: applied" in app.err
    assert re.search(r"^web  Synced, Healthy$", app.out, re.MULTILINE)
    assert re.search(r"^  commit      [0-9a-f]{10} Say hello$", app.out, re.MULTILINE)
    assert re.search(r"^  answers at  http://127\.0\.0\.1:8080/$", app.out, re.MULTILINE)
    assert re.search(r"^KIND +NAMESPACE +NAME +STATUS +HEALTH$", app.out, re.MULTILINE)
    assert re.search(r"^Deployment +default +web +Synced +Healthy$", app.out, re.MULTILINE)
    assert "next:" not in app.out


def test_create_without_a_sync(app: Shell, gitops: GitOps, engine: DummyEngine) -> None:
    assert app("create web --auto-sync off --repo", gitops.url) == 0
    assert engine.calls == []
    assert "web  OutOfSync, Missing" in app.out
    assert "next: `dispatchfile gitops app diff web` shows what differs" in app.out


def test_a_relative_path_and_options_are_kept(
    app: Shell, gitops: GitOps, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert app(
        "create web --repository gitops --path ./ --revision main --dest-namespace shop --prune --self-heal on "
        "--strict off --recurse --no-sync --allow-host-path gitops --allow-privileged"
    ) == 0  # fmt: skip
    kept = Store("web").app()
    assert (kept.repository, kept.path, kept.revision, kept.namespace) == (gitops.url, ".", "main", "shop")
    assert (kept.prune, kept.self_heal, kept.strict, kept.recurse, kept.privileged) == (
        True,
        True,
        False,
        True,
        True,
    )
    assert kept.host_paths == (gitops.url,)


@pytest.mark.parametrize(
    ("line", "why", "advice"),
    [
        ("create web", "no repository is given", "--repo URL"),
        ("create Web --repo x", '"Web" cannot be the name', "small letters"),
        ("create web --repo ext::sh", "the remote helper of ext:: is not allowed", "https"),
        ("create web --repo x --path ../y", "does not lie in the repository", "relative to its root"),
        ("create web --repo x --revision=-x", "cannot be a revision", "a branch"),
        ("create web --repo x --engine dokcer", '"dokcer" is not known', ""),
        ("create web --repo x --context y", "--context names a cluster", "--engine kube"),
        ("create web --repo x --dest-server y", "--dest-server is for Argo CD", "--context"),
        ("create web --repo x --engine kube --allow-privileged", "are for the local engine", "admission"),
        ("create web --repo x --allow-host-path /no/such", "there is no such folder", ""),
        ("get wep", 'there is no application "wep"', "list"),
        ("snyc web", '"snyc" is not known, did you mean "sync"?', ""),
        ("sync web --purne", 'unknown option "--purne"', "--prune"),
        ("wait web --timeout soon", '--timeout "soon" is not a duration', "90s"),
    ],
)
def test_what_cannot_be_asked_ends_with_2(app: Shell, line: str, why: str, advice: str) -> None:
    assert app(line) == 2
    assert why in app.err
    assert advice in app.err


def test_get_tells_of_a_broken_repository_and_what_to_do(web: Shell, gitops: GitOps) -> None:
    gitops.commit({"web.yaml": "kind: [\n"})
    assert web("refresh web") == 1
    assert "web  Unknown, Healthy" in web.out
    assert re.search(r"^ComparisonError: web\.yaml:2: ", web.out, re.MULTILINE)
    assert "next: mend the repository" in web.out
    assert web("diff web --exit-code") == 1
    assert "ComparisonError" in web.err


def test_diff_and_its_exit_codes(web: Shell, gitops: GitOps, engine: DummyEngine) -> None:
    assert web("diff web --exit-code") == 0
    assert web.out == ""
    first = next(key for key in engine.live if key.kind == "ConfigMap")
    engine.live[first] = {**engine.live[first], "data": {"a": "by hand"}}
    assert web("diff web") == 1
    assert web.out == (
        "===== /ConfigMap default/settings ======\n@@ -1,6 +1,6 @@\n apiVersion: v1\n data:\n-  a: by hand\n+  a: '1'\n"
        " kind: ConfigMap\n metadata:\n   name: settings\n"
    )
    assert web("diff web --exit-code") == 20
    gitops.commit({"settings.yaml": config("settings", {"a": "by hand"})})
    assert web("diff web --revision main") == 0
    assert web("diff web --revision mian") == 2


def test_a_diff_shows_no_secret(web: Shell, gitops: GitOps, engine: DummyEngine) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"a": "first-Geheim"},
    }
    web("set web --auto-sync off")
    gitops.commit({"s.yaml": json.dumps(secret)})
    web("sync web")
    gitops.commit({"s.yaml": json.dumps({**secret, "stringData": {"a": "second-Geheim"}})})
    assert web("diff web") == 1
    assert len(re.findall(r"^[-+]  a: hidden-[0-9a-f]{12}$", web.out, re.MULTILINE)) == 2
    assert web("get web -o json --refresh") == 0
    assert "Geheim" not in web.out


def test_sync_prints_what_it_does_and_then_how_it_stands(web: Shell, gitops: GitOps) -> None:
    gitops.commit({"web.yaml": deployment("web", "web:2")})
    assert web("sync web --dry-run") == 0
    assert web.out == "would apply apps/Deployment default/web (Sync, wave 0)\n"
    assert web("sync web -q") == 0
    assert web.err == ""
    assert "web  Synced, Healthy" in web.out


def test_a_sync_that_fails_ends_with_1_and_shows_the_table(
    web: Shell, gitops: GitOps, engine: DummyEngine
) -> None:
    engine.refused.add("web")
    gitops.commit({"web.yaml": deployment("web", "web:2")})
    assert web("sync web") == 1
    assert "error: apps/Deployment default/web: the engine refused it" in web.err
    assert re.search(r"^  last sync   Failed .* by user", web.out, re.MULTILINE)
    assert re.search(r"^SyncError: ", web.out, re.MULTILINE)


@pytest.mark.parametrize(("health", "code"), [("Healthy", 0), ("Degraded", 1), ("Progressing", 124)])
def test_wait(web: Shell, engine: DummyEngine, health: str, code: int) -> None:
    engine.health["web"] = health  # type: ignore[assignment] # one of them
    assert web("wait web --timeout 1s") == code
    assert ("after 1 s" in web.err) is (code == 124)


def test_an_engine_that_is_gone(web: Shell, engine: DummyEngine) -> None:
    engine.down = "the engine does not answer"
    assert web("get web") == 0
    assert "EngineError: the engine does not answer" in web.out
    assert web("sync web") == 4
    assert web("list") == 0
    assert re.search(r"^web +Unknown +Unknown +local", web.out, re.MULTILINE)


def test_one_broken_application_hides_no_other(web: Shell, tmp_path: Path) -> None:
    broken = tmp_path / "state" / "dispatchfile" / "apps" / "other"
    broken.mkdir()
    (broken / "app.json").write_text("{")
    assert web("list") == 0
    assert re.search(r"^web +Synced +Healthy", web.out, re.MULTILINE)
    assert re.search(r"^other +Unknown +Unknown .*is damaged", web.out, re.MULTILINE)


def test_history_and_rollback(web: Shell, gitops: GitOps, engine: DummyEngine) -> None:
    gitops.commit({"web.yaml": deployment("web", "web:2")}, "Say more")
    assert web("refresh web") == 0
    assert web("history web") == 0
    assert re.search(r"^0 +\S+ \S+ +[0-9a-f]{10} +user +Say hello +web:1$", web.out, re.MULTILINE)
    assert web("history web -o id") == 0
    assert web.out == "0\n1\n"
    assert web("rollback web") == 2
    assert "--auto-sync off" in web.err
    assert web("set web --auto-sync off") == 0
    assert web("rollback web") == 0
    assert (
        engine.live[next(key for key in engine.live if key.name == "web")]["spec"]["template"]["spec"][
            "containers"
        ][0]["image"]
        == "web:1"
    )
    assert web("rollback web x") == 2
    assert web("rollback web 9") == 2


def test_set_on_brings_the_repository_back(web: Shell, engine: DummyEngine) -> None:
    assert web("set web --auto-sync off") == 0
    engine.live.clear()
    assert web("refresh web") == 0
    assert engine.live == {}
    assert web("set web --auto-sync on") == 0
    assert len(engine.live) == 2
    assert web("set web") == 2
    assert "nothing is to be changed" in web.err


def test_delete(web: Shell, engine: DummyEngine) -> None:
    assert web("delete web") == 2
    assert "--yes does" in web.err
    assert web("delete web --no-cascade --data --yes") == 2
    assert web("delete web --yes --data") == 0
    assert engine.live == {}
    assert engine.data_removed
    assert web("get web") == 2
    assert web("list") == 0
    assert "no application yet" in web.err


@pytest.mark.parametrize("verb", ["get web", "list", "history web"])
def test_for_programs(web: Shell, verb: str) -> None:
    assert web(f"{verb} -o yaml") == 0
    as_yaml = yaml.safe_load(web.out)
    assert web(f"{verb} --json") == 0
    found = json.loads(web.out)
    assert found == as_yaml
    one = found[0] if isinstance(found, list) else found
    if verb != "history web":
        assert {"sync": one["sync"], "health": one["health"], "kinds": [r["kind"] for r in one["resources"]]} == {
            "sync": "Synced", "health": "Healthy", "kinds": ["ConfigMap", "Deployment"],
        }  # fmt: skip


def test_names_only(web: Shell) -> None:
    assert web("list -o name") == 0
    assert web.out == "web\n"


def test_what_a_repository_says_does_not_steer_the_terminal(web: Shell, gitops: GitOps) -> None:
    gitops.commit({"web.yaml": deployment("web", "web:2")}, "evil \x1b[2J subject")
    assert web("refresh web") == 0
    assert "\x1b" not in web.out + web.err
    assert "evil �[2J subject" in web.out


def test_create_again_and_a_dry_run(web: Shell, gitops: GitOps) -> None:
    assert web("create web --path x --repo", gitops.url) == 2
    assert "--upsert" in web.err
    assert web("create other --dry-run -o yaml --repo", gitops.url) == 0
    assert yaml.safe_load(web.out)["name"] == "other"
    assert web("list -o name") == 0
    assert web.out == "web\n"


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_nothing_steers_the_terminal_in_data_either(web: Shell, gitops: GitOps, output: str, read) -> None:  # type: ignore[no-untyped-def] # one of two functions
    said = "\x9b31m \x1b]0;x\x07 \u202eabc \u2066 ü"
    gitops.commit({"settings.yaml": config("settings", {"a": said})}, "evil \x9b2J")
    assert web("refresh web") == 0
    assert web(f"get web -o {output}") == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", web.out)
    settings = next(one for one in read(web.out)["resources"] if one["name"] == "settings")
    assert settings["wanted"]["data"]["a"] == said
