"""The CUE-like language: text to tree (parser) and tree to value (evaluate)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.source import Source
    from dispatchfile.value import Plain, Reading


def read(source: Source) -> Reading:
    """Return the value of a CUE source as far as it can be built, and every finding on the way."""
    from dispatchfile.cue import evaluate

    return evaluate.read(source)


def export(text: str) -> Plain:
    """Return the value of a CUE text as plain data that JSON holds; raises EvaluationError when it has none."""
    from dispatchfile.cue import evaluate

    return evaluate.export(text)
