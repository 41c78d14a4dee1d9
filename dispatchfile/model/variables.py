"""The variables in strings: `$(context.…)`, `$(inputs.…)`, `$(outputs.…)`, and `$(resources.…)`.

Everything else in `$( )` belongs to a shell, Kubernetes, or nobody, and stays as it is, byte for byte. Variables are
looked for innermost, so that one inside a shell's `$(git rev-parse $(context.git.tag))` is found. `context` is known
before a plan runs; the others as its tasks start (Dispatch 1.4, "Variables").
"""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.model.pipeline import Pipeline, Resource, Task
from dispatchfile.model.schema import RESOURCE_TYPES
from dispatchfile.record import Record
from dispatchfile.source import Span
from dispatchfile.spelling import nearest
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTEXT = {
    "context.git.url": "clone URL of the repository of the event",
    "context.git.commit": "commit of the event, 40 hex digits",
    "context.git.branch": "branch the run is for; of a pull request the source branch",
    "context.git.tag": "pushed or released tag, else empty",
    "context.build.name": "branch, tag, pr-N, or the user of a run by hand",
    "context.chatop.command": "command word of the comment that fired, else empty (1.2)",
    "context.chatop.args": "words after the command, else empty (1.2)",
}

OLDEST = {"context.git-url": "context.git.url", "context.git-revision": "context.git.commit"}

_VARIABLE = re.compile(r"\$\(((?:context|inputs|outputs|resources)\.[A-Za-z0-9_.-]+)\)")

# What looks like one: never closed, or in the brackets of a shell variable (whose names hold no dots).
_BROKEN = (
    r"\$\(((?:context|inputs|outputs|resources)\.[A-Za-z0-9_.-]+)(?![A-Za-z0-9_.)-])"
    r"|\$\{((?:context|inputs|outputs|resources)\.[A-Za-z0-9_.-]+)\}"
)
_CERTAIN = r"(?:inputs|outputs)\.resources\.[^.]+\.[^.]+|resources\.(?:inputs|outputs)\.[^.]+\.[^.]+"

# Parameters that Tekton adds to those of the resource itself.
_ADDED = ("name", "type", "path")


class Variable(Record):
    """A variable at text[start:end]. `name` has Tekton's spelling `resources.inputs.N.P` as `inputs.resources.N.P`."""

    name: str
    start: int
    end: int

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the segments of the name."""
        return tuple(self.name.split("."))

    @property
    def is_context(self) -> bool:
        """Return whether the event alone settles the value."""
        return self.name.startswith("context.")


def find(text: str) -> list[Variable]:
    """Return the variables of a text in order, unknown ones included."""
    if "$(" not in text:
        return []
    return [Variable(_plain_name(found[1]), found.start(), found.end()) for found in _VARIABLE.finditer(text)]


def substitute(text: str, lookup: Callable[[str], str | None]) -> str:
    """Return the text with its variables replaced; where `lookup(name)` is None the variable stays as it is.

    What is put in is not looked at again.
    """
    if "$(" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        known = lookup(_plain_name(found[1]))
        return found[0] if known is None else known

    return _VARIABLE.sub(value, text)


def _plain_name(written: str) -> str:
    first, _, rest = written.partition(".")
    if first == "resources":
        direction, _, rest = rest.partition(".")
        if direction in ("inputs", "outputs"):
            return f"{direction}.resources.{rest}"
    return written


# Checking


def check(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield the variables in resources and tasks that have no meaning where they stand."""
    for resource in pipeline.resources.values():
        for value, path in strings(resource.value, f"resource.{resource.name}"):
            for variable in find(str(value.data)):
                problem = _in_resource(variable, resource, path)
                if problem is not None:
                    yield _finding(variable, value, path, problem)
            yield from _check_broken(value, path)
    for task in pipeline.tasks.values():
        for field in ("steps", "volumes", "metadata"):
            part = task.value.at(field)
            for value, path in strings(part, f"task.{task.name}.{field}") if part is not None else ():
                for variable in find(str(value.data)):
                    problem = _in_task(variable, task, pipeline)
                    if problem is not None:
                        yield _finding(variable, value, path, problem)
                yield from _check_broken(value, path)


def strings(value: Value, path: str) -> Iterator[tuple[Value, str]]:
    """Yield all strings in a value that may hold a variable, with their paths."""
    if isinstance(value.data, str):
        if "$" in value.data:
            yield value, path
    elif isinstance(value.data, dict):
        for label, item in value.data.items():
            yield from strings(item, f"{path}.{label}")
    elif isinstance(value.data, list):
        for index, item in enumerate(value.data):
            yield from strings(item, f"{path}[{index}]")


class _Problem(Record):
    """Why a variable has no meaning, and the name that was probably meant."""

    code: str
    message: str
    help: str = ""
    meant: str = ""
    related: tuple[Related, ...] = ()


def _finding(variable: Variable, value: Value, path: str, problem: _Problem) -> Diagnostic:
    written = str(value.data)[variable.start : variable.end]
    span = _narrowed(value.span, written)
    fix = None
    if problem.meant and span is not None and span.text == written:
        fix = Fix(f"write $({problem.meant})", (Edit(span, f"$({problem.meant})"),), safe=False)
    advice = problem.help or (f"did you mean $({problem.meant})?" if problem.meant else "")
    message = f"{written}: {problem.message}"
    return Diagnostic(problem.code, Severity.ERROR, message, span, "", problem.related, advice, path, fix)


