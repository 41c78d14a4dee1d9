from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from docker import auth
from docker.credentials import Store

from dispatchfile.credentials import docker_config, docker_helper
from dispatchfile.errors import EnvironmentProblem, UsageError
from tests.credentials.conftest import User

SECRET = "pa:55 wörd"

# The protocol of docker-credential-helpers, over a file.
HELPER = """
import json, os, sys
from pathlib import Path
path = Path(os.environ["HOME"], Path(sys.argv[0]).name)
known = json.loads(path.read_text()) if path.exists() else {}
given = sys.stdin.read().rstrip("\\n")
if sys.argv[1] == "store":
    asked = json.loads(given)
    known[asked["ServerURL"]] = asked
elif sys.argv[1] == "list":
    print(json.dumps({server: one["Username"] for server, one in known.items()}))
elif given not in known:
    print("credentials not found in native keychain")
    sys.exit(1)
elif sys.argv[1] == "get":
    print(json.dumps(known[given]))
elif sys.argv[1] == "erase":
    del known[given]
path.write_text(json.dumps(known))
"""


def entry(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def configure(user: User, config: object) -> None:
    user.docker.parent.mkdir(exist_ok=True)
    text = config if isinstance(config, str) else json.dumps(config)
    user.docker.write_text(text, encoding="utf-8")


def docker_finds(user: User, server: str) -> dict[str, Any] | None:
    """What the Docker SDK, which runs pull and push with, finds for a registry."""
    return auth.resolve_authconfig(auth.load_config(str(user.docker), credstore_env=user.env), server)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("reg.example.com", "reg.example.com"),
        ("REG.example.com:5000", "reg.example.com:5000"),
        ("https://reg.example.com/v2/", "reg.example.com"),
        ("https://reg.example.com:443", "reg.example.com"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("[::1]:5000", "[::1]:5000"),
        ("localhost:5000/team", "localhost:5000"),
        ("", auth.INDEX_URL),
        (auth.INDEX_NAME, auth.INDEX_URL),
        (auth.INDEX_URL, auth.INDEX_URL),
        (f"registry-1.{auth.INDEX_NAME}", auth.INDEX_URL),
    ],
)
def test_the_name_docker_gives_a_registry(text: str, server: str) -> None:
    assert docker_config.server_of(text) == server


@pytest.mark.parametrize("text", ["-x", "a b", "reg.example.com\n", "git@reg.example.com:x", "http://reg.example.com", "https://u:p@reg.example.com"])  # fmt: skip
def test_what_is_no_registry(text: str) -> None:
    with pytest.raises(UsageError):
        docker_config.server_of(text)


@pytest.mark.parametrize("server", ["reg.example.com", "127.0.0.1:5000", "[::1]:5000", ""])
def test_docker_finds_what_is_kept_in_its_file(user: User, server: str) -> None:
    name = docker_config.server_of(server)
    assert docker_config.store(name, "ci", SECRET, user.env) == ""
    found = docker_finds(user, server)
    assert found is not None
    assert (found["username"], found["password"]) == ("ci", SECRET)
    assert docker_config.get(name, user.env) == ("ci", SECRET)
    assert [(one.server, one.user, one.helper) for one in docker_config.listed(user.env)] == [
        (name, "ci", "")
    ]
    assert user.docker.stat().st_mode & 0o777 == 0o600
    assert docker_config.remove(name, user.env)
    assert docker_finds(user, server) is None
    assert not docker_config.remove(name, user.env)


@pytest.mark.parametrize("server", ["reg.example.com", "reg.example.com:5000", ""])
@pytest.mark.parametrize("setting", ["credsStore", "credHelpers"])
def test_docker_finds_what_a_helper_keeps(user: User, server: str, setting: str) -> None:
    user.program("docker-credential-test", HELPER)
    name = docker_config.server_of(server)
    key = server or auth.INDEX_URL
    configure(user, {"credsStore": "test"} if setting == "credsStore" else {"credHelpers": {key: "test"}})
    assert docker_config.store(name, "ci", SECRET, user.env) == "test"
    assert SECRET not in user.docker.read_text()
    assert entry("ci", SECRET) not in user.docker.read_text()
    found = docker_finds(user, server)
    assert found is not None
    assert (found["Username"], found["Password"]) == ("ci", SECRET)
    assert Store("test", environment=user.env).list() == {name: "ci"}
    assert [(one.user, one.helper) for one in docker_config.listed(user.env)] == [("ci", "test")]
    assert docker_config.remove(name, user.env)
    assert Store("test", environment=user.env).list() == {}
    assert json.loads(user.docker.read_text())["auths"] == {}


def test_the_rest_of_the_file_stays(user: User) -> None:
    text = """{
	"HttpHeaders": {"Übung": "a\\u2028b"},
	"psFormat": "table {{.ID}}\\t<b>&",
	"detachKeys": "ctrl-e,e",
	"big": 12345678901234567890123, "nil": null, "half": "\\ud83d",
	"auths": {"other.example.com": {"auth": "b3RoZXI6cHc=", "email": "x@example.com"}},
	"currentContext": "remote",
	"plugins": {"-x-cli-hints": {"enabled": "true"}}
}"""
    configure(user, text)
    before = json.loads(text)
    docker_config.store("reg.example.com", "ci", SECRET, user.env)
    after = json.loads(user.docker.read_text(encoding="utf-8"))
    assert after["auths"].pop("reg.example.com") == {"auth": entry("ci", SECRET)}
    assert after == before
    assert list(after) == list(before)
    assert user.docker.read_bytes().startswith(b'{\n\t"HttpHeaders": {\n')


