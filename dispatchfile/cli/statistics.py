"""How often each rule was broken, for `lint --statistics`."""

from __future__ import annotations

from dispatchfile.errors import UsageError
from dispatchfile.lint import catalogue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatchfile.diagnostics import Diagnostic


def statistics(findings: Iterable[Diagnostic], kind: str) -> str:
    """Return a line for each rule, the most broken one first, or as JSON; raises UsageError for other formats.

    Behind it stands the option that mends all of the rule's findings here, where there is one.
    """
    if kind not in ("full", "concise", "json"):
        raise UsageError(f"there are no statistics as {kind}", help="use full, concise, or json")
    found: dict[str, list[Diagnostic]] = {}
    for one in findings:
        found.setdefault(one.code, []).append(one)
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    if kind == "json":
        import json

        records = [
            {
                "code": code,
                "name": _name(code),
                "count": len(each),
                "fixable": sum(one.fix is not None for one in each),
            }
            for code, each in ranked
        ]
        return json.dumps(records, indent=2) + "\n"
    width = max((len(str(len(each))) for _, each in ranked), default=1)
    return "".join(f"{len(each):>{width}}  {code}  {_name(code)}{_mender(each)}\n" for code, each in ranked)


def _name(code: str) -> str:
    return catalogue.ENTRIES[code].name if code in catalogue.ENTRIES else ""


def _mender(findings: Iterable[Diagnostic]) -> str:
    fixes = [one.fix for one in findings]
    if all(fix is not None and fix.safe for fix in fixes):
        return "  (--fix)"
    return "  (--fix --unsafe-fixes)" if all(fix is not None for fix in fixes) else ""
