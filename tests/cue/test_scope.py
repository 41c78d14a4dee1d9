"""Names that mean nothing, and what is suggested instead."""

import pytest

from dispatchfile.cue.parser import parse
from dispatchfile.cue.scope import resolve
from dispatchfile.source import Source

FOUND = {
    "near miss": (
        "docker_user: 1\na: docker_usr",
        'reference "docker_usr" not found',
        "did you mean docker_user?",
    ),
    "never the field itself": ("image: goImage", 'reference "goImage" not found', "declare it as a field"),
    "unused field": ("a: {b: nope}", 'reference "nope" not found', "declare it as a field"),
    "quoted label": (
        '"abcdef": 1\nb: abcdef',
        'reference "abcdef" not found',
        "a quoted label cannot be referred to",
    ),
    "package not imported": ('a: strings.Join([], "")', 'reference "strings" not found', 'import "strings"'),
    "out of scope": ("a: {bcd: 1}\nc: bcd", 'reference "bcd" not found', ""),
    "loop variable outside": ("a: [for item in [1] {item}]\nb: item", 'reference "item" not found', ""),
    "alias declared twice": ("let X = 1\nlet X = 2\na: X", "X is declared twice", ""),
    "in an interpolation": (r'a: "\(nope)"', 'reference "nope" not found', ""),
    "in a label": (r'"\(nope)": 1', 'reference "nope" not found', ""),
    "in a pattern": ("a: {[nope]: 1}", 'reference "nope" not found', ""),
    "in a condition": ("if nope {a: 1}", 'reference "nope" not found', ""),
}


@pytest.mark.parametrize(("text", "message", "advice"), FOUND.values(), ids=FOUND)
def test_finding(text, message, advice):
    file = parse(Source("f", text)).file
    (found,) = resolve(file).diagnostics
    assert found.code == "DF004"
    assert message in found.message
    assert advice in found.help


def test_nothing_is_called_unused_while_a_part_of_the_file_is_missing():
    file = parse(Source("f", 'import "list"\nlet X = 1\na: 1')).file
    assert len(resolve(file).diagnostics) == 2
    assert resolve(file, complete=False).diagnostics == ()


FINE = {
    "outer field": "a: 1\nb: c: d: a",
    "field of a chain": "a b: {c: 1, d: c}",
    "template name": "a <N>: n: N",
    "pattern name": "a: [N=string]: n: N",
    "loop variables": 'for k, v in {a: 1} { "\\(k)x": v }',
    "later declared": "a: b\nb: 1",
    "types": 'a: int8 | *1, b: __string | *"x"',
    "value alias": "a: X={b: X.c, c: 1}",
    "optional": "a?: 1\nb?: a",
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_no_finding(text):
    assert resolve(parse(Source("f", text)).file).diagnostics == ()


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("go_image: 1\na: go_imgae", "go_image"),
        ("type: git", '"git"'),
        ("a: [main, x]", '"main"'),
        ("a: [\n  main,\n]", '"main"'),
        ("a: main // the branch", '"main"'),
        ("a: common + [1]", None),
        ("a: [1] + common", None),
        ("stray\na: 1", None),
        ('"main": 1\na: main', None),
        ("task:\n  - test", None),
        ("a: strings.Join([], 1)", None),
    ],
)
def test_the_fix_of_an_undefined_name(text, instead):
    found = resolve(parse(Source("f", text)).file).diagnostics[0]
    assert (found.fix and found.fix.edits[0].text) == instead
