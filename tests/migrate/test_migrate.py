"""A file in today's words: every kind of deprecated syntax, in every flavour, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile import fmt, front
from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError
from dispatchfile.lint import engine
from dispatchfile.lint.engine import inspect
from dispatchfile.lint.settings import Settings
from dispatchfile.migrate import migrate as module
from dispatchfile.migrate.migrate import RULES, migrate, spelled_alike
from dispatchfile.source import Source

SAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "samples"

OLD = """\
#!mesosphere/dispatch-cue:v0.3
// who pushes
user: "me"
resource "src": {type: "git", param url: "$(context.git.url)"}
resource "app": {type: "image", params: url: user + "/app"} // the image
task "test": {inputs: ["src"], steps: [{name: "t", image: "golang:1.22"}]}
task "build": {
  inputs: ["src"]
  deps: ["test"]
  outputs: ["app"]
  steps: [{name: "b", image: "golang:1.22"}]
}
actions: [
  {tasks: ["build"], on push branches: ["main"]},
  {tasks: ["test"], on pull_request: {branches: ["main"], chatops: ["/test"]}},
  {name: "nightly", tasks: ["test"], on cron: {schedule: "@daily", revision: "main"}},
]
"""
NEW = """\
#!cue
// who pushes
user: "me"
resource: "src": {type: "git", param: url: "$(context.git.url)"}
resource: "app": {type: "image", param: url: user + "/app"} // the image
task: "test": {inputs: ["src"], steps: [{name: "t", image: "golang:1.22"}]}
task: "build": {
  inputs: ["src", "test"]
  outputs: ["app"]
  steps: [{name: "b", image: "golang:1.22"}]
}
actions: [
  {tasks: ["build"], on: git: push: branches: ["main"]},
  {tasks: ["test"], on: git: pull_request: {targets: ["main"], chatops: ["test"]}},
  {name: "nightly", tasks: ["test"], on: cron: {schedule: "@daily", git: revision: "main"}},
]
"""
YAML = """\
#!yaml
# who pushes

resource:
  src:
    type: git
    param:
      url: $(context.git.url)
  app:  # the image
    type: image
    param:
      url: me/app

task:
  test:
    inputs:
    - src
    steps:
    - name: t
      image: golang:1.22
  build:
    inputs:
    - src
    - test
    outputs:
    - app
    steps:
    - name: b
      image: golang:1.22

actions:
- tasks:
  - build
  on:
    git:
      push:
        branches:
        - main
- tasks:
  - test
  on:
    git:
      pull_request:
        targets:
        - main
        chatops:
        - test
- name: nightly
  tasks:
  - test
  on:
    cron:
      schedule: '@daily'
      git:
        revision: main
"""


def pipeline_of(source: Source):
    return spelled_alike(front.interpret(front.read(source))[0])


def test_every_deprecated_spelling() -> None:
    done = migrate(Source("Dispatchfile", OLD))
    assert done.text == NEW
    assert done.remarks == ()
    assert migrate(Source("Dispatchfile", NEW)).text == NEW


def test_to_yaml() -> None:
    done = migrate(Source("Dispatchfile", OLD), "yaml")
    assert done.text == YAML
    assert done.remarks == (
        "references and expressions are resolved: their values stand there now",
        "the helper field user served references only and is left out",
    )


def test_yaml_to_cue_is_formatted_and_says_the_same() -> None:
    done = migrate(Source("Dispatchfile.yaml", YAML), "cue")
    assert fmt.formatted(Source("Dispatchfile", done.text)) == done.text
    assert pipeline_of(Source("Dispatchfile", done.text)) == pipeline_of(Source("Dispatchfile", OLD))
    assert done.text.startswith("#!cue\n// who pushes\n")
    assert 'app": { // the image\n' in done.text


def test_the_flavour_it_has_already() -> None:
    assert migrate(Source("Dispatchfile.yaml", YAML), "yaml").text == YAML


@pytest.mark.parametrize(
    ("first", "new"),
    [
        ("#!mesosphere/dispatch-yaml:v0.3", "#!yaml"),
        ("#!takirala/dispatch-yaml:v0.5-beta1", "#!yaml"),
        ("#!yaml", "#!yaml"),
        ("# yaml", "# yaml"),
    ],
)
def test_first_line(first: str, new: str) -> None:
    text = YAML.removeprefix("#!yaml")
    assert migrate(Source("Dispatchfile.yaml", first + text)).text == new + text


def test_yaml_in_its_own_words() -> None:
    old = YAML.replace(
        "    git:\n      push:\n        branches:\n        - main", "    push: {branches: [main]}  # c"
    )
    assert "git:\n      push: {branches: [main]}  # c\n" in migrate(Source("x.yaml", old)).text


def test_old_json() -> None:
    old = """{"task": {"t": {"steps": [{"name": "s", "image": "i:1"}]}},
 "actions": [{"tasks": ["t"], "on": {"push": {}}}]}\n"""
    done = migrate(Source("Dispatchfile.json", old)).text
    assert '"on": {"git": {"push": {}}}' in done
    assert "on: git: push: {}\n" in migrate(Source("Dispatchfile.json", old), "cue").text


def test_what_only_the_value_shows_is_mended_in_the_other_flavour() -> None:
    text = """\
