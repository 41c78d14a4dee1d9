"""Comments of YAML texts."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.plain.comments import comments
from dispatchfile.source import Source

CASES = {
    "none": ("a: 1\n", []),
    "own line and line end": ("# top\na: 1 # one\n# end", ["# top", "# one", "# end"]),
    "glued to a word": ("a: x#y\n", []),
    "plain string over lines": ("a: b\n  c#d # e\n", ["# e"]),
    "double quotes": ('a: "x # y" # z\n', ["# z"]),
    "double quotes over lines": ('a: "x\n  # y" # z\n', ["# z"]),
    "single quotes with a quote": ("a: 'b''s # c' # d\n", ["# d"]),
    "block": ("a: |\n  x # y\n  # z\n# w\nb: 1\n", ["# w"]),
    "block head": ("a: |- # head\n  x # y\n\n  # z\n", ["# head"]),
    "folded block in a list": ("- >2 # h\n    # x\n- 1 # y", ["# h", "# y"]),
    "block that is empty": ("a: | # h", ["# h"]),
    "flow": ("a: [1, # one\n  {b: 2} # two\n]", ["# one", "# two"]),
    "flavour line": ("#!yaml\n# c\na: 1\n", ["# c"]),
    "only a flavour line": ("#!yaml", []),
    "not ASCII": ("é: ü # ö\nb: 'ß # '\n", ["# ö"]),
    "line ends of Windows": ("a: 1 # x\r\n# y\r\nb: 2\r\n", ["# x", "# y"]),
    "tab before": ("a: 1\t# x\n", ["# x"]),
    "key": ("'a # b': 1 # c\n", ["# c"]),
    "empty values": ("a: # x\nb: # y\n", ["# x", "# y"]),
    "no YAML from here on": ("a: 1 # x\nb: @\n# y\n", ["# x"]),
    "control character": ("a: 1 # x\x01\n", []),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=list(CASES))
def test_comments(text: str, expected: list[str]) -> None:
    assert [span.text for span in comments(Source("Dispatchfile.yaml", text))] == expected


TEXTS = st.text(alphabet="ab#:-|>'\"\n {}[],é", max_size=60)


@given(TEXTS)
def test_what_stands_in_a_comment_means_nothing(text: str) -> None:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, TypeError):
        return
    changed = text
    for span in reversed(comments(Source("x", text))):
        changed = f"{changed[: span.start]}# : [ '{changed[span.end :]}"
    assert yaml.safe_load(changed) == value
