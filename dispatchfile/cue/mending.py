"""The small changes that let the parser go on at a token that does not fit; each says what it has mended."""

from __future__ import annotations

from dispatchfile.cue import messages, slips
from dispatchfile.cue.lexer import (
    BOTTOM,
    CLOSERS,
    COLON,
    COMMA,
    END,
    IDENT,
    KIND,
    NL,
    OPENERS,
    STRING,
)  # fmt: skip
from dispatchfile.cue.place import CLOSER_OF, Place
from dispatchfile.diagnostics import Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dispatchfile.cue.lexer import Token
    from dispatchfile.cue.parser import Parser

_CLOSE_BRACKET = KIND["CLOSE_BRACKET"]
_MARKS = frozenset((KIND["QUESTION"], KIND["EXCLAMATION"]))


MAX_READ_AGAIN = 5_000_000
"""How many characters are read again in all, because a mending is better made before the text is parsed."""


def mended(parser: Parser, place: Place) -> Diagnostic | None:
    """Change the tokens so that the parser can go on; return what was wrong, None when nothing fits."""
    for attempt in _ATTEMPTS:
        diagnostic = attempt(parser, place)
        if diagnostic is not None:
            return diagnostic
    return None


def _closing_bracket(parser: Parser, place: Place) -> Diagnostic | None:
    """Drop a bracket that closes nothing, exchange a wrong one, or put in the one that is missing before it."""
    mark = CLOSERS.get(place.token[0])
    if mark is None or place.opener_mark == mark:
        return None
    opener = place.opener
    around = [outer for outer in place.openers if OPENERS.get(outer[0]) == mark][-1:]
    if opener is not None and _is_wrong_bracket(parser, place, opener, around):
        closer = CLOSER_OF[place.opener_mark]
        if not parser.takes(closer):
            parser.insert((BOTTOM, place.token[1], place.token[1]))
        parser.tokens[parser.tokens.index(place.token, parser.position)] = (closer, *place.token[1:])
        return messages.wrong_bracket(place, opener)
    if not any(_belong_together(place, outer, place.token) for outer in around) or opener is None:
        stray = messages.stray_bracket(place)
        if not stray.related or not _opened_behind(parser, stray.related[0].span.end, place.token[0]):
            del parser.tokens[parser.position]
        return stray
    while not parser.takes(CLOSER_OF[place.opener_mark]) and parser.values[-1] is not opener:
        parser.pop()
    at = place.token[1]
    missing = [(CLOSER_OF[place.opener_mark], at, at)]
    if not parser.takes(missing[0][0]):
        missing.insert(0, (BOTTOM, at, at))
    parser.insert(*missing)
    return messages.never_closed(place, opener, at)


def _belong_together(place: Place, opener: Token, closer: Token) -> bool:
    """Return whether two brackets look like a pair: on one line, or on lines with the same indent."""
    return place.on_one_line(opener, closer) or place.indent(opener) == place.indent(closer)


def _is_wrong_bracket(parser: Parser, place: Place, opener: Token, around: list[Token]) -> bool:
    """Return whether a closing bracket is meant for an opening one of another kind."""
    closer = place.token
    if place.opener_mark == "" or not _belong_together(place, opener, closer):
        return False
    if not around or not _belong_together(place, around[0], closer):
        pair = CLOSER_OF[place.opener_mark]
        return parser.tokens[parser.position + 1][0] != pair and (
            place.on_one_line(opener, closer) or place.starts_line(closer)
        )
    if place.indent(around[0]) == place.indent(opener):
        return False
    for token in parser.tokens[parser.position + 1 :]:
        if place.starts_line(token) and place.indent(token) <= place.indent(around[0]):
            return token[0] == closer[0]
    return False


def _field_in_list(parser: Parser, place: Place) -> Diagnostic | None:
    """Skip a field that stands directly in a list, up to the list's end; or end the list where a `]` is missing."""
    if place.opener_mark != "[":
        return None
    dash = slips.yaml_dash(place)
    if dash is not None:
        _skip_fields(parser)
        return dash
    first = _field_around(parser, place)
    if first is None:
        return None
    if _ends_list(parser, place, first):
        return messages.never_closed(place, place.opener or place.token, parser.tokens[parser.position][1])
    wrong = _struct_as_list(parser, place, first)
    if wrong is not None:
        return wrong
    diagnostic = messages.field_in_list(place, first)
    _skip_fields(parser)
    return diagnostic


