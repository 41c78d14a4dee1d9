from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.config import Setting, settings
from dispatchfile.errors import UsageError


def made(folder: Path, *, project: str = "", user: str = "", **variables: str) -> dict[str, Setting]:
    """Return the settings of a folder `repo/sub` with a project's and a user's file."""
    sub = folder / "repo" / "sub"
    sub.mkdir(parents=True)
    (folder / "repo/.git").mkdir()
    if project:
        (folder / "repo/.dispatchfile.toml").write_text(project)
    if user:
        (folder / "xdg/dispatchfile").mkdir(parents=True)
        (folder / "xdg/dispatchfile/config.toml").write_text(user)
    return settings(str(sub), environment={"XDG_CONFIG_HOME": str(folder / "xdg"), **variables})


def test_environment_counts_before_project_before_user(tmp_path: Path):
    found = made(
        tmp_path, user='jobs = 1\ncolor = "never"\npull = "never"\n', project="jobs = 2\n[lint]\nselect = []\n",
        DISPATCHFILE_COLOR="always",
    )  # fmt: skip
    assert found == {
        "jobs": Setting(2, str(tmp_path / "repo/.dispatchfile.toml")),
        "lint": Setting({"select": []}, str(tmp_path / "repo/.dispatchfile.toml")),
        "color": Setting("always", "DISPATCHFILE_COLOR"),
        "pull": Setting("never", str(tmp_path / "xdg/dispatchfile/config.toml")),
    }


def test_search_ends_at_the_git_root(tmp_path: Path):
    (tmp_path / ".dispatchfile.toml").write_text("jobs = 9\n")
    assert made(tmp_path) == {}


@pytest.mark.parametrize(
    ("project", "variables", "told"),
    [
        ("jbos = 2\n", {}, 'unknown setting "jbos"'),
        ("jobs = '2'\n", {}, "must be a number, not '2'"),
        ("offline = 1\n", {}, "must be true or false"),
        ("color = 'red'\n", {}, "'red'"),
        ("jobs = \n", {}, "is not valid TOML"),
        ("", {"DISPATCHFILE_JOBS": "many"}, '"jobs" in DISPATCHFILE_JOBS must be a number'),
        ("", {"DISPATCHFILE_CONFIG": "/no/such.toml"}, "cannot read the settings in /no/such.toml"),
    ],
)
def test_mistakes_are_told_with_their_origin(
    tmp_path: Path, project: str, variables: dict[str, str], told: str
):
    with pytest.raises(UsageError) as caught:
        made(tmp_path, project=project, **variables)
    assert told in caught.value.message


def test_near_miss_of_a_setting(tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        made(tmp_path, project="docker_host = 'x'\n")
    assert caught.value.help == 'did you mean "docker-host"?'


@pytest.mark.parametrize("name", ["cache-dir", "docker-host"])
def test_what_a_project_must_not_decide(tmp_path: Path, name: str):
    assert made(tmp_path / "user", user=f'{name} = "x"\n')[name].value == "x"
    with pytest.raises(UsageError, match=f'"{name}" is not a project\'s to decide') as caught:
        made(tmp_path, project=f'{name} = "x"\n')
    assert caught.value.help.endswith(f"set DISPATCHFILE_{name.upper().replace('-', '_')}")
    named = str(tmp_path / "repo/.dispatchfile.toml")
    assert settings(str(tmp_path), named, {"XDG_CONFIG_HOME": str(tmp_path)})[name].origin == named


def test_settings_of_lint_belong_to_the_project(tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        made(tmp_path, user="[lint]\nignore = ['DF601']\n")
    assert "config.toml has settings of lint" in caught.value.message
    assert caught.value.help == "put [lint] into the project's .dispatchfile.toml"
