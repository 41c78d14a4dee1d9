"""Images that a kustomization replaces: its `images` is the place to set them, not the manifests that it takes in."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dispatchfile.gitops.splice.tree import Document, Items, Mapping, Scalar, SpliceError, documents
from dispatchfile.gitops.splice.uses import KUSTOMIZATIONS, Use
from dispatchfile.source import Source

_TAKEN = ("resources", "bases", "components", "patches", "patchesStrategicMerge")
_MOST = 1000
"""Kustomizations and files after which one is not followed any further."""


def replaced(directory: Path, entry: Use, found: Sequence[Use]) -> list[Use]:
    """Return those of the uses that an entry of a kustomization replaces."""
    where = posixpath.dirname(entry.document.source.name)
    files = set(_files(directory, [entry.document], where))
    return [
        use
        for use in found
        if use.form != "kustomize"
        and use.image.repository == entry.original
        and use.document.source.name in files
    ]


def left_to_kustomize(directory: Path, found: Sequence[Use], say: Callable[[str], None]) -> list[Use]:
    """Return the uses without those that an entry of a kustomization among them replaces.

    Such a name (`image: web`) only stands for what the entry says; changed, kustomize would not find it any more.
    """
    left = {id(use): use for use in found}
    for entry in found:
        for use in replaced(directory, entry, found) if entry.form == "kustomize" else ():
            if left.pop(id(use), None):
                by = entry.document.source.name
                say(f"{use.place}: {use.label} is left as it is: {by} replaces it")
    return list(left.values())


def _files(directory: Path, first: Sequence[Document], where: str) -> Iterator[str]:
    """Yield the files that a kustomization takes in, as paths relative to `directory`, and those of what it builds on."""
    waiting, seen = [(document, where) for document in first], set[str]()
    while waiting and len(seen) < _MOST:
        document, folder = waiting.pop()
        for name in _named(document):
            path = posixpath.normpath(posixpath.join(folder, name))
            whole = directory / path
            if path in seen or "://" in name or path.startswith("/"):
                continue
            seen.add(path)
            if whole.is_file():
                yield path
            for file in KUSTOMIZATIONS:
                if (whole / file).is_file():
                    waiting += [(inner, path) for inner in _read(whole / file)]


def _named(document: Document) -> Iterator[str]:
    """Yield the paths that a kustomization names."""
    root = document.root
    for key in _TAKEN if isinstance(root, Mapping) else ():
        value = root.get(key) if isinstance(root, Mapping) else None
        for item in value.items if isinstance(value, Items) else ():
            if isinstance(item, Scalar):
                yield item.value
            elif isinstance(item, Mapping) and (path := item.text("path")):
                yield path


def _read(path: Path) -> list[Document]:
    try:
        return documents(Source(str(path), path.read_text(encoding="utf-8")))
    except (SpliceError, UnicodeDecodeError):
        # It is not what is to be changed; kustomize will say what is wrong with it.
        return []
