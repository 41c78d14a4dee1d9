"""What the parser does at a token that does not fit: name the mistake, mend or skip it, go on. See `parser.py`."""

from __future__ import annotations

from dispatchfile.cue import messages, tree
from dispatchfile.cue.faults import fault
from dispatchfile.cue.lexer import BOTTOM, CLOSERS, COMMA, END, KIND, NL, OPENERS
from dispatchfile.cue.mending import mended
from dispatchfile.cue.place import CLOSER_OF, Place
from dispatchfile.diagnostics import Diagnostic, in_order
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatchfile.cue.lexer import Fault, Token
    from dispatchfile.cue.parser import Parser

MAX_FINDINGS = 30
"""After so many syntax errors the rest of the file is not looked at; it is hardly CUE."""

MAX_REPAIRS = 500
"""How often the parser may be mended, reported or not, before the rest of the file is given up."""

_HOLES = frozenset((KIND["INTERPOLATION_START"], KIND["INTERPOLATION_MIDDLE"]))
_HOLE_ENDS = frozenset((KIND["INTERPOLATION_END"], KIND["INTERPOLATION_MIDDLE"]))


class Findings:
    """The errors so far, one a line at most: what follows on the same line is mostly caused by the first."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.lines: set[int] = set()

    def add(self, diagnostic: Diagnostic, *, line: int | None = None) -> None:
        """Note an error unless its line, or the `line` at which the parser stood, has one already."""
        lines = {span.line for span in [diagnostic.span] if span is not None}
        if line is not None:
            lines.add(line)
        if not lines & self.lines:
            self.diagnostics.append(diagnostic)
        self.lines |= lines

    def add_faults(self, faults: Iterable[Fault]) -> None:
        """Note what the lexer or the builder has found, in the order of the text."""
        for name, start, end in sorted(faults, key=lambda fault: fault[1]):
            if len(self.diagnostics) >= MAX_FINDINGS:
                break
            if self.source.position(start)[0] not in self.lines:  # else `add` would leave it out
                self.add(fault(self.source, name, start, end))


def recovered(
    parser: Parser, file: tree.File | None, faults: list[Fault]
) -> tuple[tree.File | None, tuple[Diagnostic, ...]]:
    """Return the tree of what is sound, and all errors; `parser` stands where it stopped, or has given `file`."""
    unclosed: list[tuple[Diagnostic, int, list[Token]]] = []

    def fresh() -> Findings:
        findings = Findings(parser.source)
        findings.add_faults([*faults, *parser.lexed.faults])
        for diagnostic, _, _ in unclosed:
            findings.add(diagnostic)
        return findings

    findings = fresh()
    repairs = 0
    while file is None and len(findings.diagnostics) < MAX_FINDINGS and repairs < MAX_REPAIRS:
        repairs += 1
        at_end = parser.tokens[parser.position][0] == END
        if at_end and _is_swallowed(parser):
            openers = reversed(Place(parser).openers)
            end = parser.tokens[-1][1]
            parser.insert(*((CLOSER_OF[OPENERS.get(opener[0], "")], end, end) for opener in openers))
        elif at_end and len(unclosed) < 5 and (closing := _closed_by_indent(parser)):
            unclosed.append(closing)
            parser.restart()
            for _, at, missing in unclosed:
                index = next(i for i, token in enumerate(parser.tokens) if token[2] > at or token[0] == END)
                parser.tokens[index:index] = missing
            findings = fresh()
        elif not _repair(parser, findings):
            break
        file = parser.parse()
    if file is None:
        file = _salvaged(parser)
    findings.add_faults(parser.builder.faults)
    return file, messages.reviewed(parser.source, in_order(findings.diagnostics))


def _is_swallowed(parser: Parser) -> bool:
    """Return whether something that does not end has taken the end of the file, brackets and all."""
    end = parser.tokens[-1][1]
    return parser.tokens[parser.position - 1][:1] == (BOTTOM,) and any(
        name in ("unterminated block", "interpolation") and stop == end
        for name, _, stop in parser.lexed.faults
    )


def _repair(parser: Parser, findings: Findings) -> bool:
    """Name the mistake at the parser's token and get behind it; return False to give the file up."""
    if len(parser.states) > 1000:
        findings.add(fault(parser.source, "depth", *parser.tokens[parser.position][1:]))
        return False
    place = Place(parser)
    behind = parser.tokens[parser.position + 1 : parser.position + 2]
    if (
        place.token[0] == NL
        and place.opener_mark in ("[", "(")
        and (behind[0][0] in CLOSERS or behind[0][0] == END)
    ):
        del parser.tokens[parser.position]  # a line end means nothing where a list should end
        return True
    diagnostic = mended(parser, place)
    if diagnostic is not None:
        if not place.is_inserted:  # then it is the doing of an earlier mending, which has been reported
            findings.add(diagnostic, line=place.line)
        return True
    findings.add(messages.unexpected(place), line=place.line)
    return _resume(parser, place)


# Skipping


