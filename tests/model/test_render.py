from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from dispatchfile import front
from dispatchfile.model import render
from dispatchfile.model.decode import decode
from dispatchfile.plain.yaml_reader import read_yaml
from dispatchfile.source import Source
from tests.model.helpers import pipeline


def read(text: str) -> object:
    reading = read_yaml(Source("f", text))
    assert reading.value is not None, reading.diagnostics
    assert reading.diagnostics == ()
    return reading.value.plain()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"on": "on", "b": True}, 'b: true\n"on": "on"\n'),
        ({"b": {"d": 1, "c": {}}, "a": []}, "a: []\nb:\n  c: {}\n  d: 1\n"),
        ({"a": ["--x=$(y)", "**/*.sh", "- z", "a: b", "a #b", "a#b", "it's"]},
         "a:\n- --x=$(y)\n- '**/*.sh'\n- '- z'\n- 'a: b'\n- 'a #b'\n- a#b\n- it's\n"),
        ({"a": [{"b": 1, "c": [2]}, [3, {"d": 4}]]}, "a:\n- b: 1\n  c:\n  - 2\n- - 3\n  - d: 4\n"),
        ({"a": ["1", "1.5", "0x1", "1e3", "1:30", "2020-01-01", "~", "null", "", "y", "1.2.3", "10m", "-"]},
         'a:\n- "1"\n- "1.5"\n- "0x1"\n- "1e3"\n- "1:30"\n- "2020-01-01"\n- "~"\n- "null"\n- ""\n- "y"\n- 1.2.3\n- 10m\n- \'-\'\n'),
        ({"a": "x\n  y\n", "b": "x", "c": "x\ny", "d": " x\ny\n\n"}, "a: |\n  x\n    y\nb: x\nc: |-\n  x\n  y\nd: |2+\n   x\n  y\n\n"),
        ({"a": "tab\there", "b": "bell\x07", "c": "é 日 😀"}, 'a: "tab\\there"\nb: "bell\\x07"\nc: é 日 😀\n'),
    ],
)  # fmt: skip
def test_yaml_as_the_original_prints_it(data, text):
    assert render.yaml(data) == text
    assert read(text) == data


alphabet = st.characters(codec="utf-8", exclude_categories=["Cs"]) | st.sampled_from(
    " \n\t:#-?!&*{}[]|>'\"%@`,.~=0123456789eExXyno<\\\r\x85\u2028\ufeff"
)
texts = st.text(alphabet, max_size=24)
words = st.sampled_from(
    [
        "on",
        "yes",
        "~",
        "null",
        "1_0",
        "0o7",
        ".inf",
        "-.5",
        "1e",
        "+1",
        "=",
        "<<",
        "---",
        "...",
        "0b",
        "12:30:45",
        "2001-1-1 x",
        "-",
        "?",
        ": ",
        "- a",
    ]
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | words, inner, max_size=4),
    max_leaves=20,
)


@given(documents)
@example(["\n", "\n\n x", "a\n\n\n", " \n a", "\ta\nb", "a\n \nb", "# a\nb", "- a\n- b", "a\n\n", "x\n  "])
@example({"a": {"b": "\n  c\n"}, "": "", "\n": 1})
def test_both_readers_read_what_is_written(data):
    text = render.yaml({"a": data})
    assert read(text) == {"a": data}
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(text, Loader=loader) == {"a": data}


def test_a_pipeline_is_rendered_under_proper_names_without_helpers():
    data = render.data(pipeline("""
        helper: x
        resource: {r: {type: git, param: {url: u}, secret: null}}
        task:
          a: {inputs: [r], steps: [{image: i}, {image: j, resources: {limits: {cpu: 0.5}}}]}
        actions: [{tasks: [a], on: {push: {}}}]
    """))  # fmt: skip
    assert list(data) == ["resource", "task", "actions"]
    assert data["resource"] == {"r": {"type": "git", "param": {"url": "u"}}}
    assert render.yaml(data["task"]) == (
        "a:\n  inputs:\n  - r\n  steps:\n  - image: i\n    resources: {}\n"
        "  - image: j\n    resources:\n      limits:\n        cpu: 0.5\n"
    )


