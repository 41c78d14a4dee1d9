"""The predeclared functions and the builtin packages; a package is imported when a file uses it.

A package module holds `FUNCTIONS`: by name, the kinds of the parameters and a Python function over plain values.
Parameter kinds: s string, t bool, b bytes or string, i int, n number, l list of plain values, L list of terms as they are
(not necessarily concrete), C a comparator of the package `list`, v a schema (a function that tells why a plain value
does not fit, or ""), a any plain value. A function that answers a bool and is called with its first argument
missing is a validator: it restricts the value it stands for.
"""

from __future__ import annotations

from dispatchfile import late
from dispatchfile.cue import tree
from dispatchfile.cue.closedness import Group, embedded_closed
from dispatchfile.cue.node import Choice, Conjunct, Env, Node, Plain
from dispatchfile.cue.scope import PACKAGE, PREDECLARED
from dispatchfile.cue.values import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    LIST,
    NUMBER,
    STRING,
    STRUCT,
    TOP,
    Stop,
    compare,
    fail,
    incomplete,
    kind_name,
    kind_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from dispatchfile.cue.unify import Machine

    Function: TypeAlias = tuple[str, Callable[..., Any]]

_MODULES = {
    "strings": "strings",
    "list": "lists",
    "strconv": "conversions",
    "math": "mathematics",
    "encoding/json": "json",
}
_KINDS = {"s": STRING, "t": BOOL, "b": BYTES | STRING, "i": INT, "n": NUMBER, "l": LIST, "L": LIST, "a": TOP}


def package(path: str) -> tuple[dict[str, Function], dict[str, Any]]:
    """Return the functions and the constants of a package; both empty when it is not one of those built in."""
    module = _MODULES.get(path.partition(":")[0])
    if module is None:
        return {}, {}
    loaded = late.module(f"dispatchfile.cue.builtins.{module}")
    return loaded.FUNCTIONS, getattr(loaded, "CONSTANTS", {})


def member(path: str, expr: tree.Selector) -> Plain:
    """Return a package's constant; raises Stop when there is none of that name."""
    functions, constants = package(path)
    if expr.label in constants:
        return Plain(constants[expr.label], expr.span)
    if expr.label in functions:
        raise fail(f"{path}.{expr.label} is a function: write {expr.label}(…)", expr.span)
    raise _unknown(path, expr, functions)


def _unknown(path: str, expr: tree.Selector, functions: dict[str, Function]) -> Stop:
    from dispatchfile.spelling import nearest

    guess = nearest(expr.label, functions)
    return fail(
        f"{path}.{expr.label} is not supported", expr.span, advice=f"did you mean {guess}?" if guess else ""
    )


def _function(machine: Machine, call: tree.Call) -> str | Function:
    """Return the name of a predeclared function, or a package's function."""
    function: Any = call.function
    while function.__class__ is tree.Parenthesis:
        function = function.inner
    if function.__class__ is tree.Identifier:
        meaning = machine.meanings.get(function)
        if meaning is not None and meaning.kind == PREDECLARED:
            return meaning.name
    elif function.__class__ is tree.Selector and function.operand.__class__ is tree.Identifier:
        meaning = machine.meanings.get(function.operand)
        if meaning is not None and meaning.kind == PACKAGE:
            functions, _ = package(meaning.name)
            if function.label not in functions:
                raise _unknown(meaning.name, function, functions)
            return functions[function.label]
    name = function.operand if function.__class__ is tree.Selector else function
    if name.__class__ is tree.Identifier and machine.meanings.get(name) is None:
        from dispatchfile.cue.references import unresolved

        raise unresolved(name)
    raise fail("only functions can be called, and functions cannot be declared", call.span)


def perform(machine: Machine, node: Node, conjunct: Conjunct) -> bool:
    """Do the calls that shape their node (close, and, or, validators); return whether this was one."""
    call, env = conjunct.expr, conjunct.env
    function = _function(machine, call)
    if function == "close" and len(call.arguments) == 1:
        embedded_closed(conjunct.group, recursive=False)
        group = Group(conjunct.group, closed=True, recursive=False)
        machine.derive(
            node, Conjunct(call.arguments[0], env, group, conjunct.trail, conjunct.key, conjunct.cyclic)
        )
        machine.restrict(node, STRUCT, conjunct)
        return True
    if function in ("and", "or") and len(call.arguments) == 1:
        items = _list_of_terms(machine, call.arguments[0], env, str(function))
        if function == "and":
            for item in items:
                machine.derive(
                    node, conjunct.of(item if item.__class__ is Node else Plain(item, call.span), None)
                )
        elif not items:
            raise incomplete("or([]) has no alternative", call.span)
        else:
            from dispatchfile.cue.expand import choice

            terms = [(item if item.__class__ is Node else Plain(item, call.span), False) for item in items]
            choice(machine, node, Choice(conjunct, terms))
        return True
    if isinstance(function, tuple) and len(call.arguments) == len(function[0]) - 1:
        return _validator(machine, node, conjunct, function)
    return False


def _validator(machine: Machine, node: Node, conjunct: Conjunct, function: Function) -> bool:
    call = conjunct.expr
    name = call.function.label
    kinds, run = function
    if name not in _VALIDATORS:
        return False
    arguments = [
        _argument(machine, kind, argument, conjunct.env)
        for kind, argument in zip(kinds[1:], call.arguments, strict=True)
    ]
    if machine.restrict(node, _KINDS[kinds[0]], conjunct):
        check = (
            lambda value: run(value, *arguments),
            f"{name}({', '.join([a.span.text for a in call.arguments])})",
            call.span,
        )
        node.checks = [*node.checks, check]
    return True


