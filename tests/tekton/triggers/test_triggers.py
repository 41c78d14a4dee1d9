"""Triggers: each condition on each webhook fires where `event.match` says so, with the parameters of `event.event`."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from dispatchfile.errors import UsageError
from dispatchfile.event import payload
from dispatchfile.event.event import Event, context
from dispatchfile.event.match import decide
from dispatchfile.model.pipeline import Pipeline
from dispatchfile.record import replace
from dispatchfile.tekton import names, runs
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.emit import Emission
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.triggers import objects as triggers
from dispatchfile.tekton.triggers.waiting import Settings
from tests.event import pipelines
from tests.tekton import crds, listener, occasions, webhooks
from tests.tekton.webhooks import Webhook

URL = "https://github.example/acme/shop.git"
OPTIONS = Options("shop", namespace="ci")
SETTINGS = Settings(rbac=True, repository=URL, revision="main")

ALL_PARAMS = """
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
task:
  unit:
    inputs: [src]
    steps:
    - name: run
      image: "tool:1"
      command: [echo, $(context.git.branch), $(context.git.tag), $(context.build.name), $(context.chatop.command), $(context.chatop.args)]
"""  # fmt: skip


def pipeline(*conditions: str) -> Pipeline:
    """Return a pipeline that takes all parameters, with an action for each condition."""
    actions = "\n".join(f"- {{name: a{at}, tasks: [unit], on: {on}}}" for at, on in enumerate(conditions))
    return pipelines.pipeline(f"{ALL_PARAMS}\nactions:\n{actions}\n")


def emitted(*conditions: str, settings: Settings = SETTINGS) -> Emission:
    return triggers.objects(pipeline(*conditions), OPTIONS, settings)


CONDITIONS = (
    *occasions.CONDITIONS,
    "{push: {branches: ['!feature/**', '!main']}}",
    "{push: {tags: ['*']}}",
    "{pull_request: {chatops: [test]}}",
    "{pull_request: {chatops: [test, build]}}",
    "{pull_request: {chatops: ['a.c', 'c++', '/test', 'run all']}}",
    "{pull_request: {chatops: [test], labels: [e2e, '!wip']}}",
    "{release: {}}",
    "{release: {tags: ['v*', '!v2.*']}}",
    "{git: {release: {tags: ['!v*']}}}",
    "{cron: {schedule: '@daily'}}",
)

SENT: dict[str, Webhook] = {
    **occasions.WEBHOOKS,
    "backslash is refused": webhooks.branch("a\\b"),
    "star is refused": webhooks.branch("a*b"),
    "long": webhooks.branch("feature/" + "x" * 200),
    "trailing dash": webhooks.branch("feature/x-"),
    "as a tag": webhooks.branch("refs/tags/v1.0"),
    "hostile": webhooks.branch('x";touch${IFS}/pwned;"'),
    "hostile substitution": webhooks.branch("`id`'|\"&$HOME<>"),
    "note pushed": webhooks.push("refs/notes/commits"),
    "no head commit": webhooks.branch("main", head=None),
    "pr draft": webhooks.pull_request(draft=True),
    "pr quoted label": webhooks.pull_request(labels=["don't", "E2E"]),
    "pr hostile": webhooks.pull_request(source='x";touch${IFS}/pwned;"'),
    "/test": webhooks.comment("/test"),
    "/test, labels": webhooks.comment("/test", labels=["e2e"]),
    "/test, wip": webhooks.comment("/test", labels=["e2e", "wip"]),
    "/test args": webhooks.comment("/test fast  all\r\nplease /build"),
    "/test between blanks": webhooks.comment("\n\n \t/test\tfast\u00a0very\u2003 \u2028more"),
    "/test with other line ends": webhooks.comment("\r\n/test a\x0bb"),
    "/test quoted": webhooks.comment('/test "a b" \'c\' \\d `e` ; rm -rf / && $HOME $$ %s {{x}}'),
    "/testing": webhooks.comment("/testing"),
    "//test": webhooks.comment("//test x"),
    "/ test": webhooks.comment("/ test"),
    "see /test": webhooks.comment("see /test"),
    "blank": webhooks.comment(" \n"),
    "edited": webhooks.comment("/test", action="edited"),
    "on an issue": webhooks.comment("/test", issue=True),
    "release v2": webhooks.release("v2.1"),
    "release nightly": webhooks.release("nightly"),
    "release of a commit": webhooks.release("v1.3", target=webhooks.SHA),
    "release created": webhooks.release("v1.2", "created", draft=True),
    "release edited": webhooks.release("v1.2", "edited"),
}  # fmt: skip


def event_of(webhook: Webhook) -> Event | None:
    """Return what the webhook is to the rest of the program: None where it runs nothing."""
    try:
        event = payload.read(webhook.text.encode())
    except UsageError:
        return None
    if webhook.event == "pull_request":
        return replace(event, paths=webhook.files)
    return replace(event, paths=event.paths or ()) if event.kind == "push" else event


@functools.cache
def everything() -> tuple[dict[str, Any], ...]:
    return emitted(*CONDITIONS).objects


@functools.cache
def created(name: str) -> dict[str, dict[str, Any]]:
    return listener.runs(everything(), SENT[name])


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_fires_where_match_says_so(condition: str) -> None:
    action = pipeline(condition).actions[0]
    called = f"shop-a{CONDITIONS.index(condition)}"
    fires = {
        name: (event := event_of(sent)) is not None and decide(action, event).fires
        for name, sent in SENT.items()
    }
    assert {name: called in created(name) for name in SENT} == fires


def test_the_table_has_both_answers_for_every_condition_that_can_fire() -> None:
    fired = {name for sent in SENT for name in created(sent)}
    never = {"push: {tags", "cron:"}
    expected = {
        f"shop-a{at}"
        for at, condition in enumerate(CONDITIONS)
        if not any(word in condition for word in never)
    }
    assert fired == expected
    assert not any(all(name in created(sent) for sent in SENT) for name in fired)


@pytest.mark.parametrize("name", SENT)
def test_the_parameters_are_those_of_the_event(name: str) -> None:
    event = event_of(SENT[name])
    for run in created(name).values():
        assert event is not None
        expected = {param: context(event)[variable] for variable, param in CONTEXT_PARAMS.items()}
        if not event.commit:  # neither a comment nor a release tells it
            ref = (
                f"refs/pull/{event.number}/head" if event.kind == "pull_request" else f"refs/tags/{event.tag}"
            )
            expected["git-commit"] = ref
        assert listener.params(run) == expected


@pytest.mark.parametrize("name", SENT)
def test_a_run_is_called_and_labelled_as_one_by_hand(name: str) -> None:
    for run in created(name).values():
        event = event_of(SENT[name])
        assert event is not None
        prefix = runs.generate_name(
            ("acme", "shop", event.build_name), event.commit if event.kind != "release" else ""
        )
        assert run["metadata"]["generateName"] == prefix
        labels = run["metadata"]["labels"]
        value = names.label_value(event.build_name)
        assert labels["build"] in (value, "")
        assert (labels["build"] == value) or not event.build_name[-1].isalnum() or len(event.build_name) > 63
        assert (labels["owner"], labels["repository"]) == ("acme", "shop")
        assert labels.get("commit", "") == (event.commit if event.kind != "release" else "")
        assert not crds.validate(run)


def test_the_order_in_which_triggers_replaces_parameters_does_not_matter() -> None:
    for name, sent in SENT.items():
        assert listener.runs(everything(), sent, order=-1) == created(name)


@pytest.mark.parametrize(
    "sent",
    [
        webhooks.branch("$(uid)"),
        webhooks.branch("$(tt.params.git-url)"),
        webhooks.branch("a$(params.git-url)"),
        webhooks.branch("-x"),
        webhooks.branch("a b"),
        webhooks.tag("$(uid)"),
        webhooks.tag("--upload-pack=x"),
        webhooks.pull_request(source="$(TOKEN)"),
        webhooks.pull_request(source="-x"),
        webhooks.comment("/test $(TOKEN)"),
        webhooks.comment("/test $(tt.params.git-commit)"),
        webhooks.release("$(uid)"),
    ],
    ids=lambda sent: sent.text[:40],
)
def test_text_that_would_be_replaced_again_or_taken_for_an_option_starts_nothing(sent: Webhook) -> None:
    assert listener.runs(everything(), sent) == {}


def test_a_wrong_signature_starts_nothing() -> None:
    assert listener.runs(everything(), SENT["main"], signed_with="guessed") == {}
    assert listener.runs(everything(), SENT["main"])
