"""Schedules: the CronJob and its ConfigMap, and the script that puts the commit in, against real repositories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import EvaluationError
from dispatchfile.record import replace
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.triggers import cron
from dispatchfile.tekton.triggers import objects as triggers
from dispatchfile.tekton.triggers.waiting import Settings
from tests.event import pipelines
from tests.tekton import crds, listener

URL = "https://git.example.com/acme/shop.git"
OPTIONS = Options("shop", namespace="ci")
SETTINGS = Settings(repository=URL)
ALL_PARAMS = """
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
task:
  unit:
    inputs: [src]
    steps: [{name: run, image: "tool:1", command: [echo, $(context.git.branch), $(context.build.name), $(context.git.tag)]}]
"""


def objects(
    on: str, name: str = "nightly", options: Options = OPTIONS, settings: Settings = SETTINGS
) -> dict[str, dict[str, Any]]:
    """Return the objects of a pipeline with one cron action, by kind."""
    named = f"name: {name}, " if name else ""
    text = f"{ALL_PARAMS}\nactions: [{{{named}tasks: [unit], on: {{cron: {on}}}}}]\n"
    made = triggers.objects(pipelines.pipeline(text), options, settings)
    assert crds.validate_all(made.objects) == []
    return {one["kind"]: one for one in made.objects}


def run_of(made: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made["ConfigMap"]["data"]["run.json"])
    return found


def pod_of(made: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = made["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


def test_a_schedule_has_a_config_map_and_a_job_and_no_listener() -> None:
    made = objects("{schedule: '0 3 * * 1-5'}")
    assert list(made) == ["Pipeline", "ConfigMap", "CronJob"]
    spec = made["CronJob"]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "0 3 * * 1-5",
        "Etc/UTC",
        "Forbid",
    )
    assert made["CronJob"]["metadata"] == {
        "name": "shop-nightly",
        "namespace": "ci",
        "labels": {"app.kubernetes.io/managed-by": "dispatchfile"},
    }
    assert crds.validate(run_of(made)) == []


def test_the_run_has_a_place_for_the_commit_and_what_is_known_now() -> None:
    run = run_of(objects("{schedule: '@daily', revision: release/1.x}"))
    assert listener.params(run) == {
        "git-url": URL,
        "git-commit": cron.COMMIT,
        "git-branch": "release/1.x",
        "git-tag": "",
        "build-name": "release/1.x",
    }
    assert run["metadata"]["generateName"] == "acme-shop-release-1-x-"
    assert run["metadata"]["labels"] == {"build": "release-1.x", "owner": "acme", "repository": "shop"}
    assert run["spec"]["pipelineRef"] == {"name": "shop-nightly"}


@pytest.mark.parametrize(
    ("on", "default", "revision", "branch", "build"),
    [
        ("{schedule: '@daily'}", "", "HEAD", "", "nightly"),
        ("{schedule: '@daily'}", "trunk", "trunk", "trunk", "trunk"),
        ("{schedule: '@daily', revision: main}", "trunk", "main", "main", "main"),
        ("{schedule: '@daily', git: {revision: dev}}", "trunk", "dev", "dev", "dev"),
        ("{schedule: '@daily', revision: refs/heads/x}", "", "refs/heads/x", "x", "x"),
        ("{schedule: '@daily', revision: refs/tags/v1}", "", "refs/tags/v1", "", "nightly"),
        (f"{{schedule: '@daily', revision: {'ab' * 20}}}", "", "ab" * 20, "", "nightly"),
    ],
)  # fmt: skip
def test_the_revision(on: str, default: str, revision: str, branch: str, build: str) -> None:
    made = objects(on, settings=replace(SETTINGS, revision=default))
    env = {one["name"]: one["value"] for one in pod_of(made)["initContainers"][0]["env"]}
    assert (env["REPOSITORY"], env["REVISION"], env["FALLBACK"]) == (URL, revision, revision)
    given = listener.params(run_of(made))
    assert (given["git-branch"], given["build-name"]) == (branch, build)


@pytest.mark.parametrize(
    ("on", "field"),
    [
        ("{schedule: '0 25 * * *'}", "schedule"),
        ("{schedule: '@dauly'}", "schedule"),
        ("{schedule: '0 4 8-14 * * test $(date +%u) -eq 6'}", "schedule"),
        ("{schedule: '@daily', revision: '-x'}", "revision"),
        ("{schedule: '@daily', revision: 'a b'}", "revision"),
        ("{schedule: '@daily', revision: '$(HOME)'}", "revision"),
        ("{schedule: '@daily', revision: 'a*'}", "revision"),
    ],
)
def test_what_a_cluster_would_refuse_or_git_misread_is_an_error_at_its_place(on: str, field: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        objects(on)
    (found,) = raised.value.diagnostics
    assert (found.code, found.path) == ("DF806", f"on.cron.{field}")
    assert found.span is not None
    assert f"{field}: {found.span.text}" in on


def test_names_fit() -> None:
    made = objects("{schedule: '@daily'}", name="n" * 60, options=replace(OPTIONS, name="x" * 40))
    assert len(made["CronJob"]["metadata"]["name"]) <= 52
    assert made["CronJob"]["metadata"]["name"] == made["ConfigMap"]["metadata"]["name"]
    assert pod_of(made)["volumes"][0]["configMap"]["name"] == made["ConfigMap"]["metadata"]["name"]


def test_images_are_those_asked_for_and_nothing_runs_as_root() -> None:
    made = objects(
        "{schedule: '@daily'}",
        options=replace(OPTIONS, git_image="my/git:1"),
        settings=replace(SETTINGS, kubectl_image="my/kubectl:2"),
    )
    pod = pod_of(made)
    assert [one["image"] for one in (*pod["initContainers"], *pod["containers"])] == [
        "my/git:1",
        "my/kubectl:2",
    ]
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False


# The script


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with branches, a light and an annotated tag, and a tag that is called as a branch."""
    there = tmp_path_factory.mktemp("repository")
    git(there, "init", "-q", "-b", "main")
    for name in ("one", "two", "three"):
        git(there, "commit", "-q", "--allow-empty", "-m", name)
        git(there, "tag", f"at-{name}")
    git(there, "tag", "-a", "-m", "v1", "v1", "at-one")
    git(there, "branch", "release/1.x", "at-two")
    git(there, "branch", "both", "at-two")
    git(there, "tag", "both", "at-one")
    return there


