"""What waits on a cluster for the events of all actions: an EventListener of Tekton Triggers, and CronJobs.

For each action that a webhook fires there is a trigger of the EventListener, a TriggerBinding and a TriggerTemplate,
all of the name of its Pipeline. The trigger's interceptors check the signature, ask whether the action fires, and
work out the parameters; the binding gives them to the template, whose PipelineRun has them as parameters. No text of a
webhook gets anywhere else, but for the name of the run, of small letters, digits and dashes alone, and its labels.

Webhooks are GitHub's, and of a registry for pushed images. Without a signature anyone who reaches the listener could
start runs of a repository of his own with the credentials of the runs, so there is always a secret.
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.record import replace
from dispatchfile.tekton import cel, emit, names, parts, pipeline, resources, runs
from dispatchfile.tekton.triggers import conditions, cron, rbac, waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.model.pipeline import Action, Pipeline, SecretKey
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.emit import Emission
    from dispatchfile.tekton.options import Options
    from dispatchfile.tekton.parts import Object
    from dispatchfile.tekton.triggers.conditions import Match
    from dispatchfile.tekton.triggers.waiting import Settings

API = "triggers.tekton.dev/v1beta1"
LISTENER = 60
"""Characters in the name of an EventListener, whose service is called `el-` and that."""
COMMIT = 7
"""Characters of the commit in the name of a run."""
RUN_NAME = "run-name"
"""The value that the name of a run begins with."""


def objects(source: Pipeline, options: Options, settings: Settings | None = None) -> Emission:
    """Return the Pipelines of all actions and what starts them, by file name, in the order in which to apply them.

    Raises EvaluationError for what Triggers cannot express or a cluster cannot run, UsageError where the URL of the
    repository, or with `rbac` the namespace, is needed and not known.
    """
    settings = settings or waiting.Settings()
    found: list[Diagnostic] = []
    made: list[Object] = []
    triggers: list[Object] = []
    scheduled: list[Object] = []
    for action, draft in emit.of_actions(source, options, found):
        made.append(pipeline.pipeline(draft))
        if action.on is not None and action.on.kind == "cron":
            scheduled += cron.objects(action, draft, settings)
        elif match := _match(action, found, settings):
            found.extend(conditions.missing_commit(draft, match))
            waits = _Parts(action, draft, match, settings)
            made += (waits.binding(), waits.template())
            triggers.append(waits.trigger())
    if triggers:
        made.append(_listener(options, triggers))
    accounts = (
        rbac.objects(options, listener=bool(triggers), schedule=bool(scheduled)) if settings.rbac else []
    )
    every = (*accounts, *made, *scheduled)
    files = {emit.file_name(one["kind"], one["metadata"]["name"]): one for one in every}
    return emit.emission(files, found, source)


def listener_name(options: Options) -> str:
    """Return the name of the EventListener."""
    return names.label(options.name, LISTENER)


def _match(action: Action, found: list[Diagnostic], settings: Settings) -> Match | None:
    """Return what fires an action; with `partial` what cannot be expressed is a warning."""
    wrong: list[Diagnostic] = []
    match = conditions.match(action, wrong)
    for one in wrong:
        beyond = settings.partial and one.code == "DF806" and one.severity is Severity.ERROR
        message = f"{one.message}; nothing starts {action.title}"
        found.append(replace(one, severity=Severity.WARNING, message=message) if beyond else one)
    return match


def _listener(options: Options, triggers: list[Object]) -> Object:
    return {
        "apiVersion": API,
        "kind": "EventListener",
        "metadata": parts.metadata(listener_name(options), options),
        "spec": {"serviceAccountName": waiting.listener_account(options), "triggers": triggers},
    }


class _Parts:
    """The three objects of one action: which values its runs are given, and where each comes from.

    `told` are expressions for what the webhook tells, `made` those that make something of it; each value has one name
    under which it passes through overlay, binding and template. `labels` are those of the runs.
    """

    def __init__(self, action: Action, draft: Draft, match: Match, settings: Settings) -> None:
        self.draft, self.match, self.settings = draft, match, settings
        fixed = {} if match.event else cron.known(action, draft, settings)
        used = pipeline.params_used(draft)
        naming, self.labels = _naming(match, settings)
        derived = {name: match.derived[name] for name in used if name in match.derived}
        wanted = {
            *used,
            "build-name",
            *(["git-commit"] * match.hashed),
            *([conditions.COMMENT] * bool(derived)),
        }
        self.told = {name: value for name, value in match.values.items() if name in wanted}
        self.made = {**derived, **naming}
        self.params = {
            name: f"$(tt.params.{name})" if name in self.told or name in derived else fixed.get(name, "")
            for name in used
        }

    def trigger(self) -> Object:
        """Return the trigger of the EventListener."""
        clauses, guards = self.match.clauses, self.match.guards if conditions.COMMENT in self.told else ()
        if self.match.event == conditions.ON_COMMENT and self.settings.members_only:
            clauses = (*clauses, conditions.BY_MEMBER)
        if self.match.event:
            first = [self._signature()]
        else:
            first = []
            clauses = (_authorized(waiting.webhook_secret(self.draft.options, self.settings)), *clauses)
        return {
            "name": self.draft.name,
            "interceptors": [*first, _cel(clauses, self.told), _cel(guards, self.made)],
            "bindings": [{"kind": "TriggerBinding", "ref": self.draft.name}],
            "template": {"ref": self.draft.name},
        }

    def binding(self) -> Object:
        """Return the TriggerBinding."""
        params = [{"name": name, "value": f"$(extensions.{name})"} for name in self._handed_on()]
        return self._object("TriggerBinding", {"params": params})

    def template(self) -> Object:
        """Return the TriggerTemplate, with the PipelineRun in it."""
        asked = ",".join(planned.name for planned in self.draft.tasks if planned.asked)
        volume = resources.needs_volume(self.draft)
        start = runs.Start(self.params, f"$(tt.params.{RUN_NAME})-", self.labels, {"tasks": asked}, volume)
        run = runs.pipeline_run(self.draft, start)
        params = [{"name": name} for name in self._handed_on()]
        return self._object("TriggerTemplate", {"params": params, "resourcetemplates": [run]})

    def _handed_on(self) -> list[str]:
        """Return the names of the values that the PipelineRun takes."""
        taken = {*self.params.values(), *self.labels.values()}
        values = [*self.told, *self.made]
        return [name for name in values if name == RUN_NAME or f"$(tt.params.{name})" in taken]

    def _object(self, kind: str, spec: Object) -> Object:
        metadata = parts.metadata(self.draft.name, self.draft.options)
        return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}

    def _signature(self) -> Object:
        """Return GitHub's interceptor, which checks the signature, and may list the paths of a pull request."""
        params: Object = {
            "secretRef": _secret(waiting.webhook_secret(self.draft.options, self.settings)),
            "eventTypes": [self.match.event],
        }
        if self.match.changed_files:
            params["addChangedFiles"] = {"enabled": True}
            if self.settings.token_secret:
                params["addChangedFiles"]["personalAccessToken"] = _secret(self.settings.token_secret)
        return _interceptor("github", params)


