"""A private clone of the GitOps repository, in which an update is made and from which it is pushed."""

from __future__ import annotations

import re
from pathlib import Path

from dispatchfile.credentials import Credential
from dispatchfile.credentials.refusals import last, refusal
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops import askpass
from dispatchfile.gitops.checkout import Checkout, Revision
from dispatchfile.gitops.git import Git, GitFailed
from dispatchfile.mask import Masker
from dispatchfile.record import Record

# Enough history to find the last update of an app on its base, and little to fetch.
DEPTH = 50
_RACE = re.compile(
    r"non-fast-forward|fetch first|stale info|cannot lock ref|incorrect old value|failed to update ref"
    r"|reference already exists|couldn't find remote ref|remote ref does not exist"
)
_PROTECTED = re.compile(r"hook declined|GH006|GH013|protected branch|denying non-fast-forward", re.IGNORECASE)
_LFS = ("filter.lfs.smudge=", "filter.lfs.clean=", "filter.lfs.process=", "filter.lfs.required=false")


class LostRace(Exception):
    """Somebody else was faster; the update must be made again on what is there now."""


class Tip(Record):
    """The last commit of a branch. `ours` means that this program made it and that nobody changed it since.

    `app` is what the commit says that it updates.
    """

    commit: str
    tree: str
    parents: tuple[str, ...]
    author: str
    message: str
    ours: bool
    source: Revision | None
    app: str = ""


