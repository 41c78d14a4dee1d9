"""Repositories, servers and a git that knows nothing of the machine's own settings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dispatchfile.gitops import flags
from dispatchfile.gitops.outcome import Outcome
from dispatchfile.gitops.update import update
from tests.gitops.forges.base import ForgeServer
from tests.gitops.forges.github import GitHubServer
from tests.gitops.forges.kinds import MAKERS
from tests.gitops.forges.openapi import Description, from_npm
from tests.gitops.git_server import GitServer

OPENAPI = "@octokit/openapi@23.0.2"
DIGESTS = {letter: f"registry.test/acme/web@sha256:{letter * 64}" for letter in "0123456789abcdef"}
TEMPLATE = 'kind: Deployment\nimage: "$({ .imageName })"\n'


@pytest.fixture(autouse=True)
def own_git_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of git's global settings of this test, empty; no token of the machine's user is seen."""
    settings = tmp_path / "gitconfig"
    settings.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in list(os.environ):
        if name.endswith("_TOKEN") or name.startswith(
            ("DISPATCHFILE_", "GIT_AUTHOR", "GIT_COMMITTER", "GIT_TRACE")
        ):
            monkeypatch.delenv(name)
    return settings


def git(where: Path, *args: str, check: bool = True) -> str:
    """Run git as a person would; return what it prints."""
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "advice.detachedHead=false"]
    done = subprocess.run(["git", *person, *args], cwd=where, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


class Site:
    """A bare GitOps repository and a checkout of it, with a template."""

    def __init__(self, bare: Path, checkout: Path) -> None:
        self.bare = bare
        self.checkout = checkout
        self.notes: list[str] = []

    @classmethod
    def make(cls, folder: Path, files: dict[str, str], *, bare: Path | None = None) -> Site:
        site = cls(bare or folder / "gitops.git", folder / "gitops")
        git(folder, "init", "-q", "--bare", "-b", "main", str(site.bare))
        git(site.bare, "config", "http.receivepack", "true")
        git(folder, "init", "-q", "-b", "main", str(site.checkout))
        git(site.checkout, "remote", "add", "origin", str(site.bare))
        site.commit("start", files)
        git(site.checkout, "push", "-q", "origin", "main")
        return site

    def commit(self, message: str, files: dict[str, str]) -> str:
        for name, text in files.items():
            path = self.checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        git(self.checkout, "add", "-A")
        git(self.checkout, "commit", "-q", "-m", message)
        return git(self.checkout, "rev-parse", "HEAD")

    def update(self, *argv: str, directory: str = ".") -> Outcome:
        return update(self.checkout / directory, flags.parse(argv), self.notes.append)

    def show(self, ref: str, path: str) -> str:
        return git(self.bare, "show", f"{ref}:{path}")

    def branches(self) -> set[str]:
        return set(git(self.bare, "for-each-ref", "--format=%(refname:short)").split())

    def tip(self, branch: str) -> str:
        return git(self.bare, "rev-parse", f"refs/heads/{branch}")


@pytest.fixture(scope="session")
def plain_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site, to be copied: making one takes ten runs of git."""
    folder = tmp_path_factory.mktemp("site")
    Site.make(folder, {"app.yaml.tmpl": TEMPLATE, "README.md": "about\n"})
    return folder


@pytest.fixture
def site(tmp_path: Path, plain_site: Path) -> Site:
    for name in ("gitops", "gitops.git"):
        shutil.copytree(plain_site / name, tmp_path / name)
    settings = tmp_path / "gitops" / ".git" / "config"
    settings.write_text(settings.read_text().replace(str(plain_site), str(tmp_path)))
    return Site(tmp_path / "gitops.git", tmp_path / "gitops")


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[[dict[str, str]], Site]:
    return lambda files: Site.make(tmp_path, files)


@pytest.fixture
def git_server(tmp_path: Path) -> Iterator[GitServer]:
    """git over HTTP with a user and a password."""
    folder = tmp_path / "srv"
    folder.mkdir()
    with GitServer(folder, user="ci", password="pa55-Word-of-git") as server:
        yield server


@pytest.fixture(scope="session")
def openapi() -> Description:
    """GitHub's published description of its API."""
    return Description(json.loads(from_npm(OPENAPI, "generated/api.github.com.json").read_bytes()), "/repos/")


@pytest.fixture
def hub(tmp_path: Path, openapi: Description) -> Iterator[GitHubServer]:
    """A GitHub of one repository, acme/gitops, with real git behind it."""
    folder = tmp_path / "hub"
    folder.mkdir()
    with GitHubServer(folder, openapi, token="ghp_token-Of-The-Tests") as server:
        yield server
        assert not server.objections, server.objections


@pytest.fixture
def hub_site(site: Site, hub: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A checkout of acme/gitops."""
    shutil.move(site.bare, hub.repository)
    site.bare = hub.repository
    git(site.checkout, "remote", "set-url", "origin", f"{hub.url}/acme/gitops.git")
    monkeypatch.setenv("DISPATCHFILE_GIT_TOKEN", hub.token)
    return site


@pytest.fixture(params=MAKERS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of forge that a test is run with; each in turn."""
    return str(request.param)


@pytest.fixture
def look_alike(kind: str, tmp_path: Path, openapi: Description) -> Iterator[ForgeServer]:
    """A forge of one repository, with real git behind it."""
    folder = tmp_path / "hub"
    folder.mkdir()
    with MAKERS[kind](folder, openapi) as server:
        yield server
        assert not server.objections, server.objections


@pytest.fixture
def forge_site(site: Site, look_alike: ForgeServer, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A checkout of the look-alike's repository."""
    shutil.move(site.bare, look_alike.repository)
    site.bare = look_alike.repository
    git(site.checkout, "remote", "set-url", "origin", look_alike.remote)
    monkeypatch.setenv("DISPATCHFILE_GIT_TOKEN", look_alike.token)
    return site
