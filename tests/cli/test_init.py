"""Starter files: each one is clean in every flavour, fits its folder, and overwrites nothing."""

from __future__ import annotations

import json
import os
import re

import pytest

from dispatchfile import fmt, front
from dispatchfile.cli.init import NAMES, TEMPLATES
from dispatchfile.cli.main import main
from dispatchfile.lint.engine import inspect
from tests.event.repository import commit, git


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "My Shop!"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_every_template_is_offered() -> None:
    assert sorted(path.stem for path in TEMPLATES.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("flavour", ["cue", "yaml", "json"])
@pytest.mark.parametrize("template", NAMES)
def test_templates_are_clean(folder, capsys, template: str, flavour: str) -> None:
    assert main(["init", "--template", template, "--flavour", flavour]) == 0
    (path,) = folder.iterdir()
    assert path.name == ("Dispatchfile" if flavour == "cue" else f"Dispatchfile.{flavour}")
    source = front.open_source(path.name)
    assert front.flavour_of(source) == flavour
    assert inspect(source) == ()
    assert fmt.formatted(source) == source.text
    if flavour != "json":
        told = source.text.replace("//", "#")
        assert "# The commit that the event is about" in told


@pytest.mark.parametrize("template", NAMES)
def test_templates_name_no_registry_and_pin_their_images(template: str) -> None:
    for image in re.findall(r'image: "([^"]*)"', (TEMPLATES / f"{template}.cue").read_text()):
        assert re.fullmatch(r"[a-z-]+(/[a-z-]+)?:v?\d+(\.\d+)*", image), image


@pytest.mark.parametrize("template", NAMES)
def test_a_push_runs_something(folder, capsys, template: str) -> None:
    git(folder, "init", "--quiet", "--initial-branch", "main")
    main(["init", "--template", template])
    capsys.readouterr()
    commit(folder)
    assert main(["plan", "--event", "push", "--branch", "main", "--exit-code"]) == 0
    assert "fires: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "template", "why"),
    [
        ({"go.mod": "module x\n\ngo 1.23.4\n", "Dockerfile": ""}, "go", "there is a go.mod"),
        ({"pyproject.toml": ""}, "python", "there is a pyproject.toml"),
        ({"setup.py": ""}, "python", "there is a setup.py"),
        ({"package.json": "{}"}, "node", "there is a package.json"),
        ({"Dockerfile": ""}, "image", "there is a Dockerfile"),
        ({}, "shell", "none of go.mod, pyproject.toml, setup.py, package.json, Dockerfile is here"),
    ],
    ids=["go", "pyproject", "setup.py", "node", "image", "nothing"],
)
def test_the_folder_decides(folder, capsys, files, template: str, why: str) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    assert main(["init"]) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first == f'wrote Dispatchfile from the template "{template}": {why}'


def test_names_and_versions_come_from_the_folder(folder) -> None:
    (folder / "go.mod").write_text("module x\n\ngo 1.23.4\n")
    main(["init"])
    assert 'image: "golang:1.23"' in (folder / "Dispatchfile").read_text()
    main(["init", "-f", "ci.yaml", "--template", "gitops"])
    text = (folder / "ci.yaml").read_text()
    assert "url: 127.0.0.1:5000/my-shop:$(context.git.commit)" in text
    assert "my-app" not in text


@pytest.mark.parametrize("name", ["Dispatchfile", "Dispatchfile.json", "Dispatchfile.star"])
def test_a_second_one_is_refused(folder, capsys, name: str) -> None:
    (folder / name).write_text("mine")
    assert main(["init"]) == 2
    assert f"{name} exists already in this directory; nothing was written" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(name, "mine")]


def test_another_file_on_request(folder, capsys) -> None:
    (folder / "Dispatchfile").write_text("mine")
    assert main(["-f", "other.json", "init"]) == 0
    assert json.loads((folder / "other.json").read_text())["task"]
    assert "dispatchfile -f other.json plan" in capsys.readouterr().err
    assert main(["-f", "other.json", "init"]) == 2
    assert main(["-f", "no/such.json", "init"]) == 4
    assert main(["-f", "x.star", "init"]) == 2


def test_a_dangling_link_is_not_followed(folder, tmp_path) -> None:
    (folder / "Dispatchfile").symlink_to(tmp_path / "outside")
    assert main(["init"]) == 2
    assert not os.path.lexists(tmp_path / "outside")


def test_printed_or_told_why_not(folder, capsys) -> None:
    (folder / "Dispatchfile").write_text("mine")
    assert main(["init", "--template", "go", "-f", "-"]) == 0
    told = capsys.readouterr()
    assert told.out == (TEMPLATES / "go.cue").read_text()
    assert told.err == ""
    assert main(["init", "-f", "ci/Dispatchfile"]) == 4
    assert "there is no folder ci; make it first" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["Dispatchfile"]
