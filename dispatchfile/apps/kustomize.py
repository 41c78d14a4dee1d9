"""Kustomizations: by `kubectl kustomize` (1.24 or newer) or `kustomize build` where one is there, else by our own.

Whoever renders it, what a kustomization refers to is looked at first: nothing outside the repository, nothing that
would be fetched, no program.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from types import NoneType

from dispatchfile.apps import documents, tools
from dispatchfile.apps.export import SourceProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dispatchfile.apps.documents import Document

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_FOLDERS = ("resources", "bases", "components")
_PLUGINS = ("generators", "transformers", "validators")
_PATHS = ("crds", "configurations", "patchesStrategicMerge")
_WITH_PATH = ("patches", "patchesJson6902", "replacements")
_GENERATED = ("configMapGenerator", "secretGenerator")
_FETCHING = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
# What is looked at here, in the small letters in which kustomize, which is written in Go, would find it too.
_FIELDS = {
    name.casefold(): name
    for name in (*_FOLDERS, *_PLUGINS, *_PATHS, *_WITH_PATH, *_GENERATED, *_FETCHING, "openapi")
}
_BELOW = {name: name for name in ("path", "files", "envs", "env")}
_MOST, _DEEPEST = 2000, 50
_REMOTE = re.compile(
    r"[a-z+]+://|[a-z0-9.-]+@[a-z0-9.-]+:|git::|github\.com[/:]|.*[?&](ref|timeout|submodules)=",
    re.IGNORECASE,
)


def build(root: Path, folder: Path) -> list[Document]:
    """Return the objects of a kustomization in the repository laid out in `root`. Raises SourceProblem."""
    examine(root, folder)
    name = str(_file(folder).relative_to(root))
    if (program := shutil.which("kubectl")) and _is_current(program, root, folder):
        return documents.read_text(tools.run(program, ["kustomize", "."], root, folder), name)
    if program := shutil.which("kustomize"):
        return documents.read_text(tools.run(program, ["build", "."], root, folder), name)
    from dispatchfile.apps.kustomization.build import build as build_ourselves

    return build_ourselves(root, folder, load)


def _is_current(kubectl: str, root: Path, folder: Path) -> bool:
    """Return whether kubectl has a kustomize of today. Up to 1.20 it was that of 2019, and up to 1.23 it does not tell."""
    told = json.loads(tools.run(kubectl, ["version", "--client", "--output=json"], root, folder))
    return "kustomizeVersion" in told


def load(root: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """Return a kustomization and its name in the repository. Raises SourceProblem."""
    path = _file(folder)
    name = str(path.relative_to(root))
    read = documents.read_file(path, name)
    found = read[0].object if read else {}
    if len(read) > 1 or not isinstance(found, dict):
        raise SourceProblem(f"{name} is not one kustomization")
    return found, name


def examine(root: Path, folder: Path) -> None:
    """Raise SourceProblem when a kustomization, or one that it builds on, refers to what it is not to get."""
    if sum(1 for _ in zip(_examined(root, folder, ()), range(_MOST + 1), strict=False)) > _MOST:
        raise SourceProblem(
            f"{_file(folder).relative_to(root)} builds on more than {_MOST} kustomizations",
            help="one that is built on in two ways counts twice",
        )


def _examined(root: Path, folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the folder of a kustomization, and of each that it builds on as often as that is built."""
    yield folder
    if folder in above:
        raise SourceProblem(f"{_file(folder).relative_to(root)} builds on itself")
    if len(above) == _DEEPEST:
        raise SourceProblem(f"{_file(folder).relative_to(root)} is more than {_DEEPEST} kustomizations deep")
    found, name = load(root, folder)
    _check_shape(found, name)
    for field in _FETCHING:
        if field in found:
            raise SourceProblem(
                f"{name}: {field} would fetch a chart", help="commit what `helm template` makes of it"
            )
    for field, text in _references(found):
        _check_local(root, folder, name, field, text)
    for field in _PLUGINS:
        for text in _texts(found.get(field)):
            _check_plugin(folder, name, field, text)
    for field in _FOLDERS:
        for text in _texts(found.get(field)):
            below = Path(os.path.realpath(folder / text))
            if below.is_dir():
                yield from _examined(root, below, (*above, folder))


