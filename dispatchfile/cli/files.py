"""The files that `lint`, `fmt` and `migrate` work on: which ones, what has changed, and how they are written."""

from __future__ import annotations

import os
import re
import sys

from dispatchfile.errors import EnvironmentProblem, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.source import Source

_NAME = re.compile(r"Dispatchfile(\.(cue|star|starlark|yaml|yml|json))?")
_BOM = b"\xef\xbb\xbf"


def chosen(arguments: Sequence[str]) -> list[str]:
    """Return the files that arguments name, each once: files as they are, and the Dispatchfiles below folders.

    Without arguments all Dispatchfiles that git tracks in the repository, and without a repository that of this
    folder. Raises UsageError when there is none, and EnvironmentProblem when git refuses.
    """
    if not arguments:
        return _of_repository()
    found: list[str] = []
    for name in arguments:
        if name != "-" and os.path.isdir(name):
            below = _tracked(name) if _in_repository(name) else None
            below = _walked(name) if below is None else below
            if not below:
                raise UsageError(f"no Dispatchfile below {name}", help="name the file itself")
            found += below
        else:
            found.append(name)
    return list(dict.fromkeys(found))


def _of_repository() -> list[str]:
    from dispatchfile import front

    tracked = _tracked(".", whole=True) if _in_repository(".") else None
    if tracked is None:
        return [front.find()]
    if not tracked:
        here = [name for name in front.DEFAULT_NAMES if os.path.isfile(name)]
        advice = f"git add {here[0]}, or name the file" if here else "name the file"
        raise UsageError("git tracks no Dispatchfile in this repository", help=advice)
    return tracked


def _in_repository(folder: str) -> bool:
    return _top(os.path.realpath(folder)) is not None


