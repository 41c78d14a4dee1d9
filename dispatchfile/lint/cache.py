"""What was found in a text before: a folder of files, each named by what decides the findings.

That is this program, the settings, the file's name, the flavour that was asked for, and its text. An entry that is
damaged, or a folder that cannot be used, is as if it were not there. The folder belongs to its user alone, and what is
read from it is plain data.
"""

from __future__ import annotations

import os

from dispatchfile import __version__
from dispatchfile.lint.codec import packed, unpacked

try:
    # hashlib, which would give the same function, takes longer to import than a small file to lint.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.settings import Settings
    from dispatchfile.source import Source

MOST_ENTRIES = 4096
_LARGEST = 256 * 1024
_KEY = 20  # bytes of a hash, in hexadecimal the name of an entry
_CHECK = 16  # bytes of an entry in front of the findings, which tell whether it is whole
_ROOMS = ("cue", "plain", "model", "lint")


def default_folder() -> str:
    """Return the folder of the program's caches: in XDG_CACHE_HOME, else in ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "dispatchfile")


class Cache:
    """The findings under certain settings; `folder` is that of all caches of this program."""

    def __init__(self, folder: str, settings: Settings) -> None:
        self.folder = os.path.join(folder, "lint")
        self.ready = False
        self._key = blake2b(f"{_program()}\0{settings!r}\0".encode(), digest_size=_KEY)

    def get(self, source: Source) -> bytes | None:
        """Return the packed findings of a source, None when they are not here."""
        name = self._name(source)
        try:
            # Without O_NONBLOCK a pipe that somebody laid there would be waited for.
            handle = os.open(os.path.join(self.folder, name), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            with open(handle, "rb") as file:
                if not _is_private(os.fstat(handle)):
                    return None
                entry = file.read(_LARGEST + _CHECK + 1)
        except OSError:
            return None
        return entry[_CHECK:] if entry[:_CHECK] == _check(name, entry[_CHECK:]) else None

    def findings(self, source: Source) -> tuple[Diagnostic, ...] | None:
        """Return the findings of a source, None when they are not here."""
        data = self.get(source)
        try:
            return None if data is None else unpacked(data, source)
        except ValueError:
            return None

    def keep(self, source: Source, findings: Sequence[Diagnostic]) -> bytes | None:
        """Keep the findings of a source, if that can be done; return them packed, None when they cannot be."""
        data = packed(findings, source)
        if data is not None and len(data) <= _LARGEST:
            name = self._name(source)
            try:
                self._write(name, _check(name, data) + data)
            except OSError:
                return data  # a full disk, a folder of somebody else: then it is found anew each time
        return data

    def _name(self, source: Source) -> str:
        key = self._key.copy()
        name, text = os.fsencode(source.name), source.text.encode(errors="surrogatepass")
        key.update(b"%d %b%b %b" % (len(name), name, (source.flavour or "").encode(), text))
        return key.hexdigest()

    def _write(self, name: str, entry: bytes) -> None:
        if not self.ready:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if not _is_private(os.stat(self.folder)):
                raise PermissionError(f"{self.folder} is open to others")
            self.ready = True
        path = os.path.join(self.folder, name)
        temporary = f"{path}.{os.getpid()}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with open(handle, "wb") as file:
                file.write(entry)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        if name.startswith("00"):
            self.trim()

    def trim(self) -> None:
        """Remove the oldest entries when there are too many; a quarter of the room is free then.

        What else stands in the folder is not ours: the user may have chosen one that is in use.
        """
        with os.scandir(self.folder) as entries:
            own = [entry for entry in entries if _is_name(entry.name.partition(".")[0])]
            ages = sorted((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path) for entry in own)
        if len(ages) > MOST_ENTRIES:
            for _, path in ages[: len(ages) - MOST_ENTRIES * 3 // 4]:
                os.unlink(path)


def _check(name: str, data: bytes) -> bytes:
    return blake2b(data, digest_size=_CHECK, key=name.encode()).digest()


def _is_name(word: str) -> bool:
    return len(word) == _KEY * 2 and set(word) <= set("0123456789abcdef")


def _is_private(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _program() -> str:
    """Return what changes whenever this program does: its version, and where it is worked on, the age of its files."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if not os.path.exists(os.path.join(os.path.dirname(package), "pyproject.toml")):
        return __version__
    ages = [age for room in _ROOMS for age in _ages(os.path.join(package, room))]
    with os.scandir(package) as entries:
        ages += [entry.stat().st_mtime_ns for entry in entries if entry.name.endswith(".py")]
    return f"{__version__} {package} {ages}"


def _ages(folder: str) -> Iterator[int]:
    """Yield when each module below a folder was changed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.stat().st_mtime_ns
            elif "." not in entry.name and entry.name != "__pycache__":
                yield from _ages(entry.path)
