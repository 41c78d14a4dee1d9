"""The names of a pipeline, resources, tasks, steps, volumes: where each is defined, and where it is used."""

from __future__ import annotations

from dispatchfile.model import names
from dispatchfile.record import Record
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.model.names import Named
    from dispatchfile.model.pipeline import Pipeline


class Place(Record):
    """A place of a name, without the quotes around it; `named` is its kind, its task for steps and volumes, the name."""

    named: Named
    span: Span
    defined: bool


def places(pipeline: Pipeline) -> tuple[Place, ...]:
    """Return every place of every name that is written plainly, definitions first."""
    found = [
        Place((one.kind, one.home, one.name), _unquoted(span), defined=True)
        for one in names.every_name(pipeline)
        for span in one.defined
    ]
    for named, spans in names.uses(pipeline).items():
        found += [
            Place(named, span, defined=False)
            for span in dict.fromkeys(spans)
            if span is not None and span.text == named[2]
        ]
    return tuple(found)


def here(places: Sequence[Place], offset: int) -> Place | None:
    """Return the place of a name that an offset is in, or None."""
    return next((one for one in places if one.span.start <= offset <= one.span.end), None)


def at(places: Sequence[Place], offset: int) -> list[Place]:
    """Return all places of the name that stands at an offset; empty when none does."""
    found = here(places, offset)
    return [one for one in places if one.named == found.named] if found is not None else []


def _unquoted(span: Span) -> Span:
    """Return a place without the quotes in which it stands."""
    quoted = span.text[:1] in ("'", '"') and span.end - span.start > 1
    return Span(span.source, span.start + 1, span.end - 1) if quoted else span
