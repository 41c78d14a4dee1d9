"""Diagnostics for programs: one object a finding; fields are only ever added."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.lint.catalogue import ENTRIES
from dispatchfile.report.secrets import shown
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """Return the diagnostics in order of their places as a JSON array; ends with a newline."""
    import json

    return json.dumps([record(found) for found in shown(diagnostics)], indent=2, ensure_ascii=False) + "\n"


def record(found: Diagnostic) -> dict[str, Any]:
    """Return one diagnostic as plain data; lines and columns count from 1, in characters, ends are exclusive."""
    return {
        "code": found.code,
        "name": ENTRIES[found.code].name if found.code in ENTRIES else None,
        "severity": str(found.severity),
        "message": found.message,
        **_place(found.span),
        "label": found.label,
        "path": found.path,
        "also": [{"message": also.message, **_place(also.span)} for also in found.related],
        "help": found.help,
        "fix": _fix(found),
    }


def _place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _fix(found: Diagnostic) -> dict[str, Any] | None:
    if found.fix is None:
        return None
    edits = [{**_place(edit.span), "content": edit.text} for edit in found.fix.edits]
    return {
        "applicability": "safe" if found.fix.safe else "unsafe",
        "message": found.fix.message,
        "edits": edits,
    }
