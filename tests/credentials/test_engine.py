"""What login keeps is what runs pull and push with, and what a step's git is given."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from docker import APIClient

from dispatchfile import remote
from dispatchfile.credentials import docker_config, git_access, logins
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.backend import Remote
from dispatchfile.run.checkouts import checkout_remote
from dispatchfile.run.connect import connect
from dispatchfile.run.gateway import Gateway, credential_of
from dispatchfile.run.images import Images
from dispatchfile.run.sweep import discard
from tests.credentials.conftest import User
from tests.credentials.test_docker_config import HELPER
from tests.credentials.test_registry import guarded
from tests.gitops.forges.base import basic
from tests.gitops.git_server import GitServer

__all__ = ["guarded"]

TOKEN = "t0ken-Of:The/Tests+ü"


@pytest.fixture
def client() -> Iterator[APIClient]:
    made = connect()
    yield made
    made.close()


@pytest.mark.docker
@pytest.mark.parametrize("helper", [False, True], ids=["config.json", "helper"])
def test_runs_push_and_pull_with_the_login(helper: bool, user: User, guarded: str, toolbox: str) -> None:
    if helper:
        user.program("docker-credential-test", HELPER)
        user.docker.parent.mkdir()
        user.docker.write_text(json.dumps({"credHelpers": {guarded: "test"}}))
    ref = f"{guarded}/logins-{uuid4().hex}:1"
    name = ref.removesuffix(":1")
    with connect() as stranger:
        stranger.tag(toolbox, name, "1")
        try:
            refused = "".join(str(line) for line in stranger.push(name, tag="1", stream=True, decode=True))
            assert "no basic auth credentials" in refused or "unauthorized" in refused
            docker_config.store(guarded, "ci", "pa55word")
            with connect() as client:
                told = list(client.push(name, tag="1", stream=True, decode=True))
                assert not [line for line in told if "error" in line]
                discard(client.remove_image, ref)
                Images(client, offline=False, platform="").ensure(ref, "missing")
                assert client.inspect_image(ref)
                docker_config.remove(guarded)
            discard(stranger.remove_image, ref)
            with connect() as client, pytest.raises(EnvironmentProblem):
                Images(client, offline=False, platform="").ensure(ref, "missing")
        finally:
            discard(stranger.remove_image, ref)


def test_a_steps_git_is_let_in_by_the_gateway(user: User, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "served/acme/a.git")], check=True)
    with GitServer(tmp_path / "served", user="me", password=TOKEN) as server:
        url = f"{server.url}/acme/a.git"
        gateway = Gateway("127.0.0.1", tmp_path / "mirrors", publish=False, offline=False)
        try:
            words = ["git", "ls-remote", gateway.serve(url)]
            assert subprocess.run(words, env=user.env, capture_output=True, check=False).returncode != 0
            logins.keep(logins.Login(f"{server.url}/acme", "", "me", "file", "creds"), TOKEN, git=False)
            assert subprocess.run(words, env=user.env, capture_output=True, check=False).returncode == 0
        finally:
            gateway.close()
        assert credential_of(f"{server.url}/other/a.git") is None


def test_a_run_fetches_and_its_submodules_too(user: User, tmp_path: Path) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]

    def git(*words: str, cwd: Path) -> str:
        done = subprocess.run(
            ["git", *identity, *words], cwd=cwd, env=user.env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with GitServer(tmp_path / "served", user="me", password=TOKEN) as server:
        for name in ("inner", "outer"):
            (tmp_path / name).mkdir()
            git("init", "-q", "-b", "main", cwd=tmp_path / name)
            (tmp_path / name / "file").write_text(name)
            if name == "outer":
                git("submodule", "--quiet", "add", str(tmp_path / "inner"), "part", cwd=tmp_path / name)
                git(
                    "config",
                    "-f",
                    ".gitmodules",
                    "submodule.part.url",
                    f"{server.url}/acme/inner.git",
                    cwd=tmp_path / name,
                )
            git("add", "-A", cwd=tmp_path / name)
            git("commit", "-q", "-m", name, cwd=tmp_path / name)
            git("clone", "-q", "--bare", ".", str(tmp_path / f"served/acme/{name}.git"), cwd=tmp_path / name)
        url = f"{server.url}/acme/outer.git"
        with pytest.raises(EnvironmentProblem):
            checkout_remote(tmp_path / "cache", url, Remote("main"))
        logins.keep(logins.Login(f"{server.url}/acme", "", "me", "file", "creds"), TOKEN, git=False)
        folder = checkout_remote(tmp_path / "cache", url, Remote("main"))
    assert (folder / "part/file").read_text() == "inner"
    told = "".join(path.read_text(errors="replace") for path in folder.rglob("config") if path.is_file())
    assert "url" in told
    assert "Authorization" not in told


def test_a_fetch_that_is_refused_says_what_to_do(user: User, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with GitServer(tmp_path / "served", user="me", password=TOKEN) as server:
        url = f"{server.url}/acme/app.git"
        with pytest.raises(EnvironmentProblem, match="refused: ") as caught:
            checkout_remote(tmp_path / "cache", url, Remote("main"))
        # A run gives the token of $DISPATCHFILE_GIT_TOKEN to no host that a Dispatchfile names.
        assert caught.value.help == "keep a token with `dispatchfile login`"
        logins.keep(logins.Login(server.url, "git", "me", "file"), "wrong-token", git=False)
        with pytest.raises(EnvironmentProblem, match=f"the token from the login for {server.url}$") as caught:
            checkout_remote(tmp_path / "cache", url, Remote("main"))
        assert "wrong-token" not in caught.value.message


def test_a_variable_for_one_host_is_told_to_that_host_alone(user: User) -> None:
    env = {**user.env, "GITHUB_TOKEN": f"{TOKEN}\n", "DISPATCHFILE_GIT_TOKEN": "for-no-host-in-particular"}
    told = git_access.variables(remote.parse("https://github.com/acme/app.git"), env)
    assert told["GIT_CONFIG_KEY_0"] == "http.https://github.com.extraHeader"
    assert told["GIT_CONFIG_VALUE_0"] == f"Authorization: Basic {basic('x-access-token', TOKEN)}"
    for url in ("https://github.com.evil.test/a", "https://git.example.com/a", "http://github.com/a", "git@github.com:a/b"):  # fmt: skip
        assert git_access.variables(remote.parse(url), env) == {}


def test_another_host_is_told_nothing(user: User) -> None:
    logins.keep(logins.Login("https://git.example.com/a%20b", "", "me", "file", "creds"), TOKEN, git=False)
    let_in = git_access.variables(
        remote.parse("https://git.example.com/a%20b/c.git"), {**user.env, "GIT_CONFIG_COUNT": "2"}
    )
    assert let_in["GIT_CONFIG_COUNT"] == "3"
    for url, known in (("https://git.example.com/a%20b/c.git", True), ("https://git.example.com/ab", False), ("https://evil.test/a%20b", False)):  # fmt: skip
        env = {
            **user.env,
            **git_access.variables(remote.parse("https://git.example.com/a%20b/c.git"), user.env),
        }
        words = ["git", "config", "--get-urlmatch", "http.extraHeader", url]
        told = subprocess.run(words, env=env, capture_output=True, text=True, check=False).stdout
        assert told.startswith("Authorization: Basic ") == known
    for url in (
        "https://u:p@git.example.com/a%20b/c",
        "git@git.example.com:a b/c",
        "/srv/a",
        "git://git.example.com/a b/c",
    ):
        assert git_access.variables(remote.parse(url), user.env) == {}
