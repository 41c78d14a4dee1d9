"""Evaluated data that remembers the places it was written, whatever the flavour of the file."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.record import Record
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from typing import TypeAlias

    Plain: TypeAlias = bool | int | float | Decimal | str | list["Plain"] | dict[str, "Plain"] | None
    Scalar: TypeAlias = bool | int | Decimal | str | None


class Value(Record):
    """A scalar, list or struct. `spans` are all places it came from, `keys` those of the labels that name it."""

    data: Scalar | list[Value] | dict[str, Value]
    spans: tuple[Span, ...] = ()
    keys: tuple[Span, ...] = ()

    @property
    def span(self) -> Span | None:
        """Return the first place the value was written, or None when it has none."""
        return self.spans[0] if self.spans else None

    @property
    def key(self) -> Span | None:
        """Return the first place of the label that names the value, or None when it is no field."""
        return self.keys[0] if self.keys else None

    def at(self, *path: str | int) -> Value | None:
        """Return the value below this one at a path of labels and list positions, or None."""
        found = self
        for part in path:
            data = found.data
            below: Value | None = None
            if isinstance(part, str):
                below = data.get(part) if isinstance(data, dict) else None
            elif isinstance(data, list) and -len(data) <= part < len(data):
                below = data[part]
            if below is None:
                return None
            found = below
        return found

    def texts(self) -> Iterator[Value]:
        """Yield all texts in the value, itself included, in the order of the file."""
        if isinstance(self.data, str):
            yield self
        elif isinstance(self.data, (dict, list)):
            for item in self.data.values() if isinstance(self.data, dict) else self.data:
                yield from item.texts()

    def plain(self) -> Plain:
        """Return the value as plain Python data, as JSON would hold it."""
        if isinstance(self.data, dict):
            return {label: value.plain() for label, value in self.data.items()}
        if isinstance(self.data, list):
            return [value.plain() for value in self.data]
        return self.data


class Reading(Record):
    """What became of a source: the value as far as it could be built, and what was found on the way.

    `syntax` is the syntax tree where the flavour keeps one (`cue.tree.File`).
    """

    source: Source
    value: Value | None
    diagnostics: tuple[Diagnostic, ...] = ()
    syntax: object = None

    @property
    def ok(self) -> bool:
        """Return whether there is a value and no diagnostic is an error."""
        return self.value is not None and not any(d.severity is Severity.ERROR for d in self.diagnostics)
