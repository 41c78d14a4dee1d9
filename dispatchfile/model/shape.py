"""The words in which the schema is written: texts, flags, lists, maps, and tables of fields."""

from __future__ import annotations

from functools import cached_property

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    TextKind = Literal["", "duration", "quantity", "schedule", "glob", "path-glob", "name"]


class Text(Record):
    """A string; `kind` says what it must read as. A quantity may also be written as a number (Kubernetes)."""

    kind: TextKind = ""


class Flag(Record):
    """`true` or `false`."""


class Whole(Record):
    """A whole number."""


class Free(Record):
    """Anything; Kubernetes knows more about it than a pipeline has use for."""


class ListOf(Record):
    """A list of one shape."""

    item: Shape


class MapOf(Record):
    """A struct whose labels are names of the user's choice."""

    item: Shape


class Field(Record):
    """One row of a table.

    `default` and `deprecated` are texts for people: what holds when the field is absent, what to write instead.
    `aliases` are other spellings that are understood. `since` is the Dispatch version that brought the field.
    The local runner says so when it meets a field that is not `honoured`.
    """

    name: str
    shape: Shape
    doc: str
    required: bool = False
    default: str = ""
    since: str = "1.0"
    deprecated: str = ""
    aliases: tuple[str, ...] = ()
    honoured: bool = True


class Table(Record, eq=False):
    """A struct with known fields; `title` is how messages call one such struct ("a task")."""

    name: str
    title: str
    doc: str
    fields: tuple[Field, ...]

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Return the fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def by_alias(self) -> dict[str, Field]:
        """Return the fields by their other spellings."""
        return {alias: field for field in self.fields for alias in field.aliases}

    @cached_property
    def required(self) -> tuple[Field, ...]:
        """Return the fields that must be there."""
        return tuple(field for field in self.fields if field.required)


if TYPE_CHECKING:
    Shape: TypeAlias = Text | Flag | Whole | Free | ListOf | MapOf | Table


def noun(shape: Shape) -> str:
    """Return how messages call a value of the shape: "a string", "a list of strings", "a struct"."""
    if isinstance(shape, ListOf):
        return f"a list of {_plural(shape.item)}"
    if isinstance(shape, (MapOf, Table)):
        return "a struct"
    return {Text: "a string", Flag: "true or false", Whole: "a whole number"}.get(type(shape), "a value")


def _plural(shape: Shape) -> str:
    return {Text: "strings", ListOf: "lists", Whole: "whole numbers"}.get(type(shape), "structs")
