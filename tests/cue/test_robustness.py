"""Any text ends in a value or a diagnostic, in bounded time and memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatchfile import front
from dispatchfile.cue.parser import parse
from dispatchfile.source import Source

SIZE = 1_000_000

# One piece of a text that does nothing but repeat it.
PIECES = ("[", "{", "(", "]", "}", ")", '"', "'", "`", "\\", "#", "!", "?", "*", "=", ",", ":", "\n", "a ", "a.", "a:",
          "a=", "a?", "{a:", "[{", "x[", "x(", "1+", "1&", "1|", '"\\(', '"a" ', "@a(", "<A>", "...", "if a ", "let x=",
          "for x in ", "# a\n", "//", "a\n", "a: {\n", "x: [\n", "- a\n", 'x: "\n', "a: “x”\n", '"""\n', '#"', '##"',
          "<<<<<<<\n", 'import "a"\n', "package a\n", "a: b c: 1\n", "1e9", "[1 2 ", "()", "[}", "é", "_|_ ")  # fmt: skip

WORDS = st.sampled_from(
    ("task", ":", "::", " ", "\n", "{", "}", "[", "]", "(", ")", '"', "'", '"""\n', "\\(", "\\", ",", "...", "a", "1",
     "1.5", "0x", "4Ki", "for", "if", "in", "let", "x", "=", "==", "=~", "&", "|", "+", "-", "*", "/", "//c\n", "#", "`",
     "@a(", "<A>", "?", "!", "_|_", "null", "true", "div", "import", "package", "é", "\t", "\r\n", "<<<<<<< a\n",
     "=======\n", ">>>>>>> b\n", "\ufeff", ".", "_", "$(x)")
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_a_long_row_of_anything_ends(piece: str) -> None:
    text = (piece * (SIZE // 40 // len(piece) + 1))[: SIZE // 40]
    _, found = front.interpret(front.read(Source("Dispatchfile", text)))
    assert found
    assert len(found) <= 200


@pytest.mark.parametrize("piece", ["[", "{", "(", '"', '"\\(', "a:", "1+"], ids=repr)
def test_a_megabyte_through_the_command_line_ends_with_a_finding(piece: str, tmp_path: Path) -> None:
    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))

    file = tmp_path / "Dispatchfile"
    file.write_text((piece * SIZE)[:SIZE])
    done = subprocess.run(
        [sys.executable, "-m", "dispatchfile", "render", str(file)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=bounded,
    )
    assert done.returncode == 3
    assert "error[DF0" in done.stderr
    assert "Traceback" not in done.stderr


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=40).map("".join))
def test_words_of_the_language_in_any_order_make_a_tree_or_a_finding(text: str) -> None:
    parsing = parse(Source("Dispatchfile", text))
    assert parsing.file is not None or parsing.diagnostics
    for finding in parsing.diagnostics:
        assert finding.span is not None
        assert 0 <= finding.span.start <= finding.span.end <= len(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    front.interpret(front.read(Source("Dispatchfile", text)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(data)
    try:
        source = front.open_source(file)
    except front.EvaluationError:
        return
    front.interpret(front.read(source))
