"""Pipelines for tests, written as YAML."""

from __future__ import annotations

from dispatchfile import front
from dispatchfile.model.pipeline import Action, Pipeline
from dispatchfile.source import Source

TASKS = """
task:
  unit: {steps: [{name: run, image: "tool:1"}]}
"""


def pipeline(text: str) -> Pipeline:
    """Return the pipeline in a YAML text, as far as it can be built."""
    found, diagnostics = front.interpret(front.read(Source("Dispatchfile.yaml", text), "yaml"))
    assert found is not None, diagnostics
    return found


def action(on: str, name: str = "") -> Action:
    """Return an action with a condition in YAML's flow style, such as `{push: {}}`."""
    named = f"name: {name}, " if name else ""
    return pipeline(f"{TASKS}\nactions:\n- {{{named}tasks: [unit], on: {on}}}\n").actions[0]
