"""A Starlark file loads a library of a branch, which moves.

`load("github.com/…/pipeline@master", …)` takes whatever the branch holds on the day the file is read; a change there
changes or breaks the pipeline without a commit here. Name a tag or a commit behind the `@`.

```starlark bad
#!starlark
load("github.com/mesosphere/dispatch-catalog/starlark/stable/pipeline@master", "git_resource")
```

```starlark good
#!starlark
load("github.com/mesosphere/dispatch-catalog/starlark/stable/pipeline@0.0.7", "git_resource")
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF605", "unpinned-load", Severity.WARNING, needs="load")

_BRANCHES = frozenset(("master", "main", "trunk", "head", "develop", "dev"))


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each `load` of a branch in a Starlark file."""
    from dispatchfile.errors import EvaluationError
    from dispatchfile.front import flavour_of

    try:
        flavour = flavour_of(subject.source)
    except EvaluationError:
        return  # its first line is a finding already
    if flavour != "starlark":
        return
    for span, path in _loads(subject):
        _, _, ref = path.partition("@")
        if ref.lower() in _BRANCHES:
            at = span.start + span.text.rindex("@") + 1
            yield RULE.finding(
                f'"{path}" loads a branch, which moves',
                Span(subject.source, at, at + len(ref)),
                "a branch",
                help="name a tag or a commit behind the `@`",
            )


def _loads(subject: Subject) -> Iterator[tuple[Span, str]]:
    """Yield the first argument of every `load` with its place, as far as the text can be cut into tokens."""
    import io
    import tokenize

    # Starlark's strings, names, and comments are Python's.
    source = subject.source
    before: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
            if token.type == tokenize.STRING and before == ["load", "("]:
                start = source.line_starts[token.start[0] - 1] + token.start[1]
                yield Span(source, start, start + len(token.string)), token.string.lstrip("rb").strip("\"'")
            if token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT):
                before = [*before[-1:], token.string]
    except (tokenize.TokenError, SyntaxError):
        return  # a broken file: what stands behind the break is not looked at
