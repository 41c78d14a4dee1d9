"""What a rule is, and what it looks at.

A rule is one module in `lint/rules/<group>/`, named as the rule. Its docstring is its page: the first line is the
summary, the rest markdown, with a whole Dispatchfile in each of two fenced blocks, one marked `bad` and one `good`
(as in "```cue bad"). It holds `RULE`, and `check` when no earlier stage finds the mistake already:

    RULE = Rule("DF601", "untagged-image", Severity.WARNING)

    def check(subject: Subject) -> Iterator[Diagnostic]:
        yield RULE.finding("…", span)

Where a file breaks a rule many times at once, such as an old syntax, `gathered` makes one finding of those that no
comment silences:

    def gathered(subject: Subject, found: Sequence[Diagnostic]) -> Diagnostic: …

What `run` must refuse too is found where it arises, in `cue`, `plain` or `model`; such a rule has no `check`.
"""

from __future__ import annotations

from functools import cached_property

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from dispatchfile.cue import tree
    from dispatchfile.diagnostics import Fix, Related
    from dispatchfile.lint.settings import Settings
    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.source import Source, Span
    from dispatchfile.value import Reading, Value

    FixKind = Literal["", "safe", "unsafe"]


class Rule(Record):
    """A rule's code, name, usual severity, and the kind of fix it offers at best.

    `always` rules cannot be switched off, `optional` ones are off unless selected by their own code or name, or as
    a group of such rules. `whole` rules say that something is nowhere in the file; they are not asked while a part of
    it cannot be read. A text with none of the words in `needs` cannot break the rule: it spares the check, and the
    import of its module.
    """

    code: str
    name: str
    severity: Severity
    fix: FixKind = ""
    always: bool = False
    optional: bool = False
    whole: bool = False
    needs: str = ""

    def finding(
        self,
        message: str,
        span: Span | None,
        label: str = "",
        related: tuple[Related, ...] = (),
        *,
        help: str = "",  # noqa: A002 the word users see
        path: str = "",
        fix: Fix | None = None,
        secret: bool = False,
    ) -> Diagnostic:
        """Return a finding of the rule, of its usual severity."""
        return Diagnostic(self.code, self.severity, message, span, label, related, help, path, fix, secret)


class Subject(Record, eq=False):
    """A file under inspection: what each stage made of it, as far as it came, and what the stages found."""

    source: Source
    settings: Settings
    reading: Reading
    pipeline: Pipeline | None
    found: tuple[Diagnostic, ...]

    @property
    def value(self) -> Value | None:
        """Return the evaluated file."""
        return self.reading.value

    @cached_property
    def tree(self) -> tree.File | None:
        """Return the syntax tree of a CUE file, None for other flavours and for what could not be parsed at all."""
        from dispatchfile.cue import tree

        syntax = self.reading.syntax
        return syntax if isinstance(syntax, tree.File) else None
