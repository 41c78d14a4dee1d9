"""From nodes to data: the Value tree of what a file exports, and every reason why a part of it is missing."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.node import REGULAR, REQUIRED, Node, shown_label
from dispatchfile.cue.values import LIST, STRUCT, UNSET, Bottom, Stop, incomplete, kind_name
from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.cue.unify import Machine
    from dispatchfile.source import Span


class Exporter:
    """Builds values and collects what is wrong on the way."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.found: list[Diagnostic] = []
        self.told: set[Bottom] = set()
        self.at = machine.root  # what is exported just now

    def value(self, node: Node) -> Value | None:
        """Return what a node exports, or None when it is an error or not concrete; what is wrong is collected."""
        machine = self.machine
        self.at = given = node
        machine.evaluate(node)
        try:
            node = machine.chosen(node)
        except Stop as stop:
            self.tell(stop.bottom, given)
            return None
        if node.error is not None:
            self.tell(node.error, node)
            if node.kind != STRUCT or node.cyclic_conjuncts:
                return None
        elif node.blocked is not None:
            self.tell(node.blocked, node)
            if node.kind != STRUCT:
                return None
        if node.atom is not UNSET:
            for arc in node.arcs.values():
                if arc.presence == REGULAR:
                    self.audit(arc)
            atom = node.atom
            if isinstance(atom, bytes):
                from base64 import b64encode

                atom = b64encode(atom).decode("ascii")
            return Value(atom, *_places(given))  # type: ignore[arg-type] # set, so an atom
        if node.kind == STRUCT:
            return self.struct(node, given)
        if node.kind == LIST:
            return self.list(node, given)
        if node.error is None:
            self.tell(_not_concrete(machine, node), node)
        return None

    def struct(self, node: Node, given: Node) -> Value:
        """Return a struct of the fields that have a value."""
        self.machine.depth += 1
        self.machine.spend()
        fields: dict[str, Value] = {}
        for label, arc in list(node.arcs.items()):
            if arc.presence == REQUIRED:
                self.tell(
                    Bottom(
                        1, f"field {shown_label(label)} is required but not present", self.machine.place(arc)
                    ),
                    arc,
                )
            elif arc.presence == REGULAR:
                if arc.definition or label[:1] == "\0":
                    self.audit(arc)
                    continue
                value = self.value(arc)
                if value is not None:
                    fields[label] = value
        self.machine.depth -= 1
        return Value(fields, *_places(given))

    def list(self, node: Node, given: Node) -> Value:
        """Return a list of the elements that have a value."""
        self.machine.depth += 1
        self.machine.spend()
        values = [self.value(arc) for arc in node.items()]
        self.machine.depth -= 1
        return Value([value for value in values if value is not None], *_places(given))

    def audit(self, arc: Node) -> None:
        """Look for errors in what is not exported; it may be incomplete."""
        from dispatchfile.cue.disjunction import deep_error

        error = deep_error(self.machine, arc)
        if error is not None:
            self.tell(error, arc)

    def tell(self, bottom: Bottom, node: Node) -> None:
        """Turn the reason why a value is missing into a diagnostic, once."""
        if bottom in self.told or bottom.silent:
            return
        self.told.add(bottom)
        span = bottom.span or self.machine.place(node)
        path = bottom.path
        if path is None:
            path = (bottom.owner.path() if bottom.owner is not None else "") or node.path()
        related, label = bottom.related, ""
        if bottom.parties is not None and span is not None:
            from dispatchfile.cue.conflicts import places

            label, others = places(self.machine, bottom.parties, span)
            known = [place.span for place in related]
            related = (*related, *(place for place in others if place.span not in known))
        self.found.append(
            Diagnostic(
                bottom.rule,
                Severity.ERROR,
                bottom.message,
                span,
                label,
                related=related,
                help=bottom.help,
                path=path,
            )
        )


def _places(node: Node) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the spans of everything that made a node, and of the labels that name it."""
    conjuncts = node.conjuncts
    if len(conjuncts) == 1 and not node.derived:
        only = conjuncts[0]
        if only.expr.__class__ is Node:
            return (), ()
        return (only.expr.span,), (only.key,) if only.key is not None else ()
    spans: dict[tuple[int, int], Span] = {}
    keys = [conjunct.key for conjunct in conjuncts if conjunct.key is not None]
    for conjunct in (*conjuncts, *node.derived):
        if conjunct.expr.__class__ is not Node and conjunct.expr.span is not None:
            span = conjunct.expr.span
            spans.setdefault((span.start, span.end), span)
    return tuple(spans.values()), tuple(keys)


def _not_concrete(machine: Machine, node: Node) -> Bottom:
    bounds = [str(bound) for bound, _ in node.bounds]
    what = " & ".join(([] if bounds else [kind_name(node.kind)]) + bounds)
    bottom = incomplete(f"{node.path() or 'the value'} is not concrete: {what}", machine.place(node)).bottom
    bottom.help = "give it a value; a type or a bound alone cannot be exported"
    if node.kind_from is not None and node.kind_from.expr.__class__ is tree.Identifier:
        bottom.help = f"give it a value: {node.kind_from.expr.name} alone cannot be exported"
    return bottom


def concrete(machine: Machine, term: Any, span: Span | None) -> Any:
    """Return a computed term as plain Python data (bytes and Decimals stay); raises Stop when it is not concrete."""
    machine.spend()
    if term.__class__ is list:
        return [concrete(machine, item, span) for item in term]
    if term.__class__ is not Node:
        return getattr(term, "value", term)
    value = machine.value(term, span)
    if value.__class__ is not Node:
        return value
    if value.blocked is not None:
        raise Stop(value.blocked)
    if value.kind == LIST:
        return [concrete(machine, arc, span) for arc in value.items()]
    for arc in value.arcs.values():
        if arc.presence == REQUIRED:
            raise incomplete(f"field {shown_label(str(arc.label))} is required but not present", span)
    return {label: concrete(machine, arc, span) for label, arc in machine.fields(value)}
