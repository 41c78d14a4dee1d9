from __future__ import annotations

import json

import pytest

from dispatchfile import glob
from tests.model.helpers import findings

SILENT = [
    ("branches", ["!main", "*"]),
    ("branches", ["main", "!release-*"]),
    ("branches", ["release-*", "!release-1"]),
    ("branches", ["!main"]),
    ("branches", ["main", "x", "!x"]),
    ("branches", ["v?", "!v1"]),
    ("branches", ["[ab]", "!a"]),
    ("branches", ["*", "!?"]),
    ("branches", ["feature/*", "@x", "a_b-c.d"]),
    ("branches", ["a\\*b"]),
    ("paths", ["!**/*.md"]),
    ("paths", ["src/**", "!src/*"]),
    ("paths", ["**", "!*"]),
    ("paths", ["a b/c"]),
]
NEVER = [
    ("branches", ["x", "!x"]),
    ("branches", ["*", "!*"]),
    ("branches", ["!*"]),
    ("branches", ["!**"]),
    ("branches", ["v1.*", "v1.2", "!v*"]),
    ("branches", ["a", "b", "!a", "!b"]),
    ("branches", ["v?", "!v*"]),
    ("branches", ["[ab]", "![ab]"]),
    ("paths", ["src/**", "!**"]),
    ("paths", ["src/a.go", "!src/*"]),
    ("paths", ["**/*.md", "!**/*.md"]),
]


def _codes(field, patterns):
    listed = json.dumps(patterns)
    text = f"task: {{a: {{steps: [{{image: i}}]}}}}\nactions: [{{tasks: [a], on: {{git: {{push: {{{field}: {listed}}}}}}}}}]"
    return [found.code for found in findings(text)]


@pytest.mark.parametrize(("field", "patterns"), SILENT)
def test_lists_that_match_something(field, patterns):
    assert _codes(field, patterns) == []


@pytest.mark.parametrize(("field", "patterns"), NEVER)
def test_lists_that_match_nothing(field, patterns):
    assert _codes(field, patterns) == ["DF302"]
    mode = "path" if field == "paths" else "name"
    for value in ("x", "a", "b", "v1", "v1.2", "v1.2/x", "src/a.go", "src/a/b", "a.md", "", "main"):
        assert not glob.decide(patterns, value, mode).holds


@pytest.mark.parametrize(
    "pattern", ["a b", "a~1", "a^", "a:b", "a\\\\b", "feature\\x", "!", "", "[a", "[b-a]", "{a", "a\\"]
)
def test_patterns_that_are_none(pattern):
    assert _codes("branches", [pattern]) == ["DF303"]
