"""Texts that Pipelines-as-Code (PaC) leaves alone, and texts that it fills in.

PaC looks for `{{ NAME }}` twice (pkg/templates, pkg/pipelineascode/match.go): in the text of the file, before it is read
as YAML, and in the PipelineRun as JSON. NAME is a parameter of PaC or of the Repository, or CEL that begins with
`body`, `headers`, `files` or `cel:`; what it does not know it leaves as it is. There is no escape. Tekton is asked for one
of the two braces, where it fills in parameters: `{{ x }}` is written `{$(params.dispatch-brace) x }}`. Elsewhere two
braces are an error.

What PaC fills in stands alone in a block of YAML, whose one line may hold any text: quotes, `#` and `: ` mean nothing
there.
"""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.model.edits import narrowed
from dispatchfile.tekton.manifest import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object
    from dispatchfile.value import Value

OPEN = "{{"
BRACE = "dispatch-brace"
"""The parameter that holds a brace."""
_DECLARED: Object = {
    "name": BRACE,
    "type": "string",
    "description": "Keeps two braces in a row from Pipelines-as-Code.",
    "default": "{",
}
_FILLED = frozenset(
    ("image", "imagePullPolicy", "command", "args", "script", "env", "envFrom", "workingDir", "volumeMounts")
)
"""Fields of a step in which Tekton fills in parameters (tektoncd/pipeline, docs/variables.md)."""


def kept(spec: Object) -> Object:
    """Return the spec of a Pipeline with its braces kept from PaC, as far as Tekton fills in parameters."""
    tasks = [_kept_task(task) for task in spec["tasks"]]
    declares = any(_uses(task.get("params")) for task in tasks)
    made = {"params": [*spec.get("params", ()), _DECLARED]} if declares else {}
    return {**made, **spec, **made, "tasks": tasks}


def _kept_task(task: Object) -> Object:
    spec: Object = task["taskSpec"]
    steps = [
        {field: _kept(value) if field in _FILLED else value for field, value in step.items()}
        for step in spec["steps"]
    ]
    made = {"params": [*spec.get("params", ()), _DECLARED]} if _uses(steps) else {}
    params = {"params": _kept(task["params"])} if "params" in task else {}
    return {**task, **params, "taskSpec": {**made, **spec, **made, "steps": steps}}


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(OPEN, f"{{$(params.{BRACE})")
    if isinstance(value, dict):
        return {key: _kept(item) for key, item in value.items()}
    return [_kept(item) for item in value] if isinstance(value, list) else value


def _uses(value: Any) -> bool:
    return any(f"$(params.{BRACE})" in text for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in an object but those that PaC is to fill in."""
    if isinstance(value, str) and not isinstance(value, Block):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def refused(draft: Draft, run: Object) -> None:
    """Tell the draft of each text of a run in which PaC would find braces that are not meant for it."""
    for text in dict.fromkeys(text for text in _texts(run) if OPEN in text):
        end = text.find("}}", text.index(OPEN))
        written = text[text.index(OPEN) : end + 2 if end > 0 else None]
        place = next((value for value in _written(draft) if written in str(value.data)), None)
        draft.found.append(
            Diagnostic(
                "DF803",
                Severity.ERROR,
                f"{written}: Pipelines-as-Code takes two braces for its own, and here nothing can keep them from it",
                narrowed(place.span, written) if place is not None else None,
                help="they are kept in command, args, env and script of a step; elsewhere choose another text",
            )
        )


def _written(draft: Draft) -> Iterator[Value]:
    """Yield the texts of the Dispatchfile that a draft may be made of."""
    for planned in draft.tasks:
        yield from planned.task.value.texts()
    for name in draft.resource_names:
        yield from draft.pipeline.resources[name].value.texts()
    for action in draft.pipeline.actions:
        yield from action.value.texts()
