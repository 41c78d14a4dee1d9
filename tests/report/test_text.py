from __future__ import annotations

from textwrap import dedent

import pytest

from dispatchfile.diagnostics import Diagnostic, Related, Severity
from dispatchfile.report.text import render, summary
from dispatchfile.source import Source, Span


def span(source: Source, text: str, nth: int = 0) -> Span:
    at = -1
    for _ in range(nth + 1):
        at = source.text.index(text, at + 1)
    return Span(source, at, at + len(text))


def shown(text: str) -> str:
    return dedent(text).lstrip("\n")


SOURCE = Source(
    "Dispatchfile", "\n".join(['resource "src-git": {', *["  //"] * 10, '  inputs: ["src-gti"]', "}"])
)
FINDING = Diagnostic(
    "DF201",
    Severity.ERROR,
    'task "test" takes "src-gti", which is neither a resource nor a task',
    span(SOURCE, '"src-gti"'),
    "undefined",
    (Related(span(SOURCE, '"src-git"'), "a similar name"),),
    'did you mean "src-git"?',
)


def test_the_whole_of_a_finding():
    assert render([FINDING]) == shown("""
        error[DF201]: task "test" takes "src-gti", which is neither a resource nor a task
          --> Dispatchfile:12:12
           |
        12 |   inputs: ["src-gti"]
           |            ^^^^^^^^^ undefined
           |
          ::: Dispatchfile:1:10
           |
         1 | resource "src-git": {
           |          --------- a similar name
           |
           = help: did you mean "src-git"?
    """)


def marks(text: str, marked: str) -> list[str]:
    """Return the source line and the line of carets, behind the gutter."""
    source = Source("f", text)
    lines = render([Diagnostic("X", Severity.WARNING, "m", span(source, marked))]).splitlines()
    return [line.partition(" |")[2] for line in lines[3:5]]


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        ("a b c", "b", [" a b c", "   ^"]),
        ("日本 x", "x", [" 日本 x", "      ^"]),
        ("x 日本", "日本", [" x 日本", "   ^^^^"]),
        ("e\u0301 x", "x", [" e\u0301 x", "   ^"]),
        ("\ta", "a", ["     a", "     ^"]),
        ("ab\tc", "c", [" ab  c", "     ^"]),
        ("a\tb", "a\tb", [" a   b", " ^^^^^"]),
        ("{\n  a\n}", "{\n  a\n}", [" {", " ^"]),
        ("a\r\nb", "a", [" a", " ^"]),
        ("a\x1b[31m b", "b", [" a\ufffd[31m b", "        ^"]),
        ("a\u202eb", "b", [" a\ufffdb", "   ^"]),
    ],
)
def test_carets_stand_under_what_is_meant(text, marked, expected):
    assert marks(text, marked) == expected


def test_the_end_of_the_text():
    source = Source("f", "a\n")
    assert render([Diagnostic("X", Severity.ERROR, "m", Span(source, 2, 2))]).splitlines()[1:] == [
        " --> f:2:1",
        "  |",
        "2 |",
        "  | ^",
    ]


@pytest.mark.parametrize(("before", "behind"), [(1000, 0), (0, 1000), (5000, 5000)])
def test_long_lines_are_cut_around_the_place(before, behind):
    line, carets = marks("x" * before + "HERE" + "y" * behind, "HERE")
    assert len(line) < 170
    assert line[carets.index("^") : carets.rindex("^") + 1] == "HERE"


def test_without_a_place():
    assert render([Diagnostic("X", Severity.INFO, "m", help="h")]) == "info[X]: m\n  = help: h\n"


def test_messages_cannot_paint_or_break_the_line():
    text = render([Diagnostic("X", Severity.ERROR, "a\x1b[2Jb\nc", help="d\x07")])
    assert text == "error[X]: a\ufffd[2Jb c\n  = help: d\ufffd\n"


def test_color_adds_nothing_but_color():
    import re

    painted = render([FINDING], color=True)
    assert "\x1b[1;31m" in painted
    assert re.sub("\x1b\\[[0-9;]*m", "", painted) == render([FINDING])


def test_order_repetitions_and_blank_lines():
    source = Source("f", "a b")
    first, second = (Diagnostic("X", Severity.ERROR, name, span(source, name)) for name in "ab")
    text = render([second, first, second])
    assert [line for line in text.splitlines() if line.startswith("error")] == ["error[X]: a", "error[X]: b"]
    assert text.count("\n\n") == 1
    assert render([]) == ""


def test_summary():
    warning = Diagnostic("X", Severity.WARNING, "m", Span(Source("g", ""), 0, 0))
    assert summary([FINDING]) == "Found 1 error, 0 warnings in 1 file."
    assert summary([FINDING, warning]) == "Found 1 error, 1 warning in 2 files."
    assert summary([]) == "Found 0 errors, 0 warnings."
