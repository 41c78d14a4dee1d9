"""Tokens to tree (first version)."""

from __future__ import annotations

from dispatchfile.cue import _tables, tree
from dispatchfile.cue.build import Builder
from dispatchfile.cue.lexer import Lexed, tokenize
from dispatchfile.diagnostics import Diagnostic
from dispatchfile.record import Record
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Parsing(Record):
    """The tree of a file, as far as it could be built, and what was found on the way."""

    file: tree.File | None
    diagnostics: tuple[Diagnostic, ...] = ()


def parse(source: Source) -> Parsing:
    """Return the tree of a CUE source and its syntax errors."""
    lexed = tokenize(source.text)
    run = Run(source, lexed)
    file = run.parse()
    if file is None or lexed.faults or run.builder.faults:
        from dispatchfile.diagnostics import Severity
        from dispatchfile.source import Span

        found = [
            Diagnostic("DF001", Severity.ERROR, name, Span(source, start, end))
            for name, start, end in lexed.faults + run.builder.faults
        ]
        if file is None:
            _, start, end = lexed.tokens[run.position]
            found.append(Diagnostic("DF001", Severity.ERROR, "unexpected token", Span(source, start, end)))
        return Parsing(file, tuple(found))
    return Parsing(file)


class Run:
    """One run of the table over the tokens of a source."""

    def __init__(self, source: Source, lexed: Lexed) -> None:
        self.builder = Builder(source)
        self.tokens = lexed.tokens
        self.states = [0]
        self.values: list[Any] = []
        self.position = 0

    def parse(self) -> tree.File | None:
        states, values, tokens = self.states, self.values, self.tokens
        actions, gotos = _tables.ACTIONS, _tables.GOTOS
        first_shift, first_reduce = _tables.FIRST_SHIFT, _tables.FIRST_REDUCE
        rules = [(getattr(self.builder, name) if name else None, goto, length) for name, goto, length in _tables.RULES]
        state = states[-1]
        position = self.position
        token = tokens[position]
        while True:
            code = ord(actions[state][token[0]])
            if code >= first_reduce:
                make, goto, length = rules[code - first_reduce]
                if make is None:
                    state = ord(gotos[states[-2]][goto]) - first_shift
                    states[-1] = state
                    continue
                if length:
                    values[-length:] = (make(*values[-length:]),)
                    del states[-length:]
                else:
                    values.append(make())
                state = ord(gotos[states[-1]][goto]) - first_shift
                states.append(state)
            elif code >= first_shift:
                if token[0] == 0:
                    return values[-1]
                state = code - first_shift
                states.append(state)
                values.append(token)
                position += 1
                token = tokens[position]
            else:
                self.position = position
                return None
