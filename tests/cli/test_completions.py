"""The completion scripts, sourced by the shells they are for."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile.cli.completions import whole_parser
from dispatchfile.cli.main import COMMANDS, main
from tests import ci

ASKED: list[tuple[str, set[str], set[str]]] = [
    ("", set(COMMANDS), set()),
    ("re", {"render"}, {"run"}),
    ("render -", {"--output", "-o"}, {"--event"}),
    ("render --output ", {"yaml", "json"}, {"render"}),
    ("completions ", {"bash", "zsh", "fish"}, set()),
    ("gitops ", {"update", "app"}, {"render"}),
    ("gitops app ", {"create", "sync", "rollback"}, {"update"}),
    ("run --", {"--task", "--publish"}, {"--output"}),
    ("explain DF20", {"DF201"}, {"DF601"}),
    ("run --engine ", {"docker", "tekton"}, {"triggers"}),
    ("tekton --target ", {"triggers", "pac"}, {"docker"}),
    ("render ci/", {"ci/Dispatchfile.yaml"}, set()),
]

BASH = """
source "$1"
COMP_LINE="dispatchfile $2"
COMP_POINT=${#COMP_LINE}
read -ra COMP_WORDS <<< "$COMP_LINE"
if [[ "$COMP_LINE" == *" " ]]; then COMP_WORDS+=(""); fi
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
spec=$(complete -p dispatchfile)
function=${spec#*-F }
${function%% *} dispatchfile "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source $argv[1]; complete -C "dispatchfile $argv[2]"'
# zsh completes in a terminal only: `zpty` is one, and `compadd` is made to print what it is given.
ZSH = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT=; autoload -Uz compinit && compinit -u -D; source $1; compdef _shtab_dispatchfile dispatchfile"
zpty -w z 'null-line () { BUFFER= }; zle -N null-line'
zpty -w z 'compadd () {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  typeset -a found; builtin compadd -O found "$@"; print -rl -- "<<<" $found ">>>"; builtin compadd "$@"
}'
zpty -w z 'bindkey "^I" complete-word; zstyle ":completion:*" list-prompt ""; print READY'
zpty -r -m z found '*READY*READY*' || true
zpty -n -w z "dispatchfile $2"$'\t'
typeset all=
repeat 60; do
  sleep 0.05
  while zpty -r -t z part; do all+=$part; done
  [[ $all == *'>>>'* ]] && break
done
print -r -- "$all"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Dispatchfile, and `dispatchfile` on the PATH."""
    folder = tmp_path_factory.mktemp("completions")
    (folder / "ci").mkdir()
    (folder / "ci" / "Dispatchfile.yaml").write_text("task: {}\n", encoding="utf-8")
    program = folder / "dispatchfile"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dispatchfile "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


def script(shell: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completions", shell]) == 0
    path = folder / f"completions.{shell}"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    return path


def ask(arguments: list[str], folder: Path) -> list[str]:
    done = subprocess.run(
        arguments,
        cwd=folder,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        ci.skip(f"no {shell} on this machine")


@pytest.mark.parametrize(("line", "offered", "not_offered"), ASKED, ids=[row[0] for row in ASKED])
def test_bash(
    line: str, offered: set[str], not_offered: set[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = set(ask(["bash", "-c", BASH, "bash", str(script("bash", place, capsys)), line], place))
    assert found >= offered
    assert not found & not_offered


@pytest.mark.parametrize(("line", "offered", "not_offered"), ASKED, ids=[row[0] for row in ASKED])
def test_fish(
    line: str, offered: set[str], not_offered: set[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs("fish")
    answer = ask(["fish", "-N", "-c", FISH, str(script("fish", place, capsys)), line], place)
    found = {row.split("\t")[0] for row in answer}
    short = {word for word in offered if word.startswith("-") and not word.startswith("--")}
    assert found >= offered - (set() if line.endswith(" -") else short)
    assert not found & not_offered


WORDS = [row for row in ASKED if row[0].endswith(" ") or " -" not in row[0]]


@pytest.mark.parametrize(("line", "offered", "not_offered"), WORDS, ids=[row[0] for row in WORDS])
def test_zsh(
    line: str, offered: set[str], not_offered: set[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs("zsh")
    answer = ask(["zsh", "-f", "-c", ZSH, "zsh", str(script("zsh", place, capsys)), line], place)
    shown = "\n".join(answer)
    found = {row for piece in shown.split("<<<\n")[1:] for row in piece.partition(">>>")[0].splitlines()}
    assert found >= {word.removeprefix("ci/") for word in offered}, shown
    assert not found & not_offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_sound(shell: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs(shell)
    path = script(shell, place, capsys)
    assert ask([shell, "-n", str(path)], place) == []


def test_every_command_and_option_is_in_the_parser() -> None:
    commands = next(
        action for action in whole_parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    assert list(commands.choices) == list(COMMANDS)
    assert [action.dest for action in commands._choices_actions] == list(COMMANDS)


def test_an_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions", "fisch"]) == 2
    assert 'did you mean "fish"?' in capsys.readouterr().err
