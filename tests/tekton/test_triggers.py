"""Triggers: each condition on each webhook fires where `event.match` says so, with the parameters of `event.event`."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError, UsageError
from dispatchfile.event import payload
from dispatchfile.event.event import Event, context
from dispatchfile.event.match import decide
from dispatchfile.model.pipeline import Pipeline, SecretKey
from dispatchfile.record import replace
from dispatchfile.tekton import emit, manifest, names, runs, triggers
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.emit import Emission
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.waiting import Settings
from tests.event import pipelines
from tests.tekton import crds, listener, sources, webhooks
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
    "{push: {}}",
    "{push: {branches: [main]}}",
    "{push: {branches: ['*']}}",
    "{push: {branches: ['feature/*', 'fix-?']}}",
    "{push: {branches: ['!main', '*']}}",
    "{push: {branches: ['!main']}}",
    "{push: {branches: ['!feature/**', '!main']}}",
    "{push: {branches: ['{main,dev}', 'v[0-9].x']}}",
    "{push: {branches: [\"o'brien\", 'a\\\\*b', 'größe/*', 'say-\"hi\"']}}",
    "{push: {paths: ['**/*.go']}}",
    "{push: {paths: ['docs/*', '!docs/*.md']}}",
    "{push: {paths: ['!docs/**']}}",
    "{push: {paths: ['**']}}",
    '{push: {paths: ["it\'s, here/*"]}}',
    "{push: {branches: [main, 'feature/*'], paths: ['src/**', '!**/*_test.go']}}",
    "{push: {branches: [], paths: []}}",
    "{push: {tags: ['*']}}",
    "{git: {push: {branches: [main]}}}",
    "{tag: {}}",
    "{tag: {names: ['v*']}}",
    "{tag: {names: ['v*', '!*-rc*']}}",
    "{tag: {names: ['!v1.0']}}",
    "{git: {tag: {names: [v1.0]}}}",
    "{pull_request: {}}",
    "{pull_request: {branches: [main]}}",
    "{pull_request: {targets: ['release-*', main]}}",
    "{pull_request: {sources: ['feature/*']}}",
    "{pull_request: {sources: ['!feature/*'], targets: [main]}}",
    "{pull_request: {labels: [e2e]}}",
    "{pull_request: {labels: [e2e, '!wip']}}",
    "{pull_request: {labels: ['!wip', \"!don't\"]}}",
    "{pull_request: {paths: ['**/*.go']}}",
    "{pull_request: {paths: ['!docs/**']}}",
    "{pull_request: {paths: ['src/**'], targets: [main], labels: ['!wip']}}",
    "{pull_request: {chatops: [test]}}",
    "{pull_request: {chatops: [test, build]}}",
    "{pull_request: {chatops: ['a.c', 'c++', '/test', 'run all']}}",
    "{pull_request: {chatops: [test], labels: [e2e, '!wip']}}",
    "{pull_request: {chatops: []}}",
    "{release: {}}",
    "{release: {tags: ['v*', '!v2.*']}}",
    "{git: {release: {tags: ['!v*']}}}",
    "{cron: {schedule: '@daily'}}",
)

SENT: dict[str, Webhook] = {
    "main": webhooks.branch("main"),
    "main, no commits": webhooks.branch("main", ()),
    "main, go": webhooks.branch("main", ["cmd/a.go", "b_test.go", "docs/x.md", "root.go"]),
    "main, docs": webhooks.branch("main", ["docs/x.md", "docs/deep/y.md"]),
    "main, docs text": webhooks.branch("main", ["docs/x.txt"]),
    "main, odd paths": webhooks.branch("main", ["it's, here/x", "a\nb.go", "späße/ü.go", "-x"]),
    "main, test only": webhooks.branch("main", ["src/a_test.go"]),
    "feature, src": webhooks.branch("feature/cart", ["src/a.go"]),
    "feature, deep": webhooks.branch("feature/cart/deep", ["src/a_test.go"]),
    "fix-7": webhooks.branch("fix-7"),
    "fix-77": webhooks.branch("fix-77"),
    "quote": webhooks.branch("o'brien"),
    "double quote": webhooks.branch('say-"hi"'),
    "umlaut": webhooks.branch("größe/x"),
    "backslash is refused": webhooks.branch("a\\b"),
    "star is refused": webhooks.branch("a*b"),
    "upper case": webhooks.branch("Main"),
    "v2.x": webhooks.branch("v2.x"),
    "long": webhooks.branch("feature/" + "x" * 200),
    "trailing dash": webhooks.branch("feature/x-"),
    "as a tag": webhooks.branch("refs/tags/v1.0"),
    "hostile": webhooks.branch('x";touch${IFS}/pwned;"'),
    "hostile substitution": webhooks.branch("`id`'|\"&$HOME<>"),
    "branch deleted": webhooks.deleted("refs/heads/main"),
    "tag deleted": webhooks.deleted("refs/tags/v1.0"),
    "note pushed": webhooks.push("refs/notes/commits"),
    "no head commit": webhooks.branch("main", head=None),
    "tag v1.0": webhooks.tag("v1.0"),
    "annotated tag": webhooks.tag("v1.0", annotated=True),
    "tag rc": webhooks.tag("v1.1-rc1"),
    "tag latest": webhooks.tag("latest/x"),
    "pr": webhooks.pull_request(),
    "pr opened": webhooks.pull_request(action="opened"),
    "pr reopened": webhooks.pull_request(action="reopened"),
    "pr labeled": webhooks.pull_request(action="labeled", labels=["e2e"]),
    "pr closed": webhooks.pull_request(action="closed"),
    "pr draft": webhooks.pull_request(draft=True),
    "pr to release": webhooks.pull_request(target="release-1.2"),
    "pr from fix": webhooks.pull_request(source="fix", labels=["e2e", "other"]),
    "pr wip": webhooks.pull_request(labels=["e2e", "wip"]),
    "pr quoted label": webhooks.pull_request(labels=["don't", "E2E"]),
    "pr go": webhooks.pull_request(files=["cmd/a.go", "docs/x.md"]),
    "pr docs": webhooks.pull_request(files=["docs/x.md", "docs/y.md"]),
    "pr src": webhooks.pull_request(files=["src/x"], number=1234567),
    "pr hostile": webhooks.pull_request(source='x";touch${IFS}/pwned;"'),
    "/test": webhooks.comment("/test"),
    "/test, labels": webhooks.comment("/test", labels=["e2e"]),
    "/test, wip": webhooks.comment("/test", labels=["e2e", "wip"]),
    "/test args": webhooks.comment("/test fast  all\r\nplease /build"),
    "/test between blanks": webhooks.comment("\n\n \t/test\tfast\u00a0very\u2003 \u2028more"),
    "/test with other line ends": webhooks.comment("\r\n/test a\x0bb"),
    "/test quoted": webhooks.comment('/test "a b" \'c\' \\d `e` ; rm -rf / && $HOME $$ %s {{x}}'),
    "/testing": webhooks.comment("/testing"),
    "/build": webhooks.comment("/build x", number=2000000),
    "a.c": webhooks.comment("/a.c x"),
    "abc": webhooks.comment("/abc x"),
    "c++": webhooks.comment("/c++"),
    "//test": webhooks.comment("//test x"),
    "/run all": webhooks.comment("/run all"),
    "/ test": webhooks.comment("/ test"),
    "see /test": webhooks.comment("see /test"),
    "blank": webhooks.comment(" \n"),
    "edited": webhooks.comment("/test", action="edited"),
    "on an issue": webhooks.comment("/test", issue=True),
    "release": webhooks.release("v1.2"),
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


@pytest.mark.parametrize(
    ("condition", "sent", "tag"),
    [
        ("{image: {push: {}}}", webhooks.notification("1.0"), "1.0"),
        ("{image: {push: {}}}", webhooks.notification(None, None), None),
        ("{image: {push: {}}}", webhooks.notification("1.0", action="pull"), None),
        ("{image: {push: {tags: ['v*', '!*-rc']}}}", webhooks.notification("v1-rc"), None),
        ("{image: {push: {tags: ['v*', '!*-rc']}}}", webhooks.notification(None, "v1-rc", "v2", "v3"), "v2"),
        ("{image: {push: {tags: ['v*']}}}", webhooks.notification("latest"), None),
        ("{image: {push: {tags: ['v*']}}}", webhooks.notification("v$(uid)"), None),
        ("{image: {push: {}}}", webhooks.branch("main"), None),
    ],
    ids=str,
)  # fmt: skip
def test_a_pushed_image_fires_with_the_repository_that_was_told(
    condition: str, sent: Webhook, tag: str | None
) -> None:
    made = listener.runs(emitted(condition).objects, sent)
    assert bool(made) == (tag is not None)
    if tag is not None:
        event = Event("image", url=URL, commit="main", tag=tag)
        assert decide(pipeline(condition).actions[0], event).fires
        (run,) = made.values()
        assert listener.params(run) == {
            param: context(event)[variable] for variable, param in CONTEXT_PARAMS.items()
        }
        assert run["metadata"]["generateName"] == runs.generate_name(("acme", "shop", tag), "")
        assert run["metadata"]["labels"] == {"build": tag, "owner": "acme", "repository": "shop"}


def test_a_notification_without_the_secret_starts_nothing() -> None:
    sent = webhooks.notification("v1")
    made = emitted("{image: {push: {}}}").objects
    assert listener.runs(made, sent)
    assert listener.runs(made, sent, signed_with="") == {}


def test_an_image_of_the_default_branch_where_no_revision_is_known() -> None:
    made = emitted("{image: {push: {}}}", settings=replace(SETTINGS, revision=""))
    (run,) = listener.runs(made.objects, webhooks.notification("v1")).values()
    assert listener.params(run)["git-commit"] == "HEAD"


@pytest.mark.parametrize("repository", ["", "/home/ada/shop"])
@pytest.mark.parametrize("condition", ["{image: {push: {}}}", "{cron: {schedule: '@daily'}}"])
def test_what_no_webhook_of_github_starts_needs_a_url(condition: str, repository: str) -> None:
    with pytest.raises(UsageError) as raised:
        emitted(condition, settings=replace(SETTINGS, repository=repository))
    assert (
        str(raised.value)
        == 'action "a0" needs the URL of the repository, which no webhook of GitHub tells here'
    )
    assert "--repository URL" in raised.value.help


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ("{pull_request: {chatops: [test], targets: [main]}}", ["targets"]),
        ("{pull_request: {chatops: [test], branches: [main]}}", ["branches"]),
        ("{pull_request: {chatops: [test], sources: [x], paths: [y]}}", ["sources", "paths"]),
        ("{git: {pull_request: {chatops: [test], paths: [y], labels: [z]}}}", ["paths"]),
    ],
)
def test_what_triggers_cannot_ask_is_an_error_that_names_what_can(condition: str, fields: list[str]) -> None:
    with pytest.raises(EvaluationError) as raised:
        emitted("{push: {}}", condition)
    found = raised.value.diagnostics
    assert [(one.code, one.path.rpartition(".")[2]) for one in found] == [
        ("DF806", field) for field in fields
    ]
    for one, field in zip(found, fields, strict=True):
        assert one.span is not None
        assert one.span.source.text[one.span.start : one.span.end] == field
        assert one.help == "Pipelines-as-Code can: dispatchfile tekton --target pac"
        assert field in one.message


def test_what_never_fires_is_told_and_keeps_its_pipeline() -> None:
    made = emitted("{pull_request: {chatops: ['run all']}}")
    assert [object_["kind"] for object_ in made.objects] == ["Pipeline"]
    (found,) = made.found
    assert (found.code, found.severity) == ("DF806", "warning")
    assert "no comment begins with such a word" in found.message


def test_tags_of_a_push_are_told_when_the_file_is_read() -> None:
    made = emitted("{push: {tags: ['*']}}")
    assert [object_["kind"] for object_ in made.objects] == ["Pipeline"]
    assert made.found == ()


def test_what_triggers_cannot_ask_may_be_left_out() -> None:
    settings = replace(SETTINGS, partial=True)
    made = emitted("{push: {}}", "{pull_request: {chatops: [test], targets: [main]}}", settings=settings)
    (found,) = made.found
    assert (found.code, found.severity) == ("DF806", "warning")
    assert found.message.endswith('; nothing starts action "a1"')
    assert trigger_of(made)["name"] == "shop-a0"
    with pytest.raises(EvaluationError):
        emitted("{push: {branches: ['[']}}", settings=settings)


COMMIT_IN_TEXT = """
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
  app: {type: image, param: {url: "app:$(context.git.commit)", digest: $(inputs.resources.app.digest)}}