def _top(folder: str) -> str | None:
    """Return the nearest folder, from this one upward, that has a `.git`."""
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def _tracked(folder: str, *, whole: bool = False) -> list[str] | None:
    """Return the Dispatchfiles that git tracks below a folder, or in its whole repository; None without git."""
    import subprocess

    from dispatchfile.gitenv import git_command, reading_environment

    pattern = f":({'top,' if whole else ''}glob)**/Dispatchfile*"
    command = [*git_command(), "ls-files", "-z", "--", pattern]
    try:
        done = subprocess.run(
            command, cwd=folder, env=reading_environment(), capture_output=True, check=False
        )
    except FileNotFoundError:
        return None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise EnvironmentProblem(f"git does not say which files it tracks: {said}", help="name the files")
    names = [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    paths = [name if folder == "." else os.path.join(folder, name) for name in names]
    return [path for path in paths if _is_dispatchfile(path) and not leads_outside(path)]


def _walked(folder: str) -> list[str]:
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [os.path.join(where, name) for name in sorted(names)]
        found += [path for path in paths if _is_dispatchfile(path) and not leads_outside(path)]
    return found


def _is_dispatchfile(path: str) -> bool:
    return _NAME.fullmatch(os.path.basename(path)) is not None and os.path.isfile(path)


def leads_outside(path: str) -> bool:
    """Return whether a file is a symbolic link to one outside of its repository, without one, of its folder."""
    if not os.path.islink(path):
        return False
    folder = os.path.realpath(os.path.dirname(path))
    home = _top(folder) or folder
    return os.path.commonpath((home, os.path.realpath(path))) != home


def links_out(folder: str) -> bool:
    """Return whether links in the repository that we are in make a path of it one of somewhere else."""
    here = os.path.realpath(".")
    home = _top(here)
    inside = os.path.normpath(os.path.join(here, folder))
    if home is None or os.path.commonpath((home, inside)) != home:
        return False
    return os.path.commonpath((home, os.path.realpath(folder))) != home


def has_mark(path: str) -> bool:
    """Return whether a file starts with a byte order mark, which no source holds any more."""
    with open(path, "rb") as file:
        return file.read(len(_BOM)) == _BOM


def rewrite(source: Source, text: str, *, keep_mark: bool = True) -> None:
    """Write a file that was opened as `source` anew, whole or not at all; its mode and owner stay.

    So does its byte order mark, unless that is to go.

    A symbolic link stays one, its target is written. Raises UsageError when it leads outside, EnvironmentProblem when
    the file cannot be written or has changed since.
    """
    if leads_outside(source.name):
        raise UsageError(
            f"{source.name}: is a symbolic link to a file outside of this repository; not written",
            help="name the file that it leads to",
        )
    path = os.path.realpath(source.name)
    if not os.access(path, os.W_OK):
        raise EnvironmentProblem(f"{source.name}: is read-only; not written")
    try:
        mark, now = _unchanged(source, path)
        _replace(path, (mark if keep_mark else b"") + text.encode(), now)
    except OSError as error:
        raise EnvironmentProblem(f"{source.name}: cannot be written: {error.strerror}") from None


def in_git(source: Source) -> bool:
    """Return whether git has the text of a file as it is now, staged or committed, so that it can come back."""
    import subprocess

    from dispatchfile.gitenv import git_command, reading_environment

    folder, name = os.path.split(os.path.realpath(source.name))
    command = [*git_command(), "cat-file", "blob", f":./{name}"]
    try:
        done = subprocess.run(
            command, cwd=folder, env=reading_environment(), capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    known = done.stdout.removeprefix(_BOM).replace(b"\r\n", b"\n")
    return done.returncode == 0 and known == source.text.encode().replace(b"\r\n", b"\n")


def move(source: Source, text: str, name: str, *, keep: bool = False) -> str:
    """Write a file under another name, whole or not at all, and return that name.

    The file that was opened as `source` is removed, unless it is to be kept. Raises UsageError when there is a file of
    that name or the old one is a symbolic link, EnvironmentProblem when it cannot be written or the old one has changed.
    """
    if os.path.islink(source.name):
        raise UsageError(f"{source.name}: is a symbolic link", help="name the file that it leads to")
    try:
        _, now = _unchanged(source, source.name)
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise UsageError(
            f"{name}: exists already; not overwritten", help="move one of the two away"
        ) from None
    except OSError as error:
        raise EnvironmentProblem(f"{name}: cannot be written: {error.strerror}") from None
    try:
        _replace(name, text.encode(), now)
        if not keep:
            os.unlink(source.name)
    except OSError as error:
        os.unlink(name)
        raise EnvironmentProblem(f"{name}: cannot be written: {error.strerror}") from None
    return name


def _unchanged(source: Source, path: str) -> tuple[bytes, os.stat_result]:
    """Return the byte order mark of a file, if any, and its state; raises EnvironmentProblem when it has changed."""
    with open(path, "rb") as file:
        before, now = file.read(), os.fstat(file.fileno())
    if before.removeprefix(_BOM) != source.text.encode():
        raise EnvironmentProblem(f"{source.name}: has changed in the meantime; not written")
    return _BOM if before.startswith(_BOM) else b"", now


def _replace(path: str, content: bytes, like: os.stat_result) -> None:
    import tempfile

    handle, temporary = tempfile.mkstemp(prefix=".dispatchfile-", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            os.fchmod(file.fileno(), like.st_mode & 0o7777)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def difference(name: str, before: str, after: str, *, color: bool = False) -> str:
    """Return the unified difference of two texts of a file; empty when they are the same."""
    from dispatchfile.changes import unified

    lines = unified(_lines(before), _lines(after), _quoted(name))
    shown = [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
    return "".join(_painted(line) if color else line for line in shown)


def _quoted(name: str) -> str:
    """Return a file's name as `git apply` and `patch` read it: one that holds odd bytes in quotes, with escapes."""
    if name.isprintable() and not {'"', "\\"} & set(name):
        return name
    escapes = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t"}
    parts = [
        escapes.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
        for byte in os.fsencode(name)
    ]
    return f'"{"".join(parts)}"'


def put(text: str) -> None:
    """Print a text that is a file's, or a difference of files, byte for byte, whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _painted(line: str) -> str:
    from dispatchfile.report.text import harmless

    paint = {"@": "\x1b[36m", "+": "\x1b[32m", "-": "\x1b[31m"}.get(line[0], "")
    text = line.rstrip("\n")
    shown = "\n".join(harmless(part) for part in text.split("\n"))
    return f"{paint}{shown}\x1b[0m\n" if paint else f"{shown}\n"
