"""Where a name is defined, where it is used, and its other spelling everywhere."""

from __future__ import annotations

from lsprotocol import types

from dispatchfile.lsp import named, references
from dispatchfile.lsp.actions import text_edits, workspace_edit
from dispatchfile.model import names
from dispatchfile.plain import yaml_writer
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.diagnostics import Edit
    from dispatchfile.lsp.document import Document


def definitions(document: Document, offset: int) -> list[types.Location]:
    """Return the definitions of the task, resource, step, or volume at an offset, or of a reference of CUE."""
    spans = [one.span for one in named.at(document.places, offset) if one.defined]
    if not spans and document.tree is not None:
        spans = [references.label_span(node) for node in references.definitions(document.tree, offset)]
    return [types.Location(document.uri, document.range(span)) for span in spans]


def uses(document: Document, offset: int, *, declared: bool) -> list[types.Location]:
    """Return where the name at an offset is used, with `declared` also where it is defined."""
    spans = [one.span for one in named.at(document.places, offset) if declared or not one.defined]
    if document.tree is not None:
        found = references.definitions(document.tree, offset)
        field = references.defining(document.tree, offset)
        nodes = found or ([field] if field is not None else [])
        if not spans and declared:
            spans += [references.label_span(node) for node in nodes]
        spans += references.uses(document.tree, nodes)
    places = sorted({(span.start, span.end) for span in spans})
    return [types.Location(document.uri, document.lines.range(start, end)) for start, end in places]


def renameable(document: Document, offset: int) -> types.PrepareRenamePlaceholder | None:
    """Return the name at an offset that can be renamed: one of a resource, task, step, or volume."""
    here = named.here(document.places, offset)
    if here is None:
        return None
    return types.PrepareRenamePlaceholder(document.range(here.span), here.named[2])


def renamed(document: Document, offset: int, name: str) -> types.WorkspaceEdit | str:
    """Return the edits that rename what stands at an offset everywhere, or why that cannot be done."""
    places, known = named.at(document.places, offset), document.pipeline
    if not places or known is None:
        return "there is no name of a resource, task, step, or volume here"
    kind, _, old = places[0].named
    longest = names.LONGEST[kind]
    if not names.is_label(name, longest):
        rule = f"small letters, digits, and dashes between them, at most {longest}"
        return f'"{old}" cannot be renamed: "{name}" is no name for a {kind}; names are {rule}'
    fix = names.renaming(known, places[0].named, name)
    if fix is None:
        return f'"{old}" cannot be renamed: the new name is taken, or an expression makes or takes the old'
    edits = [_in_yaml(edit, name) for edit in fix.edits] if document.flavour == "yaml" else fix.edits
    return workspace_edit(document, text_edits(document, edits))


def _in_yaml(edit: Edit, name: str) -> Edit:
    """Return an edit that writes a name with quotes where YAML needs them, and only there.

    A key in CUE needs quotes around a dash, and YAML around a word such as `no`, which would be false without them.
    """
    span, text = edit.span, edit.span.source.text
    before, after = text[: span.start].rstrip(" \t")[-1:], text[span.end :].lstrip(" \t")[:1]
    whole = before in ("", "\n", "[", "{", ",", "-", ":", "?") and after in (
        "",
        "\r",
        "\n",
        ",",
        "]",
        "}",
        ":",
        "#",
    )
    if not whole or span.text[:1] in ("'", '"'):
        return edit
    return replace(edit, text=yaml_writer.text(name))
