"""An update that opens a pull request tells of it, once, and is not held up by who does not listen."""

from __future__ import annotations

import pytest

from tests.gitops.conftest import DIGESTS, Site
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
