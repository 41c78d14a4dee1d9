"""`dispatchfile explain`, as a user calls it."""

from __future__ import annotations

import json

import pytest

from dispatchfile import explain
from dispatchfile.cli.main import main


def test_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "task.timeout"]) == 0
    assert capsys.readouterr().out == (
        "task.timeout\n"
        '  How long it may take, such as "1h30m".\n'
        "\n"
        "  in       a task\n"
        '  type     a duration, such as "1h30m"\n'
        "  default  the timeout of the run\n"
        "  since    Dispatch 1.3\n"
    )


def test_a_rule_without_marks_of_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "undefined-input"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("DF201  undefined-input\n")
    assert "```" not in out
    assert "  bad:\n    resource:" in out
    assert "  good:\n    resource:" in out
    assert "\n\n\n" not in out


def test_colours(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "DF201", "--color", "always"]) == 0
    out = capsys.readouterr().out
    assert "\033[1mDF201\033[0m" in out
    assert "\033[36minputs\033[0m" in out


def test_every_page_is_shown_without_marks_of_markdown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["explain", *(one.name for one in explain.entries()), "--color", "always"]) == 0
    prose = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("    ")]
    assert [line for line in prose if "`" in line] == []


def test_the_exit_codes_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "exit-codes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  0              done; nothing to complain about" in lines
    assert not [line for line in lines if "|" in line]


def test_several_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "task.timeout", "DF201", "timeout"]) == 0
    out = capsys.readouterr().out
    assert out.count("task.timeout\n") == 1
    assert out.index("task.timeout") < out.index("DF201")


def test_everything_on_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 150
    assert len({line.index(line.split(maxsplit=1)[1].split("  ")[-1]) for line in lines[:1]}) == 1
    assert [line for line in lines if line.startswith("DF201 ")]
    assert [line for line in lines if line.startswith("exit-codes ")]


def test_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", "task.timeout"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert set(record) == {"kind", "name", "aliases", "summary", "facts", "text", "example", "fields"}
    assert (record["kind"], record["name"], record["facts"]["in"]) == ("field", "task.timeout", "a task")
    assert main(["explain", "--all", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert len(records) > 150
    assert [one["name"] for one in records if one["kind"] == "rule" and " bad\n" not in one["text"]] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["task.timout"], 'nothing is known about "task.timout"\nhelp: did you mean "task.timeout"?\n'),
        (["zzzzzzzz"], 'nothing is known about "zzzzzzzz"\nhelp: `dispatchfile explain --all` lists'),
        ([], "what shall be explained?\nhelp: such as `dispatchfile explain task.timeout`"),
        (["--all", "task"], "--all is everything"),
        (["a\x1b[31mb"], 'nothing is known about "a'),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert main(["explain", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert "\x1b" not in said.err
