"""Storage resources with a location: the scripts, with what plays gsutil on directories, and what is emitted."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tekton.drafts import found, spec, step, step_of, task_of, told
from tests.tekton.shells import SHELLS, run

ROOT = Path(__file__).parent


@pytest.fixture
def buckets(tmp_path: Path) -> Path:
    (tmp_path / "programs").mkdir()
    shutil.copy(ROOT / "gsutil.sh", tmp_path / "programs" / "gsutil")
    (tmp_path / "programs" / "gcloud").write_text(
        '#!/bin/sh\necho "gcloud $* HOME=$HOME" >>"$BUCKETS.calls"\n', encoding="utf-8"
    )
    (tmp_path / "programs" / "gcloud").chmod(0o755)
    (tmp_path / "buckets").mkdir()
    return tmp_path / "buckets"


def call(buckets: Path, script: str, shell: str = "dash", **env: str) -> subprocess.CompletedProcess[str]:
    folder = buckets.parent
    given = {
        "BUCKETS": str(buckets),
        "PATH": f"{folder / 'programs'}:{os.environ['PATH']}",
        "STORAGE_LOCATION": "s3://artifacts/app",
        "STORAGE_DIR": "",
        "STORAGE_OPTIONAL": "",
        "STORAGE_TO": str(folder / "in/cache"),
        "STORAGE_FROM": str(folder / "out/cache"),
    }
    return run(folder, script, {**given, **env}, shell=shell)


def written(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("is_directory", ["", "yes"])
def test_what_one_task_stores_another_fetches(is_directory: str, shell: str, buckets: Path):
    left = {"a b": "1", "sub/c": "2"}
    write(buckets.parent / "out/cache", left)
    stored = call(buckets, "store", shell, STORAGE_DIR=is_directory)
    fetched = call(buckets, "fetch", shell, STORAGE_DIR=is_directory)
    assert (stored.returncode, stored.stderr, fetched.returncode, fetched.stderr) == (0, "", 0, "")
    assert written(buckets / "artifacts/app") == left
    assert written(buckets.parent / "in/cache") == left
    for path in (buckets.parent / "in/cache").rglob("*"):
        assert path.stat().st_mode & 0o666 == 0o666
    assert list((buckets.parent / "home").iterdir()) == []


def test_only_a_directory_loses_what_is_no_longer_put_out(buckets: Path):
    write(buckets / "artifacts/app", {"old": "0"})
    write(buckets.parent / "out/cache", {"new": "1"})
    call(buckets, "store")
    assert written(buckets / "artifacts/app") == {"old": "0", "new": "1"}
    call(buckets, "store", STORAGE_DIR="yes")
    assert written(buckets / "artifacts/app") == {"new": "1"}


def test_a_location_that_is_one_object_is_a_file(buckets: Path):
    write(buckets, {"artifacts/app": "content"})
    assert call(buckets, "fetch").returncode == 0
    assert written(buckets.parent / "in/cache") == {"app": "content"}


def test_an_output_without_files_is_nothing_wrong(buckets: Path):
    (buckets.parent / "out/cache").mkdir(parents=True)
    done = call(buckets, "store")
    assert (done.returncode, done.stdout) == (0, "nothing to store in s3://artifacts/app\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_cache_is_empty_at_first(shell: str, buckets: Path):
    done = call(buckets, "fetch", shell, STORAGE_OPTIONAL="yes", STORAGE_DIR="yes")
    assert (done.returncode, done.stdout) == (0, "s3://artifacts/app holds nothing yet\n")
    assert list((buckets.parent / "in/cache").iterdir()) == []


def test_a_cache_that_may_not_be_read_is_no_empty_one(buckets: Path):
    done = call(buckets, "fetch", STORAGE_OPTIONAL="yes", STORAGE_LOCATION="s3://forbidden")
    assert (done.returncode, done.stderr) == (1, "AccessDeniedException: 403\n")


def test_an_input_that_is_not_there_fails_the_task(buckets: Path):
    done = call(buckets, "fetch")
    assert done.returncode == 1
    assert "s3://artifacts/app" in done.stderr


@pytest.mark.parametrize("script", ["fetch", "store"])
def test_a_key_of_google_is_noted_down_outside_of_the_home_directory(script: str, buckets: Path):
    write(buckets / "artifacts/app", {"a": "1"})
    write(buckets.parent / "out/cache", {"a": "1"})
    assert call(buckets, script, GOOGLE_APPLICATION_CREDENTIALS="/var/secret/key.json").returncode == 0
    first = Path(f"{buckets}.calls").read_text().splitlines()[0]
    words, _, home = first.partition(" HOME=")
    assert words == "gcloud auth activate-service-account --key-file=/var/secret/key.json"
    assert home not in ("", str(buckets.parent / "home"))


# What is emitted


def storage(**fields: object) -> dict[str, object]:
    param = {"type": "gcs", "location": "s3://artifacts/$(context.build.name)", "dir": "y"}
    return {"type": "storage", "param": param, **fields}


BOTO = {"BOTO_CONFIG": {"name": "s3-config", "key": "boto"}}


def test_a_location_is_fetched_and_stored_with_its_secret():
    task = {"inputs": ["cache"], "outputs": ["cache"], "steps": [step()]}
    made = spec({"test": task}, {"cache": storage(secret=BOTO)}, storage_image="tools/gsutil")
    steps = {one["name"]: one for one in task_of(made, "test")["taskSpec"]["steps"]}
    assert list(steps) == ["dispatch-prepare", "dispatch-fetch-cache", "run", "dispatch-store-cache"]
    fetch, store = steps["dispatch-fetch-cache"], steps["dispatch-store-cache"]
    assert {one["name"]: one["value"] for one in fetch["env"]} == {
        "BOTO_CONFIG": "/var/secret/s3-config/boto",
        "STORAGE_LOCATION": "s3://artifacts/$(params.build-name)",
        "STORAGE_DIR": "yes",
        "STORAGE_TO": "/workspace/cache",
        "STORAGE_OPTIONAL": "yes",
    }
    assert fetch["image"] == store["image"] == "tools/gsutil"
    mount = {"name": "dispatch-secret-s3-config", "mountPath": "/var/secret/s3-config", "readOnly": True}
    assert fetch["volumeMounts"] == store["volumeMounts"] == [mount]
    assert task_of(made, "test")["taskSpec"]["volumes"] == [
        {"name": "dispatch-secret-s3-config", "secret": {"secretName": "s3-config"}}
    ]


def test_only_what_a_task_of_the_run_puts_out_may_be_empty():
    tasks = {
        "make": {"outputs": ["made"], "steps": [step()]},
        "use": {"inputs": ["made", "given"], "steps": [step()]},
    }
    made = spec(tasks, {"made": storage(), "given": storage()})
    for name, is_optional in (("made", True), ("given", False)):
        env = {one["name"]: one["value"] for one in step_of(made, "use", f"dispatch-fetch-{name}")["env"]}
        assert ("STORAGE_OPTIONAL" in env) is is_optional


def test_a_secret_is_a_volume_once_and_optional_only_where_all_say_so():
    optional = {"GOOGLE_APPLICATION_CREDENTIALS": {"name": "keys", "key": "json", "optional": True}}
    needed = {"BOTO_CONFIG": {"name": "keys", "key": "boto"}}
    resources = {"a": storage(secret=optional), "b": storage(secret=needed), "c": storage(secret=BOTO)}
    made = spec({"test": {"inputs": ["a", "b", "c"], "steps": [step()]}}, resources)
    volumes = task_of(made, "test")["taskSpec"]["volumes"]
    assert [one["secret"] for one in volumes] == [{"secretName": "keys"}, {"secretName": "s3-config"}]
    alone = spec({"test": {"inputs": ["a"], "steps": [step()]}}, resources)
    [volume] = task_of(alone, "test")["taskSpec"]["volumes"]
    assert volume["secret"] == {"secretName": "keys", "optional": True}


def test_a_volume_of_the_user_with_the_same_name_keeps_its_content():
    task = {
        "inputs": ["cache"],
        "steps": [step(volumeMounts=[{"name": "dispatch-secret-s3-config", "mountPath": "/mine"}])],
        "volumes": [{"name": "dispatch-secret-s3-config", "emptyDir": {}}],
    }
    made = spec({"test": task}, {"cache": storage(secret=BOTO)})
    volumes = {one["name"]: one for one in task_of(made, "test")["taskSpec"]["volumes"]}
    [mount] = step_of(made, "test", "run")["volumeMounts"]
    assert "emptyDir" in volumes[mount["name"]]
    [ours] = step_of(made, "test", "dispatch-fetch-cache")["volumeMounts"]
    assert volumes[ours["name"]]["secret"] == {"secretName": "s3-config"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        *(({"param": {"type": "gcs", "location": location}},
           f'resource "cache" has a `location` that begins with neither gs:// nor s3://: "{location}"')
          for location in ("/var", "-r", "file:///etc", "$(context.git.branch)")),
        ({"secret": {"BOTO_CONFIG": {"name": "$(context.build.name)", "key": "boto"}}},
         'resource "cache" has a variable in a `secret`'),
    ],
    ids=["path", "option", "file", "variable", "secret"],
)  # fmt: skip
def test_storage_that_cannot_be_reached_is_told_at_its_place(fields: dict[str, object], message: str):
    [one] = found({"test": {"inputs": ["cache"], "steps": [step()]}}, {"cache": storage(**fields)})
    assert one.message == message
    assert told(one) == ("DF805", "resource.cache", '"cache"')
