"""`dispatchfile plan`: for each action whether it fires and why, then the tasks in order and what each waits for."""

from __future__ import annotations

import sys

from dispatchfile.cli import options
from dispatchfile.cli.parser import examples
from dispatchfile.cli.simulate import describe
from dispatchfile.cli.terminal import Terminal
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from dispatchfile.cli.parser import Commands
    from dispatchfile.event.decision import Decision, Reason
    from dispatchfile.plan.plan import Need, Plan, PlannedTask

EXAMPLES = examples(
    "dispatchfile plan                                        what would the commit you are on run?",
    "dispatchfile plan --event push --branch main --base HEAD~3",
    'dispatchfile plan --event pull-request --target main --chatop "/test fast"',
    "dispatchfile plan --event-file webhook.json --json       what would this webhook run?",
    "dispatchfile plan --all                                  every task of the file",
    "dispatchfile plan --exit-code --quiet || echo nothing to do",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "plan",
        description="Say which actions an event fires and why, and which tasks would run in which order.\n"
        "Nothing runs. With TASK the plan is of these tasks and what they need, whatever the actions say.",
        epilog=EXAMPLES,
    )
    options.add_task_options(parser)
    parser.add_argument("--all", action="store_true", help="list every task of the file, run or not")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 when no task would run")
    options.add_event_options(parser)


def main(args: argparse.Namespace) -> int:
    """Print the plan; return 1 under --exit-code when it has no tasks."""
    guesses: list[str] = []
    plan = options.plan_from(args, guesses.append)
    listed = _every_task(plan) if args.all else plan
    if args.json:
        import json

        print(json.dumps(as_data(plan, listed), indent=2, ensure_ascii=False))
    elif not (args.quiet and args.exit_code):
        _print(plan, listed, Terminal.of(sys.stdout, args.color), guesses, verbose=args.verbose)
    return 1 if args.exit_code and not plan.tasks else 0


def _every_task(plan: Plan) -> Plan:
    from dispatchfile.plan.graph import arrange

    return replace(plan, tasks=arrange(plan.pipeline, plan.pipeline.tasks))


def _print(plan: Plan, listed: Plan, out: Terminal, guesses: Sequence[str], *, verbose: bool) -> None:
    out.print(f"{out.style('event', 'bold')}  {describe(plan.event)}")
    for guess in guesses:
        out.print(out.style(f"       {guess.removeprefix(f'{describe(plan.event)}, ')}", "dim"))
    if plan.decisions:
        out.print(f"\n{out.style('actions', 'bold')}")
    for decision in plan.decisions:
        _print_decision(decision, out, verbose=verbose)
    planned = {task.name for task in plan.tasks}
    if not listed.tasks:
        out.print(f"\n{out.style('tasks', 'bold')}  none: {_no_tasks(plan)}")
        return
    out.print(f"\n{out.style('tasks, in order', 'bold')}")
    width = max(len(task.name) for task in listed.tasks)
    for number, task in enumerate(listed.tasks, 1):
        mark = "" if listed is plan else f"{out.sign('yes' if task.name in planned else 'none')} "
        name = out.style(f"{task.name:{width}}", "bold") if task.waits_for else out.style(task.name, "bold")
        out.print(f"  {number:{len(str(len(listed.tasks)))}}. {mark}{name}{_waits(task)}")


def nothing_to(do: str, plan: Plan) -> str:
    """Return what is told where a plan has no tasks to `do` something with."""
    why = "; `dispatchfile plan` says why" if plan.pipeline.actions else ""
    return f"nothing to {do}: {_no_tasks(plan)}{why}"


def _no_tasks(plan: Plan) -> str:
    if not plan.pipeline.actions:
        return "the Dispatchfile has no actions, so name a task"
    fires = any(decision.fires for decision in plan.decisions)
    return "what fires lists no task" if fires else "no action fires"


def _print_decision(decision: Decision, out: Terminal, *, verbose: bool) -> None:
    sign = out.style(out.sign("yes"), "green") if decision.fires else out.style(out.sign("no"), "red")
    verb = "fires" if decision.fires else "does not fire"
    tasks = f": {', '.join(decision.action.tasks) or 'no task'}" if decision.fires else ""
    out.print(f"  {sign} {decision.action.title} {verb}{tasks}")
    for reason in decisive(decision):
        place = f"  {reason.span}" if reason.span and (verbose or not reason.holds) else ""
        out.print(f"      {reason.field}: {reason.message}{out.style(place, 'dim')}")


def decisive(decision: Decision) -> Sequence[Reason]:
    """Return the reasons worth telling: the condition that failed, else those beyond the mere kind of event."""
    failed = [reason for reason in decision.reasons if not reason.holds]
    return failed or decision.reasons[1:] or decision.reasons


def _waits(task: PlannedTask) -> str:
    if not task.needs:
        return ""
    whys: dict[str, list[str]] = {}
    for need in task.needs:
        whys.setdefault(need.task, []).append(_why(need))
    return "  waits for " + ", ".join(f"{name} ({', '.join(why)})" for name, why in whys.items())


def _why(need: Need) -> str:
    return {"resource": f"makes {need.via}", "input": "named in inputs", "deps": "named in deps"}[need.kind]


def as_data(plan: Plan, listed: Plan) -> dict[str, Any]:
    """Return the plan as plain data; field names do not change within a major version."""
    event = plan.event
    planned = {task.name for task in plan.tasks}
    facts = ("branch", "tag", "source", "target", "number", "labels", "chatop", "paths", "action")
    known = {name: getattr(event, name) for name in facts if getattr(event, name) is not None}
    return {
        "event": {"kind": event.kind, "url": event.url, "commit": event.commit, **known},
        "context": dict(plan.context),
        "actions": [_decision_data(decision) for decision in plan.decisions],
        "tasks": [{**_task_data(task), "planned": task.name in planned} for task in listed.tasks],
    }


def _decision_data(decision: Decision) -> dict[str, Any]:
    action = decision.action
    return {
        "index": action.index,
        "name": action.name,
        "fires": decision.fires,
        "tasks": list(action.tasks),
        "reasons": [
            {
                "field": reason.field,
                "holds": reason.holds,
                "message": reason.message,
                "place": str(reason.span) if reason.span else None,
            }
            for reason in decision.reasons
        ],
    }


def _task_data(task: PlannedTask) -> dict[str, Any]:
    return {
        "name": task.name,
        "asked": task.asked,
        "needs": [{"task": need.task, "kind": need.kind, "via": need.via} for need in task.needs],
        "steps": [step.name for step in task.task.steps],
    }
