"""What came of an update, and how it is told."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Literal

from dispatchfile.gitops.message import Change
from dispatchfile.record import Record
from dispatchfile.remote import Remote

Status = Literal["nothing", "unchanged", "pending", "pushed", "superseded"]


class Outcome(Record):
    """The end of an update.

    `status`: "nothing" to do, the branch was there "unchanged", it was "pushed", it is "pending" because it was only
    shown, or it was "superseded" by a newer one. `commit` is the update's commit, `parent` the base's; `files` are those that it
    makes, `proposes` says that a pull request belongs to it, `opened` that it was not there before.
    """

    status: Status
    app: str
    base: str
    branch: str
    parent: str
    remote: Remote
    commit: str = ""
    title: str = ""
    message: str = ""
    body: str = ""
    diff: str = ""
    changes: tuple[Change, ...] = ()
    files: tuple[str, ...] = ()
    proposes: bool = False
    pull_request: str = ""
    opened: bool = False
    merged: bool = False


def as_json(outcome: Outcome) -> str:
    """Return the outcome as one JSON object."""
    plain = {name: getattr(outcome, name) for name in Outcome._fields if name not in ("remote", "changes")}
    changes = [{name: getattr(change, name) for name in Change._fields} for change in outcome.changes]
    return json.dumps({**plain, "remote": outcome.remote.url, "changes": changes}, indent=2)


def as_text(outcome: Outcome) -> str:
    """Return what to print: what was done or would be, and how to go on; a pull request's URL is the last line."""
    return "\n".join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    where = f"{outcome.branch} of {outcome.remote.url}"
    if outcome.status == "nothing":
        yield f"nothing to do: {outcome.base} of {outcome.remote.url} is up to date"
    elif outcome.status == "superseded":
        yield "nothing was pushed: a newer update is there"
    elif outcome.status == "pending":
        yield f"would push to {where}, on top of {outcome.base} ({outcome.parent[:12]}):"
        # The line ends of DOS as git shows them, for a terminal gets no control characters.
        diff = outcome.diff.rstrip("\r\n").replace("\r\n", "^M\n")
        yield from ("", outcome.message.rstrip("\n"), "", diff)
        if outcome.proposes:
            yield from ("", f"would open a pull request to {outcome.base}: {outcome.title}")
    else:
        done = "pushed" if outcome.status == "pushed" else "already there:"
        yield (
            f"{done} {outcome.commit} to {where}"
            if outcome.status == "pushed"
            else f"{done} {outcome.commit} on {where}"
        )
        for change in outcome.changes:
            before = f"{change.before} -> " if change.before else ""
            # Any other value might be a secret, and this is read in logs.
            shown = f"{before}{change.now}" if change.image else "changed"
            yield f"  {change.file}: {change.name}: {shown}"
        if outcome.merged:
            yield f"merged into {outcome.base}"
        if outcome.pull_request:
            yield outcome.pull_request
        elif outcome.branch != outcome.base:
            yield from review(outcome)


def review(outcome: Outcome) -> Iterator[str]:
    """Return the commands that show and merge the branch where no pull request does."""
    base, branch = shlex.quote(outcome.base), shlex.quote(outcome.branch)
    if outcome.remote.scheme == "file":
        git = f"git -C {shlex.quote(outcome.remote.path)}"
        yield f"review:  {git} diff {base}...{branch}"
        yield f"merge:   {git} fetch . {branch}:{base}"
        return
    yield f"review:  git fetch origin && git diff origin/{base}...origin/{branch}"
    yield f"merge:   git push origin origin/{branch}:{base}"
