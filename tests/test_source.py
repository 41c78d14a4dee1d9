import pytest

from dispatchfile.source import Source, Span


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        pytest.param("", 0, (1, 1), id="empty"),
        pytest.param("ab\ncd", 1, (1, 2), id="first line"),
        pytest.param("ab\ncd", 2, (1, 3), id="the line end belongs to its line"),
        pytest.param("ab\ncd", 3, (2, 1), id="start of the second line"),
        pytest.param("ab\n", 3, (2, 1), id="behind the last line end"),
        pytest.param("äö\nü", 4, (2, 2), id="characters, not bytes"),
    ],
)
def test_position(text: str, offset: int, place: tuple[int, int]) -> None:
    assert Source("f", text).position(offset) == place


def test_lines_come_without_their_ends() -> None:
    source = Source("f", "one\r\ntwo\n\nfour")
    assert [source.line(n) for n in range(6)] == ["", "one", "two", "", "four", ""]


def test_span_says_where_it_is_and_what_it_holds() -> None:
    source = Source("Dispatchfile", 'a: 1\nb: "x"\n')
    span = Span(source, 8, 11)
    assert (span.line, span.column, span.text, str(span)) == (2, 4, '"x"', "Dispatchfile:2:4")
    assert Span(source, 0, 1).to(span).text == 'a: 1\nb: "x"'
