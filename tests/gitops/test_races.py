"""Several updates at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dispatchfile.gitops import flags
from dispatchfile.gitops.outcome import Outcome
from dispatchfile.gitops.update import update
from tests.gitops.conftest import DIGESTS, TEMPLATE, Site, git


def at_once(site: Site, jobs: list[tuple[Path, list[str]]]) -> list[Outcome]:
    start = threading.Barrier(len(jobs))

    def one(job: tuple[Path, list[str]]) -> Outcome:
        start.wait()
        return update(job[0], flags.parse(job[1]), lambda _note: None)

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(one, jobs))


def test_eight_apps_pushed_straight_to_the_base(tmp_path: Path) -> None:
    apps = [f"app{number}" for number in range(8)]
    site = Site.make(tmp_path, {f"{app}/app.yaml.tmpl": TEMPLATE for app in apps})
    jobs = [
        (
            site.checkout / app,
            [f"-substitute=imageName={DIGESTS[str(number)]}", "-branch=main", "-create-pull-request=false"],
        )
        for number, app in enumerate(apps)
    ]
    assert [done.status for done in at_once(site, jobs)] == ["pushed"] * 8
    assert git(site.bare, "rev-list", "--count", "main") == "9"
    for number, app in enumerate(apps):
        assert DIGESTS[str(number)] in site.show("main", f"{app}/app.yaml")


def test_five_updates_of_one_app_leave_one_commit_on_one_branch(site: Site) -> None:
    jobs = [
        (site.checkout, [f"-git-revision=r{number}", f"-substitute=imageName={DIGESTS[str(number)]}"])
        for number in range(5)
    ]
    outcomes = at_once(site, jobs)
    assert {done.status for done in outcomes} == {"pushed"}
    assert site.branches() == {"main", "dispatch/update-web"}
    assert git(site.bare, "rev-list", "--count", "main..dispatch/update-web") == "1"
    assert site.tip("dispatch/update-web") in {done.commit for done in outcomes}


def test_the_same_update_twice_at_once_is_made_once(site: Site) -> None:
    argv = ["-git-revision=r1", f"-substitute=imageName={DIGESTS['a']}"]
    statuses = sorted(done.status for done in at_once(site, [(site.checkout, argv)] * 3))
    assert set(statuses) <= {"pushed", "unchanged"}
    assert "pushed" in statuses
    assert git(site.bare, "rev-list", "--count", "main..dispatch/update-web") == "1"
