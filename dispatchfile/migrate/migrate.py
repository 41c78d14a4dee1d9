"""From a file as it is to the same pipeline in today's words, and in the flavour that is asked for."""

from __future__ import annotations

import re

from dispatchfile import front
from dispatchfile.convert.convert import convert, same
from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError
from dispatchfile.lint.fix import fix
from dispatchfile.lint.settings import Settings
from dispatchfile.record import Record, replace
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.convert.convert import Flavour
    from dispatchfile.model.pipeline import Action, Pipeline, Task
    from dispatchfile.value import Reading

# Deprecated fields and syntax, fields under an older name, and the slash of a chat command, which nothing ever matched.
RULES = ("DF7", "DF101", "DF307")


class Migrated(Record):
    """A file's new text, and remarks on what it does not say any more."""

    text: str
    remarks: tuple[str, ...] = ()


def migrate(source: Source, to: Flavour | None = None) -> Migrated:
    """Return a Dispatchfile without deprecated syntax, in another flavour when one is asked for.

    Only safe fixes are made, and the pipeline is the same before and after. Raises EvaluationError when the file
    cannot be evaluated, or cannot be written in that flavour.
    """
    reading = front.read(source)
    _refuse_errors(reading)
    flavour = front.flavour_of(source)
    newer = fix(_with_short_header(source, flavour), Settings(select=RULES)).source
    remarks: tuple[str, ...] = ()
    if flavour == "cue":
        newer, remarks = _modern(newer)
    after = reading
    if newer.text != source.text:
        after = front.read(newer)
        _refuse_another(reading, after)
    if to is None or to == flavour:
        return Migrated(newer.text, remarks)
    conversion = convert(after, to)
    # What a template or a reference hid from the fixes is plain now.
    mended = fix(Source(f"Dispatchfile.{to}", conversion.text), Settings(select=RULES)).source
    if mended.text != conversion.text:
        _refuse_another(reading, front.read(mended))
    return Migrated(mended.text, conversion.remarks)


def _refuse_another(before: Reading, after: Reading) -> None:
    """Raise EvaluationError unless two readings are the same pipeline."""
    if pipeline_of(before) != pipeline_of(after):
        raise EvaluationError(
            f"{before.source.name}: not migrated: the pipeline would not be the same",
            help="nothing was changed; please report this as a bug",
        )


def _refuse_errors(reading: Reading) -> None:
    wrong = errors(reading.diagnostics)
    if wrong or reading.value is None:
        count = "1 error" if len(wrong) == 1 else f"{len(wrong)} errors"
        raise EvaluationError(f"{reading.source.name}: not migrated: {count}", reading.diagnostics)


def _with_short_header(source: Source, flavour: str) -> Source:
    """Return a source whose first line names the flavour, not the image that once parsed it."""
    first = source.line(1)
    if not re.match(r"#!.*/", first):
        return source
    return Source(source.name, f"#!{flavour}{source.text[len(first) :]}")


def _modern(source: Source) -> tuple[Source, tuple[str, ...]]:
    """Return a CUE source in today's syntax; as it is, and a remark, when that would change its value."""
    from dispatchfile.migrate.modern import modern

    newer = modern(source)
    if newer.text == source.text:
        return source, ()
    before, after = front.read(source).value, front.read(newer)
    if (
        before is not None
        and after.value is not None
        and after.ok
        and same(before.plain(), after.value.plain())
    ):
        return newer, ()
    return source, ("the old syntax of CUE stays: in today's the value would not be the same",)


def pipeline_of(reading: Reading) -> Pipeline | None:
    """Return the pipeline of a reading without regard to how it is spelled: `deps` are inputs, `/test` is `test`."""
    pipeline, _ = front.interpret(reading)
    if pipeline is None:
        return None
    tasks = {name: _task(task) for name, task in pipeline.tasks.items()}
    return replace(pipeline, tasks=tasks, actions=tuple(map(_action, pipeline.actions)))


def _task(task: Task) -> Task:
    return replace(task, inputs=tuple(sorted({*task.inputs, *task.deps})), deps=())


def _action(action: Action) -> Action:
    if action.on is None:
        return action
    words = action.on.chatops and tuple(word.lstrip("/") for word in action.on.chatops)
    return replace(action, on=replace(action.on, path=(), chatops=words))
