"""Diagnostics as SARIF 2.1.0, which GitHub code scanning and other dashboards read."""

from __future__ import annotations

import os

from dispatchfile import __version__
from dispatchfile.diagnostics import Diagnostic, Edit, Severity
from dispatchfile.lint import catalogue
from dispatchfile.report.secrets import Screen, shown
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """Return one run with the findings, in order of their places, and the rules that found them; ends with a newline."""
    import json

    return json.dumps(log(shown(diagnostics)), indent=2, ensure_ascii=False) + "\n"


def log(findings: Sequence[Diagnostic]) -> dict[str, Any]:
    """Return the log as plain data. Columns count UTF-16 units, paths are relative to the root of the sources."""
    codes = sorted({found.code for found in findings})
    index = {code: position for position, code in enumerate(codes)}
    prints = _fingerprints(findings)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "dispatchfile",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "columnKind": "utf16CodeUnits",
                "originalUriBaseIds": {
                    "SRCROOT": {"description": {"text": "The directory that was linted from."}}
                },
                "results": [_result(found, index, prints[at]) for at, found in enumerate(findings)],
            }
        ],
    }


def _result(found: Diagnostic, index: Mapping[str, int], fingerprint: str) -> dict[str, Any]:
    text = f"{found.message}\n{found.help}" if found.help else found.message
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": index[found.code],
        "level": _LEVELS[found.severity],
        "message": {"text": text},
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }
    if found.span is not None:
        place: dict[str, Any] = {"physicalLocation": _place(found.span)}
        if found.path:
            place["logicalLocations"] = [{"fullyQualifiedName": found.path}]
        result["locations"] = [place]
    if found.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _place(also.span), "message": {"text": also.message}}
            for number, also in enumerate(found.related, 1)
        ]
    if found.fix is not None:
        changes: dict[str, list[Edit]] = {}
        for edit in found.fix.edits:
            changes.setdefault(edit.span.source.name, []).append(edit)
        result["fixes"] = [
            {
                "description": {"text": found.fix.message},
                "artifactChanges": [
                    {
                        "artifactLocation": _artifact(name),
                        "replacements": [
                            {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
                            for edit in edits
                        ],
                    }
                    for name, edits in changes.items()
                ],
            }
        ]
    return result


def _place(span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(span.source.name), "region": _region(span)}


def _artifact(name: str) -> dict[str, str]:
    """Return where a file is: below the root of the sources, or by its full path when it lies elsewhere."""
    from urllib.parse import quote

    path = quote(os.fsencode(name.removeprefix("./")))
    if name.startswith("/"):
        return {"uri": f"file://{path}"}
    # A first part with a colon would be read as a scheme; it is quoted, and `<stdin>` too.
    return {"uri": path, "uriBaseId": "SRCROOT"}


def _region(span: Span) -> dict[str, int]:
    line, column = _utf16(span, span.start)
    end_line, end_column = _utf16(span, span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _utf16(span: Span, offset: int) -> tuple[int, int]:
    """Return the one-based line and column of an offset, counted in UTF-16 units."""
    line, column = span.source.position(offset)
    before = span.source.text[offset - column + 1 : offset]
    return line, column + sum(char > "\uffff" for char in before)


def _rule(code: str) -> dict[str, Any]:
    rule = catalogue.entry(code)
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.summary, "markdown": catalogue.page(code)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.group], "precision": "high"},
    }


def _fingerprints(findings: Sequence[Diagnostic]) -> list[str]:
    """Return a print of each finding that stays when lines above it come and go: of its rule, file and line's text.

    A secret has no part in it: who has the rest of the line could try out what gives the same print.
    """
    from hashlib import sha256

    screen = Screen(findings)
    seen: dict[str, int] = {}
    prints = []
    for found in findings:
        span = found.span
        about = (
            [found.code, span.source.name, screen.text(span.source.line(span.line)).strip()]
            if span
            else [found.code, found.message]
        )
        digest = sha256("\0".join(about).encode(errors="surrogatepass")).hexdigest()[:16]
        seen[digest] = seen.get(digest, 0) + 1
        prints.append(f"{digest}:{seen[digest]}")
    return prints
