"""The doctor's findings, on this machine and on machines that lack things."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile import doctor
from dispatchfile.config import Setting
from dispatchfile.credentials.logins import Login, keep


def run(cwd: Path, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "dispatchfile", "doctor", *argv],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_an_engine_it_says_so_and_exits_with_4(tmp_path: Path) -> None:
    done = run(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 4
    line = next(line for line in done.stdout.splitlines() if " engine " in line)
    assert "does not answer" in line
    assert "DOCKER_HOST" in line
    assert "help:" in done.stdout
    assert done.stderr == ""


@pytest.mark.docker
def test_json_names_every_finding(tmp_path: Path) -> None:
    (tmp_path / "Dispatchfile").write_text(
        'task "a": steps: [{name: "s", image: "no-such-image-anywhere:1", command: ["true"]}]\n',
        encoding="utf-8",
    )
    done = run(tmp_path, "--json", DISPATCHFILE_JOBS="3")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == (4 if any(check["status"] == "fail" for check in checks.values()) else 0)
    assert checks["engine"]["status"] == "ok"
    assert "storage" in checks["engine"]["message"]
    assert checks["images"]["status"] == "warn"
    assert "no-such-image-anywhere:1" in checks["images"]["message"]
    assert "jobs = 3 (from DISPATCHFILE_JOBS)" in checks["settings"]["message"]
    assert all(check["help"] for check in checks.values() if check["status"] != "ok")


@pytest.mark.docker
def test_a_probe_leaves_nothing_on_the_engine() -> None:
    from dispatchfile.run.connect import connect

    with connect() as client:
        before = {volume["Name"] for volume in client.volumes()["Volumes"] or []}
        check = doctor.views(client)
        after = {volume["Name"] for volume in client.volumes()["Volumes"] or []}
    assert check.status in ("ok", "warn")
    assert not {name for name in after - before if not name.startswith("dispatchfile-")}


@pytest.mark.parametrize(
    ("about", "status", "words"),
    [
        (
            {"OSType": "linux", "Driver": "overlay2", "NCPU": 4},
            "ok",
            "Docker 27.1 at unix:///x; storage overlay2",
        ),
        ({"OSType": "linux", "Driver": "vfs", "NCPU": 4}, "warn", "vfs"),
        ({"OSType": "windows", "Driver": "windowsfilter", "NCPU": 4}, "fail", "windowsfilter"),
    ],
    ids=["fine", "slow storage", "windows containers"],
)
def test_engine(about: dict[str, object], status: str, words: str) -> None:
    check = doctor.engine(about, {"Version": "27.1"}, "unix:///x")
    assert check.status == status
    assert words in check.message


def test_podman_is_called_by_its_name() -> None:
    version = {"Version": "5.0", "Components": [{"Name": "Podman Engine"}]}
    assert doctor.engine({"OSType": "linux"}, version, "x").message.startswith("Podman 5.0")


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ("git version 2.39.5", "ok"),
        ("git version 2.17.1", "fail"),
        ("git version 3.0.rc1", "ok"),
        ("gitte", "fail"),
    ],
)
def test_git(says: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho {says}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.git_program().status == status


def test_no_git_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check = doctor.git_program()
    assert (check.status, check.help) == ("fail", "install git")


def test_logins_and_a_helper_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert [check.status for check in doctor.credentials()] == ["ok"]
    config = {
        "auths": {"one.example.com": {"auth": "c2VjcmV0"}},
        "credHelpers": {"two.example.com": "not-there"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    warning, logins = doctor.credentials()
    assert warning.status == "warn"
    assert "docker-credential-not-there" in warning.message
    assert logins.message == "registries one.example.com"
    assert "c2VjcmV0" not in str((warning, logins))
    keep(Login("https://git.example.com", "gitea", "me", "file"), "s3cret-token", os.environ)
    logins = doctor.credentials()[-1]
    assert logins.message == "registries one.example.com; git https://git.example.com (me)"
    assert "s3cret" not in str(logins)
    for broken in ("{", "[]", '{"auths": []}', '{"credsStore": 1}', '{"credsStore": "../evil"}'):
        (tmp_path / "config.json").write_text(broken, encoding="utf-8")
        assert [check.status for check in doctor.credentials()] == ["fail", "ok"]
    (tmp_path / "data/dispatchfile/logins.json").chmod(0o644)
    assert [check.status for check in doctor.credentials()] == ["fail", "fail"]


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 100 << 20})
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    assert [check.status for check in doctor.disk("run folders", tmp_path / "not" / "yet")] == ["fail"]
    usage.free = 1 << 30
    assert [check.status for check in doctor.disk("run folders", tmp_path)] == ["warn"]
    usage.free = 50 << 30
    assert [check.status for check in doctor.disk("run folders", tmp_path)] == ["ok"]
    assert doctor.disk("engine's data", tmp_path / "on" / "another" / "machine") == []


def test_settings_with_their_origins() -> None:
    found = doctor.configuration(
        {"jobs": Setting(2, "/etc/x.toml"), "pull": Setting("never", "DISPATCHFILE_PULL")}
    )
    assert found.message == "jobs = 2 (from /etc/x.toml), pull = never (from DISPATCHFILE_PULL)"
    assert doctor.configuration({}).message == "none made; the defaults hold"


KUBECONFIG = """\
current-context: a
contexts: [{name: a, context: {cluster: b, namespace: ci}}]
clusters: [{name: b, cluster: {server: "https://me:s3cret@c.test"}}]
"""


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (None, "ok", "none configured"),
        ("contexts: 5", "warn", "is no kubeconfig"),
        (KUBECONFIG, "ok", 'context "a", namespace ci'),
    ],
    ids=["none", "broken", "one"],
)  # fmt: skip
def test_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, status: str, words: str
) -> None:
    file = tmp_path / "config"
    monkeypatch.setenv("KUBECONFIG", str(file))
    if text is not None:
        file.write_text(text, encoding="utf-8")
    found = doctor.cluster()
    assert found.status == status
    assert words in found.message
    assert "s3cret" not in found.message


def test_cluster_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(KUBECONFIG, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    found = doctor.cluster()
    assert (found.status, found.help) == ("warn", "pip install 'dispatchfile[kube]'")