def _ends_list(parser: Parser, place: Place, first: int) -> bool:
    """Close the list before a field that is indented no deeper than the list's first line; return whether it is so."""
    tokens, label, opener = parser.tokens, parser.tokens[first], place.opener
    if opener is None or not place.starts_line(label):
        return False
    deeper = place.indent(label) - place.indent(opener)
    if deeper > 0 or (deeper == 0 and _next_closer(tokens, first)[0] == _CLOSE_BRACKET):
        return False
    for _ in range(parser.position - first):
        parser.pop()
    parser.position = min(parser.position, first)
    while not parser.takes(_CLOSE_BRACKET) and parser.values[-1] is not opener:
        parser.pop()
    if not parser.takes(_CLOSE_BRACKET):
        return False
    at = label[1]
    separator = () if tokens[parser.position][0] == NL else ((NL, at, at),)
    parser.insert((_CLOSE_BRACKET, at, at), *separator)
    return True


def _struct_as_list(parser: Parser, place: Place, first: int) -> Diagnostic | None:
    """Begin again with a struct where fields stand between `[` and `}`."""
    opener, lexed = place.opener, parser.lexed.tokens
    closer = _next_closer(parser.tokens, first)
    if opener is None or closer[0] != KIND["CLOSE_BRACE"] or opener not in lexed or not _may_restart(parser):
        return None
    if not place.starts_line(closer) or place.indent(closer) != place.indent(opener):
        return None
    lexed[lexed.index(opener)] = (KIND["OPEN_BRACE"], *opener[1:])
    parser.restart()
    return messages.wrong_opener(place, opener, closer)


def _next_closer(tokens: list[Token], index: int) -> Token:
    """Return the next closing bracket whose opening one stands before a token, or the last token."""
    depth = 0
    while tokens[index][0] != END and depth >= 0:
        depth += (tokens[index][0] in OPENERS) - (tokens[index][0] in CLOSERS)
        index += 1
    return tokens[index - 1] if depth < 0 else tokens[index]


def _skip_fields(parser: Parser) -> None:
    """Skip to behind the end of the list in which the parser stands, and leave an empty list."""
    depth, tokens = 0, parser.tokens
    while tokens[parser.position][0] != END:
        kind = tokens[parser.position][0]
        if kind in OPENERS:
            depth += 1
        elif kind in CLOSERS and depth:
            depth -= 1
        elif kind in CLOSERS:
            if CLOSERS[kind] != "{":
                break
            parser.position += 1
            if tokens[parser.position][0] in (COMMA, _CLOSE_BRACKET):
                break
            continue
        parser.position += 1
    while not parser.takes(_CLOSE_BRACKET) and OPENERS.get(_kind_of(parser.values[-1])) != "[":
        parser.pop()
    if tokens[parser.position][0] == COMMA and not parser.takes(COMMA):
        parser.position += 1


def _kind_of(value: object) -> int:
    return value[0] if isinstance(value, tuple) and len(value) == 3 else -1


def _field_around(parser: Parser, place: Place) -> int | None:
    """Return the index of a label in a list at which the parser stumbled, or None when it is something else."""
    tokens, position = parser.tokens, parser.position
    start = position + 1 if place.token[0] == NL else position
    if place.token[0] == COLON or (place.token[0] in (IDENT, STRING) and not place.on_new_line):
        start = position - 1
        if tokens[start][0] not in (IDENT, STRING):
            start = position
    index = start
    while tokens[index][0] in (IDENT, STRING):
        index += 1
    while tokens[index][0] in _MARKS:
        index += 1
    return start if index > start and tokens[index][0] in (COLON, KIND["DOUBLE_COLON"]) else None


def _missing_comma(parser: Parser, place: Place) -> Diagnostic | None:
    """Put in the comma between two list elements, arguments, or fields on one line."""
    if not parser.takes(COMMA) or place.before is None:
        return None
    tokens, at = parser.tokens, place.before[2]
    if place.token[0] == NL and place.opener_mark == "[":
        follows = tokens[parser.position + 1][0]
        if follows == COMMA:
            del tokens[parser.position]
            return messages.comma_on_next_line(place)
        if parser.takes(COMMA, follows):
            tokens[parser.position] = (COMMA, at, at)
            return messages.missing_comma(place, at_line_end=True)
        return None
    if place.opener_mark == "{" or place.opener is None:
        if place.before[0] != IDENT and _label_ahead(parser) and parser.takes(COMMA, place.token[0]):
            parser.insert((COMMA, at, at))
            return messages.two_fields(place)
        return None
    if parser.takes(COMMA, place.token[0]) and place.token[0] not in CLOSERS:
        parser.insert((COMMA, at, at))
        return messages.missing_comma(place, at_line_end=False)
    return None