task:
  build:
    inputs: [src]
    outputs: [app]
    steps: [{name: run, image: "tool:1", command: [build, --rev=$(context.git.commit)]}]
"""


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("{push: {}}", ""),
        ("{tag: {}}", ""),
        ("{pull_request: {}}", ""),
        ("{pull_request: {chatops: [test]}}", "the webhook of a comment does not tell the commit"),
        ("{release: {}}", "the webhook of a release need not tell the commit"),
        ("{image: {push: {}}}", "a registry does not tell a commit"),
    ],
)
def test_texts_that_take_a_commit_which_is_not_told_are_warned_of(condition: str, told: str) -> None:
    source = pipelines.pipeline(f"{COMMIT_IN_TEXT}\nactions: [{{tasks: [build], on: {condition}}}]\n")
    found = triggers.objects(source, OPTIONS, SETTINGS).found
    assert [one.path for one in found] == ["task.build.steps[0].command[1]", "resource.app.param.url"][
        : 2 * bool(told)
    ]
    assert all(one.message.startswith(told) and one.span for one in found)


def test_a_pattern_that_cannot_be_read_is_told_as_when_an_event_is_matched() -> None:
    with pytest.raises(EvaluationError) as raised:
        emitted("{push: {branches: ['[']}}")
    assert [found.code for found in raised.value.diagnostics] == ["DF303"]


def test_an_action_without_condition_keeps_its_pipeline() -> None:
    made = triggers.objects(
        pipelines.pipeline(f"{ALL_PARAMS}\nactions: [{{name: a, tasks: [unit]}}]\n"), OPTIONS
    )
    assert [one["kind"] for one in made.objects] == ["Pipeline"]


def trigger_of(made: Emission) -> dict[str, Any]:
    (one,) = next(one for one in made.objects if one["kind"] == "EventListener")["spec"]["triggers"]
    found: dict[str, Any] = one
    return found


def test_secrets_are_named_and_only_who_lists_paths_gets_a_token() -> None:
    given = replace(SETTINGS, webhook_secret=SecretKey("hooks", "token"), token_secret=SecretKey("gh", "pat"))
    signed = trigger_of(emitted("{push: {paths: [x]}}", settings=given))["interceptors"][0]["params"]
    assert signed == [
        {"name": "secretRef", "value": {"secretName": "hooks", "secretKey": "token"}},
        {"name": "eventTypes", "value": ["push"]},
    ]
    listed = trigger_of(emitted("{pull_request: {paths: [x]}}", settings=given))["interceptors"][0]["params"][
        2
    ]
    token = {"secretName": "gh", "secretKey": "pat"}
    assert listed == {"name": "addChangedFiles", "value": {"enabled": True, "personalAccessToken": token}}
    without = trigger_of(emitted("{pull_request: {paths: [x]}}"))["interceptors"][0]["params"][2]
    assert without == {"name": "addChangedFiles", "value": {"enabled": True}}


def test_a_comma_in_a_path_of_a_pull_request_is_two_paths_to_triggers() -> None:
    made = emitted("{pull_request: {paths: ['a,b']}}", "{push: {paths: ['a,b']}}").objects
    assert list(listener.runs(made, webhooks.pull_request(files=["a,b"]))) == []
    assert list(listener.runs(made, webhooks.branch("main", ["a,b"]))) == ["shop-a1"]


def test_only_parameters_that_the_pipeline_takes_are_handed_on() -> None:
    made = triggers.objects(
        pipelines.pipeline(f"{pipelines.TASKS}\nactions: [{{tasks: [unit], on: {{tag: {{}}}}}}]"), OPTIONS
    )
    (run,) = listener.runs(made.objects, webhooks.tag("v1")).values()
    assert "params" not in run["spec"]
    binding = next(one for one in made.objects if one["kind"] == "TriggerBinding")
    assert "git-tag" not in json.dumps(binding)


def test_every_object_is_taken_by_a_cluster_and_by_triggers() -> None:
    made = emitted(*CONDITIONS, "{image: {push: {}}}").objects
    assert crds.validate_all(made) == []
    assert list(listener.refused(made)) == []


@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_every_example_and_sample(path: Path) -> None:
    source = sources.load(path)
    beyond = [
        on
        for action in source.actions
        if (on := action.on) and on.chatops and (on.sources or on.targets or on.paths)
    ]
    faults = faults_of(lambda: emit.emit_all(source, OPTIONS)) + ["DF806"] * bool(beyond)
    if faults:
        assert set(faults_of(lambda: triggers.objects(source, OPTIONS, SETTINGS))) == set(faults)
        return
    made = triggers.objects(source, OPTIONS, SETTINGS)
    assert crds.validate_all(made.objects) == []
    assert list(listener.refused(made.objects)) == []
    again = triggers.objects(source, OPTIONS, SETTINGS)
    assert manifest.text(again.objects) == manifest.text(made.objects)


def faults_of(emission: Callable[[], Emission]) -> list[str]:
    """Return the codes of the errors that an emission ends with."""
    try:
        emission()
    except EvaluationError as error:
        return [found.code for found in errors(error.diagnostics)]
    return []


def test_long_names_are_cut_where_the_cluster_would_refuse_them() -> None:
    options = replace(OPTIONS, name="x" * 63, namespace="n" * 60)
    made = triggers.objects(pipeline(*CONDITIONS[:3], "{cron: {schedule: '@daily'}}"), options, SETTINGS)
    assert crds.validate_all(made.objects) == []
    assert list(listener.refused(made.objects)) == []
    assert len({(one["kind"], one["metadata"]["name"]) for one in made.objects}) == len(made.objects)
