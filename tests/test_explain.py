"""What is explained, by which words."""

from __future__ import annotations

import pytest

from dispatchfile import explain
from dispatchfile.errors import DispatchfileError
from dispatchfile.lint import catalogue
from dispatchfile.model import schema
from dispatchfile.model.variables import CONTEXT


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("DF201", ["DF201"]),
        ("df201", ["DF201"]),
        ("undefined-input", ["DF201"]),
        ("df20", [code for code in catalogue.ENTRIES if code.startswith("DF20")]),
        ("DF", list(catalogue.ENTRIES)),
        ("task", ["task"]),
        ("task.timeout", ["task.timeout"]),
        ("TASK.Timeout", ["task.timeout"]),
        ("timeout", ["task.timeout"]),
        ("task.steps.image", ["task.steps.image"]),
        ("task.build.steps[0].image", ["task.steps.image"]),
        ("image", ["task.steps.image", "actions.on.image"]),
        ("on.push", ["actions.on.push"]),
        ("git.push", ["actions.on.git.push"]),
        ("params", ["resource.param"]),
        ("resource.param.url", ["resource.param.url (git)", "resource.param.url (image)"]),
        ("resource.src.param.revision", ["resource.param.revision (git)"]),
        ("resource.param.revision (git)", ["resource.param.revision (git)"]),
        ("context.git.tag", ["context.git.tag"]),
        ("$(context.git.tag)", ["context.git.tag"]),
        ("${context.git.tag}", ["context.git.tag"]),
        ("context.git-revision", ["context.git.commit"]),
        ("$(inputs.resources.app.digest)", ["inputs.resources.NAME.PARAM", "resource.param.digest (image)"]),
        ("resources.outputs.app.path", ["outputs.resources.NAME.PARAM"]),
        ("inputs.tasks.version.print", ["inputs.tasks.TASK.STEP"]),
        ("exit-codes", ["exit-codes"]),
        ("exit", ["exit-codes"]),
        ("4", ["exit-codes"]),
        ("143", ["exit-codes"]),
        ("5", []),
        ("task.timout", []),
        ("task.build.colour", []),
        ("DF999", []),
        ("", []),
        (".", []),
        ("$()", []),
        ("[", []),
    ],
)
def test_words(word: str, names: list[str]) -> None:
    assert [one.name for one in explain.find(word)] == names
    assert (explain.page(word) is None) == (not names)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("task.timout", "task.timeout"),
        ("exitcodes", "exit-codes"),
        ("context.git.comit", "context.git.commit"),
        ("$(context.git.comit)", "context.git.commit"),
        ("timout", "timeout"),
        ("undefind-input", "undefined-input"),
        ("zzzzzzzzzz", None),
    ],
)
def test_near_words(word: str, meant: str | None) -> None:
    assert explain.near(word) == meant


def test_everything_is_there_once() -> None:
    names = [one.name for one in explain.entries()]
    assert len(names) == len(set(names))
    assert set(names) >= {*catalogue.ENTRIES, *CONTEXT, "exit-codes"}
    fields = {one.name.partition(" ")[0].rpartition(".")[2] for one in explain.fields()}
    assert fields == {field.name for table in schema.tables() for field in table.fields}


@pytest.mark.parametrize("name", [one.name for one in explain.entries()])
def test_every_entry_is_found_by_its_name(name: str) -> None:
    found = explain.find(name)
    assert name in [one.name for one in found]
    assert all(one.summary for one in found)


def test_a_rule_says_what_its_module_says() -> None:
    (rule,) = explain.find("DF201")
    assert dict(rule.facts)["severity"] == "error"
    assert "```cue bad" in rule.text
    assert rule.summary not in rule.text


def test_a_field_says_what_its_table_says() -> None:
    field = schema.TASK.by_name["timeout"]
    (told,) = explain.find("task.timeout")
    assert told.summary == field.doc
    facts = dict(told.facts)
    assert (facts["default"], facts["since"]) == (field.default, f"Dispatch {field.since}")
    (old,) = explain.find("on.push")
    assert dict(old.facts)["deprecated"] == schema.ON.by_name["push"].deprecated
    (unused,) = explain.find("task.steps.lifecycle")
    assert "not honoured" in dict(unused.facts)["local run"]


def test_the_variables_examples_hold_them() -> None:
    for one in explain.variables():
        if one.name in CONTEXT:
            assert f"$({one.name})" in one.example


def test_every_exit_code_of_an_error_is_explained() -> None:
    (codes,) = explain.find("exit-codes")

    def classes(base: type[DispatchfileError]) -> list[type[DispatchfileError]]:
        return [base, *(one for below in base.__subclasses__() for one in classes(below))]

    for code in {one.exit_code for one in classes(DispatchfileError)}:
        assert f"| {code} |" in codes.text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), ""),
        (("task",), "task"),
        (("task", "x"), "task"),
        (("task", "x", "steps", 0, "env", 1, "name"), "task.steps.env.name"),
        (("actions", 0, "on", "push", "branches"), "actions.on.push.branches"),
        (("resource", "x", "params"), "resource.param"),
        (("helper", "x"), ""),
        (("task", "x", "nope"), ""),
    ],
)
def test_the_field_at_a_path(path: tuple[str | int, ...], name: str) -> None:
    assert explain.field_path(path) == name


def test_parameters_belong_to_a_type() -> None:
    path = ("resource", "x", "param", "url")
    assert explain.field_path(path, "git") == "resource.param.url (git)"
    assert explain.field_path(path, "storage") == explain.field_path(path) == ""
