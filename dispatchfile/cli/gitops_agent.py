"""`dispatchfile gitops agent`: watch the repositories of all applications."""

from __future__ import annotations

from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from dispatchfile.apps.agent.loop import Agent
    from dispatchfile.cli.parser import Parser
    from dispatchfile.notify import Occasion

LISTEN = "127.0.0.1:8484"
SECRETS = "DISPATCHFILE_AGENT_SECRET"

EXAMPLES = examples(
    "dispatchfile gitops agent                                     every application, until it is ended",
    "dispatchfile gitops agent web --interval 60                   one of them, asked for every minute",
    "dispatchfile gitops agent --once                              once, as a cron job would",
    "dispatchfile gitops agent --secret-file ~/.config/hook-secret webhooks must be signed with it",
)


def describe(parser: Parser) -> None:
    """Add the options."""
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add(
        "names", nargs="*", metavar="NAME", help="the applications (default: all, also those that come later)"
    )
    add(
        "--listen",
        metavar="HOST:PORT",
        default=LISTEN,
        help=f'where webhooks and /healthz are answered, "off" for nowhere (default: {LISTEN})',
    )
    add(
        "--interval",
        metavar="SECONDS",
        default="180",
        help="between two looks at a repository; up to a tenth more (default: 180)",
    )
    add(
        "--secret-file",
        metavar="FILE",
        help=f"secrets of webhooks, one a line, of which one must have signed; or put them into ${SECRETS}",
    )
    add("--once", action="store_true", help="look at every application once, and end")


def main(args: argparse.Namespace) -> int:
    """Keep the applications; return 0 at the end, and with --once 1 when something was wrong."""
    from dispatchfile.apps.agent.loop import Agent, Plan
    from dispatchfile.apps.own import OwnKeeper
    from dispatchfile.apps.store import find
    from dispatchfile.cli.gitops_app_verbs import engine_settings
    from dispatchfile.cli.notifications import notifier
    from dispatchfile.run.signals import caught

    for name in args.names:
        find(name)
    secrets = _secrets(args.secret_file)
    listen = None if args.once or args.listen == "off" else _address(args.listen, secrets)
    plan = Plan(tuple(args.names), _interval(args.interval), listen, secrets)
    settings, telling = engine_settings(args), notifier(args.settings, lambda text: log("", text))

    def tell(occasion: Occasion) -> None:
        # What is left in the middle at the end has not failed.
        if not agent.stop.is_set():
            telling.tell(occasion)

    agent = Agent(plan, lambda _app: OwnKeeper(settings, tell=tell), log)
    try:
        with caught(lambda number: _stop(agent, number)):
            if args.once:
                return 0 if agent.once() else 1
            if listen and not secrets:
                log("", f"webhooks are believed unsigned: no secret is given ({SECRETS})")
            agent.run()
    finally:
        telling.close()
    return 0


def log(name: str, text: str) -> None:
    """Print a line about an application, or about the agent itself, with the time (UTC)."""
    import sys
    from datetime import UTC, datetime

    from dispatchfile.report.text import flat

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    sys.stderr.write(f"{now} {name or 'agent'}: {flat(text)}\n")
    sys.stderr.flush()


def _stop(agent: Agent, number: int) -> None:
    """Have the agent end; the second signal ends it where it is."""
    import os

    if agent.stop.is_set():
        os._exit(128 + number)
    agent.stop.set()
    log("", "ending")


def _interval(text: str) -> float:
    from dispatchfile.errors import UsageError
    from dispatchfile.model.quantities import duration

    try:
        found = float(text) if text.isascii() and text.isdecimal() else duration(text)
    except ValueError:
        found = 0.0
    if not 1 <= found <= 86400:
        raise UsageError(f'--interval "{text}" is no time between 1s and 24h', help="write 60, 90s, 3m")
    return found


def _secrets(file: str | None) -> tuple[str, ...]:
    """Return the secrets of webhooks. Raises UsageError for a file without any, EnvironmentProblem for one that others can read."""
    import os
    from pathlib import Path

    from dispatchfile.credentials import private
    from dispatchfile.errors import UsageError

    lines = os.environ.get(SECRETS, "").split()
    if file:
        text = private.read(Path(file).expanduser())
        if text is None:
            raise UsageError(f"there is no --secret-file {file}")
        lines += [line.strip() for line in text.splitlines() if line.strip()]
        if not lines:
            raise UsageError(f"--secret-file {file} holds no secret")
    return tuple(lines)


def _address(text: str, secrets: Sequence[str]) -> tuple[str, int]:
    """Return host and port to listen on. Raises UsageError; beyond this machine unsigned webhooks are not heard."""
    from dispatchfile.errors import UsageError
    from dispatchfile.remote import is_loopback

    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdecimal() and len(port) < 6 and int(port) < 65536):
        raise UsageError(f'--listen "{text}" is no HOST:PORT', help=f'as {LISTEN}, or "off"')
    if not is_loopback(host) and not secrets:
        raise UsageError(
            f"--listen {text} is heard beyond this machine, and there is no secret that webhooks are signed with",
            help=f"put one into ${SECRETS} or --secret-file, and into the forge's webhook",
        )
    return host, int(port)
