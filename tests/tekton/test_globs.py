"""A table of generated patterns and values: what `glob` says of them, RE2, CEL and Pipelines-as-Code say too."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
import re2

from dispatchfile import glob
from dispatchfile.model.pipeline import Condition
from dispatchfile.tekton import cel
from dispatchfile.tekton.pac import conditions as pac_conditions
from tests.tekton import listener, pac_model

PIECES = (
    "main", "feature", "v1", "1.2", "a", "*", "**", "?", "/", ".", "-", "+", "$", "^", "(", ")", "|", "[0-9]", "[!a]",
    "[a-f/]", "[^x-z]", "[\\]]", "[.-9]", "[/]", "{a,b}", "{main,v*}", "{,x}", "{**/,}b", "\\*", "\\[", "\\\\", "'", '"',
    "r'", "ü", "é*", "\n", " ", "#", "{a,{b,c}d}", "`", "${HOME}",
)  # fmt: skip
WHOLE = (
    "*", "**", "main", "**/*.go", "docs/**", "!main", "**/", "/**", "src/*/x", "*.md", "{a,b}/**/c", "[!/]*", "a**b",
    "it's", '"', "\\'", "x\ny", "日本*",
)  # fmt: skip
VALUES = (
    "", "main", "a", "b", "feature/a", "feature/a/b", "v1", "v1.2", "1.2", "x.go", "cmd/x.go", "a/b/x.go", "docs/x.md",
    "docs", "docs/", "src/m/x", "src/m/n/x", "it's", "'", '"', "x\ny", "日本語", "ü", "é", "\\", "*", "[", "a\n", "\n",
    "a/b", "a/c", "b/q/c", "MAIN", "main ", "$(uid)", "${HOME}", "r'", "a|b", "^a", "0", "7",
)  # fmt: skip
MODES: tuple[glob.Mode, ...] = ("name", "path")


def generated() -> list[str]:
    """Return patterns put together of pieces, the same on every run; those that cannot be read are left out."""
    dice = random.Random(7)
    made = ["".join(dice.choices(PIECES, k=dice.randint(1, 5))) for _ in range(160)]
    return [
        pattern
        for pattern in dict.fromkeys((*(p.removeprefix("!") for p in WHOLE), *made))
        if readable(pattern)
    ]


def readable(pattern: str) -> bool:
    try:
        glob.check((pattern,))
    except glob.GlobError:
        return False
    return not pattern.startswith("!")


def values_for(pattern: str) -> tuple[str, ...]:
    """Return the usual values, and some that are near to the pattern."""
    plain = pattern.replace("\\", "").replace("**", "p/q").replace("*", "star").replace("?", "x")
    return (*VALUES, pattern, plain, f"{plain}/", f"x/{plain}", plain.replace("/", ""))


@pytest.mark.parametrize("mode", MODES)
def test_re2_matches_what_the_pattern_matches(mode: glob.Mode) -> None:
    answers = {True: 0, False: 0}
    for pattern in generated():
        compiled = re2.compile(glob.to_regex(pattern, mode))
        for value in values_for(pattern):
            expected = glob.matches(pattern, value, mode)
            assert (compiled.search(value) is not None) == expected, (pattern, value)
            answers[expected] += 1
    assert min(answers.values()) > 200, answers


LISTS: tuple[Sequence[str], ...] = (
    ("*",),
    ("**",),
    ("!main",),
    ("!*",),
    ("!**",),
    ("main", "main"),
    ("main", "!main"),
    ("*", "!main", "!feature/*"),
    ("feature/*", "main"),
    ("**/*.go", "!docs/**", "docs/x.md"),
    ("{a,b}/*", "!a/b"),
    ("it's", '"', "\\\\", "x\ny"),
    ("日本*", "ü"),
)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("patterns", LISTS, ids=" ".join)
def test_the_clauses_of_a_list_take_what_the_list_takes(patterns: Sequence[str], mode: glob.Mode) -> None:
    clauses = cel.takes(patterns, "value", mode)
    for value in VALUES:
        taken = all(said(clause, value) for clause in clauses)
        assert taken == glob.decide(patterns, value, mode).holds, value


@pytest.mark.parametrize("mode", MODES)
def test_the_clause_of_one_pattern_takes_what_it_matches(mode: glob.Mode) -> None:
    for pattern in generated()[::2]:
        (clause,) = cel.takes((f"!{pattern}",), "value", mode)
        for value in values_for(pattern)[-5:]:
            assert said(clause, value) != glob.matches(pattern, value, mode), (pattern, value)


def said(clause: str, value: str) -> bool:
    answer = listener.evaluated(clause, "{}", listener.json.dumps({"value": value}))
    assert isinstance(answer, bool)
    return answer


def test_a_pattern_that_takes_all_leaves_no_clause_and_a_plain_one_no_regular_expression() -> None:
    assert cel.takes(("*", "x"), "v") == []
    assert cel.takes(("*",), "v", "path") == ["v.matches('^(?s:[^/]*)$')"]
    assert cel.takes(("**", "!x"), "v", "path") == ["v != 'x'"]
    assert cel.takes(("a", "b*"), "v") == ["(v == 'a' || v.matches('^(?s:b.*)$'))"]


def test_every_text_is_itself_as_a_string_of_cel() -> None:
    texts = [
        "",
        "'",
        '"',
        "\\",
        "\\'",
        "r'",
        "a\nb",
        "\0",
        "\x7f",
        "ü",
        "日",
        "\U0001f600",
        "\u2028",
        "\\n",
        "$(x)",
    ]
    for text in (*texts, *("".join(pair) for pair in itertools.product(texts, repeat=2))):
        assert listener.evaluated(cel.literal(text), "{}") == text


PLAIN = (
    "main",
    "feature",
    "v1",
    "a",
    "*",
    "**",
    "***",
    "/",
    ".",
    "-",
    "+",
    "$",
    "(",
    "|",
    "'",
    "ü",
    "#",
    "&",
    "refs/",
)


def for_annotations() -> list[str]:
    """Return patterns of which many may stand in an annotation of Pipelines-as-Code, besides the usual ones."""
    dice = random.Random(11)
    made = ["".join(dice.choices(PLAIN, k=dice.randint(1, 5))) for _ in range(300)]
    return [*generated(), *(pattern for pattern in dict.fromkeys(made) if readable(pattern))]


FIELDS = {"branches": "push", "paths": "push", "names": "tag", "targets": "pull_request"}


@pytest.mark.parametrize("field", FIELDS)
def test_annotations_of_pipelines_as_code_match_what_the_pattern_matches(field: str) -> None:
    mode: glob.Mode = "path" if field == "paths" else "name"
    name = "on-path-change" if field == "paths" else "on-target-branch"
    prefix = {"branches": "refs/heads/", "names": "refs/tags/"}.get(field, "")
    answers = {True: 0, False: 0}
    for pattern in for_annotations():
        condition = Condition(FIELDS[field], (), **{field: (pattern,)})  # type: ignore[arg-type] # a field of that name
        (match,) = pac_conditions.matches(condition, ())
        if name not in match.annotations:
            assert "on-cel-expression" in match.annotations
            continue
        for value in values_for(pattern):
            expected = glob.matches(pattern, value, mode)
            found = pac_model.on_annotation(match.annotations[name], (f"{prefix}{value}",), branches=True)
            assert found == expected, (pattern, value)
            answers[expected] += 1
    assert min(answers.values()) > 200, answers
