from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from dispatchfile import remote
from dispatchfile.credentials import logins, place, ssh
from dispatchfile.credentials.logins import Login
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops import reach
from tests.credentials.conftest import User

HOST = "git.example.com"


def make_key(path: Path, passphrase: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "tests", "-f", str(path)]
    subprocess.run(words, check=True)
    return path


@pytest.fixture
def key(user: User) -> Path:
    return make_key(user.home / "a key%h/id")


def known(file: Path, name: str, key: Path, *, hashed: bool = False) -> Path:
    """Write a file of known hosts in which a host has the public half of a key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    kind, text, _ = key.with_name(f"{key.name}.pub").read_text().split()
    file.write_text(f"other.test {kind} {text}\n{name} {kind} {text}\n")
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    return file


def test_a_key(key: Path, user: User) -> None:
    assert ssh.read_key(key, user.env) == key.read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.chmod(0o644), "others than you may read"),
        (lambda path: path.write_text("hello"), "holds no private key"),
        (
            lambda path: path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"),
            "no key that works without a passphrase",
        ),
        (lambda path: path.write_text(path.read_text().rstrip("\n")), "has no end"),
        (lambda path: path.unlink(), "there is no key"),
        (
            lambda path: (path.unlink(), make_key(path, "pass phrase")),
            "no key that works without a passphrase",
        ),
        (lambda path: path.write_bytes(b"\xff"), "is no text"),
    ],
    ids=["open", "no key", "half a key", "no last line end", "missing", "passphrase", "bytes"],
)
def test_what_is_no_key(key: Path, user: User, change: object, said: str) -> None:
    change(key)  # type: ignore[operator] # a function
    with pytest.raises((UsageError, EnvironmentProblem), match=said):
        ssh.read_key(key, user.env)


def test_the_public_half_is_told_so(key: Path, user: User) -> None:
    public = key.with_name("id.pub")
    public.chmod(0o600)
    with pytest.raises(UsageError, match="public half"):
        ssh.read_key(public, user.env)


@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
@pytest.mark.parametrize(("server", "name"), [(HOST, HOST), (f"{HOST}:2222", f"[{HOST}]:2222")])
def test_the_servers_keys_are_taken_from_those_that_are_known(
    user: User, key: Path, server: str, name: str, hashed: bool
) -> None:
    file = known(user.home / ".ssh/known_hosts", name, key, hashed=hashed)
    where = place.parse(f"ssh://git@{server}/a")
    lines = ssh.known_hosts(where, env=user.env)
    assert lines.count("\n") == 1
    assert lines in file.read_text()
    assert ssh.known_hosts(where, [file], user.env) == lines
    with pytest.raises(EnvironmentProblem, match="is not known") as caught:
        ssh.known_hosts(place.parse("ssh://git@elsewhere.test/a"), env=user.env)
    assert "ssh-keyscan elsewhere.test >FILE, compare" in caught.value.help


def resolved(command: str) -> dict[str, str]:
    """What the real ssh makes of a command."""
    words = shlex.split(command)
    told = subprocess.run(
        [words[0], "-G", "-F", "none", *words[1:], HOST], capture_output=True, text=True, check=True
    )
    return dict(line.split(" ", 1) for line in told.stdout.splitlines() if " " in line)


def test_git_uses_the_key_of_the_login_alone(user: User, key: Path) -> None:
    file = known(user.home / "its hosts%h", HOST, key)
    logins.keep_key(Login(f"ssh://{HOST}/acme", "", "git", "ssh", "creds", "", str(key), str(file)), user.env)
    for url in (f"git@{HOST}:acme/gitops.git", f"ssh://git@{HOST}/acme/gitops"):
        command = ssh.environment(remote.parse(url), user.env)["GIT_SSH_COMMAND"]
        found = resolved(command)
        assert found["identitiesonly"] == "yes"
        assert found["batchmode"] == "yes"
        assert found["stricthostkeychecking"] == "true"
        # ssh shows them as they were given; a doubled % is one when the file is opened.
        assert found["identityfile"].replace("%%", "%") == str(key)
        assert found["userknownhostsfile"].strip('"').replace("%%", "%") == str(file)
    for url in (f"git@{HOST}:other/gitops.git", f"https://{HOST}/acme/gitops", f"ssh://git@{HOST}:2222/acme/gitops", "/srv/a"):  # fmt: skip
        assert ssh.environment(remote.parse(url), user.env) == {}
    assert (
        ssh.environment(remote.parse(f"git@{HOST}:acme/a"), {**user.env, "GIT_SSH_COMMAND": "ssh -4"}) == {}
    )


def test_a_repository_is_reached_with_it(user: User, key: Path, tmp_path: Path) -> None:
    bare = tmp_path / "gitops.git"
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", "init", "-q", str(tmp_path / "w")], check=True)
    subprocess.run(
        ["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path / "w", check=True
    )
    subprocess.run(["git", "clone", "-q", "--bare", str(tmp_path / "w"), str(bare)], check=True)
    log = tmp_path / "log"
    user.program(
        "ssh", f'#!/bin/sh\nprintf "%s\\n" "$@" >>{log}\nfor command; do :; done\nexec sh -c "$command"\n'
    )
    logins.keep_key(Login(f"ssh://{HOST}", "git", "git", "ssh", key=str(key)), os.environ)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=bare, capture_output=True, text=True, check=True
    ).stdout
    assert reach.head(remote.parse(f"ssh://git@{HOST}{bare}"), None) == commit.strip()
    assert f'IdentityFile="{str(key).replace("%", "%%")}"\n' in log.read_text()
