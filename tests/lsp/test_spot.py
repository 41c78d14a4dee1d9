"""Where a cursor stands: `|` in unfinished texts of each flavour."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatchfile.lsp.spot import in_cue
from dispatchfile.lsp.yaml_spot import in_yaml

LABEL, VALUE = "label", "value"

CUE = [
    ("|", (), LABEL, ""),
    ("res|", (), LABEL, "res"),
    ('task "b": {in|', ("task", "b"), LABEL, "in"),
    ('task "b" {in|', ("task", "b"), LABEL, "in"),
    ('task b: in|', ("task", "b"), LABEL, "in"),
    ('task "b": {inputs: ["s|', ("task", "b", "inputs", 0), VALUE, "s"),
    ('task "b": {\n inputs: ["a", |\n', ("task", "b", "inputs", 1), VALUE, ""),
    ('task "b": {\n inputs: _d + ["a", "|"]\n', ("task", "b", "inputs", 1), VALUE, ""),
    ('task "b": {\n  steps: [{\n    image: "x"\n    na|\n  }]\n}\n', ("task", "b", "steps", 0), LABEL, "na"),
    ('task "b": {steps: [{image: "x"}, {na|', ("task", "b", "steps", 1), LABEL, "na"),
    ('task "b": {steps: [{image: "x|y"}]}', ("task", "b", "steps", 0, "image"), VALUE, "xy"),
    ('resource "x": {ty|pe: "git"}', ("resource", "x"), LABEL, "type"),
    ("resource x type: |", ("resource", "x", "type"), VALUE, ""),
    ("resource x param |", ("resource", "x", "param"), LABEL, ""),
    ('on push br|: ["x"]', ("on", "push"), LABEL, "br"),
    ("actions: [{on push |", ("actions", 0, "on", "push"), LABEL, ""),
    ("actions: [{on: git: push: br|", ("actions", 0, "on", "git", "push"), LABEL, "br"),
    ('actions: [{tasks: ["a"]}, {on: {git: {|', ("actions", 1, "on", "git"), LABEL, ""),
    ('param url: "$(context.|)"', ("param", "url"), VALUE, "$(context.)"),
    ('x: """\n  foo $(con|', ("x",), VALUE, "\n  foo $(con"),
    ('x: "a\\(b)$(con|', ("x",), VALUE, "$(con"),
    ("#S: {im|", ("#S",), LABEL, "im"),
    ("S :: {im|", ("S",), LABEL, "im"),
    ('for k, v in xs { task "b-\\(k)": {st|', ("task", "*"), LABEL, "st"),
    ('for k, v in xs if v {\n a: 1 }\nact|', (), LABEL, "act"),
    ("task: [string]: {t|", ("task", "*"), LABEL, "t"),
    ("task <N>: {ti|", ("task", "*"), LABEL, "ti"),
    ("a: _b &\n {st|", ("a",), LABEL, "st"),
    ('X=task: "a": {st|', ("task", "a"), LABEL, "st"),
    ("a?: {b!: c|", ("a", "b"), LABEL, "c"),
    ("a: [1, 2\nb: {c|", ("b",), LABEL, "c"),
    ('task "x": {\n  inputs: ["a"\n  outputs: |', ("task", "x", "outputs"), VALUE, ""),
    ("}}]) res|", (), LABEL, "res"),
    ('{"task": {"b": {"inputs": ["|"]', ("task", "b", "inputs", 0), VALUE, ""),
    ('{"task": {"b": {"in|puts": []', ("task", "b"), LABEL, "inputs"),
]  # fmt: skip

