"""Types of TypeScript as JSON Schemas: published descriptions of APIs reach the package registries in that form too.

What is read are declarations as generators write them (openapi-typescript, swagger-typescript-api): object types,
unions, intersections, arrays, literals, and names that lead to other types. Each type is read when it is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

_SPACE = re.compile(r"(?:\s+|/\*.*?\*/|//[^\n]*)*", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[\w$]+|=>|-?\d+|.', re.DOTALL)
_PLAIN: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "true": {"const": True},
    "false": {"const": False},
    "null": {"type": "null"},
    "undefined": {"type": "null"},
    "void": {},
    "unknown": {},
    "any": {},
    "object": {"type": "object", "additionalProperties": True},
    "File": {},
    "never": {"not": {}},
}


class Reader:
    """Reads one declaration of `text` from `at` on. `name` makes the schema of a name such as `PullRequest`, or of a
    path such as `components["schemas"]["x"]`, given as its parts."""

    def __init__(self, text: str, at: int, name: Callable[[tuple[str, ...]], Schema]) -> None:
        self.text = text
        self.at = at
        self._name = name

    def peek(self) -> str:
        start = self._skip()
        found = _TOKEN.match(self.text, start)
        return found[0] if found else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        assert not wanted or token == wanted, f"{wanted!r} is not {self.text[self.at : self.at + 60]!r}"
        self.at = self._skip() + len(token)
        return token

    def _skip(self) -> int:
        found = _SPACE.match(self.text, self.at)
        return found.end() if found else self.at

    def type(self) -> Schema:
        """A type: alternatives of what has to hold together."""
        if self.peek() == "|":
            self.take()
        options = [self._together()]
        while self.peek() == "|":
            self.take()
            options.append(self._together())
        return options[0] if len(options) == 1 else {"anyOf": options}

    def _together(self) -> Schema:
        parts = [self._array()]
        while self.peek() == "&":
            self.take()
            parts.append(self._array())
        # An object of anything adds nothing to one that is described.
        told = [part for part in parts if part.get("additionalProperties") is not True] or parts[:1]
        return told[0] if len(told) == 1 else {"allOf": told}

    def _array(self) -> Schema:
        found = self._one()
        while self.peek() == "[":
            self.take()
            self.take("]")
            found = {"type": "array", "items": closed(found)}
        return found

    def _one(self) -> Schema:
        token = self.take()
        if token == "readonly":
            return self._array()
        if token == "(":
            inner = self.type()
            self.take(")")
            return inner
        if token == "{":
            return self._object()
        if token[0] in "\"'":
            return {"const": unquoted(token)}
        if re.fullmatch(r"-?\d+", token):
            return {"const": int(token)}
        return self._named(token)

    def _named(self, first: str) -> Schema:
        if self.peek() == "<":
            return self._generic(first)
        if first in _PLAIN:
            return _PLAIN[first]
        parts = [first]
        while re.match(r"\s*\[\s*[\"']", self.text[self.at :]):
            self.take("[")
            parts.append(unquoted(self.take()))
            self.take("]")
        return self._name(tuple(parts))

    def _generic(self, name: str) -> Schema:
        self.take("<")
        arguments = [self.type()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.type())
        self.take(">")
        if name == "Record":
            return {"type": "object", "additionalProperties": True}
        # Readonly and Omit: what is left out stands beside it, more narrowly.
        return {"type": "array", "items": closed(arguments[0])} if name == "Array" else arguments[0]

    def _object(self) -> Schema:
        schema: Schema = {"type": "object", "properties": {}, "required": []}
        while (token := self.take()) != "}":
            if token == "readonly":
                token = self.take()
            if token == "[":
                while self.take() != "]":
                    pass
                schema["additionalProperties"] = True
            name = unquoted(token)
            optional = self.peek() == "?"
            if optional:
                self.take()
            self.take(":")
            value = self.type()
            if self.peek() in (";", ","):
                self.take()
            if token != "[":
                schema["properties"][name] = closed(value)
                schema["required"] += [] if optional else [name]
        return schema


def closed(schema: Schema) -> Schema:
    """The schema of a value that has no field which is not described."""
    return (
        schema
        if schema.get("additionalProperties") is True or not schema
        else {**schema, "unevaluatedProperties": False}
    )


def unquoted(token: str) -> str:
    if token.startswith("'"):
        return token[1:-1].replace("\\'", "'")
    return str(json.loads(token)) if token.startswith('"') else token
