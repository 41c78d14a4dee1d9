"""Fixes: which edits go into the text, and that none leaves a file worse than it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Severity, errors
from dispatchfile.errors import EvaluationError
from dispatchfile.front import interpret, open_source, read
from dispatchfile.lint import engine
from dispatchfile.lint.fix import applied, fix
from dispatchfile.lint.settings import Settings
from dispatchfile.record import replace
from dispatchfile.source import Source, Span
from dispatchfile.value import Value
from tests.lint.samples import SOUND

SAMPLES = Path(__file__).parents[3] / "shared/samples/dispatchfiles"

OLD = """\
// how it was written
task "test": { // first
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}
resource "src": {type: "git", param url: "$(context.git.url)", param revision: "$(context.git.commit)"}
task "lint": {
  deps: ["test"]
  steps: [{name: "lint", image: "golang:1.22"}]
}
actions: [{tasks: ["lint"], on push branches: ["main"]}]
"""


def edits(text: str, *changes: tuple[int, int, str]) -> Fix:
    source = Source("x", text)
    return Fix("", tuple(Edit(Span(source, start, end), new) for start, end, new in changes), safe=True)


@pytest.mark.parametrize(
    ("fixes", "text"),
    [
        ([[(0, 1, "A")], [(1, 2, "B")]], "ABcdef"),
        ([[(1, 2, "B")], [(0, 1, "A")]], "ABcdef"),
        ([[(0, 3, "X")], [(2, 4, "Y")]], "Xdef"),
        ([[(0, 1, "A"), (4, 5, "E")], [(4, 5, "x"), (2, 3, "C")]], "AbcdEf"),
        ([[(2, 2, "+")], [(2, 2, "+")]], "ab+cdef"),
        ([[(2, 2, "+")], [(2, 2, "-")]], "ab+cdef"),
        ([[(2, 2, "+"), (0, 1, "A")], [(2, 2, "+"), (5, 6, "F")]], "Ab+cdeF"),
        ([[(2, 4, "")], [(3, 3, "+")]], "abef"),
        ([[(6, 6, "!")]], "abcdef!"),
        ([], "abcdef"),
    ],
    ids=str,
)
def test_edits_go_in_together_unless_they_overlap(fixes: list[list[tuple[int, int, str]]], text: str) -> None:
    assert applied("abcdef", [edits("abcdef", *changes) for changes in fixes]) == text


def test_new_lines_end_as_the_others() -> None:
    text = "a\r\nb\r\n"
    assert applied(text, [edits(text, (3, 3, "x\ny"))]) == "a\r\nx\r\nyb\r\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_several_rounds_mend_a_whole_file_and_keep_what_is_not_at_fault(newline: str, end: str) -> None:
    text = (OLD.rstrip("\n") + end).replace("\n", newline)
    mended = fix(Source("Dispatchfile", text), Settings())
    assert mended.findings == ()
    assert mended.refused == ()
    assert mended.count == 3
    assert mended.source.text.count("\n") == mended.source.text.count(newline) == text.count("\n")
    assert mended.source.text.endswith(end.replace("\n", newline))
    assert "// how it was written" in mended.source.text
    assert "// first" in mended.source.text
    assert "deps" not in mended.source.text


def test_unsafe_fixes_wait_to_be_asked_for() -> None:
    text = SOUND.replace('["src"]', '["scr"]')
    kept = fix(Source("Dispatchfile", text), Settings())
    assert (kept.source.text, kept.count) == (text, 0)
    assert "DF201" in [one.code for one in kept.findings]
    mended = fix(Source("Dispatchfile", text), Settings(), unsafe=True)
    assert (mended.source.text, mended.findings) == (SOUND, ())


def test_what_is_ignored_is_not_mended() -> None:
    text = SOUND.replace("task: test", "task test")
    assert fix(Source("Dispatchfile", text), Settings(ignore=("DF704",))).source.text == text
    silenced = text.replace("task test", "// dispatchfile: ignore[DF704]\ntask test")
    assert fix(Source("Dispatchfile", silenced), Settings()).source.text == silenced


def finding(source: Source, code: str, start: int, end: int, text: str) -> Diagnostic:
    place = Span(source, start, end)
    return Diagnostic(code, Severity.WARNING, code, place, fix=Fix(code, (Edit(place, text),), safe=True))


def test_a_fix_that_breaks_the_file_is_refused_and_the_others_are_made() -> None:
    source = Source("Dispatchfile", SOUND)
    bad = finding(source, "DF602", SOUND.index("{"), SOUND.index("{") + 1, "]")
    good = finding(source, "DF601", SOUND.index("1.22"), SOUND.index("1.22") + 4, "1.23")
    mended = fix(source, Settings(), findings=[bad, good])
    assert mended.source.text == SOUND.replace("1.22", "1.23")
    assert (mended.count, mended.refused) == (1, (bad,))


def test_fixes_that_break_the_file_only_together_are_not_made_together() -> None:
    source = Source("Dispatchfile", "a: 1\na: 1\n")
    first, second = finding(source, "DF601", 3, 4, "2"), finding(source, "DF602", 8, 9, "3")
    assert {one.code for one in engine.inspect(Source("Dispatchfile", "a: 2\na: 3\n"))} == {"DF002"}
    mended = fix(source, Settings(), findings=[first, second])
    assert "DF002" not in {one.code for one in mended.findings}


def meaning(source: Source) -> object:
    """Return what a file says, however it is written: `deps` are inputs, `on.push` is `on.git.push`."""
    pipeline, _ = interpret(read(source))
    assert pipeline is not None
    resources = {
        one.name: (one.type, dict(one.param), dict(one.secret)) for one in pipeline.resources.values()
    }
    tasks = {
        one.name: ({*one.inputs, *one.deps}, one.outputs, one.steps, one.volumes, one.timeout)
        for one in pipeline.tasks.values()
    }
    actions = [
        (one.name, one.tasks, replace(one.on, path=(), value=Value(None)) if one.on else None)
        for one in pipeline.actions
    ]
    return resources, tasks, actions


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
@pytest.mark.parametrize("unsafe", [False, True])
def test_real_files_are_mended_for_good(unsafe: bool) -> None:
    for path in sorted(SAMPLES.glob("*")):
        if path.suffix in (".json", ".err"):
            continue
        try:
            source = open_source(path)
        except EvaluationError:
            continue
        mended = fix(source, Settings(), unsafe=unsafe)
        before, after = errors(engine.inspect(source)), errors(mended.findings)
        assert len(after) <= len(before), path.name
        assert mended.refused == (), path.name
        again = fix(mended.source, Settings(), unsafe=unsafe)
        assert again.source.text == mended.source.text, path.name
        if not before and not unsafe:
            assert meaning(mended.source) == meaning(source), path.name
