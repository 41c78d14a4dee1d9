"""The wait until a forge knows what a push has changed: a pull request's head, and whether it merges."""

from __future__ import annotations

import time

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops import forge
from dispatchfile.gitops.forge import PullRequest


class Waiting:
    """One wait of at most `forge.MERGEABLE_WAIT` seconds for `name`, with growing pauses."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._end = time.monotonic() + forge.MERGEABLE_WAIT
        self._next = 0.25

    @property
    def over(self) -> bool:
        """Return whether the time is up."""
        return time.monotonic() > self._end

    def pause(self, url: str) -> None:
        """Sleep until it is worth looking again. Raises EnvironmentProblem when the time is up."""
        if self.over:
            raise EnvironmentProblem(
                f"{self._name} did not say within {forge.MERGEABLE_WAIT:.0f} s whether {url} can be merged",
                help="it is open; merge it there, or run the update again",
            )
        time.sleep(self._next)
        self._next = min(self._next * 2, 4.0)


def conflict(url: str, base: str) -> EnvironmentProblem:
    """Return the error for a pull request that does not merge."""
    return EnvironmentProblem(
        f"{url} cannot be merged: it conflicts with {base}",
        help="run the update again; it starts from the newest base",
    )


def merged(pull: PullRequest, commit: str) -> bool:
    """Return True. Raises EnvironmentProblem when somebody's push came between the last look and the merge."""
    if not pull.is_of(commit):
        raise EnvironmentProblem(
            f"{pull.url} was merged with commit {pull.head_commit[:12]}, not with {commit[:12]}"
        )
    return True
