"""What a conversion looks like, what it tells, and what it refuses."""

from __future__ import annotations

import pytest

from dispatchfile import front
from dispatchfile.convert.convert import convert, same
from dispatchfile.errors import EvaluationError
from dispatchfile.source import Source

CUE = """\
#!cue
// Copyright Ada

// where it comes from
resource: "src": {
  type: "git" // of the repository
  param: url: "$(context.git.url)"
  // the end of src
}

task: "test": { // quick
  inputs: [
    // only this
    "src",
  ]
  steps: [
    {
      name: "s"
      image: "golang:1.22"
      command: [
        "sh",
        "-c",
        \"\"\"
        # no comment
        make

        \"\"\",
      ]
      env: [
        {name: "ON", value: "yes"},
      ]
    },
  ]
}

actions: [
  {
    tasks: ["test"]
    on: push: {}
  },
]
// the end
"""
YAML = """\
#!yaml
# Copyright Ada

resource:
  # where it comes from
  src:
    type: git  # of the repository
    param:
      url: $(context.git.url)
    # the end of src

task:
  test:  # quick
    inputs:
    # only this
    - src
    steps:
    - name: s
      image: golang:1.22
      command:
      - sh
      - -c
      - |
        # no comment
        make
      env:
      - name: "ON"
        value: "yes"

actions:
- tasks:
  - test
  on:
    push: {}
# the end
"""


def made(text: str, name: str, to: str):
    return convert(front.read(Source(name, text)), to)


def test_cue_to_yaml_and_back() -> None:
    there = made(CUE, "Dispatchfile", "yaml")
    assert there.text == YAML
    assert there.remarks == ()
    assert made(YAML, "Dispatchfile.yaml", "cue").text == CUE


def test_json_is_told_what_it_loses() -> None:
    there = made(CUE, "Dispatchfile", "json")
    assert there.text.startswith('{\n  "resource": {\n    "src": {\n      "type": "git",\n')
    assert there.remarks == ("7 comments are left out: JSON has none",)
    assert front.read(Source("Dispatchfile", there.text), "cue").ok


CASES = {
    "helper that served": (
        "user: 1\nx: user\n",
        "x: 1\n",
        (
            "references and expressions are resolved: their values stand there now",
            "the helper field user served references only and is left out",
        ),
    ),
    "helper that nothing refers to": ("version: 3\nx: 1\n", "version: 3\nx: 1\n", ()),
    "pipeline field that is referred to": (
        'resource: a: type: "git"\ntask: t: x: resource.a.type\n',
        "resource:\n  a:\n    type: git\n\ntask:\n  t:\n    x: git\n",
        ("references and expressions are resolved: their values stand there now",),
    ),
    "comment of a helper": (
        "x: user\n// who\nuser: 1 // me\n",
        "x: 1\n",
        (
            "references and expressions are resolved: their values stand there now",
            "the helper field user served references only and is left out",
            "2 comments are left out: what they speak of is resolved",
        ),
    ),
    "first comment of the file": (
        "// all about it\nuser: 1\nx: user\n",
        "# all about it\n\nx: 1\n",
        (
            "references and expressions are resolved: their values stand there now",
            "the helper field user served references only and is left out",
        ),
    ),
    "comment in a definition": (
        "#b: {\n  // pinned\n  image: 1\n}\na: #b\nb: #b\n",
        "a:\n  # pinned\n  image: 1\n\nb:\n  image: 1\n",
        ("references and expressions are resolved: their values stand there now",),
    ),
    "comment in a loop": (
        'for x in ["a", "b"] {\n  // each\n  "t-\\(x)": 1 // one\n}\n',
        "# each\nt-a: 1  # one\nt-b: 1\n",
        ("references and expressions are resolved: their values stand there now",),
    ),
    "old chain": (
        "// the url\nparam url: 1 // here\nparam dir: 2\n",
        "param:\n  # the url\n  url: 1  # here\n  dir: 2\n",
        (),
    ),
    "more behind": ("a: [1, ... // more\n]\n", "a:\n- 1\n  # more\n", ()),
    "line of an editor": ("// vim: ft=cue\n// x\na: 1\n", "# x\na: 1\n", ()),
    "nothing": ("", "{}\n", ()),
    "only a comment": ("// x\n", "{}\n# x\n", ()),
}


