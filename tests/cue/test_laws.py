"""What holds for all values: unification is a meet, an exported value exports itself, and nothing crashes."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatchfile.cue import export, read
from dispatchfile.errors import EvaluationError
from dispatchfile.source import Source

SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SCALARS = st.sampled_from(
    ["1", "2", "3", "1.5", '"a"', '"b"', "'x'", "true", "false", "null", "_", "int", "number", "string", "bool", "float",
     "bytes", ">1", "<3", ">=2", "!=2", "uint8", '=~"^a"', '!="b"']
)  # fmt: skip
LABELS = st.sampled_from(["a", "b", "c", "a?", "#D", "_h"])


def _composed(values):
    fields = st.lists(st.tuples(LABELS, values), max_size=3).map(
        lambda pairs: "{" + ", ".join(f"{label}: {value}" for label, value in pairs) + "}"
    )
    lists = st.tuples(st.lists(values, max_size=3), st.sampled_from(["", "...", "...int"])).map(
        lambda parts: "[" + ", ".join([*parts[0], *filter(None, [parts[1]])]) + "]"
    )
    # Without defaults within: in v0.1.2 inner marks count beside outer ones, which is no lattice.
    alternatives = st.lists(values.filter(lambda value: "*" not in value), min_size=2, max_size=3)
    choices = alternatives.map(lambda items: "(" + " | ".join(items) + ")")
    defaults = alternatives.map(lambda items: "(*" + " | ".join(items) + ")")
    closed = fields.map(lambda literal: f"close({literal})")
    return fields | lists | choices | defaults | closed


VALUES = st.recursive(SCALARS, _composed, max_leaves=6)


def outcome(expression):
    """What an expression exports as, or that it does not."""
    try:
        return export(f"x: {expression}")
    except EvaluationError:
        return "no value"


@SETTINGS
@given(VALUES, VALUES)
def test_unification_is_commutative(a, b):
    assert outcome(f"({a}) & ({b})") == outcome(f"({b}) & ({a})")


@SETTINGS
@given(VALUES, VALUES, VALUES)
def test_unification_is_associative(a, b, c):
    assert outcome(f"(({a}) & ({b})) & ({c})") == outcome(f"({a}) & (({b}) & ({c}))")


@SETTINGS
@given(VALUES)
def test_unification_is_idempotent(a):
    assert outcome(f"({a}) & ({a})") == outcome(a)


@SETTINGS
@given(VALUES)
def test_everything_unifies_with_top(a):
    assert outcome(f"({a}) & _") == outcome(a)


@SETTINGS
@given(VALUES, VALUES)
def test_a_reference_is_what_it_refers_to(a, b):
    def given_twice(text):
        try:
            return export(text)["x"]
        except EvaluationError:
            return "no value"

    assert given_twice(f"_a: {a}\nx: _a & ({b})") == given_twice(f"x: ({a}) & ({b})")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(TEXTS.filter(lambda label: label[:1] != "\0"), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@SETTINGS
@given(JSON)
def test_json_is_its_own_value(data):
    value = export("x: " + json.dumps(data))["x"]
    assert value == data
    assert export("x: " + json.dumps(value))["x"] == value


ATOMS = SCALARS | st.sampled_from(["x", "y", "z", "x.a", "y[0]", "z.b.a", "_|_", "[]", "{}", '"\\(x)"'])


def _expressions(inner):
    operators = st.sampled_from(
        ["+", "-", "*", "/", "&", "|", "&&", "||", "==", "!=", "<", "<=", "=~", "div", "mod", "quo", "rem"]
    )
    binary = st.tuples(inner, operators, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    unary = st.tuples(st.sampled_from(["-", "!", "+", "<", ">=", "!=", "=~"]), inner).map(
        lambda p: f"({p[0]}{p[1]})"
    )
    calls = st.tuples(st.sampled_from(["len", "close", "and", "or"]), inner).map(lambda p: f"{p[0]}({p[1]})")
    access = st.tuples(inner, st.sampled_from([".a", "[0]", '["a"]', "[1:]", "[-1]"])).map(
        lambda p: f"({p[0]}){p[1]}"
    )
    fields = st.tuples(inner, inner).map(lambda p: f"{{a: {p[0]}, b: {p[1]}}}")
    loops = st.tuples(inner, inner).map(lambda p: f"[for k, v in {p[0]} if v != {p[1]} {{v}}]")
    conditions = st.tuples(inner, inner).map(lambda p: f"{{if {p[0]} {{a: {p[1]}}}}}")
    patterns = st.tuples(inner, inner).map(lambda p: f"{{[{p[0]}]: {p[1]}, a: _}}")
    texts = inner.map(lambda e: f'"\\({e})"' if '"' not in e else e)
    return st.one_of(binary, unary, calls, access, fields, loops, conditions, patterns, texts)


EXPRESSIONS = st.recursive(ATOMS, _expressions, max_leaves=8)


@settings(SETTINGS, max_examples=300)
@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_every_file_has_a_value_or_an_error(x, y, z):
    text = f"x: {x}\ny: {y}\nz: {z}\n"
    reading = read(Source("f", text))
    assert all(found.message and found.span is not None for found in reading.diagnostics)
    if reading.ok:
        value = export(text)
        assert json.loads(json.dumps(value)) == value
    else:
        assert reading.diagnostics
