"""Several mistakes in one file: each is found whatever the others are, and none is reported for what follows from it."""

from __future__ import annotations

import itertools

import pytest

from dispatchfile import front
from dispatchfile.source import Source

# Mistakes with the codes of their findings, each in a block of its own: those found before the value stands …
EARLIER = {
    "comma": (
        "DF001",
        'task: one: {\n  inputs: ["src"]\n  steps: [{name: "s", image: "i:1", args: ["a" "b"]}]\n}',
    ),
    "hash": ("DF001", 'task: one: {\n  inputs: ["src"]\n  # note\n  steps: [{name: "s", image: "i:1"}]\n}'),
    "quote": ("DF001", 'task: one: {\n  inputs: ["src"]\n  steps: [{name: "s", image: "i:1}]\n}'),
    "brace": ("DF001", 'task: one: {\n  inputs: ["src"]\n  steps: [{name: "s", image: "i:1"]\n}'),
    "unclosed": ("DF001", 'task: one: {\n  inputs: ["src"]\n  steps: [{name: "s", image: "i:1"}]\n'),
    "nocolon": ("DF001", 'task: one {\n  inputs: ["src"]\n  steps: [{name: "s", image: "i:1"}]\n}'),
    "list": ("DF001", 'task: one: {\n  inputs: ["src"]\n  steps: [name: "s", image: "i:1"]\n}'),
    "conflict": (
        "DF002",
        'task: one: {\n  inputs: ["src"]\n  timeout: "1m"\n  timeout: "2m"\n  steps: [{name: "s", image: "i:1"}]\n}',
    ),
    "conflict-list": (
        "DF002",
        'task: one: {\n  inputs: ["src"]\n  inputs: ["src", "app"]\n  steps: [{name: "s", image: "i:1"}]\n}',
    ),
    "incomplete": ("DF003", 'task: one: {\n  inputs: ["src"]\n  steps: [{name: "s", image: string}]\n}'),
    "reference": ("DF004", 'task: one: {\n  inputs: ["src"]\n  steps: [{name: "s", image: img}]\n}'),
    "reference-list": (
        "DF004",
        'task: one: {\n  inputs: ["src"] + more\n  steps: [{name: "s", image: "i:1"}]\n}',
    ),
}
# … and those found in it.
LATER = {
    "field": ("DF101", 'task: two: {\n  inputs: ["src"]\n  step: [{name: "s", image: "i:1"}]\n}'),
    "missing": ("DF102", 'task: two: {\n  inputs: ["src"]\n  steps: [{name: "s"}]\n}'),
    "type": ("DF103", 'task: two: {\n  inputs: "src"\n  steps: [{name: "s", image: "i:1"}]\n}'),
    "input": ("DF201", 'task: two: {\n  inputs: ["source"]\n  steps: [{name: "s", image: "i:1"}]\n}'),
    "output": ("DF202", 'task: two: {\n  outputs: ["source"]\n  steps: [{name: "s", image: "i:1"}]\n}'),
    "cycle": ("DF204", 'task: two: {\n  inputs: ["two"]\n  steps: [{name: "s", image: "i:1"}]\n}'),
    "variable": (
        "DF401",
        'task: two: {\n  steps: [{name: "s", image: "i:1", args: ["$(context.git.comit)"]}]\n}',
    ),
    "unlisted": (
        "DF402",
        'task: two: {\n  steps: [{name: "s", image: "i:1", args: ["$(inputs.resources.src.url)"]}]\n}',
    ),
    "result": (
        "DF403",
        'task: two: {\n  inputs: ["three"]\n  steps: [{name: "s", image: "i:1", args: ["$(inputs.tasks.three.x)"]}]\n}',
    ),
    "name": ("DF501", 'task: two_2: {\n  steps: [{name: "s", image: "i:1"}]\n}'),
    "env": ("DF503", 'task: two: {\n  steps: [{name: "s", image: "i:1", env: [{name: "1", value: "x"}]}]\n}'),
    "volume": (
        "DF504",
        'task: two: {\n  steps: [{name: "s", image: "i:1", volumeMounts: [{name: "v", mountPath: "/x"}]}]\n}',
    ),
}

HEAD = 'resource: src: {type: "git", param: url: "u"}\nresource: app: {type: "image", param: url: "v"}\n'
TAIL = """\
task: three: steps: [{name: "t", image: "i:1"}]
actions: [
  {tasks: ["one", "two", "three"], on: git: push: branches: ["main"]},
  {tasks: ["nobody"], on: git: push: {}},
]
"""


def _codes(text):
    return sorted(found.code for found in front.interpret(front.read(Source("Dispatchfile", text)))[1])


