"""The variables in strings: `$(context.…)`, `$(inputs.…)`, `$(outputs.…)`, and `$(resources.…)`.

Everything else in `$( )` belongs to a shell, Kubernetes, or nobody, and stays as it is, byte for byte. Variables are
looked for innermost, so that one inside a shell's `$(git rev-parse $(context.git.tag))` is found. `context` is known
before a plan runs; the others as its tasks start (Dispatch 1.4, "Variables").
"""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Severity
from dispatchfile.model.edits import listed, quoted
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
    "context.chatop.command": "command word of the comment that fired, else empty",
    "context.chatop.args": "words after the command, else empty",
}

OLDEST = {"context.git-url": "context.git.url", "context.git-revision": "context.git.commit"}

_KINDS = ("context", "inputs", "outputs", "resources")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_LONGEST = 1000  # characters of a variable's name
_MOST = 100  # findings about one string: each takes a look at all of it

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
    found = []
    at = text.find("$(")
    while at >= 0:
        end = text.find(")", at, at + _LONGEST)
        if end >= 0 and _is_name(text[at + 2 : end]):
            found.append(Variable(_plain_name(text[at + 2 : end]), at, end + 1))
        at = text.find("$(", at + 2)
    return found


def _is_name(name: str) -> bool:
    kind, _, rest = name.partition(".")
    return kind in _KINDS and rest != "" and _NAME.issuperset(rest)


def substitute(text: str, lookup: Callable[[str], str | None]) -> str:
    """Return the text with its variables replaced; where `lookup(name)` is None the variable stays as it is.

    What is put in is not looked at again.
    """
    pieces: list[str] = []
    at = 0
    for variable in find(text):
        known = lookup(variable.name)
        if known is not None:
            pieces += (text[at : variable.start], known)
            at = variable.end
    return "".join((*pieces, text[at:]))


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
            yield from _told(value, path, resource, pipeline, set())
    for task in pipeline.tasks.values():
        mended: set[Fix | None] = set()
        for field in ("steps", "volumes", "metadata"):
            part = task.value.at(field)
            for value, path in strings(part, f"task.{task.name}.{field}") if part is not None else ():
                yield from _told(value, path, task, pipeline, mended)


