"""What the emitters for a cluster find in a Dispatchfile, for the rules of that group."""

from __future__ import annotations

from functools import lru_cache, partial

from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Rule, Subject
    from dispatchfile.model.pipeline import Pipeline

_NAME = "pipeline"
_REPOSITORY = "https://git.example/pipeline"
"""Stands for the repository that schedules clone: which one it will be, the file does not say."""


def findings(subject: Subject, rule: Rule) -> Iterator[Diagnostic]:
    """Yield what the emitters say under a rule's code about the tasks and conditions of a file.

    Nothing while the file has errors of its own: only a sound pipeline can be emitted.
    """
    if subject.pipeline is not None and not errors(subject.found):
        yield from (found for found in _emitted(subject) if found.code == rule.code)


@lru_cache(maxsize=1)  # six rules ask about one file after the other
def _emitted(subject: Subject) -> Sequence[Diagnostic]:
    """Return the findings of all emitters, each once."""
    from dispatchfile.tekton.options import Options
    from dispatchfile.tekton.pac import objects as pac
    from dispatchfile.tekton.triggers import objects as triggers
    from dispatchfile.tekton.triggers.waiting import Settings

    source = subject.pipeline
    assert source is not None  # noqa: S101 asked before
    found = _of_tasks(source)
    of_triggers = partial(triggers.objects, settings=Settings(repository=_REPOSITORY))
    for emit in (of_triggers, pac.objects):
        try:
            found += emit(source, Options(_NAME)).found
        except EvaluationError as refused:
            found += refused.diagnostics
    return list(dict.fromkeys(found))


def _of_tasks(source: Pipeline) -> list[Diagnostic]:
    """Return the findings in all tasks, those that no action runs as well."""
    from dispatchfile.plan.graph import arrange
    from dispatchfile.tekton import pipeline
    from dispatchfile.tekton.draft import draft
    from dispatchfile.tekton.options import Options

    found: list[Diagnostic] = []
    pipeline.spec(draft(_NAME, source, arrange(source, source.tasks), Options(_NAME), found))
    return found