def _check(*mistakes):
    """The last action of the file has a mistake too, so there is always one more behind the others."""
    codes = [code for code, _ in mistakes] + ["DF203"]
    if any("two_2" in block for _, block in mistakes):
        codes.append("DF203")
    assert _codes(HEAD + "\n".join(block for _, block in mistakes) + "\n" + TAIL) == sorted(codes)


@pytest.mark.parametrize(("earlier", "later"), list(itertools.product(EARLIER, LATER)))
def test_a_mistake_of_an_earlier_stage_hides_none_of_a_later_one(earlier, later):
    _check(EARLIER[earlier], LATER[later])
    _check(LATER[later], EARLIER[earlier])


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(EARLIER, 2)))
def test_two_mistakes_before_the_value_stands(first, second):
    code, block = EARLIER[second]
    _check(EARLIER[first], (code, block.replace("one", "two")))


OK = 'resource: src: {type: "git", param: url: "u"}\n'
ACT = 'actions: [{tasks: ["one"], on: git: push: {}}]\n'
CONSEQUENCES = [
    ("DF004", OK + "task: one: nope\n" + ACT),
    (
        "DF004 DF004",
        'resource: src: {type: git, param: url: x}\ntask: one: {inputs: ["src"], steps: [{image: "i:1"}]}\n'
        + ACT,
    ),
    (
        "DF001",
        'resource: src: {type: "git" param: url: "u"}\ntask: one: {inputs: ["src"], steps: [{image: "i:1"}]}\n'
        + ACT,
    ),
    (
        "DF001",
        'resource: "src": = {type: "git", param: url: "u"}\ntask: one: {inputs: ["src"], steps: [{image: "i:1"}]}\n'
        + ACT,
    ),
    (
        "DF001",
        'resource "src" = {type: "git", param: url: "u"}\ntask: one: {inputs: ["src"], steps: [{image: "i:1"}]}\n'
        + ACT,
    ),
    (
        "DF004",
        OK
        + 'task: one: {inputs: ["src"] + more, steps: [{image: "i:1", args: ["$(inputs.resources.src.url)"]}]}\n'
        + ACT,
    ),
    (
        "DF004",
        OK + 'task: one: {inputs: ["src"], steps: [{image: "i:1", env: [{name: "A", value: nope}]}]}\n' + ACT,
    ),
    (
        "DF004",
        OK
        + 'task: one: {inputs: ["src"], steps: [{image: "i:1", volumeMounts: [{name: "v", mountPath: "/x"}]}], volumes: [{name: "v", emptyDir: {}}, nope]}\n'
        + ACT,
    ),
    (
        "DF004",
        OK
        + 'task: one: {inputs: ["src"], steps: [{image: "i:1", volumeMounts: [{name: "v", mountPath: "/x"}]}], volumes: [{name: nope, emptyDir: {}}]}\n'
        + ACT,
    ),
    (
        "DF003",
        OK
        + 'task: one: {inputs: ["src"], steps: [{image: "i:1"}]}\nactions: [{name: string, tasks: ["one"], on: cron: schedule: "@daily"}]\n',
    ),
    (
        "DF002",
        OK
        + 'task: one: {inputs: ["src"], steps: [{image: "i:1"}]}\nactions: [{name: "a", tasks: ["one"], on: git: push: {}, on: "x"}]\n',
    ),
    (
        "DF002",
        OK
        + 'task: one: {inputs: ["src"], steps: [{image: "i:1"}]}\n'
        + ACT
        + 'actions: [{tasks: ["one"], on: git: push: {}},{tasks: ["one"], on: git: tag: {}}]\n',
    ),
    (
        "DF001",
        '#!yaml\nresource:\n  src: type: git\n    param: {url: u}\ntask:\n  one:\n    inputs: [src]\n    steps: [{image: "i:1"}]\nactions: [{tasks: [one], on: {git: {push: {}}}}]\n',
    ),
    (
        "DF001",
        '#!yaml\nresource:\n  src: {type: git, param: {url: u}}\ntask:\n  one:\n    inputs: [src\n    steps: [{image: "i:1"}]\nactions: [{tasks: [one], on: {git: {push: {}}}}]\n',
    ),
    (
        "DF001 DF201",
        '#!yaml\nresource:\n  src: {type: git, param: {url: u}}\ntask:\n  one:\n    inputs: [src]\n    steps: [{image: "i:1", script: "a}]\n  two:\n    inputs: [scr]\n    steps: [{image: "i:1"}]\nactions: [{tasks: [one, two], on: {git: {push: {}}}}]\n',
    ),
    (
        "DF001 DF201",
        '#!json\n{"resource": {"src": {"type": "git", "param": {"url": "u"}}},\n "task": {"one": {"inputs": ["scr"], "steps": [{"image": "i:1",}]}},\n "actions": [{"tasks": ["one"], "on": {"git": {"push": {}}}}]}\n',
    ),
    (
        "DF001 DF201",
        '#!json\n{"resource": {"src": {"type": "git", "param": {"url": "u"}}},\n "task": {"one": {"inputs": ["scr", "late"], "steps": [{"image": "i:1"}]}, "two": @, "late": {}},\n "actions": [{"tasks": ["one"], "on": {"git": {"push": {}}}}]}\n',
    ),
    (
        "DF101",
        'rresource: src: {type: "git", param: url: "u"}\ntask: one: {inputs: ["src"], steps: [{image: "i:1"}]}\n'
        + ACT,
    ),
    ("DF101", OK + 'tasks: one: {inputs: ["src"], steps: [{image: "i:1"}]}\n' + ACT),
    (
        "DF103",
        OK
        + 'task: one: {inputs: "src", steps: [{image: "i:1", args: ["$(inputs.resources.src.url)"]}]}\n'
        + ACT,
    ),
    ("DF103", OK + 'task: one: {inputs: ["src"], steps: {name: "x", image: "i:1"}}\n' + ACT),
    (
        "DF103",
        OK
        + 'task: one: {inputs: ["src"], steps: [{name: "x", image: "i:1"}]}\nactions: {tasks: ["one"], on: git: push: {}}\n',
    ),
    (
        "DF104",
        'resource: src: {type: "gti", param: url: "u"}\ntask: one: {inputs: ["src"], steps: [{image: "i:1", args: ["$(inputs.resources.src.foo)"]}]}\n'
        + ACT,
    ),
    (
        "DF101",
        OK
        + 'task: one: {input: ["src"], steps: [{image: "i:1", args: ["$(inputs.resources.src.url)"]}]}\n'
        + ACT,
    ),
    (
        "DF101",
        OK
        + 'task: one: {inputs: ["src"], volume: [{name: "v", emptyDir: {}}], steps: [{image: "i:1", volumeMounts: [{name: "v", mountPath: "/x"}]}]}\n'
        + ACT,
    ),
    (
        "DF101",
        OK
        + 'task: one: {inputs: ["src"], step: [{name: "x", image: "i:1"}]}\ntask: two: {inputs: ["one"], steps: [{image: "i:1", args: ["$(inputs.tasks.one.x)"]}]}\n'
        + ACT,
    ),
    (
        "DF101",
        OK
        + 'task: one: {inputs: ["src"], steps: [{image: "i:1"}]}\nactions: [{tasks: ["one"], on: git: pushh: {}}]\n',
    ),
    (
        "DF101",
        OK + 'task: one: {inputs: ["src"], steps: [{image: "i:1", env: [{name: "A", valeu: "x"}]}]}\n' + ACT,
    ),
    ("DF102", OK + 'task: one: {inputs: ["src"], steps: [{image: "i:1", env: [{value: "x"}]}]}\n' + ACT),
    (
        "DF102",
        OK
        + 'task: one: {inputs: ["src"], steps: [{image: "i:1", volumeMounts: [{name: "v"}]}], volumes: [{name: "v"}]}\n'
        + ACT,
    ),
    (
        "DF201",
        OK
        + 'task: one: {inputs: ["srcc"], steps: [{image: "i:1", args: ["$(inputs.resources.srcc.url)"]}]}\n'
        + ACT,
    ),
    (
        "DF203",
        OK
        + 'task: one: {inputs: ["src"], steps: [{image: "i:1"}]}\nactions: [{tasks: ["won"], on: git: push: {}}]\n',
    ),
]

BROKEN_YAML = """\
#!yaml
task:
  test:
    inputs: [src]
    steps:
    - name: "run
      image: golang:1.22
  other:
\tinputs: []
    steps:
    - {name: x, image: "y:1", comand: [z]}
actions:
- tasks: [test, other]
  on: {git: {push: {}}}
- tasks: [test]
  tasks: [other]
  on: {git: {tag: {}}}
"""


def test_each_mistake_of_a_broken_yaml_file_and_nothing_else():
    found = front.interpret(front.read(Source("Dispatchfile", BROKEN_YAML)))[1]
    assert [(one.code, str(one.span).partition(":")[2]) for one in found] == [
        ("DF201", "4:14"), ("DF001", "6:13"), ("DF001", "9:1"), ("DF101", "11:31"), ("DF105", "16:3")
    ]  # fmt: skip


@pytest.mark.parametrize(("codes", "text"), CONSEQUENCES, ids=range(len(CONSEQUENCES)))
def test_what_follows_from_a_mistake_is_no_finding(codes, text):
    assert _codes(text) == codes.split()
