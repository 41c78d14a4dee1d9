from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from dispatchfile.model import jsonschema as ours
from dispatchfile.model import render
from tests.model.helpers import pipeline, value
from tests.model.test_decode import WHOLE

ROOT = Path(__file__).parent.parent.parent


def problems(data: object) -> list[str]:
    return [error.message for error in jsonschema.Draft7Validator(ours.schema()).iter_errors(data)]


def test_the_committed_schema_is_the_one_of_the_tables():
    assert (ROOT / ours.TARGET).read_text(encoding="utf-8") == ours.text()


def test_check_tells_an_old_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert ours.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert ours.main([]) == 0
    assert ours.main(["--check"]) == 0
    ours.TARGET.write_text("{}", encoding="utf-8")
    assert ours.main(["--check"]) == 1


def test_it_is_a_schema_and_accepts_what_decodes():
    jsonschema.Draft7Validator.check_schema(ours.schema())
    data = json.loads(json.dumps(render.data(pipeline(WHOLE.replace("URL", "url"))), default=float))
    assert problems(data) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resource: {}", "'task' is a required property"),
        ("task: {a: {steps: [{imagee: i}]}}", "'imagee' was unexpected"),
        ("task: {a: {steps: {}}}", "is not of type 'array'"),
        ("resource: {r: {type: gcs}}\ntask: {}", "'gcs' is not one of"),
        ("resource: {r: {type: git, param: {digest: d, url: u}}}\ntask: {}", "'digest' was unexpected"),
        ("task: {}\nactions: [{tasks: []}]", "'on' is a required property"),
        ("task: {}\nactions: [{tasks: [], on: {push: {}, tag: {}}}]", "too many properties"),
    ],
)
def test_it_refuses(text, message):
    assert any(message in problem for problem in problems(value(text).plain())), problems(value(text).plain())
