from __future__ import annotations

import pytest

from dispatchfile.gitops.template import TemplateError, parse, render, values_before

VALUES = {"imageName": "acme/web@sha256:1", "port": "8080", "naïve": "ü"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"a: $({ .imageName })\n", b"a: acme/web@sha256:1\n", id="as in the documentation"),
        pytest.param(b"$({.port})$({   .port\t})", b"80808080", id="spaces are optional"),
        pytest.param(b"a  $({- .port -})  \n b", b"a8080b", id="trim both sides"),
        pytest.param(b"a $({- .port }) b", b"a8080 b", id="trim left"),
        pytest.param(b"a $({ .port -}) $({- .port })", b"a 80808080", id="trim between actions"),
        pytest.param(b"a\r\n$({ .port })\r\n", b"a\r\n8080\r\n", id="carriage returns stay"),
        pytest.param(b"\xef\xbb\xbf$({ .port })", b"\xef\xbb\xbf8080", id="byte order mark stays"),
        pytest.param(b"\xff\xfe $({ .port }) \x00", b"\xff\xfe 8080 \x00", id="any bytes stay"),
        pytest.param(b"no end", b"no end", id="no action, no line end"),
        pytest.param(b"", b"", id="empty"),
        pytest.param(b"$(cmd) ${x} $({", None, id="unclosed"),
        pytest.param(b"$(cmd) ${x} {{ .port }} })", b"$(cmd) ${x} {{ .port }} })", id="other brackets"),
    ],
)
def test_render(text: bytes, expected: bytes | None) -> None:
    if expected is None:
        with pytest.raises(TemplateError):
            parse("x.tmpl", text)
    else:
        assert render(parse("x.tmpl", text), VALUES) == expected


def test_inserted_text_is_not_read_again() -> None:
    assert render(parse("x", b"$({ .a })"), {"a": "$({ .b })", "b": "no"}) == b"$({ .b })"


def test_values_that_are_no_utf8_pass() -> None:
    assert render(parse("x", b"$({ .a })"), {"a": b"\xff".decode("utf-8", "surrogateescape")}) == b"\xff"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        pytest.param(b"a\n  $({ if .x })", "x.tmpl:2:3", "$({ if .x })", id="a condition"),
        pytest.param(b"$({ .a.b })", "x.tmpl:1:1", "$({ .a.b })", id="a field of a field"),
        pytest.param(b"$({ imageName })", "x.tmpl:1:1", "imageName", id="the dot forgotten"),
        pytest.param(b"$({ })", "x.tmpl:1:1", "$({ })", id="nothing"),
        pytest.param(b"$({ .a | quote })", "x.tmpl:1:1", "quote", id="a function"),
        pytest.param(b"$({ .1 })", "x.tmpl:1:1", ".1", id="no name"),
        pytest.param(b"$({-.a })", "x.tmpl:1:1", "-.a", id="a trim marker without a space"),
        pytest.param(b"$({ .a\n})", "x.tmpl:1:1", ".a", id="over two lines"),
        pytest.param(b"ok\nok $({ .a", "x.tmpl:2:4", "unclosed", id="unclosed"),
    ],
)
def test_what_is_no_value_is_an_error_with_its_place(text: bytes, place: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse("x.tmpl", text)
    (found,) = caught.value.diagnostics
    assert str(found.span) == place
    assert message in found.message
    assert caught.value.exit_code == 1


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(TemplateError) as caught:
        parse("x.tmpl", b"$({ a }) $({ .ok })\n$({ b })")
    assert [found.span.line for found in caught.value.diagnostics if found.span] == [1, 2]


def test_all_missing_values_are_told_with_what_was_meant() -> None:
    with pytest.raises(TemplateError) as caught:
        render(parse("x.tmpl", b"$({ .imagName })\n $({ .other })"), VALUES)
    first, second = caught.value.diagnostics
    assert (str(first.span), first.help) == ("x.tmpl:1:1", "did you mean .imageName?")
    assert (str(second.span), second.help) == ("x.tmpl:2:2", "give it one: -substitute=other=VALUE")


@pytest.mark.parametrize(
    ("text", "rendered", "expected"),
    [
        pytest.param(
            b"a\nimage: $({ .i })\n", b"b\nimage: web:1\n", {"i": "web:1"}, id="other lines may differ"
        ),
        pytest.param(b"$({ .a })/$({ .b })", b"x/y", {"a": "x", "b": "y"}, id="two on a line"),
        pytest.param(b"$({ .a })", b"1\n2", {}, id="other number of lines"),
        pytest.param(b"image: $({ .i })", b"picture: web", {}, id="the line was rewritten"),
        pytest.param(b"$({ .a })$({ .a })$({ .a })$({ .a })", b"xxxx", {}, id="too many on a line"),
        pytest.param(b"$({ .a })", "ü".encode(), {"a": "ü"}, id="not ASCII"),
    ],
)
def test_values_before(text: bytes, rendered: bytes, expected: dict[str, str]) -> None:
    assert values_before(parse("x", text), rendered) == expected
