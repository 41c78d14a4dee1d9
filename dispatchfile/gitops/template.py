"""Templates of a GitOps repository: text with actions `$({ .name })`, as `update-gitops-repo` of Dispatch 1.0 to 1.4.

The original runs Go's text/template with the delimiters `$({` and `})`. Every template known to be in use holds
nothing but `.name`, so that and the trim markers of Go (`$({- .name -})`) are the whole language here; whatever else
stands between the delimiters is an error with its place, never text that slips through. A value is put in as it is:
no second pass over inserted text, and all bytes outside actions stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.errors import EvaluationError
from dispatchfile.record import Record
from dispatchfile.source import Source, Span
from dispatchfile.spelling import nearest

# Latin-1 maps each byte to one character and back, so that a template of any encoding keeps its bytes.
_ENCODING = "latin-1"
_OPEN, _CLOSE = "$({", "})"
_SPACE = " \t\r\n"
_ACTION = re.compile(r"\$\(\{(?P<left>-[ \t]+)?[ \t]*\.(?P<name>[^\W\d]\w*)(?P<right>[ \t]+-)?[ \t]*\}\)")


class TemplateError(EvaluationError):
    """Templates that cannot be rendered; `diagnostics` hold every problem of every file."""

    exit_code = 1


class Text(Record):
    """Literal bytes, as Latin-1."""

    text: str


class Value(Record):
    """The place of a value; `start` and `end` are offsets in the template."""

    name: str
    start: int
    end: int


class Template(Record):
    """A parsed template; `source` is its text as Latin-1."""

    source: Source
    parts: tuple[Text | Value, ...]

    @property
    def names(self) -> set[str]:
        """Return the names whose values the template asks for."""
        return {part.name for part in self.parts if isinstance(part, Value)}


def parse(name: str, content: bytes) -> Template:
    """Return the template in the file `name`. Raises TemplateError with all the actions that are not `.name`."""
    source = Source(name, content.decode(_ENCODING))
    text = source.text
    parts: list[Text | Value] = []
    wrong: list[Diagnostic] = []
    done, trim = 0, False
    while (start := text.find(_OPEN, done)) >= 0:
        action = _ACTION.match(text, start)
        if action is None:
            close = text.find(_CLOSE, start)
            end = close + len(_CLOSE) if close >= 0 else len(text)
            wrong.append(_bad_action(Span(source, start, end), closed=close >= 0))
            done = end
            continue
        parts.append(Text(_trimmed(text[done:start], left=trim, right=bool(action["left"]))))
        parts.append(Value(action["name"], start, action.end()))
        done, trim = action.end(), bool(action["right"])
    parts.append(Text(_trimmed(text[done:], left=trim, right=False)))
    if wrong:
        raise TemplateError(f"{name}: cannot be read as a template", wrong)
    return Template(source, tuple(parts))


def render(template: Template, values: Mapping[str, str]) -> bytes:
    """Return the template with its values put in, as bytes. Raises TemplateError naming every value that is missing."""
    missing = [part for part in template.parts if isinstance(part, Value) and part.name not in values]
    if missing:
        found = [_missing(template.source, part, values) for part in missing]
        raise TemplateError(f"{template.source.name}: values are missing", found)
    return b"".join(
        part.text.encode(_ENCODING)
        if isinstance(part, Text)
        else values[part.name].encode("utf-8", "surrogateescape")
        for part in template.parts
    )


def values_before(template: Template, rendered: bytes) -> dict[str, str]:
    """Return the values with which `template` gave `rendered`, as far as its lines still fit the template's.

    `rendered` is an output without its header. It serves messages only: a name that cannot be told is left out.
    """
    pieces = ["" if isinstance(part, Value) else part.text for part in template.parts]
    if sum(piece.count("\n") for piece in pieces) != rendered.count(b"\n"):
        return {}
    found: dict[str, str] = {}
    for line, old in zip(_lines(template), rendered.decode(_ENCODING).split("\n"), strict=True):
        names = [part.name for part in line if isinstance(part, Value)]
        # Each further value on a line multiplies the ways to match it; real templates have one.
        if 0 < len(names) <= 3:
            pattern = "".join("(.*?)" if isinstance(part, Value) else re.escape(part.text) for part in line)
            if match := re.fullmatch(pattern, old):
                olds = [value.encode(_ENCODING).decode("utf-8", "replace") for value in match.groups()]
                found.update(zip(names, olds, strict=True))
    return found


def _lines(template: Template) -> list[list[Text | Value]]:
    lines: list[list[Text | Value]] = [[]]
    for part in template.parts:
        if isinstance(part, Value):
            lines[-1].append(part)
            continue
        first, *rest = part.text.split("\n")
        lines[-1].append(Text(first))
        lines.extend([Text(text)] for text in rest)
    return lines


def _trimmed(text: str, *, left: bool, right: bool) -> str:
    text = text.lstrip(_SPACE) if left else text
    return text.rstrip(_SPACE) if right else text


def _bad_action(span: Span, *, closed: bool) -> Diagnostic:
    if not closed:
        span = Span(span.source, span.start, span.start + len(_OPEN))
        return _error(span, "unclosed action: no '})' follows this '$({'", "write $({ .name })")
    return _error(
        span,
        f"cannot read the action {_utf8(span.text)!r}: only $({{ .name }}) is known",
        "a template holds values only, as $({ .name }) or $({- .name -}); no conditions, loops or functions",
    )


def _missing(source: Source, part: Value, values: Mapping[str, str]) -> Diagnostic:
    meant = nearest(part.name, values)
    hint = f"did you mean .{meant}?" if meant else f"give it one: -substitute={part.name}=VALUE"
    return _error(Span(source, part.start, part.end), f"no value for .{part.name}", hint)


def _error(span: Span, message: str, hint: str) -> Diagnostic:
    return Diagnostic("DF901", Severity.ERROR, f"{message}", span, help=hint)


def _utf8(text: str) -> str:
    return text.encode(_ENCODING).decode("utf-8", "replace")
