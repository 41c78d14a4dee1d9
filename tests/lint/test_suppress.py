"""Ignore comments: where they reach, and what is said about those that do nothing."""

from __future__ import annotations

import pytest

from dispatchfile.lint import engine
from dispatchfile.lint.fix import fix
from dispatchfile.lint.settings import Settings
from dispatchfile.source import Source
from tests.lint.samples import SOUND, UNTAGGED, YAML


def codes(text: str, name: str = "Dispatchfile", **settings: tuple[str, ...]) -> list[str]:
    return [one.code for one in engine.inspect(Source(name, text), Settings(**settings))]


def messages(text: str, name: str = "Dispatchfile") -> list[str]:
    return [one.message for one in engine.inspect(Source(name, text)) if one.code == "DF005"]


def with_comment(comment: str, where: str, text: str = UNTAGGED) -> str:
    """Put a comment above the line that holds `where`, indented as it is, or with `…` in front at its end."""
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if where in line)
    if comment.startswith("…"):
        lines[at] += " " + comment.removeprefix("…")
    else:
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        lines.insert(at, indent + comment)
    return "\n".join(lines)


@pytest.mark.parametrize("word", ["DF601", "df601", "untagged-image", "DF6", "DF601, DF602", "DF602 DF601"])
@pytest.mark.parametrize(
    ("comment", "where"),
    [
        ("…// dispatchfile: ignore[{}] the newest is wanted", "image:"),
        ("…//dispatchfile:ignore[{}]", "image:"),
        ("// dispatchfile: ignore[{}]", "steps:"),
        ("// dispatchfile: ignore[{}]", "task: test"),
        ("// dispatchfile: ignore-file[{}]", "resource: src"),
        ("// dispatchfile: ignore-file[{}]", "actions:"),
    ],
)
def test_it_silences_the_findings_it_reaches(comment: str, where: str, word: str) -> None:
    found = codes(with_comment(comment.format(word), where), ignore=("DF005",))
    assert found == []


@pytest.mark.parametrize(
    ("comment", "where"),
    [
        ("…// dispatchfile: ignore[DF601]", "inputs:"),
        ("// dispatchfile: ignore[DF601]", "resource: src"),
        ("// dispatchfile: ignore[DF601]", "actions:"),
        ("// dispatchfile: ignore[DF601]", "inputs:"),
        ("// dispatchfile: ignore[DF602]", "steps:"),
    ],
)
def test_it_silences_nothing_elsewhere_and_that_is_told(comment: str, where: str) -> None:
    assert sorted(codes(with_comment(comment, where))) == ["DF005", "DF601"]


def test_comments_above_each_other_both_reach_the_field() -> None:
    text = with_comment("// dispatchfile: ignore[DF601]", "steps:")
    assert codes(with_comment("// tests are quick", "steps:", text)) == []


def test_above_an_element_of_a_list() -> None:
    steps = '[\n    // dispatchfile: ignore[DF601]\n    {name: "a", image: "golang"},\n    {name: "b", image: "node"},\n  ]'
    text = SOUND.replace('[{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]', steps)
    found = engine.inspect(Source("Dispatchfile", text))
    assert [one.message.split('"')[1] for one in found] == ["node"]


