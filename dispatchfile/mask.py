"""Masking: secrets become `***` in everything that leaves a run.

A secret is looked for as it is, trimmed, line by line, and in the forms programs print it in: JSON-escaped,
URL-quoted and base64 at each of the three alignments a value can have inside a longer text. The text is scanned
without its line breaks, so that a secret wrapped over lines is found too, as long as four characters of it stand
before the first break. Streams are masked chunk by chunk: only an end that may be the start of a secret is held back.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""Shorter values are not masked: they would blot out half of every log."""

MASK = b"***"
_BREAKS = b"\r\n"


class Masker:
    """The forms of all secrets of a run; `too_short` tells how many values were too short to mask."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = {secret for secret in secrets if secret.strip()}
        self.too_short = sum(len(value.strip()) < SHORTEST for value in values)
        forms = {form.translate(None, _BREAKS) for value in values for form in _forms(value)}
        self.forms = sorted(form for form in forms if len(form) >= SHORTEST)
        self.longest = max(map(len, self.forms), default=0)
        by_length = sorted(self.forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, by_length)) or b"(?!)")
        heads = sorted({form[:SHORTEST] for form in self.forms})
        self._heads = re.compile(b"(?=" + (b"|".join(map(re.escape, heads)) or b"(?!)") + b")")
        self._initials = {form[:1] for form in self.forms}

    def mask(self, data: bytes) -> bytes:
        """Return the bytes with every secret replaced by `***`; line breaks inside a secret stay."""
        stream = self.stream()
        return stream.feed(data) + stream.end()

    def text(self, text: str) -> str:
        """Return the text with every secret replaced by `***`."""
        return self.mask(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def stream(self) -> MaskedStream:
        """Return a transformer for one stream of output."""
        return MaskedStream(self)

    def starts(self, text: bytes, breaks: list[int], since: int = 0) -> int:
        """Return where the first secret that may go on behind the text begins, from `since`; else the text's length."""
        window = max(since, len(text) - self.longest + 1)
        heads = (head.start() for head in self._heads.finditer(text, window))
        short = range(max(window, len(text) - SHORTEST + 1), len(text))
        for at in itertools.chain(heads, short):
            if _broken_early(at, len(text) + 1, breaks):
                continue
            if text[at : at + 1] in self._initials and self._begins_a_form(text[at:]):
                return at
        return len(text)

    def _begins_a_form(self, tail: bytes) -> bool:
        at = bisect_left(self.forms, tail)
        if at < len(self.forms) and self.forms[at] == tail:
            at += 1
        return at < len(self.forms) and self.forms[at].startswith(tail)

    def spans(self, text: bytes, before: int, breaks: list[int]) -> Iterator[tuple[int, int]]:
        """Yield the pieces to mask that start before `before`, joined where they overlap.

        `breaks` are the places in the text, ascending, where a line break was taken out.
        """
        at = 0
        while found := self._pattern.search(text, at):
            start, end = found.span()
            if start >= before:
                return
            at = start + 1
            if _broken_early(start, end, breaks):
                continue
            while at < end:
                further = self._pattern.match(text, at)
                if further and not _broken_early(*further.span(), breaks):
                    end = max(end, further.end())
                at += 1
            yield start, end


class MaskedStream:
    """One stream of output: feed it chunks, and write what it returns."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what can be written now, masked; an end that may be the start of a secret waits for the next chunk."""
        if not self._masker.forms:
            return chunk
        return self._masked(self._held + chunk, last=False)

    def end(self) -> bytes:
        """Return what was held back, masked."""
        return self._masked(self._held, last=True)

    def _masked(self, raw: bytes, *, last: bool) -> bytes:
        squeezed, breaks = _squeeze(raw)
        hold = len(squeezed) if last else self._masker.starts(squeezed, breaks)
        spans = list(self._masker.spans(squeezed, hold, breaks))
        if not spans and hold == len(squeezed):
            self._held = b""
            return raw
        places = [at for at, byte in enumerate(raw) if byte not in _BREAKS]
        places.append(len(raw))
        if spans and spans[-1][1] > hold:
            hold = len(squeezed) if last else self._masker.starts(squeezed, breaks, spans[-1][1])
        out, done = [], 0
        for start, end in spans:
            first, behind = places[start], places[end - 1] + 1
            inside = bytes(byte for byte in raw[first:behind] if byte in _BREAKS)
            out += [raw[done:first], MASK, inside]
            done = behind
        keep = places[hold]
        self._held = b"" if last else raw[max(keep, done) :]
        return b"".join(out) + raw[done : len(raw) if last else max(keep, done)]


def _squeeze(raw: bytes) -> tuple[bytes, list[int]]:
    """Return the bytes without line breaks, and where in them a break was."""
    squeezed = raw.translate(None, _BREAKS)
    if len(squeezed) == len(raw):
        return squeezed, []
    breaks, length = [], 0
    for piece in re.split(rb"[\r\n]+", raw)[:-1]:
        length += len(piece)
        breaks.append(length)
    return squeezed, breaks


def _broken_early(start: int, end: int, breaks: list[int]) -> bool:
    """Return whether a line break stands inside a piece with less than four characters of the piece before it."""
    at = bisect_left(breaks, start + 1)
    return at < len(breaks) and breaks[at] < min(end, start + SHORTEST)


def _forms(value: str) -> Iterator[bytes]:
    """Yield the byte strings that give a value away."""
    texts = {value.strip(), *(line.strip() for line in value.splitlines())}
    for text in {text for text in texts if len(text) >= SHORTEST}:
        yield text.encode("utf-8", "surrogateescape")
        for escaped in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
            yield escaped[1:-1].encode("utf-8", "surrogateescape")
        raw = text.encode("utf-8", "surrogateescape")
        for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
            yield quoted.encode("ascii")
        yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    """Yield the characters that a value determines in a base64 text, at each alignment, in both alphabets."""
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * shift + raw)
            first = (0, 2, 3)[shift]
            yield encoded[first : (shift + len(raw)) * 8 // 6]
            yield encoded[first:]
