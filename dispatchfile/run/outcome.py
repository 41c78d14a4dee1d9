"""How a task of a run ended, and what it left for others."""

from __future__ import annotations

from pathlib import Path

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from dispatchfile.value import Plain

    Status = Literal["succeeded", "failed", "skipped", "stopped", "kept"]


NOT_BEGUN = "the run ended before it"
"""What a skipped task says that nothing but the end of the run kept from starting."""


class Outcome(Record, hidden=("results",)):
    """The end of a task. `step` is the one that failed, `tail` its last lines, `duration` in seconds.

    `digests` and `outputs` are by resource, `results` by step; a kept outcome is that of an earlier run.
    """

    task: str
    status: Status
    message: str = ""
    step: str = ""
    exit_code: int | None = None
    duration: float = 0.0
    digests: Mapping[str, str] = {}
    results: Mapping[str, str] = {}
    outputs: Mapping[str, Path] = {}
    tail: tuple[str, ...] = ()

    def told(self, masked: Callable[[str], str] = str) -> dict[str, Plain]:
        """Return what the happening `task.finished` says besides task and step, its texts as `masked` makes them."""
        return {
            "status": self.status,
            "message": masked(self.message),
            "exit_code": self.exit_code,
            "duration": round(self.duration, 3),
            "results": {name: masked(text) for name, text in self.results.items()},
            "digests": dict(self.digests),
        }
