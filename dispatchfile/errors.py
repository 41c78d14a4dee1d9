"""Errors that end a command; each class owns the exit code of the process.

| code | meaning |
|---|---|
| 0 | done; nothing to complain about |
| 1 | the answer is no: findings, a failed task, a difference |
| 2 | usage or configuration |
| 3 | the Dispatchfile cannot be evaluated |
| 4 | environment: no engine, a registry or git remote refused, no repository |
| 70 | a bug in this program; a crash log was written |
| 124 | the timeout of the whole run passed |
| 129, 130, 143 | interrupted by SIGHUP, SIGINT or SIGTERM, after cleaning up |
| 141 | the reader of the output went away, as when SIGPIPE ends a program |
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.diagnostics import Diagnostic


class DispatchfileError(Exception):
    """A problem to tell the user: one line that says what is wrong, and what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, help: str = "") -> None:  # noqa: A002 the word users see
        super().__init__(message)
        self.message = message
        self.help = help


class UsageError(DispatchfileError):
    """A flag, argument or setting is wrong or missing."""

    exit_code = 2


class EvaluationError(DispatchfileError):
    """The Dispatchfile cannot be evaluated; `diagnostics` say where and why."""

    exit_code = 3

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = (), *, help: str = "") -> None:  # noqa: A002 as above
        super().__init__(message, help=help)
        self.diagnostics = tuple(diagnostics)


class EnvironmentProblem(DispatchfileError):
    """Something outside the file and the command line: engine, registry, git remote, disk."""

    exit_code = 4


class TimedOut(DispatchfileError):
    """The timeout of the whole run passed."""

    exit_code = 124


class Interrupted(DispatchfileError):
    """The user or the system asked to stop; `exit_code` is 128 plus the signal's number."""

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
