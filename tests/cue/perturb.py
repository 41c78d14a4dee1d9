"""Texts that say the same as a given one, with other white space and with comments wherever there may be some."""

from __future__ import annotations

from random import Random

from dispatchfile.cue import tree
from dispatchfile.cue.lexer import CLOSERS, COMMA, END, KIND, NL, OPENERS, tokenize
from dispatchfile.cue.parser import Parsing, parse
from dispatchfile.source import Source

COMMENTS = (
    "//",
    "// a",
    "//b // c",
    '// ü "quote',
    "//  blanks  ",
    "// {[(",
    "// dispatchfile: ignore[DF601] because",
)
BITS = (
    "\r", "\r\n", "\n", " ", "\t", "//x\n", ",", "...", "!", "?", "<", "=", "=~", "-", "div ", "in ", "for ", "if ",
    "let ", '"', '"""\n', "\\(", ")", "(", "[", "]", "{", "}", "@a(\n)", "`a`", "#", "'", "1.", "e", "\xa0", "\ufeff",
    "_|_", "X=", "::", ":", ".", "|",
)  # fmt: skip
CONTINUES = {
    KIND[name]
    for name in (
        "COLON", "DOT", "ELLIPSIS", "EQUALS", "DISJOIN", "CONJOIN", "OR", "AND", "EQUAL", "UNEQUAL", "LESS", "AT_MOST",
        "GREATER", "AT_LEAST", "MATCHES", "DIFFERS", "PLUS", "MINUS", "TIMES", "DIVIDE", "IN", "IF",
    )
}  # fmt: skip


def parsed(text: str) -> Parsing:
    return parse(Source("Dispatchfile", text))


def shape(node: object) -> object:
    """Return a tree without places, to compare."""
    if isinstance(node, tree.Node):
        fields = (name for name in node._fields if name not in ("span", "source", "comments"))
        return (type(node).__name__, *(shape(getattr(node, name)) for name in fields))
    return tuple(shape(item) for item in node) if isinstance(node, tuple) else node


def comments(text: str) -> list[str]:
    return [text[start:end] for start, end in tokenize(text).comments]


def perturbed(text: str, random: Random, eagerness: float = 0.3) -> str:
    """Return a text with the same tree as one without errors; comments that were there stay."""
    lexed = tokenize(text)
    places = lexed.comments
    out, end, holes = [], 0, []
    for at, (kind, start, stop) in enumerate(lexed.tokens):
        if kind == NL:
            continue
        gap = text[end:start]
        previous = lexed.tokens[at - 1][0] if at else NL
        commented = any(end <= place < start for place, _ in places)
        if not holes and not commented and random.random() < eagerness:
            gap = _gap(gap, previous, kind, random)
        out += (gap, text[start:stop])
        end = stop
        if kind == KIND["INTERPOLATION_START"]:
            holes.append(kind)
        elif kind == KIND["INTERPOLATION_END"]:
            holes.pop()
    return "".join(out)


def _gap(gap: str, previous: int, kind: int, random: Random) -> str:
    """Return another gap between two tokens, the first of which may be an inserted comma."""
    breakable = previous in (NL, COMMA) or previous in OPENERS or previous in CONTINUES or kind in CLOSERS
    if gap.startswith("#!") or (kind == END and not gap):
        return gap
    if previous == NL and "\n" not in gap and gap:
        return gap
    if not breakable or (previous == NL and "\n" not in gap):
        return gap + random.choice(("", " ", "\t", "  "))
    if previous == NL and kind not in CLOSERS and kind != END and random.random() < 0.2:
        return ", "

    def blanks() -> str:
        return random.choice(("", "", " ", "   ", "\t"))

    made = blanks()
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        made += " " + random.choice(COMMENTS) + random.choice(("\n", "\n\n", "\r\n", "\n   \n\n")) + blanks()
    if ("\n" in gap and (previous == NL or random.random() < 0.5)) or random.random() < 0.2:
        made += random.choice(("\n", "\n\n\n", "\r\n")) + blanks()
    return made or gap


def damaged(text: str, random: Random) -> str:
    """Return a text with a few small pieces put in, taken out, or copied; now and then it is sound."""
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randint(0, len(text))
        kind = random.randrange(3)
        if kind == 0:
            text = text[:at] + random.choice(BITS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + random.choice((1, 2, 5)) :]
        else:
            start = random.randint(0, len(text))
            text = text[:at] + text[start : start + random.choice((1, 3, 10))] + text[at:]
    return text
