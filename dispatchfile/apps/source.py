"""The repository of an application: a bare mirror of it in the user's cache, and what a commit holds.

The mirror has all branches and tags. It never forgets a commit, so that one that was deployed can be brought back
after a force-push. Nothing of a repository is checked out by git, and so none of its filters and attributes count:
`export.py` lays files out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dispatchfile import credentials, locks
from dispatchfile.credentials.refusals import last, refusal
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops import askpass
from dispatchfile.gitops.git import Git, GitFailed
from dispatchfile.record import Record
from dispatchfile.remote import Remote, parse

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ABBREVIATED = re.compile(r"[0-9a-f]{7,63}")
_BAD_REVISION = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|^[-/]|/$|//|\.lock$|@\{")


ANSWER, TRANSFER = 60.0, 600.0
"""Seconds for a remote to list its branches and tags, and to send what is new of them."""


class Commit(Record):
    """A commit: its full id, the first line of its message, its author's name and its time in seconds since 1970."""

    id: str
    subject: str
    author: str
    time: float


def check_revision(revision: str) -> str:
    """Return a revision as it came. Raises UsageError for what cannot be the name of a branch, a tag or a commit."""
    if not revision or _BAD_REVISION.search(revision):
        raise UsageError(
            f"{revision!r} cannot be a revision",
            help="name a branch, a tag, a commit, or HEAD, the default branch",
        )
    return revision


def mirrors_home() -> Path:
    """Return the directory of all mirrors."""
    from dispatchfile.run.checkouts import cache_folder

    return cache_folder().parent / "repositories"


@contextlib.contextmanager
def opened(url: str, home: Path | None = None) -> Iterator[Repository]:
    """Open the mirror of a repository; its credential is looked up, and forgotten at the end."""
    remote = parse(url)
    folder = (home or mirrors_home()) / f"{hashlib.sha256(remote.url.encode()).hexdigest()[:24]}.git"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="dispatchfile-source-") as private:
            yield Repository(remote, folder, Path(private))
    except OSError as error:
        raise EnvironmentProblem(f"{error.filename or folder}: {error.strerror}") from error


class Repository:
    """The mirror of a remote, in `folder`. Methods raise EnvironmentProblem; `private` is for the askpass script."""

    def __init__(self, remote: Remote, folder: Path, private: Path) -> None:
        self.remote = remote
        self.folder = folder
        found = credentials.find(remote, directory=private)
        env = {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"} if "GIT_SSH_COMMAND" not in os.environ else {}
        env |= askpass.git_environment(remote, found, private)
        settings = ("credential.helper=",) if found else ()
        self.git = Git(folder, env=env, settings=settings, masker=askpass.masker(remote, credential=found))
        if not (folder / "HEAD").is_file():
            with self._locked():
                self.git.raw("init", "--quiet", "--bare", "--template=", ".")

    def tip(self, revision: str) -> str:
        """Return the commit that a revision is on the remote now, without fetching it; "" for an abbreviated one.

        A name is a branch's before it is a tag's. Raises UsageError when the remote has no such revision.
        """
        check_revision(revision)
        if _COMMIT.fullmatch(revision):
            return revision
        names = _names(revision)
        listed = self._ask(ANSWER, "ls-remote", "--quiet", self.remote.url, *names)
        lines = (line.partition("\t") for line in listed.splitlines())
        found = {name: commit for commit, _, name in lines}
        for name in names:
            if name in found:
                return found[name]
        if _ABBREVIATED.fullmatch(revision):
            return ""
        if revision == "HEAD":
            raise UsageError(
                f"{self.remote.url} has no commit yet", help="push one, or name a branch that has some"
            )
        raise UsageError(f'{self.remote.url} has no revision "{revision}"{self._nearest(revision)}')

    def fetch(self, revision: str) -> Commit:
        """Return the commit that a revision is on the remote now, having brought it here. Raises UsageError as `tip`."""
        wanted = self.tip(revision)
        if not wanted or self._have(wanted) is None:
            self._fetch(wanted)
        commit = self._have(wanted or revision)
        if commit is None:
            raise UsageError(
                f'{self.remote.url} has no commit "{revision}"',
                help="a commit that no branch and no tag leads to may be gone",
            )
        return self.show(commit)

    def known(self, commit: str) -> Commit | None:
        """Return a commit by its full id, None when it is not here."""
        return self.show(commit) if _COMMIT.fullmatch(commit) and self._have(commit) else None

    def show(self, commit: str) -> Commit:
        """Return what is known of a commit that is here."""
        shown = self.git.text("show", "-s", "--no-notes", "--format=%H%x00%s%x00%an%x00%ct", commit)
        name, subject, author, time = shown.split("\0")
        return Commit(name, _text(subject), _text(author), float(time))

    def _fetch(self, wanted: str) -> None:
        """Bring all branches and tags here, whatever was forced, and the wanted commit when none leads to it."""
        refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        options = ("--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        with self._locked():
            self._ask(TRANSFER, "fetch", *options, self.remote.url, *refs)
            if wanted and self._have(wanted) is None:
                with contextlib.suppress(
                    GitFailed
                ):  # a server need not serve such commits; the caller tells it
                    self.git.raw("fetch", *options, self.remote.url, wanted, seconds=TRANSFER)

    def _have(self, revision: str) -> str | None:
        """Return the full id of a commit that is here."""
        return self.git.answer(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )

    def _nearest(self, revision: str) -> str:
        from dispatchfile.spelling import nearest

        listed = self._ask(ANSWER, "ls-remote", "--quiet", "--heads", "--tags", self.remote.url)
        names = [
            line.partition("\t")[2].split("/", 2)[2] for line in listed.splitlines() if line.count("/") > 1
        ]
        near = nearest(revision, names)
        return f'; did you mean "{near}"?' if near else ""

    def _ask(self, seconds: float, *args: str) -> str:
        """Talk to the remote; say what a refusal means."""
        try:
            return self.git.text(*args, seconds=seconds)
        except GitFailed as error:
            told = refusal(self.remote, error.output, check="check the URL, and that your token may see it")
            raise told or EnvironmentProblem(
                f"{self.remote.url} cannot be read: {last(error.output)}",
                help="check the URL and the network; what runs goes on meanwhile",
            ) from error

    def _locked(self) -> contextlib.AbstractContextManager[None]:
        """Let one process at a time write to the mirror."""
        return locks.held(self.folder / "dispatchfile.lock")


def _names(revision: str) -> tuple[str, ...]:
    """Return the full names that a revision may have on a remote, the first that is there counts."""
    if revision == "HEAD":
        return ("HEAD",)
    if revision.startswith("refs/"):
        return f"{revision}^{{}}", revision
    return f"refs/heads/{revision}", f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}"


def _text(text: str) -> str:
    """Return a text of a commit, which need not be UTF-8, as one that can be."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
