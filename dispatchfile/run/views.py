"""Writable views of directories on this machine, without a copy: overlays that the engine mounts.

The lower directory is the checkout, or the user's own working tree; what a task writes goes to the upper one, in the
task's volume. The user's tree stays as it is and no file of another owner appears in it. What the task must not see
(ignored and untracked files, the user's own .git) is hidden by marks laid into the upper directory beforehand.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dispatchfile.run.archive import Archive
from dispatchfile.run.backend import WorkingTree
from dispatchfile.run.checkouts import borrow_objects, origin_section, packed_tags
from dispatchfile.run.git import git, object_directories
from dispatchfile.run.workspace import MountConfig

OBJECTS = "/tekton/objects"
_ALTERNATES = ".git/objects/info/alternates"


def objects_path(directory: Path) -> str:
    """Return where steps see an object directory of this machine."""
    return f"{OBJECTS}/{hashlib.sha256(str(directory).encode(errors='surrogateescape')).hexdigest()[:16]}"


def overlay_options(lower: Path, mountpoint: str, index: int) -> dict[str, str]:
    """Return the options of the engine's local volume driver for the view number `index` of a task's volume."""
    view = f"{mountpoint}/views/{index}"
    escaped = str(lower)
    for char in "\\:,":
        escaped = escaped.replace(char, "\\" + char)
    return {
        "type": "overlay",
        "device": "overlay",
        "o": f"lowerdir={escaped},upperdir={view}/upper,workdir={view}/work",
    }


def lay_view(archive: Archive, index: int) -> str:
    """Add the directories of a view; return the upper one."""
    archive.directory(f"views/{index}/work")
    archive.directory(f"views/{index}/upper")
    return f"views/{index}/upper"


def lay_working_tree(archive: Archive, upper: str, tree: WorkingTree, url: str) -> list[Path]:
    """Hide what a task must not see of a working tree and give it a depth-1 `.git` of its own.

    Returns the object directories that its steps must see at `objects_path`.
    """
    for path in hidden_paths(tree):
        archive.whiteout(f"{upper}/{path}")
    directories = lay_repository(archive, f"{upper}/.git", tree.path, tree.commit, url)
    for path, commit in submodules(tree.path):
        inner = WorkingTree(tree.path / path, commit, tree.untracked)
        directories += lay_working_tree(archive, f"{upper}/{path}", inner, _submodule_url(tree.path / path))
    return directories


def lay_checkout(archive: Archive, upper: str, checkout: Path) -> list[Path]:
    """Let the `.git` of a cached checkout find its borrowed objects where steps see them; return the directories."""
    own, *borrowed = object_directories(checkout)
    if borrowed and own.is_relative_to(checkout.resolve()):
        lines = "".join(f"{objects_path(directory)}\n" for directory in borrowed)
        archive.file(f"{upper}/.git/objects/info/alternates", lines.encode())
    return borrowed


def borrow_here(folder: Path, mounts: Sequence[MountConfig]) -> None:
    """Let the repository of an output borrow its objects where they lie on this machine, not where steps saw them.

    `mounts` are those of its task. What a step wrote names no other directory: all else it borrows from is dropped.
    """
    mounted = {mount["Target"]: mount["Source"] for mount in mounts if mount["Target"].startswith(OBJECTS)}
    if (path := _alternates(folder)) is not None:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        borrow_objects(folder, [Path(mounted[line]) for line in lines if line in mounted])


def lay_output(archive: Archive, upper: str, folder: Path) -> list[Path]:
    """Let the `.git` of an earlier task's output find its borrowed objects as `lay_checkout` does.

    No git looks into it on this machine: a step wrote its configuration.
    """
    path = _alternates(folder)
    if path is None:
        return []
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    borrowed = [Path(line) for line in lines if Path(line).is_dir()]
    inner = "".join(f"{objects_path(directory)}\n" for directory in borrowed)
    archive.file(f"{upper}/{_ALTERNATES}", inner.encode())
    return borrowed


def _alternates(folder: Path) -> Path | None:
    """Return the file of a repository that names the directories it borrows from; None without a plain one."""
    path = folder / _ALTERNATES
    real = folder.resolve() / _ALTERNATES
    return path if path.is_file() and path.resolve() == real else None


def hidden_paths(tree: WorkingTree) -> list[str]:
    """Return what lies in a working tree but is not for its tasks: ignored files, and untracked ones unless asked."""
    only_ignored = ["--ignored", "--exclude-standard"] if tree.untracked else []
    listed = git(["ls-files", "-z", "--others", "--directory", *only_ignored], cwd=tree.path)
    names = listed.decode(errors="surrogateescape").split("\0")
    return [name.rstrip("/") for name in names if name and name != "./"]


def visible_paths(tree: WorkingTree) -> list[str]:
    """Return the files of a working tree that its tasks see, relative to it: what a copy must hold."""
    wanted = ["--cached", *(["--others", "--exclude-standard"] if tree.untracked else [])]
    names = git(["ls-files", "-z", *wanted], cwd=tree.path).decode(errors="surrogateescape").split("\0")
    return list(dict.fromkeys(name for name in names if name))


def submodules(repository: Path) -> list[tuple[str, str]]:
    """Return path and checked-out commit of each submodule that is there."""
    if not (repository / ".gitmodules").is_file():
        return []
    staged = git(["ls-files", "-z", "--stage"], cwd=repository).decode(errors="surrogateescape").split("\0")
    found = []
    for entry in staged:
        path = entry.partition("\t")[2]
        if entry.startswith("160000 ") and (repository / path / ".git").exists():
            commit = git(["rev-parse", "--verify", "HEAD"], cwd=repository / path).decode().strip()
            found.append((path, commit))
    return found


def lay_repository(archive: Archive, folder: str, repository: Path, commit: str, url: str) -> list[Path]:
    """Add a `.git` as a depth-1 clone has it: detached at `commit`, `origin`, the commit's tags, borrowed objects."""
    directories = object_directories(repository)
    archive.directory(folder, opaque=True)
    for empty in ("objects/pack", "objects/info", "refs/heads", "refs/tags", "info"):
        archive.directory(f"{folder}/{empty}")
    lines = "".join(f"{objects_path(directory)}\n" for directory in directories)
    files = {
        "HEAD": f"{commit}\n",
        "shallow": f"{commit}\n",
        "config": repository_config(commit) + origin_section(url),
        "packed-refs": packed_tags(repository, commit),
        "objects/info/alternates": lines,
    }
    for name, content in files.items():
        archive.file(f"{folder}/{name}", content.encode(errors="surrogateescape"))
    archive.file(f"{folder}/index", index_of(repository, commit))
    return directories


def repository_config(commit: str) -> str:
    """Return the core configuration of a repository that holds `commit`."""
    if len(commit) == 64:
        return (
            "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectformat = sha256\n"
        )
    return "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"


def index_of(repository: Path, commit: str) -> bytes:
    """Return an index that holds the commit's tree.

    It starts from the user's own, so that files known to be unchanged need not be read again by `git status`.
    """
    own = git(["rev-parse", "--git-path", "index"], cwd=repository).decode().rstrip("\n")
    with tempfile.TemporaryDirectory(prefix="dispatchfile-") as folder:
        index = Path(folder) / "index"
        if (repository / own).is_file():
            shutil.copyfile(repository / own, index)
        settings = ["-c", "core.splitIndex=false", "-c", "core.untrackedCache=false"]
        git([*settings, "read-tree", "--reset", commit], cwd=repository, env={"GIT_INDEX_FILE": str(index)})
        return index.read_bytes()


def _submodule_url(path: Path) -> str:
    listed = git(["config", "--default", "", "--get", "remote.origin.url"], cwd=path)
    return listed.decode(errors="replace").strip()
