"""All rules, without importing one: `_catalogue.py` holds what their modules say of themselves.

`python -m dispatchfile.lint.catalogue` writes that table anew, with `--check` it says whether it is up to date.
"""

from __future__ import annotations

import sys

from dispatchfile import late
from dispatchfile.diagnostics import Severity
from dispatchfile.lint._catalogue import RULES
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from dispatchfile.lint.rule import FixKind

_ROOM = "dispatchfile.lint.rules"


class Entry(Record):
    """A rule (see `rule.Rule`), whether its module has `check` and `gathered`, the module below `rules`, and its first line."""

    code: str
    name: str
    severity: Severity
    fix: FixKind
    always: bool
    optional: bool
    whole: bool
    needs: str
    checks: bool
    gathers: bool
    module: str
    summary: str

    @property
    def group(self) -> str:
        """Return the folder of the rule: language, structure, references, …."""
        return self.module.partition(".")[0]

    @property
    def selected_by(self) -> str:
        """Return what selects an optional rule; its group does where all rules of that are optional."""
        group = self.code[:3]
        whole = all(ENTRIES[code].optional for code in codes(group))
        if whole:
            return f"by {self.code}, {self.name}, or its group {group}"
        return f"by {self.code} or {self.name}"

    def concerns(self, text: str) -> bool:
        """Return whether a text may break the rule, by the words that it needs for that."""
        return not self.needs or any(word in text for word in self.needs.split())

    def load(self) -> ModuleType:
        """Return the rule's module."""
        return late.module(f"{_ROOM}.{self.module}")


def _entries(rows: Any) -> dict[str, Entry]:
    return {row[0]: Entry(row[0], row[1], Severity(row[2]), *row[3:]) for row in rows}


ENTRIES = _entries(RULES)


def codes(word: str) -> tuple[str, ...]:
    """Return the codes that a word stands for: a rule's code or its name, or the beginning of codes (`DF7`, `DF`)."""
    start = word.upper()
    if start.startswith("DF") and (start == "DF" or start[2:].isdigit()):
        return tuple(code for code in ENTRIES if code.startswith(start))
    return tuple(entry.code for entry in ENTRIES.values() if entry.name == word)


def nearest_word(word: str) -> str | None:
    """Return the code or name that looks most like a word that is neither, or None."""
    from dispatchfile.spelling import nearest

    is_code = word[-1:].isdigit()
    return nearest(word, ENTRIES if is_code else [one.name for one in ENTRIES.values()])


def entry(word: str) -> Entry:
    """Return the rule of a code or name; raises KeyError."""
    if word in ENTRIES:
        return ENTRIES[word]
    found = [one for one in ENTRIES.values() if one.name == word or one.code == word.upper()]
    if not found:
        raise KeyError(word)
    return found[0]


def page(word: str) -> str:
    """Return the page of a rule in markdown: title, severity and fix, and what its module says; raises KeyError."""
    rule = entry(word)
    fixes = {"safe": ", mended by `--fix`", "unsafe": ", mended by `--fix --unsafe-fixes`"}
    facts = f"{str(rule.severity).capitalize()}{fixes.get(rule.fix, '')}."
    if rule.always:
        facts += " Always on: neither settings nor comments silence it."
    if rule.optional:
        facts += f" Off unless selected {rule.selected_by}."
    return f"# {rule.code} {rule.name}\n\n{facts}\n\n{(rule.load().__doc__ or '').strip()}\n"


def generated() -> str:
    """Return the text of `_catalogue.py`: one row for each rule module, in order of codes."""
    import pkgutil

    found = []
    for module in pkgutil.walk_packages(late.module(_ROOM).__path__, f"{_ROOM}."):
        loaded = late.module(module.name)
        if hasattr(loaded, "RULE"):
            found.append((loaded.RULE.code, _row(loaded)))
    head = '"""The rules; written by `python -m dispatchfile.lint.catalogue`, not by hand."""\n\n'
    return f"{head}RULES = (\n{''.join(row for _, row in sorted(found))})\n"


def _row(module: ModuleType) -> str:
    rule = module.RULE
    name = module.__name__.removeprefix(f"{_ROOM}.")
    summary = (module.__doc__ or "").partition("\n")[0]
    fields = (
        rule.code, rule.name, str(rule.severity), rule.fix, rule.always, rule.optional, rule.whole, rule.needs,
        hasattr(module, "check"), hasattr(module, "gathered"), name, summary,
    )  # fmt: skip
    return f"    {fields!r},\n"


def main(arguments: list[str]) -> int:
    """Write the table, or say with `--check` whether it is up to date; return the exit code."""
    from pathlib import Path

    path = Path(__file__).with_name("_catalogue.py")
    text = generated()
    if "--check" not in arguments:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.read_text(encoding="utf-8") == text:
        return 0
    print("dispatchfile/lint/_catalogue.py is out of date: run `make rules`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
