"""Lay out what a commit holds in a private folder: plain files, and links that stay inside.

A repository is hostile until shown otherwise: names that lead out of the folder are refused, links that do are left
out, and sizes are known before anything is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dispatchfile.errors import DispatchfileError, UsageError
from dispatchfile.gitops.git import Git
from dispatchfile.record import Record
from dispatchfile.spelling import counted

MOST_FILES = 50_000
MOST_BYTES = 256 << 20
_AT_ONCE = 16 << 20
_LFS = b"version https://git-lfs.github.com/spec/"


class SourceProblem(DispatchfileError):
    """What the repository holds cannot be used."""


class Entry(Record):
    """A file of a commit; `kind` is git's mode: 100644, 100755, 120000 for a link, 160000 for a submodule."""

    mode: str
    object: str
    size: int
    path: str


class Exported(Record):
    """The folder that the repository's root is in, what was left out, and why."""

    root: Path
    notes: tuple[str, ...]


def check_path(path: str) -> str:
    """Return a path in a repository as git has it. Raises UsageError for one that leads out of it."""
    clean = os.path.normpath(path.strip("/") or ".")
    if path.startswith("/") or clean.split("/")[0] == ".." or any(ord(letter) < 32 for letter in path):
        raise UsageError(
            f"the path {path!r} does not lie in the repository", help="name a folder relative to its root"
        )
    return clean


def entries(git: Git, commit: str, path: str) -> list[Entry]:
    """Return the files at and below a path. Raises SourceProblem when there is none, or too many."""
    clean = check_path(path)
    within = () if clean == "." else ("--", f":(literal){clean}")
    listed = git.raw("ls-tree", "-r", "-z", "--long", "--full-tree", commit, *within)
    found = [_entry(line) for line in listed.split(b"\0") if line]
    if not found:
        raise SourceProblem(f"there is no {clean} in commit {commit[:10]}", help=_folders(git, commit))
    if len(found) > MOST_FILES or sum(entry.size for entry in found) > MOST_BYTES:
        size = f"{counted(len(found), 'file')}, {sum(entry.size for entry in found) >> 20} MiB"
        raise SourceProblem(
            f"{clean} is too large ({size})",
            help=f"at most {MOST_FILES} files and {MOST_BYTES >> 20} MiB; name a folder of it with --path",
        )
    return found


def export(git: Git, commit: str, path: str, folder: Path) -> Exported:
    """Lay out a path of a commit in an empty folder, and all of the repository where the path alone does not do.

    It does not for kustomizations and charts, which may refer to other folders, and for links.
    """
    files = entries(git, commit, path)
    if check_path(path) != "." and any(_reaches_out(entry) for entry in files):
        files = entries(git, commit, ".")
    notes = [
        f"{entry.path} is a submodule, which is not fetched: put its manifests into the repository itself"
        for entry in files
        if entry.mode == "160000"
    ]
    links: list[tuple[Entry, bytes]] = []
    for entry, data in _contents(git, [entry for entry in files if entry.mode != "160000"]):
        if entry.mode == "120000":
            links.append((entry, data))
        else:
            _write(folder / entry.path, data, executable=entry.mode == "100755")
            if data.startswith(_LFS):
                notes.append(
                    f"{entry.path} is kept in Git LFS, which is not fetched: only its pointer is here"
                )
    notes += _link(folder, links)
    return Exported(folder, tuple(notes))


def _entry(line: bytes) -> Entry:
    facts, _, name = line.partition(b"\t")
    mode, _, found, size = facts.decode("ascii").split()
    path = name.decode("utf-8", "surrogateescape")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/")):
        raise SourceProblem(f"the repository holds a file named {path!r}, which no checkout may have")
    return Entry(mode, found, int(size) if size != "-" else 0, path)


def _reaches_out(entry: Entry) -> bool:
    name = entry.path.rpartition("/")[2]
    return entry.mode == "120000" or name in (
        "kustomization.yaml",
        "kustomization.yml",
        "Kustomization",
        "Chart.yaml",
    )


def _contents(git: Git, files: Sequence[Entry]) -> Iterator[tuple[Entry, bytes]]:
    """Yield the files with what is in them, some MiB at a time."""
    batch: list[Entry] = []
    size = 0
    for entry in files:
        batch.append(entry)
        size += entry.size
        if size >= _AT_ONCE:
            yield from _read(git, batch)
            batch, size = [], 0
    yield from _read(git, batch)


def _read(git: Git, batch: Sequence[Entry]) -> Iterator[tuple[Entry, bytes]]:
    if not batch:
        return
    asked = "".join(f"{entry.object}\n" for entry in batch).encode()
    answer, at = git.raw("cat-file", "--batch", stdin=asked), 0
    for entry in batch:
        start = answer.index(b"\n", at) + 1
        size = int(answer[at:start].split()[2])
        yield entry, answer[start : start + size]
        at = start + size + 1


def _write(path: Path, data: bytes, *, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)  # no link is there yet
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o755 if executable else 0o644), "wb") as file:
        file.write(data)


def _link(folder: Path, links: Sequence[tuple[Entry, bytes]]) -> list[str]:
    """Make links once no more files are written through anything; return what is said of those that lead out."""
    root = os.path.realpath(folder)
    made: list[Path] = []
    # All folders before any link: a tree made by hand may hold a folder and a link of one name.
    for entry, _ in links:
        (folder / entry.path).parent.mkdir(parents=True, exist_ok=True)
    for entry, data in links:
        path, target = folder / entry.path, data.decode("utf-8", "surrogateescape")
        if not target or "\0" in target:
            raise SourceProblem(f"{entry.path} is a broken link")
        try:
            path.symlink_to(target)
        except FileExistsError:
            raise SourceProblem(
                f"the repository holds {entry.path} twice, as a link and as a folder"
            ) from None
        made.append(path)
    out = [path for path in made if not _inside(root, os.path.realpath(path))]
    for path in out:
        path.unlink()
    return [
        f"{path.relative_to(folder)} is a link that leads out of the repository, and is left out"
        for path in out
    ]


def _inside(root: str, path: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _folders(git: Git, commit: str) -> str:
    """Return a sentence that names the folders at the top."""
    listed = git.raw("ls-tree", "-d", "-z", "--name-only", commit).decode("utf-8", "replace")
    names = [name for name in listed.split("\0") if name and not name.startswith(".")]
    return (
        f"its folders are {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
        if names
        else "it has no folders"
    )