_VALIDATORS = frozenset(
    [
        "MinRunes",
        "MaxRunes",
        "HasPrefix",
        "HasSuffix",
        "Contains",
        "ContainsAny",
        "MinItems",
        "MaxItems",
        "UniqueItems",
        "MultipleOf",
        "Valid",
        "IsSorted",
        "IsSortedStrings",
        "Validate",
        "ValidatePartial",
    ]
)


def call(machine: Machine, expr: tree.Call, env: Env | None) -> Any:
    """Return the result of a call; raises Stop when it fails or an argument is not concrete."""
    function = _function(machine, expr)
    if isinstance(function, str):
        return _predeclared(machine, function, expr, env)
    kinds, run = function
    name = expr.function.label  # type: ignore[union-attr] # a package's function
    if len(expr.arguments) != len(kinds):
        raise fail(f"{name} takes {len(kinds)} arguments, {len(expr.arguments)} are given", expr.span)
    arguments = [
        _argument(machine, kind, argument, env) for kind, argument in zip(kinds, expr.arguments, strict=True)
    ]
    machine.spend()
    try:
        result = run(*arguments)
    except ValueError as problem:
        raise fail(f"{name}: {problem}", expr.span) from problem
    except ArithmeticError as problem:
        raise fail(
            f"{name} has no result for these numbers, or one that is too large", expr.span
        ) from problem
    if kind_of(result) == FLOAT and not result.is_finite():
        raise fail(f"{name} has no finite result for these numbers", expr.span)
    return result


def _argument(machine: Machine, kind: str, expr: Any, env: Env | None) -> Any:
    from dispatchfile.cue.exporter import concrete
    from dispatchfile.cue.expressions import operand

    if kind == "C":
        return _less(machine, expr, env)
    if kind == "v":
        return _schema(machine, expr, env)
    if kind == "L":
        return _list_of_terms(machine, expr, env, "the function")
    value = concrete(machine, operand(machine, expr, env), expr.span)
    if not kind_of(value) & _KINDS[kind]:
        raise fail(
            f"the argument is a {kind_name(kind_of(value))}; expected {kind_name(_KINDS[kind])}", expr.span
        )
    return value


def _schema(machine: Machine, expr: Any, env: Env | None) -> Callable[..., str]:
    """Return a function that says why a plain value does not fit an expression, or "" when it does."""

    def misfit(value: Any, *, complete: bool) -> str:
        from dispatchfile.cue.disjunction import deep_error
        from dispatchfile.cue.exporter import concrete

        trial = Node(None, None)
        trial.conjuncts += [Conjunct(expr, env), Conjunct(Plain(value, expr.span), None)]
        error = deep_error(machine, trial)
        if error is not None:
            return error.message
        try:
            if complete:
                concrete(machine, trial, expr.span)
        except Stop as stop:
            return stop.bottom.message
        return ""

    return misfit


def _less(machine: Machine, expr: Any, env: Env | None) -> Callable[[Any, Any], bool]:
    """Return a comparator, `list.Ascending` or a struct of x, y and less, as a function of two terms."""
    from dispatchfile.cue.exporter import concrete
    from dispatchfile.cue.references import base_node, lookup, target

    found = target(machine, expr, env)
    if found.__class__ is Plain and isinstance(found.value, dict) and "<" in found.value:
        operator = found.value["<"]

        def less(a: Any, b: Any) -> bool:
            left, right = concrete(machine, a, expr.span), concrete(machine, b, expr.span)
            if kind_of(left) | kind_of(right) not in (INT, FLOAT, NUMBER, STRING, BYTES):
                raise fail("the elements of the list cannot be compared with each other", expr.span)
            return compare(operator, left, right, expr.span)

        return less
    comparer = base_node(machine, expr, env)

    def less_by_struct(a: Any, b: Any) -> bool:
        trial = Node(None, None)
        trial.conjuncts += [Conjunct(comparer, None), Conjunct(Plain({"x": a, "y": b}, expr.span), None)]
        return machine.value(lookup(machine, trial, "less", expr.span), expr.span) is True

    return less_by_struct


def _list_of_terms(machine: Machine, expr: Any, env: Env | None, name: str) -> list[Any]:
    from dispatchfile.cue.expressions import operand

    value = operand(machine, expr, env)
    if isinstance(value, list):
        return value
    if value.__class__ is Node and value.kind == LIST:
        return value.items()
    kind = value.kind if value.__class__ is Node else kind_of(value)
    raise fail(f"{name} takes a list, this is a {kind_name(kind)}", expr.span)


def _predeclared(machine: Machine, name: str, expr: tree.Call, env: Env | None) -> Any:
    from dispatchfile.cue.expressions import integer_division, operand
    from dispatchfile.cue.references import place

    if name in ("div", "mod", "quo", "rem"):
        if len(expr.arguments) != 2:
            raise fail(f"{name} takes two ints", expr.span)
        left, right = [operand(machine, argument, env) for argument in expr.arguments]
        return integer_division(name, left, right, expr.span)
    if name in ("close", "and", "or"):
        return machine.value(place(machine, expr, env), expr.span)
    if name == "len" and len(expr.arguments) == 1:
        return _length(operand(machine, expr.arguments[0], env), expr)
    raise fail(f"{name} cannot be called like this", expr.span)


def _length(value: Any, expr: tree.Call) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (bytes, list)):
        return len(value)
    if value.__class__ is Node:
        if value.blocked is not None:
            raise Stop(value.blocked)
        if value.kind == STRUCT:
            value.frozen = True
            return len(value.fields())
        if value.kind == LIST:
            return len(value.arcs)
    raise fail(f"len cannot take a {kind_name(kind_of(value))}", expr.span)
