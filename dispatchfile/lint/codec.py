"""Findings as bytes: for the cache, and on the way from a worker. Plain texts and numbers; reading them runs nothing.

A record is a list of texts: the first line has their lengths, the rest is the texts one behind the other.
"""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def packed(findings: Iterable[Diagnostic], source: Source) -> bytes | None:
    """Return findings about a source as bytes; None when one of them points into another source."""
    texts: list[str] = []
    for found in findings:
        spans = [found.span, *(also.span for also in found.related)]
        spans += [edit.span for edit in found.fix.edits] if found.fix is not None else []
        if any(span is not None and span.source is not source for span in spans):
            return None
        texts += (found.code, found.severity, found.message, *_span(found.span), found.label)
        texts.append(str(len(found.related)))
        for also in found.related:
            texts += (*_span(also.span), also.message)
        texts += (found.help, found.path, *_fix(found.fix), "secret" if found.secret else "")
    lengths = " ".join(str(len(text)) for text in texts)
    return f"{lengths}\n{''.join(texts)}".encode(errors="surrogatepass")


def _span(span: Span | None) -> tuple[str, str]:
    return ("", "") if span is None else (str(span.start), str(span.end))


def _fix(fix: Fix | None) -> list[str]:
    if fix is None:
        return [""]
    texts = ["safe" if fix.safe else "unsafe", fix.message, str(len(fix.edits))]
    for edit in fix.edits:
        texts += (*_span(edit.span), edit.text)
    return texts


def unpacked(data: bytes, source: Source) -> tuple[Diagnostic, ...]:
    """Return the findings that were packed; raises ValueError for what cannot have been packed."""
    lengths, newline, joined = data.decode(errors="surrogatepass").partition("\n")
    if not newline:
        raise ValueError("findings are damaged")
    texts = _texts([int(length) for length in lengths.split()], joined)
    found: list[Diagnostic] = []
    try:
        for code in texts:
            found.append(_finding(code, texts, source))
    except StopIteration:
        raise ValueError("findings end too early") from None
    return tuple(found)


def _texts(lengths: list[int], joined: str) -> Iterator[str]:
    if sum(lengths) != len(joined):
        raise ValueError("findings are damaged")
    at = 0
    for length in lengths:
        yield joined[at : at + length]
        at += length


def _finding(code: str, texts: Iterator[str], source: Source) -> Diagnostic:
    severity, message, span, label = (
        Severity(next(texts)),
        next(texts),
        _read_span(texts, source),
        next(texts),
    )
    related = tuple([Related(_place(texts, source), next(texts)) for _ in range(int(next(texts)))])
    advice, path, fix, secret = next(texts), next(texts), _read_fix(texts, source), next(texts) == "secret"
    return Diagnostic(code, severity, message, span, label, related, advice, path, fix, secret)


def _read_span(texts: Iterator[str], source: Source) -> Span | None:
    start, end = next(texts), next(texts)
    return Span(source, int(start), int(end)) if start else None


def _place(texts: Iterator[str], source: Source) -> Span:
    return Span(source, int(next(texts)), int(next(texts)))


def _read_fix(texts: Iterator[str], source: Source) -> Fix | None:
    kind = next(texts)
    if not kind:
        return None
    message = next(texts)
    edits = [Edit(_place(texts, source), next(texts)) for _ in range(int(next(texts)))]
    return Fix(message, tuple(edits), kind == "safe")