@pytest.mark.parametrize(
    ("comment", "where"),
    [
        ("…# dispatchfile: ignore[DF601]", "image:"),
        ("# dispatchfile: ignore[DF601]", "- name: test"),
        ("# dispatchfile: ignore[DF601]", "steps:"),
        ("# dispatchfile: ignore[DF601]", "test:"),
        ("# dispatchfile: ignore[DF601]", "task:"),
        ("# dispatchfile: ignore-file[DF601]", "actions:"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_in_yaml(comment: str, where: str, newline: str) -> None:
    text = with_comment(comment, where, YAML).replace("\n", newline)
    assert codes(text, "Dispatchfile.yaml") == []


@pytest.mark.parametrize("where", ["type: git", "resource:", "- tasks"])
def test_in_yaml_the_block_ends_with_its_indentation(where: str) -> None:
    text = with_comment("# dispatchfile: ignore[DF601]", where, YAML)
    assert sorted(codes(text, "Dispatchfile.yaml")) == ["DF005", "DF601"]


def test_a_comment_inside_a_string_is_none() -> None:
    text = UNTAGGED.replace('"./..."', '"// dispatchfile: ignore[DF601]"')
    assert codes(text) == ["DF601"]
    text = YAML.replace("./...", '"# dispatchfile: ignore[DF601]"')
    assert codes(text, "Dispatchfile.yaml") == ["DF601"]


@pytest.mark.parametrize("code", ["DF001", "DF002", "syntax-error"])
def test_what_is_always_on_cannot_be_silenced(code: str) -> None:
    text = f"a: 1 // dispatchfile: ignore[{code}]\na: 2 // dispatchfile: ignore[DF002]\n"
    assert "DF002" in codes(text)
    assert f"{code} cannot be silenced by a comment" in messages(text)


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("// dispatchfile: ignore", "the comment names no rule"),
        ("// dispatchfile: ignore DF601", "the comment names no rule"),
        ("// dispatchfile: ignore[]", "the comment names no rule"),
        ("// dispatchfile: ignore[DF601", 'the list of rules has no closing "]"'),
        ("// dispatchfile: ignroe[DF601]", '"ignroe" is not known'),
        ("// dispatchfile: ignore-fiel[DF601]", '"ignore-fiel" is not known'),
        ("// dispatchfile: ignore[DF061]", '"DF061" is no rule'),
        ("// dispatchfile: ignore[untaged-image]", '"untaged-image" is no rule'),
        ("// dispatchfile: ignore[DF005]", "DF005 cannot be silenced by a comment"),
        ("// dispatchfile: this file builds the docs", None),
        ("// see dispatchfile: ignore[DF601]", None),
    ],
)
def test_comments_that_cannot_work_are_told(comment: str, told: str | None) -> None:
    assert messages(with_comment(comment, "task: test", SOUND)) == ([told] if told else [])


def test_a_near_miss_is_offered_as_a_fix() -> None:
    text = with_comment("…// dispatchfile: ignore[untaged-image] newest", "image:")
    mended = fix(Source("Dispatchfile", text), Settings(), unsafe=True)
    assert mended.source.text == with_comment("…// dispatchfile: ignore[untagged-image] newest", "image:")
    assert mended.findings == ()


@pytest.mark.parametrize(
    ("comment", "where", "left"),
    [
        ("…// dispatchfile: ignore[DF601] why", "inputs:", None),
        ("// dispatchfile: ignore[DF601] why", "steps:", None),
        ("// dispatchfile: ignore-file[DF602]", "resource: src", None),
        ("…// dispatchfile: ignore[DF602, DF601] why", "image:", "…// dispatchfile: ignore[DF601] why"),
        ("…// dispatchfile: ignore[DF601, DF602] why", "image:", "…// dispatchfile: ignore[DF601] why"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_fix_removes_what_is_unused(comment: str, where: str, left: str | None, newline: str) -> None:
    base = UNTAGGED if left else SOUND
    text = with_comment(comment, where, base).replace("\n", newline)
    wanted = (with_comment(left, where, base) if left else base).replace("\n", newline)
    mended = fix(Source("Dispatchfile", text), Settings())
    assert mended.source.text == wanted
    assert mended.findings == ()


@pytest.mark.parametrize("settings", [{"ignore": ("DF601",)}, {"select": ("DF7", "DF005")}], ids=str)
def test_a_comment_for_a_rule_that_is_off_is_not_judged(settings: dict[str, tuple[str, ...]]) -> None:
    assert codes(with_comment("…// dispatchfile: ignore[DF601]", "image:", SOUND), **settings) == []


def test_a_file_that_cannot_be_read_whole_judges_no_comment() -> None:
    text = with_comment("…// dispatchfile: ignore[DF601]", "image:", SOUND) + "task: ]\n"
    found = codes(text)
    assert "DF001" in found
    assert "DF005" not in found


def test_a_comment_works_beside_a_syntax_error() -> None:
    text = with_comment("…// dispatchfile: ignore[DF601]", "image:") + "\nx: ]\n"
    assert set(codes(text)) == {"DF001"}


@pytest.mark.parametrize("comment", ["ignore[DF601]", "ignore-file[DF601]", "ignore[nonsense]", "ignore"])
def test_thousands_of_comments_end(comment: str) -> None:
    text = f"// dispatchfile: {comment}\n" * 5000 + SOUND
    mended = fix(Source("Dispatchfile", text), Settings())
    assert mended.source.text == (SOUND if comment in ("ignore[DF601]", "ignore-file[DF601]") else text)
