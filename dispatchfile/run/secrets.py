"""The secrets of a run: what its tasks ask for, and where the values come from.

A Dispatchfile names Kubernetes secrets; on one machine their keys are given by `--secret NAME/KEY[=VALUE]`,
`--secret-file`, or the variable DISPATCHFILE_SECRET_<NAME>_<KEY>, in this order, and asked for on a terminal.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dispatchfile.errors import UsageError
from dispatchfile.model.pipeline import Task, Volume
from dispatchfile.record import Record

Secrets = Mapping[str, Mapping[str, str]]
"""Values by the name of the secret and the key in it."""


class SecretNeed(Record):
    """A key of a secret that a task asks for, and where; an empty key is the whole secret (a volume)."""

    name: str
    key: str
    optional: bool
    place: str

    def __str__(self) -> str:
        return f"{self.name}/{self.key or '*'}"


def needs(tasks: Iterable[Task]) -> list[SecretNeed]:
    """Return what the environment and the volumes of the tasks ask for, in order, each key once."""
    found: dict[tuple[str, str], SecretNeed] = {}
    for task in tasks:
        for step in task.steps:
            for variable in step.env:
                if secret := variable.secret:
                    place = f"task {task.name}, step {step.name}, variable {variable.name}"
                    _add(found, SecretNeed(secret.name, secret.key, secret.optional, place))
        for volume in task.volumes:
            if volume.kind == "secret":
                for key in volume_items(volume) or {"": ""}:
                    place = f"task {task.name}, volume {volume.name}"
                    _add(
                        found,
                        SecretNeed(
                            volume_secret(volume), key, volume.settings.get("optional") is True, place
                        ),
                    )
    return list(found.values())


def _add(found: dict[tuple[str, str], SecretNeed], need: SecretNeed) -> None:
    before = found.get((need.name, need.key))
    if before is None or (before.optional and not need.optional):
        found[need.name, need.key] = need


def volume_secret(volume: Volume) -> str:
    """Return the name of the secret in a secret volume."""
    return str(volume.settings.get("secretName", ""))


def volume_items(volume: Volume) -> dict[str, str]:
    """Return which keys a secret volume holds under which paths; empty when it holds all of them."""
    items = volume.settings.get("items")
    if not isinstance(items, list):
        return {}
    return {
        str(item["key"]): str(item.get("path", item["key"]))
        for item in items
        if isinstance(item, dict) and "key" in item
    }


def collect(
    wanted: Iterable[SecretNeed],
    given: Secrets,
    environment: Mapping[str, str] = os.environ,
    ask: Callable[[str], str] | None = None,
) -> Secrets:
    """Return the values of what is wanted; raises UsageError that names all that are missing.

    `ask` gets a prompt and returns what the user typed; None when nobody can be asked.
    """
    found: dict[str, dict[str, str]] = {}
    missing: list[SecretNeed] = []
    for need in wanted:
        values = given.get(need.name, {})
        if not need.key:
            found.setdefault(need.name, {}).update(values)
            if not values and not need.optional:
                missing.append(need)
            continue
        value = values.get(need.key, environment.get(variable(need.name, need.key)))
        if value is None and ask is not None and not need.optional:
            value = ask(f"{need} ({need.place}): ")
        if value is not None:
            found.setdefault(need.name, {})[need.key] = value
        elif not need.optional:
            missing.append(need)
    if missing:
        raise _missing(missing)
    return found


def _missing(needed: list[SecretNeed]) -> UsageError:
    names = ", ".join(f"{need} ({need.place})" for need in needed)
    first = needed[0]
    key = first.key or "KEY"
    return UsageError(
        f"no value for {'the secret' if len(needed) == 1 else f'{len(needed)} secrets'} {names}",
        help=f"give --secret {first.name}/{key} (asks for it), --secret-file FILE"
        + (
            f", or set {variable(first.name, key)}"
            if first.key
            else " (a volume without `items` takes all keys given)"
        ),
    )


def variable(name: str, key: str) -> str:
    """Return the environment variable that can hold a key of a secret."""
    return "DISPATCHFILE_SECRET_" + re.sub(r"[^A-Za-z0-9]", "_", f"{name}_{key}").upper()


def from_option(
    text: str, environment: Mapping[str, str] = os.environ, ask: Callable[[str], str] | None = None
) -> tuple[str, str, str]:
    """Return name, key and value of `NAME/KEY[=VALUE]`; raises UsageError.

    Without a value it is that of the variables DISPATCHFILE_SECRET_<NAME>_<KEY> or KEY, else it is asked for.
    """
    reference, given, value = text.partition("=")
    name, slash, key = reference.partition("/")
    if not (slash and name and key):
        raise UsageError(
            f"--secret {reference} names no key", help="write --secret NAME/KEY or --secret NAME/KEY=VALUE"
        )
    if not given:
        found = environment.get(variable(name, key), environment.get(key))
        if found is None and ask is not None:
            found = ask(f"{reference}: ")
        if found is None:
            raise UsageError(
                f"--secret {reference} has no value",
                help=f"set the variable {variable(name, key)} or {key}, or use --secret-file",
            )
        value = found
    return name, key, value


def from_file(path: Path) -> Secrets:
    """Return the secrets in a file: YAML `name: {key: value}`, or lines `NAME/KEY=VALUE`.

    Raises UsageError when it cannot be read or when others may read it.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the secrets in {path}: {error}") from error
    if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"others than you may read the secrets in {path}", help=f"chmod 600 {path}")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if lines and re.match(r"[^\s:=/]+/[^\s:=]+=", lines[0]):
        return _from_lines(lines, path)
    return _from_yaml(text, path)


def _from_lines(lines: list[str], path: Path) -> Secrets:
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        if "=" not in line:
            raise UsageError(
                f"{path} holds a line that is not NAME/KEY=VALUE",
                help="write YAML for values of several lines",
            )
        name, key, value = from_option(line, {})
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found.setdefault(name, {})[key] = value
    return found


def _from_yaml(text: str, path: Path) -> Secrets:
    import yaml

    try:
        data = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 it makes nothing but strings, lists and dicts
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise UsageError(f"{path} is not valid YAML{where}", help="write NAME: {KEY: VALUE}") from error
    wrong = UsageError(
        f"{path} does not hold secrets", help="write NAME: {KEY: VALUE}, or lines NAME/KEY=VALUE"
    )
    if not isinstance(data, dict):
        raise wrong
    for keys in data.values():
        if not isinstance(keys, dict) or not all(isinstance(value, str) for value in keys.values()):
            raise wrong
    return data
