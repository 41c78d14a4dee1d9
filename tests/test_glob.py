from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile import glob

# pattern, value, as a name, as a path
CASES = [
    ("main", "main", True, True),
    ("main", "maintain", False, False),
    ("main", "", False, False),
    ("", "", True, True),
    ("*", "main", True, True),
    ("*", "feature/x", True, False),
    ("*", "", True, True),
    ("**", "feature/x/y", True, True),
    ("feature/*", "feature/x", True, True),
    ("feature/*", "feature/x/y", True, False),
    ("feature/**", "feature/x/y", True, True),
    ("feature/*", "feature", False, False),
    ("v*", "v1.2.3", True, True),
    ("v?.?", "v1.2", True, True),
    ("v?.?", "v1.22", False, False),
    ("a?b", "a/b", True, False),
    ("v[0-9]", "v7", True, True),
    ("v[0-9]", "vx", False, False),
    ("v[!0-9]", "vx", True, True),
    ("v[!0-9]", "v7", False, False),
    ("a[!x]b", "a/b", True, False),
    ("a[+-0]b", "a/b", True, False),
    ("a[/]b", "a/b", True, False),
    ("v[abc]", "vb", True, True),
    ("v[a-]", "v-", True, True),
    (r"v[\]]", "v]", True, True),
    ("v[a-c0-9_]", "v_", True, True),
    ("{main,master}", "master", True, True),
    ("{main,master}", "main,master", False, False),
    ("{a,b{c,d}}e", "bde", True, True),
    ("{a,b{c,d}}e", "be", False, False),
    ("{,x}y", "y", True, True),
    ("release-{[0-9]*,next}", "release-2.0", True, True),
    ("a,b", "a,b", True, True),
    (r"\*", "*", True, True),
    (r"\*", "x", False, False),
    (r"\{a\}", "{a}", True, True),
    ("**/*.sh", "run.sh", False, True),
    ("**/*.sh", "a/run.sh", True, True),
    ("**/*.sh", "a/b/run.sh", True, True),
    ("{**/*.go,go.mod}", "main.go", False, True),
    ("{**/*.go,go.mod}", "go.mod", True, True),
    ("a/**/b", "a/b", False, False),
    ("a/**/b", "a/x/y/b", True, True),
    ("prod/**.yaml.tmpl", "prod/a/b.yaml.tmpl", True, True),
    ("stable/*/Chart.yaml", "stable/app/Chart.yaml", True, True),
    ("stable/*/Chart.yaml", "stable/a/b/Chart.yaml", True, False),
    ("a.c", "abc", False, False),
    ("a+(b)|^$", "a+(b)|^$", True, True),
    ("ü*", "über", True, True),
    ("*\n", "a\n", True, True),
    ("a", "a\n", False, False),
]


@pytest.mark.parametrize(("pattern", "value", "name", "path"), CASES)
def test_pattern_takes_a_value_as_name_and_as_path(pattern: str, value: str, name: bool, path: bool):
    assert glob.matches(pattern, value, "name") is name
    assert glob.matches(pattern, value, "path") is path
    assert bool(re.fullmatch(glob.to_regex(pattern, "name")[1:-1], value)) is name
    assert bool(re.fullmatch(glob.to_regex(pattern, "path")[1:-1], value)) is path


PATTERNS = st.lists(
    st.sampled_from(
        ["a", "b", "/", ".", "-", "*", "**", "?", "[ab]", "[!a]", "[+-0]", "{a,b/}", "{,*b}", r"\*"]
    ),
    max_size=6,
).map("".join)


@given(PATTERNS, st.text("ab/.-*", max_size=8), st.sampled_from(["name", "path"]))
def test_walk_and_regular_expression_agree(pattern: str, value: str, mode: glob.Mode):
    expected = re.fullmatch(glob.to_regex(pattern, mode)[1:-1], value) is not None
    assert glob.matches(pattern, value, mode) is expected


@pytest.mark.parametrize(
    ("pattern", "offset", "message"),
    [
        ("x[ab", 1, "never closed"),
        ("x[", 1, "never closed"),
        ("x[]", 1, "names no character"),
        ("[z-a]", 3, "backwards"),
        ("a{b,c", 1, "never closed"),
        ("a}b", 1, "without"),
        ("a\\", 1, "backslash"),
        ("{" * 30 + "}" * 30, 20, "nested"),
        ("a" * 3000, 2000, "at most 2000"),
    ],
)
def test_pattern_that_cannot_be_read_says_where(pattern: str, offset: int, message: str):
    with pytest.raises(glob.GlobError, match=message) as caught:
        glob.matches(pattern, "x")
    assert caught.value.offset == offset


@pytest.mark.parametrize("pattern", ["", "!", "!x[", "{a,b"])
def test_patterns_that_no_list_may_hold(pattern: str):
    with pytest.raises(glob.GlobError):
        glob.check(["*", "!a*", pattern])


@pytest.mark.parametrize(
    ("patterns", "value", "holds", "decided"),
    [
        (["main"], "main", True, "main"),
        (["main"], "dev", False, None),
        (["!main", "*"], "main", False, "!main"),
        (["*", "!main"], "main", False, "!main"),
        (["!main", "*"], "dev", True, "*"),
        (["!main"], "dev", True, None),
        (["!main"], "main", False, "!main"),
        (["!main", "!dev"], "dev", False, "!dev"),
        ([r"\!odd"], "!odd", True, r"\!odd"),
        ([], "anything", True, None),
    ],
)
def test_list_of_patterns(patterns: list[str], value: str, holds: bool, decided: str | None):
    assert glob.decide(patterns, value) == glob.Verdict(holds, decided)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("*a" * 60 + "b", "a" * 500),
        ("{a,a*}" * 30, "a" * 300 + "b"),
        ("{*,*{*,*}}" * 20 + "x", "a" * 300),
        ("{{{{a,},},},}" * 40, "a" * 60),
    ],
)
def test_hostile_pattern_ends_soon(pattern: str, value: str):
    start = time.process_time()
    glob.matches(pattern, value)
    assert time.process_time() - start < 20
