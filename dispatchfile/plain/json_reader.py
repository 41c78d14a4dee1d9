"""JSON: text to value. Strict: no comments, no trailing commas, double quotes; a `#!` line in front is allowed.

What people write out of habit (a comma too many or too few, a comment, other quotes or none) is refused with the edit
that mends it, and read as it was meant, so that the rest of the file is looked at too. Anything else ends the reading.
"""

from __future__ import annotations

import re
from decimal import Decimal
from json.decoder import JSONDecodeError, JSONDecoder

from dispatchfile.diagnostics import Diagnostic, Edit, Fix
from dispatchfile.plain.refusal import LONGEST_NUMBER, MOST_DEPTH, Unreadable, repeated, wrong
from dispatchfile.record import replace
from dispatchfile.source import Source, Span
from dispatchfile.value import Reading, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.value import Scalar

_DECODER = JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
_COMMENT = re.compile(r"(?:#|//)[^\n]*|/\*.*?\*/", re.DOTALL)
_SINGLE = re.compile(r"'([^'\\\n]*)'")
_BARE = re.compile(r"[A-Za-z_$][\w.$/-]*")
_STARTS_VALUE = frozenset("\"'{[-0123456789tfn")
_MOST_MENDED = 50  # slips after which a text is taken for no JSON at all


def read_json(source: Source) -> Reading:
    """Return a JSON text (a `#!` line in front is allowed) as a value; what is wrong stands in the diagnostics."""
    reader = _Json(source)
    try:
        value = reader.document()
    except Unreadable as error:
        return Reading(source, None, (*reader.found, error.found))
    return Reading(source, value, tuple(reader.found))


