"""The texts of a step that a shell reads, and how a place in one is quoted."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from dispatchfile.model.pipeline import Step
    from dispatchfile.value import Value

    Quoting = Literal["", '"', "'"]

_SHELLS = frozenset(("sh", "bash", "dash", "ash", "ksh", "zsh"))


def texts(step: Step) -> Iterator[tuple[Value, str]]:
    """Yield the texts of a step that a shell reads, each with its path below the step: `script`, and that of `sh -c`."""
    script = step.value.at("script")
    if script is not None and isinstance(script.data, str):
        first = script.data.lstrip().partition("\n")[0]
        if not first.startswith("#!") or any(part in _SHELLS for part in first[2:].replace("/", " ").split()):
            yield script, "script"
        return
    words = [*_strings(step, "command"), *_strings(step, "args")]
    at = next((index for index, (word, _, _) in enumerate(words) if word.rpartition("/")[2] in _SHELLS), None)
    if at is None or any(
        word.rpartition("/")[2] not in ("env", "busybox", "exec") for word, _, _ in words[:at]
    ):
        return
    found = _command(words[at + 1 :])
    if found is not None:
        yield found


def _command(words: list[tuple[str, Value, str]]) -> tuple[Value, str] | None:
    """Return what stands behind the option -c of a shell, with its path."""
    asked, skip = False, False
    for word, value, path in words:
        if skip:
            skip = False
        elif word.startswith(("-", "+")) and len(word) > 1:
            letters = "" if word.startswith("--") else word[1:]
            asked = asked or "c" in letters
            skip = letters.endswith(("o", "O"))  # -o pipefail
        else:
            return (value, path) if asked else None
    return None


def _strings(step: Step, field: str) -> list[tuple[str, Value, str]]:
    value = step.value.at(field)
    listed = value.data if value is not None and isinstance(value.data, list) else []
    return [
        (item.data, item, f"{field}[{index}]")
        for index, item in enumerate(listed)
        if isinstance(item.data, str)
    ]


def quoting(text: str, place: int) -> Quoting | None:
    """Return in which quotes a place in a shell's text stands, "" for none; None where that is not plain."""
    if "<<" in text or "`" in text:
        return None
    inside: list[str] = [""]  # of what: nothing, double quotes, or `(` for a $( ) and its kin
    at = 0
    while at < place:
        char, top = text[at], inside[-1]
        if char == "\\":
            at += 1
        elif char == '"':
            inside.pop() if top == '"' else inside.append('"')
        elif text.startswith("$(", at):
            inside.append("(")
            at += 1
        elif top != '"' and char == "(":
            inside.append("(")
        elif top == "(" and char == ")":
            inside.pop()
        elif top != '"' and char == "'":
            close = text.find("'", at + 1)
            if close < 0 or close >= place:
                return "'" if close >= 0 else None
            at = close
        elif top != '"' and char == "#" and text[at - 1 : at] in ("", " ", "\t", "\n"):
            end = text.find("\n", at)
            if end < 0 or end >= place:
                return None
            at = end
        at += 1
    return '"' if inside[-1] == '"' else ""
