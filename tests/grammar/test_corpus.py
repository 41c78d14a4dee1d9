"""`grammar/corpus/*.txt`: title, source and expected tree of each construct.

To accept the trees as they are now, run `python -m tests.grammar.test_corpus`, and read the difference.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dispatchfile.cue.parser import parse
from dispatchfile.source import Source
from tests.cue.dump import dumped

CORPUS = Path(__file__).parents[2] / "grammar" / "corpus"
CASE = re.compile(
    r"^=+\n(?P<title>[^\n]+)\n=+\n(?P<source>.*?)\n---\n(?P<tree>.*?)(?=\n\n=====|\s*\Z)", re.M | re.S
)


def read_cases():
    for path in sorted(CORPUS.glob("*.txt")):
        for found in CASE.finditer(path.read_text()):
            yield pytest.param(found["source"] + "\n", found["tree"], id=f"{path.stem}: {found['title']}")


CASES = list(read_cases())


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_tree(text, expected):
    parsing = parse(Source("case", text))
    assert [str(found.span) + " " + found.message for found in parsing.diagnostics] == []
    assert dumped(parsing.file).splitlines() == expected.strip("\n").splitlines()


def test_every_rule_of_the_grammar_is_in_the_corpus():
    from dispatchfile.cue import _tables, build

    used = set()

    class Spy(build.Builder):
        def __getattribute__(self, name):
            value = object.__getattribute__(self, name)
            return (lambda *args: (used.add(name), value(*args))[1]) if name in wanted else value

    wanted = {action for action, _, _ in _tables.RULES if action}
    original, module = build.Builder, __import__("dispatchfile.cue.parser", fromlist=["Builder"])
    module.Builder = Spy
    try:
        for case in CASES:
            parse(Source("case", case.values[0]))
    finally:
        module.Builder = original
    assert wanted - used == set()


def rewrite() -> None:
    for path in sorted(CORPUS.glob("*.txt")):
        out = []
        for found in CASE.finditer(path.read_text()):
            parsing = parse(Source("case", found["source"] + "\n"))
            if parsing.diagnostics:
                raise SystemExit(f"{path.name}: {found['title']}: {parsing.diagnostics[0].message}")
            title = found["title"]
            out.append(f"{'=' * 20}\n{title}\n{'=' * 20}\n{found['source']}\n---\n{dumped(parsing.file)}\n")
        path.write_text("\n".join(out))


if __name__ == "__main__":
    rewrite()
