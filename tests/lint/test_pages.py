"""Every example of every rule's page does what the page says; so pages cannot rot."""

from __future__ import annotations

import re

import pytest

from dispatchfile.diagnostics import Diagnostic, errors
from dispatchfile.lint import catalogue, engine, pages
from dispatchfile.lint.fix import fix, is_fixable
from dispatchfile.lint.settings import Settings
from dispatchfile.source import Source

_BLOCK = re.compile(r"^```(cue|yaml|json|starlark) (bad|good)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SUFFIX = {"cue": ".cue", "yaml": ".yaml", "json": ".json", "starlark": ".star"}


def examples(kind: str) -> list[object]:
    """Return the rule and the source of each example of a kind."""
    found = []
    for rule in catalogue.ENTRIES.values():
        blocks = _BLOCK.findall(rule.load().__doc__ or "")
        for number, (flavour, said, text) in enumerate(blocks):
            if said == kind:
                source = Source(f"Dispatchfile{_SUFFIX[flavour]}", text)
                found.append(pytest.param(rule, source, id=f"{rule.code}-{flavour}-{number}"))
    return found


def inspected(rule: catalogue.Entry, source: Source) -> tuple[Diagnostic, ...]:
    """Return the findings; that Starlark cannot be read yet is true of each example in it, and no rule's business."""
    found = engine.inspect(source, settings_for(rule))
    return tuple(one for one in found if one.code != "DF001" or not source.name.endswith(".star"))


def settings_for(rule: catalogue.Entry) -> Settings:
    return Settings(select=("DF", rule.code)) if rule.optional else Settings()


def evaluates(findings: tuple[Diagnostic, ...]) -> bool:
    return not any(catalogue.ENTRIES[one.code].always for one in errors(findings))


@pytest.mark.parametrize("rule", catalogue.ENTRIES.values(), ids=lambda rule: rule.code)
def test_a_page_has_a_bad_and_a_good_example(rule: catalogue.Entry) -> None:
    kinds = {kind for _, kind, _ in _BLOCK.findall(rule.load().__doc__ or "")}
    assert kinds == {"bad", "good"}
    fences = re.findall(r"^```\w.*$", rule.load().__doc__ or "", re.MULTILINE)
    assert all(re.fullmatch(r"```(cue|yaml|json|starlark) (bad|good)", fence) for fence in fences)


@pytest.mark.parametrize(("rule", "source"), examples("bad"))
def test_a_bad_example_breaks_just_this_rule(rule: catalogue.Entry, source: Source) -> None:
    found = inspected(rule, source)
    assert {one.code for one in found} == {rule.code}, "\n".join(map(str, found))
    assert {one.severity for one in found} == {rule.severity}


@pytest.mark.parametrize(("rule", "source"), examples("good"))
def test_a_good_example_breaks_none(rule: catalogue.Entry, source: Source) -> None:
    assert inspected(rule, source) == ()


@pytest.mark.parametrize(("rule", "source"), examples("bad"))
def test_a_fix_mends_the_bad_example(rule: catalogue.Entry, source: Source) -> None:
    before = inspected(rule, source)
    fixable = [one for one in before if is_fixable(one, unsafe=True)]
    if not rule.fix and not fixable:
        return
    assert rule.fix or rule.always, "the rule says that it has no fix"
    assert fixable, "the rule says that it has a fix"
    if rule.fix == "safe":
        assert all(is_fixable(one) for one in fixable)
    mended = fix(source, settings_for(rule), unsafe=True)
    assert mended.refused == ()
    assert not [one for one in mended.findings if is_fixable(one, unsafe=True)]
    assert len(mended.findings) <= len(before) - len(fixable)
    if evaluates(before):
        assert evaluates(mended.findings)


def test_pages_are_up_to_date() -> None:
    assert pages.main(["--check"]) == 0


def test_every_rule_is_in_the_table() -> None:
    table = pages.pages()["README.md"]
    assert all(f"[{code}]({code}.md)" in table for code in catalogue.ENTRIES)


def test_a_stale_page_is_told(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pages, "FOLDER", tmp_path / "rules")
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0
    (tmp_path / "rules/DF201.md").write_text("old")
    (tmp_path / "rules/DF999.md").write_text("a rule that is gone")
    assert pages.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "DF201.md is out of date" in told
    assert "DF999.md is out of date" in told
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0
