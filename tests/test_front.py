from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile import front
from dispatchfile.errors import EnvironmentProblem, EvaluationError, UsageError
from dispatchfile.source import Source

SAMPLES = Path(__file__).parent.parent.parent / "shared" / "samples" / "dispatchfiles"


@pytest.mark.parametrize(
    ("name", "first", "flavour"),
    [
        ("Dispatchfile", "", "cue"),
        ("Dispatchfile", "#!cue", "cue"),
        ("Dispatchfile", "#!mesosphere/dispatch-cue:v0.4", "cue"),
        ("Dispatchfile", "#!someone/dispatch-cue:v0.4-beta1", "cue"),
        ("Dispatchfile", "#!registry.local:5000/a/dispatch-yaml:v0.5", "yaml"),
        ("Dispatchfile", "#!yaml  ", "yaml"),
        ("Dispatchfile", "#!json\r", "json"),
        ("Dispatchfile", "#!starlark", "starlark"),
        ("Dispatchfile.yaml", "", "yaml"),
        ("ci/Dispatchfile.yml", "", "yaml"),
        ("Dispatchfile.star", "", "starlark"),
        ("Dispatchfile.json", "", "json"),
        ("Dispatchfile.yaml", "#!cue", "cue"),
        ("Dispatchfile.bak", "", "cue"),
    ],
)
def test_flavour(name, first, flavour):
    assert front.flavour_of(Source(name, f"{first}\ntask: {{}}\n")) == flavour


def test_the_flavour_that_is_asked_for_comes_before_the_first_line_and_the_name():
    asked = Source("Dispatchfile.cue", "#!json\ntask: {}\n", "yaml")
    assert front.flavour_of(asked) == "yaml"
    assert front.read(asked).ok
    assert front.flavour_of(asked.with_text("{}")) == "yaml"


@pytest.mark.parametrize(
    ("first", "advice"),
    [("#!ymal", 'did you mean "#!yaml"?'), ("#!/usr/bin/env bash", "known are"), ("#!", "known are"), ("#!me/dispatch-toml:v1", "known are")],
)  # fmt: skip
def test_unknown_first_lines(first, advice):
    [found] = front.read(Source("f", f"{first}\n")).diagnostics
    assert advice in found.help
    assert str(found.span) == "f:1:1"


def test_starlark_is_told_to_wait():
    [found] = front.read(Source("Dispatchfile", "#!starlark\ntask()\n")).diagnostics
    assert "not read yet" in found.message


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ('load("github.com/x/y", "z")\n', "Starlark"),
        ("\n# vi:syntax=python\n\ntask(\n", "Starlark"),
        ("resource:\n  src:\n    type: git\n", "YAML"),
        ("osphere/dispatch-yaml:v0.3\nresource:\n", "lost the beginning"),
    ],
)
def test_a_hint_when_it_cannot_be_cue(text, guess):
    found = front.read(Source("Dispatchfile", text)).diagnostics
    assert any(guess in one.message for one in found), found


@pytest.mark.parametrize(
    "names",
    [["Dispatchfile", "Dispatchfile.cue"], ["Dispatchfile.cue", "Dispatchfile.yaml"], ["Dispatchfile.json"]],
)
def test_the_default_file(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "Dispatchfile.bak").touch()
    assert front.find(tmp_path) == str(tmp_path / names[0])


def test_no_default_file(tmp_path):
    (tmp_path / "Dispatchfile").mkdir()
    with pytest.raises(UsageError, match="no Dispatchfile in"):
        front.find(tmp_path)


def test_a_dispatchfile_further_up_in_the_repository_is_pointed_at(tmp_path, monkeypatch):
    inner = tmp_path / "repository/a/b"
    inner.mkdir(parents=True)
    (tmp_path / "Dispatchfile").touch()  # outside the repository: none of its business
    (tmp_path / "repository/.git").mkdir()
    monkeypatch.chdir(inner)
    with pytest.raises(UsageError) as caught:
        front.find()
    assert caught.value.help == "go to its directory, or name the file with -f FILE"
    (tmp_path / "repository/Dispatchfile.cue").touch()
    with pytest.raises(UsageError) as caught:
        front.find()
    assert caught.value.help.startswith("there is one in ../..: give -C ../.., or")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"a: \xff\n", EvaluationError, "not UTF-8 on line 1: byte 0xff"),
        ("a: 'é'\n".encode("utf-16"), EvaluationError, "is UTF-16"),
        (b"a\nb\0", EvaluationError, "NUL byte on line 2"),
        (b" " * (4 * 1024 * 1024 + 1), EvaluationError, "larger than 4 MiB"),
    ],
)
def test_what_is_no_text(tmp_path, content, error, message):
    path = tmp_path / "Dispatchfile"
    path.write_bytes(content)
    with pytest.raises(error, match=message):
        front.open_source(path)


