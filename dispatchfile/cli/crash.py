"""A bug in this program: a log with what a maintainer needs to know, and a line that says where it is."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from datetime import datetime
from pathlib import Path

from dispatchfile import __version__
from dispatchfile.errors import DispatchfileError

BUG = 70  # sysexits.h: EX_SOFTWARE


def tell(error: Exception, argv: list[str]) -> int:
    """Tell about an error that nobody caught and return the exit code; known errors come here under --debug."""
    if isinstance(error, DispatchfileError) or "--debug" in argv:
        traceback.print_exception(error)
        return error.exit_code if isinstance(error, DispatchfileError) else BUG
    summary = f"{type(error).__name__}: {error}".partition("\n")[0]
    print(f"error: a bug in dispatchfile: {summary}", file=sys.stderr)
    try:
        path = _write_log(error, argv)
    except OSError as problem:
        print(
            f"help: no crash log could be written ({problem}); --debug shows the traceback", file=sys.stderr
        )
    else:
        print(f"help: please report it with the crash log {path}", file=sys.stderr)
    return BUG


def _write_log(error: Exception, argv: list[str]) -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    folder = Path(state) / "dispatchfile" / "crashes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now().astimezone()
    handle, name = tempfile.mkstemp(prefix=f"{now:%Y%m%d-%H%M%S}-", suffix=".txt", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"dispatchfile {__version__}\npython {sys.version}\n{platform.platform()}\n")
        log.write(f"{now.isoformat()}\noptions: {' '.join(_without_values(argv))}\n\n")
        log.writelines(traceback.format_exception(error))
    return Path(name)


def _without_values(argv: list[str]) -> list[str]:
    """Return the options alone: their values may be secrets."""
    return [text.partition("=")[0] if text.startswith("-") else "…" for text in argv]
