"""Findings as the protocol has them."""

from __future__ import annotations

from lsprotocol import types

from dispatchfile.diagnostics import Severity
from dispatchfile.lint import catalogue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lsp.document import Document

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


def diagnostics(document: Document) -> list[types.Diagnostic]:
    """Return all findings of a document."""
    return [diagnostic(document, found) for found in document.findings]


def diagnostic(document: Document, found: Diagnostic) -> types.Diagnostic:
    """Return a finding; the help follows the message on a line of its own."""
    start = types.Position(0, 0)
    return types.Diagnostic(
        range=types.Range(start, start) if found.span is None else document.range(found.span),
        message=f"{found.message}\n{found.help}" if found.help else found.message,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="dispatchfile",
        tags=_tags(found.code),
        related_information=[
            types.DiagnosticRelatedInformation(
                types.Location(document.uri, document.range(one.span)), one.message
            )
            for one in found.related
            if one.span.source.text == document.text
        ],
    )


def _tags(code: str) -> list[types.DiagnosticTag]:
    """Return how an editor may show a finding: deprecated text struck out, what has no effect dimmed."""
    rule = catalogue.ENTRIES.get(code)
    if rule is None:
        return []
    if rule.group == "deprecated":
        return [types.DiagnosticTag.Deprecated]
    return [types.DiagnosticTag.Unnecessary] if rule.name.startswith("unused-") else []
