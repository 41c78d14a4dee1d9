"""What each verb of `gitops app` does; `gitops_app.py` has their options, `gitops_app_text.py` what they print."""

from __future__ import annotations

import contextlib
import sys
import time

from dispatchfile.apps.app import App, check_name
from dispatchfile.apps.engines import Settings, keeper_of
from dispatchfile.apps.keeper import SyncRequest
from dispatchfile.apps.store import Store, find, names
from dispatchfile.cli import gitops_app_text as text
from dispatchfile.cli.gitops_app_given import described, repository
from dispatchfile.cli.options import note
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import DispatchfileError, TimedOut, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from dispatchfile.apps.keeper import Keeper
    from dispatchfile.apps.status import View

    Say = Callable[[str], None]

DIFFERENCE = 20
"""The exit code of `diff --exit-code` when there is a difference; unlike 1, no error has it."""
SETTLED = 2.0
"""Seconds for which something stays degraded before `wait` believes it."""
_POLL = 0.5


def create_(args: argparse.Namespace) -> int:
    """Create an application, and sync it unless that is switched off; return 0, or 1 when it is not healthy."""
    app = described(args, App(check_name(args.name), repository(args.repository)))
    if args.dry_run:
        text.print_dry_run(app, args.output or "yaml")
        return 0
    if args.scm_secret:
        note(
            args,
            "secrets of a cluster do not count here: `dispatchfile gitops creds add` keeps what opens a repository",
        )
    with _keeper(args, app) as keeper:
        keeper.create(app, upsert=args.upsert)
        _remember(app)
        say = _say(args)
        say(f"{app.name} follows {app.repository} ({app.path} at {app.revision})")
        if app.engine == "argocd" or args.no_sync or not app.auto_sync:
            _finish(args, keeper.refresh(app.name))
            return 0
        say(
            "auto-sync is on, so it is synced now; later commits are for `dispatchfile gitops agent`, or `refresh`"
        )
        return _synced(args, keeper, lambda: keeper.sync(app.name, SyncRequest(), say), 600.0)


def list_(args: argparse.Namespace) -> int:
    """List the applications; return 0."""
    if args.engine == "argocd":
        return _list_argo(args)
    if args.context:
        raise UsageError("--context names the cluster of an Argo CD", help="add --engine argocd")
    listed = [name for name in names() if args.engine is None or find(name).app().engine == args.engine]
    if args.output == "name":
        print("\n".join(listed))
        return 0
    text.print_list([_view_of(args, name) for name in listed], args)
    return 0


def _list_argo(args: argparse.Namespace) -> int:
    from dispatchfile.apps.argocd.keeper import ArgoKeeper

    keeper = ArgoKeeper(args.context or "", args.argocd_namespace)
    views = keeper.all()
    keeper.close()
    if args.output == "name":
        print("\n".join(view.app.name for view in views))
    else:
        text.print_list(views, args)
    return 0


def get_(args: argparse.Namespace) -> int:
    """Print how an application stands; return 0."""
    with _keeper(args) as keeper:
        if args.refresh or args.hard_refresh:
            view = keeper.refresh(args.name, hard=args.hard_refresh)
        else:
            view = keeper.view(args.name)
    _finish(args, view)
    return 0


def diff_(args: argparse.Namespace) -> int:
    """Print what differs; return 0 when nothing does, else 1, or 20 under --exit-code; 1 when it cannot be told."""
    from dispatchfile.apps.diff import differs, unified
    from dispatchfile.apps.own import OwnKeeper

    known = True
    with _keeper(args) as keeper:
        if args.revision:
            if not isinstance(keeper, OwnKeeper):
                raise UsageError(
                    "Argo CD compares with the application's own revision", help="leave --revision out"
                )
            resources = keeper.compared(args.name, args.revision)
        else:
            view = (
                keeper.view(args.name)
                if args.no_refresh
                else keeper.refresh(args.name, hard=args.hard_refresh)
            )
            text.print_conditions(view, Terminal.of(sys.stderr, args.color))
            resources, known = view.resources, view.sync != "Unknown"
    text.print_diff(unified(resources), Terminal.of(sys.stdout, args.color))
    if not known:
        return 1
    if not any(map(differs, resources)):
        return 0
    return DIFFERENCE if args.exit_code else 1


