"""From options and repository to an event: what is given counts, the rest is looked up, and guesses are told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.event import checkout
from dispatchfile.event.event import Event
from dispatchfile.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from typing import Any

    from dispatchfile.event.checkout import Checkout
    from dispatchfile.model.pipeline import ConditionKind

    Tell = Callable[[str], None]

# Which options say something about which event; --commit and --build-name go with all of them.
OPTIONS: Mapping[str, frozenset[str]] = {
    "push": frozenset(("branch", "base", "path")),
    "tag": frozenset(("tag",)),
    "pull_request": frozenset(("source", "target", "number", "label", "chatop", "base", "path")),
    "release": frozenset(("tag",)),
    "cron": frozenset(("action", "branch")),
    "image": frozenset(("tag",)),
}

LARGEST_PAYLOAD = 25 * 1024 * 1024  # the most that GitHub sends


def simulate(args: argparse.Namespace, tell: Tell, look: Callable[[], Checkout] | None = None) -> Event:
    """Return the event of the options of `options.add_event_options`; `tell` gets a line for what was guessed.

    `look` returns the facts of the repository, by default as git says them now.

    Raises UsageError and EnvironmentProblem.
    """
    look = look or checkout.read
    given = _given(args)
    asked = args.event.replace("-", "_") if args.event else None
    if args.event_file:
        return _from_payload(args.event_file, asked, given, tell, look)
    here = look()
    if not here.commit:
        raise EnvironmentProblem(f"{here.root} has no commit yet", help="make one: git add … && git commit")
    kind = asked or _guess(given, here)
    _refuse_foreign(kind, given)
    event = _with_facts(Event(kind, url=here.url, user=_account()), here, given, tell)
    if asked is None:
        origin = "the options" if given.keys() - {"commit", "build_name"} else "HEAD"
        tell(f"{describe(event)}, guessed from {origin}; --event chooses another")
    return event


def describe(event: Event) -> str:
    """Return an event in words: `a push to main at 1a2b3c4d5e`."""
    words = {
        "push": f"a push to {event.branch or 'an unknown branch'}",
        "tag": f"the tag {event.tag}",
        "pull_request": f"the pull request {f'#{event.number}' if event.number else f'from {event.source}'}",
        "release": f"the release {event.tag}",
        "cron": f"the schedule of {event.action or 'every cron action'}",
        "image": f"a pushed image{f' with tag {event.tag}' if event.tag else ''}",
    }[event.kind]
    if event.kind == "pull_request" and event.target:
        words += f" into {event.target}"
    if event.chatop:
        words += f' with the comment "/{" ".join(event.chatop)}"'
    return f"{words} at {event.commit[:10]}" if event.commit else words


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given, in the form in which an event has them; raises UsageError."""
    names = ("branch", "tag", "commit", "base", "source", "target", "number", "action", "build_name")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    for name, value in given.items():
        if value == "":
            raise UsageError(f"--{name.replace('_', '-')} is empty")
    if args.label is not None:
        given["label"] = tuple(label for label in args.label if label)
    if args.path is not None:
        given["path"] = tuple(path.removeprefix("./") for path in args.path)
    if args.path is not None and args.base is not None:
        raise UsageError(
            "--path and --base exclude each other", help="give the paths, or what to compare with"
        )
    if args.chatop is not None:
        words = tuple(args.chatop.strip().removeprefix("/").split())
        if not words:
            raise UsageError("--chatop is empty", help='write the comment, as in --chatop "/test fast"')
        given["chatop"] = words
    return given


def _guess(given: Mapping[str, Any], here: Checkout) -> ConditionKind:
    """Return the kind of event: the first that the options point at, else a tag on a detached HEAD, else a push."""
    if given.keys() & {"source", "target", "number", "label", "chatop"}:
        return "pull_request"
    if "action" in given:
        return "cron"
    if "tag" in given or (here.branch is None and here.tags and "branch" not in given):
        return "tag"
    return "push"


def _refuse_foreign(kind: str, given: Mapping[str, Any]) -> None:
    foreign = sorted(given.keys() - OPTIONS[kind] - {"commit", "build_name"})
    if foreign:
        takers = [other for other, names in OPTIONS.items() if foreign[0] in names]
        raise UsageError(
            f"--{foreign[0]} does not go with --event {kind.replace('_', '-')}",
            help=f"it belongs to --event {' or '.join(takers).replace('_', '-')}",
        )


class _Facts(Record):
    """What the options and the repository say about the event's subject: fields of Event, and revisions to try."""

    fields: Mapping[str, Any]
    revisions: tuple[str, ...]


