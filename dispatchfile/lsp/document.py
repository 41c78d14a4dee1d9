"""An open document: its text as the editor has it, and what the rooms of the interpreter make of it, once each."""

from __future__ import annotations

import logging
from functools import cached_property

from lsprotocol.types import TextDocumentContentChangePartial

from dispatchfile import front
from dispatchfile.errors import EvaluationError
from dispatchfile.lint import engine
from dispatchfile.lint.fix import fix
from dispatchfile.lsp import named, references
from dispatchfile.lsp.positions import Lines
from dispatchfile.lsp.spot import Spot, in_cue
from dispatchfile.lsp.yaml_spot import in_yaml
from dispatchfile.model.schema import PIPELINE
from dispatchfile.record import Record, replace
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsprotocol.types import Range, TextDocumentContentChangeEvent

    from dispatchfile.cue import tree
    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject
    from dispatchfile.lint.settings import Settings
    from dispatchfile.lsp.named import Place
    from dispatchfile.lsp.spot import Path
    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.source import Span
    from dispatchfile.value import Reading, Value


log = logging.getLogger("dispatchfile.lsp")

# A text with more characters is not read anew at every keystroke: that would take half a second.
_LARGE = 100_000

# Through so many helpers that use each other the one is looked for that the pipeline uses.
_MOST_HELPERS = 5


class Document(Record, eq=False):
    """One version of a document. `known` is the value of the last version that had one."""

    uri: str
    version: int | None
    source: Source
    settings: Settings
    encoding: str
    known: Value | None = None

    @property
    def text(self) -> str:
        """Return the text as it is in the editor."""
        return self.source.text

    @property
    def is_large(self) -> bool:
        """Return whether it takes so long to read the text that its writer would notice."""
        return len(self.text) > _LARGE

    @cached_property
    def lines(self) -> Lines:
        """Return the text by lines, for positions."""
        return Lines(self.text, self.encoding)

    def range(self, span: Span) -> Range:
        """Return where a span is for the client; an empty one is widened to what stands there."""
        end = span.end if span.end > span.start else min(span.start + 1, len(self.text))
        return self.lines.range(span.start, end)

    @cached_property
    def flavour(self) -> str:
        """Return the flavour, CUE when the first line names none that is known."""
        try:
            return front.flavour_of(self.source)
        except EvaluationError:
            return "cue"

    @cached_property
    def subject(self) -> Subject:
        """Return the text as it was read."""
        return engine.subject(self.source, self.settings)

    @cached_property
    def findings(self) -> tuple[Diagnostic, ...]:
        """Return what lint has to say; a rule that fails hides no other."""
        try:
            return engine.findings(self.subject)
        except engine.RuleCrash as crash:
            log.error("%s: %s", self.uri, crash, exc_info=crash.__cause__)
            return crash.findings

    @property
    def reading(self) -> Reading:
        """Return the value of the text."""
        return self.subject.reading

    @property
    def pipeline(self) -> Pipeline | None:
        """Return the pipeline, as far as there is one."""
        return self.subject.pipeline

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Return where names of the pipeline stand."""
        return named.places(self.pipeline) if self.pipeline is not None else ()

    @cached_property
    def tree(self) -> tree.File | None:
        """Return the syntax tree of a CUE text."""
        from dispatchfile.cue import tree

        return self.reading.syntax if isinstance(self.reading.syntax, tree.File) else None

    @cached_property
    def mended(self) -> str:
        """Return the text with all safe fixes."""
        return fix(self.source, self.settings, findings=self.findings).source.text

    def spot(self, offset: int) -> Spot | None:
        """Return where in the pipeline an offset stands, or None in a comment, or in Starlark.

        What stands in a helper field or a definition stands where that one is used first.
        """
        if self.flavour == "yaml":
            return in_yaml(self.text, offset)
        spot = in_cue(self.text, offset) if self.flavour != "starlark" else None
        return replace(spot, path=self._in_pipeline(spot.path)) if spot is not None else None

    def _in_pipeline(self, path: Path) -> Path:
        """Return a path of the pipeline for one below a helper, the path itself when there is none."""
        found = path
        for _ in range(_MOST_HELPERS):
            if not found or found[0] in PIPELINE.by_name or self.tree is None:
                break
            used = references.uses_of(self.tree, str(found[0]))
            spot = in_cue(self.text, used[0].start) if used else None
            if spot is None:
                break
            found = (*spot.path, *found[1:])
        return found if found and found[0] in PIPELINE.by_name else path

    def likely_value(self, offset: int) -> Value | None:
        """Return a value for an unfinished text: its own, else without the offset's line, else the last one known.

        For a large text that has not been looked at yet it is the last one known at once.
        """
        if self.known is not None and "subject" not in vars(self) and self.is_large:
            return self.known
        if self.reading.value is not None and self.reading.value.data:
            return self.reading.value
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        rest = "" if end < 0 else self.text[end:]
        value = front.read(Source(self.source.name, self.text[:start] + rest)).value
        return value if value is not None and value.data else self.known


def changed(text: str, changes: Sequence[TextDocumentContentChangeEvent], encoding: str) -> str:
    """Return a text after the changes of a client, each of which counts in the text that the one before left."""
    for change in changes:
        if isinstance(change, TextDocumentContentChangePartial):
            lines = Lines(text, encoding)
            start, end = lines.offset(change.range.start), lines.offset(change.range.end)
            text = text[:start] + change.text + text[max(start, end) :]
        else:
            text = change.text
    return text
