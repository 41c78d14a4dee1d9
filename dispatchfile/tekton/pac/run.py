"""A PipelineRun that Pipelines-as-Code (PaC) starts: what it fills into the parameters, and what it is asked besides.

PaC fills in `{{ revision }}` and its kin by the kind of the event; what an event lacks it leaves as it is, so nothing is
asked for that might be lacking. The context is that of `event.context` but for `.git` at the end of the URL, which
`repo_url` lacks on most forges: the branch of a pull request is its source, its build `pr-N`, and the command of a
comment the word that matched. Its arguments are cut out by a task of its own, `dispatch-comment`.

Nobody's text reaches another field: see `text.py`. One hole is PaC's own. It fills in twice, and a branch may be called
`x{{body.pull_request.title}}`, or `$(TOKEN)` for the kubelet. Pull requests of such branches start no run that is told
the branch. On a push nothing asks: who pushes may change `.tekton` as well. Nor on a comment, whose run is told the
branch of a fork by somebody whom PaC trusts; there a fork may change `.tekton` as well, unless the Repository says
`pipelinerun_provenance: default_branch`: then leave `context.git.branch` out of what comments start.
"""

from __future__ import annotations

from dispatchfile.tekton import _scripts, runs, scripts
from dispatchfile.tekton.manifest import Block
from dispatchfile.tekton.pac import text
from dispatchfile.tekton.runs import Start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.model.pipeline import Action
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.pac.match import Guard, Match
    from dispatchfile.tekton.pac.objects import Settings
    from dispatchfile.tekton.parts import Object

GROUP = "pipelinesascode.tekton.dev"
COMMENT = "dispatch-comment"
"""The parameter with the text of a comment, and the task that cuts the arguments out of it."""
GIT_AUTH = "dispatch-git-auth"

_ALWAYS = {"git-url": "{{ repo_url }}", "git-commit": "{{ revision }}"}
PLACEHOLDERS = {
    "push": {**_ALWAYS, "git-branch": "{{ source_branch }}", "build-name": "{{ source_branch }}"},
    "tag": {**_ALWAYS, "git-tag": "{{ git_tag }}", "build-name": "{{ git_tag }}"},
    "pull_request": {
        **_ALWAYS,
        "git-branch": "{{ source_branch }}",
        "build-name": "pr-{{ pull_request_number }}",
    },
}
"""Parameters of the context that an event of a kind has; the others are empty."""


def pipeline_run(
    action: Action, draft: Draft, spec: Object, name: str, match: Match, settings: Settings
) -> Object:
    """Return the PipelineRun of an action with its Pipeline; PaC makes a generateName of its name, and sets its namespace."""
    values = _values(action, spec, match)
    spec = text.kept(spec)
    if COMMENT in values:
        spec = _with_comment(spec, draft)
    spec = _guarded(spec, match.guards)
    if settings.git_auth:
        spec = _with_git_auth(spec)
    run = runs.pipeline_run(draft, Start(values, "", volume="workspaces" in spec), spec=spec)
    annotations = {f"{GROUP}/{key}": value for key, value in match.annotations.items()}
    if settings.keep_runs is not None:
        annotations[f"{GROUP}/max-keep-runs"] = str(settings.keep_runs)
    if settings.cancel:
        annotations[f"{GROUP}/cancel-in-progress"] = "true"
    annotations |= run["metadata"]["annotations"]
    return {**run, "metadata": {"name": name, "annotations": annotations}}  # PaC has labels of its own


def _values(action: Action, spec: Object, match: Match) -> dict[str, str]:
    """Return all parameters of a run, with what PaC fills in."""
    filled = PLACEHOLDERS[action.on.kind] if action.on else {}
    values: dict[str, str] = {}
    for declared in spec.get("params", ()):
        param = declared["name"]
        if param == "chatop-args" and "on-comment" in match.annotations:
            values[COMMENT] = Block("{{ trigger_comment }}")
        elif param == "chatop-command":
            values[param] = match.word
        else:
            values[param] = Block(filled[param]) if param in filled else ""
    return {**values, **{guard.param: Block(guard.placeholder) for guard in match.guards}}


def _guarded(spec: Object, guards: Sequence[Guard]) -> Object:
    """Return the spec of a Pipeline whose tasks all ask the guards."""
    if not guards:
        return spec
    declared = [{"name": name, "type": "string"} for name in dict.fromkeys(guard.param for guard in guards)]
    asked = [
        {"input": f"$(params.{guard.param})", "operator": guard.operator, "values": list(guard.values)}
        for guard in guards
    ]
    tasks = [{"name": task["name"], "when": asked, **task} for task in spec["tasks"]]
    params = [*spec.get("params", ()), *declared]
    return {"params": [], **spec} | {"params": params, "tasks": tasks}


def _with_comment(spec: Object, draft: Draft) -> Object:
    """Return the spec with the task that cuts arguments out of a comment; the others take its result."""
    result = f"$(tasks.{COMMENT}.results.args)"
    env = {"COMMENT": f"$(params.{COMMENT})", "RESULT": "$(results.args.path)"}
    declared = {"name": COMMENT, "type": "string"}
    task = {
        "name": COMMENT,
        "params": [{"name": COMMENT, "value": f"$(params.{COMMENT})"}],
        "taskSpec": {
            "params": [declared],
            "results": [{"name": "args", "description": "words of the comment behind the command"}],
            "steps": [scripts.step(COMMENT, draft.options.git_image, _scripts.COMMENT, env)],
        },
    }
    params = [param for param in spec["params"] if param["name"] != "chatop-args"]
    tasks = [_told(one, "$(params.chatop-args)", result) for one in spec["tasks"]]
    return {**spec, "params": [*params, declared], "tasks": [task, *tasks]}


def _told(task: Object, param: str, value: str) -> Object:
    """Return a task that is given something else for a parameter of the Pipeline."""
    if "params" not in task:
        return task
    params = [{**one, "value": one["value"].replace(param, value)} for one in task["params"]]
    return {**task, "params": params}


def _with_git_auth(spec: Object) -> Object:
    """Return the spec with PaC's token for git in all steps: in a file that git is told of, as HOME is Tekton's."""
    tasks = [{**task, "taskSpec": _task_with_git_auth(task["taskSpec"])} for task in spec["tasks"]]
    return {**spec, "tasks": tasks}


def _task_with_git_auth(spec: Object) -> Object:
    folder = f"/var/secret/{GIT_AUTH}"
    secret = {"name": GIT_AUTH, "secret": {"secretName": Block("{{ git_auth_secret }}")}}
    settings = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": f"store --file={folder}/.git-credentials",
    }
    template = spec.get("stepTemplate", {})
    template = {
        **template,
        "env": [
            *template.get("env", ()),
            *({"name": key, "value": value} for key, value in settings.items()),
        ],
        "volumeMounts": [
            *template.get("volumeMounts", ()),
            {"name": GIT_AUTH, "mountPath": folder, "readOnly": True},
        ],
    }
    return {**spec, "stepTemplate": template, "volumes": [*spec.get("volumes", ()), secret]}
