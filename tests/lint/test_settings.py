"""The `[lint]` table of the project's file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dispatchfile.diagnostics import Severity
from dispatchfile.errors import UsageError
from dispatchfile.lint.project import from_table
from dispatchfile.lint.settings import Settings


def read(text: str) -> Settings:
    return from_table(tomllib.loads(text), "/repo/.dispatchfile.toml")


def test_all_settings() -> None:
    assert read(
        """
        select = ["DF2", "untagged-image"]
        ignore = ["DF704"]
        severity = {DF601 = "info", deprecated-deps = "error"}
        trusted-registries = ["registry.example.com/*"]
        fail-on = "error"
        [per-file-ignores]
        "examples/**" = ["DF6", "DF7"]
        """
    ) == Settings(
        select=("DF2", "untagged-image"),
        ignore=("DF704",),
        severity={"DF601": Severity.INFO, "DF703": Severity.ERROR},
        trusted_registries=("registry.example.com/*",),
        per_file_ignores={"examples/**": ("DF6", "DF7")},
        fail_on=Severity.ERROR,
        folder="/repo",
    )


def test_an_empty_table() -> None:
    assert read("") == Settings(folder="/repo")


def test_a_severity_for_several_rules() -> None:
    assert read('severity = {DF7 = "info"}').severity == dict.fromkeys(
        ("DF701", "DF702", "DF703", "DF704"), Severity.INFO
    )


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        ("selct = []", 'unknown setting "lint.selct" in', 'did you mean "select"?'),
        ("frobnicate = 1", 'unknown setting "lint.frobnicate" in', "the settings of lint are select,"),
        (
            'select = "DF6"',
            "lint.select in /repo/.dispatchfile.toml must be a list of texts, not 'DF6'",
            "such as",
        ),
        ("select = [6]", "lint.select in /repo/.dispatchfile.toml must be a list of texts", "such as"),
        ('select = ["DF061"]', '"DF061" in lint.select in', 'did you mean "DF001"?'),
        ('ignore = ["untaged-image"]', '"untaged-image" in lint.ignore in', 'did you mean "untagged-image"?'),
        ('ignore = ["nonsense"]', '"nonsense" in lint.ignore in', "see `dispatchfile explain --all`"),
        (
            'ignore = ["DF001"]',
            "DF001 in lint.ignore in /repo/.dispatchfile.toml is always on",
            "mend what it finds",
        ),
        ('severity = {DF601 = "fatal"}', "DF601 of lint.severity in", "use one of error, warning, info"),
        ('severity = {DF002 = "info"}', "DF002 in lint.severity in", "mend what it finds"),
        ('severity = "info"', "lint.severity in /repo/.dispatchfile.toml must be a table", "such as"),
        ('fail-on = "never"', "lint.fail-on in /repo/.dispatchfile.toml is 'never'", "use one of error"),
        ("fail-on = []", "lint.fail-on in /repo/.dispatchfile.toml is []", "use one of error"),
        ('per-file-ignores = ["a"]', "lint.per-file-ignores in", "such as"),
        (
            'per-file-ignores = {"a/**" = ["DF99"]}',
            '"DF99" in "a/**" of lint.per-file-ignores',
            "explain --all",
        ),
        ('per-file-ignores = {"[a" = ["DF6"]}', 'the pattern "[a" of lint.per-file-ignores', ""),
        ('trusted-registries = ["[a"]', 'the pattern "[a" of lint.trusted-registries', ""),
    ],
)
def test_mistakes_are_told(text: str, message: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert message in caught.value.message
    assert advice in caught.value.help


def test_lint_must_be_a_table() -> None:
    with pytest.raises(UsageError, match=r'"lint" in x\.toml must be a table'):
        from_table([], str(Path("x.toml")))
