"""PipelineRuns for Pipelines-as-Code (PaC): the files of `.tekton/`, one an action, with its Pipeline in it.

What starts them is in `conditions.py`, what they are in `run.py`.
"""

from __future__ import annotations

from dispatchfile import glob
from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.record import Record
from dispatchfile.tekton import emit, names, pipeline
from dispatchfile.tekton.pac import conditions, run, text
from dispatchfile.tekton.pac.conditions import OWN_WORDS, Inexpressible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.model.pipeline import Action, Condition, Pipeline
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.emit import Emission
    from dispatchfile.tekton.options import Options
    from dispatchfile.tekton.pac.conditions import Match
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
    if condition is None:
        return ()
    try:
        matches = conditions.matches(condition, [param["name"] for param in spec.get("params", ())])
    except Inexpressible as wrong:
        severity = Severity.WARNING if settings.partial else Severity.ERROR
        message = f"{wrong.message}{f'; {action.title} is left out' if settings.partial else ''}"
        found.append(_finding(condition, wrong.field, "DF806", severity, message, wrong.mend))
        return ()
    except glob.GlobError as error:
        message = f"a pattern cannot be read: {error.message}"
        mend = "a backslash takes the next character as it is"
        found.append(_finding(condition, "", "DF303", Severity.ERROR, message, mend))
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
            yield _finding(condition, "chatops", "DF806", Severity.WARNING, message, mend)


def _finding(
    condition: Condition, field: str, code: str, severity: Severity, message: str, mend: str
) -> Diagnostic:
    value = condition.value.at(field) if field else None
    span = (value.key or value.span) if value else condition.value.key or condition.value.span
    path = ".".join(part for part in ("on", *condition.path, field) if part)
    return Diagnostic(code, severity, message, span, path=path, help=mend)
