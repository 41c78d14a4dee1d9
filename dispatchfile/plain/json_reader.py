"""JSON: text to value. Strict: no comments, no trailing commas, double quotes; a `#!` line in front is allowed."""

from __future__ import annotations

import re
from decimal import Decimal
from json.decoder import JSONDecodeError, JSONDecoder

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.plain.refusal import LONGEST_NUMBER, MOST_DEPTH, Unreadable, repeated, wrong
from dispatchfile.source import Source, Span
from dispatchfile.value import Reading, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.value import Scalar

_DECODER = JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}


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

    def document(self) -> Value:
        """Return the value of the whole text. Raises Unreadable where it is no JSON."""
        value = self.value(0)
        if self.skip() != "":
            raise self.refusal("more text after the end of the value")
        return value

    def skip(self) -> str:
        """Go on to the next character that is no space, and return it; empty at the end of the text."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found is not None else self.at
        return self.text[self.at : self.at + 1]

    def refusal(self, message: str, advice: str = "") -> Unreadable:
        """Return the error that the text goes wrong here."""
        char = self.text[self.at : self.at + 1]
        if char == "#" or self.text.startswith("//", self.at):
            message, advice = "JSON has no comments", "remove it, or write the file in CUE or YAML"
        elif not char:
            message = f"the file ends too early: {message}"
        elif char == "'":
            message, advice = "a string in single quotes", "JSON strings stand in double quotes"
        return Unreadable(
            wrong(self.source, message, Span(self.source, self.at, self.at + len(char)), advice)
        )

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
        elif char == '"':
            data = self.string()
        else:
            data = self.scalar()
        return Value(data, (Span(self.source, start, self.at),))

    def string(self) -> str:
        """Return the string whose opening quote stands here."""
        start = self.at
        try:
            text, self.at = _DECODER.raw_decode(self.text, start)
        except JSONDecodeError as error:
            self.at = error.pos
            if "Unterminated" in error.msg or self.text[error.pos : error.pos + 1] == "\n":
                self.at = start
                raise self.refusal("a string without its closing quote") from None
            raise self.refusal(f"{error.msg[0].lower()}{error.msg[1:]}") from None
        return str(text)

    def scalar(self) -> Scalar:
        """Return the number, true, false, or null that stands here."""
        number = _NUMBER.match(self.text, self.at)
        if number is not None:
            if len(number[0]) > LONGEST_NUMBER or len(number[2] or "") > len("e+9999"):
                raise self.refusal("the number is too large", f"at most {LONGEST_NUMBER} digits are read")
            self.at = number.end()
            return Decimal(number[0]) if number[1] or number[2] else int(number[0])
        for word, value in _WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        raise self.refusal("expected a value", "strings stand in double quotes")

    def separator(self, close: str) -> bool:
        """Go past a comma (True) or the closing bracket (False)."""
        char, comma = self.skip(), self.at
        self.at += 1
        if char == close:
            return False
        if char != ",":
            self.at -= 1
            raise self.refusal(f"expected `,` or `{close}`")
        if self.skip() == close:
            self.at = comma
            raise self.refusal("a comma after the last entry", "JSON does not allow it; remove the comma")
        return True

    def array(self, depth: int) -> list[Value]:
        """Return the elements of the list that opens here."""
        self.at += 1
        elements: list[Value] = []
        if self.skip() == "]":
            self.at += 1
            return elements
        while True:
            elements.append(self.value(depth + 1))
            if not self.separator("]"):
                return elements

    def struct(self, depth: int) -> dict[str, Value]:
        """Return the fields of the object that opens here."""
        self.at += 1
        fields: dict[str, Value] = {}
        if self.skip() == "}":
            self.at += 1
            return fields
        while True:
            if self.skip() != '"':
                raise self.refusal("expected a key", "keys stand in double quotes")
            start = self.at
            label = self.string()
            key = Span(self.source, start, self.at)
            if self.skip() != ":":
                raise self.refusal("expected `:` after the key")
            self.at += 1
            value = self.value(depth + 1)
            if label in fields:
                self.found.append(repeated(label, key, fields[label].keys))
            else:
                fields[label] = Value(value.data, value.spans, (key,))
            if not self.separator("}"):
                return fields
