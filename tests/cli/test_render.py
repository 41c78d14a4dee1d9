from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from dispatchfile import front
from dispatchfile.cli.main import main
from dispatchfile.diagnostics import errors
from dispatchfile.source import Source

SAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "samples" / "dispatchfiles"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"

CUE = """\
user: "me"
resource "app": {type: "image", param url: user + "/app:$(context.build.name)"}
task "build": {
  outputs: ["app"]
  steps: [{name: "s", image: "i", args: ["--x=$(outputs.resources.app.url)", "true"]}]
}
actions: [{tasks: ["build"], on push branches: ["!master", "*"]}]
"""
YAML = """\
#!yaml
# vi:syntax=yaml

actions:
- "on":
    push:
      branches:
      - '!master'
      - '*'
  tasks:
  - build
resource:
  app:
    param:
      url: me/app:$(context.build.name)
    type: image
task:
  build:
    outputs:
    - app
    steps:
    - args:
      - --x=$(outputs.resources.app.url)
      - "true"
      image: i
      name: s
      resources: {}
"""
MODERN = """\
#!cue

resource: "app": {
  type: "image"
  param: url: "me/app:$(context.build.name)"
}

task: "build": {
  outputs: ["app"]
  steps: [
    {
      name: "s"
      image: "i"
      args: ["--x=$(outputs.resources.app.url)", "true"]
      resources: {}
    },
  ]
}

actions: [
  {
    tasks: ["build"]
    on: push: branches: ["!master", "*"]
  },
]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "Dispatchfile").write_text(CUE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "argv", [["render"], ["render", "Dispatchfile"], ["-f", "Dispatchfile", "render", "-o", "yaml"]]
)
def test_yaml(folder, capsys, argv):
    assert main(argv) == 0
    assert capsys.readouterr() == (YAML, "")


def test_json(folder, capsys):
    assert main(["render", "-o", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["actions", "resource", "task"]
    assert data["resource"]["app"]["param"] == {"url": "me/app:$(context.build.name)"}


def test_cue(folder, capsys):
    assert main(["render", "-o", "cue"]) == 0
    assert capsys.readouterr() == (MODERN, "")


def test_standard_input(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CUE.encode())))
    assert main(["render", "-"]) == 0
    assert capsys.readouterr().out == YAML


def test_errors_end_with_three_and_print_nothing(folder, capsys):
    (folder / "Dispatchfile").write_text(CUE.replace("outputs.resources", "inputs.resources"))
    assert main(["render"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "error[DF402]" in err
    assert "--> Dispatchfile:5:" in err


def _files() -> list[Path]:
    real = [path for path in sorted(SAMPLES.glob("*")) if path.suffix in (".cue", ".yaml")]
    return [*real, *sorted(EXAMPLES.glob("*/Dispatchfile*"))]


@pytest.mark.parametrize("path", _files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_output_is_a_dispatchfile_with_the_same_meaning(path, capsys):
    before, found = front.interpret(front.read_file(path))
    if errors(found):
        assert main(["render", str(path)]) == 3
        return
    assert main(["render", str(path)]) == 0
    text = capsys.readouterr().out
    after, found = front.interpret(front.read(Source("Dispatchfile", text)))
    assert errors(found) == []
    assert before is not None
    assert after is not None
    assert (after.actions, dict(after.resources), dict(after.tasks)) == (
        before.actions,
        before.resources,
        before.tasks,
    )
    assert after.value.data is not None
    again = after.value.plain()
    assert isinstance(again, dict)
    assert set(again) <= {"actions", "resource", "task"}


@pytest.mark.parametrize("path", _files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_rendering_again_changes_nothing_in_whatever_format(path, capsys, tmp_path):
    if main(["render", str(path)]) == 3:
        return
    capsys.readouterr()
    rendered = {}
    for form in ("yaml", "json", "cue"):
        assert main(["render", str(path), "-o", form]) == 0
        rendered[form] = capsys.readouterr().out
        (tmp_path / f"Dispatchfile.{form}").write_text(rendered[form])
    for source in rendered:
        for form, text in rendered.items():
            assert main(["render", str(tmp_path / f"Dispatchfile.{source}"), "-o", form]) == 0
            assert capsys.readouterr().out == text
    assert (
        main(["fmt", "--check", str(tmp_path / "Dispatchfile.cue"), str(tmp_path / "Dispatchfile.json")]) == 0
    )
