"""The inputs of a task, laid into its workspace: overlays where the engine can mount them, copies where not."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dispatchfile import remote
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.record import Record
from dispatchfile.run.archive import Archive
from dispatchfile.run.backend import (
    Commit,
    GitInput,
    Produced,
    Remote,
    RunSpec,
    StorageInput,
    TaskSpec,
    WorkingTree,
)
from dispatchfile.run.checkouts import cache_folder, checkout_commit, checkout_remote, packed_tags
from dispatchfile.run.git import git
from dispatchfile.run.overlay import probe_overlay
from dispatchfile.run.views import (
    lay_checkout,
    lay_output,
    lay_view,
    lay_working_tree,
    objects_path,
    overlay_options,
    visible_paths,
)
from dispatchfile.run.workspace import WORKSPACE, MountConfig, Scratch, bind, volume

if TYPE_CHECKING:
    from docker import APIClient

    from dispatchfile.run.gateway import Gateway


class Laid(Record):
    """What the inputs of a task need beside the upload: mounts for its steps, volumes to make and to remove."""

    mounts: tuple[MountConfig, ...]
    volumes: Mapping[str, Mapping[str, str]]


class Inputs:
    """What the run knows about laying inputs: whether the engine mounts this machine's directories, and the gateway."""

    def __init__(
        self,
        client: APIClient,
        run: RunSpec,
        labels: Mapping[str, str],
        notice: Callable[[str], None],
        gateway: Callable[[], Gateway | None],
    ) -> None:
        self._client = client
        self._run = run
        self._labels = dict(labels)
        self._notice = notice
        self._gateway = gateway
        self._mountable: bool | None = None
        self._lock = threading.Lock()

    def lay(self, archive: Archive, spec: TaskSpec, scratch: Scratch) -> Laid:
        """Add a task's inputs to its upload. Raises EnvironmentProblem."""
        mounts: list[MountConfig] = []
        volumes: dict[str, Mapping[str, str]] = {}
        for index, item in enumerate(spec.inputs):
            if not isinstance(item, GitInput | StorageInput):
                continue
            lower = self._lower(item)
            if not self._can_mount(lower):
                self._copy(archive, item, lower)
                continue
            name = f"{scratch.volume}-view-{index}"
            objects = self._view(archive, index, item, lower)
            volumes[name] = overlay_options(lower, scratch.mountpoint, index)
            mounts.append(volume(name, f"{WORKSPACE}/{item.name}"))
            mounts += [bind(str(path), objects_path(path), read_only=True) for path in dict.fromkeys(objects)]
        self._lay_git_config(archive, spec)
        unique = {mount["Target"]: mount for mount in mounts}
        return Laid(mounts=tuple(unique.values()), volumes=volumes)

    def _lower(self, item: GitInput | StorageInput) -> Path:
        """Return the directory on this machine that holds an input's content."""
        if isinstance(item, StorageInput):
            lower = item.path
        elif isinstance(item.origin, Commit):
            lower = checkout_commit(cache_folder(), item.origin.path, item.origin.commit, item.url)
        elif isinstance(item.origin, Remote):
            lower = checkout_remote(cache_folder(), item.url, item.origin, offline=self._run.offline)
        else:
            lower = item.origin.path
        if not lower.is_dir():
            raise EnvironmentProblem(f'the input "{item.name}" is no directory: {lower}')
        return lower.resolve()

    def _view(self, archive: Archive, index: int, item: GitInput | StorageInput, lower: Path) -> list[Path]:
        """Lay the view of an input; return the object directories that its repository borrows from."""
        upper = lay_view(archive, index)
        if isinstance(item, StorageInput):
            return []
        if isinstance(item.origin, WorkingTree):
            return lay_working_tree(archive, upper, item.origin, item.url)
        if isinstance(item.origin, Produced):
            return lay_output(archive, upper, lower)
        return lay_checkout(archive, upper, lower)

    def _can_mount(self, lower: Path) -> bool:
        """Return whether the engine sees a directory of this machine and can lay an overlay over it; asked once."""
        with self._lock:
            if self._mountable is None:
                refusal = probe_overlay(self._client, self._run.run_id, self._labels, lower)
                self._mountable = not refusal
                if refusal:
                    self._notice(
                        f"inputs are copied into each task, which takes longer: the engine cannot mount them ({refusal})"
                    )
            return self._mountable

    def _copy(self, archive: Archive, item: GitInput | StorageInput, lower: Path) -> None:
        target = f"workspace/{item.name}"
        if isinstance(item, StorageInput) or not isinstance(item.origin, WorkingTree | Commit):
            copy_tree(archive, target, lower)
            return
        # Objects cannot be borrowed either: a shallow fetch from the user's repository brings the commit's own.
        with tempfile.TemporaryDirectory(prefix="dispatchfile-") as folder:
            clone = Path(folder) / "clone"
            source = f"file://{item.origin.path.resolve()}"
            checkout = checkout_remote(
                Path(folder) / "cache", source, Remote(item.origin.commit, submodules=False)
            )
            checkout.rename(clone)
            tags = packed_tags(item.origin.path, item.origin.commit).splitlines()[1:]
            refs = [f"{line.partition(' ')[2]}:{line.partition(' ')[2]}" for line in tags]
            if refs:
                git(["fetch", "-q", "--depth=1", "--", source, *refs], cwd=clone)
            git(["remote", "set-url", "origin", item.url], cwd=clone)
            copy_tree(archive, f"{target}/.git", clone / ".git")
        if isinstance(item.origin, WorkingTree):
            for name in visible_paths(item.origin):
                copy_tree(archive, f"{target}/{name}", item.origin.path / name)
        else:
            copy_tree(archive, target, lower, skip=".git")

    def _lay_git_config(self, archive: Archive, spec: TaskSpec) -> None:
        """Give the steps a .gitconfig: any owner's checkout is fine, and `origin` is reached through the gateway."""
        inputs = [item for item in spec.inputs if isinstance(item, GitInput)]
        lines = "[safe]\n\tdirectory = *\n"
        for item in {item.url: item for item in inputs if item.url}.values():
            gateway = self._gateway()
            if gateway is None:
                break
            own = item.origin.path if isinstance(item.origin, WorkingTree | Commit) else None
            try:
                path = remote.parse(item.url).directory
            except UsageError as problem:
                self._notice(f"steps reach {item.url!r} only as their own git can: {problem.message}")
                continue
            relative = path is not None and not path.is_absolute()
            lines += gateway.git_config(
                str((self._run.repository / path).resolve()) if path and relative else item.url, own
            )
        if inputs:
            archive.file("home/.gitconfig", lines.encode())


def copy_tree(archive: Archive, target: str, source: Path, skip: str = "") -> None:
    """Add a file, or a directory with all that is in it but the entry `skip`."""
    archive.host_path(target, source)
    if source.is_symlink() or not source.is_dir():
        return
    for entry in sorted(source.iterdir()):
        if entry.name != skip:
            copy_tree(archive, f"{target}/{entry.name}", entry)
