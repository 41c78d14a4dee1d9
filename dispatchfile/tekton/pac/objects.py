"""PipelineRuns for Pipelines-as-Code (PaC): the files of `.tekton/`, one an action, with its Pipeline in it.

What starts them is in `conditions.py`, what they are in `run.py`.
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.record import Record
from dispatchfile.tekton import emit, names, pipeline
from dispatchfile.tekton.conditions import finding, unreadable
from dispatchfile.tekton.pac import conditions, run, text
from dispatchfile.tekton.pac.comments import OWN_WORDS
from dispatchfile.tekton.pac.match import Inexpressible, Never

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.model.pipeline import Action, Condition, Pipeline
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.emit import Emission
    from dispatchfile.tekton.options import Options
    from dispatchfile.tekton.pac.match import Match
    from dispatchfile.tekton.parts import Object

HOW = "commit it in the folder .tekton of the repository, for Pipelines-as-Code"


class Settings(Record):
    """What the user asks of PaC.

    `keep_runs` finished runs of each stay; with `cancel` a newer run of a branch or pull request ends those before it;
    with `git_auth` git has the token that PaC makes for each run; with `partial` actions that PaC cannot start are
    left out with a warning, and are no error.
    """

    keep_runs: int | None = None
    cancel: bool = False
    git_auth: bool = False
    partial: bool = False


def objects(source: Pipeline, options: Options, settings: Settings | None = None) -> Emission:
    """Return a PipelineRun for each action, by file name; one for each word of a comment where a task asks for it.

    Raises EvaluationError for what PaC cannot start or a cluster cannot run.
    """
    settings = settings or Settings()
    found: list[Diagnostic] = []
    drafts = [(action, draft) for action, draft in emit.of_actions(source, options, found) if action.on]
    specs = {draft.name: pipeline.spec(draft) for _, draft in drafts}
    started = [
        (action, draft, _matches(action, specs[draft.name], settings, found)) for action, draft in drafts
    ]
    worded = names.labels(
        (_worded(draft, match) for _, draft, matches in started if len(matches) > 1 for match in matches),
        taken=specs,
    )
    files = {}
    for action, draft, matches in started:
        for match in matches:
            name = worded.get(_worded(draft, match), draft.name)
            made = run.pipeline_run(action, draft, specs[draft.name], name, match, settings)
            text.refused(draft, made)
            files[f"{name}.yaml"] = made
    told = emit.emission(files, found, source)
    return emit.Emission(told.files, told.found, HOW)


def _worded(draft: Draft, match: Match) -> str:
    """Return what the run of a word is called, a blank between its parts, which neither of them holds."""
    return f"{draft.name} {match.word}"


def _matches(action: Action, spec: Object, settings: Settings, found: list[Diagnostic]) -> Sequence[Match]:
    """Return what starts the runs of an action with this Pipeline; what is wrong with its condition goes to `found`."""
    condition = action.on
    wrong = list(unreadable(condition)) if condition else []
    found += wrong
    if condition is None or wrong:
        return ()
    try:
        matches = conditions.matches(condition, [param["name"] for param in spec.get("params", ())])
    except Inexpressible as why:
        goes_on = settings.partial or isinstance(why, Never)
        severity = Severity.WARNING if goes_on else Severity.ERROR
        message = f"{why.message}{f'; {action.title} is left out' if goes_on else ''}"
        found.append(finding(condition, why.field, severity, message, why.mend))
        return ()
    found.extend(_own_words(condition))
    return matches


def _own_words(condition: Condition) -> Iterator[Diagnostic]:
    """Yield a warning for each word of a comment that starts more than the action."""
    for word in condition.chatops or ():
        if word in OWN_WORDS:
            message = (
                f'Pipelines-as-Code takes the comment "/{word}" for its own: it starts {OWN_WORDS[word]}'
            )
            mend = "choose another word, or set gitops_command_prefix in the settings of the Repository"
            yield finding(condition, "chatops", Severity.WARNING, message, mend)
