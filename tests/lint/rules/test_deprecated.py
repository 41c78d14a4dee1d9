"""DF7xx: what is found, what the fixes write in each flavour and layout, and that the pipeline stays the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile import front
from dispatchfile.lint.engine import inspect
from dispatchfile.lint.fix import fix
from dispatchfile.lint.settings import Settings
from dispatchfile.model.pipeline import Pipeline
from dispatchfile.model.references import makers, needs
from dispatchfile.record import replace
from dispatchfile.source import Source
from tests.lint.rules.marked import dedented, findings, mended

SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "dispatchfiles"
EXAMPLES = Path(__file__).parents[3] / "examples"

FOUND = {
    "a chain": ("DF704", 'resource: "src": {«param url»: "x", param: revision: "y"}'),
    "a chain with marks": ("DF704", "#A: {«on? push»?: {...}}"),
    "a chain in a list in a comprehension": ("DF704", 'for a in [1] {task: "t": steps: [{«a b»: 1}]}'),
    "the first of many chains": ("DF704", 'a: b: 1\n«resource "src"»: {param url: "x"}\ntask t steps: []'),
    "conditions": (
        "DF701",
        'actions: [{on «push»: {}}, {on: {«tag»: {}}}, {on: git: push: {}}, {on cron schedule: "@daily"}]',
    ),
    "a condition that actions share": (
        "DF701",
        '_on: «push»: branches: ["a"]\nactions: [{on: _on}, {on: _on}]',
    ),
    "two conditions": ("DF701", "actions: [{on: {push: {}, tag: {}}}]"),
    "fields of conditions": (
        "DF702",
        """
        actions: [
          {on: push: branches: ["a"]},
          {on: pull_request: «branches»: ["a"]},
          {on: cron: {schedule: "@daily", «revision»: "a"}},
        ]
        """,
    ),
    "deps": ("DF703", 'deps: ["a"]\ntask: a: {«deps»: ["b"]}\ntask: b: inputs: ["c"]'),
}


@pytest.mark.parametrize(("code", "text"), FOUND.values(), ids=FOUND)
def test_finds(code: str, text: str) -> None:
    findings(code, text)


CHAINS = 'a: 1\nresource src: {param url: "x"}\ntask "t": {inputs: ["src"], steps: [{a b: 1}]}\n'
MODERN = 'a: 1\nresource: src: {param: url: "x"}\ntask: "t": {inputs: ["src"], steps: [{a: b: 1}]}\n'


def test_one_finding_tells_of_all_chains_and_mends_them() -> None:
    (found,) = findings("DF704", CHAINS.replace("resource src", "«resource src»"))
    assert found.message == "4 field chains lack their colons; this is the first"
    assert found.help.startswith("write `resource: src:`; ")
    assert found.path == "resource.src"
    assert mended("DF704", CHAINS, safe=True) == MODERN


SILENCED = {
    "one": ("a b: 1\nc d: 1 // IGNORE\ne f: 1", 2, "a.b", "a: b: 1\nc d: 1 // IGNORE\ne: f: 1"),
    "the first": ("a b: 1 // IGNORE\nc d: 1\ne f: 1", 2, "c.d", "a b: 1 // IGNORE\nc: d: 1\ne: f: 1"),
    "all but one": (
        "// IGNORE\na b: {\n  c d: 1\n}\ne f: 1",
        1,
        "e.f",
        "// IGNORE\na b: {\n  c d: 1\n}\ne: f: 1",
    ),
    "all": ("// IGNORE\na b: {\n  c d: 1\n}\n", 0, "", "// IGNORE\na b: {\n  c d: 1\n}\n"),
}


@pytest.mark.parametrize(("before", "count", "path", "after"), SILENCED.values(), ids=SILENCED)
def test_silenced_chains_are_neither_counted_nor_mended(
    before: str, count: int, path: str, after: str
) -> None:
    comment = "dispatchfile: ignore[DF704]"
    source = Source("Dispatchfile.cue", before.replace("IGNORE", comment))
    told = inspect(source, Settings(select=("DF704", "DF005")))
    words = {0: [], 1: ["the chain `e f` lacks its colons"]}
    several = [f"{count} field chains lack their colons; this is the first"]
    assert [one.message for one in told] == words.get(count, several)
    assert [one.path for one in told] == [path] * bool(count)
    assert fix(source, Settings(select=("DF704",))).source.text == after.replace("IGNORE", comment)


def test_a_chain_in_a_template_has_no_path() -> None:
    (found,) = findings("DF704", "#A: {«on push»: {...}}")
    assert (found.path, found.message) == ("", "the chain `on push` lacks its colons")


T = "task: {a: {}, b: {}, c: {}}\n"

FIXED = {
    "chain": ("DF704", 'a b "c" : {x? y: 1}', 'a: b: "c" : {x?: y: 1}'),
    "chains twice": (
        "DF701",
        'actions: [{\n  on push branches: ["a"]\n  on push paths: ["b"]\n}]',
        'actions: [{\n  on: git: push: branches: ["a"]\n  on: git: push: paths: ["b"]\n}]',
    ),
    "colons": (
        "DF701",
        'actions: [{on: push: branches: ["a"]}, {on: {"tag": {}}}]',
        'actions: [{on: git: push: branches: ["a"]}, {on: {git: "tag": {}}}]',
    ),
    "chain to a block": (
        "DF701",
        "actions: [{on pull_request: {}}]",
        "actions: [{on: git: pull_request: {}}]",
    ),
    "targets": (
        "DF702",
        'actions: [{on pull_request branches: ["a"]}]',
        'actions: [{on pull_request targets: ["a"]}]',
    ),
    "revision": (
        "DF702",
        'actions: [{on: cron: {schedule: "@daily", revision: "a"}}]',
        'actions: [{on: cron: {schedule: "@daily", git: revision: "a"}}]',
    ),
    "deps alone": ("DF703", T + 'task: t: deps: ["a"] // why', T + 'task: t: inputs: ["a"] // why'),
    "deps inline": (
        "DF703",
        T + 'task: t: {inputs: ["a"], deps: ["b", "a"], steps: []}',
        T + 'task: t: {inputs: ["a", "b"], steps: []}',
    ),
    "deps last inline": (
        "DF703",
        T + 'task: t: {inputs: [], deps: ["b"]}',
        T + 'task: t: {inputs: ["b"]}',
    ),
    "deps on lines": (
        "DF703",
        T + 'task t: {\n  inputs: [\n    "a",\n  ]\n  deps: ["b", "c"] // why\n  steps: []\n}',
        T + 'task t: {\n  inputs: [\n    "a",\n    "b",\n    "c",\n  ]\n  // why\n  steps: []\n}',
    ),
    "deps over lines": (
        "DF703",
        T + 'task t: {\n  deps: [\n    "b",\n  ]\n  inputs: ["a"]\n}',
        T + 'task t: {\n  inputs: ["a", "b"]\n}',
    ),
    "deps in a loop": (
        "DF703",
        T + 'for n in ["x", "y"] {task: "\\(n)": {inputs: ["a", "b"], deps: ["b", "c"]}}',
        T + 'for n in ["x", "y"] {task: "\\(n)": {inputs: ["a", "b", "c"]}}',
    ),
    "empty deps": (
        "DF703",
        T + 'task: t: {\n  inputs: ["a"]\n  deps: []\n}',
        T + 'task: t: {\n  inputs: ["a"]\n}',
    ),
}

FIXED_YAML = {
    "block": (
        "DF701",
        """
        actions:
        - on:
            push:
              branches:
              # why
              - a

              - "b"
          # after
          tasks: [t]
        """,
        """
        actions:
        - on:
            git:
              push:
                branches:
                # why
                - a

                - "b"
          # after
          tasks: [t]
        """,
    ),
    "flow": (
        "DF701",
        "actions: [{on: {tag: {}}}]\n",
        "actions: [{on: {git: {tag: {}}}}]\n",
    ),
    "quoted": (
        "DF701",
        'actions:\n- "on":\n    "pull_request": {}\n',
        'actions:\n- "on":\n    "git":\n      "pull_request": {}\n',
    ),
    "anchor": (
        "DF701",
        "actions:\n- on: &a\n    tag: {}\n- on: *a\n",
        "actions:\n- on: &a\n    git:\n      tag: {}\n- on: *a\n",
    ),
    "revision": (
        "DF702",
        "actions:\n- on:\n    cron:\n      schedule: '@daily'\n      revision: a # why\n",
        "actions:\n- on:\n    cron:\n      schedule: '@daily'\n      git:\n        revision: a # why\n",
    ),
    "deps rows": (
        "DF703",
        """
        task:
          t:
            inputs:
            - a
            deps:
            - b
            - "c"

            # steps
            steps: []
          a: {deps: [b]}
          b: {inputs: [c], deps: [c, a], steps: []}
          c: {}
        """,
        """
        task:
          t:
            inputs:
            - a
            - b
            - "c"

            # steps
            steps: []
          a: {inputs: [b]}
          b: {inputs: [c, a], steps: []}
          c: {}
        """,
    ),
    "deps in a row": (
        "DF703",
        "task:\n  t:\n    deps: [a] # why\n    inputs: [b]\n  a: {}\n  b: {}\n",
        "task:\n  t:\n    # why\n    inputs: [b, a]\n  a: {}\n  b: {}\n",
    ),
}

FIXED_JSON = {
    "condition": (
        "DF701",
        '{"actions": [{"on": {"push": {"branches": ["a"]}}}]}',
        '{"actions": [{"on": {"git": {"push": {"branches": ["a"]}}}}]}',
    ),
    "revision": (
        "DF702",
        '{"actions": [{"on": {"cron": {"schedule": "@daily", "revision": "a"}}}]}',
        '{"actions": [{"on": {"cron": {"schedule": "@daily", "git": {"revision": "a"}}}}]}',
    ),
    "deps last": (
        "DF703",
        '{"task": {"a": {}, "t": {\n  "inputs": [\n    "b"\n  ],\n  "deps": [\n    "a"\n  ]\n}, "b": {}}}',
        '{"task": {"a": {}, "t": {\n  "inputs": [\n    "b",\n    "a"\n  ]\n}, "b": {}}}',
    ),
    "deps first": (
        "DF703",
        '{"task": {"a": {}, "t": {\n  "deps": ["a"],\n  "inputs": ["b"]\n}, "b": {}}}',
        '{"task": {"a": {}, "t": {\n  "inputs": ["b", "a"]\n}, "b": {}}}',
    ),
}


CASES = [
    pytest.param(name, *case, id=f"{name}-{title}")
    for name, cases in (
        ("Dispatchfile.cue", FIXED),
        ("Dispatchfile.yaml", FIXED_YAML),
        ("Dispatchfile.json", FIXED_JSON),
    )
    for title, case in cases.items()
]


@pytest.mark.parametrize(("name", "code", "before", "after"), CASES)
def test_fixes(name: str, code: str, before: str, after: str) -> None:
    made = mended(code, before, name, safe=True)
    assert made == dedented(after)
    assert _meaning(dedented(before), name) == _meaning(made, name)


NOT_FIXED = {
    "a condition that an expression refers to": (
        "DF701",
        "actions: [{on: push: {}}, {on: push: actions[0].on.push}]",
    ),
    "a name that `git` would catch": ("DF701", 'git: "a"\nactions: [{on: push: branches: [git]}]'),
    "a condition that a definition allows": (
        "DF701",
        "#A: on: {push?: {...}, tag?: {...}}\nactions: [#A & {on: push: {}}]",
    ),
    "both names of targets": ("DF702", 'actions: [{on: pull_request: {branches: ["a"], targets: ["b"]}}]'),
    "deps on a resource": ("DF703", 'resource: a: {}\ntask: t: deps: ["a"]'),
    "deps on nothing": ("DF703", 'task: t: deps: ["a"]'),
    "inputs from elsewhere": (
        "DF703",
        '_in: ["a"]\ntask: a: {}\ntask: b: {inputs: _in, deps: ["d"]}\ntask: d: {}\ntask: c: inputs: _in',
    ),
    "deps of one task in a loop": (
        "DF703",
        T + 'for n in ["x", "y"] {task: "\\(n)": {inputs: ["a"], if n == "x" {deps: ["b"]}}}',
    ),
    "deps among comments": ("DF703", T + 'task: t: {\n  inputs: ["a"]\n  deps: [\n    "b", // why\n  ]\n}'),
    "deps of a comprehension": ("DF703", T + 'task: t: {inputs: ["c"], deps: [for x in ["a", "b"] {x}]}'),
}


NOT_FIXED_YAML = {
    "deps by an alias": (
        "DF703",
        "x: &d [a]\ntask:\n  a: {}\n  b: {}\n  t:\n    inputs: [b]\n    deps: *d\n",
    ),
    "deps with an anchor": (
        "DF703",
        "task:\n  t: {inputs: [a], deps: &d [b]}\n  a: {}\n  b: {}\nx: *d\n",
    ),
    "a condition by an alias": ("DF701", "x: &p\n  branches: [a]\nactions:\n- on:\n    push: *p\n"),
}


@pytest.mark.parametrize(("code", "text"), NOT_FIXED_YAML.values(), ids=NOT_FIXED_YAML)
def test_leaves_aliases_alone(code: str, text: str) -> None:
    assert mended(code, text, "Dispatchfile.yaml", safe=True) == text


@pytest.mark.parametrize(("code", "text"), NOT_FIXED.values(), ids=NOT_FIXED)
def test_leaves_alone_what_is_not_plain(code: str, text: str) -> None:
    assert mended(code, text, safe=True) == text
    settings = Settings(select=(code,))
    assert fix(Source("Dispatchfile.cue", text), settings).findings


def _meaning(text: str, name: str) -> Pipeline:
    """Return the pipeline with what a plan makes of it: conditions without their place, `deps` as waits."""
    reading = front.read(Source(name, text))
    pipeline, _ = front.interpret(reading)
    assert pipeline is not None
    made_by = makers(pipeline)
    tasks = {
        task.name: replace(task, inputs=tuple(sorted(needs(task, pipeline, made_by))), deps=())
        for task in pipeline.tasks.values()
    }
    actions = tuple(
        replace(action, on=replace(action.on, path=()) if action.on else None) for action in pipeline.actions
    )
    return replace(pipeline, tasks=tasks, actions=actions)


FILES = [
    path
    for path in sorted(
        (*SAMPLES.glob("*.cue"), *SAMPLES.glob("*.yaml"), EXAMPLES / "old-syntax" / "Dispatchfile")
    )
    if not path.with_name(f"{path.name}.err").exists()
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_real_files_keep_their_meaning(path: Path) -> None:
    source = Source(path.name, path.read_text(encoding="utf-8"))
    done = fix(source, Settings(select=("DF7",)))
    assert done.count
    assert [one for one in done.findings if one.code.startswith("DF7")] == []
    assert done.refused == ()
    assert _meaning(source.text, source.name) == _meaning(done.source.text, source.name)


@pytest.mark.parametrize(
    ("name", "code", "before", "after"),
    CASES,
)
def test_fixes_in_files_of_windows(name: str, code: str, before: str, after: str) -> None:
    made = mended(code, dedented(before).replace("\n", "\r\n"), name, safe=True)
    assert made == dedented(after).replace("\n", "\r\n")
