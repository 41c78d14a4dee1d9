"""One clean checkout per commit, kept in the user's cache; tasks see it through a writable view and never change it.

A checkout of the user's own repository borrows its objects (`objects/info/alternates`); one of another remote is a
shallow fetch with objects of its own. Both are detached at the commit and know `origin`, as a depth-1 clone does.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dispatchfile import locks, remote
from dispatchfile.credentials import find, git_access, host_variables
from dispatchfile.credentials.refusals import refusal
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.remote import without_userinfo
from dispatchfile.run.backend import Remote
from dispatchfile.run.git import config_value, git, object_directories

UNUSED_DAYS = 30

_FULL = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def cache_folder() -> Path:
    """Return where checkouts are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "dispatchfile" / "checkouts"


def checkout_commit(cache: Path, repository: Path, commit: str, url: str) -> Path:
    """Return a checkout of a commit of the user's own repository. Raises EnvironmentProblem when it has none such."""

    def fill(folder: Path) -> None:
        start_repository(folder, url, commit)
        borrow_objects(folder, object_directories(repository))
        (folder / ".git/shallow").write_text(commit + "\n", encoding="ascii")
        tags = packed_tags(repository, commit).encode(errors="surrogateescape")
        (folder / ".git/packed-refs").write_bytes(tags)
        git(["checkout", "-q", "--detach", commit, "--"], cwd=folder)
        _update_submodules(folder, url)

    if not _FULL.fullmatch(commit):
        raise EnvironmentProblem(f'"{commit}" is no full commit id')
    return _cached(cache, ("commit", str(repository.resolve()), commit, url), fill)


def checkout_remote(cache: Path, url: str, origin: Remote, *, offline: bool = False) -> Path:
    """Return a checkout of a revision (branch, tag or commit) of a remote. Raises EnvironmentProblem, UsageError."""
    if remote.parse(url).directory is None and offline:
        raise EnvironmentProblem(f"{without_userinfo(url)} is not fetched: the run is offline")
    ref, commit = resolve_revision(url, origin.revision)

    def fill(folder: Path) -> None:
        start_repository(folder, without_userinfo(url), commit)
        _fetch(folder, url, ref, origin.depth)
        # Only what git itself peels to a commit; a tag object becomes the commit it names.
        git(["checkout", "-q", "--detach", commit or origin.revision, "--"], cwd=folder)
        if origin.submodules:
            _update_submodules(folder, url)

    return _cached(cache, ("remote", url, commit or origin.revision, str(origin.depth)), fill)


def resolve_revision(url: str, revision: str) -> tuple[str, str]:
    """Return the ref to fetch and its commit. An abbreviated commit gives ("", ""): only a full fetch tells.

    Raises EnvironmentProblem when the remote does not answer or has no such branch or tag.
    """
    if _FULL.fullmatch(revision):
        return revision, revision
    if revision.startswith("-") or any(ord(char) < 33 for char in revision):
        raise EnvironmentProblem(f'"{revision}" is no git revision')
    wanted = [f"refs/heads/{revision}", f"refs/tags/{revision}", revision] if revision else ["HEAD"]
    patterns = [pattern for name in wanted for pattern in (name, f"{name}^{{}}")]
    lines = _ask(url, ["ls-remote", "--", url, *patterns]).decode(errors="replace").splitlines()
    refs = {ref: commit for commit, _, ref in (line.partition("\t") for line in lines)}
    for name in wanted:
        if name in refs:
            return name, refs.get(f"{name}^{{}}", refs[name])
    if re.fullmatch(r"[0-9a-f]{7,}", revision):
        return "", ""
    what = f'branch or tag "{revision}"' if revision else "default branch"
    raise EnvironmentProblem(
        f"{without_userinfo(url)} has no {what}",
        help="see `git ls-remote` for those it has, or give a full commit id",
    )


def start_repository(folder: Path, url: str, commit: str) -> None:
    """Make an empty repository with nothing of the user's configuration and `url` as its remote."""
    hashing = "sha256" if len(commit) == 64 else "sha1"
    git(["init", "-q", "--template=", f"--object-format={hashing}", "--", str(folder)])
    with (folder / ".git/config").open("a", encoding="utf-8", errors="surrogateescape") as config:
        config.write(origin_section(url))
    (folder / ".git/info").mkdir(exist_ok=True)


