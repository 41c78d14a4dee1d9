"""git over HTTP with a token: it arrives, and nobody else sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile import credentials
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.askpass import git_environment
from dispatchfile.remote import parse
from tests.gitops.conftest import DIGESTS, Site, git
from tests.gitops.forges.base import basic
from tests.gitops.git_server import GitServer

ARGV = ("-git-revision=r1", f"-substitute=imageName={DIGESTS['a']}")
BRANCH = "dispatch/update-web"


@pytest.fixture
def http_site(site: Site, git_server: GitServer) -> Site:
    site.bare = site.bare.rename(git_server.folder / "gitops.git")
    git(
        site.checkout,
        "remote",
        "set-url",
        "origin",
        f"http://ci@127.0.0.1:{git_server.server_address[1]}/gitops.git",
    )
    return site


def test_a_token_from_the_environment(
    http_site: Site, git_server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCHFILE_GIT_TOKEN", git_server.password)
    assert http_site.update(*ARGV).status == "pushed"
    assert BRANCH in http_site.branches()
    assert set(git_server.authorized) == {f"Basic {basic('ci', git_server.password)}"}


def test_a_password_in_the_url(http_site: Site, git_server: GitServer) -> None:
    url = f"http://ci:{git_server.password}@127.0.0.1:{git_server.server_address[1]}/gitops.git"
    git(http_site.checkout, "remote", "set-url", "origin", url)
    done = http_site.update(*ARGV)
    assert (done.status, done.remote.url) == ("pushed", f"{git_server.url}/gitops.git")


def test_the_users_own_credential_helper(
    http_site: Site, git_server: GitServer, own_git_settings: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.write_text(f"http://ci:{git_server.password}@127.0.0.1%3a{git_server.server_address[1]}\n")
    own_git_settings.write_text(f"[credential]\n\thelper = store --file={store}\n")
    assert http_site.update(*ARGV).status == "pushed"


def test_without_a_token_it_says_where_to_put_one(http_site: Site) -> None:
    with pytest.raises(EnvironmentProblem, match="refused") as caught:
        http_site.update(*ARGV)
    assert "$DISPATCHFILE_GIT_TOKEN" in caught.value.help


def test_a_wrong_token(http_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHFILE_GIT_TOKEN", "wrong-token-0123")
    with pytest.raises(
        EnvironmentProblem, match=r"does not take the token from \$DISPATCHFILE_GIT_TOKEN"
    ) as caught:
        http_site.update(*ARGV)
    assert "wrong-token-0123" not in caught.value.message


def test_redirects_are_not_followed(
    http_site: Site, git_server: GitServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISPATCHFILE_GIT_TOKEN", git_server.password)
    with GitServer(tmp_path, user="thief", password="x") as thief:
        git_server.redirect = thief.url
        with pytest.raises(EnvironmentProblem):
            http_site.update(*ARGV)
        assert thief.authorized == []


def test_the_token_goes_to_its_own_host_only(
    http_site: Site, git_server: GitServer, own_git_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git is led to another host than the one the token is for: no token, no push."""
    url = "https://git.example.test/gitops.git"
    git(http_site.checkout, "remote", "set-url", "origin", url)
    own_git_settings.write_text(f'[url "{git_server.url}/"]\n\tinsteadOf = https://git.example.test/\n')
    monkeypatch.setenv("DISPATCHFILE_GIT_TOKEN", git_server.password)
    with pytest.raises(EnvironmentProblem, match="refused"):
        http_site.update(*ARGV, "--publish")
    assert git_server.authorized == []


@pytest.mark.parametrize("given", ["environment", "url"])
def test_no_trace_shows_the_token(
    http_site: Site, git_server: GitServer, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = git_server.password
    env = {
        **os.environ,
        "GIT_TRACE": "1",
        "GIT_TRACE_CURL": "1",
        "GIT_CURL_VERBOSE": "1",
        "GIT_TRACE_SETUP": "1",
        "GIT_TRACE_REDACT": "0",
        "GIT_TRACE2_EVENT": str(tmp_path / "trace2"),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    (tmp_path / "tmp").mkdir()
    if given == "environment":
        env["DISPATCHFILE_GIT_TOKEN"] = token
    else:
        port = git_server.server_address[1]
        git(
            http_site.checkout,
            "remote",
            "set-url",
            "origin",
            f"http://ci:{token}@127.0.0.1:{port}/gitops.git",
        )
    done = subprocess.run(
        [sys.executable, "-m", "dispatchfile", "gitops", "update", *ARGV, "-verbose"],
        cwd=http_site.checkout,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr + (tmp_path / "trace2").read_text()
    assert "git push" in shown
    for form in (token, basic("ci", token), basic("", token).lstrip("Og")):
        assert form not in shown
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_askpass_script_answers_its_own_host_only(tmp_path: Path) -> None:
    remote = parse("https://git.example.com:8443/a/b")
    credential = credentials.Credential("me", "t0ken", "a test")
    env = git_environment(remote, credential, tmp_path)
    script = Path(env["GIT_ASKPASS"])
    assert script.stat().st_mode & 0o777 == 0o700
    assert "t0ken" not in script.read_text()

    def ask(question: str) -> str:
        return subprocess.run(
            [str(script), question], env=env, capture_output=True, text=True, check=False
        ).stdout

    assert ask("Username for 'https://git.example.com:8443': ") == "me\n"
    assert ask("Password for 'https://me@git.example.com:8443': ") == "t0ken\n"
    assert ask("Password for 'https://me@git.example.com:8443/a/b': ") == "t0ken\n"
    for other in (
        "git.example.com",
        "git.example.com:84430",
        "evil.test",
        "evil.test/@git.example.com:8443.evil.test",
    ):
        assert ask(f"Username for 'https://{other}': ") == ""
        assert ask(f"Password for 'https://me@{other}': ") == ""


@pytest.mark.parametrize(
    ("url", "env", "source"),
    [
        ("https://github.com/a/b", {"GITHUB_TOKEN": "t0k", "GH_TOKEN": "y"}, "$GITHUB_TOKEN"),
        ("https://github.com/a/b", {"GH_TOKEN": "y"}, "$GH_TOKEN"),
        (
            "https://github.com/a/b",
            {"DISPATCHFILE_GIT_TOKEN": "z", "GH_TOKEN": "y"},
            "$DISPATCHFILE_GIT_TOKEN",
        ),
        ("https://git.example.com/a/b", {"GITHUB_TOKEN": "x"}, None),
        ("https://github.com.evil.test/a/b", {"GITHUB_TOKEN": "x"}, None),
        ("https://u:p@git.example.com/a/b", {}, "the remote's URL"),
        ("git@github.com:a/b", {"GITHUB_TOKEN": "t0k"}, "$GITHUB_TOKEN"),
        ("/srv/a", {"DISPATCHFILE_GIT_TOKEN": "z"}, None),
    ],
)
def test_where_a_token_comes_from(url: str, env: dict[str, str], source: str | None, tmp_path: Path) -> None:
    settings = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(tmp_path)}
    found = credentials.find(parse(url), {**settings, **env}, directory=tmp_path)
    assert (found.source if found else None) == source
    assert found is None or found.token not in repr(found)


def test_plain_http_gets_no_token(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="plain http"):
        credentials.find(
            parse("http://git.example.com/a"), {"DISPATCHFILE_GIT_TOKEN": "x"}, directory=tmp_path
        )
