"""Several updates at once on every forge, with real git over HTTP and pull requests; and what they must not give away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops import proposal
from dispatchfile.gitops.outcome import Outcome
from tests.gitops.conftest import DIGESTS, TEMPLATE, Site, git
from tests.gitops.forges.base import Fault, ForgeServer, basic
from tests.gitops.test_forges import BRANCH, argv
from tests.gitops.test_races import at_once


def test_eight_apps_at_once_are_all_proposed_and_merged(
    kind: str, look_alike: ForgeServer, forge_site: Site
) -> None:
    apps = [f"app{number}" for number in range(8)]
    forge_site.commit("apps", {f"{app}/app.yaml.tmpl": TEMPLATE for app in apps})
    git(forge_site.checkout, "push", "-q", str(forge_site.bare), "main")
    letters = dict(zip(apps, DIGESTS, strict=False))
    jobs = [
        (forge_site.checkout / app, [*argv(kind, letters[app]), "-merge-pull-request", f"--app={app}"])
        for app in apps
    ]
    done = at_once(forge_site, jobs)
    assert [(one.status, one.merged) for one in done] == [("pushed", True)] * 8
    assert len({one.pull_request for one in done}) == 8
    assert [pull.state for pull in look_alike.pulls] == ["merged"] * 8
    for app in apps:
        assert DIGESTS[letters[app]] in forge_site.show("main", f"{app}/app.yaml")


def test_five_updates_of_one_app_make_one_pull_request(
    kind: str, look_alike: ForgeServer, forge_site: Site
) -> None:
    jobs = [(forge_site.checkout, argv(kind, letter, f"r{letter}")) for letter in "abcde"]
    done = at_once(forge_site, jobs)
    assert {one.status for one in done} == {"pushed"}
    (pull,) = look_alike.pulls
    assert {one.pull_request for one in done} == {done[0].pull_request}
    assert git(forge_site.bare, "rev-list", "--count", f"main..{BRANCH}") == "1"
    (last,) = [one for one in done if one.commit == forge_site.tip(BRANCH)]
    assert (pull.state, pull.title) == ("open", last.title)


@pytest.mark.parametrize("merging", [False, True])
def test_who_was_overtaken_leaves_the_pull_request_to_the_other(
    kind: str, look_alike: ForgeServer, forge_site: Site, monkeypatch: pytest.MonkeyPatch, merging: bool
) -> None:
    """Pushed first, and at the forge last."""
    honest, others = proposal.propose, []

    def propose(*args: Any) -> Outcome:
        monkeypatch.setattr(proposal, "propose", honest)
        others.append(forge_site.update(*argv(kind, "b", "r2")))
        return honest(*args)

    monkeypatch.setattr(proposal, "propose", propose)
    slow = forge_site.update(*argv(kind, "a", "r1"), *(["-merge-pull-request"] if merging else []))
    assert (slow.pull_request, slow.merged) == (others[0].pull_request, False)
    assert "holds another update by now" in forge_site.notes[-1]
    (pull,) = look_alike.pulls
    assert (pull.state, pull.title) == ("open", "update templates for commit r2")
    assert DIGESTS["b"] in pull.body


def test_a_pull_request_that_the_other_opened_gets_our_text(
    kind: str, look_alike: ForgeServer, forge_site: Site
) -> None:
    """The other one pushed before us and opened it after we had looked."""
    forge_site.update(*argv(kind, "a", "r1"))
    look_alike.hidden_from_list = 1
    ours = forge_site.update(*argv(kind, "b", "r2"))
    (pull,) = look_alike.pulls
    assert pull.title == ours.title
    assert DIGESTS["b"] in pull.body


def test_an_older_build_that_ends_late_changes_nothing(
    kind: str, look_alike: ForgeServer, forge_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCHFILE_SOURCE_DATE", "2000")
    newer = forge_site.update(*argv(kind, "b", "newer"))
    look_alike.calls.clear()
    monkeypatch.setenv("DISPATCHFILE_SOURCE_DATE", "1000")
    late = forge_site.update(*argv(kind, "a", "older"))
    assert (late.status, look_alike.writes()) == ("superseded", [])
    assert forge_site.tip(BRANCH) == newer.commit
    assert DIGESTS["b"] in look_alike.pulls[0].body


def test_limits_and_failing_gateways_are_survived(
    kind: str, look_alike: ForgeServer, forge_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatchfile.gitops.forge.http.time.sleep", lambda _seconds: None)
    faults = [
        Fault(429, {"message": "slow down"}, {"Retry-After": "0"}, method="GET"),
        Fault(429, {"message": "slow down"}, {"Retry-After": "0"}, method="POST"),
        Fault(502, b"bad gateway", method="GET"),
        Fault(503, b"", method="POST"),
    ]
    with look_alike.bad_day(*faults):
        done = forge_site.update(*argv(kind))
    assert done.pull_request
    assert [fault.times for fault in faults] == [0, 0, 0, 0]
    assert len(look_alike.pulls) == 1


def test_the_token_is_seen_by_nobody(
    kind: str, look_alike: ForgeServer, forge_site: Site, tmp_path: Path
) -> None:
    """Not in what is printed, traced, asked for in a URL, given to programs as an argument, or left on the disk."""
    programs, arguments, temporary = tmp_path / "bin", tmp_path / "argv", tmp_path / "tmp"
    programs.mkdir()
    temporary.mkdir()
    real = shutil.which("git")
    (programs / "git").write_text(f'#!/bin/sh\necho "$0 $*" >> {arguments}\nexec {real} "$@"\n')
    (programs / "git").chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GIT_TRACE": "1",
        "GIT_TRACE_CURL": "1",
        "GIT_TRACE_REDACT": "0",
        "TMPDIR": str(temporary),
    }
    command = [sys.executable, "-m", "dispatchfile", "gitops", "update", *argv(kind), "-verbose"]
    command += ["-merge-pull-request", "--reviewer=ada"]
    done = subprocess.run(
        command, cwd=forge_site.checkout, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    asked = "\n".join(f"{call.path}?{call.query} {call.body}" for call in look_alike.calls)
    seen = done.stdout + done.stderr + arguments.read_text() + asked
    assert " push" in arguments.read_text()
    for form in (look_alike.token, basic("x-access-token", look_alike.token)):
        assert form not in seen
    assert list(temporary.iterdir()) == []
    config = (forge_site.checkout / ".git" / "config").read_text()
    assert look_alike.token not in config


def test_a_refusal_that_repeats_the_token_is_masked(
    kind: str, look_alike: ForgeServer, forge_site: Site
) -> None:
    fault = Fault(400, {"message": f"bad credentials {look_alike.token}"}, method="POST", times=9)
    with look_alike.bad_day(fault), pytest.raises(EnvironmentProblem, match="bad credentials") as caught:
        forge_site.update(*argv(kind))
    assert look_alike.token not in f"{caught.value.message} {caught.value.help}"
