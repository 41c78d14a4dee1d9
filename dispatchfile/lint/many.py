"""Inspects many files: those whose findings are not kept from before are shared out to several processes."""

from __future__ import annotations

import os

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.cache import Cache
    from dispatchfile.lint.settings import Settings
    from dispatchfile.source import Source

_SHARED_FROM = 64_000  # characters; for less, another process costs more than it saves


class Inspection(Record):
    """The findings in each source, in order, and the first bug that was met: what it hid is missing."""

    findings: list[tuple[Diagnostic, ...]]
    crash: Exception | None = None


def inspect_all(sources: Sequence[Source], settings: Settings, cache: Cache | None) -> Inspection:
    """Return what is found in all sources, answered from the cache where it can be; never raises for a bug."""
    crash: Exception | None = None
    known = [cache.findings(source) if cache is not None else None for source in sources]
    missing = [index for index, findings in enumerate(known) if findings is None]
    for turn, index in enumerate(missing):
        if turn == 1:  # what one inspection imports the workers have already
            from dispatchfile.lint.codec import unpacked

            for done, data in _shared([(at, sources[at]) for at in missing[1:]], settings, cache):
                known[done] = unpacked(data, sources[done])
        if known[index] is None:
            known[index], problem = _inspected(sources[index], settings, cache)
            crash = crash or problem
    return Inspection([findings or () for findings in known], crash)


def _inspected(
    source: Source, settings: Settings, cache: Cache | None
) -> tuple[tuple[Diagnostic, ...], Exception | None]:
    """Return the findings in one source, and the bug that hid others; only whole findings are kept."""
    from dispatchfile.lint.engine import RuleCrash, inspect

    try:
        findings = inspect(source, settings)
    except RuleCrash as crash:
        return crash.findings, crash
    except Exception as crash:  # noqa: BLE001 raised by the command, once the other files have been told about
        return (), crash
    if cache is not None:
        cache.keep(source, findings)
    return findings, None


def _shared(
    work: Sequence[tuple[int, Source]], settings: Settings, cache: Cache | None
) -> list[tuple[int, bytes]]:
    """Return the packed findings that worker processes came up with, none when the work is too little to share.

    What a worker could not do, because it met a bug or was killed, is missing.
    """
    workers = min(_processors(), len(work))
    if workers < 2 or sum(len(source.text) for _, source in work) < _SHARED_FROM:
        return []
    heavy_first = sorted(work, key=lambda item: -len(item[1].text))
    pipes = {}
    for number in range(workers):
        pid, pipe = _start(heavy_first[number::workers], settings, cache)
        pipes[pipe] = pid
    return _collected(pipes)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(share: Sequence[tuple[int, Source]], settings: Settings, cache: Cache | None) -> tuple[int, int]:
    """Start a worker; return its process id, and the pipe that delivers index, length, and findings of each source."""
    from dispatchfile.lint.codec import packed

    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        os.close(reader)
        with open(writer, "wb") as pipe:
            for index, source in share:
                findings, crash = _inspected(source, settings, cache)
                data = packed(findings, source) if crash is None else None
                if data is not None:
                    pipe.write(index.to_bytes(4, "big") + len(data).to_bytes(4, "big") + data)
    finally:
        os._exit(0)  # nothing of the parent's is to be flushed or told a second time


def _collected(pipes: dict[int, int]) -> list[tuple[int, bytes]]:
    from select import select

    received = {pipe: bytearray() for pipe in pipes}
    opened = list(pipes)
    while opened:
        for pipe in select(opened, [], [])[0]:
            piece = os.read(pipe, 1 << 16)
            received[pipe] += piece
            if not piece:
                opened.remove(pipe)
                os.close(pipe)
                os.waitpid(pipes[pipe], 0)
    return [item for data in received.values() for item in _items(bytes(data))]


def _items(data: bytes) -> list[tuple[int, bytes]]:
    """Return the whole records in what a worker sent, which ends anywhere when it was killed."""
    items = []
    at = 0
    while at + 8 <= len(data):
        index, length = int.from_bytes(data[at : at + 4], "big"), int.from_bytes(data[at + 4 : at + 8], "big")
        at += 8 + length
        if at <= len(data):
            items.append((index, data[at - length : at]))
    return items