def test_the_plural_spelling_is_rendered_singular():
    reading = read_yaml(
        Source("f", "resource: {r: {type: git, params: {url: u}}}\ntask: {a: {steps: [{image: i}]}}")
    )
    assert reading.value is not None
    made, _ = decode(reading.value)
    assert render.data(made)["resource"] == {"r": {"type": "git", "param": {"url": "u"}}}


NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,6}[a-z0-9])?", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10) | st.sampled_from(
    [
        "yes",
        "012",
        "1e3",
        "2020-01-01",
        "a: b",
        "- a",
        "#",
        "a\n b\n",
        "\n",
        "  x\ny",
        "\\(x)",
        "$(context.git.url)",
        "\"'",
    ]
)
MAPS = st.dictionaries(TEXTS, TEXTS, max_size=2)
ENV = st.fixed_dictionaries({"name": NAMES}, optional={"value": TEXTS})
STEPS = st.fixed_dictionaries(
    {"image": TEXTS},
    optional={
        "name": NAMES,
        "command": st.lists(TEXTS, max_size=3),
        "args": st.none() | st.lists(TEXTS, max_size=3),
        "script": TEXTS,
        "env": st.lists(ENV, max_size=2),
        "resources": st.fixed_dictionaries({}, optional={"limits": st.just({"cpu": 1, "memory": "1Gi"})}),
        "securityContext": st.just(
            {"privileged": True, "runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}}
        ),
        "livenessProbe": MAPS,
    },
)
TASKS = st.fixed_dictionaries(
    {"steps": st.lists(STEPS, min_size=1, max_size=2)},
    optional={
        "inputs": st.lists(NAMES, max_size=2),
        "outputs": st.lists(NAMES, max_size=2),
        "timeout": st.just("1h"),
        "metadata": st.fixed_dictionaries({}, optional={"labels": MAPS, "annotations": MAPS}),
        "volumes": st.lists(
            st.fixed_dictionaries({"name": NAMES}, optional={"emptyDir": st.just({})}), max_size=2
        ),
    },
)
CONDITIONS = st.sampled_from(
    [
        {"push": {}},
        {"git": {"push": {"branches": ["*", "!x"]}}},
        {"cron": {"schedule": "@daily"}},
        {"pull_request": {"chatops": []}},
    ]
)
PIPELINES = st.fixed_dictionaries(
    {"task": st.dictionaries(NAMES, TASKS, max_size=2)},
    optional={
        "resource": st.dictionaries(
            NAMES,
            st.fixed_dictionaries({"type": NAMES}, optional={"param": MAPS, "params": MAPS, "secrets": st.just({})}),
            max_size=2,
        ),
        "actions": st.lists(st.fixed_dictionaries({"tasks": st.lists(NAMES, max_size=2), "on": CONDITIONS}), max_size=2),
        "a_helper": TEXTS,
    },
)  # fmt: skip


def rendered(source: Source) -> object:
    reading = front.read(source)
    assert reading.ok, (source.text, reading.diagnostics)
    pipeline, _ = front.interpret(reading)
    assert pipeline is not None
    return render.data(pipeline)


@given(PIPELINES)
def test_rendering_what_was_rendered_changes_nothing(content):
    once = rendered(Source("Dispatchfile", "#!json\n" + json.dumps(content)))
    assert isinstance(once, dict)
    text = render.HEADER + render.yaml(once)
    again = rendered(Source("Dispatchfile", text))
    assert again == once
    assert render.HEADER + render.yaml(again) == text
    assert rendered(Source("Dispatchfile", render.CUE_HEADER + render.cue(once))) == once
