"""The console script: run the command line and end the process with its exit code."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def run() -> NoReturn:
    """Run the command that `sys.argv` asks for and exit; a bug ends with 70 and a crash log."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # they are text files here
    sys.exit(_exit_code(sys.argv[1:]))


def _exit_code(argv: list[str]) -> int:
    try:
        from dispatchfile.cli.main import main

        code = main(argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader went away; what is still in the buffer must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 the last resort: a bug gets a crash log, not a traceback
        from dispatchfile.cli.crash import tell

        return tell(error, argv)
    return code


if __name__ == "__main__":
    run()
