"""Where resources are on this machine: the user's own repository, others, local storage, what tasks made."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from dispatchfile import locks
from dispatchfile.errors import DispatchfileError, EnvironmentProblem
from dispatchfile.model.pipeline import Resource
from dispatchfile.model.variables import find, substitute
from dispatchfile.plan.plan import Plan
from dispatchfile.record import Record
from dispatchfile.run.backend import (
    Commit,
    GitInput,
    ImageInput,
    Input,
    Produced,
    Remote,
    StorageInput,
    WorkingTree,
)
from dispatchfile.run.git import git
from dispatchfile.run.outcome import Outcome


class Known:
    """What the tasks that have ended made: digests and outputs by resource, results by task and step."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.digests: dict[str, str] = {}
        self.results: dict[tuple[str, str], str] = {}
        self.outputs: dict[str, Path] = {}

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Known:
        """Return what some outcomes made."""
        known = cls()
        for outcome in outcomes:
            known.add(outcome)
        return known

    def add(self, outcome: Outcome) -> None:
        """Add what a task made."""
        with self._lock:
            self.digests.update(outcome.digests)
            self.outputs.update(outcome.outputs)
            self.results.update({(outcome.task, step): text for step, text in outcome.results.items()})


class Ground(Record):
    """What a run stands on: the user's repository (its HEAD is `head`), the run's folder, the local storage.

    `revision` is a commit that takes the place of the event's in the user's own repository; `commit_of` finds the
    commit of a revision there, or None.
    """

    repository: Path
    head: str
    folder: Path
    storage: Path
    commit_of: Callable[[str], str | None]
    revision: str = ""
    untracked: bool = False


class Places:
    """Finds the place of each resource of a plan."""

    def __init__(self, plan: Plan, ground: Ground) -> None:
        self._event, self._values, self._ground = plan.event, plan.context, ground

    def context(self, name: str) -> str | None:
        """Return the value of a `context.*` variable, empty where the event has none; None for other variables."""
        return self._values.get(name, "") if name.startswith("context.") else None

    @cached_property
    def source_date(self) -> str:
        """The date of the event's commit in seconds since 1970; empty when the user's repository has no such commit."""
        commit = self.context("context.git.commit")
        if not commit:
            return ""
        words = ["rev-list", "-1", "--timestamp", "--end-of-options", commit, "--"]
        try:
            return git(words, cwd=self._ground.repository).decode().partition(" ")[0]
        except EnvironmentProblem:
            return ""

    def param(self, resource: Resource, name: str) -> str:
        """Return a parameter of a resource, empty when it is not given."""
        return substitute(resource.param.get(name, ""), self.context)

    def digest(self, resource: Resource, known: Known | None) -> str:
        """Return an image's digest: from the task that made it, else as its resource gives it; else nothing."""
        literal = self.param(resource, "digest")
        return (known.digests.get(resource.name) if known else None) or ("" if find(literal) else literal)

    def input(self, resource: Resource, known: Known) -> Input:
        """Return a resource as an input of a task; raises DispatchfileError when it has no place here."""
        if resource.type == "image":
            return ImageInput(resource.name, self.param(resource, "url"), self.digest(resource, known))
        if resource.type == "storage":
            folder = known.outputs.get(resource.name, self._storage(resource))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return StorageInput(resource.name, folder)
        if resource.type == "git":
            return self._git(resource, known)
        raise DispatchfileError(
            f"resource {resource.name} is of type {resource.type}, which a local run does not know",
            help="it knows git, image and storage",
        )

    def output_folder(self, resource: Resource) -> Path:
        """Return a directory that does not exist yet, for what a task made of a resource."""
        if resource.type == "storage":
            parent = self._storage(resource).parent
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return parent / f".{resource.name}.{self._ground.folder.name}"
        return self._ground.folder / "outputs" / resource.name

    def publish_output(self, resource: Resource, saved: Path) -> Path:
        """Put a saved output where later runs find it; return where this one does: another may put its own there."""
        if resource.type != "storage" or not saved.exists():
            return saved
        target = self._storage(resource)
        try:
            made = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
            try:
                shutil.copytree(saved, made / "new", symlinks=True, copy_function=_link_or_copy)
                with locks.held(target.parent / ".lock"):  # another run may be putting its own there
                    if target.exists():
                        target.rename(made / "old")
                    (made / "new").rename(target)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        except OSError as error:
            raise EnvironmentProblem(
                f"cannot keep the storage {resource.name} in {target}: {error.strerror or error}"
            ) from error
        return saved

    def _git(self, resource: Resource, known: Known) -> GitInput:
        url = self.param(resource, "url")
        if resource.name in known.outputs:
            return GitInput(resource.name, url, Produced(known.outputs[resource.name]))
        revision = self.param(resource, "revision")
        if self._is_own(url):
            return GitInput(resource.name, url, self._own(resource, revision))
        if url.startswith(("./", "../")):
            url = str((self._ground.repository / url).resolve())
        depth = self.param(resource, "depth")
        submodules = self.param(resource, "submodules").lower() != "false"
        return GitInput(
            resource.name, url, Remote(revision, int(depth) if depth.isdecimal() else 1, submodules)
        )

    def _is_own(self, url: str) -> bool:
        def bare(text: str) -> str:
            return text.rstrip("/").removesuffix(".git")

        own = (self._values.get("context.git.url", ""), str(self._ground.repository))
        return bare(url) in map(bare, own)

    def _own(self, resource: Resource, revision: str) -> WorkingTree | Commit:
        """Return the user's own repository: as it stands when that is what the event is about, else at a commit."""
        ground, event = self._ground, self._event
        if revision in ("", event.commit):
            if ground.revision:
                return Commit(ground.repository, ground.revision)
            if event.commit in ("", ground.head):
                return WorkingTree(ground.repository, ground.head, ground.untracked)
            revision = event.commit
        commit = ground.commit_of(revision)
        if commit is None:
            raise DispatchfileError(
                f"resource {resource.name}: this repository has no revision {revision}",
                help="fetch it: git fetch",
            )
        return Commit(ground.repository, commit)

    def _storage(self, resource: Resource) -> Path:
        """Return the directory of a storage resource: one for each repository and location."""
        location = self.param(resource, "location") or resource.name
        name = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in location)[-40:]
        return (
            self._ground.storage
            / _hash(str(self._ground.repository))
            / f"{name.lstrip('.')}-{_hash(location)}"
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _link_or_copy(source: str, target: str) -> None:
    """Give a file a second name, or copy it where that cannot be; nobody writes into either."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
