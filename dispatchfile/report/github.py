"""Diagnostics as workflow commands of GitHub Actions, which shows them beside the lines of a pull request."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.report.secrets import shown
from dispatchfile.report.text import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """Return one workflow command for each diagnostic, in order of their places."""
    return "".join(_command(found) + "\n" for found in shown(diagnostics))


def _command(found: Diagnostic) -> str:
    properties = {"title": f"dispatchfile ({found.code})"}
    place = ""
    if found.span is not None:
        source = found.span.source
        line, column = source.position(found.span.start)
        end_line, end_column = source.position(found.span.end)
        properties |= {"file": source.name, "line": str(line)}
        if line == end_line:
            # GitHub drops an annotation that has columns and more than one line. Its end column is included.
            properties |= {
                "col": str(column),
                "endLine": str(line),
                "endColumn": str(max(column, end_column - 1)),
            }
        else:
            properties["endLine"] = str(end_line)
        # The log shows the message only; where it is belongs there too.
        place = f"{found.span}: "
    advice = f"\n{found.help}" if found.help else ""
    head = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[found.severity]} {head}::{_message(f'{place}{found.code} {found.message}{advice}')}"


def _message(text: str) -> str:
    """Return a text as the message of a command: one line, with nothing that would end it or begin another."""
    return harmless(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
