"""Whether two CUE texts say the same, word for word and comment for comment: the proof that a layout is harmless."""

from __future__ import annotations

from dispatchfile.cue import literals
from dispatchfile.cue.lexer import CLOSERS, END
from dispatchfile.cue.parser import Parser
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.atoms import Atoms


def difference(before: Atoms, after: Atoms) -> str:
    """Return what a text says otherwise than one without syntax errors, empty when it says the same.

    The tree follows from the words and from where something separates them. Commas and line ends count alike, since
    the grammar takes either; a text that has the wrong one of them does not parse.
    """
    if before.first_line != after.first_line:
        return "its first line"
    if before.kinds != after.kinds or _separated(before) != _separated(after):
        return "its syntax"
    for at, (old, new) in enumerate(zip(before.texts, after.texts, strict=True)):
        if old != new and not _same_string(before, after, at):
            return f"the word {old!r}"
    comments = [[atoms.text[start:end] for start, end in atoms.lexed.comments] for atoms in (before, after)]
    if comments[0] != comments[1]:
        return "its comments"
    parser = Parser(Source("", after.text), after.lexed)
    if after.lexed.faults or not parser.takes(*(token[0] for token in after.lexed.tokens)):
        return "it cannot be read any more"
    return ""


def _separated(atoms: Atoms) -> list[bool]:
    """Return before which atoms a separator matters: none does before a closing bracket, or at the end."""
    return [
        gap.separates and kind not in CLOSERS and kind != END
        for gap, kind in zip(atoms.gaps, atoms.kinds, strict=True)
    ]


def _same_string(before: Atoms, after: Atoms, at: int) -> bool:
    """Return whether a string stands for the same in two texts, with the same expressions inside it."""
    old, new = _pieces(before, at), _pieces(after, at)
    return "\n" in before.texts[at] and old == new


def _pieces(atoms: Atoms, at: int) -> tuple[list[str | bytes], list[str]]:
    """Return the values of a string's pieces, and the texts of the expressions between them."""
    start = atoms.starts[at]
    places = atoms.pieces.get(at, [(start, start + len(atoms.texts[at]))])
    values = literals.pieces([atoms.text[first:last] for first, last in places])
    return values, atoms.expressions(at)
