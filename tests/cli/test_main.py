from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatchfile import __version__
from dispatchfile.cli import main as command_line
from dispatchfile.cli.argument_parser import Parser
from dispatchfile.cli.main import COMMANDS, command_parser, main


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a user does."""
    root = str(Path(command_line.__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "dispatchfile", *arguments],
        cwd=cwd, env={**os.environ, "PYTHONPATH": root, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_alone_it_prints_a_short_help_with_four_examples(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.partition("examples:\n")[2].count("  dispatchfile ") == 4


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["-q", "--help"]])
def test_help_names_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 0
    out = capsys.readouterr().out
    for name, text in COMMANDS.items():
        assert f"  {name:11}  {text}\n" in out


def test_version(capsys: pytest.CaptureFixture[str]):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"dispatchfile {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "error", "advice"),
    [
        (["rnu"], 'unknown command "rnu"', 'did you mean "run"?'),
        (["zzzzzz"], 'unknown command "zzzzzz"', "the commands are run, plan"),
        (["--colr", "x"], 'unknown option "--colr"', 'did you mean "--color"?'),
        (["--color", "auot"], '--color: "auot" is not known, did you mean "auto"?', "--help"),
        (["plan", "--brnach", "x"], 'unknown option "--brnach"', 'did you mean "--branch"?'),
        (["plan", "--bran", "x"], 'unknown option "--bran"', ""),
        (["plan", "--event", "puhs"], '--event: "puhs" is not known, did you mean "push"?', "plan --help"),
        (["plan", "--number", "-3"], "'-3' is not a positive number", ""),
        (["plan", "--number", "x"], "'x' is not a positive number", ""),
        (["-C", "no/where", "graph"], "cannot work in no/where", "-C"),
        (["graph", "-f", "no-such-file"], "no-such-file: no such file", "-f FILE"),
    ],
)
def test_usage_errors_are_one_line_and_advice(
    arguments: list[str], error: str, advice: str, capsys: pytest.CaptureFixture[str]
):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    first, *rest = told.err.splitlines()
    assert first.startswith("error: ")
    assert error in first
    assert all(line.startswith("help: ") for line in rest)
    assert advice in told.err


@pytest.mark.parametrize(
    "arguments", [["-f", "X.yaml", "graph"], ["graph", "-f", "X.yaml"], ["graph", "--file=X.yaml"]]
)
def test_global_options_stand_before_or_behind_the_command(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    Path("X.yaml").write_text("task: {a: {steps: [{name: s, image: 'i:1'}]}}\n")
    assert main(arguments) == 0
    assert capsys.readouterr().out == "a\n"


def test_tasks_and_options_mix_and_the_directory_is_left_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    steps = "{steps: [{name: s, image: 'i:1'}]}"
    (tmp_path / "Dispatchfile").write_text(f"#!yaml\ntask: {{a: {steps}, b: {steps}, c: {steps}}}\n")
    before = Path.cwd()
    assert main(["-C", str(tmp_path), "graph", "a", "--format", "tree", "b", "--task", "c"]) == 0
    assert capsys.readouterr().out == "a\nb\nc\n"
    assert Path.cwd() == before


def test_a_file_that_cannot_be_evaluated_is_shown_and_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "Dispatchfile").write_text(
        "#!yaml\ntask: {a: {inputs: [b], steps: [{name: s, image: 'i:1'}]}}\n"
    )
    assert main(["-C", str(tmp_path), "graph"]) == 3
    told = capsys.readouterr().err
    assert "DF201" in told
    assert "Dispatchfile:2:" in told


def helps(parser: Parser) -> Iterator[str]:
    """Yield the help of a command and of the commands below it."""
    yield parser.format_help()
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for below in action.choices.values():
                yield from helps(below)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str):
    for text in helps(command_parser(name)):
        assert f"  dispatchfile {name}" in text.partition("examples:\n")[2]


def test_only_the_chosen_command_is_imported():
    code = (
        "import sys; from dispatchfile.cli.main import main; main(sys.argv[1:]);"
        "print(sorted(m for m in sys.modules if m.startswith('dispatchfile.cli.')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert (
        done.stderr.strip()
        == "['dispatchfile.cli.argument_parser', 'dispatchfile.cli.main', 'dispatchfile.cli.parser']"
    )


HEAVY = ("docker", "git", "networkx", "rich", "lark", "yaml", "pathlib", "dataclasses", "typing")


def test_start_loads_nothing_heavy():
    code = f"import sys, dispatchfile.cli.main; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


ROOT = Path(command_line.__file__).parents[2]


def test_a_bug_leaves_a_crash_log_without_values(tmp_path: Path):
    program = (
        "import sys; import dispatchfile.cli.main as m; import dispatchfile.__main__ as p\n"
        "def broken(argv): raise ZeroDivisionError('a slip')\n"
        "m.main = broken; p.run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "run", "--secret=token=abc", "xyz"],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 70
    assert "a bug in dispatchfile: ZeroDivisionError: a slip" in done.stderr
    assert "Traceback" not in done.stderr
    (log,) = (tmp_path / "dispatchfile/crashes").iterdir()
    assert log.stat().st_mode & 0o077 == 0
    text = log.read_text()
    assert "ZeroDivisionError" in text
    assert "abc" not in text
    assert "xyz" not in text


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path):
    tasks = "".join(f"  {'t' * 55}{i}: {{steps: [{{name: s, image: 'i:1'}}]}}\n" for i in range(1200))
    (tmp_path / "Dispatchfile").write_text(f"#!yaml\ntask:\n{tasks}")
    done = subprocess.run(
        f"{sys.executable} -m dispatchfile graph --format dot | head -1",
        shell=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout == "digraph tasks {\n"
    assert done.stderr == ""


def in_shell(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command.replace("dispatchfile", f"{sys.executable} -m dispatchfile"),
        shell=True, cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("dispatchfile render >/dev/full", 4, "error: cannot write the output: No space left on device"),
        ("dispatchfile --help >/dev/full", 4, "error: cannot write the output: No space left on device"),
        ("dispatchfile render >&-", 0, ""),
        ("dispatchfile render no-such-file 2>&-", 2, ""),
        ("dispatchfile render - <&-", 3, 'a Dispatchfile needs the field "task"'),
    ],
)
def test_streams_that_are_full_or_closed(command: str, code: int, said: str, tmp_path: Path):
    (tmp_path / "Dispatchfile").write_text("#!yaml\ntask: {a: {steps: [{name: s, image: 'i:1'}]}}\n")
    done = in_shell(command, tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


def test_names_beyond_the_encoding_of_the_stream_are_escaped(tmp_path: Path):
    (tmp_path / "Dispatchfile").write_text("#!yaml\ntask: {a: {steps: [{name: s, image: 'i:1'}]}}\n")
    done = run("plan", "--event", "push", "--branch", "ü", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 4
    assert "not in a git repository" in done.stderr


def test_debug_shows_the_traceback(tmp_path: Path):
    done = run("--debug", "graph", cwd=tmp_path)
    assert done.returncode == 2
    assert "UsageError: no Dispatchfile" in done.stderr
    assert "Traceback" in done.stderr
