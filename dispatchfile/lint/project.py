"""Reads the `[lint]` table of the project's `.dispatchfile.toml`, and lists of rules as the options have them."""

from __future__ import annotations

import os

from dispatchfile.diagnostics import Severity
from dispatchfile.errors import UsageError
from dispatchfile.lint import catalogue
from dispatchfile.lint.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def from_table(table: Any, origin: str) -> Settings:
    """Return the settings in the `[lint]` table of a file; raises UsageError for what is unknown or of a wrong kind."""
    readers = {
        "select": _words,
        "ignore": _ignored,
        "severity": _severities,
        "trusted-registries": _patterns,
        "per-file-ignores": _per_file,
        "fail-on": _severity,
    }
    if not isinstance(table, dict):
        raise UsageError(f'"lint" in {origin} must be a table', help="write [lint] on a line of its own")
    fields: dict[str, Any] = {"folder": os.path.dirname(os.path.abspath(origin))}
    for name, value in table.items():
        if name not in readers:
            raise _unknown(f'setting "lint.{name}"', origin, name, readers)
        fields[name.replace("-", "_")] = readers[name](value, f"lint.{name} in {origin}")
    return Settings(**fields)


def words(given: Iterable[str], where: str, *, off: bool = False) -> tuple[str, ...]:
    """Return codes and names in a list of words, also of words with commas; raises UsageError for unknown ones.

    With `off` the words are to be switched off, which those of rules that are always on cannot.
    """
    every = tuple(word.strip() for text in given for word in text.split(",") if word.strip())
    for word in every:
        codes = catalogue.codes(word)
        if not codes:
            meant = catalogue.nearest_word(word)
            advice = f'did you mean "{meant}"?' if meant else "see `dispatchfile explain --all`"
            raise UsageError(f'"{word}" in {where} is no rule', help=advice)
        if off and all(catalogue.ENTRIES[code].always for code in codes):
            raise UsageError(f"{word} in {where} is always on", help="mend what it finds")
    return every


def _words(value: Any, where: str) -> tuple[str, ...]:
    return words(_texts(value, where), where)


def _ignored(value: Any, where: str) -> tuple[str, ...]:
    return words(_texts(value, where), where, off=True)


def _texts(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where} must be a list of texts, not {value!r}", help='such as ["DF601", "DF7"]')
    return value


def _severity(value: Any, where: str) -> Severity:
    if value in list(Severity):
        return Severity(value)
    raise UsageError(f"{where} is {value!r}", help=f"use one of {', '.join(Severity)}")


def _severities(value: Any, where: str) -> dict[str, Severity]:
    pairs = _table(value, where, '{DF601 = "info"}')
    return {
        code: _severity(severity, f"{word} of {where}")
        for word, severity in pairs.items()
        for name in words([word], where, off=True)
        for code in catalogue.codes(name)
        if not catalogue.ENTRIES[code].always
    }


def _patterns(value: Any, where: str) -> tuple[str, ...]:
    return tuple(_checked(pattern, where, "name") for pattern in _texts(value, where))


def _per_file(value: Any, where: str) -> dict[str, tuple[str, ...]]:
    pairs = _table(value, where, '{"examples/**" = ["DF6"]}')
    return {
        _checked(pattern, where, "path"): _ignored(codes, f'"{pattern}" of {where}')
        for pattern, codes in pairs.items()
    }


def _checked(pattern: str, where: str, mode: Any) -> str:
    from dispatchfile import glob

    try:
        glob.matches(pattern, "", mode)
    except glob.GlobError as error:
        raise UsageError(f'the pattern "{pattern}" of {where} cannot be read: {error.message}') from None
    return pattern


def _table(value: Any, where: str, example: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} must be a table, not {value!r}", help=f"such as {example}")
    return value


def _unknown(what: str, origin: str, name: str, known: Iterable[str]) -> UsageError:
    from dispatchfile.spelling import nearest

    meant = nearest(name, known)
    return UsageError(
        f"unknown {what} in {origin}",
        help=f'did you mean "{meant}"?' if meant else f"the settings of lint are {', '.join(known)}",
    )
