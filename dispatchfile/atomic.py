"""Files written whole or not at all."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, content: bytes, mode: int = 0o600, *, lasting: bool = False) -> None:
    """Write a file with the permissions `mode`: whoever reads it sees the old bytes or the new ones, never a part.

    A symlink gives way to the file. With `lasting` the bytes are on the disk before the name is, so that a machine that
    loses its power leaves no empty file. Raises OSError, and then leaves nothing behind.
    """
    temporary = staged(path, content, mode, lasting=lasting)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def staged(path: Path, content: bytes, mode: int = 0o600, *, lasting: bool = False) -> Path:
    """Write what is to become a file beside it, and return where that is. Raises OSError."""
    temporary = path.with_name(f".dispatchfile-{os.urandom(6).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
            if lasting:
                file.flush()
                os.fsync(descriptor)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def usual_mode() -> int:
    """Return the permissions that this process gives to an ordinary file."""
    mask = os.umask(0o022)
    os.umask(mask)
    return 0o666 & ~mask
