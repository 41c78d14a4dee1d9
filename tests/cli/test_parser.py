from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.cli import main
from dispatchfile.cli.parser import plain
from dispatchfile.errors import UsageError

WORDS = st.sampled_from(
    ["a", "-", "", "x.cue", "-f", "--file", "-C", "--color", "always", "red", "-v", "-q", "--debug", "--help", "-h", "--",
     "--color=never", "--file=b", "-fb", "-vq", "--output", "json", "-o", "yaml", "--check", "--diff", "--fix", "--task",
     "--format", "dot", "--jobs", "3", "--all", "--json", "--event", "push", "-1", "--unknown", "--verbose=1"]
)  # fmt: skip


def by_argparse(argv: list[str]) -> dict[str, object] | str:
    """Return what argparse makes of a command line: its values, or how it refuses it."""
    try:
        args = main._parsed(argv)
    except UsageError as error:
        return error.message
    return "help" if isinstance(args, int) else vars(args)


@pytest.mark.parametrize("name", main.COMMANDS)
@given(argv=st.lists(WORDS, max_size=5))
def test_a_plain_command_line_means_what_argparse_makes_of_it(name: str, argv: list[str]) -> None:
    args = plain(main._module(name).add_parser, argv)
    if args is not None:
        assert {**vars(args), "command": name} == by_argparse([name, *argv])


@pytest.mark.parametrize(
    ("argv", "values"),
    [
        (["a.cue"], {"path": "a.cue", "output": "yaml", "file": None, "directory": "."}),
        (["-o", "json", "-"], {"path": "-", "output": "json"}),
        (["-q", "--", "-o"], {"path": "-o", "output": "yaml", "quiet": True}),
        (
            ["--output=json", "-q", "-C", "x"],
            {"path": None, "output": "json", "quiet": True, "directory": "x"},
        ),
    ],
    ids=["an argument", "options and an argument", "a word like an option", "global options"],
)
def test_plain_command_lines_are_read(argv: list[str], values: dict[str, object]) -> None:
    args = plain(main._module("render").add_parser, argv)
    assert args is not None
    assert {name: vars(args)[name] for name in values} == values


@pytest.mark.parametrize(
    "argv",
    [["--help"], ["--outputt"], ["a", "b"], ["-o", "xml"], ["-o"], ["-ojson"], ["--quiet=1"], ["-o", "-q"]],
    ids=" ".join,
)  # fmt: skip
def test_what_is_not_plain_is_left_to_argparse(argv: list[str]) -> None:
    assert plain(main._module("render").add_parser, argv) is None
