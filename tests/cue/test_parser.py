"""The parser: what it accepts, how it goes on behind mistakes, and that it always ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatchfile.cue import tree
from dispatchfile.cue.parser import parse
from dispatchfile.cue.walk import descendants
from dispatchfile.source import Source
from tests.cue.dump import dumped

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"


def parsed(text):
    return parse(Source("Dispatchfile", text))


def names(file):
    return [item.label.name for item in file.declarations if isinstance(item, tree.Field)]


def valid_samples():
    for folder in ("cue-legacy", "cue-modern", "dispatchfiles"):
        for path in sorted((SAMPLES / folder).glob("*.cue")):
            if path.with_suffix(".json").exists() or path.with_name(path.name + ".json").exists():
                yield path


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
def test_valid_samples():
    refused = {path.name for path in valid_samples() if parsed(path.read_text()).diagnostics}
    # It starts lines with commas, which v0.1.2 refuses.
    assert refused == {"compile__json.cue"}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
def test_invalid_dispatchfiles():
    for path in (SAMPLES / "dispatchfiles").glob("*.cue.err"):
        assert parsed(path.with_suffix("").read_text()).diagnostics, path.name


@pytest.mark.parametrize(
    "text",
    [
        "[1\n2]", "[1\n,2]", "{a: 1 b: 2}", "a: 1\n, b: 2", "a b :: 1", 'task "x" {\n}', "a: 1,,b: 2", "a:",
        "[..., 1]", "[X=1]", "[1, 2]: 3", "if: 1 2", "a: 01", "a: 0x", 'a: "\\q"', "a: 'x", "a: )", "a; b",
        "for x in y", "/* a */", "a: b c: 1", '"""abc"""', 'a: """\n  x\n y\n  """', "a: 1.2345Ki",
    ],
)  # fmt: skip
def test_refused(text):
    assert parsed(text).diagnostics


@pytest.mark.parametrize(
    "text", ["[1,\n2,\n]", "[1\n]", "f(1\n2)", "(1\n)", "a: 1,\nb: 2", "a b: c: 1", "x: [\n  1 // one\n]", ""]
)
def test_accepted(text):
    assert parsed(text).diagnostics == ()


def test_spans_are_exact():
    file = parsed('param url: "u" + x // c\n').file
    assert [node.span.text for node in descendants(file) if not isinstance(node, tree.File)] == [
        'param url: "u" + x', "param", 'url: "u" + x', 'url: "u" + x', "url", '"u" + x', '"u"', "x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["a: 1\r\nb: 2\r\n", "\ufeffa: 1\nb: 2", "a:\t1\n\tb: 2", "#!cue\na: 1\nb: 2"]
)
def test_line_ends_marks_tabs(text):
    parsing = parsed(text)
    assert parsing.diagnostics == ()
    assert names(parsing.file) == ["a", "b"]


def test_carriage_returns_leave_block_strings():
    file = parsed('a: """\r\n  x\r\n  y\r\n  """\r\n').file
    assert file.declarations[0].value.value == "x\ny"


def test_comments_are_found_by_their_nodes():
    file = parsed("// a\nb: {c: 1} // d\n// e\n").file
    assert [span.text for span in file.comments[file].inside] == ["// e"]
    field = file.comments[file.declarations[0]]
    assert [span.text for span in (*field.before, *field.behind)] == ["// a", "// d"]
    assert len(file.comments) == 2


def test_sound_fields_survive():
    parsing = parsed("a: 1\nb: = 2\nc: 3\nd: [1 = 2,\n  3,\n]\ne: {\n  f: ]\n  g: 1\n}\nh: 1\n")
    assert [d.span.line for d in parsing.diagnostics] == [2, 4, 8]
    assert names(parsing.file) == ["a", "c", "d", "e", "h"]


def test_unclosed_block_is_closed_where_the_indentation_says():
    parsing = parsed('task "a": {\n  steps: []\n\nactions: []\n')
    assert names(parsing.file) == ["task", "actions"]


BIG = 50_000


@pytest.mark.parametrize(
    "text",
    ["[" * BIG, "{" * BIG, "a: " * BIG, "x: " + "!" * BIG, "x: 1" + "+1" * BIG, '"\\(' * BIG, "}" * BIG, "\0" * BIG,
     "[[\n}}\n" * BIG, "#\n" * BIG, "x: f(" * BIG, "x: (" + "a ? " * BIG, "@a(" * BIG],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_hostile_text_ends_soon(text):
    began = time.process_time()
    parsing = parsed(text)
    assert time.process_time() - began < 30
    assert parsing.diagnostics
    assert len(parsing.diagnostics) <= 31


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab1 \n\t\"'\\(){}[]<>:,.=#/|&*!?@_$`\0é"), max_size=60))
def test_any_text_ends(text):
    parsing = parsed(text)
    assert parsing.file is not None
    assert all(0 <= d.span.start <= d.span.end <= len(text) for d in parsing.diagnostics)
    assert dumped(parsing.file)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_cut_or_doubled_piece_never_breaks_the_parser(data):
    text = (
        'task "a": {\n  steps: [\n    {name: "x", args: ["\\(b)", 1]},\n  ]\n}\nactions: [{tasks: ["a"]}]\n'
    )
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    cut = text[:start] + text[end:]
    assert parsed(cut).file is not None
    assert parsed(text[:end] + text[start:]).file is not None


def test_lark_is_not_loaded():
    code = "import sys; import dispatchfile.cue.parser; print([m for m in ('lark', 'typing') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "chained"),
    [
        ("a b: 1", True),
        ("x: [{a b: 1}]", True),
        ("a b: 1\nc: ]", True),
        ("c: ]\na b: 1", True),
        ("a: b: 1", False),
        ('a: "b c: 1" // d e: 1', False),
        ("a: for x in y {b: 1}", False),
    ],
)
def test_a_file_tells_whether_it_holds_old_chains(text, chained):
    assert parsed(text).file.chained is chained


@pytest.mark.parametrize("text", ['a x: {c: "\\() k', 'a: .x | 3\nb: {for k in ["}"] { "\\(kfor}'])
def test_nothing_but_declarations_is_salvaged(text):
    parsing = parsed(text)
    assert parsing.diagnostics
    assert all(isinstance(found, tree.Field) for found in parsing.file.declarations)
