"""Schedules: a CronJob for each cron action, which creates the PipelineRun that a ConfigMap holds.

The pod of the job first looks up the commit that the action's revision names at that moment, in the git image, and
then creates the run with kubectl. It does not have the credentials that Tekton gives to steps: of a private repository
no commit is found, and the run gets the revision itself, which git fetches as well. Times are in UTC, as Dispatch's
were; a job that has not begun after ten minutes is left out (Kubernetes would give up a schedule that it missed a
hundred times).
"""

from __future__ import annotations

import json
import re

from dispatchfile import remote
from dispatchfile.diagnostics import Severity
from dispatchfile.errors import UsageError
from dispatchfile.model import schedules
from dispatchfile.tekton import _scripts, names, parts, pipeline, resources, runs
from dispatchfile.tekton.conditions import finding
from dispatchfile.tekton.triggers import waiting
from dispatchfile.tekton.triggers.conditions import UNSAFE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.model.pipeline import Action
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object
    from dispatchfile.tekton.triggers.waiting import Settings

LONGEST = 52
"""Characters in the name of a CronJob: the controller adds eleven for its jobs."""
COMMIT = "0" * 40
"""Stands where the commit goes."""
NEWEST = "HEAD"
"""The default branch of a repository, as git calls it there."""
TEMPLATE, MADE = "/dispatchfile/template", "/dispatchfile/made"
NOBODY = 65534


def known(action: Action, draft: Draft, settings: Settings) -> dict[str, str]:
    """Return the parameters that an event without a repository has: the URL, and the revision for the commit.

    Raises UsageError when the pipeline needs the URL, and no cluster could clone it.
    """
    used = pipeline.params_used(draft)
    if "git-url" in used and not _clonable(settings.repository):
        raise UsageError(
            f"{action.title} needs the URL of the repository, which no webhook of GitHub tells here",
            help="give --repository URL, or run in a clone whose origin a cluster can reach",
        )
    revision = _revision(action, settings)
    return {"git-url": settings.repository, "git-commit": revision}


def objects(action: Action, draft: Draft, settings: Settings) -> list[Object]:
    """Return the ConfigMap and the CronJob of a cron action; what is wrong with it goes to `draft.found`.

    Raises UsageError as `known`.
    """
    fixed = known(action, draft, settings)
    wrong = _wrong(action, fixed["git-commit"])
    if wrong:
        draft.found.append(wrong)
        return []
    name = names.label(draft.name, LONGEST)
    run = _run(action, draft, fixed)
    return [_template(name, draft, run), _job(name, action, draft, settings, fixed)]


def _clonable(url: str) -> bool:
    return bool(url) and remote.parse(url).scheme != "file"


def _revision(action: Action, settings: Settings) -> str:
    return (action.on and action.on.revision) or settings.revision or NEWEST


def _branch(revision: str) -> str:
    """Return the branch that a revision names, or "" for a commit, a tag by its full name, or the newest."""
    if revision == NEWEST or (len(revision) == len(COMMIT) and set(revision) <= set("0123456789abcdef")):
        return ""
    return "" if revision.startswith("refs/tags/") else revision.removeprefix("refs/heads/")


def _run(action: Action, draft: Draft, fixed: dict[str, str]) -> Object:
    """Return the PipelineRun, with a place for the commit."""
    branch = _branch(fixed["git-commit"])
    build = branch or action.name or "cron"
    owner, repository = runs.owner_and_name(fixed["git-url"]) if fixed["git-url"] else ("", "")
    values = {**fixed, "git-commit": COMMIT, "git-branch": branch, "build-name": build}
    labels = {"build": build, "owner": owner, "repository": repository}
    start = runs.Start(
        {param: values.get(param, "") for param in pipeline.params_used(draft)},
        runs.generate_name((owner, repository, build), "") or f"{draft.name[: runs.LONGEST_PREFIX - 1]}-",
        {key: made for key, text in labels.items() if (made := names.label_value(text))},
        {"tasks": ",".join(planned.name for planned in draft.tasks if planned.asked)},
        resources.needs_volume(draft),
    )
    return runs.pipeline_run(draft, start)


def _template(name: str, draft: Draft, run: Object) -> Object:
    data = {
        "run.json": f"{json.dumps(run, indent=2, ensure_ascii=False)}\n",
        "schedule.sh": _scripts.SCHEDULE,
    }
    metadata = parts.metadata(name, draft.options)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _job(name: str, action: Action, draft: Draft, settings: Settings, fixed: dict[str, str]) -> Object:
    pod = {
        "serviceAccountName": waiting.schedule_account(draft.options),
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [_find_commit(draft, fixed)],
        "containers": [
            _container("create", settings.kubectl_image, ["kubectl", "create", "-f", f"{MADE}/run.json"])
        ],
        "volumes": [{"name": "template", "configMap": {"name": name}}, {"name": "made", "emptyDir": {}}],
    }
    spec = {
        "schedule": action.on.schedule if action.on else "",
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 600,
        "jobTemplate": {"spec": {"backoffLimit": 2, "activeDeadlineSeconds": 600, "template": {"spec": pod}}},
    }
    metadata = parts.metadata(name, draft.options)
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}


def _find_commit(draft: Draft, fixed: dict[str, str]) -> Object:
    revision = fixed["git-commit"]
    env = {
        "REPOSITORY": fixed["git-url"],
        "REVISION": revision,
        "FALLBACK": json.dumps(revision, ensure_ascii=False)[1:-1],
        "TEMPLATE": f"{TEMPLATE}/run.json",
        "RUN": f"{MADE}/run.json",
        "HOME": "/tmp",  # noqa: S108 in a container of its own
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:http:ssh:git",
    }
    made = _container("find-commit", draft.options.git_image, ["sh", f"{TEMPLATE}/schedule.sh"], env)
    made["volumeMounts"].insert(0, {"name": "template", "mountPath": TEMPLATE, "readOnly": True})
    return made


def _container(name: str, image: str, command: list[str], env: Mapping[str, str] | None = None) -> Object:
    made: Object = {"name": name, "image": image, "command": command}
    if env:
        made["env"] = [{"name": variable, "value": text} for variable, text in env.items()]
    made["volumeMounts"] = [{"name": "made", "mountPath": MADE}]
    made["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return made


def _wrong(action: Action, revision: str) -> Diagnostic | None:
    """Return what is wrong with a schedule or the revision that its runs take."""
    condition = action.on
    if condition is None:
        return None
    try:
        schedules.interval(condition.schedule or "")
    except ValueError as error:
        message = f'"{condition.schedule or ""}" is no schedule that a CronJob takes'
        return finding(condition, "schedule", Severity.ERROR, message, str(error), at_value=True)
    if re.search(UNSAFE, revision):
        message = f'"{revision}" is no branch, tag or commit'
        mend = "write the name of one"
        return finding(condition, "revision", Severity.ERROR, message, mend, at_value=True)
    return None
