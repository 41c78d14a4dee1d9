r"""Text to tree: a table-driven LR parser that goes on behind a mistake.

The table. `grammar/dispatchfile.lark` says what CUE's syntax is; `grammar/compile.py` has lark work out the LALR(1)
table and writes it to `_tables.py`. Here is only the loop that walks it, so that reading a file needs no lark.
`states` is the stack of the automaton, `values` beside it holds what each state was entered with: a token, or what
a method of `Builder` made. The row of the top state has one character for each kind of token. It says to shift the
token (push it, go to a state), to reduce by a rule (replace the values of its symbols by what the rule's method
makes of them, and go where the state below says), or that the token cannot stand here. Rules that only pass a value
on, such as "a product may be a single unary", change the state and touch no value.

Commas. CUE separates fields by commas that the lexer inserts at line ends, as the token NL. In a struct the grammar
takes NL where it takes a comma. In a list it does not, so a list element without a comma at the line's end is an
error, as in CUE v0.1.2.

Recovery. One mistake must not hide the next one, nor bring errors about sound text behind it. When a token does not
fit, `recovery.py` looks for the smallest change that lets the parser go on, in this order:

1. Put in what is missing, when the token fits behind it: `:` behind a label, `,` between list elements, the closing
   bracket of a block when the indentation says that it ends here. Or drop a bracket that closes nothing, or take one of
   the wrong kind for the right one. Where the mistake lies before what has been read, such as a missing `[` or the
   quotes of a label, it is mended in the lexer's tokens, and the text parsed once more. (`mending.py`)
2. Give the piece up: inside `[ ]` or `( )` skip to the next comma or the closing bracket, in a struct skip to the
   next line (with the blocks opened on the way), and pop the stack to where the parser stands in a list of
   declarations, or elements, again. That is the state which takes a line end *and* the closing bracket; a state
   that takes only one of them stands inside the piece that was given up, and would complain again.
3. At the end of the file with a block still open: the first line that is indented no deeper than the block's own
   first line tells where the closing bracket is missing. Put it in there and parse once more.

Everything is iterative and every repair moves forward, so any text ends. The lexer bounds how deep brackets nest.
"""

from __future__ import annotations

from dispatchfile.cue import _tables, tree
from dispatchfile.cue.build import Builder
from dispatchfile.cue.lexer import END, tokenize
from dispatchfile.diagnostics import Diagnostic
from dispatchfile.record import Record, replace
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.cue.lexer import Fault, Lexed, Token

MAX_STATES = 1000
"""How high the stack may grow; bounds what needs no bracket to nest, such as `a: b: c: …` and `!!!…`."""

_FIRST_SHIFT, _FIRST_REDUCE = _tables.FIRST_SHIFT, _tables.FIRST_REDUCE


class Parsing(Record):
    """The tree of a file, as far as it could be built, and what was found on the way."""

    file: tree.File | None
    diagnostics: tuple[Diagnostic, ...] = ()


def parse(source: Source) -> Parsing:
    """Return the tree of a CUE source and its syntax errors (DF001). Never raises, whatever the text.

    With errors the tree holds what is sound: faulty fields are left out, faulty literals are `_|_`.
    """
    text, faults = _legible(source.text)
    lexed = tokenize(text)
    parser = Parser(source, lexed)
    file = parser.parse()
    if file is not None:
        file = _without_heredoc(file, faults)
    if file is None or lexed.faults or faults or parser.builder.faults:
        from dispatchfile.cue.recovery import recovered

        file, diagnostics = recovered(parser, file, faults)
    else:
        diagnostics = ()
    if lexed.comments and file is not None:
        from dispatchfile.cue.comments import Attached

        comments = Attached(lexed.comments)
        comments.file = file = replace(file, comments=comments)
    return Parsing(file, diagnostics)


def _legible(text: str) -> tuple[str, list[Fault]]:
    """Return the text with what no lexer should see blanked out, and faults for it; offsets stay the same."""
    if "\0" not in text and "<<<<<<<" not in text and ">>>>>>>" not in text:
        return text, []
    from dispatchfile.cue.legible import without_conflicts, without_nul

    text, conflicts = without_conflicts(text)
    text, nuls = without_nul(text)
    return text, conflicts + nuls