def _narrowed(span: Span | None, piece: str) -> Span | None:
    """Return where in a span the piece stands, as long as it is written there just so and only once."""
    if span is None or span.text.count(piece) != 1:
        return span
    at = span.start + span.text.index(piece)
    return Span(span.source, at, at + len(piece))


def _in_resource(variable: Variable, resource: Resource, path: str) -> _Problem | None:
    if variable.is_context:
        return _unknown_context(variable)
    if variable.name == f"inputs.resources.{resource.name}.digest" and path.endswith(".digest"):
        return None
    return _Problem(
        "DF402",
        "a resource knows only context variables, and an image its own digest",
        f"such as {', '.join(list(CONTEXT)[:2])}",
    )


def _in_task(variable: Variable, task: Task, pipeline: Pipeline) -> _Problem | None:
    if variable.is_context:
        return _unknown_context(variable)
    parts = variable.parts
    if parts[:2] == ("inputs", "tasks") and len(parts) == 4:
        return _task_result(parts[2], parts[3], task, pipeline)
    if parts[0] in ("inputs", "outputs") and parts[1] == "resources" and len(parts) == 4:
        return _resource_parameter(variable, task, pipeline)
    return _Problem(
        "DF401",
        "no such variable",
        "the variables of a task are $(inputs.resources.NAME.PARAM), $(outputs.resources.NAME.PARAM), $(inputs.tasks.TASK.STEP)",
    )


def _unknown_context(variable: Variable) -> _Problem | None:
    if variable.name in CONTEXT:
        return None
    meant = OLDEST.get(variable.name) or nearest(variable.name, CONTEXT) or ""
    return _Problem(
        "DF401", "no such variable", "" if meant else f"the variables are {', '.join(CONTEXT)}", meant
    )


def _resource_parameter(variable: Variable, task: Task, pipeline: Pipeline) -> _Problem | None:
    direction, _, name, parameter = variable.parts
    listed = task.inputs if direction == "inputs" else task.outputs
    resource = pipeline.resources.get(name)
    if name not in listed or resource is None:
        known = [one for one in listed if one in pipeline.resources]
        near = nearest(name, known)
        other = "outputs" if direction == "inputs" else "inputs"
        if near is not None:
            return _Problem(
                "DF402", f'"{name}" is none of the {direction} of task "{task.name}"',
                meant=f"{direction}.resources.{near}.{parameter}",
            )  # fmt: skip
        advice = (
            f'add "{name}" to the `{direction}` of the task'
            if resource
            else f"its {direction} are {', '.join(known) or 'none'}"
        )
        if resource and name in (task.outputs if direction == "inputs" else task.inputs):
            advice = f"it is one of its {other}: $({other}.resources.{name}.{parameter})"
        return _Problem("DF402", f'"{name}" is none of the {direction} of task "{task.name}"', advice)
    if resource.type not in RESOURCE_TYPES:
        return None
    known = [*(field.name for field in RESOURCE_TYPES[resource.type].fields), *_ADDED]
    if parameter in known or parameter in resource.param:
        return None
    near = nearest(parameter, known)
    message = f'{RESOURCE_TYPES[resource.type].title} has no parameter "{parameter}"'
    if near is not None:
        return _Problem("DF402", message, meant=f"{direction}.resources.{name}.{near}")
    return _Problem("DF402", message, f"its parameters are {', '.join(dict.fromkeys(known))}")


def _task_result(name: str, step: str, task: Task, pipeline: Pipeline) -> _Problem | None:
    source = pipeline.tasks.get(name)
    known = [one for one in task.inputs if one in pipeline.tasks]
    if source is None or name not in task.inputs:
        message = f'"{name}" is none of the inputs of task "{task.name}"'
        near = nearest(name, known)
        if near is not None:
            return _Problem("DF403", message, meant=f"inputs.tasks.{near}.{step}")
        return _Problem(
            "DF403", message, f'add "{name}" to its `inputs`' if source else "no task has this name"
        )
    steps = [one.name for one in source.steps]
    if step in steps:
        return None
    near = nearest(step, steps)
    message = f'task "{name}" has no step "{step}"'
    if near is not None:
        return _Problem("DF403", message, meant=f"inputs.tasks.{name}.{near}")
    return _Problem("DF403", message, f"its steps are {', '.join(steps) or 'none'}")


def _check_broken(value: Value, path: str) -> Iterator[Diagnostic]:
    """Yield what was meant as a variable but is none: `$(context.git.url` without its end, `${context.git.url}`."""
    text = str(value.data)
    # Most strings hold whole variables only, if any.
    if "${" not in text and text.count("$(") == len(find(text)):
        return
    for found in re.finditer(_BROKEN, text):
        name = found[1] or found[2]
        if found[1] and _plain_name(name.rstrip(".")) not in CONTEXT and not re.fullmatch(_CERTAIN, name):
            continue
        span = _narrowed(value.span, found[0])
        fix = None
        if span is not None and span.text == found[0]:
            fix = Fix(f"write $({name})", (Edit(span, f"$({name})"),), safe=False)
        problem = "the variable is not closed" if found[1] else "variables are written with round brackets"
        yield Diagnostic(
            "DF401",
            Severity.ERROR,
            f"{found[0]}: {problem}",
            span,
            help=f"write $({name})",
            path=path,
            fix=fix,
        )
