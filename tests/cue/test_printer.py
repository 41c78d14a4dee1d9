"""The layout of CUE text, that it changes nothing but white space and commas, and values as CUE."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dispatchfile import cue
from dispatchfile.cue import layout, literals, printer, sameness
from dispatchfile.cue.atoms import Atoms
from dispatchfile.cue.printer import declarations, label, literal, printed
from dispatchfile.source import Source
from dispatchfile.value import Value
from tests.cue.perturb import comments, damaged, parsed, perturbed, shape

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT.parent / "shared" / "samples"


def formatted(text: str) -> str:
    parsing = parsed(text)
    assert parsing.file is not None
    assert parsing.diagnostics == (), text
    return printed(parsing.file)


def corpus() -> list[str]:
    """Return the sound sources of the grammar's corpus and of the examples."""
    found = [path.read_text() for path in sorted(ROOT.glob("examples/*/Dispatchfile"))]
    for path in sorted(ROOT.glob("grammar/corpus/*.txt")):
        cases = re.split(r"^=+\n.*\n=+\n", path.read_text(), flags=re.MULTILINE)[1:]
        found += [case.partition("\n---\n")[0] for case in cases]
    return [text for text in found if not parsed(text).diagnostics]


SOURCES = corpus()

LAYOUTS = {
    "empty": ("", ""),
    "nothing but blanks": ("\n \n\n", ""),
    "only a comment": ("\n\n// a", "// a\n"),
    "one space behind a colon, none before": ("a :1\nb:   2\n", "a: 1\nb: 2\n"),
    "chains stay chains": ('on  push   branches : ["a"]\n', 'on push branches: ["a"]\n'),
    "modern chains": ("a:b:\n c :1\n", "a: b: c: 1\n"),
    "no commas between lines": ("a: {\n  b: 1,\n  c: 2,\n},\n", "a: {\n  b: 1\n  c: 2\n}\n"),
    "a struct on one line": ("a: { b: 1,c: 2 , }\n", "a: {b: 1, c: 2}\n"),
    "a struct on several lines": ("a: {b: 1,\nc: 2, d: 3}\n", "a: {\n  b: 1\n  c: 2\n  d: 3\n}\n"),
    "declarations of a file": ("a: 1, b: 2\n", "a: 1\nb: 2\n"),
    "a list on one line": ("a: [ 1,2 , 3, ]\n", "a: [1, 2, 3]\n"),
    "a list on several lines": ("a: [1,\n2, 3]\n", "a: [\n  1,\n  2, 3,\n]\n"),
    "empty brackets": ("a: {\n\n}\nb: [ ]\nc: f( )\n", "a: {}\nb: []\nc: f()\n"),
    "brackets that hug": ("a: [{\nb: 1\n}, {\nb: 2\n}]\n", "a: [{\n  b: 1\n}, {\n  b: 2\n}]\n"),
    "a struct of several fields cannot hug": (
        "a: {b: [\n1], c: 2}\n",
        "a: {\n  b: [\n    1,\n  ]\n  c: 2\n}\n",
    ),
    "open lists get no last comma": ("a: [\n1,...\n]\nb: [\n...int\n]\n", "a: [\n  1, ...\n]\nb: [\n  ...int\n]\n"),
    "blank lines": ("\n\na: {\n\n\nb: 1\n\n\n\nc: 2\n\n}\n\n\n", "a: {\n  b: 1\n\n  c: 2\n}\n"),
    "operators": ("a: 1+2*-3 |* >=4&!b\n", "a: 1 + 2 * -3 | *>=4 & !b\n"),
    "operators that may not touch": ("a: [X= =~\"b\"]: 1\n", 'a: [X= =~"b"]: 1\n'),
    "a break behind an operator": ('a: "x" |\n"y" |\n      "z"\n', 'a: "x" |\n  "y" |\n  "z"\n'),
    "a list moves up to its operator": ("a: b +\n[\n1\n]\n", "a: b + [\n  1,\n]\n"),
    "structs on one line do not": ("a: {b: 1} |\n {b: 2}\n", "a: {b: 1} |\n  {b: 2}\n"),
    "selectors, indices, calls": ("a: b . c [ 1 ] [ 1 : 2 ] ( d , e )\n", "a: b.c[1][1:2](d, e)\n"),
    "a selector of a number": ("a: 1 .b\n", "a: 1 .b\n"),
    "old aliases and new ones": ("X=1\nlet Y=2\nZ = a: W = {}\n", "X = 1\nlet Y = 2\nZ=a: W={}\n"),
    "marks": ("a ? : 1\nb ! :2\nc ? d: 3\n", "a?: 1\nb!: 2\nc? d: 3\n"),
    "old definitions and templates": ("A::{b:1}\nc <D> : 1\n", "A :: {b: 1}\nc <D>: 1\n"),
    "patterns": ("[ string ] : 1\n[ N = =~\"a\" ]:2\n", '[string]: 1\n[N= =~"a"]: 2\n'),
    "dynamic labels": ('( "a" ) : 1\n"b\\(  c )":2\n', '("a"): 1\n"b\\(  c )": 2\n'),
    "attributes": ("a: 1   @b(c,  d)@e()\n@f()\n", "a: 1 @b(c,  d) @e()\n@f()\n"),
    "imports": (
        'package   a\nimport  "b"\nimport (c "d",\n"e",)\nimport ( "f" )\n',
        'package a\nimport "b"\nimport (\n  c "d"\n  "e"\n)\nimport ("f")\n',
    ),
    "comprehensions": (
        'for k,v in a\nif v>1{"\\(k)":v}\nl: [for x in l let y=x{y}]\n',
        'for k, v in a\nif v > 1 {"\\(k)": v}\nl: [for x in l let y = x {y}]\n',
    ),
    "old comprehensions": (
        '"\\(k)": v  for k,v in a if b\nl: [\nx for x in a\n]\n',
        '"\\(k)": v for k, v in a if b\nl: [\n  x for x in a\n]\n',
    ),
    "embeddings and rests": ("a: {B,\n... }\nc: {...}\n", "a: {\n  B\n  ...\n}\nc: {...}\n"),
    "parentheses stay": ("a: ( ( 1 ) )\nb: (1 |\n2)\n", "a: ((1))\nb: (1 |\n  2)\n"),
    "numbers and strings as written": (
        "a: 0xFF\nb: 1_000\nc: 1.50e+3\nd: \"\\u0041\"\ne: #\"\\\"#\nf: 'x'\n",
        "a: 0xFF\nb: 1_000\nc: 1.50e+3\nd: \"\\u0041\"\ne: #\"\\\"#\nf: 'x'\n",
    ),
    "a first line": ("#!cue  \n\n\n\na: 1\n", "#!cue\n\na: 1\n"),
    "nothing behind the first line": ("#!cue", "#!cue\n"),
    "line ends of Windows": ("#!cue\r\na: 1 // b\r\nc: 2\r\n", "#!cue\na: 1 // b\nc: 2\n"),
    "a byte order mark": ("\ufeffa: 1\n", "a: 1\n"),
    "keywords as names": ("for:1\nif : 2\na: true : 3\n", "for: 1\nif: 2\na: true: 3\n"),
}  # fmt: skip

