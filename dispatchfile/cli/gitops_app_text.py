"""What `gitops app` prints: how an application stands, lists, histories, diffs; for people, and for programs."""

from __future__ import annotations

import sys
import time

from dispatchfile.cli.table import print_table
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import DispatchfileError
from dispatchfile.record import plain
from dispatchfile.report.text import escaped, flat, harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from dispatchfile.apps.app import App
    from dispatchfile.apps.status import Deployment, Operation, Resource, View

COLORS = {
    "Synced": "green", "Healthy": "green", "Succeeded": "green", "OutOfSync": "yellow", "Progressing": "cyan",
    "Running": "cyan", "Suspended": "yellow", "Missing": "yellow", "Degraded": "red", "Failed": "red", "Error": "red",
    "Unknown": "yellow",
}  # fmt: skip


def print_view(view: View, args: argparse.Namespace) -> None:
    """Print how an application stands."""
    if args.output in ("json", "yaml"):
        _dump(as_data(view), args.output)
        return
    out = Terminal.of(sys.stdout, args.color)
    for line in _head(view, out):
        out.print(line)
    if view.resources:
        out.print()
        rows = [_row(resource, wide=args.output == "wide") for resource in view.resources]
        titles = ["KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "MESSAGE"]
        print_table(titles if args.output != "wide" else [*titles, "FROM"], rows, out, COLORS)
    print_conditions(view, out)
    advice = _advice(view)
    if advice:
        out.print(f"\n{out.style('next:', 'bold')} {advice}")


def print_conditions(view: View, out: Terminal) -> None:
    """Print what is wrong with an application as a whole."""
    for condition in view.conditions:
        color = "yellow" if condition.type.endswith("Warning") else "red"
        first, *more = harmless(condition.message).splitlines() or [""]
        out.print(f"{out.style(f'{condition.type}:', color, 'bold')} {first}")
        for line in more:
            out.print(f"  {line}")


def print_list(views: Sequence[View | tuple[str, DispatchfileError]], args: argparse.Namespace) -> None:
    """Print a line for each application, or why that cannot be told."""
    if args.output in ("json", "yaml"):
        _dump([_data_of(view) for view in views], args.output)
        return
    out = Terminal.of(sys.stdout, args.color)
    if not views:
        err = Terminal.of(sys.stderr, args.color)
        err.print("no application yet; `dispatchfile gitops app create NAME --repo URL` makes one")
        return
    titles = ["NAME", "STATUS", "HEALTH", "ENGINE", "REVISION", "PATH", "REPOSITORY", "CONDITIONS"]
    print_table(titles, [_list_row(view) for view in views], out, COLORS)


def print_history(history: Sequence[Deployment], args: argparse.Namespace) -> None:
    """Print deployments, the oldest first."""
    if args.output in ("json", "yaml"):
        _dump([plain(one) for one in history], args.output)
    elif args.output == "id":
        print("\n".join(str(one.number) for one in history))
    elif not history:
        Terminal.of(sys.stderr, args.color).print("nothing was deployed yet")
    else:
        wide = args.output == "wide"
        rows = [
            [
                str(one.number),
                _when(one.deployed),
                _short(one.revision, wide=wide),
                one.by,
                one.subject,
                " ".join(one.images),
            ]
            for one in history
        ]
        print_table(
            ["ID", "DATE", "REVISION", "BY", "SUBJECT", "IMAGES"], rows, Terminal.of(sys.stdout, args.color)
        )


def print_diff(diff: str, out: Terminal) -> None:
    """Print a diff in the colours of diffs."""
    colors = {"+": "green", "-": "red", "@": "cyan", "=": "bold"}
    for line in harmless(diff).splitlines():
        out.print(out.style(line, *([colors[line[0]]] if line[:1] in colors else [])))


def print_dry_run(app: App, output: str) -> None:
    """Print what `create` would keep, for Argo CD the objects that it would be given."""
    if app.engine == "argocd":
        from dispatchfile.apps.argocd.application import application

        _dump(application(app), output)
    else:
        _dump(plain(app), output)


def as_data(view: View) -> dict[str, Any]:
    """Return a view as plain data; field names do not change within a major version."""
    data: dict[str, Any] = plain(view)
    data["resources"] = [{**plain(one), "key": None, **plain(one.key)} for one in view.resources]
    for one in data["resources"]:
        del one["key"]
    return data


def _head(view: View, out: Terminal) -> list[str]:
    app = view.app
    policy = ", ".join(
        f"{name} {'on' if value else 'off'}"
        for name, value in (("auto-sync", app.auto_sync), ("prune", app.prune), ("self-heal", app.self_heal))
    )
    facts = [
        ("repository", f"{app.repository}  {app.path} at {app.revision}"),
        ("engine", f"{app.engine}, namespace {app.namespace}"),
        ("policy", policy),
        ("commit", f"{view.revision[:10]} {view.subject}".strip() or "not known"),
    ]
    if view.synced and view.synced != view.revision:
        facts.append(("deployed", view.synced[:10]))
    if view.operation is not None:
        facts.append(("last sync", _told(view.operation)))
    facts += [("answers at", url) for url in view.urls]
    status = f"{out.style(view.sync, COLORS[view.sync])}, {out.style(view.health, COLORS[view.health])}"
    return [
        f"{out.style(app.name, 'bold')}  {status}",
        *(f"  {name:10}  {flat(value)}" for name, value in facts),
    ]


def _told(operation: Operation) -> str:
    when = _when(operation.finished or operation.started)
    message = operation.message if operation.failed else ""
    lines = message.splitlines()
    return f"{operation.phase} {when} by {operation.by}, {operation.revision[:10]}{f': {lines[0]}' if lines else ''}"


def _row(resource: Resource, *, wide: bool) -> list[str]:
    key = resource.key
    kind = f"{key.group}/{key.kind}" if key.group and wide else key.kind
    status = "Unsupported" if resource.unknown else resource.sync
    message = resource.message
    if resource.to_prune and not message:
        message = "not in the repository any more"
    row = [kind, key.namespace, key.name, status, resource.health or "", message]
    return [*row, resource.place] if wide else row


def _list_row(view: View | tuple[str, DispatchfileError]) -> list[str]:
    if isinstance(view, tuple):
        name, problem = view
        return [name, "Unknown", "Unknown", "", "", "", "", problem.message]
    app = view.app
    conditions = ", ".join(dict.fromkeys(condition.type for condition in view.conditions))
    return [
        app.name,
        view.sync,
        view.health,
        app.engine,
        view.revision[:10],
        app.path,
        app.repository,
        conditions,
    ]


def _advice(view: View) -> str:
    """Return what to do next, "" when nothing is to be done."""
    app = f"dispatchfile gitops app {{}} {view.app.name}"
    if view.running:
        return f"`{app.format('wait')}` waits until the sync is done"
    if any(one.type == "ComparisonError" for one in view.conditions):
        return f"mend the repository, then `{app.format('refresh')}`; what runs goes on meanwhile"
    if view.sync == "Unknown":
        return f"`{app.format('refresh')}` asks the repository"
    if view.sync == "OutOfSync":
        gone = [one for one in view.resources if one.sync == "OutOfSync" and not one.unknown]
        prune = " --prune" if gone and all(one.to_prune for one in gone) else ""
        return f"`{app.format('diff')}` shows what differs, `{app.format('sync')}{prune}` brings it about"
    if view.health == "Degraded" and not view.app.auto_sync:
        return f"`{app.format('rollback')}` goes back to what was deployed before"
    return ""


def _data_of(view: View | tuple[str, DispatchfileError]) -> dict[str, Any]:
    if isinstance(view, tuple):
        return {"app": {"name": view[0]}, "error": view[1].message}
    return as_data(view)


def _dump(data: Any, output: str) -> None:
    if output == "json":
        import json

        print(escaped(json.dumps(data, indent=2, ensure_ascii=False)))
    else:
        import yaml

        shown = yaml.dump(data, sort_keys=False, allow_unicode=True, width=2**16)
        if harmless(shown) != shown:
            shown = yaml.dump(data, sort_keys=False, allow_unicode=False, width=2**16)
        print(shown, end="")


def _short(revision: str, *, wide: bool) -> str:
    return revision if wide else revision[:10]


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
