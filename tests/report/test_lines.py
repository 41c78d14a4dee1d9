"""The formats of a line each: concise, and GitHub's workflow commands."""

from __future__ import annotations

import pytest

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.report import concise, github
from dispatchfile.report.text import harmless
from dispatchfile.source import Source, Span

SOURCE = Source("ci/Dispatchfile", 'task: "test": inputs: [\n  "src-gti",\n]\n')
INPUT = Span(SOURCE, SOURCE.text.index('"src-gti"'), SOURCE.text.index('"src-gti"') + 9)
FINDING = Diagnostic("DF201", Severity.ERROR, "no such input", INPUT, help='did you mean "src-git"?')


def test_concise_lines_in_order():
    assert concise.render([FINDING, Diagnostic("X", Severity.INFO, "m")]) == (
        'info[X]: m\nci/Dispatchfile:2:3: error[DF201]: no such input (did you mean "src-git"?)\n'
    )


def test_a_concise_finding_stays_on_its_line():
    text = concise.render([Diagnostic("X", Severity.ERROR, "a\nb\x1b[2J", help="c\td")])
    assert text == "error[X]: a b\ufffd[2J (c d)\n"


def test_github_command():
    assert github.render([FINDING]) == (
        "::error title=dispatchfile (DF201),file=ci/Dispatchfile,line=2,col=3,endLine=2,endColumn=11"
        '::ci/Dispatchfile:2:3: DF201 no such input%0Adid you mean "src-git"?\n'
    )


def test_github_gets_no_columns_of_several_lines():
    whole = Span(SOURCE, 0, len(SOURCE.text))
    text = github.render([Diagnostic("X", Severity.WARNING, "m", whole)])
    assert text.startswith("::warning title=dispatchfile (X),file=ci/Dispatchfile,line=1,endLine=4::")


def test_github_end_of_an_empty_span_is_not_before_its_start():
    text = github.render([Diagnostic("X", Severity.ERROR, "m", Span(SOURCE, 2, 2))])
    assert "col=3,endLine=1,endColumn=3" in text


def test_github_without_a_place():
    assert github.render([Diagnostic("X", Severity.INFO, "m")]) == "::notice title=dispatchfile (X)::X m\n"


@pytest.mark.parametrize("hostile", ["a\n::error::b", "a\r::stop-commands::x", "100%25%0A", "\x1b]0;t\x07"])
def test_nothing_in_a_message_ends_the_command(hostile: str):
    text = github.render([Diagnostic("X", Severity.ERROR, hostile)])
    head = "::error title=dispatchfile (X)::X "
    assert text.startswith(head)
    message = text.removeprefix(head).removesuffix("\n")
    assert not set(message) & set("\n\r\x1b\x07")
    assert message.replace("%0A", "\n").replace("%25", "%") == harmless(hostile)


def test_a_file_name_cannot_add_properties():
    source = Source("a,line=9:b%", "x")
    [line] = github.render([Diagnostic("X", Severity.ERROR, "m", Span(source, 0, 1))]).splitlines()
    assert "file=a%2Cline=9%3Ab%25,line=1," in line
