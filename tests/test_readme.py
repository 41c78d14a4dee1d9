"""What the README shows is what the program does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from dispatchfile import fmt
from dispatchfile.cli.main import COMMANDS
from dispatchfile.lint import project
from dispatchfile.lint.engine import inspect
from dispatchfile.notify.targets import targets
from dispatchfile.report import text
from dispatchfile.source import Source

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the README's fenced blocks of a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


def test_the_example_is_without_fault_and_formatted():
    source = Source("Dispatchfile", blocks("cue")[0])
    assert inspect(source) == ()
    assert fmt.formatted(source) == source.text


def test_the_finding_is_what_lint_says_about_the_example():
    broken = blocks("cue")[0].replace('inputs: ["src-git"]', 'inputs: ["src-gti"]')
    shown = next(block for block in blocks("") if block.startswith("$ dispatchfile lint\n"))
    errors = [found for found in inspect(Source("Dispatchfile", broken)) if found.code == "DF201"]
    assert text.render(errors) == shown.removeprefix("$ dispatchfile lint\n")


def test_the_ignore_comment_works():
    _, ignored = blocks("cue")
    pipeline = 'task: t: steps: [{{name: "a", command: ["true"]\n{}}}]\nactions: [{{tasks: ["t"], on: git: push: {{}}}}]\n'
    assert inspect(Source("Dispatchfile", pipeline.format(ignored))) == ()
    bare = inspect(Source("Dispatchfile", pipeline.format(ignored.partition(" //")[0] + "\n")))
    assert [found.code for found in bare] == ["DF601"]


def test_the_settings_are_valid():
    shown, _ = blocks("toml")
    made = project.from_table(tomllib.loads(shown)["lint"], ".dispatchfile.toml")
    assert made.trusted_registries == ("registry.example.com/*",)


def test_the_notifications_are_valid(tmp_path: Path):
    _, shown = blocks("toml")
    for name in ("slack-url", "webhook-url", "webhook-secret"):
        (tmp_path / name).write_text("https://hooks.example.com/T0/B0/x\n")
        (tmp_path / name).chmod(0o600)
    found = targets(tomllib.loads(shown)["notifications"], str(tmp_path / "config.toml"), {})
    assert [target.on for target in found] == [("sync-failed", "drift-found")] * 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_table(name: str):
    assert re.search(rf"^\|.*`{name}[` ].*\|$", README, re.MULTILINE)
