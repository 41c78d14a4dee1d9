"""From a plan to the objects of a cluster: the Pipeline that it is, and the PipelineRun that starts it."""

from __future__ import annotations

from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError
from dispatchfile.plan.graph import arrange
from dispatchfile.record import Record
from dispatchfile.tekton import names, pipeline, runs
from dispatchfile.tekton.draft import draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.model.pipeline import Action, Pipeline
    from dispatchfile.plan.plan import Plan
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.options import Options
    from dispatchfile.tekton.parts import Object

    Kind = Literal["pipeline", "run", "all"]


class Emission(Record):
    """What was emitted: objects by the names of their files, and what was found that is no error.

    `how` says what is to be done with them where that is not to apply them.
    """

    files: Mapping[str, Object]
    found: tuple[Diagnostic, ...] = ()
    how: str = ""

    @property
    def objects(self) -> tuple[Object, ...]:
        """Return the objects in the order in which they are to be applied."""
        return tuple(self.files.values())


def emit(plan: Plan, options: Options, kind: Kind = "all") -> Emission:
    """Return the Pipeline of a plan, and the PipelineRun of its event.

    A run without its Pipeline (`kind` "run") carries what the Pipeline would say. Raises EvaluationError with its
    diagnostics when something in the plan cannot be carried to a cluster.
    """
    made = of_plan(plan, options)
    whole = pipeline.pipeline(made)
    spec = whole["spec"]
    files = {file_name("Pipeline", made.name): whole}
    if kind != "pipeline":
        run = runs.pipeline_run(made, runs.start(plan, made, spec), spec=spec if kind == "run" else None)
        files[file_name("PipelineRun", made.name)] = run
    if kind == "run":
        del files[file_name("Pipeline", made.name)]
    return emission(files, made.found, plan.pipeline)


def emit_all(source: Pipeline, options: Options) -> Emission:
    """Return the Pipelines of all actions; raises EvaluationError as `emit`."""
    found: list[Diagnostic] = []
    drafts = of_actions(source, options, found)
    return emission(
        {file_name("Pipeline", made.name): pipeline.pipeline(made) for _action, made in drafts}, found, source
    )


def of_plan(plan: Plan, options: Options) -> Draft:
    """Return the draft of a plan, named for the actions that fire or else for the tasks asked for."""
    fired = [decision.action for decision in plan.decisions if decision.fires and decision.action.tasks]
    if fired:
        every = action_words(plan.pipeline)
        words = [every[action.index] for action in fired]
    else:
        words = [planned.name for planned in plan.tasks if planned.asked]
    return draft(_name(options, "-".join(words)), plan.pipeline, plan.tasks, options, [])


def of_actions(
    source: Pipeline, options: Options, found: list[Diagnostic]
) -> tuple[tuple[Action, Draft], ...]:
    """Return a draft for each action that has tasks, in order; all of them tell what they find to `found`."""
    words = action_words(source)
    return tuple(
        (
            action,
            draft(_name(options, words[action.index]), source, arrange(source, action.tasks), options, found),
        )
        for action in source.actions
        if action.tasks
    )


def action_words(source: Pipeline) -> dict[int, str]:
    """Return what each action, by its index, is called in names of objects; all of them different.

    That is its name, and without one the kind of its condition, with a number from the second on.
    """
    named = names.labels(action.name for action in source.actions if action.name)
    used, words = set(named.values()), {}
    for action in source.actions:
        word = named.get(action.name or "")
        if word is None:
            kind = action.on.kind.replace("_", "-") if action.on else "action"
            word, number = kind, 2
            while word in used:
                word, number = f"{kind}-{number}", number + 1
            used.add(word)
        words[action.index] = word
    return words


def emission(files: Mapping[str, Object], found: Iterable[Diagnostic], source: Pipeline) -> Emission:
    """Return objects by file name, and findings, as an emission; raises EvaluationError when a finding is an error."""
    found = tuple(dict.fromkeys(found))
    if wrong := errors(found):
        from dispatchfile.spelling import counted

        file = source.value.span.source.name if source.value.span else "the Dispatchfile"
        raise EvaluationError(f"{file}: {counted(len(wrong), 'error')} for a cluster", found)
    return Emission(files, found)


def prefix(repository: str) -> str:
    """Return what names of objects begin with for a repository of that name."""
    return names.label(repository, 40) or "pipeline"


def file_name(kind: str, name: str) -> str:
    """Return the name of an object's file; a run is called as the Pipeline that it runs, whose name does not change."""
    return f"{kind.lower()}-{name}.yaml"


def _name(options: Options, words: str) -> str:
    return names.label(f"{options.name}-{words}")
