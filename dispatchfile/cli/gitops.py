"""`dispatchfile gitops`: update a GitOps repository, and keep running what it holds.

An action is a module `cli/gitops_ACTION.py`, loaded when it is asked for, with `describe(parser)`, which adds its
options, and `main(args) -> int`.
"""

from __future__ import annotations

import argparse

from dispatchfile import late
from dispatchfile.cli.argument_parser import Parser
from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

    from dispatchfile.cli.parser import Commands

ACTIONS = {
    "update": "set images and values, push, open a pull request",
    "app": "run what a repository holds, and keep it that way",
    "creds": "let this machine read private repositories",
    "cert": "trust the certificate authority of a git server",
    "agent": "watch the repositories of all applications",
}

EXAMPLES = examples(
    "dispatchfile gitops update -git-revision=4f2c1e0 -substitute=imageName=web@sha256:…",
    "dispatchfile gitops app create web --repo https://git.example.com/acme/gitops.git",
    "dispatchfile gitops app --help                                  all that can be done with applications",
    "dispatchfile gitops agent                                       follow what is pushed from now on",
)


class ActionParser(Parser):
    """The parser of an action. It asks the action's module for its options when they are needed."""

    def __init__(self, *, action: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        self._action = action
        self._takes_globals = False

    def fill(self) -> None:
        """Take the options of the action's module, once."""
        action, self._action = self._action, ""
        if action:
            _module(action).describe(self)
            if self._takes_globals:
                super().accept_global_options()

    def accept_global_options(self) -> None:
        """Let the global options stand behind the action, where it has no such option itself."""
        self._takes_globals = True
        if not self._action:
            super().accept_global_options()

    def parse_known_args(  # type: ignore[override] # argparse's own overloads differ in types only
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return what argparse does."""
        self.fill()
        return super().parse_known_args(args, namespace)

    def format_help(self) -> str:
        """Return what argparse does."""
        self.fill()
        return super().format_help()


class FlagParser(Parser):
    """The parser of `gitops update`: it hands its arguments on, for they are read as Go reads them."""

    def parse_known_args(  # type: ignore[override] # as above
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return all arguments as `flags`, whatever the namespace; print the help when it is asked for."""
        del namespace
        words = list(args or ())
        if any(word in ("-h", "-help", "--help") for word in words):
            self.print_help()
            self.exit()
        return argparse.Namespace(flags=words), []

    def format_help(self) -> str:
        """Return the help of the flags."""
        from dispatchfile.gitops.flags import help_text

        return f"{help_text()}\n"


def add_parser(commands: Commands) -> None:
    """Add the command and its actions."""
    parser = commands.add_parser(
        "gitops",
        description="Update GitOps repositories, and run what they hold.",
        epilog=EXAMPLES,
    )
    actions = parser.add_subparsers(
        dest="action",
        required=True,
        metavar="ACTION",
        parser_class=_parser,  # type: ignore[call-overload] # argparse calls it, and asks no more of it
    )
    for name, text in ACTIONS.items():
        if name == "update":
            actions.add_parser(name, help=text, add_help=False, kind=FlagParser)
        else:
            actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", action=name)


def main(args: argparse.Namespace) -> int:
    """Do what the action's module does and return its exit code."""
    code: int = _module(args.action).main(args)
    return code


def _module(action: str) -> ModuleType:
    return late.module(f"dispatchfile.cli.gitops_{action}")


def _parser(*, kind: type[Parser] = ActionParser, **settings: Any) -> Parser:
    return kind(**settings)