COMMENTS = {
    "above and behind": ("// a\n\n\n//b\na: 1   //c  \n", "// a\n\n//b\na: 1 //c  \n"),
    "behind an opening bracket": ("a: { // b\n\nc: 1}\n", "a: { // b\n  c: 1\n}\n"),
    "between a bracket and its first element": ("a: [\n\n// b\n1]\n", "a: [\n  // b\n  1,\n]\n"),
    "behind a comma": ("a: [1, // b\n2 // c\n]\n", "a: [\n  1, // b\n  2, // c\n]\n"),
    "before a closing bracket": ("a: [1\n\n// b\n\n]\n", "a: [\n  1,\n\n  // b\n]\n"),
    "alone in brackets": ("a: {// b\n}\nc: [\n// d\n]\n", "a: { // b\n}\nc: [\n  // d\n]\n"),
    "behind a colon": ("a: // b\n1\n", "a: // b\n  1\n"),
    "behind an operator": ("a: 1 + // b\n// c\n2\n", "a: 1 + // b\n  // c\n  2\n"),
    "before a clause": ("for a in b\n// c\nif a {d: 1}\n", "for a in b\n// c\nif a {d: 1}\n"),
    "in a call": ("a: f( // b\n1, 2)\n", "a: f( // b\n  1, 2,\n)\n"),
    "in an index": ("a: b[1 // c\n]\n", "a: b[\n  1 // c\n]\n"),
    "at the end": ("a: 1\n\n\n// b\n\n// c", "a: 1\n\n// b\n\n// c\n"),
    "at other indents": ("a: {\n// b\n      // c\n  d: 1\n}\n", "a: {\n  // b\n  // c\n  d: 1\n}\n"),
    "under the first line": ("#!cue\n// a\nb: 1\n", "#!cue\n// a\nb: 1\n"),
    "in a string's expression": ('a: "\\(b)" // c\n', 'a: "\\(b)" // c\n'),
}

