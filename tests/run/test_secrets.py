"""Where the values of secrets come from, and what is said when one is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.errors import UsageError
from dispatchfile.run.secrets import SecretNeed, collect, from_file, from_option, needs, variable
from tests.run.make import plan, task


def ref(name: str, key: str, **more: object) -> dict[str, object]:
    return {"valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def wanted(*steps: dict[str, object], volumes: object = ()) -> list[SecretNeed]:
    return needs(one.task for one in plan({"t": task(*steps, volumes=list(volumes))}).tasks)


def test_what_a_task_asks_for() -> None:
    steps = {
        "name": "s",
        "env": [{"name": "A", **ref("cred", "a")}, {"name": "B", **ref("cred", "b", optional=True)}],
    }
    again = {"name": "u", "env": [{"name": "X", **ref("cred", "b")}, {"name": "L", "value": "literal"}]}
    volumes = [
        {"name": "all", "secret": {"secretName": "ssh"}},
        {
            "name": "some",
            "secret": {"secretName": "gpg", "items": [{"key": "k", "path": "dir/k"}], "optional": True},
        },
        {"name": "none", "emptyDir": {}},
    ]
    found = [(str(need), need.optional) for need in wanted(steps, again, volumes=volumes)]
    assert found == [("cred/a", False), ("cred/b", False), ("ssh/*", False), ("gpg/k", True)]


A, B, OPTIONAL = (
    SecretNeed("cred", "a", False, "task t"),
    SecretNeed("my-cred", "b.c", False, "task u"),
    SecretNeed("x", "y", True, "t"),
)


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        pytest.param({"cred": {"a": "1"}, "my-cred": {"b.c": "2"}}, {}, {"cred": {"a": "1"}, "my-cred": {"b.c": "2"}}, id="given"),
        pytest.param(
            {"cred": {"a": "1", "unused": "9"}}, {"DISPATCHFILE_SECRET_MY_CRED_B_C": "2", "DISPATCHFILE_SECRET_CRED_A": "7"},
            {"cred": {"a": "1"}, "my-cred": {"b.c": "2"}}, id="given wins over the environment",
        ),
        pytest.param(
            {"cred": {"a": ""}, "my-cred": {"b.c": "2"}, "x": {"y": "z"}}, {},
            {"cred": {"a": ""}, "my-cred": {"b.c": "2"}, "x": {"y": "z"}}, id="empty is a value, optional is taken",
        ),
    ],
)  # fmt: skip
def test_collect(
    given: dict[str, dict[str, str]], environment: dict[str, str], expected: dict[str, dict[str, str]]
) -> None:
    assert collect([A, B, OPTIONAL], given, environment) == expected


def test_all_that_are_missing_are_named_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        collect([A, OPTIONAL, B], {}, {})
    assert raised.value.message == "no value for 2 secrets cred/a (task t), my-cred/b.c (task u)"
    assert "--secret cred/a" in raised.value.help
    assert raised.value.exit_code == 2


def test_what_is_missing_is_asked_for() -> None:
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "typed"

    assert collect([A, OPTIONAL], {}, {}, ask) == {"cred": {"a": "typed"}}
    assert asked == ["cred/a (task t): "]


def test_a_whole_secret_needs_at_least_one_key() -> None:
    whole = SecretNeed("ssh", "", False, "volume v")
    assert collect([whole], {"ssh": {"id": "k", "pub": "p"}}, {}) == {"ssh": {"id": "k", "pub": "p"}}
    with pytest.raises(UsageError, match="ssh/\\*") as caught:
        collect([whole], {}, {})
    assert "DISPATCHFILE_SECRET" not in caught.value.help  # no variable can name all keys


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("cred/a=v=w", {}, ("cred", "a", "v=w")),
        ("cred/a=", {}, ("cred", "a", "")),
        ("cred/TOKEN", {"TOKEN": "t"}, ("cred", "TOKEN", "t")),
        ("cred/TOKEN", {"TOKEN": "t", "DISPATCHFILE_SECRET_CRED_TOKEN": "d"}, ("cred", "TOKEN", "d")),
    ],
)
def test_option(text: str, environment: dict[str, str], expected: tuple[str, str, str]) -> None:
    assert from_option(text, environment) == expected


@pytest.mark.parametrize("text", ["cred", "cred=v", "/a=v", "cred/=v", "cred/a"])
def test_wrong_options(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        from_option(text, {})
    assert "v" not in raised.value.message.replace("value", "")


def test_the_variable_of_a_secret() -> None:
    assert variable("my-cred", "b.c") == "DISPATCHFILE_SECRET_MY_CRED_B_C"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("cred: {a: '007', b: 'x y'}\n", id="YAML"),
        pytest.param("# comment\ncred/a=007\n\ncred/b='x y'\n", id="lines"),
        pytest.param('{"cred": {"a": "007", "b": "x y"}}', id="JSON"),
    ],
)
def test_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets"
    path.write_text(text)
    path.chmod(0o600)
    assert from_file(path) == {"cred": {"a": "007", "b": "x y"}}


def test_lines_of_a_secret_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text("ssh:\n  key: |\n    one\n    two\n  number: 007\n")
    path.chmod(0o600)
    assert from_file(path) == {"ssh": {"key": "one\ntwo\n", "number": "007"}}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secrets"
    path.write_text("a: {b: c}")
    path.chmod(mode)
    with pytest.raises(UsageError, match="others than you") as raised:
        from_file(path)
    assert raised.value.help == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "text",
    [
        "cred: token", "- a", "cred: {a: [1]}", "cred: {a: !!python/object/apply:os.system [id]}", "a: {b", "a/b=c\nnonsense",
        "x: &x [*x]", "plain",
    ],
)  # fmt: skip
def test_files_that_hold_something_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UsageError):
        from_file(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the secrets"):
        from_file(tmp_path / "none")
