"""Comprehensions and computed labels: what adds fields and elements once other values are known."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.closedness import below
from dispatchfile.cue.expand import RESERVED, declare, elements
from dispatchfile.cue.expressions import operand
from dispatchfile.cue.node import OPTIONAL, REGULAR, REQUIRED, RUNNING, Conjunct, Env, Node, shown_label
from dispatchfile.cue.references import place
from dispatchfile.cue.values import LIST, Stop, fail, incomplete, kind_name, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    from dispatchfile.cue.unify import Machine


def perform(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    """Do a comprehension, a list with comprehensions, or a field with a computed label.

    Raises Stop when something it needs is not known yet.
    """
    machine.decided = True
    kind = conjunct.expr.__class__
    if kind is tree.Field:
        _computed_label(machine, node, conjunct)
        return
    if kind is tree.ListLiteral:
        _list(machine, node, conjunct)
        return
    run = Run(machine, conjunct.expr.clauses)
    if node.yielded is None:
        node.yielded = {}
    done = node.yielded.setdefault(conjunct, set())
    for key, env in run.environments(conjunct.env):
        if key not in done:
            done.add(key)
            machine.derive(node, conjunct.of(conjunct.expr.value, env))
    if run.waits is not None:
        raise run.waits


class Run:
    """One pass through the clauses of a comprehension."""

    def __init__(self, machine: Machine, clauses: tuple[tree.For | tree.If | tree.Let, ...]) -> None:
        self.machine = machine
        self.clauses = clauses
        self.waits: Stop | None = None

    def environments(self, env: Env | None) -> list[tuple[tuple[Hashable, ...], Env | None]]:
        """Return an environment for every time the body comes, keyed by what was looped over."""
        found: list[tuple[tuple[Hashable, ...], Env | None]] = [((), env)]
        for clause in self.clauses:
            further: list[tuple[tuple[Hashable, ...], Env | None]] = []
            for key, outer in found:
                self.machine.spend()
                try:
                    further += self.clause(clause, key, outer)
                except Stop as stop:
                    if stop.bottom.code == 0:
                        raise
                    self.waits = self.waits or stop
            found = further
        return found

    def clause(
        self, clause: tree.For | tree.If | tree.Let, key: tuple[Hashable, ...], env: Env | None
    ) -> list[tuple[tuple[Hashable, ...], Env | None]]:
        """Return the environments that one clause makes of one; raises Stop when it is not known, or wrong."""
        if isinstance(clause, tree.If):
            condition = operand(self.machine, clause.condition, env)
            if not isinstance(condition, bool):
                raise fail("the condition of a comprehension must be a bool", clause.span)
            return [(key, env)] if condition else []
        if isinstance(clause, tree.Let):
            return [(key, Env(None, env, {clause.name: place(self.machine, clause.value, env)}))]
        found: list[tuple[tuple[Hashable, ...], Env | None]] = []
        items = self.source(clause, env)
        self.machine.spend(len(items))
        for label, value in items:
            bindings = {clause.value: value}
            if clause.key:
                bindings[clause.key] = label
            found.append(((*key, label), Env(None, env, bindings)))
        return found

    def source(self, clause: tree.For, env: Env | None) -> list[tuple[Any, Any]]:
        """Return what a loop goes over: pairs of label or index and value; raises Stop as above."""
        source = operand(self.machine, clause.source, env)
        if isinstance(source, list):
            return list(enumerate(source))
        if source.__class__ is not Node:
            raise fail(f"cannot loop over a {kind_name(kind_of(source))}", clause.source.span)
        if source.state == RUNNING:
            self.machine.cycles += 1
            if source.kind == LIST or not self.machine.last_call:
                raise incomplete("the loop goes over a value that it is part of", clause.source.span)
        elif source.blocked is not None:
            raise Stop(source.blocked)
        source.frozen = True
        if source.kind == LIST:
            return list(enumerate(source.items()))
        for label, arc in source.arcs.items():
            if arc.presence == REQUIRED:
                raise incomplete(
                    f"field {shown_label(label)} is required but not present", clause.source.span
                )
        return list(self.machine.fields(source))


def _list(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    literal = conjunct.expr
    parts: list[tuple[Any, Env | None]] = []
    for element in literal.elements:
        if element.__class__ is not tree.Comprehension:
            parts.append((element, conjunct.env))
            continue
        run = Run(machine, element.clauses)
        parts += [(element.value, env) for _, env in run.environments(conjunct.env)]
        if run.waits is not None:
            raise run.waits
    elements(machine, node, conjunct, parts, literal.rest)


def _computed_label(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    field = conjunct.expr
    label = operand(machine, field.label.value, conjunct.env)
    if not isinstance(label, str):
        raise fail(f"a label must be a string, this is a {kind_name(kind_of(label))}", field.label.span)
    if label[:1] == "\0":
        raise fail(RESERVED, field.label.span)
    if machine.closing:
        declare(node, label, conjunct.group, field.mark)
    group = below(conjunct.group)
    value = Conjunct(field.value, conjunct.env, group, conjunct.trail, field.label.span, conjunct.cyclic)
    machine.arc(node, label, value, OPTIONAL if field.mark == "?" else REGULAR)