def test_missing_directory_and_forbidden_files(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        front.open_source(tmp_path / "x")
    with pytest.raises(UsageError, match="is a directory"):
        front.open_source(tmp_path)
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        front.open_source("a\0b")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "Dispatchfile"
    path.write_bytes(b"\xef\xbb\xbf#!yaml\ntask: {}\n")
    assert front.read_file(path).ok


GOOD = "task: {a: {steps: [{image: i}]}}\nactions: [{tasks: [a], on: {push: {}}}, {tasks: [a]}]\n"


def test_load_returns_the_warnings(tmp_path):
    path = tmp_path / "Dispatchfile.yaml"
    path.write_text(GOOD)
    pipeline, found = front.load(path)
    assert list(pipeline.tasks) == ["a"]
    assert [one.message for one in found] == ["action #1 has no `on`; it never fires"]


def test_load_raises_with_everything_that_is_wrong(tmp_path):
    path = tmp_path / "Dispatchfile.yaml"
    path.write_text(GOOD.replace("image: i", "image: $(context.git.x), comand: 1"))
    with pytest.raises(EvaluationError, match="2 errors") as caught:
        front.load(path)
    assert caught.value.exit_code == 3
    assert [one.code for one in caught.value.diagnostics] == ["DF401", "DF101", "DF102"]


def test_the_same_pipeline_in_each_flavour(tmp_path):
    texts = {
        "Dispatchfile.cue": 'task "a": {steps: [{image: "i"}]}\nactions: [{tasks: ["a"], on push branches: ["m"]}]\n',
        "Dispatchfile.yaml": "task: {a: {steps: [{image: i}]}}\nactions: [{tasks: [a], on: {push: {branches: [m]}}}]\n",
        "Dispatchfile.json": '#!json\n{"task": {"a": {"steps": [{"image": "i"}]}}, "actions": [{"tasks": ["a"], "on": {"push": {"branches": ["m"]}}}]}',
    }
    made = []
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        pipeline, found = front.load(tmp_path / name)
        assert found == ()
        made.append(pipeline)
    assert made[0] == made[1] == made[2]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples here")
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.[cy]*[el]")), ids=lambda path: path.name)
def test_real_files_never_crash(path):
    reading = front.read_file(path)
    pipeline, found = front.interpret(reading)
    assert pipeline is not None or found
    for one in found:
        assert one.span is not None
        assert one.span.source is reading.source


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            'resource "r": {\n  type: "git"\n  param url: http://example.com/x.git\n}\n',
            ["value must be quoted"],
        ),
        (
            'task "t": {\n  steps: [{name: "a", image: nothing}]\n}\n',
            ['reference "nothing" not found'],
        ),
        (
            'actions: [{tasks: ["t"], on push: {}}]\nactions: [{tasks: ["u"], on tag: {}}]\ntask "t": {steps: []}\n',
            ['conflicting values "t" and "u"', 'task "t" has no steps'],
        ),
        (
            'task "t": {steps: [{name: "a", image: nothing}]}\ntask "u": {}\n',
            ['reference "nothing" not found', 'a task needs the field "steps"'],
        ),
        ("task:\n  t:\n    steps:\n    - name: a\n", ["this file looks like YAML, but is read as CUE"]),
    ],
    ids=["syntax", "reference", "conflict", "elsewhere", "flavour"],
)
def test_what_could_not_be_read_is_not_said_to_be_missing(text, messages):
    found = front.interpret(front.read(Source("Dispatchfile", text)))[1]
    assert [one.message for one in found] == messages


@pytest.mark.parametrize(
    ("image", "kind", "written"),
    [
        ("'alpine'", "bytes", '"alpine"'),
        ("alpine:3.12", "a struct", '"alpine:3.12"'),
        ("3", "a number", '"3"'),
    ],
)
def test_a_text_in_other_quotes_or_none_is_told_as_it_was_meant(image, kind, written):
    text = f'task "t": steps: [{{name: "a", image: {image}}}]\n'
    [found] = front.interpret(front.read(Source("Dispatchfile", text)))[1]
    assert found.message == f"`task.t.steps[0].image` must be a string, not {kind}"
    assert found.help == f"write {written}"
    assert found.span is not None
    assert found.span.text == image


def test_single_quotes_are_text_in_yaml():
    text = "#!yaml\ntask: {t: {steps: [{name: 'a', image: 'it''s'}]}}\n"
    assert front.interpret(front.read(Source("Dispatchfile", text)))[1] == ()


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("make", '["make"]'),
        ("go test ./...", '["go", "test", "./..."]'),
        ("cd x && make", '["sh", "-c", "cd x && make"]'),
    ],
)
def test_a_command_in_one_string_is_told_as_a_list(command, written):
    text = f'task "t": steps: [{{name: "a", image: "i", command: "{command}"}}]\n'
    [found] = front.interpret(front.read(Source("Dispatchfile", text)))[1]
    assert found.help == f"write {written}"
