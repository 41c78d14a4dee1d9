"""What judges emitted objects here, judged itself: by what the documentation and tests of the originals say."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from dispatchfile.tekton.options import Options
from dispatchfile.tekton.triggers import objects as triggers
from tests.event import pipelines
from tests.tekton import listener, pac_model, webhooks

SENT = webhooks.branch("feature/x", ["docs/a.md"])


def facts(**changes: Any) -> pac_model.Facts:
    found = pac_model.github(SENT.event, SENT.body, ("docs/a.md",))
    assert found is not None
    return pac_model.replace(found, **changes)


@pytest.mark.parametrize(
    ("annotation", "items"),
    [
        ("push", ["push"]),
        ("[push]", ["push"]),
        ("[main, release-*]", ["main", "release-*"]),
        ("[a&#44;b, c]", ["a,b", "c"]),
    ],
)
def test_lists_of_annotations(annotation: str, items: list[str]) -> None:
    assert pac_model.listed(annotation) == items


@pytest.mark.parametrize("annotation", ["[push", "push pull", "[]"])
def test_what_is_no_list_is_refused(annotation: str) -> None:
    with pytest.raises(ValueError, match=r"wrong format|empty values"):
        pac_model.listed(annotation)


@pytest.mark.parametrize(
    ("pattern", "value", "holds"),
    [
        ("*", "a/b", True),  # without separators a star crosses a slash
        ("a*c", "a/b/c", True),
        ("a?c", "a/c", True),
        ("a?c", "ac", False),
        ("{a,b}c", "bc", True),
        ("{a,b}c", "cc", False),
        ("[!a]", "b", True),
        ("[!a]", "a", False),
        ("[a-c]x", "bx", True),
        (r"\*", "*", True),
        (r"\*", "x", False),
        ("a.c", "abc", False),
    ],
)
def test_patterns_of_pac(pattern: str, value: str, holds: bool) -> None:
    assert pac_model.gobwas(pattern, value) is holds


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ revision }} {{revision}}", f"{webhooks.SHA} {webhooks.SHA}"),
        ("{{ source_branch }}", "feature/x"),
        ("{{ nobody_knows }}", "{{ nobody_knows }}"),
        ("{{ body.ref }}", "refs/heads/feature/x"),
        ("{{ body.not.there }}", "{{ body.not.there }}"),
        ("{{ cel: body.not.there }}", ""),
        ("{{ files.all.exists(f, f == 'docs/a.md') }}", "true"),
        ("{ { revision } }", "{ { revision } }"),
    ],
)
def test_placeholders(text: str, made: str) -> None:
    assert pac_model.filled(text, facts()) == made


def test_a_version_that_lacks_a_placeholder_leaves_it() -> None:
    text = "{{ cel: true }} {{ git_tag }}"
    assert pac_model.filled(text, facts(old=True)) == text


@pytest.mark.parametrize(
    ("annotations", "starts"),
    [
        ({"on-event": "[push]", "on-target-branch": "[feature/*]"}, True),
        ({"on-event": "[push]", "on-target-branch": "[refs/tags/*]"}, False),
        ({"on-event": "[pull_request]", "on-target-branch": "[*]"}, False),
        ({"on-event": "[push]"}, False),
        ({"on-event": "[push]", "on-target-branch": "[*]", "on-path-change": "[docs/**]"}, True),
        ({"on-event": "[push]", "on-target-branch": "[*]", "on-path-change": "[src/**]"}, False),
        ({"on-cel-expression": "event == 'push'"}, True),
        ({"on-cel-expression": "body.not.there == 1"}, False),
        ({"on-comment": "^/go"}, False),
    ],
    ids=str,
)
def test_what_starts_a_run_of_pac(annotations: dict[str, str], starts: bool) -> None:
    named = {f"{pac_model.GROUP}{key}": value for key, value in annotations.items()}
    run = {"kind": "PipelineRun", "metadata": {"name": "r", "annotations": named}, "spec": {}}
    assert list(pac_model.started({"r.yaml": json.dumps(run)}, facts())) == ["r"] * starts


# Triggers


@pytest.fixture
def objects() -> list[dict[str, Any]]:
    task = "task: {t: {steps: [{name: s, image: i, command: [echo, $(context.git.branch)]}]}}"
    source = pipelines.pipeline(
        f"{task}\nactions: [{{tasks: [t], on: {{push: {{branches: ['feature/*']}}}}}}]\n"
    )
    return copy.deepcopy(list(triggers.objects(source, Options("shop")).objects))


def test_a_listener_starts_what_is_signed_and_asked_for(objects: list[dict[str, Any]]) -> None:
    (run,) = listener.runs(objects, SENT).values()
    assert listener.params(run) == {"git-branch": "feature/x"}
    assert listener.runs(objects, webhooks.branch("main")) == {}
    assert listener.runs(objects, webhooks.tag("feature/x")) == {}
    assert listener.runs(objects, webhooks.pull_request(source="feature/x")) == {}


def test_a_listener_starts_nothing_by_another_signature(objects: list[dict[str, Any]]) -> None:
    (one,) = [made for made in objects if made["kind"] == "EventListener"]
    (trigger,) = one["spec"]["triggers"]
    assert listener.intercepted(trigger, SENT)
    with pytest.raises(listener.Stopped, match="signature"):
        listener.intercepted(trigger, SENT, "guessed")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'añb'.truncate(3)", "añ"),  # bytes
        ("body.number == 7.0", True),
        ("'a,b,,c'.split(',').size() == 4", True),
        ("'ABCÄ'.lowerAscii()", "abcÄ"),
        ("'x.y'.matches('^x[.]y$')", True),
        ("'ab'.matches('b')", True),  # it searches
        ("'abc'.substring(1)", "bc"),
    ],
)
def test_expressions_of_triggers(expression: str, value: object) -> None:
    assert listener.evaluated(expression, '{"number": 7}') == value


# Of the first Triggers would make half a character, which nothing emitted may ask for.
@pytest.mark.parametrize("expression", ["'añb'.truncate(2)", "body.not.there", "'a'.substring(2)", "1 / 0"])
def test_expressions_that_fail(expression: str) -> None:
    with pytest.raises(listener.Stopped):
        listener.evaluated(expression, "{}")


@pytest.mark.parametrize("name", ["template", "binding", "parameter", "interceptor"])
def test_admission_of_triggers_refuses(objects: list[dict[str, Any]], name: str) -> None:
    assert list(listener.refused(objects)) == []
    by_kind = {made["kind"]: made for made in objects}
    trigger = by_kind["EventListener"]["spec"]["triggers"][0]
    if name == "template":
        trigger["template"]["ref"] = "other"
    elif name == "binding":
        trigger["bindings"][0]["ref"] = "other"
    elif name == "parameter":
        del by_kind["TriggerTemplate"]["spec"]["params"][0]
    else:
        trigger["interceptors"][0]["params"][0]["name"] = "secret"
    (fault,) = set(listener.refused(objects))
    assert name in fault or (name == "parameter" and "undeclared" in fault)
