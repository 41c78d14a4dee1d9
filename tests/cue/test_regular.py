"""Regular expressions: the same answers from both engines, and none that takes forever."""

import re

import pytest

from dispatchfile.cue import export
from dispatchfile.cue.builtins.regular import Automaton, _compiled, parser, search
from dispatchfile.cue.values import Stop
from dispatchfile.source import Source, Span

SPAN = Span(Source("f", ""), 0, 0)
PATTERNS = [
    "^a", "b$", "a|b", "(ab)+c", "a{2,3}b", "[a-c]x?", "[^a]b", r"\d+\.\d*", r"^(\w+-)*\w+$", "(?i)AB+", "a.c", "(?s)a.c",
    r"\bab\b", "^$", "(a|b)*c", "x*", "(?m)^b$", "[[:alpha:]]+[[:digit:]]", "^([a-z0-9]+[-.])*[a-z0-9]+$",
]  # fmt: skip
TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "abc",
    "ababc",
    "aab",
    "aaab",
    "xb",
    "1.5",
    "a-b_c",
    "ABB",
    "a\nc",
    "a\nb\nc",
    "é1",
    "a1",
    "x ab y",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_automaton_agrees(pattern):
    text = re.sub(r"\[:(\w+):\]", lambda m: {"alpha": "A-Za-z", "digit": "0-9"}[m.group(1)], pattern)
    if "(?m" not in text:
        text = text.replace("$", r"\Z")
    compiled = re.compile(text, re.ASCII)
    automaton = Automaton(parser.parse(text, re.ASCII), compiled.flags)
    for sample in TEXTS:
        assert (
            automaton.search(sample) == (compiled.search(sample) is not None) == search(pattern, sample, SPAN)
        ), sample


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)*$", "^(.*a){20}$", "^(a*)*b", "a*a*a*a*a*c"])
def test_no_pattern_takes_forever(pattern):
    assert isinstance(_compiled(pattern), Automaton)
    assert not search(pattern, "a" * 300 + "!", SPAN)


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", r"(a)\1", "a{5000}{5000}", "[z-a]"])
def test_invalid(pattern):
    with pytest.raises(Stop, match="invalid regular expression"):
        search(pattern, "a", SPAN)


def test_in_a_file():
    assert export('a: "v1.2" & =~#"^v\\d+(\\.\\d+)*$"#') == {"a": "v1.2"}