BLOCKS = {
    "moves under its field": ('a: """\nb\n  c\n\n"""\n', 'a: """\n  b\n    c\n\n  """\n'),
    "stands under its own quotes": ('a: [\n"""\n   b\n   """,\n]\n', 'a: [\n  """\n  b\n  """,\n]\n'),
    "keeps blanks that count": ('a: """\n\t b \n\t   \n\t"""\n', 'a: """\n   b \n     \n  """\n'),
    "is stripped of blanks that do not": ('a: """\n    b\n \n    """\n', 'a: """\n  b\n\n  """\n'),
    "holds expressions": ('a: """\n\\(b)\nc\\(d)\n"""\n', 'a: """\n  \\(b)\n  c\\(d)\n  """\n'),
    "stays where an expression has lines": ('a:  """\n\\({\nb: 1\n}.b)\n"""\n', 'a: """\n\\({\nb: 1\n}.b)\n"""\n'),
    "has line ends of Windows": ('a: """\r\n\tb\r\n\t"""\r\n', 'a: """\n  b\n  """\n'),
    "hugs": ('a: ["sh", """\nb\n"""]\n', 'a: ["sh", """\n  b\n  """]\n'),
    "of bytes": ("a: '''\nb\n'''\n", "a: '''\n  b\n  '''\n"),
    "with hashes": ('a: #"""\nb"""\n"""#\n', 'a: #"""\n  b"""\n  """#\n'),
}  # fmt: skip

LONG = {
    "a list is broken": (
        f'a: ["{"b" * 60}", "{"c" * 60}"]\n',
        f'a: [\n  "{"b" * 60}",\n  "{"c" * 60}",\n]\n',
    ),
    "the longest of two": (
        f'a: [1, 2] + ["{"b" * 60}", "{"c" * 60}"]\n',
        f'a: [1, 2] + [\n  "{"b" * 60}",\n  "{"c" * 60}",\n]\n',
    ),
    "a struct inside a list of one": (
        f'a: [{{b: "{"b" * 60}", c: "{"c" * 60}"}}]\n',
        f'a: [{{\n  b: "{"b" * 60}"\n  c: "{"c" * 60}"\n}}]\n',
    ),
    "not where it does not help": (f'a: ["-c", "{"b" * 120}"]\n', f'a: ["-c", "{"b" * 120}"]\n'),
    "nor a part of a struct where the whole does not help": (
        f'a: {{b: "{"b" * 120}", c: {{d: "{"d" * 50}", e: 1}}}}\n',
        f'a: {{b: "{"b" * 120}", c: {{d: "{"d" * 50}", e: 1}}}}\n',
    ),
    "not with a comment that may be about the line": (
        f'a: ["{"b" * 60}", "{"c" * 60}"] // d\n',
        f'a: ["{"b" * 60}", "{"c" * 60}"] // d\n',
    ),
    "elements that share a line": (
        f'a: [\n1, "{"b" * 60}", "{"c" * 60}",\n2, 3]\n',
        f'a: [\n  1,\n  "{"b" * 60}",\n  "{"c" * 60}",\n  2, 3,\n]\n',
    ),
}
ALL = [
    pytest.param(*case, id=f"{group}: {name}")
    for group, cases in {"layout": LAYOUTS, "comment": COMMENTS, "block": BLOCKS, "long": LONG}.items()
    for name, case in cases.items()
]


