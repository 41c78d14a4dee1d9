"""Every expression that is emitted type-checks where it is evaluated: cel-go refuses what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.record import replace
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.pac import objects as pac
from dispatchfile.tekton.triggers import objects as triggers
from dispatchfile.tekton.triggers.waiting import Settings
from tests.tekton import cel_types, sources
from tests.tekton.pac import test_pac
from tests.tekton.triggers import test_triggers

URL = "https://git.example.com/acme/shop.git"


@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_files(path: Path) -> None:
    pipeline, options = sources.load(path), Options("shop", namespace="ci")
    settings = Settings(repository=URL, partial=True, members_only=True)
    assert cel_types.faults(triggers.objects(pipeline, options, settings).objects) == []
    assert cel_types.faults(pac.objects(pipeline, options, pac.Settings(partial=True)).objects) == []


IMAGES = ("{image: {push: {}}}", "{image: {push: {tags: ['v*', '!*-rc?']}}}")


def test_conditions_of_triggers() -> None:
    settings = replace(test_triggers.SETTINGS, members_only=True)
    made = test_triggers.emitted(*test_triggers.CONDITIONS, *IMAGES, settings=settings).objects
    assert cel_types.expressions(made) > len(test_triggers.CONDITIONS)
    assert cel_types.faults(made) == []


@pytest.mark.parametrize("task", ["plain", "unit"])
def test_conditions_of_pipelines_as_code(task: str) -> None:
    made = test_pac.emitted(*test_pac.CONDITIONS, task=task).objects
    assert cel_types.expressions(made) > 10
    assert cel_types.faults(made) == []


WRONG = {
    "a number where a text is": "body.ref.truncate('7')",
    "an undeclared name": "extension.changed_files != ''",
    "a method that is not there": "body.ref.translate('a', 'b') == ''",
    "no truth": "body.ref.trim()",
    "two types": "['a'].exists(l, l == 1)",
    "half an expression": "body.ref == ",
}


@pytest.mark.parametrize("expression", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_seen(expression: str) -> None:
    assert cel_types.fault(cel_types.triggers(), expression, cel_types.BOOL)
