"""The files of a GitOps repository that an update in place may change, read once and written once."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from dispatchfile.errors import UsageError
from dispatchfile.gitops.files import SUFFIX, Output, inside
from dispatchfile.gitops.splice import edit as edits
from dispatchfile.gitops.splice.tree import Document, check_keys, documents
from dispatchfile.gitops.splice.uses import KUSTOMIZATIONS
from dispatchfile.glob import matches
from dispatchfile.source import Source

LARGEST = 4 << 20
"""Bytes of the largest file that is looked through for images."""

Say = Callable[[str], None]


class File:
    """A file that is read once, and what is to change in it."""

    def __init__(self, path: Path, name: str, text: str) -> None:
        self.path = path
        self.source = Source(name, text)
        self.edits: list[tuple[int, edits.Edit]] = []
        self.before: dict[str, str] = {}
        self.now: dict[str, str] = {}
        self._documents: list[Document] | None = None

    @property
    def documents(self) -> list[Document]:
        """Return its documents. Raises SpliceError."""
        if self._documents is None:
            self._documents = documents(self.source)
        return self._documents

    @property
    def is_kustomization(self) -> bool:
        """Return whether kustomize builds by it."""
        return self.path.name in KUSTOMIZATIONS

    def change(self, number: int, label: str, before: str, now: str, made: list[edits.Edit]) -> None:
        """Remember what is to change."""
        check_keys(self.documents[number])
        self.before[label], self.now[label] = before, now
        self.edits += [(number, edit) for edit in made]

    def output(self) -> Output:
        """Return the file as it is to be. Raises SpliceError."""
        text = edits.apply(self.source, self.documents, self.edits)
        mode = stat.S_IMODE(self.path.stat().st_mode)
        return Output(self.source.name, "", text.encode(), mode, self.before, self.now)


class Shelf:
    """The files below a directory, read when they are asked for."""

    def __init__(self, directory: Path, root: Path, glob: str) -> None:
        self.directory = directory
        self.root = root
        self.glob = glob.removeprefix("./")
        self.files: dict[str, File] = {}

    def is_among(self, path: str) -> bool:
        """Return whether -filepath lets a file be changed."""
        return not self.glob or matches(self.glob, path, "path")

    def mentioning(self, name: str, say: Say) -> Iterator[File]:
        """Yield the files that hold a text, in order; what cannot be looked into is said.

        Kustomizations are among them whatever -filepath says: they decide what others mean.
        """
        for path in _names(self.directory):
            if path not in self.files:
                if not self.is_among(path) and posixpath.basename(path) not in KUSTOMIZATIONS:
                    continue
                whole = self.directory / path
                if whole.stat().st_size > LARGEST:
                    say(f"{path} was not looked into: it is larger than {LARGEST >> 20} MiB")
                    continue
                content = whole.read_bytes()
                if name.encode() not in content:
                    continue
                self.files[path] = _file(whole, path, content)
            if name in self.files[path].source.text:
                yield self.files[path]

    def rendered(self, name: str) -> str:
        """Return the first file that holds a text and is left out since a template is rendered to it, or ""."""
        for path in _names(self.directory, rendered=True):
            if self.is_among(path) and name.encode() in (self.directory / path).read_bytes():
                return path
        return ""

    def named(self, path: str) -> File:
        """Return a file by its path. Raises UsageError."""
        path = posixpath.normpath(path)
        if path not in self.files:
            whole = self.directory / path
            if Path(path).is_absolute() or path.startswith("..") or not whole.is_file():
                raise UsageError(
                    f"-set={path}: there is no such file here",
                    help="FILE is relative to where the update runs",
                )
            if whole.with_name(whole.name + SUFFIX).exists():
                raise UsageError(
                    f"-set={path}: this file is rendered from {path}{SUFFIX}", help="-substitute sets it"
                )
            if not self.is_among(path):
                raise UsageError(f'-set={path}: -filepath "{self.glob}" leaves this file out')
            real = inside(whole, self.root)
            if any(file.path.resolve() == real for file in self.files.values()):
                raise UsageError(f"-set={path}: this is a file that is set under another name too")
            self.files[path] = _file(real, path, real.read_bytes())
        return self.files[path]


def _names(directory: Path, *, rendered: bool = False) -> list[str]:
    """Return the YAML and JSON files below a directory, those that templates are rendered to or all others.

    What is hidden or a link is neither.
    """
    found: list[str] = []
    for where, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            whole = Path(where, name)
            path = whole.relative_to(directory).as_posix()
            known = name.endswith((".yaml", ".yml", ".json")) or name in KUSTOMIZATIONS
            if name.startswith(".") or not known or whole.is_symlink():
                continue
            if whole.is_file() and (f"{name}{SUFFIX}" in files) == rendered:
                found.append(path)
    return sorted(found)


def _file(whole: Path, path: str, content: bytes) -> File:
    try:
        return File(whole, path, content.decode())
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8", help="leave it out with -filepath, or change it by hand"
        ) from error
