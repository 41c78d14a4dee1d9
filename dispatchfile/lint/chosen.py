"""Variables whose value is somebody else's choice: of the event, and what carries such a value on."""

from __future__ import annotations

import re

from dispatchfile.model.variables import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dispatchfile.model.pipeline import Pipeline, Step, Task

    Chosen = Mapping[str, tuple[str, ...]]
    """Names of variables, each with the variables of the context that its value holds."""

CONTEXT = ("context.git.branch", "context.build.name", "context.chatop.command", "context.chatop.args")
_PRINTING = re.compile(r"(?<![\w./-])(?:echo|printf)\s([^;&|\n]*)")


def chosen(pipeline: Pipeline) -> Mapping[str, Chosen]:
    """Return, for each task, the variables that hold others' choice.

    Besides those of the context these are parameters of its resources that are written with one, and the output of
    steps that print one, as far as that is plain to see.
    """
    found: dict[str, Chosen] = {}
    opened: set[str] = set()
    waiting = list(pipeline.tasks)
    while waiting:
        task = pipeline.tasks[waiting[-1]]
        if task.name not in opened:  # its inputs first, but for those that wait for it in turn
            opened.add(task.name)
            waiting += (name for name in task.inputs if name in pipeline.tasks and name not in opened)
        elif waiting.pop() not in found:
            found[task.name] = _of_task(pipeline, task, found)
    return found


def _of_task(pipeline: Pipeline, task: Task, known: Mapping[str, Chosen]) -> Chosen:
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in CONTEXT}
    for direction, names in (("inputs", task.inputs), ("outputs", task.outputs)):
        for resource in (pipeline.resources[name] for name in names if name in pipeline.resources):
            for parameter, text in resource.param.items():
                if held := _held(text, found):
                    found[f"{direction}.resources.{resource.name}.{parameter}"] = held
    for name in task.inputs:
        for step in pipeline.tasks[name].steps if name in known else ():
            if held := _held("\n".join(_printed(step)), known[name]):
                found[f"inputs.tasks.{name}.{step.name}"] = held
    return found


def _held(text: str, among: Chosen) -> tuple[str, ...]:
    """Return the variables of the context that a text holds, as they are or in others."""
    return tuple(dict.fromkeys(one for variable in find(text) for one in among.get(variable.name, ())))


def _printed(step: Step) -> Iterator[str]:
    """Yield what a step prints by `echo` or `printf`, with the variables of its environment in it."""
    from dispatchfile.lint import shell

    words = (*(step.command or ()), *(step.args or ()))
    printed = [" ".join(words[1:])] if words and words[0].rpartition("/")[2] in ("echo", "printf") else []
    for value, _field in shell.texts(step):
        printed += _PRINTING.findall(str(value.data))
    yield from printed
    for variable in step.env:
        if variable.value and any(re.search(rf"\$\{{?{re.escape(variable.name)}\b", one) for one in printed):
            yield variable.value
