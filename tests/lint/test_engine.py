"""What inspecting a file gives: findings of all stages, chosen, in order, each once."""

from __future__ import annotations

import pytest

from dispatchfile.diagnostics import Severity
from dispatchfile.lint import catalogue, engine
from dispatchfile.lint.rules.security import untagged_image
from dispatchfile.lint.settings import Settings
from dispatchfile.source import Source
from tests.lint.samples import SOUND, UNTAGGED, YAML

MANY = (
    UNTAGGED.replace('["src"]', '["scr"]')
    + '\n"helper": 1\ntask: lost: {steps: [{name: "a", image: "node:1"}]}\n'
)


def codes(text: str, settings: Settings | None = None, name: str = "Dispatchfile") -> list[str]:
    return [one.code for one in engine.inspect(Source(name, text), settings or Settings())]


def test_a_sound_file_has_no_findings() -> None:
    assert codes(SOUND) == []


def test_findings_of_all_stages_come_in_order_of_place() -> None:
    assert codes(MANY) == ["DF201", "DF601", "DF207"]


def test_a_syntax_error_in_one_task_hides_no_undefined_input_in_another() -> None:
    broken = (
        UNTAGGED.replace('["src"]', '["scr"]') + 'task: other: {\n  steps: [{name: "x" image: "a:1"}]\n}\n'
    )
    found = codes(broken)
    assert {"DF001", "DF201", "DF601"} <= set(found)


def test_what_is_nowhere_is_not_told_while_a_part_cannot_be_read() -> None:
    broken = SOUND.replace('inputs: ["src"]', 'inputs: ["src"')
    assert codes(broken) == ["DF001"]


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        (Settings(select=("DF6",)), ["DF601"]),
        (Settings(select=("undefined-input", "df207")), ["DF201", "DF207"]),
        (Settings(ignore=("DF2",)), ["DF601"]),
        (Settings(select=("DF2",), ignore=("DF20",)), []),
        (Settings(select=("DF",), ignore=("untagged-image",)), ["DF201", "DF207"]),
    ],
    ids=str,
)
def test_rules_are_selected_and_ignored(settings: Settings, left: list[str]) -> None:
    assert codes(MANY, settings) == left


def test_what_is_always_on_stays_whatever_the_settings() -> None:
    for settings in (Settings(select=("DF7",)), Settings(ignore=("DF",)), Settings(ignore=("DF0",))):
        assert codes("a: 1\na: 2\n", settings) == ["DF002"]


def test_an_optional_rule_is_selected_by_its_own_name_or_by_a_group_of_such_rules() -> None:
    text = SOUND.replace('image: "golang:1.22"', 'image: "golang:1.22", imagePullPolicy: "Always"')
    assert (
        codes(text) == codes(text, Settings(select=("DF",))) == codes(text, Settings(select=("DF1",))) == []
    )
    assert codes(text, Settings(select=("DF106",))) == ["DF106"]
    assert codes(text, Settings(select=("unhonoured-field", "DF6"))) == ["DF106"]
    probed = SOUND.replace('image: "golang:1.22"', 'image: "golang:1.22", tty: true')
    assert codes(probed, Settings(select=("DF8",))) == ["DF801"]


def test_a_severity_is_set() -> None:
    found = engine.inspect(Source("Dispatchfile", UNTAGGED), Settings(severity={"DF601": Severity.INFO}))
    assert [one.severity for one in found] == [Severity.INFO]


@pytest.mark.parametrize(
    ("pattern", "name", "left"),
    [
        ("examples/**", "/repo/examples/a/Dispatchfile", []),
        ("examples/**", "/repo/Dispatchfile", ["DF601"]),
        ("examples/**", "/repo/x/examples/Dispatchfile", ["DF601"]),
        ("Dispatchfile", "/repo/x/examples/Dispatchfile", []),
        ("Dispatchfile.cue", "/repo/x/examples/Dispatchfile", ["DF601"]),
    ],
)
def test_rules_are_ignored_by_file(pattern: str, name: str, left: list[str]) -> None:
    settings = Settings(per_file_ignores={pattern: ("DF6",)}, folder="/repo")
    assert codes(UNTAGGED, settings, name) == left


def test_trusted_registries_need_no_tag() -> None:
    text = SOUND.replace("golang:1.22", "registry.example.com/team/golang")
    assert codes(text) == ["DF601"]
    assert codes(text, Settings(trusted_registries=("registry.example.com/*",))) == []


def test_one_place_that_is_used_twice_is_told_once() -> None:
    text = 'tool: "golang"\n' + SOUND.replace('"golang:1.22"', "tool").replace(
        "steps: [{", 'steps: [{name: "first", image: tool}, {'
    )
    assert codes(text) == ["DF601"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "#!nonsense\n",
        "a: ]",
        "task: 1",
        "task: test: 3",
        "actions: {}",
        "{" * 3000,
        "task: t: steps: [1]",
    ],
)
@pytest.mark.parametrize(
    "name", ["Dispatchfile", "Dispatchfile.yaml", "Dispatchfile.json", "Dispatchfile.star"]
)
def test_no_text_makes_it_fail(text: str, name: str) -> None:
    engine.inspect(Source(name, text), Settings(select=("DF", "DF106")))


def test_a_yaml_file() -> None:
    assert codes(YAML, name="Dispatchfile.yaml") == ["DF601"]


def test_a_rule_that_crashes_hides_no_other_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_subject: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(untagged_image, "check", crash)
    with pytest.raises(engine.RuleCrash, match="the rule DF601 failed") as caught:
        engine.inspect(Source("Dispatchfile", MANY))
    assert [one.code for one in caught.value.findings] == ["DF201", "DF207"]
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_rule_whose_word_is_not_in_the_text_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = catalogue.Entry.load
    monkeypatch.setattr(catalogue.Entry, "load", lambda rule: loaded.append(rule.code) or load(rule))
    codes("a: 1\n")
    assert "DF601" not in loaded
    codes(SOUND)
    assert "DF601" in loaded
    assert "DF201" not in loaded, "it has no check"


def test_a_file_in_starlark_is_no_mistake() -> None:
    found = engine.inspect(Source("Dispatchfile", '#!starlark\nload("x/git@0.0.7", "g")\ng()\n'))
    assert [(one.code, one.severity) for one in found] == [("DF001", Severity.INFO)]
