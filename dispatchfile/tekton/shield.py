"""Steps with secrets on a cluster: no parameter stands where the kubelet reads a text (`model/shielding.py`).

Each gets a variable before all others, when the kubelet knows none that it could put into it, and texts hold that
variable: what the kubelet puts in, it does not read again. Only `$$` in a value is one `$` then, as it always was.
"""

from __future__ import annotations

import re

from dispatchfile.model import shielding
from dispatchfile.tekton import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.model.pipeline import Step, Task
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

VALUE = "DISPATCHFILE_VALUE."
"""How the variables for parameters begin; the dot keeps shells from handing them on."""
_PARAM = re.compile(r"\$\(params\.([\w-]+)\)", re.ASCII)


def shielded(draft: Draft, task: Task, step: Step, made: Object) -> Object:
    """Return a written step whose secrets no value of a parameter can ask for."""
    if not shielding.is_needed(step):
        return made
    taken: dict[str, None] = {}
    dollar = f"$({text.dollar_name(draft, task)})"

    def pieces(written: str) -> Iterator[tuple[str, bool]]:
        at = 0
        for found in _PARAM.finditer(written):
            yield written[at : found.start()], False
            yield f"$({VALUE}{found[1]})", True
            taken[found[1]] = None
            at = found.end()
        yield written[at:], False

    def kept(written: str) -> str:
        return shielding.shielded(pieces(written), dollar) if "$(params." in written else written

    words: Object = {
        field: [kept(word) for word in made[field]] for field in ("command", "args") if field in made
    }
    env = [{**one, "value": kept(one["value"])} if "value" in one else one for one in made.get("env", ())]
    first = [{"name": f"{VALUE}{param}", "value": f"$(params.{param})"} for param in taken]
    return {**made, **words, **({"env": [*first, *env]} if first else {})}
