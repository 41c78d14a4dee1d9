"""Expressions: names, label values and the words of comments come out as the rest of the program makes them."""

from __future__ import annotations

import json
import re

import pytest
import re2

from dispatchfile.errors import UsageError
from dispatchfile.event.payload import Body
from dispatchfile.tekton import cel, names
from tests.tekton import listener

TEXTS = (
    "", "main", "feature/Cart_2", "v1.2.3", "-x-", "..", "a--b", "ÄÖ/ü", "x" * 80, "a" * 48 + "-b", "é" * 30, ".github",
    "x.", "0", "A-B.c_d", "日本", "a b", "'\"\\`$(id)", "refs/heads/x",
)  # fmt: skip


def value(expression: str, text: str) -> object:
    return listener.evaluated(expression, "{}", json.dumps({"text": text}))


@pytest.mark.parametrize("longest", [5, 20, 49])
@pytest.mark.parametrize("text", TEXTS)
def test_a_slug_is_a_plain_name(text: str, longest: int) -> None:
    assert value(cel.slug("text", longest), text) == names.plain(text)[:longest].strip("-")


@pytest.mark.parametrize("text", TEXTS)
def test_a_label_value_is_one_or_nothing(text: str) -> None:
    found = value(cel.label_value("text"), text)
    assert found in (names.label_value(text), "")
    assert re.fullmatch("(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?", str(found))
    if re.match("[A-Za-z0-9]", text) and re.search("[A-Za-z0-9]$", text[:63]):
        assert found == names.label_value(text)


COMMENTS = (
    "/test", "/test a  b", " /test\ta\u00a0b", "\n\n/test x\r\ny", "/test\x0bx", "/test \x1c x", "/a\u2028/b", "\x85/x y",
    "/test\u200bx", "/ü ö", "/x " + "y " * 50, "/test 'a \"b\" \\c", "/a\x1fb", "/a\x0cb", "/a\u3000b",
)  # fmt: skip


@pytest.mark.parametrize("text", COMMENTS, ids=ascii)
def test_the_first_line_of_a_comment_has_the_words_that_the_webhook_has(text: str) -> None:
    try:
        words = Body({"text": text}, "a comment").chatop("text")
    except UsageError:
        words = ()
    found = value(cel.words_of_first_line("text"), text)
    assert isinstance(found, str)
    assert (tuple(found[1:].split(" ")) if found.startswith("/") else ()) == words


def test_blanks_and_line_ends_are_those_of_python() -> None:
    chars = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x1FFFF))]
    found = {name: re2.findall(f"(?s:{name})", "".join(chars)) for name in (cel.SPACE, cel.LINE_END)}
    assert found[cel.SPACE] == [char for char in chars if char.isspace()]
    assert found[cel.LINE_END] == [char for char in chars if char.splitlines() == [""]]


@pytest.mark.parametrize("text", ["a.c", "c++", "(x|y)", "[a]", "{1}", "^$", "\\d", "ü", "a-b", "*?"])
def test_a_quoted_text_matches_itself_alone(text: str) -> None:
    quoted = re2.compile(f"^{cel.quoted(text)}$")
    assert quoted.search(text)
    assert not any(quoted.search(other) for other in ("abc", "cc", "x", "a", "1", "", "5", "xx"))
