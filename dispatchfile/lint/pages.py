"""The pages of the rules in `grammar/rules/`, written from the rules' own words.

`python -m dispatchfile.lint.pages` writes them anew, with `--check` it says whether they are up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dispatchfile.lint import catalogue

FOLDER = Path(__file__).parents[2] / "grammar" / "rules"

_HEAD = """\
# Rules of lint

`dispatchfile lint` asks these. Severity: error, warning, or info. Fix: `safe` is made by `--fix` and keeps what the
file means, `unsafe` by `--fix --unsafe-fixes`. `dispatchfile explain CODE` shows a rule's page in the terminal.

| code | name | severity | fix | finds |
|---|---|---|---|---|
"""


def pages() -> dict[str, str]:
    """Return the texts of all pages by file name."""
    rows = [
        f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity} | {rule.fix or '–'} | {_finds(rule)} |\n"
        for rule in catalogue.ENTRIES.values()
    ]
    return {"README.md": _HEAD + "".join(rows)} | {
        f"{code}.md": catalogue.page(code) for code in catalogue.ENTRIES
    }


def _finds(rule: catalogue.Entry) -> str:
    note = " (always on)" if rule.always else " (only when selected)" if rule.optional else ""
    return rule.summary.removesuffix(".").replace("|", "\\|") + note


def main(arguments: list[str]) -> int:
    """Write the pages, or say with `--check` which are not up to date; return the exit code."""
    wanted = pages()
    present = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    stale = sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))
    if "--check" in arguments:
        for name in stale:
            print(f"grammar/rules/{name} is out of date: run `make rules`", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
