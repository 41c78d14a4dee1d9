"""Tar streams to and from the engine: what is laid into a task's volumes, and what is taken out."""

from __future__ import annotations

import copy
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from dispatchfile.errors import EnvironmentProblem


class Archive:
    """A tar in the making. Everything in it belongs to root and may be written by any user, as steps may run as any."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._buffer, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 bytes() closes it
        self._directories: set[str] = set()

    @property
    def empty(self) -> bool:
        """Return whether nothing was put in."""
        return not self._tar.offset

    def directory(self, path: str, *, opaque: bool = False) -> None:
        """Add a directory and those above it; an opaque one hides what an overlay has below it."""
        if path in ("", ".") or path in self._directories:
            return
        self.directory(str(PurePosixPath(path).parent))
        self._directories.add(path)
        member = tarfile.TarInfo(path)
        member.type, member.mode = tarfile.DIRTYPE, 0o777
        if opaque:
            member.pax_headers = {"SCHILY.xattr.trusted.overlay.opaque": "y"}
        self._tar.addfile(member)

    def file(self, path: str, content: bytes, mode: int = 0o666) -> None:
        """Add a regular file."""
        self.directory(str(PurePosixPath(path).parent))
        member = tarfile.TarInfo(path)
        member.size, member.mode = len(content), mode
        self._tar.addfile(member, io.BytesIO(content))

    def whiteout(self, path: str) -> None:
        """Add the mark that hides a file or directory of the overlay's lower tree."""
        self.directory(str(PurePosixPath(path).parent))
        member = tarfile.TarInfo(path)
        member.type, member.mode = tarfile.CHRTYPE, 0o600
        self._tar.addfile(member)

    def host_path(self, path: str, source: Path) -> None:
        """Add a file, link or directory (without what is in it) as it stands on this machine."""
        self.directory(str(PurePosixPath(path).parent))
        member = self._tar.gettarinfo(str(source), path)
        if member is None or not (member.isreg() or member.issym() or member.isdir() or member.islnk()):
            return
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode |= 0o600 | (0o111 if member.isdir() else 0)
        if not member.isreg():
            self._tar.addfile(member)
            return
        with source.open("rb") as file:
            self._tar.addfile(member, file)

    def bytes(self) -> bytes:
        """Return the finished tar."""
        self._tar.close()
        return self._buffer.getvalue()


class ChunkReader(io.RawIOBase):
    """The chunks of an answer of the engine, as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # the stub wants any buffer
        """Fill the buffer with what is there, at most its length; 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def unpack(chunks: Iterable[bytes], target: Path) -> None:
    """Write a directory that the engine sent to `target`, owned by this user; its first part is dropped.

    Devices and set-user bits are left out; nothing is written outside `target`, whatever the members are called.
    """
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=ChunkReader(chunks), mode="r|") as tar:
        for member in tar:
            if (kept := _within(member)) is not None:
                _extract(tar, kept, target)


def read_single(chunks: Iterable[bytes], limit: int) -> bytes | None:
    """Return the content of the one regular file in a tar that the engine sent; None when it is none or too large."""
    with tarfile.open(fileobj=ChunkReader(chunks), mode="r|") as tar:
        member = tar.next()
        if member is None or not member.isreg() or member.size > limit:
            return None
        file = tar.extractfile(member)
        return file.read() if file else None


def members(chunks: Iterable[bytes]) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """Yield the members of a tar that the engine sent, in order, each to be read before the next."""
    with tarfile.open(fileobj=ChunkReader(chunks), mode="r|") as tar:
        for member in tar:
            yield member, tar


def _within(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Return the member with its path below the sent directory; None for that directory itself and for devices."""
    _, _, path = member.name.partition("/")
    if not path or not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return None
    linkname = member.linkname.partition("/")[2] if member.islnk() else member.linkname
    kept = copy.copy(member)
    kept.name, kept.linkname = path, linkname
    kept.mode = (member.mode & 0o777) | (0o700 if member.isdir() else 0o600)
    kept.uid, kept.gid, kept.uname, kept.gname = os.getuid(), os.getgid(), "", ""
    return kept


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Write a member below `target`. Raises EnvironmentProblem when its path, through links too, leads elsewhere.

    tarfile's own filters would do, but Python has them from 3.11.4 on only, and Debian 12 is older.
    """
    inside, place = target.resolve(), target / member.name
    way = place.parent if member.issym() else place
    linked = target / member.linkname if member.islnk() else target
    if not (way.resolve().is_relative_to(inside) and linked.resolve().is_relative_to(inside)):
        raise EnvironmentProblem(
            f"cannot save {member.name} of an output to {target}: it leads outside of it"
        )
    tar.extraction_filter = _as_it_is
    try:
        tar.extract(member, target)
    except OSError as error:
        raise EnvironmentProblem(f"cannot save {member.name} of an output to {target}: {error}") from None


def _as_it_is(member: tarfile.TarInfo, _path: str) -> tarfile.TarInfo:
    return member
