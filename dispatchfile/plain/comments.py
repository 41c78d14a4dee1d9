"""The comments of a YAML text."""

from __future__ import annotations

import re

from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"(?:^|(?<=[ \t\r\n\ufeff]))#[^\r\n]*")


def comments(source: Source) -> list[Span]:
    """Return the comments of a YAML text, each from its `#` to the end of its line, in order.

    A `#` inside a string is none, nor is the `#!` line that names the flavour. Of a text that is no YAML, those up to
    the place where reading stops are returned.
    """
    text = source.text
    at = len(source.line(1)) if text.startswith("#!") else 0
    if "#" not in text[at:]:
        return []
    found: list[Span] = []
    for start, end in _strings(text):
        found += _between(source, at, start)
        at = end
    return [*found, *_between(source, at, len(text))]


def _between(source: Source, start: int, end: int) -> Iterator[Span]:
    for comment in _COMMENT.finditer(source.text, start, end):
        yield Span(source, *comment.span())


def _strings(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each scalar, of a block (`|`, `>`) without its first line, where a comment may stand."""
    import yaml

    tokens = yaml.scan(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    end = 0
    try:
        for token in tokens:
            start, end = token.start_mark.index, token.end_mark.index
            if isinstance(token, yaml.ScalarToken):
                if token.style in ("|", ">"):
                    head = text.find("\n", start, end)
                    start = head if head >= 0 else end
                yield start, end
    except yaml.YAMLError:
        yield end, len(text)