class Clone:
    """The clone at `directory`; `base` and `branch` are the tips as of the last fetch."""

    def __init__(
        self, checkout: Checkout, credential: Credential | None, folder: Path, *, verbose: bool
    ) -> None:
        self.directory = folder / "tree"
        self.directory.mkdir()
        masker = askpass.masker(checkout.configured, checkout.fetch, checkout.push, credential=credential)
        self._checkout = checkout
        # Git gives it to the host that it is for, wherever insteadOf leads.
        self._credential = credential if checkout.fetch.host == checkout.configured.host else None
        settings = (
            *_LFS,
            *checkout.signing,
            f"remote.origin.url={checkout.fetch.url}",
            f"remote.origin.pushurl={checkout.push.url}",
            *(("credential.helper=",) if credential else ()),
        )
        env = {
            **askpass.git_environment(checkout.configured, credential, folder),
            "GIT_LITERAL_PATHSPECS": "1",
        }
        self.git = Git(self.directory, env=env, settings=settings, masker=masker, verbose=verbose)
        # The blobs that a patch of the checkout starts from are there alone. Fetching must not see them: the checkout
        # may be shallow, and would promise history that it does not hold.
        env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(checkout.objects)
        self._local = Git(self.directory, env=env, settings=settings, masker=masker, verbose=verbose)
        self.git.raw("init", "--quiet", "--template=", f"--object-format={checkout.object_format}")

    @property
    def masker(self) -> Masker:
        """Return what hides the tokens this clone knows."""
        return self.git.masker

    def default_branch(self) -> str:
        """Return the branch that the remote's HEAD names. Raises EnvironmentProblem."""
        listed = self._ask("ls-remote", "--symref", "origin", "HEAD")
        match = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", listed, re.MULTILINE)
        if match is None:
            raise EnvironmentProblem(
                f"{self._checkout.configured.url} has no default branch", help="name one: -base-branch=BRANCH"
            )
        return match[1]

    def fetch(self, base: str, branch: str) -> tuple[Tip, Tip | None]:
        """Return the tips of the base branch and of the update branch, None when there is no such branch yet.

        The working tree becomes the base. Raises LostRace when a branch went away meanwhile, EnvironmentProblem.
        """
        listed = self._ask("ls-remote", "origin", f"refs/heads/{base}", f"refs/heads/{branch}")
        have = {line.partition("\t")[2].removeprefix("refs/heads/") for line in listed.splitlines()}
        if base not in have:
            raise UsageError(
                f'the remote has no branch "{base}"', help="-base-branch names the branch to update"
            )
        wanted = [name for name in dict.fromkeys((base, branch)) if name in have]
        refs = [f"+refs/heads/{name}:refs/remotes/origin/{name}" for name in wanted]
        self._ask("fetch", "--quiet", "--no-tags", f"--depth={DEPTH}", "origin", *refs)
        self.git.raw("checkout", "--quiet", "--force", "--detach", f"refs/remotes/origin/{base}")
        tip = self._tip(f"refs/remotes/origin/{branch}") if branch in have else None
        return self._tip(f"refs/remotes/origin/{base}"), tip

    def is_at(self, branch: str, commit: str) -> bool:
        """Return whether a branch of the remote is at a commit at this moment. Raises EnvironmentProblem."""
        return self._ask("ls-remote", "origin", f"refs/heads/{branch}").partition("\t")[0] == commit

    def _tip(self, ref: str) -> Tip:
        fields = ("%H", "%T", "%P", "%an <%ae>", "%B", "%(trailers:unfold)")
        shown = self.git.text("show", "-s", f"--format={'%x00'.join(fields)}", ref)
        commit, tree, parents, author, message, lines = shown.split("\0")
        found = trailers(lines)
        ours = found.get("Generated-by", "").endswith(f"tree {tree}")
        text, app = message.rstrip("\n"), found.get("Dispatch-App", "")
        return Tip(commit, tree, tuple(parents.split()), author, text, ours, _source(found), app)

    def holds(self, base: Tip, tip: Tip) -> bool:
        """Return whether the base has all commits of another branch, as far back as was fetched."""
        return self.git.answer("merge-base", "--is-ancestor", tip.commit, base.commit) is not None

    def look_at(self, branch: str) -> Tip:
        """Return the tip of another branch, with all its history. Raises LostRace when there is none, EnvironmentProblem."""
        if self.git.answer("check-ref-format", f"refs/heads/{branch}") is None:
            raise LostRace(f"{branch} is no branch")
        ref = f"refs/remotes/origin/{branch}"
        shallow = self.git.text("rev-parse", "--is-shallow-repository") == "true"
        depth = ["--unshallow"] if shallow else []
        self._ask("fetch", "--quiet", "--no-tags", *depth, "origin", f"+refs/heads/{branch}:{ref}")
        return self._tip(ref)

    def between(self, base: str, commit: str, *, most: int) -> list[Tip]:
        """Return the commits that lead to `commit` and that `base` does not hold, the newest first, at most `most`."""
        listed = self.git.text("rev-list", f"--max-count={most}", commit, f"^{base}")
        return [self._tip(name) for name in listed.split()]

    def changed(self, base: str, commit: str) -> set[str]:
        """Return the files that differ between `commit` and where it left `base`, all where they share no history."""
        shared = self.git.answer("merge-base", base, commit)
        if shared is None:
            listed = self.git.text("ls-tree", "-r", "--name-only", "-z", commit)
        else:
            listed = self.git.text("diff", "--name-only", "--no-renames", "-z", shared, commit)
        return {name for name in listed.split("\0") if name}

    def is_signed(self, tip: Tip) -> bool:
        """Return whether a commit holds a signature, whoever's."""
        head = self.git.text("cat-file", "commit", tip.commit).partition("\n\n")[0]
        return "\ngpgsig" in head

    def delete(self, branch: str, commit: str) -> None:
        """Delete a branch of the remote while it is at `commit`. Raises LostRace when it is not, EnvironmentProblem."""
        ref = f"refs/heads/{branch}"
        self._ask("push", "--quiet", "--no-verify", f"--force-with-lease={ref}:{commit}", "origin", f":{ref}")

    def last_update(self, base: Tip, app: str) -> Revision | None:
        """Return the source commit of the last update of `app` that the base holds, as far back as was fetched."""
        shown = self.git.text("log", f"-{DEPTH * 4}", "--format=%(trailers:unfold)%x00", base.commit)
        for lines in shown.split("\0"):
            found = trailers(lines)
            if found.get("Dispatch-App") == app:
                return _source(found)
        return None

    def apply(self, patch: bytes) -> None:
        """Bring the edits of earlier steps into the working tree and the index. Raises EnvironmentProblem."""
        if not patch:
            return
        try:
            self._local.raw("apply", "--3way", "--whitespace=nowarn", stdin=patch)
        except GitFailed as error:
            raise EnvironmentProblem(
                "the changes that earlier steps made in the checkout do not fit the newest base branch:\n"
                + error.output.rstrip(),
                help="make them from the newest base, or undo them: git diff HEAD shows them",
            ) from error

    def stage(self, paths: list[str]) -> str:
        """Put files into the index; return the tree that a commit would have."""
        self._local.raw("add", "--force", "--", *paths)
        return self._local.text("write-tree")

    def diff(self, base: Tip) -> str:
        """Return what is staged as a diff against the base."""
        return self._local.text(
            "diff", "--cached", "--no-ext-diff", "--no-textconv", "--no-color", base.commit
        )

    def commit(self, message: str, author: tuple[str, str], date: int | None) -> str:
        """Commit what is staged on top of the base; return the commit, repeatable when a date is given."""
        name, email = author
        env = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }
        if date is not None:
            env |= {"GIT_AUTHOR_DATE": f"@{date} +0000", "GIT_COMMITTER_DATE": f"@{date} +0000"}
        text = message.encode("utf-8", "surrogateescape")
        self._local.raw(
            "commit", "--quiet", "--no-verify", "--cleanup=verbatim", "-F", "-", stdin=text, env=env
        )
        return self.git.text("rev-parse", "HEAD")

    def push(self, commit: str, branch: str, *, replace: bool, seen: Tip | None) -> None:
        """Push a commit to a branch, in place of `seen` when it may `replace` it.

        Raises LostRace when the branch is not what was seen, EnvironmentProblem when the remote refuses.
        """
        lease = [f"--force-with-lease=refs/heads/{branch}:{seen.commit if seen else ''}"] if replace else []
        options = ("--quiet", "--no-follow-tags", "--no-verify")
        self._ask("push", *options, *lease, "origin", f"{commit}:refs/heads/{branch}", git=self._local)

    def _ask(self, *args: str, git: Git | None = None) -> str:
        """Talk to the remote; say what a refusal means."""
        try:
            return (git or self.git).text(*args)
        except GitFailed as error:
            if _PROTECTED.search(error.output):
                raise EnvironmentProblem(
                    f"the remote does not let this branch be pushed: {last(error.output)}",
                    help="let a pull request do it, or push another branch: -branch=NAME",
                ) from error
            if _RACE.search(error.output):
                raise LostRace(last(error.output)) from error
            told = refusal(
                self._checkout.configured,
                error.output,
                check="check `git remote get-url origin`, and that your token may see the repository",
                credential=self._credential,
            )
            if told is not None:
                raise told from error
            raise


def trailers(lines: str) -> dict[str, str]:
    """Return the trailers of a commit message by name, the last one of each."""
    pairs = (line.partition(": ") for line in lines.splitlines())
    return {name: value for name, colon, value in pairs if colon}


def _source(found: dict[str, str]) -> Revision | None:
    name, date = found.get("Source-Revision"), found.get("Source-Date", "")
    return Revision(name, int(date) if date.isdecimal() else None) if name else None
