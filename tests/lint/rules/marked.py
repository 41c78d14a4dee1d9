"""Sources with marks: «…» around each place at which a rule finds something, and nothing else."""

from __future__ import annotations

import textwrap

from dispatchfile import front
from dispatchfile.diagnostics import Diagnostic
from dispatchfile.lint import engine
from dispatchfile.lint.fix import applied
from dispatchfile.lint.settings import Settings
from dispatchfile.source import Source


def findings(
    code: str,
    text: str,
    name: str = "Dispatchfile.cue",
    settings: Settings | None = None,
    *,
    readable: bool = True,
) -> list[Diagnostic]:
    """Return what a rule finds in a text, which the marks must say exactly; the text must be `readable`, or not."""
    places, plain = [], ""
    for number, piece in enumerate(textwrap.dedent(text).lstrip("\n").split("«")):
        inside, _, rest = piece.partition("»") if number else ("", "", piece)
        if number:
            places.append((len(plain), len(plain) + len(inside)))
        plain += inside + rest
    assert front.read(Source(name, plain)).ok is readable
    found = engine.inspect(Source(name, plain), settings or Settings(select=(code,)))
    told = [one for one in found if one.code == code]
    assert [(one.span.start, one.span.end) for one in told if one.span] == places, "\n".join(map(str, told))
    return told


def mended(code: str, text: str, name: str = "Dispatchfile.cue", *, safe: bool) -> str:
    """Return the text with the fixes of what a rule finds; all of them must be safe, or none."""
    source = Source(name, textwrap.dedent(text).lstrip("\n"))
    found = [one for one in engine.inspect(source, Settings(select=(code,))) if one.code == code]
    fixes = [one.fix for one in found if one.fix is not None]
    assert all(fix.safe is safe for fix in fixes)
    return applied(source.text, fixes)


def dedented(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")