class _Json:
    """Reads a JSON text from left to right; `at` is where it stands."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = len(source.line(1)) if source.text.startswith("#!") else 0
        self.found: list[Diagnostic] = []
        self.stopped = False

    def document(self) -> Value:
        """Return the value of the whole text. Raises Unreadable where it is no JSON."""
        value = self.value(0)
        if not self.stopped and self.skip() != "":
            raise self.refusal("more text after the end of the value")
        return value

    def skip(self) -> str:
        """Go on to the next character that is no space, and return it; empty at the end of the text."""
        while True:
            found = _SPACE.match(self.text, self.at)
            self.at = found.end() if found is not None else self.at
            char = self.text[self.at : self.at + 1]
            comment = _COMMENT.match(self.text, self.at) if char in ("#", "/") else None
            if comment is None:
                return char
            advice = "remove it, or write the file in CUE or YAML"
            self.mended("JSON has no comments", self.at, comment.end(), "", advice)
            self.at = comment.end()

    def refusal(self, message: str, advice: str = "") -> Unreadable:
        """Return the error that the text goes wrong here."""
        char = self.text[self.at : self.at + 1]
        if not char:
            message = f"the file ends too early: {message}"
        return Unreadable(
            wrong(self.source, message, Span(self.source, self.at, self.at + len(char)), advice)
        )

    def mended(self, message: str, start: int, end: int, text: str, advice: str) -> None:
        """Note a slip where reading stands, and goes on, with the text that belongs between two places."""
        if len(self.found) >= _MOST_MENDED:
            raise self.refusal(message, advice)
        shown = Span(self.source, self.at, max(end, min(self.at + 1, len(self.text))))
        fix = Fix(
            f"write {text}" if text else "remove it", (Edit(Span(self.source, start, end), text),), safe=False
        )
        self.found.append(replace(wrong(self.source, message, shown, advice), fix=fix))

    def value(self, depth: int) -> Value:
        """Return the value that starts here."""
        if depth > MOST_DEPTH:
            raise self.refusal("the file is nested too deeply")
        char, start = self.skip(), self.at
        data: Scalar | list[Value] | dict[str, Value]
        if char == "{":
            data = self.struct(depth)
        elif char == "[":
            data = self.array(depth)
        elif char in ('"', "'") and char:
            data = self.string()
        else:
            data = self.scalar()
        return Value(data, (Span(self.source, start, self.at),))

    def string(self) -> str:
        """Return the string whose opening quote stands here."""
        start = self.at
        if self.text[start] == "'":
            single = _SINGLE.match(self.text, start)
            if single is None:
                raise self.refusal("a string in single quotes", "JSON strings stand in double quotes")
            return self.unquoted("a string in single quotes", single.end(), single[1])
        try:
            text, self.at = _DECODER.raw_decode(self.text, start)
        except JSONDecodeError as error:
            self.at = error.pos
            if "Unterminated" in error.msg or self.text[error.pos : error.pos + 1] == "\n":
                self.at = start
                raise self.refusal("a string without its closing quote") from None
            raise self.refusal(f"{error.msg[0].lower()}{error.msg[1:]}") from None
        return str(text)

    def unquoted(self, message: str, end: int, content: str) -> str:
        """Return what stands here without the quotes that JSON wants."""
        text = f'"{content}"'.replace("\t", "\\t")
        if '"' in content:
            raise self.refusal(message, "JSON strings stand in double quotes")
        self.mended(message, self.at, end, text, f"JSON strings stand in double quotes: {text}")
        self.at = end
        return content

    def scalar(self) -> Scalar:
        """Return the number, true, false, or null that stands here."""
        number = _NUMBER.match(self.text, self.at)
        if number is not None:
            if len(number[0]) > LONGEST_NUMBER or len(number[2] or "") > len("e+9999"):
                raise self.refusal("the number is too large", f"at most {LONGEST_NUMBER} digits are read")
            self.at = number.end()
            return Decimal(number[0]) if number[1] or number[2] else int(number[0])
        bare = _BARE.match(self.text, self.at)
        if bare is None:
            raise self.refusal("expected a value", "strings stand in double quotes")
        if bare[0] in _WORDS:
            self.at = bare.end()
            return _WORDS[bare[0]]
        return self.unquoted("a string without quotes", bare.end(), bare[0])

    def separator(self, close: str) -> bool:
        """Go past a comma (True) or the closing bracket (False)."""
        before = self.at
        char, comma = self.skip(), self.at
        if char != "," and char in _STARTS_VALUE and char:
            self.mended(f"expected `,` or `{close}`", before, before, ",", "a comma is missing before this")
            return True
        self.at += 1
        if char == close:
            return False
        if char != ",":
            self.at -= 1
            raise self.refusal(f"expected `,` or `{close}`")
        if self.skip() == close:
            advice = "JSON does not allow it; remove the comma"
            close_at, self.at = self.at, comma
            self.mended("a comma after the last entry", comma, comma + 1, "", advice)
            self.at = close_at + 1
            return False
        return True

    def array(self, depth: int) -> list[Value]:
        """Return the elements of the list that opens here, up to where it cannot be read."""
        self.at += 1
        elements: list[Value] = []
        try:
            if self.skip() == "]":
                self.at += 1
                return elements
            while not self.stopped:
                elements.append(self.value(depth + 1))
                if self.stopped or not self.separator("]"):
                    break
        except Unreadable as error:
            self.stop(error)
        return elements

    def struct(self, depth: int) -> dict[str, Value]:
        """Return the fields of the object that opens here, up to where it cannot be read."""
        self.at += 1
        fields: dict[str, Value] = {}
        try:
            if self.skip() == "}":
                self.at += 1
                return fields
            while not self.stopped:
                self.field(fields, depth)
                if self.stopped or not self.separator("}"):
                    break
        except Unreadable as error:
            self.stop(error)
        return fields

    def stop(self, error: Unreadable) -> None:
        """Note the mistake behind which nothing is read."""
        self.found.append(error.found)
        self.stopped = True
        self.at = max(self.at, error.found.span.end if error.found.span is not None else 0)

    def field(self, fields: dict[str, Value], depth: int) -> None:
        """Put the field that starts here to the others."""
        char, start = self.skip(), self.at
        label = self.label(char)
        key = Span(self.source, start, self.at)
        if self.skip() != ":":
            raise self.refusal("expected `:` after the key")
        self.at += 1
        value = self.value(depth + 1)
        if label in fields:
            self.found.append(repeated(label, key, fields[label].keys))
        else:
            fields[label] = Value(value.data, value.spans, (key,))

    def label(self, char: str) -> str:
        """Return the key that starts here with a character."""
        if char in ('"', "'") and char:
            return self.string()
        bare = _BARE.match(self.text, self.at)
        end = _SPACE.match(self.text, bare.end()) if bare is not None else None
        if bare is None or end is None or self.text[end.end() : end.end() + 1] != ":":
            raise self.refusal("expected a key", "keys stand in double quotes")
        return self.unquoted("a key without quotes", bare.end(), bare[0])
