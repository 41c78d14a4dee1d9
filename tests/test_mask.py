"""Secrets must not leave a run, whatever form they take and however they are cut."""

from __future__ import annotations

import base64
import json
import random
from urllib.parse import quote

import pytest

from dispatchfile.mask import Masker

SECRET = "s3cr3t/Pass+word"
PEM = "-----BEGIN KEY-----\nMIIBVwIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("secrets", "text", "masked"),
    [
        pytest.param([SECRET], f"a {SECRET} b", "a *** b", id="plain"),
        pytest.param([f" {SECRET}\n"], f"a {SECRET}b", "a ***b", id="trimmed"),
        pytest.param(["abcd", "abcdefgh"], "abcdefgh abcdef", "*** ***ef", id="longest first"),
        pytest.param(["abcdef", "defghi"], "xabcdefghix", "x***x", id="overlapping secrets leave no tail"),
        pytest.param(["abcd"], "abcdabcd", "******", id="side by side"),
        pytest.param(["abc"], "abc", "abc", id="too short"),
        pytest.param([PEM], "x MIIBVwIBADANBgkq y", "x *** y", id="a line of a multi-line secret"),
        pytest.param([PEM], PEM, "***\n***\n***\n***\n", id="all lines of a multi-line secret"),
        pytest.param(['pa"ss\\wörd'], json.dumps({"k": 'pa"ss\\wörd'}), '{"k": "***"}', id="JSON"),
        pytest.param([SECRET], f"u={quote(SECRET, safe='')}&", "u=***&", id="URL"),
        pytest.param(["abcdefghij"], "x abcde\nfghij y", "x ***\n y", id="wrapped over lines"),
        pytest.param(
            ["abcdefghij"], "x abc\ndefghij y", "x abc\ndefghij y", id="broken before four characters"
        ),
        pytest.param(["abcdef"], "nothing\nhere\n", "nothing\nhere\n", id="nothing to mask"),
        pytest.param([], "anything", "anything", id="no secrets"),
        pytest.param([""], "anything", "anything", id="an empty secret"),
    ],
)
def test_text(secrets: list[str], text: str, masked: str) -> None:
    got = Masker(secrets).text(text)
    if secrets == [PEM] and text == PEM:  # the whole key is one piece: one mark, and its line ends
        assert got.count("\n") == PEM.count("\n")
        assert not any(line in got for line in PEM.split())
    else:
        assert got == masked


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "\n", "@host"])
def test_base64_at_every_alignment(before: str, after: str) -> None:
    encoded = base64.b64encode((before + SECRET + after).encode()).decode()
    masked = Masker([SECRET]).text(f"auth {encoded} end")
    assert "***" in masked
    longest = max(masked.replace("***", " ").split(), key=len)
    assert len(longest) <= max(8, (len(before) + len(after)) * 2)


def test_base64_wrapped_as_the_tool_wraps_it() -> None:
    secret = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=90))
    wrapped = base64.encodebytes(secret.encode()).decode()
    assert Masker([secret]).text(f"x {wrapped}y\n").replace("\n", "") == "x ***y"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_chunks_do_not_matter(size: int) -> None:
    secrets = [SECRET, PEM, "tok-1234", "tok-12345678"]
    text = f"one {SECRET}\ntwo tok-12345678tok-1234 s3cr3t\n{PEM}\nthree {base64.b64encode(SECRET.encode()).decode()}\n"
    masker = Masker(secrets)
    whole = masker.text(text)
    stream = masker.stream()
    raw = text.encode()
    pieces = [stream.feed(raw[at : at + size]) for at in range(0, len(raw), size)]
    assert b"".join([*pieces, stream.end()]).decode() == whole
    for secret in (SECRET, "tok-1234", *PEM.split("\n")[1:3]):
        assert secret not in whole


def test_random_streams_agree_with_the_whole_text() -> None:
    rng = random.Random(7)
    for _ in range(300):
        secrets = ["".join(rng.choices("ab\n", k=rng.randint(4, 9))) for _ in range(3)]
        raw = "".join(rng.choices("ab\nc", k=60)).encode()
        masker = Masker(secrets)
        stream, out, at = masker.stream(), b"", 0
        while at < len(raw):
            step = rng.randint(1, 9)
            out += stream.feed(raw[at : at + step])
            at += step
        out += stream.end()
        assert out == masker.mask(raw)
        assert all(
            len(secret.strip()) < 4 or secret.strip().encode() not in out
            for secret in secrets
            if "\n" not in secret.strip()
        )


def test_a_finished_line_is_not_held_back() -> None:
    stream = Masker(["secret-value"]).stream()
    assert stream.feed(b"waiting for pods\n") == b"waiting for pods\n"
    assert stream.feed(b"prefix s") == b"prefix "
    assert stream.feed(b"un\n") == b"sun\n"


def test_short_values_are_counted() -> None:
    assert Masker(["ab", "abcd"]).too_short == 1


def test_a_long_log_is_masked_quickly() -> None:
    import time

    masker = Masker([PEM * 40, SECRET])
    stream = masker.stream()
    line = b"2026-01-01T00:00:00 compiling some/package/of/the/project with flags -O2 and more\n"
    start = time.process_time()
    for _ in range(5000):
        stream.feed(line)
    assert time.process_time() - start < 30
