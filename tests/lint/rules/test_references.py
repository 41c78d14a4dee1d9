"""DF206 to DF208: what nothing uses, what nothing runs, what says nothing new."""

from __future__ import annotations

import pytest

from tests.lint.rules.marked import findings, mended

STEP = 'steps: [{name: "a", image: "a:1"}]'
RUN = 'actions: [{tasks: ["t"], on: git: push: {}}]\n'

RESOURCES = {
    "unused": f'resource: {{a: type: "git", «b»: type: "git"}}\ntask: t: {{inputs: ["a"], {STEP}}}',
    "output only": f'resource: a: type: "image"\ntask: t: {{outputs: ["a"], {STEP}}}',
    "no tasks at all": 'resource: a: type: "git"',
    "held for its data": 'resource: {a: param: url: "x"}\ntask: t: {steps: [{image: resource.a.param.url}]}',
    "held under a changing name": (
        'resource: {a: param: url: "x", b: param: url: "y"}\nfor n in ["a", "b"] {task: "\\(n)": {steps: '
        "[{image: resource[n].param.url}]}}"
    ),
    "a misspelt input": f'resource: "src-git": type: "git"\ntask: t: {{inputs: ["src-gti"], {STEP}}}',
    "a variable without the input": (
        'resource: a: type: "image"\ntask: t: steps: [{image: "$(inputs.resources.a.url)"}]'
    ),
    "an image that fills in its own digest": (
        'resource: «a»: {type: "image", param: digest: "$(inputs.resources.a.digest)"}\ntask: t: {'
        + STEP
        + "}"
    ),
    "a path without the input": 'resource: a: type: "git"\ntask: t: steps: [{image: "a:1", workingDir: "/workspace/a/b"}]',
    "one of those a loop makes": (
        'for n in ["a", "b"] {resource: "\\(n)": type: "git"}\ntask: t: {inputs: ["a"], ' + STEP + "}"
    ),
    "all that a loop makes": (
        'for n in ["a", "b"] {resource: «"\\(n)"»: type: "git"}\ntask: t: {' + STEP + "}"
    ),
    "unreadable in part": f'resource: {{a: type: "git"}}\ntask: t: {{{STEP}}}\ntask: u: inputs: ["a" "b"]',
}

TASKS = {
    "unreachable": f"task: {{t: {STEP}, «u»: {STEP}}}\n" + RUN,
    "needed through a resource": (
        f'resource: r: type: "image"\ntask: {{t: {{inputs: ["r"], {STEP}}}, u: {{outputs: ["r"], {STEP}}}}}\n'
        + RUN
    ),
    "needed through inputs and deps": (
        f'task: {{t: {{inputs: ["u"], {STEP}}}, u: {{deps: ["v"], {STEP}}}, v: {{{STEP}}}}}\n' + RUN
    ),
    "no actions": f"task: {{t: {STEP}}}",
    "actions without tasks": f"task: {{t: {STEP}}}\nactions: [{{tasks: [], on: git: push: {{}}}}]",
    "an action that is misspelt": f"task: {{test: {STEP}}}\n"
    'actions: [{tasks: ["tset"], on: git: push: {}}]',
    "an input that is misspelt": f'task: {{t: {{inputs: ["biuld"], {STEP}}}, build: {{{STEP}}}}}\n' + RUN,
    "an action without condition": f'task: {{t: {STEP}}}\nactions: [{{tasks: ["t"]}}]',
    "a ring": f'task: {{t: {STEP}, «u»: {{inputs: ["v"], {STEP}}}, «v»: {{inputs: ["u"], {STEP}}}}}\n' + RUN,
}

DEPENDENCIES = {
    "twice": 'task: t: {inputs: ["a", «"a"», «"a"»], outputs: ["b", «"b"»], deps: ["c", «"c"»]}',
    "made by": 'resource: r: {}\ntask: {t: {inputs: ["r"], deps: [«"u"»]}, u: {outputs: ["r"]}}',
    "an input too": 'task: {t: {inputs: ["u"], deps: [«"u"»]}, u: {}}',
    "only through others": 'resource: r: {}\ntask: {t: {inputs: ["r"], deps: ["v"]}, u: {outputs: ["r"], deps: ["v"]}, v: {}}',
    "a task for its result": 'resource: r: {}\ntask: {t: {inputs: ["r", "u"]}, u: {outputs: ["r"]}}',
    "in an action": 'task: {t: {}, u: {}}\nactions: [{tasks: ["t", "u", «"t"»]}, {tasks: ["t"]}]',
    "its own cache": 'resource: r: type: "storage"\ntask: {t: {inputs: ["r"], outputs: ["r"]}}',
}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        pytest.param(code, text, id=f"{code}-{title}")
        for code, cases in (("DF206", RESOURCES), ("DF207", TASKS), ("DF208", DEPENDENCIES))
        for title, text in cases.items()
    ],
)
def test_finds(code: str, text: str) -> None:
    findings(code, text, readable='"a" "b"' not in text)


