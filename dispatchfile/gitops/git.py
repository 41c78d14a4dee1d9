"""Run git, hardened: no hooks, no helpers of the repository, no prompts, no tokens in what it says."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitenv import git_command, git_environment
from dispatchfile.mask import Masker

_SETTINGS = (
    "core.autocrlf=false",
    "http.followRedirects=false",
    "submodule.recurse=false",
    # A checkout may belong to another user (a container's root works on the user's files), which is no danger since
    # nothing of it is run.
    "safe.directory=*",
    # A user may have set these for reading; here programs read what git prints, and patches have to fit.
    "trailer.separators=:",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "diff.srcPrefix=a/",
    "diff.dstPrefix=b/",
    "diff.context=3",
    "diff.relative=false",
    "diff.submodule=short",
    "apply.ignoreWhitespace=no",
    # A server that stays silent for two minutes (bytes a second, seconds) is an error, not a hang.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=120",
)


class GitFailed(EnvironmentProblem):
    """git said no; `output` is what it said, without tokens."""

    def __init__(self, command: str, output: str) -> None:
        lines = [line for line in output.strip().splitlines() if line]
        reason = next((line for line in lines if "fatal:" in line or "error:" in line), "")
        super().__init__(f"git {command} failed: {reason or (lines or ['no message'])[-1]}")
        self.output = output


class Git:
    """git in one directory; `verbose` prints each command and its messages.

    `seconds` are how long a command may take, however slowly a server answers; None is for ever.
    """

    def __init__(
        self,
        directory: Path,
        *,
        env: Mapping[str, str] | None = None,
        settings: tuple[str, ...] = (),
        masker: Masker | None = None,
        verbose: bool = False,
    ) -> None:
        self.directory = directory
        self.masker = masker or Masker()
        self._verbose = verbose
        self._command = git_command(*_SETTINGS, *settings)
        self._env = {**git_environment(), **(env or {})}

    def raw(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> bytes:
        """Return what git prints. Raises GitFailed, and EnvironmentProblem when there is no git."""
        done = self._run(args, stdin, env, seconds)
        if done.returncode:
            raise GitFailed(args[0], self._told(done.stderr or done.stdout))
        return done.stdout

    def text(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> str:
        """Return what git prints, as text without the last line end. Raises as `raw`."""
        printed = self.raw(*args, stdin=stdin, env=env, seconds=seconds)
        return printed.decode("utf-8", "surrogateescape").rstrip("\n")

    def answer(self, *args: str) -> str | None:
        """Return what git prints as `text` does, or None when git ends with 1, its "no"; raises for other failures."""
        done = self._run(args, b"", None)
        if done.returncode == 1:
            return None
        if done.returncode:
            raise GitFailed(args[0], self._told(done.stderr))
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def _run(
        self,
        args: tuple[str, ...],
        stdin: bytes,
        env: Mapping[str, str] | None,
        seconds: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        command = [*self._command, *args]
        if self._verbose:
            _note(self.masker.text(f"git {' '.join(args)}"))
        try:
            process = subprocess.Popen(
                command,
                cwd=self.directory,
                env={**self._env, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=seconds is not None,
            )
        except FileNotFoundError as error:
            raise EnvironmentProblem("git is not installed", help="install git 2.34 or newer") from error
        with process:
            try:
                output, errors = process.communicate(stdin, seconds)
            except BaseException as error:
                _kill(process, group=seconds is not None)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise GitFailed(args[0], f"fatal: no end of the answer after {seconds:g} s") from error
                raise
        if self._verbose and errors:
            _note(self._told(errors).rstrip("\n"))
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def _told(self, output: bytes) -> str:
        return self.masker.text(output.decode("utf-8", "replace"))


def _kill(process: subprocess.Popen[bytes], *, group: bool) -> None:
    """End git; those of its children that speak to a server outlive it, but for a group of their own."""
    if group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _note(text: str) -> None:
    import sys

    print(text, file=sys.stderr)