def sync_(args: argparse.Namespace) -> int:
    """Bring about what the repository wants; return 0 when it is healthy then, else 1."""
    timeout = args.timeout or float("inf")
    request = SyncRequest(
        args.revision or "",
        args.prune,
        args.dry_run,
        args.strict,
        tuple(args.resource or ()),
        "user",
        timeout,
    )
    with _keeper(args) as keeper:
        say = _say(args, shown=args.dry_run)
        if args.dry_run:
            keeper.sync(args.name, request, say)
            return 0
        return _synced(args, keeper, lambda: keeper.sync(args.name, request, say), timeout)


def refresh_(args: argparse.Namespace) -> int:
    """Ask the repository now and sync when that is due; return 0, or 1 when its state is not known."""
    from dispatchfile.apps.auto import reconcile

    with _keeper(args) as keeper:
        view = reconcile(keeper, find(args.name).app(), _say(args), hard=args.hard, by="user")
    _finish(args, view)
    return 1 if view.sync == "Unknown" else 0


def wait_(args: argparse.Namespace) -> int:
    """Wait; return 0 when what was waited for is there, 1 when it is not to be expected any more. Raises TimedOut."""
    every = not (args.sync or args.health or args.operation)
    wanted = {name for name in ("sync", "health", "operation") if every or getattr(args, name)}
    with _keeper(args) as keeper:
        view = _wait(keeper, args.name, wanted, args.timeout or float("inf"))
    _finish(args, view)
    return 0 if _reached(view, wanted) else 1


def history_(args: argparse.Namespace) -> int:
    """Print what was deployed; return 0."""
    with _keeper(args) as keeper:
        text.print_history(keeper.history(args.name), args)
    return 0


def rollback_(args: argparse.Namespace) -> int:
    """Deploy again what was deployed before; return 0 when it is healthy then, else 1."""
    with _keeper(args) as keeper:
        number = _number(args.id, keeper, args.name)
        say = _say(args)
        say(f"rolling back to deployment {number}")
        return _synced(
            args,
            keeper,
            lambda: keeper.rollback(args.name, number, say, prune=args.prune),
            args.timeout or float("inf"),
        )


def set_(args: argparse.Namespace) -> int:
    """Change an application; return 0."""
    before = find(args.name).app()
    app = described(args, before)
    if app == before:
        raise UsageError(
            "nothing is to be changed", help="give --auto-sync, --prune, --self-heal, --revision, or --path"
        )
    with _keeper(args) as keeper:
        view = keeper.change(app, _say(args))
        _remember(app)
    _finish(args, view)
    return 0


def delete_(args: argparse.Namespace) -> int:
    """Remove an application once that is confirmed; return 0, or 1 when it is not."""
    app = find(args.name).app()
    if args.no_cascade and args.data:
        raise UsageError("--data does not go with --no-cascade", help="what runs keeps its volumes")
    what = "forget it; what runs goes on" if args.no_cascade else "remove it and what runs of it"
    what += ", and what its volumes hold" if args.data else ""
    if not args.yes and not _confirmed(f"{app.name}: {what}?"):
        return 1
    with _keeper(args) as keeper:
        keeper.delete(app.name, _say(args), cascade=not args.no_cascade, data=args.data)
    store = Store(app.name)
    if store.exists():
        store.remove()
    _say(args)(f"{app.name} is {'forgotten' if args.no_cascade else 'removed'}")
    return 0


