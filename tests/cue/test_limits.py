"""Files that multiply: each ends with its value or at a stated limit, soon, with a finding that has a place."""

import time

import pytest

from dispatchfile.cue import export, read
from dispatchfile.source import Source

SECONDS = 20  # tells an end from a hang, on the slowest of machines
STEPS = "steps, the limit for a file of this size"
L20 = "l: [" + ", ".join(map(str, range(20))) + "]\n"


def lines(*parts):
    return "\n".join(parts)


def chain(first, step, count):
    """a0, and each next value made of the one before."""
    return lines(f"a0: {first}", *(f"a{n}: {step(f'a{n - 1}', n)}" for n in range(1, count)))


def laughs(item, up, count=9):
    return chain(item, lambda before, _: up(", ".join([before] * 10)), count)


ENDS = {
    "chained unifications": (chain("{x: 1}", lambda a, n: f"{a} & {a} & {{y{n}: {n}}}", 300), STEPS),
    "doubling structs": (chain("{x: 1}", lambda a, _: f"{{l: {a}, r: {a}}}", 40), STEPS),
    "a billion of lists": (laughs('["lol"]', lambda items: f"[{items}]"), STEPS),
    "a billion of structs": (
        chain('"lol"', lambda a, _: "{" + ", ".join(f"k{i}: {a}" for i in range(10)) + "}", 10), STEPS,
    ),
    "a billion that are hidden": (laughs("[1]", lambda items: f"[{items}]").replace("a", "_a") + "\nx: 1", STEPS),
    "a billion of aliases": (
        lines("let X0 = {}", *(f"let X{n} = {{l: X{n - 1}, r: X{n - 1}}}" for n in range(1, 60)), "a: X59"), STEPS,
    ),
    "doubling lists": (chain("[1]", lambda a, _: f"{a} + {a}", 60), STEPS),
    "doubling texts": (chain('"lol"', lambda a, _: f"{a} + {a}", 60), STEPS),
    "doubling interpolations": (chain('"x"', lambda a, _: f'"\\({a})\\({a})"', 60), "longer than 4000000 characters"),
    "many long texts": (
        chain('"lol"', lambda a, _: f"{a} + {a}", 20) + "\n" + lines(*(f'b{n}: a19 + "{n}"' for n in range(1000))), STEPS,
    ),
    "product of disjunctions": ("a: " + " & ".join(f"({{p{n}: 1}} | {{p{n}: 2}})" for n in range(25)), STEPS),
    "product of defaults": ("a: " + " & ".join(f"(*{{p{n}: 1}} | {{p{n}: 2}})" for n in range(14)), STEPS),
    "disjunctions in disjunctions": (
        chain("1 | 2", lambda a, _: f"{{x: {a}}} | {{y: {a}}}", 40), "several alternatives",
    ),
    "product of loops": (L20 + "a: [for a in l for b in l for c in l for d in l for e in l {a}]", STEPS),
    "product of loops without a result": (
        L20 + "a: [for a in l for b in l for c in l for d in l for e in l if false {a}]", STEPS,
    ),
    "product of loops that make fields": (
        L20 + 'a: {for a in l for b in l for c in l for d in l {"\\(a)-\\(b)-\\(c)-\\(d)": 1}}', STEPS,
    ),
    "squared numbers": (chain("9999999999", lambda a, _: f"{a} * {a}", 40), "more than 4000 digits"),
    "squared decimals": (chain("9999999999.5", lambda a, _: f"{a} * {a}", 40), "more than 4000 digits"),
    "large exponent": ("a: 1e999999999", "number too large"),
    "small exponent": ("a: 1e-999999999", "number too large"),
    "long literal": ("a: " + "9" * 100_000, "number too large"),
    "large power": ('import "math"\na: math.Pow(10, 1000000000)', "more than 4000 digits"),
    "large fractional power": ('import "math"\na: math.Pow(10.5, 1000000000.5)', "too large"),
    "large power of ten": ('import "math"\na: math.Pow10(1000000000)', "too large"),
    "large exponential": ('import "math"\na: math.Exp(1000000)', "too large"),
    "large product": ('import "list"\na: list.Product([for x in list.Range(1, 2000, 1) {x}])', "4000 digits"),
    "long range": ('import "list"\na: list.Range(0, 3000000, 1)', "more than 50000 elements"),
    "fine range": ('import "list"\na: list.Range(0, 1, 0.00000000001)', "more than 50000 elements"),
    "repeated lists": ('import "list"\na: list.Repeat(list.Repeat([1], 2000), 1000)', "more than 50000 elements"),
    "repeated list": ("a: 1000000000 * [1]", STEPS),
    "repeated text": ('import "strings"\na: strings.Repeat("x", 1000000000)', "more than 4000000 characters"),
    "repeated texts": (
        'import "strings"\nimport "list"\na: [for x in list.Range(0, 2000, 1) {strings.Repeat("a\\(x)", 900000)}]', STEPS,
    ),
    "joined texts": (
        'import "strings"\nimport "list"\na: strings.Repeat("a", 1000000)\nb: strings.Join(list.Repeat([a], 9000), a)',
        "the result would have more than",
    ),
    "replaced texts": (
        'import "strings"\na: strings.Repeat("a", 1000000)\nb: strings.Replace(a, "a", a, -1)', "4000000 characters",
    ),
    "split text": ('import "strings"\na: strings.Split(strings.Repeat("a", 4000000), "")', "more than 50000 elements"),
    "doubling JSON": (
        'import "encoding/json"\n' + chain("[1]", lambda a, _: f"[json.Marshal({a}), json.Marshal({a})]", 40),
        "more than 4000000 characters",
    ),
    "sorting by a struct": (
        'import "list"\na: list.Sort([for x in list.Range(0, 3000, 1) {mod(x * 7919, 3001)}], {x: _, y: _, less: x < y})',
        STEPS,
    ),
    "repetitions of repetitions": ('a: "x" =~ "((a{1,30}){1,30}){1,30}b"', "the expression is too large"),
    "expression on a long text": (
        'import "strings"\na: strings.Repeat("a", 1000000) =~ ".*.*.*.*x"', "takes more than 1000000 steps",
    ),
    "chain of names": (lines(*(f"a{n}: a{n + 1}" for n in range(3000)), "a3000: 1"), STEPS),
    "chain of sums": (lines(*[*(f"a{n}: a{n - 1} + 1" for n in range(2000, 0, -1)), "a0: 1"]), "levels deep"),
    "double recursion": (
        lines(
            "#F: {n: int, out: int, if n < 2 {out: 1}",
            'if n > 1 {out: (#F & {"n": n - 1}).out + (#F & {"n": n - 2}).out}}',
            "x: (#F & {n: 25}).out",
        ),
        STEPS,
    ),
    "fields in fields": ("x: " + "{a: " * 150 + "x" + "}" * 150, "structural cycle"),
}  # fmt: skip


