"""`dispatchfile tekton`, from the command line on."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatchfile import atomic
from dispatchfile.cli import rerun
from dispatchfile.cli.main import main
from dispatchfile.run.history import RunFolder
from tests.event.repository import commit, git
from tests.tekton import crds

Captured = pytest.CaptureFixture[str]

FILE = """\
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
task:
  test:
    inputs: [src]
    steps: [{name: unit, image: busybox:1, command: [make, test]}]
  deploy:
    deps: [test]
    steps: [{name: set, image: busybox:1, args: ["$(context.build.name)"], livenessProbe: {}}]
actions:
- tasks: [deploy]
  on: {push: {branches: [main]}}
- tasks: [test]
  on: {pull_request: {targets: [main]}}
"""
URL = "https://git.example.com/acme/shop.git"
DROPPED = "warning[DF801]: `livenessProbe` of step"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone whose commit is on its remote."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", URL)
    commit(folder, Dispatchfile_yaml=FILE, README="")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(folder)
    return folder


def emitted(text: str) -> list[dict[str, object]]:
    objects = list(yaml.safe_load_all(text))
    assert crds.validate_all(objects) == []
    return objects


def test_a_push_gives_a_pipeline_and_its_run(repo: Path, capsys: Captured) -> None:
    assert main(["tekton"]) == 0
    out, err = capsys.readouterr()
    pipeline, run = emitted(out)
    head = git(repo, "rev-parse", "HEAD")
    assert pipeline["metadata"]["name"] == "shop-push"
    assert [task["name"] for task in pipeline["spec"]["tasks"]] == ["test", "deploy"]
    assert run["metadata"]["generateName"] == f"acme-shop-main-{head[:7]}-"
    assert {param["name"]: param["value"] for param in run["spec"]["params"]} == {
        "git-url": URL, "git-commit": head, "build-name": "main",
    }  # fmt: skip
    assert out.startswith("# Made by dispatchfile; apply it with: kubectl create -f FILE (once: ")
    assert err.startswith(f"note: a push to main at {head[:10]}, guessed from HEAD")
    assert DROPPED in err
    assert "Dispatchfile.yaml:9:" in err


def test_the_same_twice(repo: Path, capsys: Captured) -> None:
    for _ in range(2):
        assert main(["tekton", "--workspace", "pvc"]) == 0
    out = capsys.readouterr().out
    assert out[: len(out) // 2] == out[len(out) // 2 :]


@pytest.mark.parametrize(
    ("arguments", "kinds", "name"),
    [
        (["--kind", "pipeline"], ["Pipeline"], "shop-push"),
        (["--kind", "run"], ["PipelineRun"], None),
        (["test"], ["Pipeline", "PipelineRun"], "shop-test"),
        (["--task", "test", "deploy"], ["Pipeline", "PipelineRun"], "shop-test-deploy"),
        (["--event", "pull-request", "--target", "main", "--number", "7"], ["Pipeline", "PipelineRun"], "shop-pull-request"),
        (["--number", "7", "--target", "main"], ["Pipeline", "PipelineRun"], "shop-pull-request"),
        (["--number", "7", "--target-branch", "main"], ["Pipeline", "PipelineRun"], "shop-pull-request"),
        (["--target", "tekton", "--name", "cart"], ["Pipeline", "PipelineRun"], "cart-push"),
        (["--all"], ["Pipeline", "Pipeline"], "shop-push"),
        (["--all", "--kind", "pipeline"], ["Pipeline", "Pipeline"], "shop-push"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value[0].startswith(("-", "t")) else "",
)  # fmt: skip
def test_which_objects(
    repo: Path, arguments: list[str], kinds: list[str], name: str | None, capsys: Captured
) -> None:
    assert main(["tekton", "-q", *arguments]) == 0
    out, err = capsys.readouterr()
    objects = emitted(out)
    assert [one["kind"] for one in objects] == kinds
    assert objects[0]["metadata"].get("name") == name
    assert err == ""


def test_how_they_are_made(repo: Path, capsys: Captured) -> None:
    options = [
        "--namespace", "ci", "--service-account", "builder", "--timeout", "2h", "--workspace", "pvc", "--volume-size", "3Gi",
        "--git-image", "git:1", "--image", "busybox=toolbox:2",
    ]  # fmt: skip
    assert main(["tekton", "-q", *options]) == 0
    pipeline, run = emitted(capsys.readouterr().out)
    assert pipeline["metadata"]["namespace"] == run["metadata"]["namespace"] == "ci"
    assert run["spec"]["taskRunTemplate"] == {"serviceAccountName": "builder"}
    assert run["spec"]["timeouts"] == {"pipeline": "2h"}
    claim = run["spec"]["workspaces"][0]["volumeClaimTemplate"]["spec"]
    assert claim["resources"]["requests"]["storage"] == "3Gi"
    images = {step["image"] for task in pipeline["spec"]["tasks"] for step in task["taskSpec"]["steps"]}
    assert images == {"git:1", "toolbox:2"}


def test_nothing_fires(repo: Path, capsys: Captured) -> None:
    assert main(["tekton", "--event", "push", "--branch", "other", "--commit", "HEAD"]) == 0
    assert capsys.readouterr() == ("", "nothing to emit: no action fires; `dispatchfile plan` says why\n")


def test_files(repo: Path, capsys: Captured) -> None:
    assert main(["tekton", "--out", "deploy/ci"]) == 0
    out, err = capsys.readouterr()
    names = ["pipeline-shop-push.yaml", "pipelinerun-shop-push.yaml"]
    assert out == ""
    assert err.endswith("".join(f"wrote deploy/ci/{name}\n" for name in names))
    assert sorted(path.name for path in Path("deploy/ci").iterdir()) == names
    objects = [yaml.safe_load(Path("deploy/ci", name).read_text()) for name in names]
    assert crds.validate_all(objects) == []
    assert "kubectl apply" in Path("deploy/ci", names[0]).read_text().partition("\n")[0]
    assert "kubectl create" in Path("deploy/ci", names[1]).read_text().partition("\n")[0]


def test_files_of_before_are_written_anew_and_those_of_others_are_not(repo: Path, capsys: Captured) -> None:
    assert main(["tekton", "-q", "--out", "ci"]) == 0
    assert main(["tekton", "-q", "--out", "ci", "--namespace", "ci"]) == 0
    first, second = Path("ci/pipeline-shop-push.yaml"), Path("ci/pipelinerun-shop-push.yaml")
    assert "namespace: ci" in first.read_text()
    second.write_text("mine\n")
    kept = first.read_text()
    assert main(["tekton", "-q", "--out", "ci"]) == 2
    assert "pipelinerun-shop-push.yaml was not made by dispatchfile" in capsys.readouterr().err
    assert (first.read_text(), second.read_text()) == (kept, "mine\n")
    assert main(["tekton", "-q", "--out", "ci", "--force"]) == 0
    assert "namespace: ci" not in first.read_text()
    assert "PipelineRun" in second.read_text()
    assert sorted(path.name for path in Path("ci").iterdir()) == [first.name, second.name]


def test_a_link_is_replaced_and_not_followed(repo: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.yaml"
    target.write_text("# Made by dispatchfile\n")
    Path("ci").mkdir()
    Path("ci/pipeline-shop-push.yaml").symlink_to(target)
    assert main(["tekton", "-q", "--out", "ci"]) == 0
    assert target.read_text() == "# Made by dispatchfile\n"
    assert not Path("ci/pipeline-shop-push.yaml").is_symlink()


def test_a_link_out_of_the_repository_is_not_followed(repo: Path, tmp_path: Path, capsys: Captured) -> None:
    """Whoever proposes a change could let the check of it write somewhere else."""
    outside = tmp_path / "home"
    outside.mkdir()
    Path("ci").symlink_to(outside)
    for folder in ("ci", "ci/", "ci/below", "./x/../ci"):
        assert main(["tekton", "-q", "--out", folder]) == 2
        assert capsys.readouterr().err.startswith(
            f"error: {folder} leads out of the repository, to {outside}"
        )
    assert list(outside.iterdir()) == []
    assert main(["tekton", "-q", "--out", "ci", "--force"]) == 0
    assert main(["tekton", "-q", "--out", str(outside)]) == 0
    Path("inside").mkdir()
    Path("link").symlink_to("inside")
    assert main(["tekton", "-q", "--out", "link"]) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("url: $(context.git.url)", "url: https://me:hunter2xyz@git.test/x"),
        (
            "image: busybox:1, command",
            "image: busybox:1, env: [{name: API_TOKEN, value: hunter2xyz}], command",
        ),
    ],
    ids=["url", "env"],
)
def test_secrets_that_stand_in_the_dispatchfile_are_told_of(
    repo: Path, capsys: Captured, old: str, new: str
) -> None:
    assert main(["tekton"]) == 0
    assert "holds a secret" not in capsys.readouterr().err
    Path("Dispatchfile.yaml").write_text(FILE.replace(old, new))
    assert main(["tekton"]) == 0
    out, err = capsys.readouterr()
    assert "note: Pipeline shop-push holds a secret that stands in the Dispatchfile" in err
    assert ("hunter2xyz" in out, "hunter2xyz" in err) == (True, False)


def test_names_in_a_repository_move_no_cursor(repo: Path, capsys: Captured) -> None:
    commit(repo, **{"a\x1b[2J": "1"})
    git(repo, "update-ref", "refs/remotes/origin/main", "HEAD")
    Path("a\x1b[2J").write_text("2")
    assert main(["tekton"]) == 0
    assert "does not reach the cluster: a\ufffd[2J" in capsys.readouterr().err


@pytest.mark.parametrize("end", ["/dev/zero", "pipe"])
def test_what_has_no_end_is_not_read(repo: Path, end: str, capsys: Captured) -> None:
    os.mkfifo("pipe")
    Path("ci").mkdir()
    Path("ci/pipeline-shop-push.yaml").symlink_to(Path(end).absolute())
    assert main(["tekton", "-q", "--out", "ci", "--check"]) == 1
    assert main(["tekton", "-q", "--out", "ci"]) == 2
    assert "was not made by dispatchfile" in capsys.readouterr().err


def test_where_nothing_can_be_written(repo: Path, capsys: Captured) -> None:
    Path("taken").write_text("")
    assert main(["tekton", "-q", "--out", "taken"]) == 2
    assert capsys.readouterr().err == "error: taken is no folder\nhelp: choose another --out\n"
    assert main(["tekton", "-q", "--out", "taken/below"]) == 4
    assert "error: cannot write taken/below/pipeline-shop-push.yaml: " in capsys.readouterr().err


def test_a_full_disk_leaves_all_files_as_they_were(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    assert main(["tekton", "-q", "--out", "ci"]) == 0
    before = {path.name: path.read_text() for path in Path("ci").iterdir()}
    staged = atomic.staged

    def full(path: Path, content: bytes, mode: int) -> Path:
        if path.name.startswith("pipelinerun"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return staged(path, content, mode)

    monkeypatch.setattr(atomic, "staged", full)
    assert main(["tekton", "-q", "--out", "ci", "--namespace", "other"]) == 4
    assert "cannot write ci/pipelinerun-shop-push.yaml: No space left" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in Path("ci").iterdir()} == before


def notes(err: str) -> list[str]:
    return [line.removeprefix("note: ") for line in err.splitlines() if line.startswith("note: ")][1:]


def test_what_a_cluster_does_not_get_is_told(repo: Path, capsys: Captured) -> None:
    assert main(["tekton"]) == 0
    assert notes(capsys.readouterr().err) == []
    with Path("Dispatchfile.yaml").open("a") as file:
        file.write("\n# which reaches it: the objects are made of it\n")
    assert main(["tekton"]) == 0
    assert notes(capsys.readouterr().err) == []
    Path("README").write_text("new")
    assert main(["tekton"]) == 0
    assert notes(capsys.readouterr().err) == ["what is not committed does not reach the cluster: README"]
    head = commit(repo, README="new")
    assert main(["tekton"]) == 0
    told = f"commit {head[:10]} is on no branch of a remote that is known here: git push"
    assert notes(capsys.readouterr().err) == [told]


@pytest.mark.parametrize("words", [[], ["--kind", "run"], ["--all"], ["--target", "pac"]])
def test_an_image_that_replaces_none_is_told(repo: Path, words: list[str], capsys: Captured) -> None:
    assert main(["tekton", *words, "--image", "busybox=toolbox:2", "--image", "bussybox=toolbox:3"]) == 0
    out, err = capsys.readouterr()
    assert "image: toolbox:2" in out
    assert "note: --image bussybox=toolbox:3 replaces nothing: no step that is emitted says bussybox\n" in err
    assert "--image busybox=" not in err


@pytest.mark.parametrize("url", [None, "/srv/git/shop.git", "http://127.0.0.1:3000/acme/shop.git"])
def test_a_repository_on_this_machine_is_told(repo: Path, url: str | None, capsys: Captured) -> None:
    git(repo, "remote", "remove", "origin")
    if url:
        git(repo, "remote", "add", "origin", url)
    assert main(["tekton"]) == 0
    told = f"a cluster cannot fetch from {url or repo}, which is on this machine"
    assert notes(capsys.readouterr().err) == [told]


@pytest.mark.parametrize("clones", [True, False])
def test_what_a_cluster_cannot_keep_is_told(clones: bool, repo: Path, capsys: Captured) -> None:
    step = f"{{name: s, image: busybox:1, args: [{'x' * 900_000}]}}"
    inputs = "inputs: [src], " if clones else ""
    source = "resource: {src: {type: git, param: {url: https://forge.test/app}}}\n"
    Path("Dispatchfile.yaml").write_text(f"{source}task: {{a: {{{inputs}steps: [{step}]}}}}\nactions: []\n")
    commit(repo)
    assert main(["tekton", "a"]) == 0
    assert notes(capsys.readouterr().err) == []
    assert main(["tekton", "a", "--kind", "run"]) == 0
    less = "let tasks share their clones with --workspace pvc, or " if clones else ""
    assert (
        f"PipelineRun becomes 1.7 MiB large, and clusters usually keep 1.5: {less}run fewer tasks at once"
        in notes(capsys.readouterr().err)
    )


def test_an_event_from_elsewhere_needs_no_repository(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    body = {
        "ref": "refs/heads/main", "after": "ab" * 20, "before": "cd" * 20, "commits": [], "deleted": False,
        "repository": {"clone_url": "https://git.example.com/acme/cart.git", "full_name": "acme/cart"},
    }  # fmt: skip
    away = tmp_path / "away"
    away.mkdir()
    (away / "push.json").write_text(json.dumps(body))
    monkeypatch.chdir(away)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert main(["-f", str(repo / "Dispatchfile.yaml"), "tekton", "-q", "--event-file", "push.json"]) == 0
    run = emitted(capsys.readouterr().out)[1]
    assert run["metadata"]["generateName"] == "acme-cart-main-abababa-"


def past_run(repo: Path, *asked: str, **facts: Any) -> str:
    """Keep a run of the repository as `run` does, and return its id."""
    event = {"kind": "push", "url": URL, "commit": "ab" * 20, "branch": "release", "labels": None}
    record = {
        "repository": str(repo), "directory": str(repo), "file": None, "event": event, "asked": list(asked), "plan": [],
        "steps": [], "options": {"image": ["busybox=toolbox:3"], "untracked": None}, "rerun_of": None, "dry_run": False,
        **facts,
    }  # fmt: skip
    assert record.keys() >= {"directory", "file", "event", "asked", "options"}
    with RunFolder(record) as folder:
        folder.finish({}, {})
    return folder.id


@pytest.mark.parametrize("name", ["last", "id"])
def test_what_an_earlier_run_ran(repo: Path, name: str, capsys: Captured) -> None:
    run_id = past_run(repo, "test")
    assert main(["tekton", "-q", "--from-run", run_id if name == "id" else name]) == 0
    pipeline, run = emitted(capsys.readouterr().out)
    assert pipeline["metadata"]["name"] == "shop-test"
    assert {"name": "git-commit", "value": "ab" * 20} in run["spec"]["params"]
    assert "toolbox:3" in str(pipeline)
    assert run["metadata"]["labels"]["build"] == "release"


@pytest.mark.parametrize(
    ("branch", "asked", "fired", "name"),
    [
        ("main", "deploy", True, "shop-push"),
        ("main", "deploy", False, "shop-deploy"),
        ("main", "test", True, "shop-test"),
        ("other", "deploy", True, "shop-deploy"),
    ],
    ids=["by-an-event", "by-name", "the-action-has-other-tasks", "the-action-has-other-branches"],
)
def test_what_an_event_ran_keeps_its_name(
    repo: Path, branch: str, asked: str, fired: bool, name: str, capsys: Captured
) -> None:
    event = {"kind": "push", "url": URL, "commit": "ab" * 20, "branch": branch, "labels": None}
    past_run(repo, asked, event=event, fired=fired)
    assert main(["tekton", "-q", "--from-run", "last"]) == 0
    pipeline, run = emitted(capsys.readouterr().out)
    assert pipeline["metadata"]["name"] == name
    assert run["metadata"]["annotations"]["tasks"] == asked


def test_paths_beside_from_run_are_seen_from_here(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    run_id = past_run(repo, "test")
    away = tmp_path / "away"
    away.mkdir()
    (away / "mine.yaml").write_text(FILE.replace("unit", "mine"), encoding="utf-8")
    monkeypatch.chdir(away)
    assert (
        main(["-f", "mine.yaml", "tekton", "-q", "--from-run", run_id, "--out", "ci", "--kind", "pipeline"])
        == 0
    )
    assert "name: mine" in (away / "ci/pipeline-shop-test.yaml").read_text()
    assert not (repo / "ci").exists()


def test_the_record_of_a_run_has_what_is_read_here() -> None:
    assert "image" in rerun.REMEMBERED


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from-run", "none-such"], 'no run is called "none-such"'),
        (["--from-run", "last", "test"], "--from-run takes tasks and event from that run; a task does not"),
        (["--from-run", "last", "--event", "push"], "an event does not go with it"),
        (["--all", "test"], "--all emits the Pipelines of all actions; a task does not go with it"),
        (["--all", "--kind", "run"], "--all emits the Pipelines of all actions; --kind does not go with it"),
        (["--target", "pac", "--event", "push"], "--target pac emits what waits for the events of all actions; an event"),
        (["--target", "triggers", "--kind", "run"], "--kind does not go with it"),
        (["--target", "main", "--target-branch", "main"], "--target and --target-branch both name a branch"),
        (["--target", "trigger"], '--target "trigger" is nothing to emit for\nhelp: did you mean "triggers"? A branch of that'),
        (["--out="], "--out is empty"),
        (["--force"], "--force goes with --out DIR"),
        (["--timeout", "1d"], '--timeout "1d" is not a duration'),
        (["--timeout=-1h"], '--timeout "-1h" is not a duration'),
        (["--name", "My_App"], '--name "My_App" is no name of an object on a cluster'),
        (["--namespace", "a.b"], '--namespace "a.b" is no name'),
        (["--service-account", "a..b"], '--service-account "a..b" is no name'),
        (["--volume-size", "much"], '--volume-size "much": expected a number with a unit'),
        (["--volume-size", "0"], '--volume-size "0" is no size'),
        (["--git-image", "a b"], '--git-image "a b" names no image'),
        (["--image", "busybox"], '--image "busybox" names no image'),
        (["nothing"], 'there is no task "nothing"'),
        (["--kind", "task"], '--kind: "task" is not known'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_does_not_go(repo: Path, arguments: list[str], said: str, capsys: Captured) -> None:
    assert main(["tekton", *arguments]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_what_no_cluster_can_run_is_an_error(repo: Path, capsys: Captured) -> None:
    text = FILE.replace("command: [make, test]", "script: 'echo $(params.x)'")
    Path("Dispatchfile.yaml").write_text(text)
    assert main(["tekton", "-q", "--out", "ci"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "error[DF803]" in err
    assert "Dispatchfile.yaml:6:" in err
    assert not Path("ci").exists()


def test_bytes_that_are_no_text_are_an_error(repo: Path, capsys: Captured) -> None:
    assert main(["tekton", "-q", "--out", "ci", "deploy", "--build-name", "caf\udce9"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert 'there is the byte 0xe9 behind "caf", which is not UTF-8' in err
    assert not Path("ci").exists()


def test_without_a_repository_objects_need_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (tmp_path / "Dispatchfile.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert main(["tekton", "-q", "--all"]) == 2
    assert "help: give --name NAME" in capsys.readouterr().err
    assert main(["tekton", "-q", "--all", "--name", "cart"]) == 0
    assert [one["metadata"]["name"] for one in emitted(capsys.readouterr().out)] == [
        "cart-push",
        "cart-pull-request",
    ]
