"""Variables, secrets and images given on the command line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dispatchfile.errors import UsageError
from dispatchfile.run import secrets


def environment(options: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """Return the variables of `--env-file` and `--env`, the latter above the former; raises UsageError."""
    found: dict[str, str] = {}
    for name in files:
        try:
            lines = Path(name).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the variables in {name}: {error}") from error
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.lstrip().startswith("#"):
                found.update([_variable(line.strip(), f"{name}:{number}")])
    found.update(_variable(text, "--env") for text in options)
    return found


def _variable(text: str, place: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
        raise UsageError(f'{place}: "{name}" is no name of a variable', help="write NAME=VALUE")
    if given:
        return name, value
    if name not in os.environ:
        raise UsageError(f"{place}: {name} has no value and is not set here", help=f"write {name}=VALUE")
    return name, os.environ[name]


def given_secrets(options: Iterable[str], files: Iterable[str]) -> secrets.Secrets:
    """Return the secrets of `--secret-file` and `--secret`, the latter above the former; raises UsageError."""
    found: dict[str, dict[str, str]] = {}
    for name in files:
        for secret, keys in secrets.from_file(Path(name)).items():
            found.setdefault(secret, {}).update(keys)
    for option in options:
        secret, key, value = secrets.from_option(option, ask=prompt())
        found.setdefault(secret, {})[key] = value
    return found


def prompt() -> Callable[[str], str] | None:
    """Return what asks the user for a secret without showing it; None when there is no terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    from getpass import getpass

    def ask(text: str) -> str:
        try:
            return getpass(f"secret {text}", sys.stderr)
        except EOFError:
            raise UsageError(f"secret {text.rstrip(': ')} is not given") from None

    return ask


def image_overrides(options: Iterable[str]) -> Mapping[str, str]:
    """Return the images of `--image NAME=REF`; raises UsageError."""
    found: dict[str, str] = {}
    for option in options:
        name, given, ref = option.partition("=")
        if not (name and given and ref):
            raise UsageError(f'--image "{option}" names no image', help="write --image NAME=REF")
        found[name] = ref
    return found
