"""Facts about an event that the working repository knows: branch, commit, tags, URL, changed paths.

The repository is not trusted: no hook, pager, external diff or file system monitor of its configuration runs, and
a revision that looks like an option is refused.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitenv import git_command, reading_environment
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# A path is a path, whatever stands in it; differences are told as they are.
_COMMAND = (*git_command("diff.external="), "--no-optional-locks", "--literal-pathspecs")

# Even the largest monorepo's diff takes seconds; a git that waits for anything longer waits for a person.
PATIENCE_S = 60


class Checkout(Record):
    """A working repository: its root, what HEAD is, and the URL of `origin` or else its own path.

    `branch` is None on a detached HEAD, `commit` is empty before the first commit, `tags` point at HEAD.
    """

    root: str
    url: str
    branch: str | None
    commit: str
    tags: tuple[str, ...]


def read(directory: str = ".") -> Checkout:
    """Return the facts of the repository that holds a directory; raises EnvironmentProblem when there is none."""
    root, commit, branch = _head(directory)
    tags = _ask(root, "tag", "--points-at", "HEAD", "--sort=-version:refname") if commit else ""
    origin = _ask(root, "config", "--get", "remote.origin.url")
    return Checkout(root, public_url(origin) or root, branch, commit, tuple(tags.splitlines()))


def _head(directory: str) -> tuple[str, str, str | None]:
    """Return the root of the repository that holds a directory, and commit and branch of HEAD there."""
    # One git for all three; it fails where there is no commit yet.
    lines = _ask(
        directory, "rev-parse", "--show-toplevel", "HEAD^{commit}", "--symbolic-full-name", "HEAD"
    ).rsplit("\n", 2)
    if len(lines) == 3:
        root, commit, head = lines
    else:
        root, commit = _git(directory, "rev-parse", "--show-toplevel").removesuffix("\n"), ""
        head = _ask(root, "symbolic-ref", "--quiet", "HEAD")
    return root, commit, head.removeprefix("refs/heads/") if head.startswith("refs/heads/") else None


def commit_of(root: str, revision: str) -> str | None:
    """Return the full hash of the commit that a revision names, or None; raises UsageError for an option in disguise."""
    if revision.startswith("-") or not revision or "\0" in revision:
        raise UsageError(f'"{revision}" is not a revision')
    name = f"{revision}^{{commit}}"
    return _ask(root, "rev-parse", "--quiet", "--verify", "--end-of-options", name) or None


def changed_paths(root: str, base: str, commit: str) -> tuple[str, ...]:
    """Return the paths that differ between the commit and where it left `base`, their merge base (hashes both).

    A renamed file counts with both names. Raises EnvironmentProblem when the two share no history here.
    """
    merge_base = _ask(root, "merge-base", "--end-of-options", base, commit)
    if not merge_base:
        shallow = _ask(root, "rev-parse", "--is-shallow-repository") == "true"
        raise EnvironmentProblem(
            f"{base[:10]} and {commit[:10]} share no history in this repository",
            help="the clone is shallow: git fetch --unshallow" if shallow else "choose another --base",
        )
    options = ("--no-commit-id", "--name-only", "-r", "-z", "--no-renames")
    listed = _git(root, "diff-tree", *options, "--end-of-options", merge_base, commit)
    return tuple(path for path in listed.split("\0") if path)


def on_remote(root: str, commit: str) -> bool | None:
    """Return whether a remote's branch holds a commit, as the last fetch or push left them here.

    None where that cannot be told, for the commit is not here.
    """
    if commit_of(root, commit) is None:
        return None
    return bool(_ask(root, "for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes"))


def changed_files(root: str) -> tuple[str, ...]:
    """Return the tracked files that may differ from HEAD; by their times and sizes, so that no filter runs."""
    return tuple(filter(None, _ask(root, "diff-index", "--name-only", "-z", "HEAD", "--").split("\0")))


def default_branch(root: str) -> str | None:
    """Return the branch that `origin` calls its default, as the last clone or fetch left it here, or None."""
    name = _ask(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    return name.removeprefix("origin/") or None


def public_url(url: str) -> str:
    """Return a remote's URL without user and password, which must not reach steps, logs or plans."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    keep_user = parts.scheme in ("ssh", "git+ssh") and "@" in parts.netloc
    user = parts.netloc.rpartition("@")[0].partition(":")[0] if keep_user else ""
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host))


def _ask(directory: str, *arguments: str) -> str:
    """Return what git answers, stripped of the last line end; empty where it says no with exit code 1 or 128."""
    done = _run(directory, arguments)
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n") if done.returncode == 0 else ""


def _git(directory: str, *arguments: str) -> str:
    done = _run(directory, arguments)
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape")
    said = done.stderr.decode("utf-8", "backslashreplace").strip().removeprefix("fatal: ")
    if "not a git repository" in said:
        raise EnvironmentProblem(
            f"{Path(directory).resolve()} is not in a git repository",
            help="go to the repository (-C DIR), or make one: git init && git commit",
        )
    if "dubious ownership" in said:
        raise EnvironmentProblem(
            f"git does not trust {Path(directory).resolve()}: it belongs to someone else",
            help=f"git config --global --add safe.directory {Path(directory).resolve()}",
        )
    if "must be run in a work tree" in said:
        raise EnvironmentProblem(
            f"{Path(directory).resolve()} is a repository without files of its own (bare)",
            help="git clone it, and go to the clone",
        )
    raise EnvironmentProblem(
        f"git {arguments[0]} failed: {said.splitlines()[0] if said else 'no reason given'}"
    )


def _run(directory: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            [*_COMMAND, *arguments],
            cwd=directory,
            env=reading_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise EnvironmentProblem("git is not installed", help="install git, 2.31 or newer") from error
    except OSError as error:
        raise EnvironmentProblem(f"git cannot be started in {directory}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise EnvironmentProblem(f"git {arguments[0]} did not answer in {PATIENCE_S} s") from error