def _check_shape(found: dict[str, Any], name: str) -> None:
    """Raise SourceProblem where what is looked at here could be read in another way.

    kustomize, which is written in Go, does not mind capital letters in the names of fields.
    """
    for field in (*_WITH_PATH, *_GENERATED):
        if found.get(field) is not None and not _is_list(found[field], dict):
            raise SourceProblem(f"{name}: {field} is no list of mappings")
    below = [one for field in (*_WITH_PATH, *_GENERATED) for one in _mappings(found.get(field))]
    for known, fields in (
        (_FIELDS, found),
        *((_BELOW, one) for one in (*below, *_mappings([found.get("openapi")]))),
    ):
        for field, value in fields.items():
            meant = known.get(field.casefold(), field)
            if field != meant:
                raise SourceProblem(f"{name}: the field {field!r} is spelled {meant}")
            if field in ("path", "env") and known is _BELOW and not isinstance(value, (str, NoneType)):
                raise SourceProblem(f"{name}: {field} is no text")
            lists = ("files", "envs") if known is _BELOW else (*_FOLDERS, *_PATHS, *_PLUGINS)
            if field in lists and value is not None and not _is_list(value, str):
                raise SourceProblem(f"{name}: {field} is no list of texts")


def _file(folder: Path) -> Path:
    found = [folder / name for name in NAMES if (folder / name).is_file()]
    if len(found) != 1:
        what = "there is no kustomization" if not found else "there are several kustomizations"
        raise SourceProblem(f"{what} in {folder.name}", help=f"one of {', '.join(NAMES)}")
    return found[0]


def _references(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield field and text of everything that is a path, of those that are no objects themselves."""
    for field in (*_FOLDERS, *_PATHS, *_PLUGINS):
        for text in _texts(found.get(field)):
            if "\n" not in text:
                yield field, text
    openapi = found.get("openapi")
    if isinstance(openapi, dict):
        yield from (("openapi", text) for text in _texts([openapi.get("path")]))
    for field in _WITH_PATH:
        yield from (
            (field, text) for one in _mappings(found.get(field)) for text in _texts([one.get("path")])
        )
    for field in _GENERATED:
        for one in _mappings(found.get(field)):
            for text in (*_texts(one.get("files")), *_texts(one.get("envs")), *_texts([one.get("env")])):
                yield field, text.rpartition("=")[2]


def _check_local(root: Path, folder: Path, name: str, field: str, text: str) -> None:
    if not text.isprintable():
        raise SourceProblem(f"{name}: {field} refers to {text!r}, which is no path")
    real, base = Path(os.path.realpath(folder / text)), Path(os.path.realpath(root))
    # A URL is fetched, whatever file there is of that name.
    if "://" not in text and real.exists() and real.is_relative_to(base):
        return
    if _REMOTE.match(text):
        raise SourceProblem(
            f"{name}: {field} refers to {text}, which would be fetched",
            help="copy it into the repository: what runs is to be what its commits say",
        )
    if not real.is_relative_to(base):
        raise SourceProblem(f"{name}: {field} refers to {text}, which does not lie in the repository")
    raise SourceProblem(f"{name}: {field} refers to {text}, and there is no such file")


def _check_plugin(folder: Path, name: str, field: str, text: str) -> None:
    """Raise SourceProblem for a transformer or its like that mentions anything to fetch, or may come to do so."""
    if "\n" in text:
        read = documents.read_text(text, name)
    elif (folder / text).is_dir():
        raise SourceProblem(
            f"{name}: {field} names the folder {text}, and what is built there could be anything",
            help="name its files",
        )
    else:
        read = documents.read_file(folder / text, f"{name}: {text}")
    if any("://" in one for document in read for one in _all_texts(document.object)):
        raise SourceProblem(f"{name}: {field} mentions a URL, which would be fetched")


def _all_texts(found: Any) -> Iterator[str]:
    below = [*found, *found.values()] if isinstance(found, dict) else found if isinstance(found, list) else ()
    for one in below:
        yield from _all_texts(one)
    if isinstance(found, str):
        yield found


def _is_list(found: Any, of: type) -> bool:
    return isinstance(found, list) and all(isinstance(one, of) for one in found)


def _texts(found: Any) -> list[str]:
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []


def _mappings(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
