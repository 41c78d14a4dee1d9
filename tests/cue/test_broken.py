"""A sound file, broken in one place at a time: the first finding is on the line at fault, and no cascade follows."""

from __future__ import annotations

import re

import pytest

from dispatchfile.cue.parser import parse
from dispatchfile.source import Source

SOUND = """\
registry: "registry.example.com"
resource "src": {
  type: "git"
  param url: "$(context.git.url)"
  param revision: "$(context.git.commit)"
}
task "unit": {
  inputs: ["src"]
  steps: [
    {
      name: "unit"
      image: "tools/golang:1.21"
      command: [
        "go",
        "test",
        "./..."
      ]
      env: [
        { name: "CGO_ENABLED", value: "0" },
        { name: "GOFLAGS", value: "-mod=vendor" }
      ]
    },
    {
      name: "report"
      image: registry + "/report:1"
      workingDir: "/workspace/src"
    }
  ]
}
task "lint": {
  inputs: ["src"]
  steps: [{
    name: "lint"
    image: "tools/linter:2"
    args: ["run", "./..."]
  }]
}
actions: [
  {
    tasks: ["unit", "lint"]
    on push branches: ["main"]
  }
]
"""

LINES = SOUND.splitlines()

# How a line is broken: what in it is replaced, by what, and how the message starts.
WAYS = {
    "the closing quote is missing": (r'"([\w:./-]+)"$', r'"\1', "string literal not terminated"),
    "the colon of a block is missing": (r'^(\w+ "[\w-]+"): \{$', r"\1 {", "expected ':' after label"),
    "the colon of a field is missing": (r'^(\s+\w+): (")', r"\1 \2", "expected ':' after label"),
    "the comma at the line's end is missing": (
        r'^(\s+(?:"[\w./]+"|\{.*\}|\})),$', r"\1", "missing ',' before newline in list literal",
    ),
    "the comma between two strings is missing": (r'(\["\w+"), "', r'\1 "', "missing ',' in list literal"),
    "an image has no quotes": (r'(image: )"(\w+/[\w:.]+)"$', r"\1\2", "value must be quoted"),
    "a comment starts with #": (r"$", " # why", "`#` does not start a comment"),
    "a character that CUE has not": (r'^(\s+\w+: )"', r"\1;", "unexpected character `;`"),
    "typographic quotes": (r'^(\s+\w+: )"([\w:./-]+)"$', r"\1“\2”", "unexpected character `“`"),
}  # fmt: skip

CASES = [
    pytest.param(number, way, id=f"{way}, line {number + 1}")
    for way, (pattern, _, _) in WAYS.items()
    for number, line in enumerate(LINES)
    if re.search(pattern, line)
]


def test_the_file_is_sound() -> None:
    assert parse(Source("Dispatchfile", SOUND)).diagnostics == ()


@pytest.mark.parametrize(("number", "way"), CASES)
def test_one_break_makes_one_finding_on_its_line(number: int, way: str) -> None:
    pattern, instead, message = WAYS[way]
    broken = [*LINES[:number], re.sub(pattern, instead, LINES[number], count=1), *LINES[number + 1 :]]
    found = parse(Source("Dispatchfile", "\n".join(broken) + "\n")).diagnostics
    assert [(one.span.line if one.span else 0, one.message[: len(message)]) for one in found] == [
        (number + 1, message)
    ]


@pytest.mark.parametrize("number", range(len(LINES) + 1))
def test_a_conflict_is_found_wherever_it_stands(number: int) -> None:
    marks = ["<<<<<<< HEAD", "=======", ">>>>>>> theirs"]
    found = parse(Source("Dispatchfile", "\n".join([*LINES[:number], *marks, *LINES[number:]]))).diagnostics
    assert [(one.span.line if one.span else 0) for one in found] == [number + 1]
    assert found[0].message.startswith("unresolved merge conflict starting at line")


def test_what_a_here_document_left_is_named() -> None:
    found = parse(Source("Dispatchfile", SOUND + "EOF\n")).diagnostics
    assert [(one.span.line if one.span else 0) for one in found] == [len(LINES) + 1]
    assert "here-document" in found[0].label