@contextlib.contextmanager
def _keeper(args: argparse.Namespace, app: App | None = None) -> Iterator[Keeper]:
    """Open the keeper of the application that the arguments name; who asked for it is told what happens meanwhile."""
    from dispatchfile.cli.notifications import notifier

    telling = notifier(args.settings, lambda line: note(args, line))
    try:
        yield keeper_of(app or find(args.name).app(), engine_settings(args), telling.tell)
    finally:
        telling.close()


def engine_settings(args: argparse.Namespace) -> Settings:
    """Return what the user's settings say of engines."""
    made = args.settings
    docker, proxy = (made.get(name) for name in ("docker-host", "proxy-image"))
    return Settings(docker.value if docker else "", proxy.value if proxy else "")


def _remember(app: App) -> None:
    """Note where an application is that Argo CD keeps, so that its name alone will do."""
    if app.engine == "argocd":
        Store(app.name).save_app(app)


def _view_of(args: argparse.Namespace, name: str) -> View | tuple[str, DispatchfileError]:
    """Return how an application stands, or its name and why that cannot be told."""
    try:
        return keeper_of(find(name).app(), engine_settings(args)).view(name)
    except DispatchfileError as problem:
        return name, problem


def _synced(args: argparse.Namespace, keeper: Keeper, act: Callable[[], View], timeout: float) -> int:
    """Do something that syncs, wait until that is healthy, and print how it stands, also when it fails."""
    until = time.monotonic() + timeout
    try:
        view = act()
    except DispatchfileError:
        with contextlib.suppress(DispatchfileError):  # what failed is raised already, and says more
            _finish(args, keeper.view(args.name))
        raise
    if not getattr(args, "no_wait", False):
        view = _wait(keeper, args.name, {"health", "operation"}, until - time.monotonic())
    _finish(args, view)
    return 1 if view.failed else 0


def _wait(keeper: Keeper, name: str, wanted: set[str], timeout: float) -> View:
    """Return the view when what was waited for is there, or nothing more is to be expected. Raises TimedOut."""
    until, degraded = time.monotonic() + timeout, float("inf")
    while True:
        view = keeper.view(name)
        if _reached(view, wanted):
            return view
        degraded = min(degraded, time.monotonic()) if view.failed and not view.running else float("inf")
        if time.monotonic() - degraded >= SETTLED:
            return view
        if time.monotonic() >= until:
            raise TimedOut(
                f"{name} is {view.sync} and {view.health} after {timeout:g} s",
                help=f"`dispatchfile gitops app get {name}` says what it waits for",
            )
        time.sleep(_POLL)


def _reached(view: View, wanted: set[str]) -> bool:
    there = {
        "sync": view.sync == "Synced",
        "health": view.health in ("Healthy", "Suspended"),
        "operation": not view.running,
    }
    return all(there[name] for name in wanted)


def _finish(args: argparse.Namespace, view: View) -> None:
    text.print_view(view, args)


def _number(text_of_id: str | None, keeper: Keeper, name: str) -> int:
    """Return the number of the deployment to go back to."""
    if text_of_id is not None:
        if not text_of_id.isascii() or not text_of_id.isdecimal():
            raise UsageError(
                f'"{text_of_id}" is no number of a deployment',
                help=f"`dispatchfile gitops app history {name}` lists them",
            )
        return int(text_of_id)
    listed = keeper.history(name)
    before = [one for one in listed[:-1] if one.revision != listed[-1].revision]
    if not before:
        raise UsageError(
            f"{name} has no deployment before the last",
            help=f"`dispatchfile gitops app history {name}` lists them",
        )
    return before[-1].number


def _say(args: argparse.Namespace, *, shown: bool = False) -> Say:
    """Return what prints a line of progress: on stdout what was asked for, else on stderr, and not when it is to be quiet."""
    from dispatchfile.report.text import flat

    stream = sys.stdout if shown else sys.stderr

    def say(line: str) -> None:
        if shown or not args.quiet:
            print(flat(line), file=stream, flush=True)

    return say


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to confirm it", help="--yes does")
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