@pytest.mark.parametrize(("text", "expected"), ALL)
def test_layout(text: str, expected: str) -> None:
    assert formatted(text) == expected
    assert formatted(expected) == expected
    assert shape(parsed(expected).file) == shape(parsed(text).file)


def check(text: str) -> None:
    """Assert that formatting keeps the tree and every comment, and has nothing left to do when done again."""
    once = formatted(text)
    assert shape(parsed(once).file) == shape(parsed(text).file)
    assert comments(once) == comments(text)
    assert formatted(once) == once
    assert once == "" or (once.endswith("\n") and not once.endswith("\n\n"))


@pytest.mark.parametrize("text", SOURCES, ids=range(len(SOURCES)))
def test_corpus(text: str) -> None:
    check(text)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(st.sampled_from(SOURCES), st.randoms(use_true_random=True), st.sampled_from((20, 40, 110)))
def test_any_white_space_and_comments(text: str, random: object, width: int) -> None:
    other = perturbed(text, random)
    parsing = parsed(other)
    assume(not parsing.diagnostics and shape(parsing.file) == shape(parsed(text).file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "WIDTH", width)
        check(other)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SOURCES), st.randoms(use_true_random=True), st.sampled_from((20, 110)))
def test_any_text_that_can_be_parsed(text: str, random: object, width: int) -> None:
    other = damaged(text, random)
    if not parsed(other).diagnostics:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layout, "WIDTH", width)
            check(other)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
@pytest.mark.parametrize("suite", ["cue-legacy", "cue-modern", "dispatchfiles"])
def test_samples(suite: str) -> None:
    seen = 0
    for path in sorted(SAMPLES.joinpath(suite).glob("*.cue")):
        text = path.read_text()
        if not parsed(text).diagnostics:
            check(text)
            seen += 1
    assert seen > 5


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a: 1\n", "a: 2\n", "the word '1'"),
        ("a: 1, b: 2", "a: 1\nb: 2", ""),
        ("a: -b", "a - b", "its syntax"),
        ("a\n-b", "a - b", "its syntax"),
        ("a: [1, 2]", "a: [1\n2]", "it cannot be read any more"),
        ("a: 1 // b", "a: 1", "its comments"),
        ("a: 1 // b", "a: 1 // c", "its comments"),
        ('a: """\n  b\n  """', 'a: """\n b\n """', ""),
        ('a: """\n  b\n  """', 'a: """\n  b\n """', r"""the word '\"\"\"\\n  b\\n  \"\"\"'"""),
        ('a: """\n  \\(b)\n  """', 'a: """\n  \\(c)\n  """', "the word"),
        ("#!cue\na: 1", "a: 1", "its first line"),
    ],
)  # fmt: skip
def test_what_formatting_must_not_change_is_noticed(before: str, after: str, expected: str) -> None:
    found = sameness.difference(Atoms(before), Atoms(after))
    assert found.startswith(expected.replace('\\"', '"').replace("\\\\", "\\")) if expected else found == ""


def test_a_layout_that_changes_something_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer._Printer, "word", lambda self, at, indent: self.atoms.texts[at].strip("-"))
    with pytest.raises(AssertionError, match="would change the text: its syntax"):
        formatted("a:  -1")


def test_long_lines_take_linear_time() -> None:
    """A line of many brackets is broken in one go; this took minutes when each was looked for anew."""
    text = f"a: {{b: [{'f({c: 1, d: 2}), ' * 3000}]}}\n"
    assert formatted(text).count("\n") > 3000


