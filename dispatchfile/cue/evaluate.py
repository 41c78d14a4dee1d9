"""A source's value: parse it, resolve its names, evaluate, export; everything that is wrong is told at once."""

from __future__ import annotations

import sys

from dispatchfile.cue.export import Exporter
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
    parsing = parse(source)
    found = list(parsing.diagnostics)
    if parsing.file is None:
        return Reading(source, None, tuple(found))
    scopes = resolve(parsing.file, complete=not errors(found))
    found += scopes.diagnostics
    machine = Machine(parsing.file, scopes)
    value, problems = _evaluated(machine, parsing.file)
    if not errors(parsing.diagnostics):
        found += problems
    return Reading(source, value, tuple(sorted(found, key=_order)))


def _evaluated(machine: Machine, file: tree.File) -> tuple[Value | None, list[Diagnostic]]:
    exporter = Exporter(machine)
    frames = sys.getrecursionlimit()
    sys.setrecursionlimit(max(frames, FRAMES))
    value = None
    try:
        value = exporter.value(machine.root)
    except (Exhausted, RecursionError) as problem:
        message = str(problem) if isinstance(problem, Exhausted) else "values nest too deeply"
        exporter.found.append(Diagnostic("DF003", Severity.ERROR, message, Span(file.source, 0, 0)))
    finally:
        sys.setrecursionlimit(frames)
    return value, exporter.found


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
