"""From one flavour to another: the value written anew, with the author's order, comments, and blank lines."""

from __future__ import annotations

from dispatchfile import front
from dispatchfile.convert.notes import Notes
from dispatchfile.cue import tree
from dispatchfile.cue.walk import descendants
from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError
from dispatchfile.fmt import formatted
from dispatchfile.model.schema import PIPELINE
from dispatchfile.record import Record
from dispatchfile.source import Source
from dispatchfile.spelling import counted
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Literal

    from dispatchfile.convert.notes import Path
    from dispatchfile.source import Span
    from dispatchfile.value import Plain, Reading

    Flavour = Literal["cue", "yaml", "json"]


class Conversion(Record):
    """A file in another flavour; `remarks` tell what the author wrote and the new text does not have."""

    reading: Reading
    remarks: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the new text."""
        return self.reading.source.text


def convert(reading: Reading, to: Flavour) -> Conversion:
    """Return what a reading says in another flavour.

    Whatever was computed stands there as its value. Helper fields at the top that others referred to have done their
    work and are left out; other fields that Dispatch does not know stay. The text is read again and compared.
    Raises EvaluationError when the reading has errors, or its value cannot be written in that flavour.
    """
    if reading.value is None or not reading.ok:
        count = counted(len(errors(reading.diagnostics)), "error")
        raise EvaluationError(f"{reading.source.name}: {count}", reading.diagnostics)
    served = _served(reading, reading.value)
    value = _without(reading.value, served)
    notes = _notes(reading, value, served)
    text = _written(value.plain(), notes, to)
    again = _read_again(value, text, to, reading.source.name)
    if to == "cue" and (laid_out := formatted(again.source)) != text:
        again = front.read(Source(again.source.name, laid_out))
    return Conversion(again, tuple(_remarks(reading, served, notes, to)))


def _without(value: Value, labels: Iterable[str]) -> Value:
    if not isinstance(value.data, dict):
        return value
    return Value({label: item for label, item in value.data.items() if label not in labels}, value.spans)


def _notes(reading: Reading, value: Value, served: list[str]) -> Notes:
    if isinstance(reading.syntax, tree.File):
        from dispatchfile.convert.cue_notes import cue_notes

        return cue_notes(reading.syntax, value)
    if _is_json(reading.source):
        return Notes()
    from dispatchfile.convert.yaml_notes import yaml_notes

    return yaml_notes(reading.source, reading.value or value, served)


def _is_json(source: Source) -> bool:
    return front.flavour_of(source) == "json"


def _written(content: Plain, notes: Notes, to: Flavour) -> str:
    if to == "yaml":
        from dispatchfile.convert.to_yaml import yaml

        return yaml(content, notes)
    if to == "json":
        from dispatchfile.convert.to_json import json

        return json(content)
    from dispatchfile.convert.to_cue import cue

    return cue(content, notes)


def _read_again(value: Value, text: str, to: Flavour, name: str) -> Reading:
    """Return what the new text says. Raises EvaluationError when that is not the same."""
    again = front.read(Source(f"Dispatchfile.{to}", text), to)
    if again.ok and again.value is not None and same(value.plain(), again.value.plain()):
        return again
    why = next((f": {found.message}" for found in errors(again.diagnostics)), "")
    raise EvaluationError(
        f"{name}: cannot be written as {to.upper()}{why}",
        help="nothing was changed; the value has no faithful form there",
    )


def same(one: Plain, other: Plain) -> bool:
    """Return whether two values are the same: fields in any order, whole numbers apart from fractions."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[label]) for label, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


# What served others


def _served(reading: Reading, value: Value) -> list[str]:
    """Return the helper fields at the top that something else in the file refers to."""
    if not isinstance(value.data, dict):
        return []
    helpers = {label: item for label, item in value.data.items() if label not in PIPELINE.by_name}
    if isinstance(reading.syntax, tree.File):
        used = {node.name for node in descendants(reading.syntax) if isinstance(node, tree.Identifier)}
        return [label for label in helpers if label in used]
    brought = [place for path, place in _brought_in(value) if path]
    return [
        label
        for label, item in helpers.items()
        if any(item.span.start <= place.start < item.span.end for place in brought if item.span)
    ]


def _brought_in(value: Value, path: Path = ()) -> Iterator[tuple[Path, Span]]:
    """Yield path and place of what an alias or a merge key brought in: it was written outside of what it stands in."""
    place, data = value.span, value.data
    for label, item in (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    ):
        below = (*path, label)
        for found in (item.span, item.key):
            if found is not None and place is not None and not place.start <= found.start < place.end:
                yield below, found
                break
        else:
            yield from _brought_in(item, below)


# What is not there any more


def _remarks(reading: Reading, served: list[str], notes: Notes, to: Flavour) -> Iterator[str]:
    if isinstance(reading.syntax, tree.File):
        if any(isinstance(node, _COMPUTED) for node in descendants(reading.syntax)):
            yield "references and expressions are resolved: their values stand there now"
    elif reading.value is not None and next(_brought_in(reading.value), None):
        yield "anchors, aliases, and merge keys are resolved: their values stand there now"
    if served:
        names = ", ".join(served)
        many = len(served) != 1
        yield f"the helper field{'s' * many} {names} served references only and {'are' if many else 'is'} left out"
    lost = notes.left_out + (notes.count() if to == "json" else 0)
    if lost:
        many = lost != 1
        why = "what they speak of is resolved" if many else "what it speaks of is resolved"
        yield f"{lost} comment{'s are' if many else ' is'} left out: {'JSON has none' if to == 'json' else why}"


_COMPUTED = (
    tree.Identifier, tree.Interpolation, tree.Binary, tree.Comprehension, tree.Call, tree.Selector,
    tree.Index, tree.Slice, tree.Let,
)  # fmt: skip
