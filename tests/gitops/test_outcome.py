"""What an update prints in the end."""

from __future__ import annotations

import pytest

from dispatchfile import remote
from dispatchfile.gitops.message import Change
from dispatchfile.gitops.outcome import Outcome, as_text

PULL = "https://git.example.com/acme/gitops/pulls/1"


def test_values_that_are_no_images_are_not_shown() -> None:
    where = remote.parse("/srv/git/gitops.git")
    changes = (Change("a.yaml", "image", "web:1", "web:2"), Change("a.yaml", "password", "", "hunter2"))
    made = Outcome("pushed", "web", "main", "dispatch/update-web", "a" * 40, where, "b" * 40, changes=changes)
    assert as_text(made).splitlines()[1:3] == [
        "  a.yaml: image: web:1 -> web:2",
        "  a.yaml: password: changed",
    ]


def test_the_line_ends_of_dos_are_shown_as_git_does() -> None:
    where = remote.parse("/srv/git/gitops.git")
    diff = " image:\r\n-  tag: 1\r\n+  tag: 2\r\n"
    made = Outcome("pending", "web", "main", "dispatch/update-web", "a" * 40, where, diff=diff)
    assert as_text(made).splitlines()[-3:] == [" image:^M", "-  tag: 1^M", "+  tag: 2"]


@pytest.mark.parametrize("merged", [True, False])
def test_a_merge_is_told_and_the_url_is_last(merged: bool) -> None:
    where = remote.parse("https://git.example.com/acme/gitops.git")
    made = Outcome(
        "pushed",
        "web",
        "main",
        "dispatch/update-web",
        "a" * 40,
        where,
        "b" * 40,
        pull_request=PULL,
        merged=merged,
    )
    lines = as_text(made).splitlines()
    assert lines[0].startswith("pushed bbbb")
    assert ("merged into main" in lines) is merged
    assert lines[-1] == PULL
