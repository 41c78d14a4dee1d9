"""What inputs and outputs add to tasks, and what passes between tasks on the run's volume."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.diagnostics import Severity
from dispatchfile.tekton import pipeline, resources
from tests.tekton import crds
from tests.tekton.drafts import Object, drafted, found, spec, step, step_of, task_of, told
from tests.tekton.shells import SHELLS, run

GIT = {"type": "git", "param": {"url": "$(context.git.url)"}}
PLAIN = {"type": "storage", "param": {"type": "gcs", "location": ""}}
BUCKET = {"type": "storage", "param": {"type": "gcs", "location": "gs://b/x"}}
IMAGE = {"type": "image", "param": {"url": "me/app"}}


def task(inputs: str = "", outputs: str = "", **fields: Any) -> Object:
    return {"inputs": inputs.split(), "outputs": outputs.split(), "steps": [step()], **fields}


def steps(made: Object, name: str) -> list[str]:
    return [one["name"] for one in task_of(made, name)["taskSpec"]["steps"]]


@pytest.mark.parametrize("kind", ["git", "storage"])
def test_what_a_task_makes_reaches_others_as_copies(kind: str):
    resource = {"git": GIT, "storage": PLAIN}[kind]
    tasks = {"make": task(outputs="tree"), "use": task("tree"), "too": task("tree")}
    made = spec(tasks, {"tree": resource})
    maker = task_of(made, "make")
    assert maker["workspaces"] == [
        {"name": "output-tree", "workspace": "dispatch", "subPath": f"{kind}/tree"}
    ]
    assert maker["taskSpec"]["workspaces"] == [{"name": "output-tree", "mountPath": "/workspace/output/tree"}]
    assert steps(made, "make") == ["dispatch-prepare", "run"]
    for name in ("use", "too"):
        taker = task_of(made, name)
        assert taker["runAfter"] == ["make"]
        assert taker["workspaces"] == [
            {"name": "input-tree", "workspace": "dispatch", "subPath": f"{kind}/tree"}
        ]
        assert taker["taskSpec"]["workspaces"] == [
            {"name": "input-tree", "mountPath": "/dispatchfile/tree", "readOnly": True}
        ]
        assert steps(made, name) == ["dispatch-prepare", "dispatch-copy", "run"]
        assert step_of(made, name, "dispatch-copy")["args"] == ["/dispatchfile/tree", "/workspace/tree"]
    assert made["workspaces"] == [{"name": "dispatch", "description": "volume that the tasks share"}]
    assert resources.needs_volume(drafted(tasks, {"tree": resource}))


def test_storage_with_a_location_passes_through_its_bucket_alone():
    tasks = {"make": task(outputs="tree"), "use": task("tree")}
    made = spec(tasks, {"tree": BUCKET})
    assert steps(made, "make") == ["dispatch-prepare", "run", "dispatch-store-tree"]
    assert steps(made, "use") == ["dispatch-fetch-tree", "run"]
    assert "workspaces" not in made
    assert not resources.needs_volume(drafted(tasks, {"tree": BUCKET}))


def test_an_output_that_no_task_here_takes_needs_no_volume():
    made = spec({"make": task(outputs="tree")}, {"tree": GIT})
    assert "workspaces" not in made
    assert steps(made, "make") == ["dispatch-prepare", "run"]


def test_a_git_input_that_another_task_could_make_is_cloned_when_that_one_does_not_run():
    assert steps(spec({"use": task("tree")}, {"tree": GIT}), "use") == ["dispatch-clone-tree", "run"]


def test_an_image_input_adds_nothing():
    assert steps(spec({"use": task("app")}, {"app": IMAGE}), "use") == ["run"]


def test_a_task_without_resources_has_its_own_steps_only():
    made = spec({"test": [step()]})
    assert task_of(made, "test")["taskSpec"].keys() == {"stepTemplate", "steps"}


def test_a_volume_is_needed_for_shared_clones_alone_where_something_is_cloned():
    assert resources.needs_volume(drafted({"test": task("src")}, {"src": GIT}, workspace="pvc"))
    assert not resources.needs_volume(drafted({"test": task("src")}, {"src": GIT}))
    assert not resources.needs_volume(drafted({"test": [step()]}, {"src": GIT}, workspace="pvc"))


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (task("tree"), 'storage "tree" is empty when task "test" starts'),
        (task(outputs="tree"), 'storage "tree" is gone when task "test" ends'),
    ],
    ids=["input", "output"],
)
def test_storage_without_a_bucket_that_nobody_fills_or_takes_is_a_warning(one: Object, message: str):
    [warning] = found({"test": one}, {"tree": PLAIN})
    assert warning.severity is Severity.WARNING
    assert warning.message == f"{message}: without a `location` there is no bucket for it on a cluster"
    assert told(warning) == ("DF805", "resource.tree", '"tree"')


def test_a_cache_without_a_bucket_is_there_and_empty():
    one = drafted({"test": task("tree", "tree")}, {"tree": PLAIN})
    made = resources.parts(one, one.pipeline.tasks["test"])
    assert made.before[0]["args"] == ["/workspace/output/tree", "/workspace/tree"]
    assert [finding.severity for finding in one.found] == [Severity.WARNING] * 2
    assert not resources.needs_volume(one)


@pytest.mark.parametrize("kind", ["pullRequest", "cluster", "gcs"])
def test_a_type_that_nothing_carries_is_an_error(kind: str):
    [error] = found({"test": task("x")}, {"x": {"type": kind, "param": {}}})
    assert error.severity is Severity.ERROR
    assert error.message == (
        f'resource "x" is of type "{kind}", which Tekton no longer has; git, image and storage can be carried'
    )
    assert told(error) == ("DF805", "resource.x", '"x"')


@pytest.mark.parametrize("name", ["..", "a/b", "../../tekton/home", "a:b"])
@pytest.mark.parametrize("direction", ["inputs", "outputs"])
def test_a_name_never_leads_out_of_the_workspace(name: str, direction: str):
    [error] = found({"test": {direction: [name], "steps": [step()]}}, {name: GIT})
    assert error.message == f'resource "{name}" has a name that no directory can have'


def test_a_name_that_tekton_would_read_is_kept_from_it():
    made = spec({"test": task("$(params.x)")}, {"$(params.x)": GIT})
    env = step_of(made, "test", "dispatch-clone-params-x")["env"]
    assert env[:2] == [
        {"name": "DISPATCHFILE_DOLLAR", "value": "$"},
        {"name": "CLONE_TO", "value": "/workspace/$(DISPATCHFILE_DOLLAR)(params.x)"},
    ]


def test_many_tasks_take_time_in_proportion_to_their_number():
    """Counted, not measured: how often the names of resources are looked at."""
    counts = []
    for size in (20, 40):
        tasks = {f"t{n}": task("src") for n in range(size)}
        one = drafted(tasks, {"src": GIT}, workspace="pvc")
        seen = Counting(one.takers)
        object.__setattr__(one, "takers", seen)
        for planned in one.tasks:
            resources.parts(one, planned.task)
            resources.waits(one, planned.task)
        counts.append(seen.count)
    assert counts[1] <= 2 * counts[0]


class Counting(dict[str, Any]):
    count = 0

    def __getitem__(self, name: str) -> Any:
        self.count += 1
        return super().__getitem__(name)

    def items(self) -> Any:
        self.count += len(self)
        return super().items()


# The scripts


@pytest.mark.parametrize("shell", SHELLS)
def test_prepared_directories_are_empty_and_writable_for_every_user(shell: str, tmp_path: Path):
    below = tmp_path / "output/app/sub"
    below.mkdir(parents=True, mode=0o755)  # as Tekton makes working directories
    done = run(tmp_path, "prepare", {}, [str(tmp_path / "output/app"), str(tmp_path / "-a b")], shell)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for path in (below, below.parent, tmp_path / "-a b", tmp_path / "home/.config"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o777, path
    assert "directory = *" in (tmp_path / "home/.config/git/config").read_text()


@pytest.mark.parametrize("shell", SHELLS)
def test_copies_are_whole_and_writable_for_every_user(shell: str, tmp_path: Path):
    source = tmp_path / "from"
    (source / ".git").mkdir(parents=True)
    (source / ".git/HEAD").write_text("ref")
    (source / "run").write_text("#!/bin/sh")
    (source / "run").chmod(0o555)
    outside = tmp_path / "outside"
    outside.touch(mode=0o600)
    (source / "link").symlink_to(outside)
    (tmp_path / "more").mkdir()
    pairs = [str(source), str(tmp_path / "to"), str(tmp_path / "more"), str(tmp_path / "empty")]
    done = run(tmp_path, "copy", {}, pairs, shell)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "to/.git/HEAD").read_text() == "ref"
    assert stat.S_IMODE((tmp_path / "to/run").stat().st_mode) == 0o777
    assert int((tmp_path / "to/run").stat().st_mtime) == int((source / "run").stat().st_mtime)
    assert (tmp_path / "to/link").readlink() == outside
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
    assert stat.S_IMODE((source / "run").stat().st_mode) == 0o555
    assert list((tmp_path / "empty").iterdir()) == []


# All of it


@pytest.mark.parametrize("workspace", ["emptydir", "pvc"])
def test_the_published_schemas_and_tekton_take_what_is_written(workspace: str):
    boto = {"BOTO_CONFIG": {"name": "s3.config", "key": "boto"}}
    named = {
        "src": {"type": "git", "param": {"url": "$(context.git.url)", "revision": "$(context.git.commit)"}},
        "other_Source": {"type": "git", "param": {"url": "https://forge/$(params.x).git", "depth": "0"}},
        "tree": {"type": "git", "param": {"url": ""}},
        "files": PLAIN,
        "bucket": {**BUCKET, "secret": boto},
        "app": {"type": "image", "param": {"url": "me/app:$(context.build.name)"}},
        "A.very-long-name-" + 60 * "x": IMAGE,
    }
    long = list(named)[-1]
    old = step(
        "kaniko", "build", "/builder/home/image-outputs/app", env=[{"name": "A", "value": "/root/.docker"}]
    )
    use = step("use", "echo", "$(inputs.resources.app.digest)")
    tasks = {
        "build": task("src other_Source bucket", f"tree files bucket app {long}", steps=[old]),
        "use": task(f"src tree files app {long}", steps=[use]),
    }
    one = drafted(tasks, named, workspace=workspace)
    made = pipeline.pipeline(one)
    assert one.found == []
    assert crds.validate(made) == []
    again = drafted(tasks, named, workspace=workspace)
    assert pipeline.pipeline(again) == made