def git(there: Path, *arguments: str) -> str:
    who = (
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@example.com",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    )
    done = subprocess.run(["git", *who, *arguments], cwd=there, check=True, capture_output=True, text=True)
    return done.stdout.strip()


SHELLS = [shell for shell in ("sh", "bash", "busybox") if shutil.which(shell)]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return ["busybox", "sh"] if request.param == "busybox" else [request.param]


def started(
    made: Mapping[str, Any], repository: str, folder: Path, shell: list[str]
) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """Return the run that the job's first container writes for a repository of this machine, and what it said."""
    for name, text in made["ConfigMap"]["data"].items():
        (folder / name).write_text(text, encoding="utf-8")
    container = pod_of(made)["initContainers"][0]
    env = {one["name"]: one["value"] for one in container["env"]}
    env |= {"REPOSITORY": repository, "TEMPLATE": str(folder / "run.json"), "RUN": str(folder / "made.json")}
    env |= {"GIT_ALLOW_PROTOCOL": "file", "PATH": os.environ["PATH"], "HOME": str(folder)}
    assert container["command"] == ["sh", "/dispatchfile/template/schedule.sh"]
    done = subprocess.run(
        [*shell, str(folder / "schedule.sh")], env=env, check=True, capture_output=True, text=True, timeout=60
    )
    return json.loads((folder / "made.json").read_text(encoding="utf-8")), done


@pytest.mark.parametrize(
    ("revision", "commit"),
    [
        ("HEAD", "main"),
        ("main", "main"),
        ("release/1.x", "at-two"),
        ("refs/heads/release/1.x", "at-two"),
        ("heads/release/1.x", "at-two"),
        ("v1", "at-one"),
        ("refs/tags/v1", "at-one"),
        ("at-two", "at-two"),
        ("both", "refs/tags/both"),
    ],
)
def test_the_commit_is_that_which_git_fetches(
    revision: str, commit: str, repository: Path, tmp_path: Path, shell: list[str]
) -> None:
    made = objects(f"{{schedule: '@daily', revision: {revision}}}")
    run, done = started(made, str(repository), tmp_path, shell)
    expected = git(repository, "rev-parse", f"{commit}^{{commit}}")
    template = run_of(made)
    assert json.dumps(run) == json.dumps(template).replace(cron.COMMIT, expected)
    assert listener.params(run)["git-commit"] == expected
    assert expected in done.stdout
    assert done.stderr == ""


def test_a_full_hash_is_taken_as_it_is(tmp_path: Path, shell: list[str]) -> None:
    made = objects(f"{{schedule: '@daily', revision: {'ab' * 20}}}")
    run, _done = started(made, "/no/such/place", tmp_path, shell)
    assert listener.params(run)["git-commit"] == "ab" * 20


@pytest.mark.parametrize("revision", ["gone", "o'br\"ien&|/x", "größe", "%s"])
@pytest.mark.parametrize("there", [True, False], ids=["unknown", "unreachable"])
def test_where_no_commit_is_found_the_run_gets_the_revision(
    revision: str, there: bool, repository: Path, tmp_path: Path, shell: list[str]
) -> None:
    made = objects(f"{{schedule: '@daily', revision: {json.dumps(revision, ensure_ascii=False)}}}")
    run, done = started(made, str(repository) if there else "/no/such/place", tmp_path, shell)
    assert listener.params(run)["git-commit"] == revision
    assert f"warning: no commit found for {revision} of " in done.stderr


def test_a_repository_that_looks_like_an_option_is_none(tmp_path: Path, shell: list[str]) -> None:
    made = objects("{schedule: '@daily'}")
    marker = tmp_path / "pwned"
    run, _done = started(made, f"--upload-pack=touch {marker};", tmp_path, shell)
    assert listener.params(run)["git-commit"] == "HEAD"
    assert not marker.exists()
