"""Texts of tasks: Dispatch's variables become parameters, and nobody on the cluster takes the rest for its own.

Four parties look for `$(…)` before a program sees its text, each in its turn: the emitter, which replaces Dispatch's
variables; Tekton Triggers, in templates (`$(tt.params.x)`, `$(uid)`); Tekton, which replaces the names it knows and
refuses some that it does not (tektoncd/pipeline, pkg/substitution and docs/variables.md); and the kubelet, which in
command, args, and env replaces the variables of the container, and makes `$$` a single `$` (Kubernetes core/v1
Container).

Tekton has no escape. What it would take is kept from it by the kubelet: `$(params.x)` is written
`$(DISPATCHFILE_DOLLAR)(params.x)`, which Tekton leaves alone; the kubelet puts the `$` in, and does not look again.
There is one limit: where a value ends in a `$`, or is empty behind one, right before such text, the kubelet takes that
`$` and the next for one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.model.edits import narrowed
from dispatchfile.model.shielding import references
from dispatchfile.model.variables import find, strings
from dispatchfile.record import Record
from dispatchfile.tekton.draft import CONTEXT_PARAMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set

    from dispatchfile.model.pipeline import Resource, Task
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object
    from dispatchfile.value import Value

DOLLAR = "DISPATCHFILE_DOLLAR"
"""The variable of a step that holds a `$`; with `_` behind it in a task that uses this name itself."""

_WORD = r"[\w.-]+"
_NAMED = rf"""(?:\.{_WORD}|\["{_WORD}"\]|\['{_WORD}'\])"""
_TAKEN = re.compile(
    r"\$\((?:"
    rf"(?:inputs\.)?params{_NAMED}(?:\[[\d*]*\])?"
    rf"|(?:step\.)?results{_NAMED}(?:\.path)?"
    rf"|(?:tasks|finally)\.[\w-]+\.(?:results|inputs|outputs|matrix|status|reason){_WORD}?(?:\[[\d*]*\])?"
    rf"|steps\.[\w-]+\.(?:results|inputs|outputs|exitCode){_WORD}?(?:\[[\d*]*\])?"
    rf"|workspaces\.{_WORD}\.(?:path|bound|claim|volume)"
    rf"|context\.(?:pipelineRun|pipelineTask|pipeline|taskRun|task){_NAMED}"
    r"|tasks\.status|credentials\.path|(?:step\.)?artifacts\.path"
    rf"|(?P<triggers>tt\.params\.{_WORD}|uid)"
    r")\)",
    re.ASCII,
)
"""What Tekton replaces when it knows the name, or refuses when it does not; and what Triggers replaces in a template.

A template here holds no text of a step, for its runs refer to Pipelines; somebody else's may.
"""


class _Piece(Record):
    """A piece of a text: what stands in the Dispatchfile, or a parameter of the task."""

    text: str
    is_param: bool = False


class _Unknown(Exception):
    """A variable that has no value here; its arguments are a code, what is wrong, and what to do."""


def filled(draft: Draft, task: Task, text: str, place: Value, *, kubelet: bool, path: str = "") -> str:
    """Return a text of a task for a field in which Tekton replaces variables, as it is to be written there.

    `kubelet` says whether the kubelet replaces variables in the field too: it does in command, args, and values of
    env, and not in script, image, working directory, and mounts. `place` is where the text is written, for what is
    wrong with it: DF402 or DF805 for a variable without a value, DF803 for text that cannot be kept from Tekton.
    """
    if "$(" not in text:
        return text
    pieces = _pieces(draft, task, text, place, path)
    made = "".join(piece.text for piece in pieces)
    masked = _masked(pieces)
    taken = [match.span() for match in _TAKEN.finditer(masked) if kubelet or not match["triggers"]]
    if not taken:
        return made
    kept = _kept(draft, task, made, masked, {start for start, _ in taken}) if kubelet else None
    if kept is None:
        draft.found.append(_taken_error(made[slice(*taken[0])], place, path))
        return made
    return kept


def taken(value: str) -> str:
    """Return the first text in a value that Tekton takes for a variable of its own; "" when there is none."""
    return next((match[0] for match in _TAKEN.finditer(value) if not match["triggers"]), "")


def refused(draft: Draft, task: Task, value: Value, path: str) -> None:
    """Report every variable in a part of a task in which Tekton replaces nothing (DF802)."""
    for item, where in strings(value, path):
        for variable in find(str(item.data)):
            written = str(item.data)[variable.start : variable.end]
            draft.found.append(
                Diagnostic(
                    "DF802",
                    Severity.ERROR,
                    f"{written} in task {task.name}: Tekton replaces no variables in this field",
                    narrowed(item.span, written),
                    help="write the value itself, or use the variable in a step",
                    path=where,
                )
            )


def dollar(draft: Draft, task: Task, step: Object) -> list[Object]:
    """Return what is to stand first in the env of a written step: the variable that its texts hold for a `$`, if any."""
    texts = [
        *step.get("command", ()),
        *step.get("args", ()),
        *(e.get("value", "") for e in step.get("env", ())),
    ]
    if not any(f"$({DOLLAR}" in text for text in texts):
        return []
    name = dollar_name(draft, task)
    return [{"name": name, "value": "$"}] if any(f"$({name})" in text for text in texts) else []


def dollar_name(draft: Draft, task: Task) -> str:
    """Return what the variable of a task's steps is called that holds a `$`."""
    return _names(draft, task.name)[1]


# From variables to pieces.


