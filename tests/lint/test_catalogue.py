"""The catalogue has every rule, and says what the rules' modules say."""

from __future__ import annotations

import pytest

from dispatchfile.lint import catalogue

RULES = """
DF001 syntax-error error
DF002 conflicting-values error
DF003 incomplete-value error
DF004 undefined-reference error
DF005 unused-suppression warning
DF101 unknown-field error
DF102 missing-field error
DF103 mismatched-type error
DF104 unknown-resource-type error
DF105 duplicate-name error
DF106 unhonoured-field warning
DF201 undefined-input error
DF202 undefined-output error
DF203 undefined-action-task error
DF204 dependency-cycle error
DF205 contested-output error
DF206 unused-resource warning
DF207 unreachable-task warning
DF208 redundant-dependency info
DF301 ambiguous-condition error
DF302 unreachable-action warning
DF303 invalid-glob error
DF304 inert-path-glob warning
DF305 invalid-cron error
DF306 unnamed-cron error
DF307 slashed-chatop warning
DF401 unknown-variable error
DF402 undeclared-variable-resource error
DF403 undeclared-task-result error
DF404 absent-context warning
DF501 invalid-name error
DF502 invalid-duration error
DF503 invalid-env error
DF504 undefined-volume error
DF505 undeclared-workspace warning
DF506 invalid-quantity error
DF601 untagged-image warning
DF602 mutable-tag warning
DF603 secret-literal error
DF604 script-injection warning
DF605 unpinned-load warning
DF701 deprecated-condition warning
DF702 deprecated-condition-field warning
DF703 deprecated-deps warning
DF704 deprecated-field-chain warning
DF801 cluster-field warning
DF802 cluster-variable error
DF803 cluster-text error
DF804 cluster-result error
DF805 cluster-resource error
DF806 cluster-condition error
"""
ALWAYS = {"DF001", "DF002", "DF003", "DF004"}


def test_these_are_the_rules() -> None:
    known = [f"{rule.code} {rule.name} {rule.severity}" for rule in catalogue.ENTRIES.values()]
    assert known == RULES.split("\n")[1:-1]


def test_the_always_on_and_the_optional_ones() -> None:
    assert {rule.code for rule in catalogue.ENTRIES.values() if rule.always} == ALWAYS
    assert {rule.code for rule in catalogue.ENTRIES.values() if rule.optional} == {
        "DF106",
        *(f"DF80{number}" for number in range(1, 7)),
    }


def test_the_table_is_up_to_date() -> None:
    assert catalogue.main(["--check"]) == 0


@pytest.mark.parametrize("rule", catalogue.ENTRIES.values(), ids=lambda rule: rule.code)
def test_an_entry_says_what_the_module_says(rule: catalogue.Entry) -> None:
    module = rule.load()
    assert (module.RULE.code, module.RULE.name, module.RULE.fix) == (rule.code, rule.name, rule.fix)
    assert hasattr(module, "check") == rule.checks
    assert module.__name__.endswith(rule.name.replace("-", "_")), "a module is named as its rule"
    assert rule.summary.endswith(".")


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("DF601", ["DF601"]),
        ("df601", ["DF601"]),
        ("untagged-image", ["DF601"]),
        ("DF7", ["DF701", "DF702", "DF703", "DF704"]),
        ("DF70", ["DF701", "DF702", "DF703", "DF704"]),
        ("DF", [line.split()[0] for line in RULES.split("\n")[1:-1]]),
        ("DF9", []),
        ("DF6011", []),
        ("", []),
        ("untagged", []),
    ],
)
def test_words_stand_for_codes(word: str, codes: list[str]) -> None:
    assert list(catalogue.codes(word)) == codes


@pytest.mark.parametrize(
    ("word", "near"), [("DF061", "DF001"), ("untaged-image", "untagged-image"), ("zzz", None)]
)
def test_the_nearest_word(word: str, near: str | None) -> None:
    assert catalogue.nearest_word(word) == near


@pytest.mark.parametrize("word", ["DF204", "df204", "dependency-cycle"])
def test_an_entry_by_code_and_name(word: str) -> None:
    assert catalogue.entry(word).code == "DF204"


def test_no_entry() -> None:
    with pytest.raises(KeyError):
        catalogue.entry("DF7")
