"""What the update takes from the GitOps checkout it is started in; the checkout itself is only read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dispatchfile import credentials, remote
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops.git import Git, GitFailed
from dispatchfile.record import Record, replace
from dispatchfile.remote import Remote

AUTHOR = ("Dispatch CI", "ci@dispatchfile.invalid")
# The signing set-up of the checkout is honoured (Dispatch 1.2); gpg.program is not, it would run what a file names.
_SIGNING = ("user.signingkey", "commit.gpgsign", "gpg.format")
_SIBLINGS = 20


class Checkout(Record):
    """A GitOps checkout. `directory` is where templates are looked for, `root` the repository's top.

    `configured` is the remote as its configuration names it, `fetch` and `push` are what git makes of it (insteadOf).
    `forge` is the way to the remote's API that a runner gives (dispatchfile.URL.forge in $HOME/.gitconfig), or empty;
    `provider` the kind of forge that it told with it, or that a login to the remote's host noted.
    `edits` is a patch of the tracked changes that earlier steps left.
    """

    root: Path
    directory: Path
    configured: Remote
    fetch: Remote
    push: Remote
    objects: Path
    object_format: str
    edits: bytes
    forge: str
    provider: str
    author: tuple[str, str]
    signing: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """Return `directory` relative to `root`; "." for the root itself."""
        return self.directory.relative_to(self.root).as_posix()


class Revision(Record):
    """The source commit of an update, and what is known of it; `date` is in seconds since 1970."""

    name: str
    date: int | None = None
    url: str = ""
    repository: Path | None = None


def read(directory: Path, outputs: list[str]) -> Checkout:
    """Return the checkout at `directory`; changes of its `outputs` are no edits, they are rendered anew.

    Raises EnvironmentProblem when there is no repository, no commit or no remote `origin`.
    """
    git = Git(directory, env={"GIT_LITERAL_PATHSPECS": "0"})
    directory = directory.resolve()
    try:
        shown = git.text(
            *("rev-parse", "--show-toplevel", "--git-path", "objects", "--show-object-format"),
            "HEAD^{commit}",
        )
    except GitFailed as error:
        raise EnvironmentProblem(
            f"{directory} is no git checkout with a commit: {error.output.strip() or error.message}",
            help="run it in the checkout of the GitOps repository",
        ) from error
    top, objects, object_format, _ = shown.split("\n")
    root, settings = Path(top), _settings(git)
    known = {key: value for _, key, value in settings}
    configured = known.get("remote.origin.pushurl") or known.get("remote.origin.url")
    if not configured:
        raise EnvironmentProblem(
            f"{root} has no remote named origin", help="git remote add origin URL; the update is pushed there"
        )
    prefix = directory.relative_to(root).as_posix()
    exclude = [f":(top,exclude,literal){os.path.normpath(f'{prefix}/{path}')}" for path in outputs]
    filters = [key for scope, key, _ in settings if scope != "global" and key.startswith("filter.")]
    where = _remote(configured, root)
    given = {key: value for scope, key, value in settings if scope == "global"}
    return Checkout(
        root,
        directory,
        where,
        _remote(git.text("remote", "get-url", "origin"), root),
        _remote(git.text("remote", "get-url", "--push", "origin"), root),
        directory / objects,
        object_format,
        _edits(git, filters, exclude),
        given.get(f"dispatchfile.{where.url}.forge", ""),
        given.get(f"dispatchfile.{where.url}.provider") or credentials.forge_of(_host(where)) or "",
        (known.get("user.name") or AUTHOR[0], known.get("user.email") or AUTHOR[1]),
        tuple(f"{key}={known[key]}" for key in _SIGNING if key in known),
    )


def signed(checkout: Checkout) -> Checkout:
    """Return a checkout whose commits are signed. Raises UsageError where git is told of no key."""
    known = dict(setting.split("=", 1) for setting in checkout.signing)
    if not known.get("user.signingkey"):
        raise UsageError(
            "--sign needs a key",
            help="git config user.signingkey KEY; for a key of ssh, git config gpg.format ssh too",
        )
    return replace(checkout, signing=(*checkout.signing, "commit.gpgsign=true"))


def find_revision(name: str, root: Path, env: Mapping[str, str] = os.environ) -> Revision:
    """Return what is known of the source commit `name`.

    It is looked for in $DISPATCHFILE_SOURCE, else in the repositories beside the checkout, where a task has its
    inputs; $DISPATCHFILE_SOURCE_DATE gives the date (in seconds since 1970) where none of them has the commit.
    """
    told = env.get("DISPATCHFILE_SOURCE_DATE", "")
    plain = Revision(name, int(told) if told.isdecimal() else None)
    if not re.fullmatch(r"[0-9a-f]{7,64}", name):
        return plain
    named = env.get("DISPATCHFILE_SOURCE")
    beside = sorted(path.parent for path in root.parent.glob("*/.git"))[:_SIBLINGS]
    for repository in [Path(named)] if named else beside:
        if repository == root or not repository.is_dir():
            continue
        git = Git(repository)
        try:
            date = int(git.text("show", "-s", "--format=%ct", f"{name}^{{commit}}"))
        except GitFailed:
            continue
        url = git.answer("config", "remote.origin.url")
        return Revision(name, date, _shown(url) if url else "", repository)
    return plain


def is_older(ours: Revision, theirs: Revision) -> bool:
    """Return whether our source commit is known to stand before theirs: by history, else by date."""
    if ours.name == theirs.name:
        return False
    if ours.repository is not None:
        git = Git(ours.repository)
        try:
            return git.answer("merge-base", "--is-ancestor", ours.name, theirs.name) is not None
        except GitFailed:
            # A shallow clone does not hold the other commit; the dates are the next best witness.
            return _dated_before(ours, theirs)
    return _dated_before(ours, theirs)


def _dated_before(ours: Revision, theirs: Revision) -> bool:
    return ours.date is not None and theirs.date is not None and ours.date < theirs.date


def _settings(git: Git) -> list[tuple[str, str, str]]:
    """Return scope, key and value of each setting, later ones winning."""
    fields = git.text("config", "--list", "--show-scope", "-z").split("\0")
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return [(scope, *setting.partition("\n")[::2]) for scope, setting in pairs]


def _edits(git: Git, filters: list[str], exclude: list[str]) -> bytes:
    # Content filters named by the repository's own configuration are programs; an empty one copies. They are switched
    # off by variables, for a name may hold a "=" (filter.a=b.clean), which an argument cannot say.
    off = {"GIT_CONFIG_COUNT": str(len(filters))}
    for number, key in enumerate(filters):
        off[f"GIT_CONFIG_KEY_{number}"] = key
        off[f"GIT_CONFIG_VALUE_{number}"] = "false" if key.endswith(".required") else ""
    options = ("--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color")
    return git.raw("diff", *options, "--ignore-submodules=dirty", "HEAD", "--", ":/", *exclude, env=off)


def _remote(url: str, root: Path) -> Remote:
    found = remote.parse(url)
    if found.scheme == "file" and "://" not in url:
        return remote.parse(os.path.normpath(root / url))
    return found


def _host(where: Remote) -> str:
    return f"{where.host}:{where.port}" if where.port and where.scheme != "ssh" else where.host


def _shown(url: str) -> str:
    found = remote.parse(url)
    return "" if found.scheme == "file" else found.url
