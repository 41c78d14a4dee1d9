"""Settings: flag, then environment, then the project's `.dispatchfile.toml`, then the user's `config.toml`.

A setting of a file stands for the command line option of the same name wherever a command has that option and it
was not given. What decides findings may stand in the project's file only, so that every machine agrees. Where this
machine keeps things, and which engine gets the secrets of a run, a project does not decide: it may be anybody's.
"""

from __future__ import annotations

import os

from dispatchfile.errors import UsageError
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import Any

    from dispatchfile.lint.settings import Settings

PROJECT_FILE = ".dispatchfile.toml"

SETTINGS: dict[str, type] = {
    "color": str,
    "progress": str,
    "output-format": str,
    "docker-host": str,
    "proxy-image": str,
    "cache-dir": str,
    "jobs": int,
    "offline": bool,
    "pull": str,
    "kaniko": str,
    "platform": str,
}

TABLES = {"lint": "lint/project.py", "notifications": "notify/targets.py"}
"""Tables, which their own rooms know how to read."""

OF_THE_USER = ("notifications", "cache-dir", "docker-host", "proxy-image")

CHOICES = {
    "color": ("auto", "always", "never"),
    "progress": ("auto", "live", "plain", "json", "quiet"),
    "pull": ("always", "missing", "never"),
    "kaniko": ("engine", "container"),
}


class Setting(Record):
    """A setting and where it comes from: the name of a variable, or the path of a file."""

    value: Any
    origin: str


def apply(args: argparse.Namespace) -> None:
    """Fill in the options that were not given (are None) from the settings; keep all settings in `args.settings`.

    Raises UsageError for a file that cannot be read, an unknown setting or a wrong value.
    """
    args.settings = settings(os.getcwd(), args.config)
    for name, setting in args.settings.items():
        option = name.replace("-", "_")
        if hasattr(args, option) and getattr(args, option) is None:
            setattr(args, option, setting.value)


def settings(
    directory: str, chosen: str | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, Setting]:
    """Return all settings that are made in the environment or a file, each with its origin; raises UsageError."""
    chosen = chosen or environment.get("DISPATCHFILE_CONFIG")
    project = chosen or _nearest_project_file(os.path.realpath(directory))
    home = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    user = os.path.join(home, "dispatchfile", "config.toml")
    found: dict[str, Setting] = {}
    if os.path.isfile(user):
        found.update(_read(user))
        if "lint" in found:
            raise UsageError(
                f"{user} has settings of lint; every machine that lints a project is to agree",
                help=f"put [lint] into the project's {PROJECT_FILE}",
            )
    if project is not None:
        made = _read(project)
        for name in () if chosen else OF_THE_USER:
            if name in made:
                raise UsageError(
                    f'"{name}" is not a project\'s to decide, and stands in {project}',
                    help=f"put it into {user}" + ("" if name in TABLES else f", or set {_variable(name)}"),
                )
        found.update(made)
    for name, kind in SETTINGS.items():
        variable = _variable(name)
        if text := environment.get(variable):
            found[name] = Setting(_checked(name, _from_text(text, kind), variable), variable)
    return found


def _variable(name: str) -> str:
    return "DISPATCHFILE_" + name.upper().replace("-", "_")


def lint_settings(made: Mapping[str, Setting]) -> Settings:
    """Return the settings of lint among all that are made; raises UsageError for a mistake in the `[lint]` table."""
    if "lint" not in made:
        from dispatchfile.lint.settings import DEFAULT

        return DEFAULT
    from dispatchfile.lint.project import from_table

    return from_table(made["lint"].value, made["lint"].origin)


def _nearest_project_file(directory: str) -> str | None:
    """Return the project's file of the directory or of the nearest one above it, no higher than the git root."""
    while True:
        path = os.path.join(directory, PROJECT_FILE)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(directory)
        if os.path.exists(os.path.join(directory, ".git")) or above == directory:
            return None
        directory = above


def _read(path: str) -> dict[str, Setting]:
    import tomllib

    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"cannot read the settings in {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    return {
        name: Setting(value if name in TABLES else _checked(name, value, path), path)
        for name, value in table.items()
    }


def _checked(name: str, value: Any, origin: str) -> Any:
    if name not in SETTINGS:
        from dispatchfile.spelling import nearest

        near = nearest(name, SETTINGS)
        hint = f'did you mean "{near}"?' if near else f"the settings are {', '.join(SETTINGS)}"
        raise UsageError(f'unknown setting "{name}" in {origin}', help=hint)
    if type(value) is not SETTINGS[name]:
        kind = {str: "a text", int: "a number", bool: "true or false"}[SETTINGS[name]]
        raise UsageError(f'the setting "{name}" in {origin} must be {kind}, not {value!r}')
    if name in CHOICES and value not in CHOICES[name]:
        raise UsageError(
            f'the setting "{name}" in {origin} is {value!r}', help=f"use one of {', '.join(CHOICES[name])}"
        )
    return value


def _from_text(text: str, kind: type) -> Any:
    if kind is int and text.isascii() and text.isdigit():
        return int(text)
    if kind is bool and text.lower() in ("1", "true", "yes", "0", "false", "no"):
        return text.lower() in ("1", "true", "yes")
    return text
