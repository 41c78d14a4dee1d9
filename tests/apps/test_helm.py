"""Helm charts. A program stands in for `helm` and writes down how it was called; no helm is packaged for this machine."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from dispatchfile.apps import helm, tools
from dispatchfile.apps.app import App
from dispatchfile.apps.export import SourceProblem
from dispatchfile.errors import EnvironmentProblem

STANDIN = """\
#!{python}
import json, os, sys
json.dump({{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}}, open({told!r}, "w"))
if "--set=fail=yes" in sys.argv:
    sys.exit("Error: execution error at (web/templates/a.yaml:3): " + os.getcwd() + "/values.yaml is bad")
print("---\\n# Source: web/templates/a.yaml\\napiVersion: v1\\nkind: ConfigMap\\nmetadata: {{name: a}}")
print("---\\n# Source: web/templates/b.yaml\\napiVersion: v1\\nkind: ConfigMap\\nmetadata: {{name: b}}")
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "helm"
    program.parent.mkdir()
    program.write_text(STANDIN.format(python=sys.executable, told=str(tmp_path / "told.json")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path / "told.json"


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "repo" / "charts" / "web"
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (folder / "staging.yaml").write_text("a: 1\n")
    return folder


def template(chart: Path, **fields: object) -> list[str]:
    app = App("shop", "/r", namespace="prod", **fields)  # type: ignore[arg-type] # any field
    return [one.place for one in helm.template(app, chart.parents[1], chart)]


def test_how_helm_is_called(told: Path, chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_USER", "geheim")
    assert template(chart, values=("staging.yaml",), settings=("a.b=c", "--x=y")) == [
        "web/templates/a.yaml", "web/templates/b.yaml",
    ]  # fmt: skip
    found = json.loads(told.read_text())
    assert found["argv"] == [
        "template", "shop", ".", "--namespace=prod", "--include-crds", f"--values={chart}/staging.yaml",
        "--set=a.b=c", "--set=--x=y",
    ]  # fmt: skip
    assert found["cwd"] == str(chart)
    assert "SECRET_OF_USER" not in found["env"]
    assert found["env"]["HELM_PLUGINS"] != os.environ.get("HELM_PLUGINS")
    assert found["env"]["HTTPS_PROXY"] == "http://127.0.0.1:9"


def test_what_helm_says_is_told_without_our_folders(told: Path, chart: Path) -> None:
    with pytest.raises(SourceProblem) as caught:
        template(chart, settings=("fail=yes",))
    assert caught.value.message == (
        "helm cannot render charts/web: Error: execution error at (web/templates/a.yaml:3): charts/web/values.yaml is bad"
    )


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ("../../../outside.yaml", "does not lie in the repository"),
        ("/etc/passwd", "does not lie"),
        ("no.yaml", "there is no values file"),
    ],
)
def test_values_that_are_not_of_the_repository(told: Path, chart: Path, values: str, why: str) -> None:
    (chart.parents[2] / "outside.yaml").write_text("a: 1")
    with pytest.raises(SourceProblem, match=why):
        template(chart, values=(values,))
    assert not told.exists()


def test_a_dependency_that_would_be_fetched(told: Path, chart: Path) -> None:
    with (chart / "Chart.yaml").open("a") as file:
        file.write("dependencies: [{name: redis, version: 1.x, repository: 'https://charts.example.com'}]\n")
    with pytest.raises(SourceProblem, match="depends on the chart 'redis', which is not in charts/"):
        template(chart)
    (chart / "charts" / "redis").mkdir(parents=True)
    assert len(template(chart)) == 2


def test_a_machine_without_helm(chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EnvironmentProblem, match="no program `helm`") as caught:
        template(chart)
    assert "commit what `helm template` makes" in caught.value.help


def test_a_helm_that_hangs(chart: Path, told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (told.parent / "bin" / "helm").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    monkeypatch.setattr(tools, "TIMEOUT", 0.2)
    with pytest.raises(SourceProblem, match="took longer than"):
        template(chart)
