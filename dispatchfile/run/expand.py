"""`$(VAR)` in command, args and env, as the kubelet expands it (Kubernetes core/v1 Container).

A reference to a variable of the container becomes its value, any other stays as it stands; `$$` is a single `$`, so
that `$$(VAR)` is the text `$(VAR)`. What was put in is not looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def expand(text: str, env: Mapping[str, str]) -> str:
    """Return `text` with the references to `env` replaced."""
    if "$" not in text:
        return text
    parts: list[str] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0 and dollar + 1 < len(text):
        parts.append(text[at:dollar])
        piece, at = _after_dollar(text, dollar, env)
        parts.append(piece)
    parts.append(text[at:])
    return "".join(parts)


def expand_env(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with their values expanded; a value sees the variables that stand before it."""
    known: dict[str, str] = {}
    for name, value in env.items():
        known[name] = expand(value, known)
    return known


def expand_words(words: Sequence[str] | None, env: Mapping[str, str]) -> list[str] | None:
    """Return command or args expanded; None and an empty list both leave it to the image."""
    return [expand(word, env) for word in words] if words else None


def _after_dollar(text: str, dollar: int, env: Mapping[str, str]) -> tuple[str, int]:
    """Return what the `$` at `dollar` stands for, and where the text goes on."""
    following = text[dollar + 1]
    if following == "$":
        return "$", dollar + 2
    if following == "(" and (close := text.find(")", dollar)) > 0:
        name = text[dollar + 2 : close]
        return env.get(name, text[dollar : close + 1]), close + 1
    # An open bracket that nothing closes, or an operator of the shell: both stay.
    return text[dollar : dollar + 2], dollar + 2
