"""What login keeps is what runs pull and push with, and what a step's git is given."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from docker import APIClient

from dispatchfile.credentials import docker_config, logins
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.connect import connect
from dispatchfile.run.gateway import Gateway, credential_of
from dispatchfile.run.images import Images
from dispatchfile.run.sweep import discard
from tests.credentials.conftest import User
from tests.credentials.test_docker_config import HELPER
from tests.credentials.test_registry import guarded
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
