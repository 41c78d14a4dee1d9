"""Objects of a cluster as files of a folder, all of them written or none, or held against what is there."""

from __future__ import annotations

import os
from pathlib import Path

from dispatchfile import atomic
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.tekton import manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from dispatchfile.tekton.parts import Object


def write(files: Mapping[str, Object], folder: str, how: str = "", *, force: bool = False) -> list[Path]:
    """Write each object into its file below a folder, headed as `manifest.text`, and return the paths.

    Either all are written or none. Raises UsageError for a file there that was not made here, unless forced, and for
    what is no folder; EnvironmentProblem where nothing can be written.
    """
    texts = _texts(files, folder, how)
    if not force:
        _refuse_link(folder)
        for path in texts:
            _refuse_others(path)
    staged: dict[Path, Path] = {}
    mode = atomic.usual_mode()
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            staged[path] = atomic.staged(path, text.encode(), mode)
        for path, temporary in staged.items():
            temporary.replace(path)
    except FileExistsError as error:
        raise UsageError(f"{error.filename} is no folder", help="choose another --out") from error
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {path}: {error.strerror}") from error
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
    return list(texts)


def exposed(objects: Iterable[Object]) -> Iterator[str]:
    """Yield which objects hold secrets of the Dispatchfile in plain text: whoever may read them there reads these too."""
    import json

    from dispatchfile.lint.secrets import holds_secret, in_urls, shapes

    for made in objects:
        text = json.dumps(made, ensure_ascii=False)
        if any(in_urls(text)) or any(shapes(text)) or any(holds_secret(*one) for one in _variables(made)):
            name = f"{made['kind']} {made['metadata'].get('name', '')}".strip()
            yield f"{name} holds a secret that stands in the Dispatchfile; `dispatchfile lint --select DF603` says where"


def _variables(made: Object) -> Iterator[tuple[str, str]]:
    """Yield name and value of the variables of all steps."""
    for step in _steps(made):
        yield from ((one["name"], one["value"]) for one in step.get("env", ()) if "value" in one)


def unused(objects: Iterable[Object], images: Mapping[str, str]) -> Iterator[str]:
    """Yield which of the images that were to be used for others no step has."""
    used = {step["image"] for made in objects for step in _steps(made)}
    for name, ref in images.items():
        if ref not in used:
            yield f"--image {name}={ref} replaces nothing: no step that is emitted says {name}"


def _steps(made: Object) -> Iterator[Object]:
    """Yield all steps of a Pipeline, or of a run that carries one."""
    spec = made.get("spec", {})
    for task in spec.get("pipelineSpec", spec).get("tasks", ()):
        yield from task["taskSpec"]["steps"]


def different(files: Mapping[str, Object], folder: str, how: str = "") -> list[Path]:
    """Return the paths of the files that `write` would make or change; git may have given them other line ends.

    Raises EnvironmentProblem for what cannot be read.
    """
    return [path for path, text in _texts(files, folder, how).items() if not _holds(path, text)]


def left(folder: str, written: Collection[Path]) -> list[Path]:
    """Return the files of a folder that were made here once and are none of those written now, sorted."""
    others = sorted(path for path in Path(folder).glob("*.yaml") if path not in written)
    return [path for path in others if path.is_file() and os.access(path, os.R_OK) and _is_ours(path)]


def _texts(files: Mapping[str, Object], folder: str, how: str) -> dict[Path, str]:
    return {Path(folder, name): manifest.text([made], how) for name, made in files.items()}


def _holds(path: Path, text: str) -> bool:
    """Return whether a file holds a text; a device or a pipe, which a link in a repository may lead to, does not."""
    wanted = text.encode()
    try:
        if not path.is_file() or path.stat().st_size > 2 * len(wanted):
            return False
        return path.read_bytes().replace(b"\r\n", b"\n") == wanted
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from error


def _refuse_link(folder: str) -> None:
    """Raise UsageError where a link in the repository leads out of it: who made that would say where we write."""
    from dispatchfile.cli.files import links_out

    if links_out(folder):
        raise UsageError(
            f"{folder} leads out of the repository, to {os.path.realpath(folder)}; nothing was written",
            help="name that folder itself, or --force",
        )


def _refuse_others(path: Path) -> None:
    try:
        is_ours = (path.is_file() or not path.exists()) and _is_ours(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {path}: {error.strerror}") from error
    if not is_ours:
        raise UsageError(
            f"{path} was not made by dispatchfile; nothing was written",
            help="choose another --out, or --force",
        )


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(manifest.MARK)) == manifest.MARK.encode()
