"""Diagnostics a line each, for editors, grep, and GitHub's problem matchers (`grammar/editors/`)."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.report.secrets import shown
from dispatchfile.report.text import flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """Return one line for each diagnostic: `file:line:column: severity[code]: message (help)`."""
    lines = []
    for found in shown(diagnostics):
        place = f"{found.span}: " if found.span is not None else ""
        advice = f" ({found.help})" if found.help else ""
        lines.append(flat(f"{place}{found.severity}[{found.code}]: {found.message}{advice}") + "\n")
    return "".join(lines)
