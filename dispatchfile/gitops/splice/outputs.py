"""`--set-image` and `--set`: the files of a GitOps repository with images and values set in place."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from dispatchfile.errors import UsageError
from dispatchfile.gitops.files import Output, inside
from dispatchfile.gitops.flags import Options
from dispatchfile.gitops.splice import address as addresses
from dispatchfile.gitops.splice import edit as edits
from dispatchfile.gitops.splice.kustomized import left_to_kustomize, replaced
from dispatchfile.gitops.splice.reference import Image, Wish, parse_wish
from dispatchfile.gitops.splice.tree import Document, Scalar, SpliceError, check_keys, documents
from dispatchfile.gitops.splice.uses import KUSTOMIZATIONS, Use, setters, uses
from dispatchfile.gitops.splice.wishes import image_edits, value_edit
from dispatchfile.glob import matches
from dispatchfile.source import Source

TEMPLATE = ".tmpl"
LARGEST = 4 << 20
"""Bytes of the largest file that is looked through for images."""

Say = Callable[[str], None]


class _File:
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


def outputs(directory: Path, root: Path, options: Options, say: Say) -> list[Output]:
    """Return what --set-image and --set make of the files below `directory`; nothing is written.

    Raises SpliceError and UsageError where something is not found, is not certain, or cannot be changed alone.
    """
    shelf = _Shelf(directory, root, options.filepath)
    for text in options.set_image:
        _set_image(shelf, parse_wish(text), say)
    for text in options.set:
        _set(shelf, addresses.parse(text))
    return [file.output() for file in shelf.files.values() if file.edits]


class _Shelf:
    """The files below a directory, read when they are asked for."""

    def __init__(self, directory: Path, root: Path, glob: str) -> None:
        self.directory = directory
        self.root = root
        self.glob = glob
        self.files: dict[str, _File] = {}

    def mentioning(self, name: str, say: Say) -> Iterator[_File]:
        """Yield the files that hold a text, in order; what cannot be looked into is said."""
        for path in _names(self.directory, self.glob):
            if path not in self.files:
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

    def named(self, path: str) -> _File:
        """Return a file by its path. Raises UsageError."""
        if path not in self.files:
            whole = self.directory / path
            if Path(path).is_absolute() or path.startswith("..") or not whole.is_file():
                raise UsageError(
                    f"-set={path}: there is no such file here",
                    help="FILE is relative to where the update runs",
                )
            if whole.with_name(whole.name + TEMPLATE).exists():
                raise UsageError(
                    f"-set={path}: this file is rendered from {path}{TEMPLATE}", help="-substitute sets it"
                )
            if self.glob and not matches(self.glob.removeprefix("./"), path, "path"):
                raise UsageError(f'-set={path}: -filepath "{self.glob}" leaves this file out')
            real = inside(whole, self.root)
            self.files[path] = _file(real, path, real.read_bytes())
        return self.files[path]


def _names(directory: Path, glob: str) -> list[str]:
    """Return the YAML and JSON files below a directory; what is hidden, a link or rendered is none of them."""
    glob = glob.removeprefix("./")
    found: list[str] = []
    for where, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            whole = Path(where, name)
            path = whole.relative_to(directory).as_posix()
            known = name.endswith((".yaml", ".yml", ".json")) or name in KUSTOMIZATIONS
            if name.startswith(".") or not known or f"{name}{TEMPLATE}" in files or whole.is_symlink():
                continue
            if (not glob or matches(glob, path, "path")) and whole.is_file():
                found.append(path)
    return sorted(found)


def _file(whole: Path, path: str, content: bytes) -> _File:
    try:
        return _File(whole, path, content.decode())
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8", help="leave it out with -filepath, or change it by hand"
        ) from error


def _set_image(shelf: _Shelf, wish: Wish, say: Say) -> None:
    files = {file.source.name: file for file in shelf.mentioning(wish.name.rpartition("/")[2], say)}
    found: list[Use] = []
    for file in files.values():
        found += _uses(file, wish, say)
    if not wish.policy:
        files |= _replacements(shelf, found, say)
    chosen = _chosen(shelf, wish, found, say)
    for use in chosen:
        image, made = image_edits(use, wish)
        file = files[use.document.source.name]
        before, now = str(use.image), str(image)
        if wish.policy and isinstance(use.node, Scalar):
            before, now = use.node.value, made[0].new[0]
        file.change(use.number, use.label, before, now, made)


def _replacements(shelf: _Shelf, found: list[Use], say: Say) -> dict[str, _File]:
    """Add the entries of kustomizations that replace what was found under another name; return their files."""
    files: dict[str, _File] = {}
    known = {id(use.node) for use in found}
    for repository in {use.image.repository for use in found if use.form == "text"}:
        wish = Wish(repository, Image(""), policy=False)
        for file in shelf.mentioning(repository.rpartition("/")[2], say):
            for use in _uses(file, wish, say) if file.is_kustomization else ():
                replaces = (
                    use.form == "kustomize" and use.original == repository and id(use.node) not in known
                )
                if replaces and replaced(shelf.directory, use, found):
                    known.add(id(use.node))
                    found.append(use)
                    files[file.source.name] = file
    return files


def _uses(file: _File, wish: Wish, say: Say) -> Iterator[Use]:
    """Yield the uses that a file has of what is wished; a chart's templates are no YAML and are said to be left out."""
    try:
        parsed = file.documents
    except SpliceError as error:
        if "{{" not in file.source.text:
            error.help = "mend the file, or leave it out with -filepath"
            raise
        say(f"{file.source.name} was not looked into: it is a template of a Helm chart")
        return
    seen = set[int]()
    for number, document in enumerate(parsed):
        every = setters(document, number) if wish.policy else uses(document, number, alone=len(parsed) == 1)
        for use in every:
            meant = use.policy == wish.name if wish.policy else use.is_meant(wish.name)
            if meant and id(use.node) not in seen:
                seen.add(id(use.node))
                yield use


