"""A source's value: parse it, resolve its names, evaluate, export; everything that is wrong is told at once."""

from __future__ import annotations

import gc
import sys

from dispatchfile.cue.exporter import Exporter
from dispatchfile.cue.parser import parse
from dispatchfile.cue.scope import resolve
from dispatchfile.cue.unify import Exhausted, Machine
from dispatchfile.diagnostics import Diagnostic, Severity, errors
from dispatchfile.errors import EvaluationError
from dispatchfile.source import Source, Span
from dispatchfile.value import Reading, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue import tree
    from dispatchfile.value import Plain, Scalar

FRAMES = 40_000  # of the interpreter's stack; the evaluator's own limit on depth comes first


def read(source: Source) -> Reading:
    """Return the value of a source as far as it can be built, and every finding on the way, in order of place."""
    frames, collects = sys.getrecursionlimit(), gc.isenabled()
    gc.disable()  # nothing of a tree or a value is garbage while it is made, but looking for it takes most of the time
    try:
        parsing = parse(source)
        if parsing.file is None:
            return Reading(source, None, parsing.diagnostics)
        sys.setrecursionlimit(max(frames, FRAMES))
        value, found = _evaluated(parsing.file, complete=not errors(parsing.diagnostics))
    finally:
        sys.setrecursionlimit(frames)
        if collects:
            gc.enable()
    if errors(parsing.diagnostics):
        from dispatchfile.cue.consequences import sound

        found = sound(found, parsing)
    return Reading(source, value, tuple(sorted([*parsing.diagnostics, *found], key=_order)), parsing.file)


def _evaluated(file: tree.File, *, complete: bool) -> tuple[Value | None, list[Diagnostic]]:
    """Return a file's value and what is wrong; nothing is said to be unused in a file with syntax errors."""
    found: list[Diagnostic] = []
    value = None
    try:
        scopes = resolve(file, complete=complete)
        found += scopes.diagnostics
        exporter = Exporter(Machine(file, scopes))
        exporter.found = found
        try:
            value = exporter.value(exporter.machine.root)
            if exporter.machine.decided and not found:
                from dispatchfile.cue.constancy import check

                check(exporter)
        except Exhausted as problem:
            place = problem.span or exporter.machine.place(exporter.at)
            path = problem.path or exporter.at.path()
            advice = "look for values that multiply, or refer to each other in long chains"
            found.append(Diagnostic("DF003", Severity.ERROR, str(problem), place, help=advice, path=path))
    except RecursionError:
        found.append(
            Diagnostic("DF003", Severity.ERROR, "expressions nest too deeply", Span(file.source, 0, 0))
        )
    return value, found


def _order(found: Diagnostic) -> int:
    return found.span.start if found.span is not None else 0


def export(text: str) -> Plain:
    """Return the value of a text as JSON holds it; raises EvaluationError when it has none."""
    reading = read(Source("-", text))
    wrong = errors(reading.diagnostics)
    if wrong or reading.value is None:
        message = wrong[0].message if wrong else "there is no value"
        raise EvaluationError(message, reading.diagnostics)
    return _json(reading.value)


def _json(value: Value) -> Plain:
    data = value.data
    if isinstance(data, dict):
        return {label: _json(item) for label, item in data.items()}
    if isinstance(data, list):
        return [_json(item) for item in data]
    return _number(data)


def _number(data: Scalar) -> Plain:
    if data is None or isinstance(data, (bool, int, str)):
        return data
    from dispatchfile.cue.numbers import json_number

    return json_number(data)
