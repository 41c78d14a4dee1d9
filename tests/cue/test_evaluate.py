"""What the evaluator makes of each construct, and what it says when there is no value."""

import pytest

from dispatchfile.cue import export, read
from dispatchfile.errors import EvaluationError
from dispatchfile.source import Source

VALUES = {
    "alternative that is not there": (
        "b: {}, l: [...], a: *b.x | 3, c: 1 | b.x, d: *l[2] | 4, e: *b.x.y | 5",
        {"b": {}, "l": [], "a": 3, "c": 1, "d": 4, "e": 5},
    ),
    "alternative that comes": (
        's: {b: {...}, a: *b.x | 3}, t: s & {b: x: 5}, u: {b: "\\(k)": 1 for k in ["x"]}, v: *u.b.x | 2',
        {"s": {"b": {}, "a": 3}, "t": {"b": {"x": 5}, "a": 5}, "u": {"b": {"x": 1}}, "v": 1},
    ),
    "scalars": ('a: 1, b: "x", c: true, d: null, e: 2.5', {"a": 1, "b": "x", "c": True, "d": None, "e": 2.5}),
    "chain": ('task "x" image: "i"', {"task": {"x": {"image": "i"}}}),
    "repeated chain merges": (
        'on push branches: ["m"]\non push tags: ["t"]',
        {"on": {"push": {"branches": ["m"], "tags": ["t"]}}},
    ),
    "same value twice": ("a: 1\na: 1", {"a": 1}),
    "value and type": ("a: int\na: 1", {"a": 1}),
    "reference": ("a: b\nb: 3", {"a": 3, "b": 3}),
    "reference into a struct": ('a: b.c, b: c: "x"', {"a": "x", "b": {"c": "x"}}),
    "reference to a quoted field by index": ('r "x-y": 1\na: r["x-y"]', {"r": {"x-y": 1}, "a": 1}),
    "references rebind": (
        "_a: {x: int, y: x + 1}\nb: _a & {x: 3}\nc: _a & {x: 5}",
        {"b": {"x": 3, "y": 4}, "c": {"x": 5, "y": 6}},
    ),
    "nearest scope wins": ("x: 1\na: {x: 2, y: x}", {"x": 1, "a": {"x": 2, "y": 2}}),
    "string concatenation": ('user: "me"\nimage: user + "/app"', {"user": "me", "image": "me/app"}),
    "list concatenation": ("common: [1]\nall: common + [2]", {"common": [1], "all": [1, 2]}),
    "open list exports what it has": ("a: [1, 2, ...]", {"a": [1, 2]}),
    "list beside definitions and hidden fields": (
        'a: {_h: 1, #D: int, [3]}, b: {#D: "x", [...string]}, c: [1, ...int] & {_h: 3, #D: 2, [1, 2]}',
        {"a": [3], "b": [], "c": [1, 2]},
    ),
    "open lists join": ("a: [1, ...] + [2]", {"a": [1, 2]}),
    "open list grows": ("a: [1, ...int] & [_, 2]", {"a": [1, 2]}),
    "repetition": ('a: 2 * [1], b: 3 * "x"', {"a": [1, 1], "b": "xxx"}),
    "interpolation": (r'n: 3, a: "v\(n)-\("x" + "y")"', {"n": 3, "a": "v3-xy"}),
    "shell text is plain": ('a: "$(context.git.url)"', {"a": "$(context.git.url)"}),
    "interpolated label": (r'n: "b", "a-\(n)": 1', {"n": "b", "a-b": 1}),
    "hidden and definitions are not exported": ("_h: 1\n#D: 2\nE :: 3\na: _h + #D + E", {"a": 6}),
    "optional": ("a: {b?: int, c: 1}", {"a": {"c": 1}}),
    "optional constrains": ("a: {b?: int}\na: b: 2", {"a": {"b": 2}}),
    "a loop brings instances of what is around it": (
        "#T: {sub: [string]: #T, all: [string]: #T}\n_t: #T & {all: k: {}}\nt: _t & {sub: {for n, v in _t.all {(n): v}}}",
        {"t": {"sub": {"k": {"sub": {}, "all": {}}}, "all": {"k": {"sub": {}, "all": {}}}}},
    ),
    "a hidden field of a definition may still come": ("#D: {s: {}, _x: s._h}, a: 1", {"a": 1}),
    "a literal adds what only one of two definitions has as optional": (
        "#A: {a: int}, #B: {a: int, b?: int}, c: {#A & #B, a: 1, b: 2}", {"c": {"a": 1, "b": 2}}
    ),
    "a scalar may have optional fields": (
        'a: {x?: int, 3}, b: {[string]: int, [1, 2]}, c: {#D, y?: 1}, #D: *"d" | string',
        {"a": 3, "b": [1, 2], "c": "d"},
    ),
    "a definition's optional field and pattern may still come": (
        '#D: {x?: int, [=~"^y"]: int}, _x: #D.x, _y: #D.yes, a: 1',
        {"a": 1},
    ),
    "let": ("let X = 2\na: X * 3", {"a": 6}),
    "old alias": ("X = 2\na: X * 3", {"a": 6}),
    "label alias": ('a: {X="b-c": 1, d: X}', {"a": {"b-c": 1, "d": 1}}),
    "value alias": ("a: X={b: 1, c: X.b}", {"a": {"b": 1, "c": 1}}),
    "template": (
        'job <N>: {name: N, n: *1 | int}\njob a: {}\njob b: n: 2',
        {"job": {"a": {"name": "a", "n": 1}, "b": {"name": "b", "n": 2}}},
    ),
    "pattern with regular expression": ('a: {[=~"^x"]: 1}\na: {x1: int, y: 2}', {"a": {"x1": 1, "y": 2}}),
    "bounds hold": ("a: >=1 & <=3 & 2", {"a": 2}),
    "bounds leave one value": ("a: >=2 & <=2, b: int & >0 & <2", {"a": 2, "b": 1}),
    "sized integers": ("a: uint8 & 255, b: int8 & -128", {"a": 255, "b": -128}),
    "default": ('a: *"x" | string', {"a": "x"}),
    "default overridden": ('a: *"x" | string\na: "y"', {"a": "y"}),
    "disjunction resolved": ('a: "x" | 1\na: int', {"a": 1}),
    "disjunction of structs": (
        '_s: {k: "a", x: 1} | {k: "b", y: 2}\ns: _s & {k: "b"}',
        {"s": {"k": "b", "y": 2}},
    ),
    "default used in arithmetic": ("a: *1 | int\nb: a + 1", {"a": 1, "b": 2}),
    "equal alternatives are one": ("a: 1 | 1", {"a": 1}),
    "alternatives joined with a type are one": ("a: (1 | 1.5) & int", {"a": 1}),
    "definition adds": ("#D: {n: int | *2, s: \"v\"}\nd: #D & {n: 3}", {"d": {"n": 3, "s": "v"}}),
    "open definition": ("#D: {a: 1, ...}\nd: #D & {b: 2}", {"d": {"a": 1, "b": 2}}),
    "embedding extends a definition": ("#D: {a: 1}\nd: {#D, b: 2}", {"d": {"a": 1, "b": 2}}),
    "close allows patterns": ('d: close({[=~"^x"]: int}) & {x1: 1}', {"d": {"x1": 1}}),
    "embedded scalar": ("a: {5}", {"a": 5}),
    "field comprehension": (
        'apps: ["x", "y"]\nfor a in apps { task "b-\\(a)": n: a }',
        {"apps": ["x", "y"], "task": {"b-x": {"n": "x"}, "b-y": {"n": "y"}}},
    ),
    "old field comprehension": (
        '"k-\\(k)": v for k, v in s if v > 1\ns: {a: 1, b: 2}',
        {"k-b": 2, "s": {"a": 1, "b": 2}},
    ),
    "condition": ("a: {if x {y: 1}, if !x {z: 1}, x: true}", {"a": {"x": True, "y": 1}}),
    "old list comprehension": ("a: [x * 2 for x in [1, 2, 3] if x > 1]", {"a": [4, 6]}),
    "list comprehension": ("a: [for k, v in {b: 1} {\"\\(k)=\\(v)\"}]", {"a": ["b=1"]}),
    "comprehension with let": ("a: [for x in [1, 2] let y = x + 1 {y}]", {"a": [2, 3]}),
    "dynamic field": ('k: "z", a: {(k): 1}', {"k": "z", "a": {"z": 1}}),
    "test for bottom": ("a: {}, b: a.c == _|_, c: a != _|_", {"a": {}, "b": True, "c": True}),
    "arithmetic": (
        "a: 7 div 2, b: -7 mod 3, c: -7 quo 2, d: -7 rem 2, e: 4 / 2, f: 1 - 0.5",
        {"a": 3, "b": 2, "c": -3, "d": -1, "e": 2, "f": 0.5},
    ),
    "comparison": ('a: 1 < 2.5, b: "a" != "b", c: "abc" =~ "^a", d: null == 1',
                   {"a": True, "b": True, "c": True, "d": False}),
    "logic stops early": ("a: false && (1 / 0 > 1), b: true || false", {"a": False, "b": True}),
    "index and slice": ("l: [1, 2, 3], a: l[1], b: l[1:]", {"l": [1, 2, 3], "a": 2, "b": [2, 3]}),
    "bytes export as base64": ("a: 'hi'", {"a": "aGk="}),
    "cycle with a value": ("a: b + 1\nb: a - 1\na: 2", {"a": 2, "b": 1}),
    "reference cycle with a value": ("a: b\nb: a\nb: 3", {"a": 3, "b": 3}),
    "recursion that ends": (
        "#L: {v: int, next: *null | #L}\nl: #L & {v: 1, next: v: 2}",
        {"l": {"v": 1, "next": {"v": 2, "next": None}}},
    ),
    "loop over merged fields goes by first mention": (
        "a: {q: 1, p: 2}\nb: {p: 2, q: 1}\nc: b & a\nl: [k for k, v in c]\nm: [k for k, v in b]",
        {"a": {"q": 1, "p": 2}, "b": {"p": 2, "q": 1}, "c": {"p": 2, "q": 1}, "l": ["q", "p"], "m": ["p", "q"]},
    ),
    "labels of the packages come first": (
        "e: {NAME: 1}\ne: {env: 2}\nl: [k for k, v in e]",
        {"e": {"NAME": 1, "env": 2}, "l": ["env", "NAME"]},
    ),
    "merged fields as they come in a later file": (
        "#x: 1\ne: {NAME: 1}\ne: {env: 2}\nl: [for k, v in e {k}]",
        {"e": {"NAME": 1, "env": 2}, "l": ["NAME", "env"]},
    ),
    "default within an alternative": ('a: (*"x" | "y") | "z"', {"a": "x"}),
    "default beside alternatives": ('a: *"x" | ("y" | "z")', {"a": "x"}),
    "defaults that agree": ('a: (*"x" | "y") & (*"x" | string)', {"a": "x"}),
    "definition counts what its condition brings": (
        "#D: {if b {c: int}, b: bool}\nd: #D & {b: true} & {c: 4}",
        {"d": {"b": True, "c": 4}},
    ),
    "definition of old with a condition": ("D :: {if b {c: 4}, b: bool}\nd: D & {b: true}", {"d": {"b": True, "c": 4}}),
    "self filter": (
        'a: {x: p: "", y: p: "x"}\nc: [for k, v in a if v.p == "x" {k}]',
        {"a": {"x": {"p": ""}, "y": {"p": "x"}}, "c": ["y"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES.values(), ids=VALUES)
def test_value(text, expected):
    value = export(text)
    assert value == expected
    assert _kinds(value) == _kinds(expected)


def _kinds(value):
    """The same shape with every scalar's type, since 1, 1.0 and True are equal to Python."""
    if isinstance(value, dict):
        return {label: _kinds(item) for label, item in value.items()}
    if isinstance(value, list):
        return [_kinds(item) for item in value]
    return type(value)


# By name: text, code, path, part of the message, line of the message.
ERRORS = {
    "bound by null": ("a: null & <null", "DF002", "a", "< cannot take a null", 1),
    "pattern not known yet": ("a :: {[string - 1]: int}, b: a & {x: 1}", "DF003", "b", "not concrete", 1),
    "no alternative is there": ("b: {}, a: b.x | b.y", "DF003", "a", "ambiguous", 1),
    "one of two is not there": ("b: {}, a: *b.x | 1 | 2", "DF003", "a", "ambiguous", 1),
    "alternative not concrete": ("b: {x: int}, a: *(b.x + 1) | 3", "DF003", "b.x", "not concrete", 1),
    "definition by index": ('a: B :: 1, b: a["B"]', "DF002", "b", "B is a definition", 1),
    "regular expression that is no text": ('a: "x" & =~4', "DF002", "a", "=~ cannot take a int", 1),
    "structs compared": ("a: {b: 1} == {b: 1}", "DF002", "a", "== compares a struct with a struct", 1),
    "field and definition": ("A :: int\nA: int", "DF002", "A", "with : and with ::", 2),
    "field and definition met": ("a: {B :: 1}, b: a & {B: 1}", "DF002", "b.B", "with : and with ::", 1),
    "conflict": ("a: 1\na: 2", "DF002", "a", "conflicting values 1 and 2", 2),
    "conflict of kinds": ('a: "x"\na: {}', "DF002", "a", 'conflicting values "x" and struct', 2),
    "conflict through a reference": ("a: b & 2\nb: 1", "DF002", "a", "conflicting values", None),
    "no regular expression": ('a: =~"["\na: "c"', "DF002", "a", "invalid regular expression", 1),
    "no regular expression in a pattern": ('a: [=~"[" & =~"b"]: 1\na: b: 1', "DF002", None, "invalid regular expression", 1),
    "no regular expression in a choice": ('a: "b" | =~"["\na: "c"', "DF002", "a", "none of the 2 alternatives", 1),
    "conflict below": ("t: x: n: 1\nt: x: n: 2", "DF002", "t.x.n", "conflicting values 1 and 2", 2),
    "lists of different length": ("a: [1]\na: [1, 2]", "DF002", "a", "lists of different length: 1 and 2", 2),
    "undefined field of a closed struct": ("#D: {a: 1}\nb: #D.c", "DF002", "b", "undefined field: c", 2),
    "undefined field": ("a: {}\nb: a.c", "DF003", "b", "undefined field: c", 2),
    "unknown name": ("a: nope", "DF004", "", 'reference "nope" not found', 1),
    "unused import": ('import "list"\na: 1', "DF004", "", "imported and not used", 1),
    "unused alias": ('inputs = ["x"]\na: 1', "DF004", "", "never used", 1),
    "unused let": ("a: {\n  let x = 1\n  b: 2\n}", "DF004", "", "x is given a value and never used", 2),
    "unknown package": ('import "net"\na: net.X', "DF004", "", 'package "net" is not supported', 1),
    "type alone": ("a: b: int", "DF003", "a.b", "not concrete: int", 1),
    "bound alone": ("a: >1 & <9", "DF003", "a", "not concrete: >1 & <9", 1),
    "joined alternatives": ("a: (1 | int) & (1 | int)", "DF003", "a", "ambiguous", 1),
    "several alternatives": ("a: 1 | 2", "DF003", "a", "ambiguous", 1),
    "default beside a default within": ('a: *"x" | (*"y" | "z")', "DF003", "a", "ambiguous", 1),
    "no alternative": ('a: 1 | "x"\na: true', "DF002", "a", "none of the 2 alternatives fits", 1),
    "out of bound": ("a: <3\na: 4", "DF002", "a", "invalid value 4 (out of bound <3)", 2),
    "bounds apart": ("a: >3 & <2", "DF002", "a", "no value can be both >3 and <2", 1),
    "too large": ("a: uint8 & 256", "DF002", "a", "out of bound <=255", 1),
    "field not allowed": ("#D: {a: 1}\nd: #D & {b: 2}", "DF002", "d.b", "field not allowed: b", 2),
    "field that one of two embedded patterns allows": (
        '#A: {[=~"^a"]: int}, #B: {[=~"^."]: int}, #C: {#A & #B}\nc: #C & {b: 3}', "DF002", "c.b", "not allowed: b", 2
    ),
    "nested field not allowed": ("#D: {a: {}}\nd: #D & {a: c: 2}", "DF002", "d.a.c", "field not allowed: c", 2),
    "closed by close": ("d: close({a: 1}) & {b: 2}", "DF002", "d.b", "field not allowed: b", 1),
    "closed by ::": ("D :: {a: 1}\nd: D & {b: 2}", "DF002", "d.b", "field not allowed: b", 2),
    "field of a condition set from outside a definition of old": (
        "D :: {if b {c: 4}, b: bool}\nd: D & {b: true} & {c: 4}", "DF002", "d.c", "field not allowed: c", 2
    ),
    "division by zero": ("a: 1 / 0", "DF002", "a", "division by zero", 1),
    "remainder by zero": ("a: 1 mod 0", "DF002", "a", "division by zero", 1),
    "index out of range": ("a: [1][3]", "DF002", "a", "index 3 is out of range", 1),
    "list in a string": (r'a: "\([1])"', "DF002", "a", "a list cannot be put into a string", 1),
    "wrong operands": ('a: 1 + "x"', "DF002", "a", "+ cannot take a int and a string", 1),
    "explicit": ("a: _|_", "DF002", "a", "explicit error", 1),
    "required field": ("a: {b!: int}", "DF003", "a.b", "required but not present", 1),
    "default mark out of place": ("a?: *1 + 2 | 3", "DF001", "", "only in front of an alternative", 1),
    "type for the rest of a struct": ("a: {b: 1, ...string}", "DF001", "", "... in a struct takes no type", 1),
    "reserved label": ('a: {"\\u0000b": 1}', "DF002", "a", "a label cannot start with", 1),
    "self reference": ("a: a + 1", "DF003", "a", "depends on itself", 1),
    "cycle of two": ("a: b + 1\nb: a + 1", "DF003", "a", "depends on itself", 1),
    "structural cycle": ("#L: {next: #L}\nl: #L", "DF002", "#L.next", "structural cycle", 1),
    "value inside itself": ("a: {b: a}", "DF002", "a.b", "structural cycle", 1),
    "function of itself": (
        '_f: {n: int, out: (_f & {"n": n - 1}).out}\na: (_f & {n: 3}).out', "DF002", None, "structural cycle", 1
    ),
    "error in a definition": ("#D: {a: 1 & 2}", "DF002", "#D.a", "conflicting values 1 and 2", 1),
    "loop adds to what it goes over": (
        'a: {x: 1, for k, v in a {"\\(k)q": v}}', "DF002", None, "added to a struct that is being looped over", 1
    ),
    "undefined field within a definition": (
        "#D: {s: {a?: int}, x: s.b}", "DF002", "#D.x", "undefined field: b", 1
    ),
    "list that loops over itself": ("a: [for x in a {x}]", "DF003", "a", "that it is part of", 1),
    "condition that undoes itself": (
        "a: {b?: int, if b == _|_ {b: 1}}", "DF002", "a", "changes whether it applies", 1
    ),
    "condition on a default that it replaces": (
        "a: {n: *1 | 2, if n == 1 {n: 2}}", "DF002", "a", "changes whether it applies", 1
    ),
    "result of a default that is replaced": (
        "a: {n: *1 | int, if m == 2 {n: 3}, m: n + 1}", "DF002", "a.m", "is computed from changes", 1
    ),
    "bad regular expression": ('a: "x" =~ "("', "DF002", "a", "invalid regular expression", 1),
    "unknown builtin": ('import "strings"\na: strings.Joinn(["x"], "")', "DF002", "a", "strings.Joinn", 2),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code", "path", "message", "line"), ERRORS.values(), ids=ERRORS)
def test_error(text, code, path, message, line):
    reading = read(Source("Dispatchfile", text))
    assert not reading.ok
    found = reading.diagnostics[0]
    assert found.code == code
    assert message in found.message
    assert path is None or found.path == path
    assert found.span is not None
    assert line is None or found.span.line == line
    with pytest.raises(EvaluationError) as caught:
        export(text)
    assert caught.value.exit_code == 3


def test_all_errors_are_told_and_the_rest_is_exported():
    reading = read(Source("f", "a: 1\na: 2\nb: nope\nc: int\nd: 4\ne: {f: 5, g: string}"))
    assert [(d.code, d.span.line) for d in reading.diagnostics] == [
        ("DF002", 2), ("DF004", 3), ("DF003", 4), ("DF003", 6),
    ]  # fmt: skip
    assert reading.value.plain() == {"d": 4, "e": {"f": 5}}


def test_conflict_names_every_place():
    reading = read(Source("f", 'task "t": {\n  image: "a"\n}\ntask "t": image: "b"\n'))
    (found,) = reading.diagnostics
    assert found.path == "task.t.image"
    assert (found.span.line, next(r.span.line for r in found.related)) == (4, 2)
    assert found.label == '"b" at task.t.image'


def test_what_is_not_concrete_is_told_by_its_path_since_its_place_may_be_in_a_definition():
    [found] = read(Source("f", "#D: a: string\nx: [#D]\n")).diagnostics
    assert (found.message, found.span.line) == ("x[0].a is not concrete: string", 1)


@pytest.mark.parametrize("call", ['strings.Join(["a"], "")', "f(1)"])
def test_a_call_of_an_unknown_name_is_told_once(call):
    [found] = read(Source("f", f"a: {call}\n")).diagnostics
    assert found.code == "DF004"


# By name: a text, and for its first finding the line, and of each related place the line and what is said of it.
PLACES = {
    "every scalar": ("a: 1\na: 2\na: 3\na: 1", 2, [(1, "1 at a"), (3, "3 at a"), (4, "1 at a")]),
    "types": ('a: int\na: string\na: "x"', 2, [(1, "int at a"), (3, '"x" at a')]),
    "bounds": ("a: >3\na: <2\na: int", 2, [(1, ">3 at a"), (3, "int at a")]),
    "a bound and a value": ("a: <3\na: 4", 2, [(1, "<3 at a")]),
    "a regular expression": ('a: =~"^v"\na: string\na: "x"', 3, [(1, '=~"^v" at a'), (2, "string at a")]),
    "lengths": ("a: [1]\na: [1, 2]\na: [3, ...]", 2, [(1, "a list of 1 at a"), (3, "an open list at a")]),
    "an element": ('l: [...int]\nl: [1, "x"]', 2, [(1, "int at l")]),
    "through a reference": (
        '_base: image: "a"\nt: _base\nt: image: "b"\nt: image: "c"',
        4,
        [(1, '"a" at _base.image'), (3, '"b" at t.image')],
    ),
    "references on the way": (
        "a: b & 2\nb: c\nc: 1",
        3,
        [(1, "the reference b at a"), (1, "2 at a"), (2, "the reference c at b")],
    ),
    "a pattern": ('t: [string]: n: int\nt: x: n: "s"', 2, [(1, "int at t.[string].n")]),
    "a computed label": ('for k in ["x"] {\n  (k): 1\n}\nx: 2', 2, [(4, "2 at x")]),
    "what closes": ("#D: {\n  a: 1\n}\nd: #D\nd: b: 2", 5, [(1, "closed here at #D: b is not declared")]),
    "close": ("x: close({a: 1})\nx: b: 2\nx: b: 2", 3, [(1, "closed here at x: b is not declared"), (2, "given here too at x.b")]),
    "alternatives": (
        '_s: {k: "a"} | {k: "b"} | int\nx: _s & {k: "c"}',
        1,
        [(1, "conflicting values struct and int"), (1, 'conflicting values "c" and "a"'), (1, 'conflicting values "c" and "b"'),
         (2, "the reference _s at x"), (2, "struct at x")],
    ),
    "what no alternative fits": (
        't: "a" | "b"\nt: "c"',
        1,
        [(1, 'conflicting values "a" and "c"'), (1, 'conflicting values "b" and "c"'), (2, '"c" at t')],
    ),
    "a validator": ('import "list"\na: list.MaxItems(1)\na: [1, 2]', 2, [(3, "a list of 2 at a")]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "related"), PLACES.values(), ids=PLACES)
def test_a_conflict_tells_every_place_that_takes_part(text, line, related):
    found = read(Source("f", text)).diagnostics[0]
    assert found.span.line == line
    assert [(place.span.line, place.message) for place in found.related] == related


@pytest.mark.parametrize(
    "text",
    ['actions: [{tasks: ["a"]}]\nactions: [{tasks: ["b"]}]', "actions: [1]\nactions: [1, 2]"],
    ids=["other content", "other length"],
)
def test_lists_are_not_appended(text):
    (found,) = read(Source("f", text)).diagnostics
    assert "unified, not appended" in found.help
    assert {found.span.line, *[r.span.line for r in found.related]} == {1, 2}


def test_value_knows_all_its_places():
    value = read(Source("f", "a: {\n  b: 1\n}\na: b: int\n")).value
    assert [span.line for span in value.at("a", "b").spans] == [2, 4]
    assert [span.text for span in value.at("a", "b").keys] == ["b", "b"]
    assert [span.line for span in value.at("a").keys] == [1, 4]


def test_undefined_field_suggests_the_nearest():
    (found,) = read(Source("f", "r: url: 1\na: r.ulr")).diagnostics
    assert found.help == "did you mean url?"


BOMBS = {
    "disjunctions": "\n".join(["#D: {a: 1} | {b: 2} | {c: 3}", *("x: #D" for _ in range(3)),
                               *(f"y{n}: ({{a: 1}} | {{b: {n}}}) & ({{c: 1}} | {{d: {n}}}) & ({{e: 1}} | {{f: {n}}})"
                                 for n in range(40))]),
    "doubling structs": "\n".join(["a0: {x: 1}", *(f"a{n}: {{l: a{n - 1}, r: a{n - 1}}}" for n in range(1, 40))]),
    "doubling lists": "\n".join(["a0: [1]", *(f"a{n}: a{n - 1} + a{n - 1}" for n in range(1, 60))]),
    "doubling strings": "\n".join(['a0: "x"', *(f"a{n}: a{n - 1} + a{n - 1}" for n in range(1, 60))]),
    "doubling interpolations": "\n".join(
        ['a0: "x"', *(f'a{n}: "\\(a{n - 1})\\(a{n - 1})"' for n in range(1, 60))]
    ),
    "doubling JSON": "\n".join(
        ['import "encoding/json"', "a0: [1]",
         *(f"a{n}: [json.Marshal(a{n - 1}), json.Marshal(a{n - 1})]" for n in range(1, 40))]
    ),
    "loops within loops": "\n".join(
        ["a: [for x in l for y in l for z in l for w in l {1}]", "l: [for i in m for j in m {i}]",
         "m: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]"]
    ),
    "product of disjunctions": "a: " + " & ".join(f"({{p{n}: 1}} | {{p{n}: 2}})" for n in range(25)),
    "long chain of names": "\n".join([*(f"a{n}: a{n + 1}" for n in range(3000)), "a3000: 1"]),
    "long sum": "a: " + "1+" * 20000 + "1",
    "huge repetition": "a: 1000000000 * [1]",
    "huge number": "a0: 9999999999\n" + "\n".join(f"a{n}: a{n - 1} * a{n - 1}" for n in range(1, 40)),
    "long chain of references": "\n".join(["a0: 1", *(f"a{n}: a{n - 1} + 1" for n in range(1, 2000))][::-1]),
    "deep nesting of references": "x: " + "{a: " * 150 + "x" + "}" * 150,
}  # fmt: skip


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs_end_with_an_error(text):
    reading = read(Source("f", text))
    assert reading.diagnostics
    assert not reading.ok


def test_a_large_file_is_no_bomb():
    text = "\n".join(f't "x{n}": {{n: {n}, l: [{n}]}}' for n in range(3000))
    assert len(export(text)["t"]) == 3000


def test_syntax_errors_bring_no_follow_up_errors():
    reading = read(Source("f", 'x: @user: "me"\nimage: user + "/x"\ny: 2 + [1 2][\n'))
    assert {d.code for d in reading.diagnostics} == {"DF001"}


def test_syntax_errors_hide_no_other_errors():
    reading = read(Source("f", 'user: "me"\nx: [1 2]\nimage: usr + "/x"\ny: 1\ny: 2\nz: string'))
    assert [d.code for d in reading.diagnostics] == ["DF001", "DF004", "DF002", "DF003"]
