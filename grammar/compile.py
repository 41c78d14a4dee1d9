"""Compile `dispatchfile.lark` into the parser's table, `dispatchfile/cue/_tables.py`.

    python grammar/compile.py           write the table
    python grammar/compile.py --check   exit 1 when the committed table is out of date

States and rules are numbered in an order that follows from the grammar alone, so the output is the same, byte for
byte, on every run. A cell of the table is one character: blank for an error, then one character for each state
(shift), then one for each rule (reduce).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lark import Lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import ParseTableBase, Shift

HERE = Path(__file__).resolve().parent
GRAMMAR = HERE / "dispatchfile.lark"
TABLES = HERE.parent / "dispatchfile" / "cue" / "_tables.py"
BLANK = ord(" ")


class Rule(NamedTuple):
    """A production; `action` is the name behind its arrow, or "" when it passes its only symbol on."""

    origin: str
    expansion: tuple[str, ...]
    action: str


class NoLexer(Lexer):
    """Stands where lark wants a lexer; only the table is of interest here."""

    def __init__(self, _configuration: object) -> None:
        pass

    def lex(self, _lexer_state: object, _parser_state: object) -> Iterator[Any]:
        """Refuse to read anything."""
        raise NotImplementedError


def analyse() -> tuple[ParseTableBase[Any], dict[str, str]]:
    """Return lark's LALR table and the spelling of each terminal that has one; raises on a conflict."""
    lark = Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer=NoLexer, strict=True)
    spellings = {terminal.name: str(terminal.pattern.value) for terminal in lark.terminals}
    return lark.parser.parser._parse_table, spellings


def rule_of(raw: Any) -> Rule:
    """Return lark's rule as ours; raises ValueError when an alternative of several symbols has no name."""
    rule = Rule(str(raw.origin.name), tuple(str(symbol.name) for symbol in raw.expansion), raw.alias or "")
    if not rule.action and len(rule.expansion) != 1:
        raise ValueError(f"{rule.origin}: {' '.join(rule.expansion)}: this alternative needs a name")
    return rule


def numbered_states(table: ParseTableBase[Any]) -> list[Any]:
    """Return lark's states in the order in which a walk over sorted symbols meets them, the start state first."""
    order = [table.start_states["start"]]
    known = set(order)
    for state in order:
        for _symbol, (kind, target) in sorted(table.states[state].items(), key=lambda item: str(item[0])):
            if kind is Shift and target not in known:
                known.add(target)
                order.append(target)
    return order


def tables() -> str:
    """Return the text of the table module."""
    table, spellings = analyse()
    states = numbered_states(table)
    number = {state: index for index, state in enumerate(states)}
    rules = sorted(
        {rule_of(arg) for row in table.states.values() for kind, arg in row.values() if kind is not Shift}
    )
    rule_number = {rule: index for index, rule in enumerate(rules)}
    nonterminals = sorted({rule.origin for rule in rules})
    terminals = sorted({str(name) for row in table.states.values() for name in row} - set(nonterminals))

    def cell(state: Any, symbol: str) -> str:
        if symbol == "$END" and state == table.end_states["start"]:
            return chr(BLANK + 1 + number[state])
        kind, arg = table.states[state].get(symbol, (None, None))
        if kind is None:
            return chr(BLANK)
        if kind is Shift:
            return chr(BLANK + 1 + number[arg])
        return chr(BLANK + 1 + len(states) + rule_number[rule_of(arg)])

    def rows(symbols: list[str]) -> list[str]:
        return ["".join(cell(state, symbol) for symbol in symbols) for state in states]

    return render(terminals, nonterminals, spellings, rules, rows(terminals), rows(nonterminals))


def render(
    terminals: list[str],
    nonterminals: list[str],
    spellings: dict[str, str],
    rules: list[Rule],
    actions: list[str],
    gotos: list[str],
) -> str:
    """Return the table as the text of a Python module."""

    def block(name: str, items: list[Any]) -> str:
        return f"{name} = (\n" + "".join(f"    {item!a},\n" for item in items) + ")\n"

    spelled = "".join(
        f"    {spellings[name]!a}: {index},\n" for index, name in enumerate(terminals) if name in spellings
    )
    return "".join(
        [
            '"""Made by grammar/compile.py from grammar/dispatchfile.lark; run `make grammar`, never edit."""\n\n',
            block("TERMINALS", terminals),
            f"SPELLINGS = {{\n{spelled}}}\n",
            f"FIRST_SHIFT = {BLANK + 1}\n",
            f"FIRST_REDUCE = {BLANK + 1 + len(actions)}\n",
            block(
                "RULES",
                [(rule.action, nonterminals.index(rule.origin), len(rule.expansion)) for rule in rules],
            ),
            "# One row a state, one character a terminal: what to do when it comes.\n",
            block("ACTIONS", actions),
            "# One row a state, one character a nonterminal: where to go after a reduction to it.\n",
            block("GOTOS", gotos),
        ]
    )


def main(arguments: list[str]) -> int:
    """Write the table, or with --check compare it; return the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    made = tables()
    if not arguments:
        TABLES.write_text(made, encoding="utf-8")
        return 0
    if TABLES.exists() and TABLES.read_text(encoding="utf-8") == made:
        return 0
    print(f"{TABLES}: out of date, run `make grammar`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
