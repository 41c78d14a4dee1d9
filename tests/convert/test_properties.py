"""Whatever a value holds, it comes back from every flavour; comments come back from CUE and YAML."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatchfile import front
from dispatchfile.convert.convert import convert, same
from dispatchfile.convert.notes import Notes
from dispatchfile.convert.to_cue import cue
from dispatchfile.convert.to_json import json
from dispatchfile.convert.to_yaml import yaml
from dispatchfile.source import Source
from tests.convert.strategies import FILES, PIPELINES, SAID

SAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "samples"
WRITERS = {"cue": cue, "yaml": yaml, "json": lambda value, notes: json(value)}
PAIRS = [(one, other) for one in WRITERS for other in WRITERS if one != other]


def reading(text: str, flavour: str):
    return front.read(Source(f"Dispatchfile.{flavour}", text))


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=map("-".join, PAIRS))
@given(value=FILES | PIPELINES)
@settings(max_examples=20, deadline=None)
def test_there_and_back(one: str, other: str, value) -> None:
    text = WRITERS[one](value, Notes())
    there = convert(reading(text, one), other)
    back = convert(reading(there.text, other), one)
    assert same(reading(back.text, one).value.plain(), value)
    assert there.remarks == back.remarks == ()


def noted(value, path=()):
    """Return every path of a value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for label, item in items:
        yield from noted(item, (*path, label))


@st.composite
def with_comments(draw):
    value = draw(FILES | PIPELINES)
    notes = Notes()
    for path in draw(st.lists(st.sampled_from(list(noted(value))), max_size=6)):
        above, behind, inside = (draw(st.lists(kind, max_size=2)) for kind in (SAID | st.none(), SAID, SAID))
        notes.add(path, above, behind, inside)
    return value, notes


def comments_of(text: str, flavour: str) -> list[str]:
    """Return what the comments of a text say, in order."""
    if flavour == "yaml":
        from dispatchfile.plain.comments import comments

        return [span.text[1:] for span in comments(Source("Dispatchfile.yaml", text))]
    file = reading(text, "cue").syntax
    spans = [
        span for found in file.comments.values() for span in (*found.before, *found.behind, *found.inside)
    ]
    return [span.text[2:] for span in sorted(spans, key=lambda span: span.start)]


@pytest.mark.parametrize(("one", "other"), [("cue", "yaml"), ("yaml", "cue")])
@given(made=with_comments())
@settings(max_examples=40, deadline=None)
def test_comments_go_along(one: str, other: str, made) -> None:
    value, notes = made
    text = WRITERS[one](value, notes)
    said = comments_of(text, one)
    assert len(said) == notes.count()
    there = convert(reading(text, one), other)
    assert sorted(comments_of(there.text, other)) == sorted(said)
    back = convert(reading(there.text, other), one)
    assert sorted(comments_of(back.text, one)) == sorted(said)


FOUND = [*sorted(SAMPLES.glob("dispatchfiles/**/*")), *sorted(SAMPLES.glob("cue-*/*.cue"))[::5]]


@pytest.mark.skipif(not FOUND, reason="no samples here")
@pytest.mark.parametrize("flavour", WRITERS)
def test_samples(flavour: str) -> None:
    done = 0
    for path in FOUND:
        if not path.is_file() or not (read := front.read_file(path)).ok:
            continue
        there = convert(read, flavour)
        back = convert(front.read(Source("x", there.text), flavour), "yaml")
        if flavour == "cue":
            assert len(comments_of(back.text, "yaml")) == len(comments_of(there.text, "cue")), path
        done += 1
    assert done > 60
