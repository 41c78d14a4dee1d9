"""Logs, however the streams break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatchfile.cluster import logs
from dispatchfile.kube.problems import Refused, Unreachable

T = [f"2026-01-31T08:00:0{second}.{nano:09}Z " for second in (0, 1) for nano in (1, 2, 3)]


class Streams:
    """A cluster whose log requests answer with these streams, one after the other; an exception breaks a stream off."""

    def __init__(self, *streams: list[str | Exception]) -> None:
        self.streams, self.since = list(streams), list[str]()

    def log(self, pod: str, container: str, *, since: str = "", follow: bool = True) -> Iterator[bytes]:
        assert (pod, container) == ("p", "c")
        self.since.append(since)
        for piece in self.streams.pop(0):
            if isinstance(piece, Exception):
                raise piece
            yield piece.encode()


LOST = Unreachable("the connection broke")


def gone(code: int) -> Refused:
    return Refused(f"no {code}", code=code)


@pytest.mark.parametrize(
    ("streams", "text", "why"),
    [
        ([[f"{T[0]}a\n{T[1]}b\n"]], "a\nb\n", ""),
        ([[f"{T[0]}a\n{T[1][:7]}", f"{T[1][7:]}b", "c\n"]], "a\nbc\n", ""),
        ([[f"{T[0]}a\n{T[1]}no end"]], "a\nno end", ""),
        ([[f"{T[0]}\n{T[1]} x\n"]], "\n x\n", ""),
        ([[f"{T[0]}a\n{T[1]}hal", LOST], [f"{T[0]}a\n{T[1]}half\n{T[2]}c\n"]], "a\nhalf\nc\n", ""),
        ([[f"{T[0]}a\n{T[0]}a\n", LOST], [f"{T[0]}a\n{T[0]}a\n{T[0]}b\n"]], "a\na\nb\n", ""),
        ([[f"{T[3]}a\n{T[0]}clock\n"]], "a\nclock\n", ""),
        ([[f"{T[3]}a\n", LOST], [f"{T[0]}old\n{T[3]}a\n{T[4]}b\n"]], "a\nb\n", ""),
        ([[gone(400)], [gone(400)], [f"{T[0]}a\n"]], "a\n", ""),
        ([[gone(503)], [f"{T[0]}a\n"]], "a\n", ""),
        ([[f"{T[0]}a\n", LOST], [gone(404)]], "a\n", "its pod is gone, and its log with it"),
        ([[gone(403)]], "", "its log cannot be read: no 403"),
        ([[LOST]] * logs.LAST_TRIES, "", "the end of its log could not be read: the connection broke"),
        ([[]], "", ""),
    ],
    ids=[
        "whole", "in pieces", "no end", "empty lines", "half a line", "equal times", "clock goes back", "resumed",
        "not begun", "an error that passes", "pod gone", "forbidden", "lost", "nothing",
    ],
)  # fmt: skip
def test_follow(streams: list[list[str | Exception]], text: str, why: str) -> None:
    cluster, got = Streams(*streams), list[bytes]()
    told = logs.follow(cluster, "p", "c", got.append, lambda _patience: True)  # type: ignore[arg-type] # speaks as one
    assert b"".join(got).decode() == text
    assert told == why
    assert cluster.streams == []


def test_a_stream_that_ends_before_its_container_is_asked_for_again() -> None:
    answers = iter([False, False, True])
    cluster, got = Streams([f"{T[0]}a\n"], [f"{T[0]}a\n{T[1]}b\n"]), list[bytes]()
    logs.follow(cluster, "p", "c", got.append, lambda _patience: next(answers))  # type: ignore[arg-type] # as above
    assert b"".join(got) == b"a\nb\n"
    assert cluster.since == ["", T[0].strip()]


def test_a_line_without_end_is_not_held_back_for_ever() -> None:
    much = "x" * (logs.LONGEST_LINE + 1)
    cluster, got = Streams([f"{T[0]}", much, "tail\n", f"{T[1]}b\n"]), list[bytes]()
    logs.follow(cluster, "p", "c", got.append, lambda _patience: True)  # type: ignore[arg-type] # as above
    assert b"".join(got).decode() == f"{much}tail\nb\n"
    assert len(got) == 3
