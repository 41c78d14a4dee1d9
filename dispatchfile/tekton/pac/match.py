"""What starts a run of Pipelines-as-Code (PaC), and why nothing can."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Inexpressible(Exception):
    """What PaC cannot be asked for; its arguments are the field of the condition, what is wrong, and what to do."""

    def __init__(self, field: str, message: str, mend: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
        self.mend = mend


class Never(Inexpressible):
    """What nothing would ever fire, here or on any other target."""


class Guard(Record):
    """What each task of a run asks besides: the value that PaC fills in is among `values`, or none of them."""

    param: str
    placeholder: str
    operator: str
    values: tuple[str, ...]


class Match(Record):
    """What starts a run: annotations, without the group they belong to, and guards. `word` is the comment's first."""

    annotations: Mapping[str, str]
    guards: tuple[Guard, ...] = ()
    word: str = ""
