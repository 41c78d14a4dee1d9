"""Files that hold secrets: read when nobody else could have, written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dispatchfile import atomic, locks
from dispatchfile.errors import EnvironmentProblem

LARGEST = 8 << 20
PATIENCE_S = 30.0


def data_home(env: Mapping[str, str]) -> Path:
    """Return the folder for what this program keeps (XDG base directory specification, $XDG_DATA_HOME)."""
    chosen = Path(env.get("XDG_DATA_HOME", ""))
    if not chosen.is_absolute():  # the specification wants a relative one ignored
        chosen = home(env) / ".local/share"
    return chosen / "dispatchfile"


def home(env: Mapping[str, str]) -> Path:
    """Return the user's home; "/" for a user who has none, as in a pod that runs as any number."""
    if named := env.get("HOME"):
        return Path(named)
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def read(path: Path, *, secret: bool = True) -> str | None:
    """Return a file's text, None when there is none, or none that this user could ever see. Raises EnvironmentProblem; for a `secret` one that others may read too."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if isinstance(error, PermissionError) and not _is_visible(path):
            return None  # HOME is another user's, as root's is in a pod that does not run as root
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise EnvironmentProblem(f"{path} is no file", help="remove it, or name another place")
        if secret:
            refuse_open(path, status)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise EnvironmentProblem(f"{path} is larger than {LARGEST >> 20} MB; that is no file of logins")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise EnvironmentProblem(f"{path} is no text in UTF-8") from None


def _is_visible(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True


def refuse_open(path: Path, status: os.stat_result) -> None:
    """Raise EnvironmentProblem for a file that others than its user may read or change, or change its folder."""
    if status.st_mode & 0o077:
        raise EnvironmentProblem(
            f"others than you may read {path}, which holds secrets",
            help=f"chmod 600 {path}, and renew the tokens in it if others could log in to this machine",
        )
    if os.getuid() not in (0, status.st_uid):
        raise EnvironmentProblem(f"{path} belongs to another user", help="remove it, and log in again")
    folder = Path(os.path.realpath(path)).parent
    mode = folder.stat().st_mode
    if mode & 0o022 and not mode & stat.S_ISVTX:
        raise EnvironmentProblem(
            f"others than you may change {folder}, where secrets are", help=f"chmod go-w {folder}"
        )


def write(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file in one step; where `path` is a symlink, the file that it leads to. Raises EnvironmentProblem."""
    real = Path(os.path.realpath(path))
    try:
        content = text.encode("utf-8")
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic.write(real, content, mode, lasting=True)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def locked(env: Mapping[str, str], patience: float = PATIENCE_S) -> Iterator[None]:
    """Let one process at a time change what is kept of logins. Raises EnvironmentProblem when another does not end."""
    path = data_home(env) / "logins.lock"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = locks.take(path, patience)
    except OSError as error:
        raise EnvironmentProblem(f"cannot make {path}: {error.strerror}") from None
    if lock is None:
        raise EnvironmentProblem("another login is going on, and does not end", help=f"it holds {path}")
    try:
        yield
    finally:
        os.close(lock)
