"""Objects of a cluster as files of a folder, each written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.tekton import manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dispatchfile.tekton.parts import Object


def write(files: Mapping[str, Object], folder: str, how: str = "", *, force: bool = False) -> list[Path]:
    """Write each object into its file below a folder, headed as `manifest.text`, and return the paths.

    Raises UsageError, before any is written, for a file there that was not made here, unless forced; and
    EnvironmentProblem where nothing can be written.
    """
    texts = {Path(folder, name): manifest.text([made], how) for name, made in files.items()}
    if not force:
        for path in texts:
            _refuse_others(path)
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
        except OSError as error:
            raise EnvironmentProblem(f"cannot write {path}: {error.strerror}") from error
    return list(texts)


def left(folder: str, written: Collection[Path]) -> list[Path]:
    """Return the files of a folder that were made here once and are none of those written now, sorted."""
    others = sorted(path for path in Path(folder).glob("*.yaml") if path not in written)
    return [path for path in others if path.is_file() and os.access(path, os.R_OK) and _is_ours(path)]


def _refuse_others(path: Path) -> None:
    try:
        is_ours = _is_ours(path)
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


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
