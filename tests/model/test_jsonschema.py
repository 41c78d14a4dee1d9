from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dispatchfile import front
from dispatchfile.model import jsonschema as ours
from dispatchfile.model import render
from dispatchfile.model.decode import decode
from tests.model.helpers import pipeline, value
from tests.model.test_decode import WHOLE

ROOT = Path(__file__).parent.parent.parent


VALIDATOR = jsonschema.Draft7Validator(ours.schema())


def problems(data: object) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(data)]


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


# The schema and decoding agree: what one calls the wrong shape, the other does too.

SHAPE = {"DF101", "DF102", "DF103", "DF104", "DF301"}
SHAPED = """\
resource:
  src: {type: git, param: {url: u, revision: r}}
  cache: {type: storage, param: {type: gcs, location: l}, secret: {BOTO_CONFIG: {name: s, key: k}}}
task:
  build:
    inputs: [src]
    timeout: 1h
    metadata: {labels: {team: web}}
    volumes: [{name: tmp, emptyDir: {}}]
    steps:
    - name: compile
      image: i
      command: [go, build]
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: scm, key: token}}}]
      volumeMounts: [{name: tmp, mountPath: /tmp/x, readOnly: true}]
      resources: {limits: {memory: 1Gi}}
actions:
- tasks: [build]
  on: {git: {push: {branches: [main]}}}
- name: nightly
  tasks: [build]
  on: {cron: {schedule: "0 3 * * *"}}
"""


REMOVE, ADD = "remove it", "add a field beside it"


def places(data: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of everything below some data."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for part, below in pairs:
        yield (*path, part)
        yield from places(below, (*path, part))


@pytest.mark.parametrize(
    "instead", [True, 3, "text", ["text"], [{"x": "y"}], {"x": "y"}, [3], REMOVE, ADD], ids=repr
)
def test_a_broken_shape_is_one_for_the_schema_and_for_decoding(instead: object):
    for *above, last in places(value(SHAPED).plain()):
        broken = value(SHAPED).plain()
        holder: Any = broken
        for part in above:
            holder = holder[part]
        if instead is REMOVE:
            del holder[last]
        elif instead is not ADD:
            holder[last] = instead
        elif isinstance(holder, dict):
            holder["zzz"] = "text"
        said = [found.message for found in decode(value(json.dumps(broken)))[1] if found.code in SHAPE]
        assert bool(problems(broken)) == bool(said), (*above, last, problems(broken), said)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("examples/*/Dispatchfile")), ids=lambda path: path.parent.name
)
def test_every_example_as_yaml_is_valid(path: Path):
    reading = front.read_file(path)
    assert reading.value is not None
    made, _ = decode(reading.value)
    assert problems(value(render.yaml(render.data(made))).plain()) == []
