"""Who is told: the environment, and files that the user's settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dispatchfile.config import settings
from dispatchfile.errors import UsageError
from dispatchfile.notify import WHATS
from dispatchfile.notify.targets import targets

HOOK = {"DISPATCHFILE_WEBHOOK_URL": "https://hooks.example.test/in", "DISPATCHFILE_WEBHOOK_SECRET": "s3cret"}


def secret(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


def test_nobody_by_default() -> None:
    assert targets(environment={}) == ()


def test_the_environment() -> None:
    slack, hook = targets(
        environment={"DISPATCHFILE_SLACK_URL": "https://slack.example.test/T/B/hush", **HOOK}
    )
    assert (slack.name, slack.secret, slack.on) == ("Slack (slack.example.test)", "", WHATS)
    assert (hook.url, hook.secret) == ("https://hooks.example.test/in", "s3cret")
    assert "hush" not in repr(slack)
    assert "s3cret" not in repr(hook)


def test_files_that_the_settings_name(tmp_path: Path) -> None:
    secret(tmp_path / "slack", "https://slack.example.test/T\n")
    (tmp_path / "dispatchfile").mkdir()
    (tmp_path / "dispatchfile/config.toml").write_text(
        '[notifications]\nslack-url-file = "../slack"\non = ["sync-failed", "drift-found"]\n'
    )
    made = settings(str(tmp_path), environment={"XDG_CONFIG_HOME": str(tmp_path)})["notifications"]
    (found,) = targets(made.value, made.origin, {})
    assert (found.url, found.on) == ("https://slack.example.test/T", ("sync-failed", "drift-found"))
    (found,) = targets(made.value, made.origin, {"DISPATCHFILE_NOTIFY": "sync-failed,sync-started"})
    assert found.on == ("sync-failed", "sync-started")


def test_a_project_names_nobody(tmp_path: Path) -> None:
    (tmp_path / ".dispatchfile.toml").write_text('[notifications]\nslack-url-file = "x"\n')
    with pytest.raises(UsageError, match='"notifications" is not a project\'s to decide'):
        settings(str(tmp_path), environment={"XDG_CONFIG_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("table", "variables", "message"),
    [
        (
            None,
            {"DISPATCHFILE_SLACK_URL": "http://slack.example.test/hush"},
            "is http, which others can read",
        ),
        (
            None,
            {"DISPATCHFILE_SLACK_URL": "https://me:hush@slack.example.test/"},
            "none that can be posted to",
        ),
        (None, {"DISPATCHFILE_SLACK_URL": "https://[hush"}, "none that can be posted to"),
        (None, {"DISPATCHFILE_SLACK_URL": "ftp://x/hush"}, "none that can be posted to"),
        (None, {"DISPATCHFILE_SLACK_URL": "https://x/hu\nsh"}, "none that can be posted to"),
        (None, {"DISPATCHFILE_WEBHOOK_URL": "https://x.test/hush"}, "no secret to sign"),
        (None, {**HOOK, "DISPATCHFILE_NOTIFY": "sync-faild"}, '"sync-faild" in DISPATCHFILE_NOTIFY'),
        ({"slack-url": "x"}, {}, 'unknown setting "notifications.slack-url" in'),
        ({"on": "all"}, {}, "must be a list of occasions"),
        ({"slack-url-file": 1}, {}, "must be the path of a file"),
        ("yes", {}, "must be a table"),
        ({"slack-url-file": "none"}, {}, "cannot read"),
        ({"slack-url-file": "open"}, {}, "others on this machine can read"),
        ({"slack-url-file": "empty"}, {}, "is empty"),
    ],
)
def test_mistakes_are_told_without_the_secret(
    tmp_path: Path, table: Any, variables: dict[str, str], message: str
) -> None:
    secret(tmp_path / "open", "https://hush.test/", 0o644)
    secret(tmp_path / "empty", "\n")
    with pytest.raises(UsageError, match=message) as caught:
        targets(table, str(tmp_path / "config.toml"), variables)
    assert "hush" not in caught.value.message + caught.value.help
