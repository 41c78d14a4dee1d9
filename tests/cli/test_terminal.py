from __future__ import annotations

import io

import pytest

from dispatchfile.cli.terminal import Terminal, wants_color


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "color"),
    [
        (None, {}, True, True),
        (None, {}, False, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("auto", {}, True, True),
        (None, {"DISPATCHFILE_COLOR": "always", "NO_COLOR": "1"}, False, True),
        (None, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        (None, {"NO_COLOR": ""}, True, True),
        (None, {"FORCE_COLOR": "1"}, False, True),
        (None, {"CLICOLOR_FORCE": "0"}, False, False),
        (None, {"CLICOLOR_FORCE": "1", "TERM": "dumb"}, False, True),
        (None, {"TERM": "dumb"}, True, False),
    ],
)
def test_colour(choice: str | None, environment: dict[str, str], terminal: bool, color: bool):
    assert wants_color(Stream(terminal), choice, environment) is color


@pytest.mark.parametrize(
    ("encoding", "sign"), [("utf-8", "✓"), ("UTF8", "✓"), ("ascii", "+"), ("latin-1", "+")]
)
def test_signs_follow_the_encoding(encoding: str, sign: str):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert Terminal.of(stream, "never").sign("yes") == sign


def test_style():
    assert Terminal.of(Stream(False), "always").style("x", "red", "bold") == "\033[31;1mx\033[0m"
    assert Terminal.of(Stream(False), "never").style("x", "red") == "x"
