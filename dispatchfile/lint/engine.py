"""Inspects a file: reads it, lets every rule look at it, and leaves out what the settings and comments silence."""

from __future__ import annotations

from dispatchfile import front
from dispatchfile.diagnostics import Diagnostic, Severity, errors, in_order
from dispatchfile.lint import catalogue
from dispatchfile.lint.rule import Subject
from dispatchfile.lint.settings import DEFAULT, Settings
from dispatchfile.record import replace
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatchfile.value import Reading


IGNORE_MARK = "dispatchfile:"  # in every ignore comment


class RuleCrash(Exception):
    """A rule failed, which is a bug; `findings` is what the others have found. The cause says why."""

    def __init__(self, code: str, cause: Exception, findings: tuple[Diagnostic, ...]) -> None:
        super().__init__(f"the rule {code} failed with {cause!r}")
        self.findings = findings


def inspect(source: Source, settings: Settings = DEFAULT) -> tuple[Diagnostic, ...]:
    """Return everything that is wrong with a file, in order of place; never raises for what a file may hold.

    Raises RuleCrash when a rule has a bug, once all others have been asked.
    """
    return findings(subject(source, settings))


def findings(looked_at: Subject) -> tuple[Diagnostic, ...]:
    """Return what `inspect` does for a file that has been read already, and raise what it raises."""
    source = looked_at.source
    chosen = looked_at.settings.chosen(source.name)
    found = [one for one in looked_at.found if one.code in chosen or one.code not in catalogue.ENTRIES]
    crash: tuple[str, Exception] | None = None
    readable = not errors(looked_at.reading.diagnostics)
    for rule in catalogue.ENTRIES.values():
        if not rule.checks or rule.code not in chosen or (rule.whole and not readable):
            continue
        if rule.concerns(source.text):
            try:
                found += rule.load().check(looked_at)
            except Exception as error:  # noqa: BLE001 raised again below
                crash = crash or (rule.code, error)
    judged = chosen if readable and crash is None else ()
    told = _told(looked_at, found, chosen, judged)
    if crash is not None:
        raise RuleCrash(*crash, told) from crash[1]
    return told


def subject(source: Source, settings: Settings = DEFAULT, reading: Reading | None = None) -> Subject:
    """Return a file with what each stage made of it; `reading` is its value when that is known."""
    reading = reading or front.read(source)
    pipeline, found = front.interpret(reading)
    return Subject(source, settings, reading, pipeline, tuple(map(_judged, found)))


def _judged(found: Diagnostic) -> Diagnostic:
    """Return a finding of a stage as lint tells it: what this program cannot read is no mistake of the file."""
    return replace(found, severity=Severity.INFO) if found.message == front.NO_STARLARK else found


def _told(
    looked_at: Subject, found: list[Diagnostic], chosen: frozenset[str], judged: Iterable[str]
) -> tuple[Diagnostic, ...]:
    """Return the findings as they are shown: not silenced, of the severity that is set, each once, in order."""
    if IGNORE_MARK in looked_at.source.text:
        from dispatchfile.lint.ignores import CODE
        from dispatchfile.lint.suppress import silenced

        found = [
            one
            for one in silenced(looked_at.reading, found, frozenset(judged))
            if one.code != CODE or CODE in chosen
        ]
    for code in sorted({one.code for one in found if one.code in catalogue.ENTRIES}):
        entry = catalogue.ENTRIES[code]
        if entry.gathers:
            same = in_order(one for one in found if one.code == code)
            found = [*(one for one in found if one.code != code), entry.load().gathered(looked_at, same)]
    severities = looked_at.settings.severity
    if severities:
        found = [replace(one, severity=severities.get(one.code, one.severity)) for one in found]
    once = {(one.code, one.span, one.message): one for one in reversed(found)}
    return tuple(in_order(once.values()))
