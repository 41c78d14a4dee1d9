"""The emitter's own steps: scripts of `runner/steps`, which find all that differs in their environment or arguments.

`python -m dispatchfile.tekton.scripts` compiles the scripts into `_scripts.py`, a constant each, without the comment at its
head, for each task carries a copy; with `--check` it says whether that module is up to date.
"""

from __future__ import annotations

import sys

from dispatchfile.model.variables import find
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.text import DOLLAR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dispatchfile.tekton.parts import Object


def step(
    name: str,
    image: str,
    script: str,
    env: Mapping[str, str],
    args: Sequence[str] = (),
    mounts: Sequence[Object] = (),
) -> Object:
    """Return a step that runs a script. Texts of the Dispatchfile in `env` and `args` have been through `value`."""
    texts = [*env.values(), *args]
    dollar = {DOLLAR: "$"} if any(f"$({DOLLAR})" in text for text in texts) else {}
    made: Object = {"name": name, "image": image}
    if args:
        made["args"] = list(args)
    if variables := {**dollar, **env}:
        made["env"] = [{"name": variable, "value": text} for variable, text in variables.items()]
    if mounts:
        made["volumeMounts"] = list(mounts)
    return {**made, "script": script}


def value(text: str) -> str:
    """Return a text of a resource for `env` or `args`: variables of the context become parameters.

    What else a `$` begins is kept from Tekton and the kubelet: to the resource it means nothing.
    """
    pieces: list[str] = []
    at = 0
    for variable in find(text):
        if variable.name in CONTEXT_PARAMS:
            pieces += (_literal(text[at : variable.start]), f"$(params.{CONTEXT_PARAMS[variable.name]})")
            at = variable.end
    return "".join((*pieces, _literal(text[at:])))


def _literal(text: str) -> str:
    return text.replace("$", f"$({DOLLAR})")


def generated(folder: Path) -> str:
    """Return the text of `_scripts.py`, made of the scripts in a folder. Raises ValueError for one that cannot be sent."""
    parts = ['"""Scripts of steps; written by `python -m dispatchfile.tekton.scripts`, not by hand."""\n']
    for path in sorted(folder.glob("*.sh")):
        lines = [_quoted(line) for line in _sent(path)]
        parts.append(f"{path.stem.upper().replace('-', '_')} = (\n{''.join(lines)})\n")
    return "\n".join(parts)


def _sent(path: Path) -> list[str]:
    """Return the lines of a script that are sent: all but the comment at its head."""
    text = path.read_text(encoding="utf-8")
    first, *rest = text.splitlines(keepends=True)
    if not first.startswith("#!/bin/sh"):
        raise ValueError(f"{path}: its first line is not #!/bin/sh")
    for taken in (
        "$(params",
        "$(results",
        "$(tasks",
        "$(workspaces",
        "$(context",
        "$(steps",
        "$(tt.",
        "$(uid",
        "{{",
    ):
        if taken in text:
            raise ValueError(f"{path}: Tekton, Triggers or Pipelines-as-Code would take {taken} for its own")
    while rest and rest[0].startswith("#"):
        del rest[0]
    return [first, *rest]


def _quoted(line: str) -> str:
    """Return a line as a literal, in the quotes that need fewer backslashes, as the formatter has it."""
    quote = "'" if line.count('"') > line.count("'") else '"'
    text = line.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n").replace("\t", "\\t")
    return f"    {quote}{text}{quote}\n"


def main(arguments: list[str]) -> int:
    """Write the module, or say with `--check` whether it is up to date; return the exit code."""
    from pathlib import Path

    path = Path(__file__).with_name("_scripts.py")
    text = generated(path.parents[2] / "runner" / "steps")
    if "--check" not in arguments:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    print("dispatchfile/tekton/_scripts.py is out of date: run `make scripts`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