def test_older_spellings_of_a_registry_are_removed_too(user: User) -> None:
    auths = {key: {"auth": entry("a", "b")} for key in ("https://reg.example.com/v1/", "reg.example.com", "http://reg.example.com:80", "reg.example.com.evil.test")}  # fmt: skip
    configure(user, {"auths": auths})
    assert docker_config.remove("reg.example.com", user.env)
    assert set(json.loads(user.docker.read_text())["auths"]) == {"http://reg.example.com:80", "reg.example.com.evil.test"}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        '{"auths": []}',
        '{"auths": {"a": "b"}}',
        '{"credHelpers": {"a": 1}}',
        '{"credsStore": ["a"]}',
        '{"x": NaN}',
        '{"x": 1e999}',
        "[" * 100000,
        "\ufeff{}",
        '{"credsStore": "../../tmp/evil"}',
        '{"credsStore": "-x"}',
        '{"credsStore": "a b"}',
        '{"credsStore": "not-there"}',
    ],
    ids=range(15),
)
def test_a_hostile_file_stays_as_it_is(user: User, text: str) -> None:
    configure(user, text)
    with pytest.raises(EnvironmentProblem) as caught:
        docker_config.store("reg.example.com", "ci", SECRET, user.env)
    assert SECRET not in caught.value.message + caught.value.help
    assert user.docker.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("print('rubbish')", "printed what no credential helper should"),
        ("print('[' * 100000)", "printed what no credential helper should"),
        ("print('[]')", "printed what no credential helper should"),
        ('print(\'{"Username": 1, "Secret": 2}\')', "printed what no credential helper should"),
        ('print(\'{"Username": "x", "Secret": "y"}\')', "does not know it"),
        ("import sys; print('the keychain is locked'); sys.exit(1)", "store failed: the keychain is locked"),
        ("import sys; print(sys.stdin.read()); sys.exit(1)", "store failed: exit code 1"),
        ("import sys; sys.exit(7)", "store failed: exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "store failed: exit code -9"),
        ("import time; time.sleep(60)", "did not end within 1 seconds"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "printed what is no text"),
    ],
    ids=range(11),
)
def test_a_hostile_helper(user: User, program: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatchfile.credentials.program.PATIENCE_S", 1.0)
    user.program("docker-credential-bad", program)
    configure(user, {"credsStore": "bad"})
    with pytest.raises(EnvironmentProblem, match=said) as caught:
        docker_config.store("reg.example.com", "ci", SECRET, user.env)
    assert SECRET not in caught.value.message
    assert json.loads(user.docker.read_text()) == {"credsStore": "bad"}
    shown = docker_config.listed(user.env)
    assert shown == [] or shown[0].problem or shown[0].helper == "bad"


def test_a_helper_is_told_in_json(user: User) -> None:
    user.program("docker-credential-test", HELPER)
    secret = '{"type": "service_account",\n "key": "a\\nb"}\n\t"'
    docker_helper.store("test", "reg.example.com", "_json_key", secret, user.env)
    assert docker_helper.get("test", "reg.example.com", user.env) == ("_json_key", secret)


def test_a_file_that_is_a_symlink_stays_one(user: User) -> None:
    real = user.home / "dotfiles/docker.json"
    real.parent.mkdir()
    real.write_text("{}")
    user.docker.parent.mkdir()
    user.docker.symlink_to(real)
    docker_config.store("reg.example.com", "ci", SECRET, user.env)
    assert user.docker.is_symlink()
    assert docker_finds(user, "reg.example.com") is not None
    assert real.stat().st_mode & 0o777 == 0o600


def test_what_a_helper_has_leaves_the_modes_alone(user: User) -> None:
    user.program("docker-credential-test", HELPER)
    configure(user, {"credsStore": "test"})
    user.docker.chmod(0o644)
    docker_config.store("reg.example.com", "ci", SECRET, user.env)
    assert user.docker.stat().st_mode & 0o777 == 0o644
    configure(user, {})
    user.docker.chmod(0o644)
    docker_config.store("reg.example.com", "ci", SECRET, user.env)
    assert user.docker.stat().st_mode & 0o777 == 0o600


def test_another_folder_of_settings(user: User, tmp_path: Path) -> None:
    env = {**user.env, "DOCKER_CONFIG": str(tmp_path / "elsewhere")}
    docker_config.store("reg.example.com", "ci", SECRET, env)
    assert (tmp_path / "elsewhere/config.json").exists()
    assert not user.docker.exists()


def test_two_logins_at_once(user: User) -> None:
    program = """
import os, sys
from dispatchfile.credentials.docker_config import store
for number in range(5):
    store(f"{sys.argv[1]}-{number}.test", "me", "pw", os.environ)
"""
    words = [sys.executable, "-c", program]
    workers = [subprocess.Popen([*words, f"host{number}"], env=user.env) for number in range(3)]
    assert [worker.wait(60) for worker in workers] == [0] * 3
    assert len(docker_config.listed(user.env)) == 15


def test_the_logins_of_a_file_with_their_values(user: User) -> None:
    user.program("docker-credential-test", HELPER)
    docker_helper.store("test", "one.example.com", "a", "b", user.env)
    auths = {
        "two.example.com": {"auth": entry("c", "d:e")},
        "one.example.com": {},
        "three.example.com": {"auth": "!"},
    }
    configure(user, {"auths": auths, "credHelpers": {"one.example.com": "test"}})
    found = docker_config.auths(user.docker, user.env)
    assert {server: (one["username"], one["password"]) for server, one in found.items()} == {
        "two.example.com": ("c", "d:e"),
        "one.example.com": ("a", "b"),
    }
    assert SECRET not in repr(docker_config.listed(user.env))
