"""Kustomizations: by `kubectl kustomize` or `kustomize build` where one is there, else by our own `kustomization/`.

Whoever renders it, what a kustomization refers to is looked at first: nothing outside the repository, nothing that
would be fetched, no program.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

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
_REMOTE = re.compile(
    r"[a-z+]+://|[a-z0-9.-]+@[a-z0-9.-]+:|git::|github\.com[/:]|.*[?&](ref|timeout|submodules)=",
    re.IGNORECASE,
)


def build(root: Path, folder: Path) -> list[Document]:
    """Return the objects of a kustomization in the repository laid out in `root`. Raises SourceProblem."""
    examine(root, folder)
    name = str(_file(folder).relative_to(root))
    if program := shutil.which("kubectl"):
        return documents.read_text(tools.run(program, ["kustomize", "."], root, folder), name)
    if program := shutil.which("kustomize"):
        return documents.read_text(tools.run(program, ["build", "."], root, folder), name)
    from dispatchfile.apps.kustomization.build import build as build_ourselves

    return build_ourselves(root, folder, load)


def load(root: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """Return a kustomization and its name in the repository. Raises SourceProblem."""
    path = _file(folder)
    name = str(path.relative_to(root))
    read = documents.read_file(path, name)
    found = read[0].object if read else {}
    if len(read) > 1 or not isinstance(found, dict):
        raise SourceProblem(f"{name} is not one kustomization")
    return found, name


def examine(root: Path, folder: Path, above: tuple[Path, ...] = ()) -> None:
    """Raise SourceProblem when a kustomization, or one that it builds on, refers to what it is not to get."""
    if folder in above:
        raise SourceProblem(f"{_file(folder).relative_to(root)} builds on itself")
    found, name = load(root, folder)
    for field in ("helmCharts", "helmChartInflationGenerator", "helmGlobals"):
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
                examine(root, below, (*above, folder))


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
    for field in ("patches", "patchesJson6902", "replacements"):
        yield from (
            (field, text) for one in _mappings(found.get(field)) for text in _texts([one.get("path")])
        )
    for field in ("configMapGenerator", "secretGenerator"):
        for one in _mappings(found.get(field)):
            for text in (*_texts(one.get("files")), *_texts(one.get("envs")), *_texts([one.get("env")])):
                yield field, text.rpartition("=")[2]


def _check_local(root: Path, folder: Path, name: str, field: str, text: str) -> None:
    real, base = Path(os.path.realpath(folder / text)), Path(os.path.realpath(root))
    if real.exists() and real.is_relative_to(base):
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
    """Raise SourceProblem for a transformer or its like that mentions anything to fetch."""
    path = folder / text if "\n" not in text else None
    files = sorted(path.rglob("*")) if path and path.is_dir() else [path] if path else []
    read = [file.read_text("utf-8", "replace") for file in files if file.is_file()] if path else [text]
    if any("://" in one for one in read):
        raise SourceProblem(f"{name}: {field} mentions a URL, which would be fetched")


def _texts(found: Any) -> list[str]:
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []


def _mappings(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