def found_in(lines: list[str]) -> list[tuple[int, str]]:
    """Return the lines and messages of what is found."""
    found = parse(Source("Dispatchfile", "\n".join(lines) + "\n")).diagnostics
    return [(one.span.line if one.span else 0, one.message) for one in found]


def opener_of(number: int) -> int:
    """Return the index of the line that opens what the bracket at the start of a line closes."""
    depth = 0
    for index in range(number, -1, -1):
        bare = re.sub(r'"[^"]*"', "", LINES[index])
        depth += len(re.findall(r"[\]}]", bare)) - len(re.findall(r"[\[{]", bare))
        if depth <= 0:
            return index
    raise AssertionError(number)


ALONE = [number for number, line in enumerate(LINES) if re.fullmatch(r"\s*[\]}],?", line)]
AT_THE_END = [number for number, line in enumerate(LINES) if re.search(r"\w.*[\]}],?$", line)]
OPENING = [number for number, line in enumerate(LINES) if re.search(r"[\w\"]: [\[{]$", line)]
ELEMENTS = [number for number, line in enumerate(LINES) if re.match(r'\s+("[\w./]+",?$|\{)', line)]


@pytest.mark.parametrize("number", ALONE)
def test_a_block_without_its_end_is_named_at_its_start(number: int) -> None:
    [(line, message)] = found_in([*LINES[:number], *LINES[number + 1 :]])
    assert line == opener_of(number) + 1
    assert message.endswith("is never closed")


@pytest.mark.parametrize("number", AT_THE_END)
def test_a_bracket_missing_at_a_lines_end_is_named_on_it(number: int) -> None:
    [(line, message)] = found_in(
        [*LINES[:number], re.sub(r"[\]}](,?)$", r"\1", LINES[number]), *LINES[number + 1 :]]
    )
    assert line == number + 1
    assert message.endswith("is never closed")


@pytest.mark.parametrize("number", ALONE)
def test_a_bracket_of_the_wrong_kind_is_named(number: int) -> None:
    wrong = LINES[number].translate(str.maketrans("]}", "}]"))
    found = found_in([*LINES[:number], wrong, *LINES[number + 1 :]])
    assert [line for line, _ in found] == [number + 1]
    mark = "{" if "]" in wrong else "["
    assert found[0][1] == f"`{wrong.strip(' ,')}` where the `{mark}` of line {opener_of(number) + 1} ends"


@pytest.mark.parametrize("number", ALONE)
def test_a_bracket_too_many_is_named(number: int) -> None:
    closer = LINES[number].strip(" ,")
    found = found_in([*LINES[:number], LINES[number].replace(closer, closer * 2), *LINES[number + 1 :]])
    assert [line for line, _ in found] == [number + 1]
    assert found[0][1].endswith(("without `{`", "without `[`"))


@pytest.mark.parametrize("number", OPENING)
def test_a_missing_opening_bracket_is_asked_for(number: int) -> None:
    broken = [*LINES[:number], LINES[number][:-1], *LINES[number + 1 :]]
    found = parse(Source("Dispatchfile", "\n".join(broken))).diagnostics
    assert len(found) == 1
    if found[0].message.startswith("`"):
        label = re.findall(r"[\w\"]+(?=: .$)", LINES[number])[0]
        assert f"did you mean `{label}: {LINES[number][-1]}`" in found[0].help


@pytest.mark.parametrize("number", ELEMENTS)
def test_a_field_directly_in_a_list_is_named(number: int) -> None:
    indent = " " * (len(LINES[number]) - len(LINES[number].lstrip()))
    found = found_in([*LINES[:number], f'{indent}KEY: "v"', *LINES[number:]])
    assert [line for line, _ in found] == [number + 1]
    assert "directly " in found[0][1]
    assert "in a list" in found[0][1].replace("inside", "in")


@pytest.mark.parametrize("number", ELEMENTS)
def test_a_dash_of_yaml_is_named(number: int) -> None:
    indent = " " * (len(LINES[number]) - len(LINES[number].lstrip()))
    found = found_in([*LINES[:number], f'{indent}- X: "v"', *LINES[number:]])
    assert found == [(number + 1, "this looks like YAML inside CUE")]