def _pieces(draft: Draft, task: Task, text: str, place: Value, path: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = 0
    for variable in find(text):
        try:
            known = _value(draft, task, variable.name)
        except _Unknown as unknown:
            code, message, advice = unknown.args
            span = narrowed(place.span, text[variable.start : variable.end])
            draft.found.append(Diagnostic(code, Severity.ERROR, message, span, help=advice, path=path))
            continue
        pieces += (_Piece(text[at : variable.start]), *known)
        at = variable.end
    return [*pieces, _Piece(text[at:])]


def _value(draft: Draft, task: Task, name: str) -> Sequence[_Piece]:
    """Return what a variable of a task stands for, as `run/resolve.py` says it; raises _Unknown."""
    if name.startswith("context."):
        return _context(name)
    first, second, rest = (*name.split(".", 2), "", "")[:3]
    if (first, second) == ("inputs", "tasks"):
        maker, _, step = rest.partition(".")
        if (maker, step) not in draft.step_names:
            raise _Unknown(
                "DF403", f"$({name}): no step of this plan has this output", "see `plan` for its tasks"
            )
        return (_param(draft.result_param(maker, step)),)
    resource_name, _, field = rest.rpartition(".")
    listed = task.inputs if first == "inputs" else task.outputs
    if second != "resources" or resource_name not in listed or resource_name not in draft.resource_names:
        message = f"$({name}) in task {task.name}: {resource_name or name} is not among its {first}"
        raise _Unknown("DF402", message, f"its {first} are: {', '.join(listed) or 'none'}")
    return _field(draft, task, draft.pipeline.resources[resource_name], field, first)


def _field(draft: Draft, task: Task, resource: Resource, field: str, direction: str) -> Sequence[_Piece]:
    if field == "path":
        return (_Piece(f"/workspace/{'output/' if direction == 'outputs' else ''}{resource.name}"),)
    if field in ("name", "type"):
        return (_Piece(getattr(resource, field)),)
    if field == "digest":
        return _digest(draft, task, resource)
    return _resource_pieces(resource, field)


def _digest(draft: Draft, task: Task, resource: Resource) -> Sequence[_Piece]:
    maker = draft.makers.get(resource.name)
    if resource.type == "image" and maker is not None and maker != task.name:
        return (_param(draft.digest_param(resource.name)),)
    given = _resource_pieces(resource, "digest")
    known = not find(
        "".join(piece.text for piece in given)
    )  # not one that its own digest is to be filled into
    if resource.type != "image" or (given and known):
        return given if known else ()
    if maker == task.name:
        raise _Unknown(
            "DF805",
            f"image {resource.name} has no digest yet: task {task.name} itself makes it",
            "let a task that has the image as an input use the digest",
        )
    raise _Unknown(
        "DF805",
        f"image {resource.name} has no digest: no task of this run makes it, and its resource gives none",
        "write `digest` in the resource, or run the task that makes it",
    )


def _resource_pieces(resource: Resource, field: str) -> Sequence[_Piece]:
    text = resource.param.get(field, "")
    pieces: list[_Piece] = []
    at = 0
    for variable in find(text):
        if variable.is_context:
            pieces += (_Piece(text[at : variable.start]), *_context(variable.name))
            at = variable.end
    return [piece for piece in (*pieces, _Piece(text[at:])) if piece.text]


def _context(name: str) -> Sequence[_Piece]:
    """Return the parameter of a variable of the context; one that Dispatch does not know is empty."""
    return (_param(CONTEXT_PARAMS[name]),) if name in CONTEXT_PARAMS else ()


def _param(name: str) -> _Piece:
    return _Piece(f"$(params.{name})", is_param=True)


# What is kept from Tekton.


def _masked(pieces: Iterable[_Piece]) -> str:
    """Return the text of some pieces with every parameter as a plain word of its length."""
    return "".join("x" * len(piece.text) if piece.is_param else piece.text for piece in pieces)


def _kept(draft: Draft, task: Task, made: str, masked: str, taken: Set[int]) -> str | None:
    """Return the text with what Tekton would take written so that the kubelet makes it what it was, or None.

    None where the kubelet itself would put the value of a variable there, if Tekton let it.
    """
    known, name = _names(draft, task.name)
    written = f"$({name})"
    parts: list[str] = []
    at = 0
    for start, end in references(masked):
        if not any(place in taken for place in range(start, end)):
            continue
        if made[start + 2 : end - 1] in known:
            return None
        # A `$$` is one `$`; a reference to nothing known stays, with every `$` in it.
        pieces = [written] if masked[start:end] == "$$" else [
            written if mask == "$" else char
            for char, mask in zip(made[start:end], masked[start:end], strict=True)
        ]  # fmt: skip
        parts += (made[at:start], *pieces)
        at = end
    return "".join((*parts, made[at:]))


@lru_cache(maxsize=4)
def _names(draft: Draft, task_name: str) -> tuple[Set[str], str]:
    """Return the variables that the steps of a task have, and DOLLAR, or a longer name where a text holds that."""
    task = draft.pipeline.tasks[task_name]
    known = {"HOME", *(variable.name for step in task.steps for variable in step.env)}
    texts = [text for item, _ in strings(task.value, "") if DOLLAR in (text := str(item.data))]
    name = DOLLAR
    while name in known or any(name in text for text in texts):
        name += "_"
    return known, name


def _taken_error(written: str, place: Value, path: str) -> Diagnostic:
    advice = "write it otherwise; in command, args, and env alone such text can be kept as it is"
    if path.endswith(".script"):
        advice = (
            "let the shell put it together, as in D='$'; echo \"${D}(params.x)\"; or use command and args"
        )
    return Diagnostic(
        "DF803",
        Severity.ERROR,
        f"{written}: Tekton takes this for a variable of its own, and here nothing can keep it from that",
        narrowed(place.span, written),
        help=advice,
        path=path,
    )