def _chosen(shelf: _Shelf, wish: Wish, found: list[Use], say: Say) -> list[Use]:
    """Return the uses to change: all of one repository. Raises UsageError where there is none, or more than one."""
    chosen = found if wish.policy else left_to_kustomize(shelf.directory, found, say)
    if not chosen:
        what = "setter comment names the policy" if wish.policy else "image or container is named"
        within = f' in what -filepath "{shelf.glob}" matches' if shelf.glob else " here or below"
        raise UsageError(
            f'-set-image: no {what} "{wish.name}"{within}',
            help="NAME is the end of an image's name (web, acme/web) or a container's; -set reaches other places",
        )
    aim = wish.image.repository
    repositories = {use.image.repository for use in chosen if use.image.repository != aim}
    if len(repositories) > 1 and not wish.policy:
        places = "; ".join(f"{use.place}: {use.label} is {use.image}" for use in chosen)
        raise UsageError(
            f'-set-image: "{wish.name}" may mean different images: {places}',
            help="say more of the image's name (acme/web), or choose files with -filepath",
        )
    return chosen


def _set(shelf: _Shelf, address: addresses.Address) -> None:
    file = shelf.named(address.file)
    try:
        parsed = file.documents
    except SpliceError as error:
        if "{{" in file.source.text:
            error.help = "a template of a Helm chart is not changed: set the chart's values"
        raise
    number, node, shared = addresses.find(parsed, address)
    document = parsed[number]
    if shared:
        raise document.fail(node, f"{address.path} is repeated elsewhere by an alias", "change it by hand")
    made = value_edit(document, node, address.value)
    chosen = f"{address.kind}/{address.name}:" if address.kind else ""
    before = node.value if isinstance(node, Scalar) else ""
    file.change(number, f"{chosen}{address.path}", before, address.value, [made])
