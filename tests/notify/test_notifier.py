"""What is sent, how often, and what becomes of what cannot be."""

from __future__ import annotations

import socket
import time

import pytest

from dispatchfile.notify import Occasion
from dispatchfile.notify.notifier import Notifier
from dispatchfile.notify.targets import Target, targets
from tests.notify.receiver import Receiver

SECRET = "a-secret-of-the-tests"
OCCASION = Occasion(
    "sync-failed",
    "web",
    "no <!here> & *stars*\x1b[31m",
    "https://git.example.test/a/b",
    "c" * 40,
    "https://x.test/1|<b>",
)


def told(receiver: Receiver, *occasions: Occasion, slack: bool = False, patience: float = 10.0) -> list[str]:
    variables = {"DISPATCHFILE_SLACK_URL": f"{receiver.url}/services/T0/B0/hush"}
    if not slack:
        variables = {
            "DISPATCHFILE_WEBHOOK_URL": f"{receiver.url}/hook",
            "DISPATCHFILE_WEBHOOK_SECRET": SECRET,
        }
    notes: list[str] = []
    notifier = Notifier(targets(environment=variables), notes.append, first_wait=0.02)
    for occasion in occasions:
        notifier.tell(occasion)
    notifier.close(patience)
    return notes


def test_the_webhook_is_signed() -> None:
    with Receiver() as receiver:
        assert told(receiver, OCCASION) == []
    (posted,) = receiver.posted
    assert posted.path == "/hook"
    assert posted.is_signed_with(SECRET)
    assert not posted.is_signed_with("another")
    assert not posted._replace(body=posted.body + b" ").is_signed_with(SECRET)
    later = str(int(posted.headers["x-dispatchfile-timestamp"]) + 1)
    assert not posted._replace(headers={**posted.headers, "x-dispatchfile-timestamp": later}).is_signed_with(
        SECRET
    )
    assert posted.headers["x-dispatchfile-event"] == posted.data["what"] == "sync-failed"
    assert (posted.data["app"], posted.data["revision"], posted.data["text"]) == (
        "web",
        "c" * 40,
        OCCASION.text,
    )
    assert abs(posted.data["time"] - time.time()) < 60


def test_slack_shows_it_as_text() -> None:
    with Receiver() as receiver:
        assert told(receiver, OCCASION, slack=True) == []
    (posted,) = receiver.posted
    assert posted.data["text"].splitlines() == [
        "*web*: sync failed",
        "no &lt;!here&gt; &amp; *stars* [31m",
        "https://git.example.test/a/b at cccccccccccc",
        "<https://x.test/1%7C%3Cb%3E>",
    ]
    assert "x-dispatchfile-signature-256" not in posted.headers


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_it_tries_again_with_the_same_delivery(status: int) -> None:
    with Receiver(status, status) as receiver:
        assert told(receiver, OCCASION) == []
    assert len(receiver.posted) == 3
    assert len({posted.headers["x-dispatchfile-delivery"] for posted in receiver.posted}) == 1
    assert all(posted.is_signed_with(SECRET) for posted in receiver.posted)


@pytest.mark.parametrize(("status", "tries"), [(500, 5), (404, 1), (403, 1), (302, 1)])
@pytest.mark.parametrize("slack", [True, False])
def test_what_it_gives_up_is_a_note_without_the_url(status: int, tries: int, slack: bool) -> None:
    with Receiver(*[status] * 9, headers={"Location": "/elsewhere"}) as receiver:
        notes = told(receiver, OCCASION, slack=slack)
    who = "Slack" if slack else "the webhook"
    assert notes == [f"{who} (127.0.0.1) was not told of sync-failed of web: it answered {status}"]
    assert len(receiver.posted) == tries


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        target = Target("it", f"http://127.0.0.1:{free.getsockname()[1]}/hush", "", ("sync-failed",))
    notes: list[str] = []
    notifier = Notifier([target], notes.append, first_wait=0.01)
    notifier.tell(OCCASION)
    notifier.close()
    assert notes == ["it was not told of sync-failed of web: it cannot be reached"]


def test_a_receiver_that_hangs_holds_nothing_up() -> None:
    with Receiver(2000) as receiver:
        start = time.monotonic()
        notes = told(receiver, OCCASION, OCCASION, patience=0.2)
        assert time.monotonic() - start < 1.5
    assert notes == ["notifications were not sent in time"]


def test_a_flood_is_dropped_with_notes() -> None:
    with Receiver(1200) as receiver:
        notes = told(receiver, *[OCCASION] * 230, patience=0.1)
    assert len([note for note in notes if "too much waits" in note]) >= 28


def test_only_the_chosen_occasions() -> None:
    with Receiver() as receiver:
        target = Target("it", receiver.url, SECRET, ("drift-found",))
        notifier = Notifier([target], pytest.fail)
        notifier.tell(OCCASION)
        notifier.tell(Occasion("drift-found", "web", "x"))
        notifier.close()
    assert [posted.data["what"] for posted in receiver.posted] == ["drift-found"]


def test_no_proxy_and_no_netrc_for_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "netrc").write_text("default login me password hunter2\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Receiver() as receiver:
        assert told(receiver, OCCASION) == []
    assert "authorization" not in receiver.posted[0].headers
