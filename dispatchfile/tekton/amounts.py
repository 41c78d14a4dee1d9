"""What steps ask of a node, as `computeResources`.

The steps of a task run one after another, but their containers are in one pod, and a node must have room for what all
of them ask for together. So only the largest request of each kind stays, as Tekton did it when Dispatch ran on it
(v0.14); the others become 0. A limit without a request counts as a request, as Kubernetes reads it.
"""

from __future__ import annotations

from dispatchfile.model.quantities import quantity
from dispatchfile.model.steps import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from dispatchfile.model.pipeline import Step
    from dispatchfile.tekton.parts import Object

SHARED = ("cpu", "memory", "ephemeral-storage")
"""Kinds of which a container may ask for less than it may use; others, such as processors for graphics, it may not."""


def compute_resources(steps: Sequence[Step]) -> list[Object]:
    """Return the `computeResources` of each step of a task; an empty one where a step asks for nothing."""
    limits = [_quantities(step, "limits") for step in steps]
    requests = [_quantities(step, "requests") for step in steps]
    for kind in SHARED:
        asked = {
            index: own.get(kind) or most[kind]
            for index, (own, most) in enumerate(zip(requests, limits, strict=True))
            if kind in own or kind in most
        }
        largest = max(asked, key=lambda index: _amount(asked[index]), default=None)
        for index in asked:
            if index != largest:
                requests[index] = {**requests[index], kind: "0"}
    return [
        {name: kinds for name, kinds in (("limits", most), ("requests", own)) if kinds}
        for most, own in zip(limits, requests, strict=True)
    ]


def _quantities(step: Step, name: str) -> Mapping[str, str]:
    """Return limits or requests by kind; Kubernetes takes numbers as text too."""
    part = step.value.at("resources", name)
    fields = part.data if part is not None and isinstance(part.data, dict) else {}
    return {kind: written for kind, value in fields.items() if (written := text(value)) is not None}


def _amount(written: str) -> Fraction:
    """Return a quantity as a number; 0 for what is none, which is a finding of its own."""
    from fractions import Fraction

    try:
        return Fraction(*quantity(written))
    except ValueError:
        return Fraction(0)