def origin_section(url: str) -> str:
    """Return the part of a repository's configuration that names `origin`, without any credentials."""
    return (
        '[remote "origin"]\n'
        f"\turl = {config_value(without_userinfo(url))}\n"
        "\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
    )


def borrow_objects(folder: Path, directories: list[Path]) -> None:
    """Let a repository read its objects from other object directories."""
    info = folder / ".git/objects/info"
    info.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{directory}\n" for directory in directories)
    (info / "alternates").write_text(lines, encoding="utf-8", errors="surrogateescape")


def packed_tags(repository: Path, commit: str) -> str:
    """Return a packed-refs file with the tags at a commit: those that a shallow clone of it would have."""
    wanted = ["--format=%(objectname) %(refname)", f"--points-at={commit}", "refs/tags"]
    listed = git(["for-each-ref", *wanted], cwd=repository)
    return "# pack-refs with: sorted\n" + listed.decode(errors="surrogateescape")


def _fetch(folder: Path, url: str, ref: str, depth: int) -> None:
    """Fetch `ref` at a depth; all branches and tags when the server gives out no single commits."""
    shallow = [f"--depth={depth}"] if depth else []
    if ref:
        try:
            _ask(url, ["fetch", "-q", *shallow, "--", url, ref], cwd=folder)
        except EnvironmentProblem:
            if not _FULL.fullmatch(ref):
                raise
        else:
            return
    _ask(url, ["fetch", "-q", "--tags", "--", url, "+refs/heads/*:refs/remotes/origin/*"], cwd=folder)


def _ask(url: str, words: list[str], *, cwd: Path | None = None) -> bytes:
    """Return what git prints when it asks a remote. Raises EnvironmentProblem that says what a refusal means."""
    try:
        return git(words, cwd=cwd, env=_let_in(url))
    except EnvironmentProblem as problem:
        where = remote.parse(url)
        # A Dispatchfile may name any host, so a token that is not bound to one host is not asked.
        names = host_variables(where.host)
        given = find(where, directory=Path("/"), names=names)
        told = refusal(
            where,
            problem.message,
            check="check the resource's url, and that your token may see it",
            credential=given,
            names=names,
        )
        raise told or problem from None


def _let_in(url: str) -> dict[str, str]:
    """Return the variables with which git uses a login that was made for a remote. Raises EnvironmentProblem."""
    return git_access.variables(remote.parse(url))


def _update_submodules(folder: Path, url: str) -> None:
    if not (folder / ".gitmodules").is_file():
        return
    # Paths of this machine only where the repository itself came from one: a stranger's must not name them.
    protocols = "file:git:http:https:ssh" if remote.parse(url).directory else "git:http:https:ssh"
    command = ["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"]
    git(command, cwd=folder, protocols=protocols, env=_let_in(url))


def _cached(cache: Path, key: tuple[str, ...], fill: Callable[[Path], None]) -> Path:
    """Return the checkout kept under `key`; `fill` makes it in a new folder, which appears whole or not at all."""
    name = hashlib.sha256("\0".join(key).encode(errors="surrogateescape")).hexdigest()[:24]
    target = cache / name
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locks.held(cache / f"{name}.lock"):
            if target.is_dir() and _is_whole(target):
                os.utime(target)
                return target
            making = Path(tempfile.mkdtemp(prefix=".making-", dir=cache))
            try:
                fill(making)
                making.chmod(0o755)
                shutil.rmtree(target, ignore_errors=True)
                making.rename(target)
            finally:
                shutil.rmtree(making, ignore_errors=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot keep a checkout in {cache}: {error.strerror or error}",
            help="set XDG_CACHE_HOME to a directory you can write",
        ) from None
    return target


def prune(cache: Path) -> int:
    """Remove the checkouts that no run has used for UNUSED_DAYS; return how many."""
    if not cache.is_dir():
        return 0
    oldest = time.time() - UNUSED_DAYS * 86400
    old = [entry for entry in cache.iterdir() if entry.is_dir() and entry.stat().st_mtime < oldest]
    for folder in old:
        with locks.held(cache / f"{folder.name}.lock"):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _is_whole(folder: Path) -> bool:
    """Return whether the commit's objects can still be read; a borrowed one may be gone from its repository."""
    try:
        git(["cat-file", "-e", "HEAD^{tree}"], cwd=folder)
    except EnvironmentProblem:
        return False
    return True