def _without_heredoc(file: tree.File, faults: list[Fault]) -> tree.File:
    """Return the file without what a shell has left there, and fault it: `cat … <<EOF`, and a lone word such as EOF."""
    first = file.declarations[0] if file.declarations else None
    if isinstance(first, tree.Embedding) and first.span.text.startswith("cat "):
        head = first.span.text.split("\n", 1)[0]
        if "<<" in head:
            faults.append(("heredoc head", first.span.start, first.span.start + len(head)))
            file = replace(file, declarations=file.declarations[1:])
    last = file.declarations[-1] if file.declarations else None
    word = last.value if isinstance(last, tree.Embedding) else None
    if not isinstance(word, tree.Identifier) or word.name not in ("EOF", "EOT", "EOS", "END", "HEREDOC"):
        return file
    for item in file.declarations:
        if (
            isinstance(item, tree.Field)
            and isinstance(item.label, tree.Name)
            and item.label.name == word.name
        ):
            return file
    faults.append(("heredoc", word.span.start, word.span.end))
    return replace(file, declarations=file.declarations[:-1])


_settled: dict[tuple[int, int, int], int] = {}


def _settle(below: int, goto: int, kind: int) -> int:
    """Return the state behind a reduction on top of the state `below`, in front of a token of a kind.

    From a literal to an expression lead ten rules that only pass the value on; what comes out of such a row is
    remembered.
    """
    gotos = _tables.GOTOS[below]
    state = ord(gotos[goto]) - _FIRST_SHIFT
    while (code := ord(_tables.ACTIONS[state][kind])) >= _FIRST_REDUCE:
        name, to, length = _tables.RULES[code - _FIRST_REDUCE]
        if name or length != 1:
            break
        state = ord(gotos[to]) - _FIRST_SHIFT
    _settled[below, goto, kind] = state
    return state


class Parser:
    """One run of the table over the tokens of a source. It stops at a token that does not fit."""

    def __init__(self, source: Source, lexed: Lexed) -> None:
        self.source = source
        self.lexed = lexed
        self.restarts = -1
        self.restart()

    def restart(self) -> None:
        """Go back to the first token, as the lexer delivered them."""
        self.restarts += 1
        self.tokens = list(self.lexed.tokens)
        self.builder = Builder(self.source)
        self.states = [0]
        self.values: list[Any] = []
        self.position = 0

    def parse(self) -> tree.File | None:
        """Return the file's tree, or None when the token at `position` does not fit."""
        states, values, tokens = self.states, self.values, self.tokens
        actions, first_shift, first_reduce = _tables.ACTIONS, _FIRST_SHIFT, _FIRST_REDUCE
        builder, settled = self.builder, _settled
        rules = [
            (getattr(builder, name) if name else None, goto, length) for name, goto, length in _tables.RULES
        ]
        state, position = states[-1], self.position
        token = tokens[position]
        kind = token[0]
        while True:
            code = ord(actions[state][kind])
            if code >= first_reduce:
                make, goto, length = rules[code - first_reduce]
                if length == 1:
                    if make is not None:
                        values[-1] = make(values[-1])
                    states.pop()
                elif length:
                    values[-length:] = (make(*values[-length:]),)  # type: ignore[misc] # only rules of one symbol have none
                    del states[-length:]
                else:
                    values.append(make())  # type: ignore[misc] # as above
                key = states[-1], goto, kind
                state = settled.get(key) or _settle(*key)
                states.append(state)
            elif code >= first_shift and len(states) <= MAX_STATES:
                if kind == END:
                    file: tree.File = values[-1]
                    return file
                state = code - first_shift
                states.append(state)
                values.append(token)
                position += 1
                token = tokens[position]
                kind = token[0]
            else:
                self.position = position
                return None

    def takes(self, *kinds: int) -> bool:
        """Return whether tokens of these kinds, one behind the other, would fit here."""
        states = list(self.states)
        for kind in kinds:
            while True:
                code = ord(_tables.ACTIONS[states[-1]][kind])
                if code < _FIRST_SHIFT:
                    return False
                if code < _FIRST_REDUCE:
                    break
                _, goto, length = _tables.RULES[code - _FIRST_REDUCE]
                del states[len(states) - length :]
                states.append(ord(_tables.GOTOS[states[-1]][goto]) - _FIRST_SHIFT)
            states.append(code - _FIRST_SHIFT)
        return True

    def pop(self) -> None:
        """Take the top off the stack."""
        self.states.pop()
        self.values.pop()

    def insert(self, *tokens: Token) -> None:
        """Put tokens in before the one at `position`."""
        self.tokens[self.position : self.position] = tokens
