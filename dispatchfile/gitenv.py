"""The environment in which the user's git is called: it never asks, and nothing points it at another repository."""

from __future__ import annotations

import os

ANY_PROTOCOL = "file:git:http:https:ssh"

# What a repository's own configuration could make git run or wait for is switched off, and what it says stays the same.
_HARDENED = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
    "color.ui=false",
    "advice.detachedHead=false",
)

# What a hook or an alias that calls us has set, or a user for their own purposes: another repository, other answers.
_LEFT_OUT = frozenset(
    {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_EXTERNAL_DIFF",
        "GIT_DIFF_OPTS",
        "GIT_DEFAULT_HASH",
        "GIT_LITERAL_PATHSPECS",
        "GIT_GLOB_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
        "GIT_EXEC_PATH",
    }
)


def git_command(*settings: str) -> list[str]:
    """Return how every command of git begins: hardened, and with `settings` (NAME=VALUE) of the caller."""
    return ["git", *(word for setting in (*_HARDENED, *settings) for word in ("-c", setting))]


def git_environment(protocols: str = ANY_PROTOCOL) -> dict[str, str]:
    """Return the user's environment made fit for git; `protocols` are those it may use, divided by colons."""
    return {
        **{name: value for name, value in os.environ.items() if name not in _LEFT_OUT},
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_TRACE_REDACT": "1",
    }


def reading_environment() -> dict[str, str]:
    """Return the environment for git that only reads what is here.

    It speaks no protocol, so that no setting of a hostile repository makes it fetch what is lacking, and run programs
    for that. (GIT_NO_LAZY_FETCH is known from git 2.44 on.)
    """
    return {**git_environment("none"), "GIT_NO_LAZY_FETCH": "1"}
