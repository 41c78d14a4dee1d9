"""For each action of a Dispatchfile an event that fires it, made from its condition."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dispatchfile import glob
from dispatchfile.event.event import Event
from dispatchfile.event.match import decide
from dispatchfile.model.pipeline import Action, Condition, Pipeline

URL = "https://git.example.com/acme/shop.git"
COMMIT = "4bf92f3577b34da6a3ce929d0e0e47364bf92f35"
PUSH = Event("push", url=URL, commit=COMMIT, branch="main", user="ada")
USUAL = ("main", "feature/cart", "v1.2.3", "src/app.py", "other")


def firing(pipeline: Pipeline) -> Iterator[tuple[Action, Event]]:
    """Yield the actions that some event fires, each with one that does."""
    for action in pipeline.actions:
        if action.on is not None and action.on.push_tags is None and action.tasks:
            event = event_for(action, action.on)
            assert decide(action, event).fires, f"{action.title} does not fire on {event}"
            yield action, event


def event_for(action: Action, condition: Condition) -> Event:
    """Return an event that meets a condition."""
    facts = {
        "push": lambda: {"branch": taken(condition.branches)},
        "tag": lambda: {"tag": taken(condition.names)},
        "release": lambda: {"tag": taken(condition.tags)},
        "image": lambda: {"tag": taken(condition.tags)},
        "cron": lambda: {"branch": "main", "action": action.name},
        "pull_request": lambda: _pull_request(condition),
    }[condition.kind]()
    if condition.kind in ("push", "pull_request"):  # other actions of the file may ask for it too
        facts["paths"] = (taken(condition.paths, "path"),)
    return Event(condition.kind, url=URL, commit=COMMIT, user="ada", **facts)


def _pull_request(condition: Condition) -> dict[str, object]:
    wanted = tuple(label for label in condition.labels or () if not label.startswith("!"))
    return {
        "source": taken(condition.sources) if condition.sources else "feature/cart",
        "target": taken(condition.targets),
        "number": 17,
        "labels": wanted,
        "chatop": (condition.chatops[0], "fast", "please") if condition.chatops else None,
    }


def taken(patterns: tuple[str, ...] | None, mode: glob.Mode = "name") -> str:
    """Return a value that the patterns take."""
    if not patterns:
        return USUAL[0]
    candidates = [_example(pattern) for pattern in patterns if not pattern.startswith("!")]
    return next(value for value in (*candidates, *USUAL) if glob.decide(patterns, value, mode).holds)


def _example(pattern: str) -> str:
    """Return a text that a pattern matches, for patterns of the usual kinds."""
    pattern = re.sub(r"\{([^,}]*)[^}]*\}", r"\1", pattern)
    pattern = re.sub(r"\[(?!!)(.)[^]]*\]", r"\1", pattern)
    return re.sub(r"\[![^]]*\]", "~", pattern.replace("**/", "").replace("*", "x").replace("?", "x"))
