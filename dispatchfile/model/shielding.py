"""Values that others choose, in the texts of a step that has secrets: the kubelet reads nothing in them.

It replaces `$(VAR)` in command, args, and values of env, wherever that comes from: a branch called `$(TOKEN)`, or such
a word in a comment or in what another task printed, would become the secret of that name, and be shown to whoever
chose it. So a value is put into these texts as something that the kubelet does not read.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispatchfile.model.pipeline import Step


def is_needed(step: Step) -> bool:
    """Return whether a step has variables that hold secrets."""
    return any(variable.secret is not None for variable in step.env) or step.value.at("envFrom") is not None


def shielded(pieces: Iterable[tuple[str, bool]], dollar: str) -> str:
    """Return pieces in one text; each is (text, whether it is a value, as it is to be written).

    `dollar` is written for every `$` of a text that would be read together with a value, as in `$$(context.git.branch)`
    and `$(basename $(context.git.branch))`: the kubelet makes a `$` of it.
    """
    masked, values = "", {}
    for text, is_value in pieces:
        if is_value:
            values[len(masked)] = text
        masked += "x" if is_value else text
    # A bracket that nothing closes might be by what is put in.
    closed, last = masked.rfind(")"), max(values, default=-1)
    read = {
        at
        for start, end in references(masked)
        if any(at in values for at in range(start, end))
        or (masked[start + 1] == "(" and closed < start < last)
        for at in range(start, end)
        if masked[at] == "$"
    }
    return "".join(values.get(at, dollar if at in read else char) for at, char in enumerate(masked))


def references(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the kubelet finds `$$` and `$(…)` in a text: each from its first character to behind its last.

    So it does with a `$` and any other character, which it leaves as they are.
    """
    last = text.rfind(")")
    at = text.find("$")
    while 0 <= at < len(text) - 1:
        end = text.find(")", at) + 1 if text[at + 1] == "(" and at < last else at + 2
        yield at, end
        at = text.find("$", end)
