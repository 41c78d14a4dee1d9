"""What waits for events, as objects: secrets, names, warnings and errors, pushed images, all examples and samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError, UsageError
from dispatchfile.event.event import Event, context
from dispatchfile.event.match import decide
from dispatchfile.model.pipeline import SecretKey
from dispatchfile.record import replace
from dispatchfile.tekton import emit, manifest, runs
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.emit import Emission
from dispatchfile.tekton.triggers import objects as triggers
from tests.event import pipelines
from tests.tekton import crds, listener, sources, webhooks
from tests.tekton.triggers.test_triggers import (
    ALL_PARAMS,
    CONDITIONS,
    OPTIONS,
    SETTINGS,
    URL,
    emitted,
    pipeline,
)
from tests.tekton.webhooks import Webhook


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


@pytest.mark.parametrize("author", ["OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "FIRST_TIMER", "NONE"])
def test_comments_of_strangers_may_be_left_alone(author: str) -> None:
    sent = webhooks.comment("/test", author=author)
    condition = "{pull_request: {chatops: [test]}}"
    assert listener.runs(emitted(condition).objects, sent)
    made = emitted(condition, settings=replace(SETTINGS, members_only=True)).objects
    assert bool(listener.runs(made, sent)) == (author in ("OWNER", "MEMBER", "COLLABORATOR"))


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


@pytest.mark.parametrize("workspace", ["pvc", "emptydir"])
def test_runs_bring_the_volume_that_their_pipeline_asks_for(workspace: str) -> None:
    options = replace(OPTIONS, workspace=workspace)
    made = triggers.objects(pipeline(CONDITIONS[0], "{cron: {schedule: '@daily'}}"), options, SETTINGS)
    assert crds.validate_all(made.objects) == []
    runs_held = [run for one in made.objects for run in crds.runs_in(one)]
    assert [[bound["name"] for bound in run["spec"].get("workspaces", ())] for run in runs_held] == [
        ["dispatch"] * (workspace == "pvc")
    ] * 2