#old: on: push: {}
task: t: {inputs: ["s"], steps: [{name: "s", image: "i:1"}]}
resource: s: {type: "git", param: url: "u"}
actions: [#old & {tasks: ["t"], ...}]
""".replace(", ...", "").replace("#old: on: push: {}", "#old: {on: push: {}, ...}")
    assert "push" in migrate(Source("Dispatchfile", text)).text
    assert "git:\n      push: {}" in migrate(Source("Dispatchfile", text), "yaml").text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task: {", "not migrated: 1 error"),
        ("a: 1\na: 2\n", "not migrated: 1 error"),
        ("#!toml\n", "not migrated: 1 error"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message) as caught:
        migrate(Source("Dispatchfile", text))
    assert caught.value.diagnostics


def test_another_pipeline_is_refused(monkeypatch) -> None:
    other = engine.subject(Source("Dispatchfile", NEW.replace("golang:1.22", "golang:1.23")))
    monkeypatch.setattr(module, "_fixed", lambda subject: other)
    with pytest.raises(EvaluationError, match="the pipeline would not be the same"):
        migrate(Source("Dispatchfile", OLD))


@pytest.mark.skipif(not SAMPLES.exists(), reason="no samples here")
def test_real_files() -> None:
    """Nothing fixable is left, migrating again changes nothing, and the other flavours say the same."""
    done = 0
    for path in sorted(SAMPLES.glob("dispatchfiles/*")):
        if path.suffix in (".err", ".json", ".md") or errors(front.read_file(path).diagnostics):
            continue
        source = front.open_source(path)
        made = Source(source.name, migrate(source).text)
        left = [one for one in inspect(made, Settings(select=RULES)) if one.fix is not None and one.fix.safe]
        assert not left, path
        assert migrate(made).text == made.text, path
        for flavour in ("yaml", "json"):
            other = migrate(source, flavour).text
            assert pipeline_of(Source(f"x.{flavour}", other)) == pipeline_of(source), path
        done += 1
    assert done > 10


def test_old_syntax_whose_order_counts_stays(monkeypatch) -> None:
    text = "a: [v for k, v in {x: 1, y: 2}]\n"
    assert migrate(Source("Dispatchfile", text)).text == "a: [for k, v in {x: 1, y: 2} {v}]\n"
    monkeypatch.setattr(
        "dispatchfile.migrate.modern.modern", lambda source, _: Source(source.name, "a: [2, 1]\n")
    )
    done = migrate(Source("Dispatchfile", text))
    assert done.text == text
    assert done.remarks == ("the old syntax of CUE stays: in today's the value would not be the same",)


@pytest.mark.parametrize("own", ["", "x:   1\n"], ids=["of fmt", "another"])
def test_a_file_in_the_layout_of_fmt_stays_in_it(own) -> None:
    line = f'actions: [{{tasks: ["{"t" * 52}"], on push branches: ["main"]}}]\n'
    done = migrate(Source("Dispatchfile", line + own)).text
    assert "on: git: push: branches" in done
    assert len(done.split("\n")[0]) > len(line) if own else fmt.formatted(Source("", done)) == done
