"""Secrets in reports: what a finding marks as one reads `***` wherever the report would repeat it.

A report goes into logs that more people read than the file. The source lines around a finding, and what other
findings say, are searched for all secrets of the same report.
"""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic, Related, in_order
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispatchfile.diagnostics import Fix

MASK = "***"
_SHORTEST = 4  # shorter texts are no secrets, and would blot out half the report
_QUOTED = re.compile(r"(?s)(#*)(\"\"\"|'''|[\"'])(.*)\2\1")


def shown(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics in order, with `***` in their texts for each secret that one of them marks."""
    every = in_order(diagnostics)
    return Screen(every).findings(every) if any(found.secret for found in every) else every


class Screen:
    """Hides the secrets that the findings of a report mark."""

    def __init__(self, findings: Iterable[Diagnostic]) -> None:
        spans = dict.fromkeys(found.span for found in findings if found.secret)
        self._secrets = {text for span in spans if span is not None for text in _texts(span.text)}
        self._lengths: dict[str, set[int]] = {}  # of the secrets that begin with the same characters
        for secret in self._secrets:
            self._lengths.setdefault(secret[:_SHORTEST], set()).add(len(secret))
        self._pieces: dict[str, list[tuple[int, int]]] = {}

    def findings(self, findings: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return the findings with `***` in their texts; a fix that would write a secret is left out."""
        return [
            replace(
                found,
                message=self.text(found.message),
                label=self.text(found.label),
                help=self.text(found.help),
                path=self.text(found.path),
                related=tuple(Related(also.span, self.text(also.message)) for also in found.related),
                fix=self._fix(found.fix),
            )
            for found in findings
        ]

    def text(self, text: str) -> str:
        """Return a text with `***` for each secret in it."""
        return self.line(text, 0, 0)[0]

    def line(self, text: str, first: int, last: int) -> tuple[str, int, int]:
        """Return a text with `***` for each secret, and where its characters first up to last are then."""
        parts: list[str] = []
        at = shift = 0
        new_first, new_last = first, last
        for start, end in self._places(text):
            parts += (text[at:start], MASK)
            at = end
            mask = start - shift
            shift += end - start - len(MASK)
            if start <= first:
                new_first = mask if first < end else first - shift
            if start < last:
                new_last = mask + len(MASK) if last < end else last - shift
        return "".join((*parts, text[at:])), new_first, new_last

    def _fix(self, fix: Fix | None) -> Fix | None:
        if fix is None or any(self._places(edit.text) for edit in fix.edits):
            return None
        return replace(fix, message=self.text(fix.message))

    def _places(self, text: str) -> list[tuple[int, int]]:
        """Return the pieces of a text that are secret, in order; those that overlap as one."""
        if text not in self._pieces:
            self._pieces[text] = list(self._found(text))
        return self._pieces[text]

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        start = end = 0
        for at in range(len(text) - _SHORTEST + 1):
            for length in self._lengths.get(text[at : at + _SHORTEST], ()):
                if text[at : at + length] in self._secrets:
                    if at >= end:
                        if end:
                            yield start, end
                        start = at
                    end = max(end, at + length)
        if end:
            yield start, end


def _texts(written: str) -> Iterator[str]:
    """Yield what must not be shown of a secret as it is written: each of its lines, without quotes around it."""
    quoted = _QUOTED.fullmatch(written)
    for line in (quoted[3] if quoted else written).splitlines():
        text = line.strip()
        if len(text) >= _SHORTEST:
            yield text
