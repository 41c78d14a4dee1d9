"""Labels and annotations of a task, which its TaskRuns and pods get, with the names that were changed among them."""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.tekton import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.model.pipeline import Task
    from dispatchfile.source import Span
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

OF_TEKTON = "tekton.dev/"
"""How the keys begin that Tekton writes itself."""

_NAME = r"[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?"
_DOMAIN = r"(?=.{1,253}/)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*/"
_KEY = re.compile(f"(?:{_DOMAIN})?{_NAME}", re.ASCII)
_VALUE = re.compile(f"(?:{_NAME})?", re.ASCII)
_WORDS = "at most 63 letters, digits, `-`, `_`, and `.`, with a letter or digit at both ends"


def metadata(draft: Draft, task: Task) -> Object:
    """Return the metadata of a task, empty where it has none; what is wrong with it is in `draft.found` afterwards."""
    import json

    labels = _kept(draft, task, "labels", task.labels)
    annotations = _kept(draft, task, "annotations", task.annotations)
    if draft.task_names[task.name] != task.name:
        annotations["dispatchfile/task"] = task.name
    called = {draft.step_names[task.name, step.name]: step.name for step in task.steps}
    changed = {made: name for made, name in called.items() if made != name}
    if changed:
        annotations["dispatchfile/steps"] = json.dumps(changed, ensure_ascii=False)
    return {name: made for name, made in (("labels", labels), ("annotations", annotations)) if made}


def _kept(draft: Draft, task: Task, field: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return labels or annotations without those that a cluster would not take; no variables are replaced in any."""
    kept = {}
    for key, content in given.items():
        place = task.value.at("metadata", field, key) or task.value
        path = f"task.{task.name}.metadata.{field}.{key}"
        found = len(draft.found)
        text.refused(draft, task, place, path)
        if len(draft.found) > found:
            continue
        if key.startswith(OF_TEKTON):
            reason, advice = f"Tekton itself writes what is called {OF_TEKTON}…", "choose another prefix"
        elif not _KEY.fullmatch(key):
            reason, advice = (
                "Kubernetes takes no such key",
                f"{_WORDS}; before it, if need be, a domain and a `/`",
            )
        elif field == "labels" and not _VALUE.fullmatch(content):
            reason, advice = (
                f'Kubernetes takes no value "{content}" of a label',
                f"{_WORDS}; or use an annotation",
            )
        else:
            kept[key] = content
            continue
        draft.found.append(_dropped(key, reason, advice, place.key or place.span, path))
    return kept


def _dropped(key: str, reason: str, advice: str, span: Span | None, path: str) -> Diagnostic:
    return Diagnostic(
        "DF801", Severity.WARNING, f'"{key}" is dropped: {reason}', span, help=advice, path=path
    )
