"""Safe fixes keep what a pipeline means, in whatever flavour and layout it is written."""

from __future__ import annotations

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatchfile import front
from dispatchfile.lint.fix import fix
from dispatchfile.lint.settings import Settings
from dispatchfile.model.pipeline import Pipeline
from dispatchfile.model.references import makers, needs
from dispatchfile.record import replace
from dispatchfile.source import Source

RESOURCES, TASKS = ("src", "img", "docs"), ("test", "build", "push-it")

CONDITIONS = st.sampled_from(
    [
        {"push": {}},
        {"push": {"branches": ["main", "!x"], "paths": ["./a/**", "b"]}},
        {"git": {"push": {"paths": ["/a"]}}},
        {"tag": {"names": ["v*"]}},
        {"pull_request": {"branches": ["main"]}},
        {"pull_request": {"targets": ["main"], "chatops": ["go"]}},
        {"cron": {"schedule": "@daily", "revision": "main"}},
        {"release": {}},
    ]
)


@st.composite
def pipelines(draw: st.DrawFn) -> dict[str, object]:
    tasks = {}
    for name in TASKS:
        task: dict[str, object] = {"steps": [{"name": "a", "image": "a:1"}]}
        for field, names in (("deps", TASKS), ("inputs", (*RESOURCES, *TASKS)), ("outputs", RESOURCES)):
            if draw(st.booleans()):
                task[field] = draw(st.lists(st.sampled_from(names), max_size=3))
        tasks[name] = dict(draw(st.permutations(list(task.items()))))
    on = draw(st.lists(CONDITIONS, min_size=1, max_size=2))
    actions = [{"name": f"a{number}", "tasks": ["build"], "on": one} for number, one in enumerate(on)]
    return {
        "resource": {name: {"type": "git", "param": {"url": "x"}} for name in RESOURCES},
        "task": tasks,
        "actions": actions,
    }


@st.composite
def sources(draw: st.DrawFn) -> Source:
    data = draw(pipelines())
    flavour = draw(st.sampled_from(["json", "yaml", "cue"]))
    if flavour == "json":
        text = json.dumps(data, indent=draw(st.sampled_from([None, 1, 4])))
    elif flavour == "yaml":
        text = yaml.safe_dump(
            data, sort_keys=False, default_flow_style=draw(st.sampled_from([False, None, True]))
        )
    else:
        text = "".join(
            f"{line}\n" for line in _cue(data, draw(st.sampled_from(["chain", "colon", "block", "row"])))
        )
    return Source(f"Dispatchfile.{flavour}", text)


def _cue(data: dict[str, object], style: str, indent: str = "") -> list[str]:
    """Return the lines of a struct's fields."""
    lines = []
    for label, value in data.items():
        for name, content in (
            _chained(_label(label), value, style) if style in ("chain", "colon") else [(_label(label), value)]
        ):
            if isinstance(content, dict) and content and style != "row":
                lines += [f"{indent}{name}: {{", *_cue(content, style, f"{indent}  "), f"{indent}}}"]
            elif isinstance(content, list) and content and style == "block":
                lines += [
                    f"{indent}{name}: [",
                    *(f"{indent}  {_flow(one)}," for one in content),
                    f"{indent}]",
                ]
            else:
                lines.append(f"{indent}{name}: {_flow(content, style)}")
    return lines


def _chained(name: str, value: object, style: str) -> list[tuple[str, object]]:
    """Return a field as chains, one for each field of a struct whose fields are few."""
    if not isinstance(value, dict) or not value or len(value) > 2:
        return [(name, value)]
    between = " " if style == "chain" else ": "
    return [
        (f"{name}{between}{below}", content)
        for label, one in value.items()
        for below, content in _chained(_label(label), one, style)
    ]


def _label(name: str) -> str:
    return json.dumps(name) if "-" in name else name


def _flow(value: object, style: str = "") -> str:
    if isinstance(value, dict):
        if style in ("chain", "colon") and len(value) == 1:
            label, one = next(iter(value.items()))
            return (
                "{"
                + ", ".join(f"{name}: {_flow(inner)}" for name, inner in _chained(_label(label), one, style))
                + "}"
            )
        return "{" + ", ".join(f"{_label(name)}: {_flow(one, style)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one, style) for one in value) + "]"
    return json.dumps(value)


def _meaning(source: Source) -> Pipeline:
    """Return the pipeline with what a plan makes of it: who waits for whom, and conditions without their place."""
    pipeline, _ = front.interpret(front.read(source))
    assert pipeline is not None
    made_by = makers(pipeline)
    tasks = {
        task.name: replace(
            task,
            inputs=tuple(sorted({name for name in task.inputs if name in pipeline.resources})),
            outputs=tuple(sorted(set(task.outputs))),
            deps=tuple(sorted(needs(task, pipeline, made_by))),
        )
        for task in pipeline.tasks.values()
    }
    actions = []
    for action in pipeline.actions:
        assert action.on is not None
        rooted = tuple(path.removeprefix("./").removeprefix("/") for path in action.on.paths or ())
        actions.append(replace(action, on=replace(action.on, path=(), paths=rooted)))
    return replace(pipeline, tasks=tasks, actions=tuple(actions))


@settings(max_examples=100, deadline=None)
@given(sources())
def test_safe_fixes_keep_the_meaning_and_leave_nothing_to_mend(source: Source) -> None:
    assert front.read(source).ok, source.text
    done = fix(source, Settings(select=("DF208", "DF304", "DF7")))
    assert done.refused == ()
    assert done.findings == (), done.source.text
    assert _meaning(source) == _meaning(done.source), done.source.text
