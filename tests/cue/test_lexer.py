"""Tokens: the commas that line ends stand for, nested strings, words that are keywords in places."""

from __future__ import annotations

import pytest

from dispatchfile.cue.lexer import TERMINALS, tokenize


def kinds(text):
    return " ".join(TERMINALS[kind] for kind, _, _ in tokenize(text).tokens[:-1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n", "IDENT NL"),
        ("a // c\n", "IDENT NL"),
        ("a\n\n // c\n\nb", "IDENT NL IDENT"),
        ("a:\n1", "IDENT COLON NUMBER"),
        ("a?\n", "IDENT QUESTION NL"),
        ("1 +\n2\n", "NUMBER PLUS NUMBER NL"),
        ("[1\n]", "OPEN_BRACKET NUMBER CLOSE_BRACKET"),
        ("[1\n2]", "OPEN_BRACKET NUMBER NL NUMBER CLOSE_BRACKET"),
        ("{1\n}", "OPEN_BRACE NUMBER NL CLOSE_BRACE"),
        ("[x\nfor", "OPEN_BRACKET IDENT FOR"),
        ("{x\nfor", "OPEN_BRACE IDENT NL FOR"),
        ("...\n", "ELLIPSIS NL"),
        ("_|_\n", "BOTTOM NL"),
        ("string|_", "IDENT DISJOIN IDENT"),
        ("if: a.if", "IDENT COLON IDENT DOT IDENT"),
        ("for in in in", "FOR IN IDENT IDENT"),
        ("let x = 1", "LET IDENT EQUALS NUMBER"),
        ("let x: 1", "IDENT IDENT COLON NUMBER"),
        ("7 div 2", "NUMBER INTEGER_OPERATOR NUMBER"),
        ("div: 1", "IDENT COLON NUMBER"),
        ("<N>: 1", "TEMPLATE COLON NUMBER"),
        ("a < b", "IDENT LESS IDENT"),
        ('package "x"', "IDENT STRING"),
        ("package x", "PACKAGE IDENT"),
        ("a: package x", "IDENT COLON IDENT IDENT"),
        ("#A _#b $c", "IDENT IDENT IDENT"),
        ('"a\\(b["c"])d\\("\\(e)")"', ("INTERPOLATION_START IDENT OPEN_BRACKET STRING CLOSE_BRACKET "
         "INTERPOLATION_MIDDLE INTERPOLATION_START IDENT INTERPOLATION_END INTERPOLATION_END")),
        ('"\\(f((1)))"', ("INTERPOLATION_START IDENT OPEN_PARENTHESIS OPEN_PARENTHESIS NUMBER CLOSE_PARENTHESIS "
         "CLOSE_PARENTHESIS INTERPOLATION_END")),
        ('"""\n a "b" ""\n """', "STRING"),
        ('#"a"b\\(c)"#', "STRING"),
        ("##'a'#b'##", "BYTES"),
        ("0x1F 1.5M .5 1e-3", "NUMBER NUMBER NUMBER NUMBER"),
        ("a <- for <-1", "IDENT ARROW FOR LESS MINUS NUMBER"),
        ("a <-\n if b\n if c\nif: 1\nif d", "IDENT ARROW IF IDENT IF IDENT NL IDENT COLON NUMBER NL IF IDENT"),
        ("1_000.0_1 0xF_F 0b_1 1_0Ki", "NUMBER NUMBER NUMBER NUMBER"),
        ('@a(b(")")) x', "ATTRIBUTE IDENT"),
        ("#!/usr/bin\na", "IDENT"),
    ],
)  # fmt: skip
def test_tokens(text, expected):
    lexed = tokenize(text)
    assert kinds(text) == expected
    assert lexed.faults == []


@pytest.mark.parametrize(
    ("text", "fault", "place"),
    [
        ('a: "b', "unterminated", '"b'),
        ('a: "\\(b"\nc', "interpolation", '"\\(b"'),
        ('a: "\\(b\nc: 1', "interpolation", '"\\(b'),
        ('"""\nabc', "unterminated block", '"""\nabc'),
        ("a # b\n", "hash", "# b"),
        ("a /* b */ c", "block comment", "/* b */"),
        ("t: 10m", "number", "10m"),
        ("t: 007", "leading zero", "007"),
        ("t: 1_", "number", "1_"),
        ("t: 1__000", "number", "1__000"),
        ("t: 0x_", "number", "0x_"),
        ("u: https://x.y/z", "url", "https://x.y/z"),
        ("a ~ b", "character", "~"),
        ("@a(b", "attribute", "@a(b"),
        ('"""a"""', "quotes", '"""'),
    ],
)
def test_faults(text, fault, place):
    assert [(name, text[start:end]) for name, start, end in tokenize(text).faults] == [(fault, place)]


def test_comments_are_kept_without_line_ends():
    text = "// a\r\nb: 1 // c\n"
    assert [text[start:end] for start, end in tokenize(text).comments] == ["// a", "// c"]