# Values

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.text(
    "a\n\t \"\\'(#é\u200b\r", max_size=20
)
LABEL = TEXT.filter(lambda name: not name.startswith("\0"))  # the evaluator's own mark of hidden fields
NUMBER = st.integers(-(10**30), 10**30) | st.decimals(
    -(10**9), 10**9, places=6, allow_nan=False, allow_infinity=False
).map(lambda number: number + 0)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LABEL, inner, max_size=4),
    max_leaves=15,
)


def read(text: str) -> object:
    reading = cue.read(Source("Dispatchfile", text))
    assert reading.ok, (text, reading.diagnostics)
    assert reading.value is not None
    return reading.value.plain()


@settings(deadline=None)
@given(PLAIN)
def test_literal_read_back_is_equal(value: object) -> None:
    assert read(f"x: {literal(value)}\n") == {"x": value}


@settings(deadline=None)
@given(st.dictionaries(LABEL, PLAIN, max_size=4))
def test_declarations_read_back_are_equal_and_formatted(value: dict[str, object]) -> None:
    text = declarations(value)
    assert read(text) == value
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("abc", "abc"), ("a_1$", "a_1$"), ("src-git", '"src-git"'), ("", '""'), ("1a", '"1a"'), ("_a", '"_a"'),
        ("#a", '"#a"'), ("for", '"for"'), ("null", '"null"'), ("é", '"é"'), ("a b", '"a b"'), ("a\n", '"a\\n"'),
    ],
)  # fmt: skip
def test_label(name: str, expected: str) -> None:
    assert label(name) == expected


VALUES = {
    "scalars": ([None, True, 1, Decimal("1.50"), Decimal(2), "a"], '[null, true, 1, 1.50, 2.0, "a"]'),
    "a value with places": (Value([Value("a"), Value({})]), '["a", {}]'),
    "a struct": ({"a": 1, "b-c": []}, '{\n  a: 1\n  "b-c": []\n}'),
    "a chain": ({"on": {"push": {"branches": ["*"]}}}, '{\n  on: push: branches: ["*"]\n}'),
    "structs in a list": ([{"a": 1}, {"b": 2}], "[\n  {\n    a: 1\n  },\n  {\n    b: 2\n  },\n]"),
    "what cannot be seen": ("\0\x1b\u2028\u200b\U000e0001é", '"\\u0000\\u001b\\u2028\\u200b\\U000e0001é"'),
    "quotes": ('\\("a")', '"\\\\(\\"a\\")"'),
    "several lines": ('a\n\n"""b\\', '"""\na\n\n\\"\\"\\"b\\\\\n"""'),
    "one line and its end": ("a\n", '"a\\n"'),
    "blanks at a line's end": ("a \nb", '"a \\nb"'),
    "a script last in a list": (["sh", "-c", "a\nb"], '["sh", "-c", """\n  a\n  b\n  """]'),
    "a script first in a list": (["a\nb", "c"], '[\n  """\n  a\n  b\n  """,\n  "c",\n]'),
    "a list too long for a line": (["a" * 60, "b" * 60], f'[\n  "{"a" * 60}",\n  "{"b" * 60}",\n]'),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_literal(value: object, expected: str) -> None:
    assert literal(value) == expected


def test_declarations() -> None:
    value = {"task": {"a": {"steps": []}, "for": {}}, "x": 1, "y": 2, "actions": [{}]}
    assert declarations(value) == (
        'task: "a": {\n  steps: []\n}\n\ntask: "for": {}\nx: 1\ny: 2\nactions: [{}]\n'
    )


def test_an_atom_of_several_pieces_keeps_its_expressions() -> None:
    atoms = Atoms('a: "b\\(c + "\\(d)")e"')
    assert atoms.texts == ["a", ":", '"b\\(c + "\\(d)")e"', ""]
    assert atoms.expressions(2) == ['c + "\\(d)"']
    assert literals.pieces([atoms.text[start:end] for start, end in atoms.pieces[2]]) == ["b", "e"]