@pytest.mark.parametrize(("cue", "yaml", "remarks"), CASES.values(), ids=list(CASES))
def test_what_was_computed_is_written_out(cue: str, yaml: str, remarks: tuple[str, ...]) -> None:
    done = made(cue, "Dispatchfile", "yaml")
    assert done.text == f"#!yaml\n{yaml}"
    assert done.remarks == remarks


YAML_CASES = {
    "anchors": (
        ".env: &env\n- 1 # x\nbase: &base {image: i}\na:\n  <<: *base\n  env: *env # its\n",
        'a: {\n  image: "i"\n  env: [ // its\n    1,\n  ]\n}\n',
        (
            "anchors, aliases, and merge keys are resolved: their values stand there now",
            "the helper fields .env, base served references only and are left out",
            "1 comment is left out: what it speaks of is resolved",
        ),
    ),
    "comment behind a bracket": ("a: [1,\n  2] # x\nb: {c: 1} # y\n", None, ()),
    "comment further in": ("a:\n  b: 1\n  # in a\n# before c\nc: 2\n", None, ()),
    "dash alone": ("a:\n-\n  # one\n  b: 1\n- # two\n  b: 2\n", None, ()),
    "document marks": ("%YAML 1.1\n---\n# d\na: 1 # x\n...\n", "// d\na: 1 // x\n", ()),
    "line ends of Windows": ("a: 1 # x\r\n# y\r\nb: 2\r\n", "a: 1 // x\n// y\nb: 2\n", ()),
    "schema for an editor": ("# yaml-language-server: $schema=x\na: 1\n", "a: 1\n", ()),
    "list": ("- a\n- b # c\n", '[\n  "a",\n  "b", // c\n]\n', ()),
}


@pytest.mark.parametrize(("yaml", "cue", "remarks"), YAML_CASES.values(), ids=list(YAML_CASES))
def test_yaml_to_cue(yaml: str, cue: str | None, remarks: tuple[str, ...]) -> None:
    done = made(yaml, "Dispatchfile.yaml", "cue")
    assert done.remarks == remarks
    if cue is not None:
        assert done.text == f"#!cue\n{cue}"
    said = [line.partition("#")[2] for line in yaml.splitlines() if "#" in line and "$schema" not in line]
    if not remarks:
        assert sorted(line.partition("//")[2] for line in done.text.splitlines() if "//" in line) == sorted(
            said
        )


def test_where_a_comment_stands_tells_what_it_is_about() -> None:
    text = "a:\n  b: 1\n  # in a\n# before c\nc: 2\n"
    assert made(text, "x.yaml", "cue").text == "#!cue\na: {\n  b: 1\n  // in a\n}\n\n// before c\nc: 2\n"
    text = "a:\n-\n  # one\n  b: 1\n- # two\n  b: 2\n"
    there = made(text, "x.yaml", "cue").text
    assert there.index("// one") < there.index("b: 1") < there.index("// two") < there.index("b: 2")


def test_a_comment_below_a_block_of_text_is_not_part_of_it() -> None:
    text = 'a: {\n  b: [\n    "x\\ny\\n",\n    // c\n  ]\n  d: "1\\n2\\n\\n"\n\n  e: "3\\n"\n}\n'
    there = made(text, "Dispatchfile", "yaml")
    assert "# c" in there.text
    value = front.read(Source("x", there.text), "yaml").value
    assert value.plain() == {"a": {"b": ["x\ny\n"], "d": "1\n2\n\n", "e": "3\n"}}


@pytest.mark.parametrize(
    ("text", "name", "to", "message"),
    [
        ('{"a": "\\ud800"}', "x.json", "cue", "cannot be written as CUE: half of a surrogate pair"),
        ('{"a": "\\ud800"}', "x.json", "yaml", "cannot be written as YAML"),
        ("a: {b: 1", "x.cue", "yaml", "1 error"),
        ("a: string", "x.cue", "yaml", "1 error"),
        ("a: *b\n", "x.yaml", "cue", "1 error"),
    ],
)
def test_refusals(text: str, name: str, to: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        made(text, name, to)


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": 1}, {"a": 1, "b": 2}), ([1], [1, 1]), (1, True), (1, "1"), ({"a": [1]}, {"a": [2]})],
)
def test_same_tells_apart(one: object, other: object) -> None:
    assert not same(one, other)
    assert same(one, one)