def timed(run):
    start = time.monotonic()
    result = run()
    assert time.monotonic() - start < SECONDS
    return result


@pytest.mark.parametrize(("text", "limit"), ENDS.values(), ids=ENDS)
def test_ends_at_a_limit(text, limit):
    reading = timed(lambda: read(Source("f", text)))
    assert not reading.ok
    told = [found for found in reading.diagnostics if limit in found.message]
    assert told
    assert all("\n" not in found.message and len(found.message) < 200 for found in reading.diagnostics)
    assert told[0].span.end > told[0].span.start


VALUES = {
    "alternatives told apart by a field": (
        "_x: " + " | ".join(f'{{k: "v{n}", n{n}: int}}' for n in range(300)) + "\n"
        + lines(*(f'y{n}: _x & {{k: "v{n}", n{n}: 1}}' for n in range(40))),
        {f"y{n}": {"k": f"v{n}", f"n{n}": 1} for n in range(40)},
    ),
    "as many patterns as fields": (
        "a: {" + ", ".join(f'[=~"^f{n}$"]: int' for n in range(200)) + "}\na: {"
        + ", ".join(f"f{n}: {n}" for n in range(200)) + "}",
        {"a": {f"f{n}": n for n in range(200)}},
    ),
    "many alternatives": ("a: " + " | ".join(f'"{n}"' for n in range(250)) + '\na: "249"', {"a": "249"}),
    "many defaults": ("a: [" + ", ".join("*1 | 2" for _ in range(1000)) + "]", {"a": [1] * 1000}),
    "long lists unified": (
        "a: [" + "int," * 2000 + "]\na: [" + ",".join(map(str, range(2000))) + "]", {"a": list(range(2000))},
    ),
    "a template for many": (
        't: [N=string]: name: "\\(N)!"\n' + lines(*(f"t: x{n}: {{}}" for n in range(1000))),
        {"t": {f"x{n}": {"name": f"x{n}!"} for n in range(1000)}},
    ),
    "a loop over many": ("a: [for x in l for y in l {x * y}]\n" + L20.replace("l:", "l=l:"),
                         {"l": list(range(20)), "a": [x * y for x in range(20) for y in range(20)]}),
    "a backtracking expression": ('a: "' + "a" * 3000 + '" =~ "(a+)+$b"', {"a": False}),
    "optional letters": ('a: "' + "a" * 30 + '" =~ "' + "a?" * 30 + "a" * 30 + '"', {"a": True}),
    "the largest number": ("a: " + "9" * 4000, {"a": 10**4000 - 1}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES.values(), ids=VALUES)
def test_ends_with_its_value(text, expected):
    assert timed(lambda: export(text)) == expected


def test_work_grows_in_proportion_to_the_number_of_tasks():
    steps = {}
    for count in (100, 1000):
        task = 'task "t{0}": {{inputs: ["r"], steps: [{{image: base + ":{0}", env: shared + [{{name: "N", value: "{0}"}}]}}]}}\n'
        text = 'base: "app"\nshared: [{name: "A", value: "b"}]\n' + "".join(
            task.format(n) for n in range(count)
        )
        steps[count] = _steps(text)
    assert steps[1000] < 10.5 * steps[100]


def _steps(text):
    """How many steps the evaluation of a text takes."""
    from dispatchfile.cue.exporter import Exporter
    from dispatchfile.cue.parser import parse
    from dispatchfile.cue.scope import resolve
    from dispatchfile.cue.unify import Machine

    file = parse(Source("f", text)).file
    machine = Machine(file, resolve(file))
    exporter = Exporter(machine)
    assert exporter.value(machine.root) is not None
    assert exporter.found == []
    return machine.limit - machine.steps
