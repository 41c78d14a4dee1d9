"""One layout for every Dispatchfile in CUE or JSON. There is nothing to set."""

from __future__ import annotations

from dispatchfile import front
from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError
from dispatchfile.spelling import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.source import Source


def formatted(source: Source) -> str:
    """Return the text of a source in the layout of its flavour; YAML and Starlark are returned as they are.

    What the text says does not change, and no comment is lost. Raises EvaluationError with the diagnostics of a text
    that cannot be parsed, and AssertionError when the layout turns out to change something, which is a bug.
    """
    flavour = front.flavour_of(source)
    if flavour == "cue":
        return _cue(source)
    return _json(source) if flavour == "json" else source.text


def _cue(source: Source) -> str:
    from dispatchfile.cue.parser import parse
    from dispatchfile.cue.printer import printed

    parsing = parse(source)
    if parsing.file is None or errors(parsing.diagnostics):
        raise _refusal(source, parsing.diagnostics)
    return printed(parsing.file)


def _json(source: Source) -> str:
    """Return JSON with every entry on a line of its own, two spaces a level; numbers and strings as written."""
    import re

    from dispatchfile.plain.json_reader import read_json

    reading = read_json(source)
    if any(found.code == "DF001" for found in reading.diagnostics):
        raise _refusal(source, reading.diagnostics)
    first = source.line(1) if source.text.startswith("#!") else ""
    out = [f"{first.rstrip()}\n" if first else ""]
    indent, before = "\n", ""
    for word in re.findall(r'"(?:[^"\\]|\\.)*"|[^\s"{}\[\],:]+|[{}\[\],:]', source.text[len(first) :]):
        if before in ("{", "[") and word not in ("}", "]"):
            indent += "  "
            out.append(indent)
        elif word in ("}", "]") and before not in ("{", "["):
            indent = indent[:-2]
            out.append(indent)
        out.append({",": f",{indent}", ":": ": "}.get(word, word))
        before = word
    return f"{''.join(out)}\n"


def _refusal(source: Source, diagnostics: Sequence[Diagnostic]) -> EvaluationError:
    count = counted(len(errors(diagnostics)), "error")
    return EvaluationError(f"{source.name}: not formatted: {count}", diagnostics)