YAML = [
    ("|", (), LABEL, ""),
    ("tas|", (), LABEL, "tas"),
    ("task:\n|", (), LABEL, ""),
    ("task:\n  b:\n    |", ("task", "b"), LABEL, ""),
    ("task:\n  b:\n    in|", ("task", "b"), LABEL, "in"),
    ("task:\r\n  b:\r\n    in|\r\n", ("task", "b"), LABEL, "in"),
    ("task:\n  b:\n    inputs:\n    - |", ("task", "b", "inputs", 0), VALUE, ""),
    ("task:\n  b:\n    inputs:\n      - a\n      - s|", ("task", "b", "inputs", 1), VALUE, "s"),
    ("task:\n  b:\n    inputs: [a, |", ("task", "b", "inputs", 1), VALUE, ""),
    ("task:\n  b:\n    inputs: [a, s|]\n", ("task", "b", "inputs", 1), VALUE, "s"),
    ('task:\n  b:\n    inputs: ["a", "s|"]\n', ("task", "b", "inputs", 1), VALUE, "s"),
    ("task:\n  a:\n    inputs: [a,\n     b|\n     ]", ("task", "a", "inputs", 1), VALUE, "b"),
    ("task:\n  b:\n    steps:\n    - name: x\n      im|", ("task", "b", "steps", 0), LABEL, "im"),
    ("task:\n  b:\n    steps:\n    - na|me: x", ("task", "b", "steps", 0), LABEL, "name"),
    ("task:\n  b:\n    steps:\n    - name: x\n    - |", ("task", "b", "steps", 1), LABEL, ""),
    ("task:\n  b:\n    steps:\n    - name: x\n    tim|", ("task", "b"), LABEL, "tim"),
    ("task:\n  b:\n    steps:\n    - image: y|\n", ("task", "b", "steps", 0, "image"), VALUE, "y"),
    ("task:\n  b:\n    steps:\n    - script: >-\n       foo |", ("task", "b", "steps", 0, "script"), VALUE, "foo "),
    ("actions:\n- tasks: [a]\n  on: {push: {br|", ("actions", 0, "on", "push"), LABEL, "br"),
    ("actions:\n- tasks: [a]\n- on:\n    git:\n      |\n", ("actions", 1, "on", "git"), LABEL, ""),
    ('"task":\n  "b":\n    |', ("task", "b"), LABEL, ""),
    ("resource:\n  x:\n    type: g|", ("resource", "x", "type"), VALUE, "g"),
    ('resource:\n  x: {type: git, param: {url: "$(con|"}}', ("resource", "x", "param", "url"), VALUE, "$(con"),
    ("resource:\n  # why\n\n  x:\n    ty|", ("resource", "x"), LABEL, "ty"),
    ("task:\n  b:\n    deps:\n    - a\n    |", ("task", "b"), LABEL, ""),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "path", "role", "word"), CUE, ids=[row[0] for row in CUE])
def test_in_cue(marked: str, path: tuple[str | int, ...], role: str, word: str) -> None:
    text = marked.replace("|", "", 1)
    spot = in_cue(text, marked.index("|"))
    assert spot is not None
    assert (spot.path, text[spot.start : spot.end]) == (path, word)
    assert spot.label if role == LABEL else spot.value


@pytest.mark.parametrize(("marked", "path", "role", "word"), YAML, ids=[row[0] for row in YAML])
def test_in_yaml(marked: str, path: tuple[str | int, ...], role: str, word: str) -> None:
    text = marked.replace("|", "", 1)
    spot = in_yaml(text, marked.index("|"))
    assert spot is not None
    assert (spot.path, text[spot.start : spot.end]) == (path, word)
    assert spot.label if role == LABEL else spot.value


@pytest.mark.parametrize("marked", ["a: 1 // b|", "// |", "a: {\n // x|\n}"])
def test_nothing_in_a_comment_of_cue(marked: str) -> None:
    assert in_cue(marked.replace("|", ""), marked.index("|")) is None


@pytest.mark.parametrize("marked", ["a: 1 # b|", "# |", "a:\n  # x|\n", "a: [b, # x|"])
def test_nothing_in_a_comment_of_yaml(marked: str) -> None:
    assert in_yaml(marked.replace("|", ""), marked.index("|")) is None


PIECES = st.lists(
    st.sampled_from(
        ["a", "task", ":", "::", "{", "}", "[", "]", "(", ")", '"', "'", '"""', "\\(", "\n", " ", "- ", ",", "#",
         "//", "for", "in", "if", "<", ">", "=", "|", "\t", "\r\n", "$(", "$(context.git.", "?", "...", "@a(", "`"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(PIECES, st.integers(0, 60))
def test_every_text_has_an_answer(text: str, at: int) -> None:
    offset = min(at, len(text))
    for asked in (in_cue, in_yaml):
        spot = asked(text, offset)
        assert spot is None or 0 <= spot.start <= offset <= spot.end <= len(text)
