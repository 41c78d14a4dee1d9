"""From a file as it is to the same pipeline in today's words, and in the flavour that is asked for."""

from __future__ import annotations

import re

from dispatchfile import front
from dispatchfile.convert.convert import convert, same
from dispatchfile.cue import tree
from dispatchfile.cue.printer import printed
from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError
from dispatchfile.lint import engine
from dispatchfile.lint.fix import fix
from dispatchfile.lint.settings import Settings
from dispatchfile.record import Record, replace
from dispatchfile.source import Source
from dispatchfile.spelling import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.convert.convert import Flavour
    from dispatchfile.lint.rule import Subject
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
    before = _subject(source)
    _refuse_errors(before.reading)
    flavour = front.flavour_of(source)
    after = _fixed(_with_short_header(before, flavour))
    remarks: tuple[str, ...] = ()
    if flavour == "cue":
        after, remarks = _modern(after)
        after = _formatted(before, after)
    _refuse_another(before, after)
    if to is None or to == flavour:
        return Migrated(after.source.text, remarks)
    conversion = convert(after.reading, to)
    # What a template or a reference hid from the fixes is plain now.
    plain = engine.subject(conversion.reading.source, Settings(select=RULES), conversion.reading)
    mended = _fixed(plain)
    _refuse_another(plain, mended)
    return Migrated(mended.source.text, conversion.remarks)


def _subject(source: Source) -> Subject:
    return engine.subject(source, Settings(select=RULES))


def _fixed(subject: Subject) -> Subject:
    """Return a file with all safe fixes of deprecated syntax."""
    done = fix(subject.source, subject.settings, findings=engine.findings(subject))
    return done.subject or subject


def _refuse_another(before: Subject, after: Subject) -> None:
    """Raise EvaluationError unless two files are the same pipeline."""
    if before is not after and spelled_alike(before.pipeline) != spelled_alike(after.pipeline):
        raise EvaluationError(
            f"{before.source.name}: not migrated: the pipeline would not be the same",
            help="nothing was changed; please report this as a bug",
        )


def _refuse_errors(reading: Reading) -> None:
    wrong = errors(reading.diagnostics)
    if wrong or reading.value is None:
        count = counted(len(wrong), "error")
        raise EvaluationError(f"{reading.source.name}: not migrated: {count}", reading.diagnostics)


def _with_short_header(subject: Subject, flavour: str) -> Subject:
    """Return a file whose first line names the flavour, not the image that once parsed it."""
    source = subject.source
    first = source.line(1)
    if not re.match(r"#!.*/", first):
        return subject
    return _subject(source.with_text(f"#!{flavour}{source.text[len(first) :]}"))


def _modern(subject: Subject) -> tuple[Subject, tuple[str, ...]]:
    """Return a CUE file in today's syntax; as it is, and a remark, when that would change its value."""
    from dispatchfile.migrate.modern import modern

    newer = modern(subject.source, subject.reading.syntax)
    if newer.text == subject.source.text:
        return subject, ()
    after = _subject(newer)
    if (
        subject.value is not None
        and after.value is not None
        and after.reading.ok
        and same(subject.value.plain(), after.value.plain())
    ):
        return after, ()
    return subject, ("the old syntax of CUE stays: in today's the value would not be the same",)


def _formatted(before: Subject, after: Subject) -> Subject:
    """Return a CUE file that was migrated in the layout of `fmt` if the old one had it, else as it is."""
    old, new = before.reading.syntax, after.reading.syntax
    if (
        before.source.text == after.source.text
        or not isinstance(old, tree.File)
        or not isinstance(new, tree.File)
    ):
        return after
    if printed(old) != before.source.text or (text := printed(new)) == after.source.text:
        return after
    return _subject(after.source.with_text(text))


def spelled_alike(pipeline: Pipeline | None) -> Pipeline | None:
    """Return a pipeline without regard to how it is spelled: `deps` are inputs, `/test` is `test`."""
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
