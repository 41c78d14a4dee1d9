"""`dispatchfile gitops creds` as a user calls it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatchfile import credentials, remote
from dispatchfile.cli.main import main
from tests.cli.test_login import call
from tests.credentials.conftest import User, user
from tests.credentials.test_ssh import make_key
from tests.gitops.git_server import GitServer

__all__ = ["call", "user"]

TOKEN = "t0ken-Of:The/Tests+ü"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "served/acme/gitops.git")], check=True)
    with GitServer(tmp_path / "served", user="me", password=TOKEN) as made:
        yield made


def test_from_add_to_remove(call: Any, user: User, server: GitServer) -> None:
    url = f"{server.url}/acme/gitops.git"
    code, out, _ = call("gitops", "creds", "add", url, "--username", "me", "--token-stdin", stdin=TOKEN)
    assert (code, out) == (
        0,
        f"{url.removesuffix('.git')} is read as me; the token is kept in {user.logins}\n",
    )
    found = credentials.find(remote.parse(url), user.env, directory=user.home)
    assert found is not None
    assert (found.user, found.token) == ("me", TOKEN)
    _, out, _ = call("gitops", "creds", "list")
    kept = url.removesuffix(".git")
    assert out.splitlines() == [f"{'URL':{len(kept)}}  USER  KEPT", f"{kept}  me    in {user.logins}"]
    _, out, _ = call("gitops", "creds", "list", "--json")
    assert [(one["url"], one["user"]) for one in json.loads(out)] == [(url.removesuffix(".git"), "me")]
    assert call("gitops", "creds", "remove", url)[0] == 0
    assert call("gitops", "creds", "remove", url)[0] == 1
    assert credentials.find(remote.parse(url), user.env, directory=user.home) is None


@pytest.mark.parametrize("token", ["wrong", "x" * 300])
def test_what_does_not_open_it_is_not_added(call: Any, user: User, server: GitServer, token: str) -> None:
    user.git_settings("[credential]\n\thelper = store\n")
    (user.home / ".git-credentials").write_text(server.url.replace("://", "://me:right@"))
    url = f"{server.url}/acme/gitops.git"
    code, _, err = call("gitops", "creds", "add", url, "--username", "me", "--token-stdin", stdin=token)
    assert code == 4
    assert f"{url} does not take the token from the command line: fatal: Authentication failed" in err
    assert token not in err
    assert not user.logins.exists()


def test_all_below_a_path(call: Any, user: User) -> None:
    code, _, err = call(
        "gitops", "creds", "add", "https://git.example.com/acme/", "--token-stdin", stdin=TOKEN
    )
    assert code == 0
    assert "not tried" in err
    for path, known in (("acme/a", True), ("acme/b/c.git", True), ("acme2/a", False)):
        found = credentials.find(
            remote.parse(f"https://git.example.com/{path}"), user.env, directory=user.home
        )
        assert (found is not None) == known


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("add", "URL"),
        ("add git@h.test:a/b", "a key of ssh and a URL of ssh go together"),
        ("add https://h.test/a --ssh-private-key-path k", "a key of ssh and a URL of ssh go together"),
        ("add git@h.test:a/b --ssh-private-key-path k --username me", "a key and a token are two things"),
        ("add https://u:p@h.test/a --token-stdin", "a token stands in the URL"),
        ("add http://h.test/a --token-stdin", "plain http"),
        ("add -x", "required: URL"),
        ("add -- -x", "names no server"),
        ("add https://h.test/a/ --token x --dry-run", "--dry-run prints Argo CD's Secret"),
        ("add https://h.test/a/ --token x --engine argocd --dry-run --project p", "--project is for one repository"),
        ("remove ftp://h.test", "has no logins"),
    ],
)  # fmt: skip
def test_what_cannot_be(call: Any, user: User, words: str, said: str) -> None:
    code, out, err = call("gitops", "creds", *words.split(), stdin=TOKEN)
    assert (code, out) == (2, "")
    assert said in err
    assert not user.logins.exists()


def test_a_login_is_not_removed_as_credentials(call: Any) -> None:
    call("login", "gitea", "--git-server", "https://git.example.com", "--user", "a", "--no-check", "--token-stdin", stdin=TOKEN)  # fmt: skip
    assert call("gitops", "creds", "remove", "https://git.example.com")[0] == 1
    assert credentials.forge_of("git.example.com") == "gitea"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://git.example.com/acme/gitops.git", "repository"),
        ("https://git.example.com/acme/", "repo-creds"),
    ],
)
def test_the_secret_of_argo_cd(url: str, kind: str, user: User, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["gitops", "creds", "add", url, "--username", "me", "--token", TOKEN, "--no-check"]
    assert main([*words, "--engine", "argocd", "--dry-run"]) == 0
    made = yaml.safe_load(capsys.readouterr().out)
    assert made["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": kind}
    assert (made["stringData"]["url"], made["stringData"]["password"]) == (url, TOKEN)
    assert not user.logins.exists()


def test_a_key_of_a_server_that_is_not_known(call: Any, user: User) -> None:
    key = make_key(user.home / "id")
    words = ("gitops", "creds", "add", "git@h.test:a/b.git", "--ssh-private-key-path", str(key))
    code, _, err = call(*words, "--no-check")
    assert code == 4
    assert "the key of h.test is not known" in err
    assert not user.logins.exists()