def _naming(match: Match, settings: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """Return the expressions for the name of a run and its labels, and the labels, all as in `runs.start`."""
    build, commit = 'extensions["build-name"]', 'extensions["git-commit"]'
    expressions = {"label-build": cel.label_value(build)}
    labels = {"build": "$(tt.params.label-build)"}
    if match.hashed:
        labels["commit"] = "$(tt.params.git-commit)"
    if match.event:
        full = "body.repository.full_name"
        for at, name in enumerate(("owner", "repository")):
            expressions[f"label-{name}"] = cel.label_value(f'{full}.split("/")[{at}]')
            labels[name] = f"$(tt.params.label-{name})"
    else:
        words = runs.owner_and_name(settings.repository)
        full = cel.literal("-".join(words))
        known = zip(("owner", "repository"), map(names.label_value, words), strict=True)
        labels |= {name: text for name, text in known if text}
    behind = COMMIT + 1 if match.hashed else 0
    run_name = cel.slug(f'({full} + "-" + {build})', runs.LONGEST_PREFIX - 1 - behind)
    if match.hashed:
        run_name += f' + "-" + {commit}.truncate({COMMIT})'
    return {RUN_NAME: run_name, **expressions}, labels


def _cel(clauses: Iterable[str], overlays: Mapping[str, str]) -> Object:
    """Return the interceptor that asks whether all of these clauses hold, and then works out these values."""
    asked = " &&\n".join(clauses)
    values = [{"key": name, "expression": expression} for name, expression in overlays.items()]
    return _interceptor("cel", {**({"filter": asked} if asked else {}), "overlays": values})


def _interceptor(name: str, params: Object) -> Object:
    return {
        "ref": {"kind": "ClusterInterceptor", "name": name},
        "params": [{"name": param, "value": value} for param, value in params.items()],
    }


def _secret(key: SecretKey) -> Object:
    return {"secretName": key.name, "secretKey": key.key}


def _authorized(secret: SecretKey) -> str:
    """Return the clause that a notification has the secret in its header `Authorization: Bearer …`."""
    key, name = cel.literal(secret.key), cel.literal(secret.name)
    return f"header.canonical('Authorization').replace('Bearer ', '', 1).compareSecret({key}, {name})"
