"""What a stream can show: colours and signs, and the rules that decide it."""

from __future__ import annotations

import os

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}

SIGNS = {"yes": ("✓", "+"), "no": ("✗", "x"), "item": ("•", "*"), "none": ("–", "-"), "arrow": ("→", "->")}


class Terminal(Record):
    """A stream, whether it shows colour, and whether it shows more than ASCII."""

    stream: TextIO
    color: bool
    unicode: bool

    @classmethod
    def of(cls, stream: TextIO, choice: str | None = None) -> Terminal:
        """Return what is known of a stream; `choice` is the value of `--color`, or None when it was not given."""
        encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
        return cls(stream, wants_color(stream, choice), encoding.startswith("utf"))

    def style(self, text: str, *styles: str) -> str:
        """Return the text in the styles (names of STYLES), or as it is where there is no colour."""
        if not self.color or not text:
            return text
        return f"\033[{';'.join(STYLES[style] for style in styles)}m{text}\033[0m"

    def sign(self, name: str) -> str:
        """Return a sign of SIGNS, in ASCII where the stream's encoding asks for it."""
        return SIGNS[name][0 if self.unicode else 1]

    def print(self, text: str = "") -> None:
        """Print a line."""
        print(text, file=self.stream)


def wants_color(stream: TextIO, choice: str | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether to colour a stream.

    `--color`, then DISPATCHFILE_COLOR, NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, TERM=dumb, and last whether this
    very stream is a terminal.
    """
    choice = choice or environment.get("DISPATCHFILE_COLOR") or "auto"
    if choice in ("always", "never"):
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return environment.get("TERM") != "dumb" and stream.isatty()