USE = f'task: t: {{inputs: ["a"], {STEP}}}\n'

REMOVED = {
    "a field": (
        "cue",
        'resource: a: {}\nresource: b: {\n  type: "git"\n}\n' + USE,
        "resource: a: {}\n" + USE,
    ),
    "in a block": ("cue", "resource: {\n  a: {}\n  b: {}\n}\n" + USE, "resource: {\n  a: {}\n}\n" + USE),
    "in a row": ("cue", "resource: {b: {}, a: {}}\n" + USE, "resource: {a: {}}\n" + USE),
    "an old chain": ("cue", 'resource "b" type: "git"\nresource "a": {}\n' + USE, 'resource "a": {}\n' + USE),
    "two chains": (
        "cue",
        'resource "b" type: "git"\nresource "b" param: {}\nresource "a": {}\n' + USE,
        'resource "b" type: "git"\nresource "b" param: {}\nresource "a": {}\n' + USE,
    ),
    "JSON": (
        "json",
        '{"resource": {"a": {}, "b": {"type": "git"}}, "task": {"t": {"inputs": ["a"]}}}',
        '{"resource": {"a": {}}, "task": {"t": {"inputs": ["a"]}}}',
    ),
    "YAML": (
        "yaml",
        "resource:\n  a: {type: git}\n  b:\n    type: git\n    param:\n      url: x\n\n# task\ntask:\n  t: {inputs: [a]}\n",
        "resource:\n  a: {type: git}\n\n# task\ntask:\n  t: {inputs: [a]}\n",
    ),
    "YAML by an alias": (
        "yaml",
        "x: &r {type: git}\nresource:\n  a: *r\n  b: *r\ntask:\n  t: {inputs: [a]}\n",
        "x: &r {type: git}\nresource:\n  a: *r\n  b: *r\ntask:\n  t: {inputs: [a]}\n",
    ),
    "YAML in a row": (
        "yaml",
        "resource: {a: {}, b: {type: git}}\ntask:\n  t: {inputs: [a]}\n",
        "resource: {a: {}}\ntask:\n  t: {inputs: [a]}\n",
    ),
    "YAML of rows in a block": (
        "yaml",
        "resource:\n  b: {type: git}\n  a: {}\ntask:\n  t: {inputs: [a]}\n",
        "resource:\n  a: {}\ntask:\n  t: {inputs: [a]}\n",
    ),
}


@pytest.mark.parametrize(("flavour", "before", "after"), REMOVED.values(), ids=REMOVED)
def test_removes_an_unused_resource(flavour: str, before: str, after: str) -> None:
    assert mended("DF206", before, f"Dispatchfile.{flavour}", safe=False) == after


ENTRIES = {
    "a row": ("cue", 'task: t: inputs: ["a", "a", "b"]', 'task: t: inputs: ["a", "b"]'),
    "the last": ("cue", 'task: t: inputs: ["a", "b", "a"]', 'task: t: inputs: ["a", "b"]'),
    "lines": ("cue", 'task: t: inputs: [\n  "a",\n  "a",\n]', 'task: t: inputs: [\n  "a",\n]'),
    "JSON": ("json", '{"task": {"t": {"inputs": ["a", "a"]}}}', '{"task": {"t": {"inputs": ["a"]}}}'),
    "YAML": ("yaml", "task:\n  t:\n    inputs:\n    - a\n    - a\n", "task:\n  t:\n    inputs:\n    - a\n"),
    "YAML row": ("yaml", "task:\n  t: {inputs: [a, a]}\n", "task:\n  t: {inputs: [a]}\n"),
    "of an action": (
        "cue",
        'task: t: {}\nactions: [{tasks: ["t", "t"]}]',
        'task: t: {}\nactions: [{tasks: ["t"]}]',
    ),
    "of two actions": (
        "yaml",
        "task: {t: {}}\nactions: [{tasks: &t [t, t]}, {tasks: *t}]\n",
        "task: {t: {}}\nactions: [{tasks: &t [t, t]}, {tasks: *t}]\n",
    ),
    "shared": (
        "cue",
        '_in: ["a", "a"]\ntask: {t: inputs: _in, u: inputs: _in}',
        '_in: ["a", "a"]\ntask: {t: inputs: _in, u: inputs: _in}',
    ),
    "from a template": (
        "cue",
        '#T: deps: ["u"]\nresource: r: {}\ntask: {t: #T & {inputs: ["r"]}, v: #T, u: outputs: ["r"]}',
        '#T: deps: ["u"]\nresource: r: {}\ntask: {t: #T & {inputs: ["r"]}, v: #T, u: outputs: ["r"]}',
    ),
}


@pytest.mark.parametrize(("flavour", "before", "after"), ENTRIES.values(), ids=ENTRIES)
def test_removes_a_redundant_entry(flavour: str, before: str, after: str) -> None:
    assert mended("DF208", before, f"Dispatchfile.{flavour}", safe=True) == after
