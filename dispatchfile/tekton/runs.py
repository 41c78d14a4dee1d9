"""PipelineRuns: one start of a Pipeline, with the values of an event."""

from __future__ import annotations

from dispatchfile import remote
from dispatchfile.errors import UsageError
from dispatchfile.record import Record
from dispatchfile.tekton import names, text
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.parts import DEFAULT_TIMEOUT_S, WORKSPACE, duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dispatchfile.plan.plan import Plan, PlannedTask
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

LONGEST_PREFIX = 58
"""Characters that the API server keeps of a generateName; it adds five."""


class Start(Record):
    """One start of a Pipeline: the values of its parameters by their names, and what its run is called.

    `volume` says whether the Pipeline's tasks share a volume.
    """

    values: Mapping[str, str]
    generate_name: str
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    volume: bool = False


def start(plan: Plan, draft: Draft, spec: Object) -> Start:
    """Return the start of a draft for a plan's event, named and labelled as Dispatch did (1.4, "Pipeline runs").

    `spec` is the spec of the draft's Pipeline: it declares which parameters and volumes a run gives it. Raises
    UsageError for a value that Tekton refuses, and for a URL as `remote.parse`.
    """
    values = {param: plan.context[variable] for variable, param in CONTEXT_PARAMS.items()}
    given = {param["name"]: values[param["name"]] for param in spec.get("params", ())}
    _refuse_variables(given)
    owner, repository = owner_and_name(plan.event.url)
    build, commit = values["build-name"], values["git-commit"]
    labels = {"build": build, "commit": commit, "owner": owner, "repository": repository}
    return Start(
        given,
        generate_name((owner, repository, build), commit) or f"{draft.name[: LONGEST_PREFIX - 1]}-",
        {key: made for key, value in labels.items() if (made := names.label_value(value))},
        {"tasks": ",".join(planned.name for planned in plan.tasks if planned.asked)},
        "workspaces" in spec,
    )


def _refuse_variables(values: Mapping[str, str]) -> None:
    """Raise UsageError for a value with what Tekton takes for a variable: a run must not do something else than it says.

    Of other tasks' results Tekton itself refuses it; all else is replaced, for it looks at texts again after each value
    that it puts in. Any other `$(…)` is only text, also to the kubelet where a step has secrets (`shield.py`).
    """
    for param, value in values.items():
        if found := text.taken(value):
            raise UsageError(
                f'the value of {param} holds "{found}", which Tekton takes for a variable of its own',
                help="nothing keeps it from that in a value; rename the branch, or whatever is called so",
            )


def owner_and_name(url: str) -> tuple[str, str]:
    """Return owner and name of the repository at a URL; no owner for a path. Raises UsageError as `remote.parse`."""
    if not url:
        return "", ""
    there = remote.parse(url)
    return "" if there.scheme == "file" else there.repository.rpartition("/")[0], there.name


def generate_name(words: Sequence[str], commit: str) -> str:
    """Return what the name of a run begins with: words and commit, the words cut so that the commit stays whole."""
    front = names.plain("-".join(words))
    behind = f"{commit[:7]}-" if commit else ""
    front = front[: LONGEST_PREFIX - 1 - len(behind)].strip("-")
    return f"{front}-{behind}" if front else behind


def pipeline_run(draft: Draft, start: Start, *, spec: Object | None = None) -> Object:
    """Return the PipelineRun of a start; it refers to the draft's Pipeline, or carries the `spec` of one, as its end."""
    options = draft.options
    metadata: Object = {"generateName": start.generate_name}
    if options.namespace:
        metadata["namespace"] = options.namespace
    metadata["labels"] = dict(start.labels)
    metadata["annotations"] = dict(start.annotations)
    run: Object = {"pipelineRef": {"name": draft.name}} if spec is None else {}
    if start.values:
        run["params"] = [{"name": name, "value": value} for name, value in start.values.items()]
    if options.service_account:
        run["taskRunTemplate"] = {"serviceAccountName": options.service_account}
    seconds = timeout(draft)
    if seconds is not None:
        run["timeouts"] = {"pipeline": duration(seconds)}
    if start.volume:
        metadata["annotations"]["tekton.dev/auto-cleanup-pvc"] = "true"
        run["workspaces"] = [_workspace(options.volume_size)]
    if spec is not None:
        run["pipelineSpec"] = spec
    return {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": metadata, "spec": run}


def timeout(draft: Draft) -> float | None:
    """Return the seconds that the run may take: those asked for, else enough for tasks that ask for more than an hour.

    0 is no limit, None leaves the limit to the cluster. Tekton ends all of a run when its time is over, also a task
    that was given longer.
    """
    if draft.options.timeout is not None:
        return draft.options.timeout
    given = [planned.task.timeout for planned in draft.tasks if planned.task.timeout is not None]
    return _longest_path(draft.tasks) if max(given, default=0) > DEFAULT_TIMEOUT_S else None


def _longest_path(tasks: Sequence[PlannedTask]) -> float:
    """Return the seconds of the slowest chain of tasks, each of which takes all the time that it may."""
    ends: dict[str, float] = {}
    for planned in tasks:
        own = DEFAULT_TIMEOUT_S if planned.task.timeout is None else planned.task.timeout
        ends[planned.name] = own + max((ends[name] for name in planned.waits_for), default=0)
    return max(ends.values(), default=0)


def _workspace(size: str) -> Object:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"name": WORKSPACE, "volumeClaimTemplate": {"spec": claim}}