def _told(
    value: Value, path: str, holder: Resource | Task, pipeline: Pipeline, mended: set[Fix | None]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the variables of one string, as far as somebody would read it."""
    from itertools import islice

    yield from islice(_meaningless(value, path, holder, pipeline, mended), _MOST)
    yield from islice(_check_broken(value, path), _MOST)


def _meaningless(
    value: Value, path: str, holder: Resource | Task, pipeline: Pipeline, mended: set[Fix | None]
) -> Iterator[Diagnostic]:
    for variable in find(str(value.data)):
        if isinstance(holder, Task):
            problem = _in_task(variable, holder, pipeline)
        else:
            problem = _in_resource(variable, holder, path)
        if problem is not None:
            # A list needs an entry once, however many variables miss it.
            fix = None if problem.fix in mended else problem.fix
            mended.add(problem.fix)
            yield _finding(variable, value, path, problem, fix)


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
    """Why a variable has no meaning, and the name that was probably meant, or another way to mend it."""

    code: str
    message: str
    help: str = ""
    meant: str = ""
    fix: Fix | None = None


def _finding(
    variable: Variable, value: Value, path: str, problem: _Problem, fix: Fix | None = None
) -> Diagnostic:
    text = str(value.data)
    written = text[variable.start : variable.end]
    span = _place(value, variable.start, variable.end)
    if problem.meant and span is not None and span.text == written:
        fix = Fix(f"write $({problem.meant})", (Edit(span, f"$({problem.meant})"),), safe=False)
    advice = problem.help or (f"did you mean $({problem.meant})?" if problem.meant else "")
    return Diagnostic(
        problem.code, Severity.ERROR, f"{written}: {problem.message}", span, "", (), advice, path, fix
    )


def _place(value: Value, start: int, end: int) -> Span | None:
    """Return where a piece of a string is written; the whole string where its text does not show the piece."""
    span, text = value.span, str(value.data)
    piece = text[start:end]
    if span is None or span.text.count(piece) != text.count(piece):
        return span
    at = -1
    for _ in range(text.count(piece, 0, start) + 1):
        at = span.text.find(piece, at + 1)
    return Span(span.source, span.start + at, span.start + at + len(piece))


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
        "" if (meant := nearest(variable.name, _known(task, pipeline)) or "") else _FORMS,
        meant,
    )


_FORMS = (
    "the variables of a task are $(inputs.resources.NAME.PARAM), $(outputs.resources.NAME.PARAM), "
    "$(inputs.tasks.TASK.STEP)"
)


def _known(task: Task, pipeline: Pipeline) -> Iterator[str]:
    """Yield the variables that a task has besides those of the context."""
    for direction, names in (("inputs", task.inputs), ("outputs", task.outputs)):
        for name in names:
            if name in pipeline.resources:
                for parameter in _parameters(pipeline.resources[name]):
                    yield f"{direction}.resources.{name}.{parameter}"
            elif name in pipeline.tasks:
                yield from (f"inputs.tasks.{name}.{step.name}" for step in pipeline.tasks[name].steps)


def _parameters(resource: Resource) -> list[str]:
    """Return the parameters of a resource that variables know."""
    table = RESOURCE_TYPES.get(resource.type)
    fields = [field.name for field in table.fields] if table is not None else []
    return list(dict.fromkeys((*fields, *resource.param, *_ADDED)))


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
    if name not in listed:
        return _unlisted_resource(variable, task, pipeline)
    if resource is None or resource.type not in RESOURCE_TYPES:
        return None  # which is a finding of its own
    known = _parameters(resource)
    if parameter in known:
        return None
    near = nearest(parameter, known)
    message = f'{RESOURCE_TYPES[resource.type].title} has no parameter "{parameter}"'
    if near is not None:
        return _Problem("DF402", message, meant=f"{direction}.resources.{name}.{near}")
    return _Problem("DF402", message, f"its parameters are {', '.join(known)}")


def _unlisted_resource(variable: Variable, task: Task, pipeline: Pipeline) -> _Problem:
    direction, _, name, parameter = variable.parts
    message = f'"{name}" is none of the {direction} of task "{task.name}"'
    other, listed = ("outputs", task.inputs) if direction == "inputs" else ("inputs", task.outputs)
    if name in (task.outputs if direction == "inputs" else task.inputs):
        meant = f"{other}.resources.{name}.{parameter}"
        return _Problem("DF402", message, f"it is one of its {other}: $({meant})", meant)
    if name in pipeline.resources:
        return _Problem(
            "DF402", message, f'add "{name}" to the `{direction}` of the task', fix=_listing(task, direction, name)
        )  # fmt: skip
    known = [one for one in listed if one in pipeline.resources]
    near = nearest(name, known)
    if near is not None:
        return _Problem("DF402", message, meant=f"{direction}.resources.{near}.{parameter}")
    return _Problem("DF402", message, f"its {direction} are {', '.join(known) or 'none'}")


def _task_result(name: str, step: str, task: Task, pipeline: Pipeline) -> _Problem | None:
    source = pipeline.tasks.get(name)
    if name not in task.inputs:
        message = f'"{name}" is none of the inputs of task "{task.name}"'
        if source is not None:
            advice = f'add "{name}" to the `inputs` of the task'
            return _Problem("DF403", message, advice, fix=_listing(task, "inputs", name))
        near = nearest(name, [one for one in task.inputs if one in pipeline.tasks])
        if near is not None:
            return _Problem("DF403", message, meant=f"inputs.tasks.{near}.{step}")
        return _Problem("DF403", message, "no task has this name")
    if source is None:
        return None  # which is a finding of its own
    steps = [one.name for one in source.steps]
    if step in steps:
        return None
    near = nearest(step, steps)
    message = f'task "{name}" has no step "{step}"'
    if near is not None:
        return _Problem("DF403", message, meant=f"inputs.tasks.{name}.{near}")
    return _Problem("DF403", message, f"its steps are {', '.join(steps) or 'none'}")


def _listing(task: Task, field: str, name: str) -> Fix | None:
    """Return the fix that adds a name to the inputs or outputs of a task."""
    edits = listed(task.value, field, quoted(name))
    return Fix(f'add "{name}" to `{field}`', edits, safe=False) if edits else None


def _check_broken(value: Value, path: str) -> Iterator[Diagnostic]:
    """Yield what was meant as a variable but is none: `$(context.git.url` without its end, `${context.git.url}`."""
    text = str(value.data)
    # Most strings hold whole variables only, if any.
    if "${" in text or text.count("$(") != len(find(text)):
        from dispatchfile.model import broken_variables

        for start, end, name, problem in broken_variables.find(text):
            span = _place(value, start, end)
            fix = None
            if span is not None and span.text == text[start:end]:
                fix = Fix(f"write $({name})", (Edit(span, f"$({name})"),), safe=False)
            yield Diagnostic(
                "DF401", Severity.ERROR, f"{text[start:end]}: {problem}", span, help=f"write $({name})", path=path, fix=fix
            )  # fmt: skip
