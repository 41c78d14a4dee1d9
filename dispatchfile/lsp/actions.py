"""Edits: quick fixes, everything safe at once, formatting."""

from __future__ import annotations

from lsprotocol import types

from dispatchfile import fmt
from dispatchfile.changes import changes
from dispatchfile.lint import catalogue, engine
from dispatchfile.lint.fix import is_fixable
from dispatchfile.lsp.diagnostics import diagnostic
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dispatchfile.diagnostics import Diagnostic, Edit
    from dispatchfile.lsp.document import Document

FIX_ALL = "source.fixAll.dispatchfile"
KINDS = (types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll)

# Whether a comment silences a finding is tried out, so this is for a place, not for a whole file.
_MOST_SILENCED = 5


def code_actions(
    document: Document, place: types.Range, only: Sequence[str] | None
) -> list[types.CodeAction]:
    """Return the fixes of the findings in a range, and the one action that applies all safe fixes of the file.

    What takes a while in a large file is left out there unless it is asked for by name.
    """
    actions: list[types.CodeAction] = []
    touched = [found for found in document.findings if _touches(document, found, place)]
    few = len(touched) <= _MOST_SILENCED and not document.is_large
    if _wanted(types.CodeActionKind.QuickFix, only):
        actions += [
            action
            for found in touched
            for action in (_quick_fix(document, found), _silence(document, found) if few else None)
            if action is not None
        ]
    named = only is not None or not document.is_large
    if named and _wanted(FIX_ALL, only) and any(is_fixable(one, unsafe=False) for one in document.findings):
        edits = differences(document, document.mended)
        if edits:
            title = "Apply all safe fixes"
            actions.append(types.CodeAction(title, FIX_ALL, edit=workspace_edit(document, edits)))
    return actions


def formatting(document: Document) -> list[types.TextEdit]:
    """Return the edits that format a document. Raises EvaluationError when it cannot be parsed."""
    return differences(document, fmt.formatted(document.source))


def differences(document: Document, text: str) -> list[types.TextEdit]:
    """Return the edits that make another text of a document's, whole lines where they differ."""
    old, new = document.text.splitlines(keepends=True), text.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    return [
        types.TextEdit(document.lines.range(starts[first], starts[last]), "".join(new[begin:end]))
        for first, last, begin, end in changes(old, new)
    ]


def workspace_edit(document: Document, edits: Sequence[types.TextEdit]) -> types.WorkspaceEdit:
    """Return edits of one document, for this version of it only."""
    identifier = types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identifier, list(edits))])


def text_edits(document: Document, edits: Iterable[Edit]) -> list[types.TextEdit]:
    """Return the edits of a fix, with the line ends of the document."""
    newline = "\r\n" if "\r\n" in document.text else "\n"
    return [
        types.TextEdit(document.lines.range(one.span.start, one.span.end), one.text.replace("\n", newline))
        for one in edits
    ]


def _wanted(kind: str, only: Sequence[str] | None) -> bool:
    return only is None or any(kind == one or kind.startswith(f"{one}.") or not one for one in only)


def _quick_fix(document: Document, found: Diagnostic) -> types.CodeAction | None:
    if found.fix is None:
        return None
    return types.CodeAction(
        title=found.fix.message[:1].upper() + found.fix.message[1:],
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic(document, found)],
        is_preferred=found.fix.safe,
        edit=workspace_edit(document, text_edits(document, found.fix.edits)),
    )


def _silence(document: Document, found: Diagnostic) -> types.CodeAction | None:
    """Return the action that puts an ignore comment behind a finding's line, where that does silence it."""
    mark = {"cue": "//", "yaml": "#"}.get(document.flavour)
    rule = catalogue.ENTRIES.get(found.code)
    if mark is None or found.span is None or rule is None or rule.always:
        return None
    line = found.span.line
    text = found.span.source.line(line)
    if mark in text:
        return None
    end = found.span.source.line_starts[line - 1] + len(text)
    comment = f" {mark} dispatchfile: ignore[{found.code}]"
    silenced = Source(document.source.name, document.text[:end] + comment + document.text[end:])
    if len(engine.inspect(silenced, document.settings)) >= len(document.findings):
        return None
    return types.CodeAction(
        title=f"Ignore {found.code} on this line",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic(document, found)],
        edit=workspace_edit(document, [types.TextEdit(document.lines.range(end, end), comment)]),
    )


def _touches(document: Document, found: Diagnostic, place: types.Range) -> bool:
    told = diagnostic(document, found).range
    return _key(told.start) <= _key(place.end) and _key(place.start) <= _key(told.end)


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character
