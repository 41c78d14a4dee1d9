"""Old CUE in today's words: the text that comes out, and that it means the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile import front
from dispatchfile.convert.convert import same
from dispatchfile.lint.fix import fix
from dispatchfile.lint.settings import Settings
from dispatchfile.migrate.modern import modern
from dispatchfile.source import Source

SAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "samples"

CASES = {
    "definition": ('user :: "me"\na: user + "/x"\n', '#user: "me"\na: #user + "/x"\n'),
    "hidden definition": ("_u:: 1\na: _u\n", "_#u: 1\na: _#u\n"),
    "definition in an interpolation": ('u:: "me"\na: "\\(u)/x"\n', '#u: "me"\na: "\\(#u)/x"\n'),
    "definition in a struct": ("a: {b :: 1}\nc: a.b\n", "a: {#b: 1}\nc: a.#b\n"),
    "definition in two places": ("a :: {b: 1}\na :: {c: 2}\nd: a\n", "#a: {b: 1}\n#a: {c: 2}\nd: #a\n"),
    "optional field of a definition": ("a :: {b?: 1}\nd: a\n", "#a: {b?: 1}\nd: #a\n"),
    "definition that shares its name with a field": (
        "a: {b :: 1}\nc: {b: 2}\nd: a.b + c.b\n",
        "a: {b :: 1}\nc: {b: 2}\nd: a.b + c.b\n",
    ),
    "definition beside a new one": ("a :: 1\n#a: 2\nc: a\n", "a :: 1\n#a: 2\nc: a\n"),
    "template": (
        "t: <Name>: {n: Name}\nt: x: {}\n",
        "t: [Name=string]: {n: Name}\nt: x: {}\n",
    ),
    "template whose name is not used": ("t: <N>: {n: 1}\nt: x: {}\n", "t: [string]: {n: 1}\nt: x: {}\n"),
    "alias": ("X = {a: 1}\nb: X.a\n", "let X = {a: 1}\nb: X.a\n"),
    "field comprehension": (
        '"\\(k)-x": v for k, v in {a: 1} if v > 0\n',
        'for k, v in {a: 1} if v > 0 {"\\(k)-x": v}\n',
    ),
    "list comprehension": ("a: [x + 1 for x in [1, 2]]\n", "a: [for x in [1, 2] {x + 1}]\n"),
    "list comprehension of structs": ("a: [{n: x} for x in [1]]\n", "a: [for x in [1] {n: x}]\n"),
    "nested": ("a: [[y for y in x] for x in [[1]]]\n", "a: [for x in [[1]] {[for y in x {y}]}]\n"),
    "operator word": ("a: 7 div 2\nb: (7 mod 2) quo 3\n", "a: div(7, 2)\nb: quo((mod(7, 2)), 3)\n"),
    "comment inside": ("a: [\n  x // c\n  for x in [1]]\n", "a: [\n  x // c\n  for x in [1]]\n"),
    "lists": ("a: [1] + [2]\nb: 2 * [1]\n", "a: [1] + [2]\nb: 2 * [1]\n"),
    "new already": ("#a: 1\nlet b = 2\nc: [for x in [b] {x}]\nd: #a\n", None),
    "no CUE": ("a: [\n", None),
}


@pytest.mark.parametrize(("old", "new"), CASES.values(), ids=list(CASES))
def test_modern(old: str, new: str | None) -> None:
    made = modern(Source("Dispatchfile", old))
    assert made.text == (old if new is None else new)
    before, after = front.read(Source("Dispatchfile", old)), front.read(made)
    assert before.ok == after.ok
    if before.value is not None and after.value is not None:
        assert same(before.value.plain(), after.value.plain())


@pytest.mark.skipif(not SAMPLES.exists(), reason="no samples here")
def test_samples_can_be_read_again() -> None:
    """What else would change the value is caught by `migrate`; here nothing may become unreadable."""
    rewritten = 0
    for path in sorted(SAMPLES.glob("cue-legacy/*.cue"))[::3]:
        source = fix(front.open_source(path), Settings(select=("DF704",))).source
        made = modern(source)
        if made.text != source.text and front.read(source).ok:
            assert front.read(made).ok, path
            rewritten += 1
    assert rewritten > 5