def _with_facts(event: Event, here: Checkout, given: Mapping[str, Any], tell: Tell) -> Event:
    facts = _subject(event.kind, here, given, tell)
    commit = _commit(here, given, facts.revisions)
    paths = _changed(here, given["base"], commit) if "base" in given else given.get("path")
    return replace(event, commit=commit, paths=paths, build=given.get("build_name"), **facts.fields)


def _changed(here: Checkout, base: str, commit: str) -> tuple[str, ...]:
    start = checkout.commit_of(here.root, base)
    if start is None:
        raise UsageError(f'--base "{base}" is no commit of this repository', help="git fetch, or another one")
    return checkout.changed_paths(here.root, start, commit)


def _subject(kind: str, here: Checkout, given: Mapping[str, Any], tell: Tell) -> _Facts:
    if kind == "pull_request":
        source = given.get("source", here.branch)
        target = given.get("target")
        if target is None and (target := checkout.default_branch(here.root)):
            tell(f"the target branch is {target}, the default of origin; --target chooses another")
        fields = {"source": source, "target": target, "number": given.get("number")}
        fields |= {"labels": given.get("label"), "chatop": given.get("chatop")}
        return _Facts(fields, (source,) if "source" in given and source != here.branch else ())
    if kind in ("tag", "release"):
        tag = given.get("tag") or (here.tags[0] if here.tags else None)
        if tag is None:
            raise UsageError("no tag points at HEAD", help="give --tag NAME")
        return _Facts({"tag": tag}, (f"refs/tags/{tag}",) if "tag" in given else ())
    if kind == "image":
        return _Facts({"tag": given.get("tag")}, ())
    branch = given.get("branch", here.branch)
    elsewhere = "branch" in given and branch != here.branch
    fields = {"branch": branch, "action": given.get("action")}
    return _Facts(fields, (f"refs/heads/{branch}",) if elsewhere else ())


def _commit(here: Checkout, given: Mapping[str, Any], revisions: tuple[str, ...]) -> str:
    """Return the commit of the event: the one given, else of the named branch or tag, else HEAD."""
    if "commit" in given:
        found = checkout.commit_of(here.root, given["commit"])
        if found is None:
            raise UsageError(f'--commit "{given["commit"]}" is no commit of this repository')
        return found
    for revision in revisions:
        name = revision if revision.startswith("refs/") else f"refs/heads/{revision}"
        found = checkout.commit_of(here.root, name)
        if found is None:
            kind, _, short = name.removeprefix("refs/").partition("/")
            what = "tag" if kind == "tags" else "branch"
            raise UsageError(
                f'there is no {what} "{short}" in this repository',
                help=f"give --commit REV for what {short} would point at",
            )
        return found
    return here.commit


def _from_payload(
    path: str, asked: ConditionKind | None, given: Mapping[str, Any], tell: Tell, look: Callable[[], Checkout]
) -> Event:
    """Return the event of a webhook; what the options say counts more, what neither says is looked up."""
    from dispatchfile.event import payload

    event = replace(payload.read(_payload_text(path), asked), user=_account())
    _refuse_foreign(event.kind, given)
    renamed = {"path": "paths", "label": "labels", "build_name": "build"}
    event = replace(
        event, **{renamed.get(name, name): value for name, value in given.items() if name != "base"}
    )
    if event.commit and event.url and not given.keys() & {"commit", "base"}:
        return event
    here = look()
    event = replace(event, url=event.url or here.url)
    if not event.commit:
        revisions = (f"refs/tags/{event.tag}",) if event.tag else ()
        event = replace(event, commit=_commit(here, {}, revisions))
        tell(f"the webhook names no commit, so it is {event.commit[:10]}; --commit chooses another")
    event = replace(event, commit=_commit(here, {"commit": event.commit}, ()))
    return replace(event, paths=_changed(here, given["base"], event.commit)) if "base" in given else event


def _payload_text(path: str) -> bytes:
    try:
        if path == "-":
            data = sys.stdin.buffer.read(LARGEST_PAYLOAD + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(LARGEST_PAYLOAD + 1)
    except OSError as error:
        raise UsageError(f"cannot read --event-file {path}: {error.strerror}") from error
    if len(data) > LARGEST_PAYLOAD:
        raise UsageError(f"--event-file {path} is larger than {LARGEST_PAYLOAD // 1024 // 1024} MB")
    return data


def _account() -> str:
    """Return the name of the account, which names the builds of runs by hand (Dispatch 1.3)."""
    import pwd

    try:
        return os.environ.get("USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
