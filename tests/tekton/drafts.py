"""Drafts of Dispatchfiles that are written as data, with places in a text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.front import interpret, read
from dispatchfile.plan.graph import arrange
from dispatchfile.source import Source
from dispatchfile.tekton import pipeline
from dispatchfile.tekton.draft import Draft, draft
from dispatchfile.tekton.options import Options
from tests.tekton import crds

Object = dict[str, Any]


def drafted(tasks: Mapping[str, Any], resources: Mapping[str, Any] | None = None, **options: Any) -> Draft:
    """A draft of all tasks. A task may be given as its steps, and a step as its command."""
    written = {name: one if isinstance(one, dict) else {"steps": one} for name, one in tasks.items()}
    text = json.dumps({"resource": dict(resources or {}), "task": written}, indent=1, ensure_ascii=False)
    made, _found = interpret(read(Source("Dispatchfile", text, "json")))
    assert made is not None
    return draft("app", made, arrange(made, made.tasks), Options(**{"name": "app", **options}), [])


def step(name: str = "run", *command: str, **fields: Any) -> Object:
    return {"name": name, "image": "busybox", **({"command": list(command)} if command else {}), **fields}


def spec(*args: Any, **options: Any) -> Object:
    """The spec of a draft in which nothing is wrong, and which a cluster would take."""
    one = drafted(*args, **options)
    made = pipeline.pipeline(one)
    assert one.found == []
    if crds.CRDS.is_dir():
        assert crds.validate(made, alpha=one.options.results == "alpha") == []
    taken: Object = made["spec"]
    return taken


def found(*args: Any, **options: Any) -> list[Diagnostic]:
    one = drafted(*args, **options)
    pipeline.spec(one)
    return one.found


def task_of(made: Object, name: str) -> Object:
    return next(one for one in made["tasks"] if one["name"] == name)


def step_of(made: Object, task: str, name: str) -> Object:
    return next(one for one in task_of(made, task)["taskSpec"]["steps"] if one["name"] == name)


def told(one: Diagnostic) -> tuple[str, str, str]:
    """Code, path, and the text of the place."""
    return one.code, one.path, one.span.text if one.span else ""
