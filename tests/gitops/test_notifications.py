"""An update that opens a pull request tells of it, once, and is not held up by who does not listen."""

from __future__ import annotations

import pytest

from tests.gitops.conftest import DIGESTS, Site
from tests.gitops.forges.base import Fault
from tests.gitops.forges.github import GitHubServer
from tests.notify.receiver import Receiver

SECRET = "a-secret-of-the-tests"


def test_an_opened_pull_request_is_told_once(
    hub: GitHubServer, hub_site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cli.main import main

    monkeypatch.chdir(hub_site.checkout)
    argv = [
        "gitops",
        "update",
        "-git-revision=r1",
        f"-substitute=imageName={DIGESTS['a']}",
        "-scm-provider=github",
    ]
    with Receiver() as receiver:
        monkeypatch.setenv("DISPATCHFILE_WEBHOOK_URL", receiver.url)
        monkeypatch.setenv("DISPATCHFILE_WEBHOOK_SECRET", SECRET)
        for _ in range(2):
            assert main([*argv, f"-api-endpoint={hub.url}/api/v3"]) == 0
            url = capfd.readouterr().out.splitlines()[-1]
    (posted,) = receiver.posted
    assert posted.is_signed_with(SECRET)
    assert (posted.data["what"], posted.data["url"], posted.data["app"]) == (
        "pull-request-opened",
        url,
        "web",
    )
    assert DIGESTS["a"] in posted.data["text"]


def test_one_that_is_opened_and_not_completed_is_told_too(
    hub: GitHubServer, hub_site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cli.main import main

    monkeypatch.chdir(hub_site.checkout)
    api = f"-api-endpoint={hub.url}/api/v3"
    argv = ["gitops", "update", f"-substitute=imageName={DIGESTS['a']}", "-scm-provider=github", api]
    hub.faults.append(Fault(422, {"message": "Could not resolve to a User"}, path="requested_reviewers"))
    with Receiver() as receiver:
        monkeypatch.setenv("DISPATCHFILE_WEBHOOK_URL", receiver.url)
        monkeypatch.setenv("DISPATCHFILE_WEBHOOK_SECRET", SECRET)
        assert main([*argv, "-reviewer=nobody"]) == 4
    (posted,) = receiver.posted
    url = posted.data["url"]
    assert posted.data["what"] == "pull-request-opened"
    assert url.endswith("/pull/1")
    err = capfd.readouterr().err
    assert f"{url} is open, and not all that was asked for it is done\n" in err
    assert "error: cannot ask for reviews of pull request 1" in err
