"""Inspects a file: reads it, lets every rule look at it, and leaves out what the settings and comments silence."""

from __future__ import annotations

from dispatchfile import front
from dispatchfile.diagnostics import Diagnostic, in_order
from dispatchfile.lint.rule import Subject
from dispatchfile.lint.settings import DEFAULT, Settings
from dispatchfile.source import Source


def inspect(source: Source, settings: Settings = DEFAULT) -> tuple[Diagnostic, ...]:
    """Return everything that is wrong with a file, in order of place; never raises for what a file may hold."""
    return tuple(in_order(subject(source, settings).found))


def subject(source: Source, settings: Settings = DEFAULT) -> Subject:
    """Return a file with what each stage made of it."""
    reading = front.read(source)
    pipeline, found = front.interpret(reading)
    return Subject(source, settings, reading, pipeline, found)