def _resume(parser: Parser, place: Place) -> bool:
    """Give up the piece in which the parser stands; return False at the end of the file."""
    if place.opener is None or place.opener_mark == "{":
        return _resume_at_line(parser, place)
    if place.opener_mark == "":
        return _resume_behind_string(parser, place)
    closer = CLOSER_OF[place.opener_mark]
    indent = place.indent(place.opener)
    tokens, depth = parser.tokens, 0
    while tokens[parser.position][0] != END:
        token = tokens[parser.position]
        if depth == 0 and (token[0] == COMMA or token[0] in CLOSERS or token[0] in _HOLE_ENDS):
            break
        fresh_line = place.starts_line(token) and place.indent(token) <= indent and token[0] not in CLOSERS
        if depth == 0 and fresh_line and token is not place.token and token[1] > place.opener[2]:
            parser.insert((closer, token[1], token[1]), (NL, token[1], token[1]))
            break
        depth += (token[0] in OPENERS or token[0] == KIND["INTERPOLATION_START"]) - (
            depth > 0 and (token[0] in CLOSERS or token[0] == KIND["INTERPOLATION_END"])
        )
        parser.position += 1
    return _resume_in_brackets(parser, place, closer)


def _resume_in_brackets(parser: Parser, place: Place, closer: int) -> bool:
    """Pop to where the list, call or parenthesis may end, and go on at the comma or closer that was found."""
    while parser.values[-1] is not place.opener and not parser.takes(closer):
        parser.pop()
    token = parser.tokens[parser.position]
    at = token[1]
    if not parser.takes(closer):
        parser.insert((BOTTOM, at, at))
    elif place.token[0] != COMMA and parser.takes(BOTTOM):
        parser.insert((BOTTOM, at, at))  # so that the elements behind it keep their number
    elif token[0] == COMMA and not parser.takes(COMMA):
        parser.position += 1
    elif token[0] == END or token[0] in _HOLE_ENDS:
        parser.insert((closer, at, at))
    elif token is place.token and not parser.takes(token[0]):
        parser.position += 1
    return True


def _resume_behind_string(parser: Parser, place: Place) -> bool:
    r"""Skip to the end of a string in whose `\( )` the parser stands, or of the line; `_|_` stands for the string."""
    tokens, depth = parser.tokens, 0
    while tokens[parser.position][0] != END:
        token = tokens[parser.position]
        if depth == 0 and token[0] == KIND["INTERPOLATION_END"]:
            parser.position += 1
            break
        if (
            token is not place.token
            and place.starts_line(token)
            and place.source.position(token[1])[0] > place.line
        ):
            break
        depth += (token[0] == KIND["INTERPOLATION_START"]) - (token[0] == KIND["INTERPOLATION_END"])
        parser.position += 1
    while parser.values[-1] is not place.opener:
        parser.pop()
    parser.pop()
    if place.opener is not None and place.opener[0] == KIND["INTERPOLATION_MIDDLE"]:
        parser.pop()
    token = tokens[parser.position]
    parser.insert((BOTTOM, place.token[1], tokens[parser.position - 1][2]))
    if place.starts_line(token):
        parser.tokens.insert(parser.position + 1, (NL, token[1], token[1]))
    return True


def _resume_at_line(parser: Parser, place: Place) -> bool:
    """Skip to the next line of the struct, or its end, and pop to the list of declarations."""
    tokens, depth = parser.tokens, 0
    closer = KIND["CLOSE_BRACE"] if place.opener is not None else END
    began = place.source.position(place.token[1])[0] if place.token[0] != NL else -1
    while tokens[parser.position][0] != END:
        token = tokens[parser.position]
        if depth == 0 and (token[0] == closer or (token[0] == NL and parser.position > place.index)):
            break
        later = token is not place.token and place.source.position(token[1])[0] != began
        if depth == 0 and later and place.starts_line(token):
            break
        if token[0] in OPENERS:
            depth += 1
        elif token[0] in CLOSERS and depth:
            depth -= 1
        elif token[0] == NL and depth == 0:
            break
        parser.position += 1
    floor = place.opener
    while (
        parser.values and parser.values[-1] is not floor and not (parser.takes(NL) and parser.takes(closer))
    ):
        parser.pop()
    token = tokens[parser.position]
    if token[0] == NL and not parser.takes(NL):
        parser.position += 1
    elif token[0] not in (NL, closer, COMMA) and parser.takes(NL):
        parser.insert((NL, token[1], token[1]))
    elif token[0] == END and closer != END:
        parser.insert((closer, token[1], token[1]))
    elif token is place.token and not parser.takes(token[0]):
        parser.position += token[0] != END
        return token[0] != END
    return True


def _closed_by_indent(parser: Parser) -> tuple[Diagnostic, int, list[Token]] | None:
    """Return what to say about the innermost open block at the file's end, and what closes it, at which offset.

    It is closed before the first line that is indented no deeper than its own first line.
    """
    place = Place(parser)
    opener = place.opener
    if opener is None or opener[0] not in OPENERS:
        return None
    indent = place.indent(opener)
    at, guess = parser.tokens[-1][1], END
    for token in parser.lexed.tokens:
        if (
            token[1] > opener[1]
            and token[0] != NL
            and place.starts_line(token)
            and place.indent(token) <= indent
        ):
            at, guess = token[1], token[0]
            break
    missing = [(CLOSER_OF[OPENERS[opener[0]]], at, at)]
    if guess not in (END, COMMA) and guess not in CLOSERS:
        missing.append((NL, at, at))
    return messages.never_closed(place, opener, at), at, missing


def _salvaged(parser: Parser) -> tree.File | None:
    """Return a file of the declarations that stand complete on the stack, at its bottom."""
    found = parser.values[0] if parser.values else None
    if not isinstance(found, list) or (found and isinstance(found[0], tuple | tree.For | tree.If)):
        found = []  # the first declaration is not complete: these are its labels, or its clauses
    return parser.builder.file(found)
