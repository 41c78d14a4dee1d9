"""The console script: run the command line and end the process with its exit code."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def run() -> NoReturn:
    """Run the command that `sys.argv` asks for and exit; a bug ends with 70 and a crash log."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # they are text files here
    # What a command has read it keeps to its end: to look for garbage among it takes a tenth of a short command.
    gc.set_threshold(100_000)
    code = _exit_code(sys.argv[1:])
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End the process; at once when nothing waits for its end, since to take all modules down is a tenth of `lint`."""
    if atexit._ncallbacks() or "threading" in sys.modules:
        gc.freeze()
        sys.exit(code)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)


def _open_closed_streams() -> None:
    """Put the null device where the caller closed a standard stream, so that no file of ours gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 open as long as the process lives


def _exit_code(argv: list[str]) -> int:
    try:
        from dispatchfile.cli.main import main

        code = main(argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _drop_output()  # its reader went away
        return 141
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return _told(error, argv)
        _drop_output()
        print(f"error: cannot write {error.filename or 'the output'}: {error.strerror}", file=sys.stderr)
        print("help: make room on the disk, and try again", file=sys.stderr)
        return 4
    except Exception as error:  # noqa: BLE001 the last resort: a bug gets a crash log, not a traceback
        return _told(error, argv)
    return code


def _told(error: Exception, argv: list[str]) -> int:
    from dispatchfile.cli.crash import tell

    return tell(error, argv)


def _drop_output() -> None:
    """Let what is still in the buffer of the standard output not fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    run()