def _value_taken_for_label(parser: Parser, place: Place) -> Diagnostic | None:
    """Put in the comma behind a string, which the parser has taken for a label as another one follows on its line."""
    tokens, at = parser.tokens, parser.position
    is_value = [token[0] for token in tokens[max(at - 2, 0) : at]] == [COLON, STRING]
    if not is_value or place.on_new_line or not _label_ahead(parser):
        return None
    parser.pop()
    parser.position -= 1
    tokens.insert(at, (COMMA, *tokens[at - 1][1:]))
    return messages.two_fields(place)


def _label_ahead(parser: Parser) -> bool:
    """Return whether labels that end in a colon start at the parser's token."""
    tokens, index = parser.tokens, parser.position
    while tokens[index][0] in (IDENT, STRING):
        index += 1
    return index > parser.position and tokens[index][0] in (COLON, KIND["DOUBLE_COLON"])


def _missing_colon(parser: Parser, place: Place) -> Diagnostic | None:
    """Put in the colon between a label and its value."""
    if place.before is None or place.before[0] not in (IDENT, STRING) or place.on_new_line:
        return None
    if not parser.takes(COLON, place.token[0]):
        return None
    if place.token[0] in (IDENT, STRING) and not _label_ahead(parser):
        return None
    if place.text(place.before) == "$" or slips.label_with_marks(place):
        return None
    at = place.before[2]
    parser.insert((COLON, at, at))
    return messages.missing_colon(place)


def _may_restart(parser: Parser) -> bool:
    return parser.restarts < 60 and parser.restarts * len(parser.source.text) < MAX_READ_AGAIN


def _respelled(parser: Parser, place: Place) -> Diagnostic | None:
    """Begin again with one token in place of a label or text that should have been quoted."""
    if not _may_restart(parser):
        return None
    for slip, kind in ((slips.label_with_marks, IDENT), (slips.unquoted, BOTTOM)):
        found = slip(place)
        if found is not None and found.span is not None:
            start, end = found.span.start, found.span.end
            tokens = parser.lexed.tokens
            first = next(index for index, token in enumerate(tokens) if token[1] >= start)
            last = next(index for index, token in enumerate(tokens) if token[1] >= end)
            if last - first < 2 or tokens[first][1] != start or tokens[last - 1][2] != end:
                return None
            goes_on = tokens[last][0] not in CLOSERS and place.starts_line(tokens[last])
            tokens[first:last] = [(kind, start, end), *([(NL, end, end)] if goes_on else [])]
            parser.restart()
            return found
    return None


def _equals(parser: Parser, place: Place) -> Diagnostic | None:
    """Take `=` or `:=` for the colon of a label."""
    found = slips.equals(place)
    if found is None:
        return None
    if place.before is not None and place.before[0] == COLON:
        del parser.tokens[parser.position]
    else:
        parser.tokens[parser.position] = (COLON, *place.token[1:])
    return found


def _opened_behind(parser: Parser, label_end: int, closer: int) -> bool:
    """Begin again with an opening bracket behind the colon of a label; return whether there is one."""
    tokens = parser.lexed.tokens
    for index, token in enumerate(tokens if _may_restart(parser) else ()):
        if token[0] == COLON and token[1] >= label_end:
            opener = next(kind for kind, mark in OPENERS.items() if mark == CLOSERS[closer])
            tokens.insert(index + 1, (opener, token[2], token[2]))
            parser.restart()
            return True
    return False


def _yaml_block(parser: Parser, place: Place) -> Diagnostic | None:
    """Skip the deeper lines behind a `|` or `>` at a line's end, in a struct."""
    head = slips.yaml_block(place) if place.opener_mark in ("{", "file") else None
    if head is None or head.span is None:
        return None
    tokens, start = parser.tokens, head.span.start
    indent = place.indent((COLON, start, start))
    end = parser.position
    while tokens[end][0] != END and (
        tokens[end][1] <= start or not place.starts_line(tokens[end]) or place.indent(tokens[end]) > indent
    ):
        end += 1
    closer = CLOSER_OF["{"] if place.opener is not None else END
    while parser.values and parser.values[-1] is not place.opener:
        if parser.takes(NL) and parser.takes(closer):
            break
        parser.pop()
    at = tokens[end][1]
    tokens[parser.position : end] = [(NL, at, at)] if parser.takes(NL) else []
    return head


_ATTEMPTS: tuple[Callable[[Parser, Place], Diagnostic | None], ...] = (
    _yaml_block,
    _respelled,
    _equals,
    _closing_bracket,
    _field_in_list,
    _missing_comma,
    _value_taken_for_label,
    _missing_colon,
)
