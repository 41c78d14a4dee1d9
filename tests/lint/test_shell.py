"""Which quotes of a shell a place stands in; held against what a shell itself makes of it."""

from __future__ import annotations

import subprocess

import pytest

from dispatchfile.lint.shell import quoting

QUOTED = {
    "bare": ("echo @", ""),
    "double": ('echo "a @"', '"'),
    "single": ("echo 'a @'", "'"),
    "behind double": ('echo "a" @', ""),
    "behind single": ("echo 'a' @", ""),
    "escaped quote": ('echo \\" @', ""),
    "escaped quote in double": ('echo "\\" @"', '"'),
    "single in double": ('echo "it\'s @"', '"'),
    "double in single": ("echo '\"@'", "'"),
    "in a command": ("echo $(echo @)", ""),
    "in a command in double": ('echo "$(echo @)"', ""),
    "in double in a command in double": ('echo "$(echo "@")"', '"'),
    "behind a command in double": ('echo "$(echo a) @"', '"'),
    "behind arithmetic": ('echo "$((1 + 2)) @"', '"'),
    "behind a subshell": ('(echo "a"); echo @', ""),
    "behind a comment": ("# don't\necho @", ""),
    "a hash in a word": ("echo a#'@'", "'"),
    "lines": ("echo 'a\nb' \\\n  \"@\"", '"'),
}

UNCLEAR = {
    "a here-document": "cat <<A\n@\nA",
    "a here-document before": "cat <<A\nit's\nA\necho @",
    "backquotes": "echo `echo @`",
    "a comment": "true # @",
    "a quote that never ends": "echo 'a @",
}


@pytest.mark.parametrize(("text", "quotes"), QUOTED.values(), ids=QUOTED)
def test_quotes(text: str, quotes: str) -> None:
    assert quoting(text, text.index("@")) == quotes


@pytest.mark.parametrize(("text", "quotes"), QUOTED.values(), ids=QUOTED)
def test_a_shell_agrees(text: str, quotes: str) -> None:
    written = {"": '"${X}"', '"': "${X}", "'": "'\"${X}\"'"}[quotes]
    value = "x  *;y"
    plain = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True).stdout
    read = subprocess.run(
        ["sh", "-c", text.replace("@", written)],
        env={"X": value},
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    ).stdout
    # A command in no quotes of its own splits what the inner one says, as it did before.
    assert " ".join(read.split()) == " ".join(plain.replace("@", value).split())


@pytest.mark.parametrize("text", UNCLEAR.values(), ids=UNCLEAR)
def test_knows_where_it_is_not_plain(text: str) -> None:
    assert quoting(text, text.index("@")) is None
