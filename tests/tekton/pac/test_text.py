"""Texts for Pipelines-as-Code: nobody's name or comment reaches another field, and the user's braces reach the program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatchfile.errors import EvaluationError
from dispatchfile.record import replace
from dispatchfile.tekton.emit import Emission
from dispatchfile.tekton.pac import objects as pac
from dispatchfile.tekton.pac import text as pac_text
from dispatchfile.tekton.pac.objects import Settings
from tests.event import pipelines
from tests.tekton import crds, pac_model, webhooks
from tests.tekton.pac.test_pac import OPTIONS, emitted, files
from tests.tekton.pac_model import Facts
from tests.tekton.substitution import Run

REQUEST = webhooks.pull_request().body["pull_request"]

# What git takes for the name of a branch.
BRANCHES = (
    'x";touch${IFS}/pwned;"',
    "it's",
    "#comment",
    "a#b",
    "&a",
    "!!str",
    "|",
    ">-",
    "-",
    "---",
    "- ",
    "%TAG",
    "@x",
    "`id`",
    "{a,b}",
    "}}",
    "'",
    '"',
    "null",
    "true",
    "12e3",
    "0x1f",
    "2024-03-01",
    "a\u00a0b",
    "ünï/😀",
    "$HOME",
    "$$",
    "a)b",
    "<<",
    "=",
    "x" * 200,
    "{{revision}}",
    "{{nothing}}",
    "{{",
)
COMMENTS = (
    '/deploy it\'s "quoted" \\ and \\n too',
    "/deploy a: b # c",
    "/deploy\n\nmetadata:\n  name: pwned",
    "/deploy\r\n- name: git-url\r\n  value: evil",
    "/deploy x\n---\nkind: PipelineRun",
    "\n\n/deploy \t x ",
    "/deploy | > & * ! % @ ` { } [ ]",
    "/deploy $HOME $$ ${x} $",
    "/deploy {a} { } }}",
    "/deploy \u00e9 😀",
)
# Comments that start nothing whose task asks for the text.
REFUSED = (
    "/deploy {{ revision }}",
    "/deploy {{body.comment.body}}",
    "/deploy x\r  - name: evil\r    value: y",
    "/deploy x\u2028kind: evil",
    "/deploy x\u2029kind: evil",
    "/deploy x\u0085kind: evil",
    "/deploy \x07",
    "/deploy $(TOKEN)",
    "/deploy $(params.git-url)",
)


def github(webhook: webhooks.Webhook) -> Facts:
    facts = pac_model.github(webhook.event, webhook.body, (), REQUEST)
    assert facts is not None
    return facts


def expected(emission: Emission, values: dict[str, str], name: str) -> dict[str, Any]:
    """Return the run that is meant: as emitted, with the values of its parameters, and the name that PaC makes."""
    run = json.loads(json.dumps(emission.files[f"{name}.yaml"]))
    run["spec"]["params"] = [{"name": key, "value": value} for key, value in values.items()]
    run["metadata"]["generateName"] = f"{run['metadata'].pop('name')}-"
    return run  # type: ignore[no-any-return] # an object, as it was


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_is_a_value_and_nothing_else(branch: str) -> None:
    emission = emitted("{push: {}}", task="unit")
    facts = github(webhooks.branch(branch))
    filled = webhooks.SHA if branch == "{{revision}}" else branch
    values = {
        "git-url": facts.url, "git-commit": facts.sha, "git-branch": filled, "git-tag": "", "build-name": filled,
        "chatop-command": "", "chatop-args": "",
    }  # fmt: skip
    assert pac_model.started(files(emission), facts) == {"shop-a0": expected(emission, values, "shop-a0")}


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_of_a_pull_request_is_a_value_or_starts_nothing(branch: str) -> None:
    emission = emitted("{pull_request: {}}", "{pull_request: {chatops: [deploy]}}", task="unit")
    for webhook, name in (
        (webhooks.pull_request(source=branch), "shop-a0"),
        (webhooks.comment("/deploy"), "shop-a1"),
    ):
        facts = replace(github(webhook), head=branch)
        found = pac_model.started(files(emission), facts)
        if "{{" in branch and name == "shop-a0":
            assert found == {}
            continue
        values = {
            "git-url": facts.url, "git-commit": facts.sha, "git-tag": "", "build-name": "pr-12",
            "git-branch": webhooks.SHA if branch == "{{revision}}" else branch,
        }  # fmt: skip
        if name == "shop-a0":
            values |= {"chatop-command": "", "chatop-args": ""}
        else:
            values |= {"chatop-command": "deploy", "dispatch-comment": "/deploy"}
        assert {key: pac_model.params(found[name])[key] for key in values} == values
        given = {
            key: pac_model.params(found[name])[key]
            for key in pac_model.params(emission.files[f"{name}.yaml"])
        }
        assert found == {name: expected(emission, given, name)}


def test_a_pull_request_whose_branch_the_cluster_would_fill_in_starts_nothing_that_is_told_it() -> None:
    emission = emitted("{pull_request: {}}", task="unit")
    for branch in ("x{{body.pull_request.title}}", "$(TOKEN)", "a$(params.git-url)"):
        facts = github(webhooks.pull_request(source=branch, title='","serviceAccountName":"admin'))
        assert pac_model.started(files(emission), facts) == {}
        assert list(pac_model.started(files(emitted("{pull_request: {}}")), facts)) == ["shop-a0"]


@pytest.mark.parametrize("comment", COMMENTS)
def test_a_comment_is_a_value_and_nothing_else(comment: str) -> None:
    emission = emitted("{pull_request: {chatops: [deploy, build]}}", task="unit")
    found = pac_model.started(files(emission), github(webhooks.comment(comment)))
    assert list(found) == ["shop-a0-deploy"]
    values = pac_model.params(found["shop-a0-deploy"])
    one_line = comment.replace("\r\n", "\\n").replace("\n", "\\n")
    assert values["dispatch-comment"].strip() == one_line.strip()
    assert found["shop-a0-deploy"] == expected(emission, values, "shop-a0-deploy")
    assert crds.validate(found["shop-a0-deploy"]) == []


@pytest.mark.parametrize("comment", REFUSED, ids=repr)
def test_a_comment_that_would_be_more_than_a_value_starts_nothing(comment: str) -> None:
    emission = emitted("{pull_request: {chatops: [deploy]}}", task="unit")
    assert pac_model.started(files(emission), github(webhooks.comment(comment))) == {}


@pytest.mark.parametrize("comment", [*COMMENTS, *REFUSED], ids=repr)
def test_a_comment_whose_text_no_task_asks_for_may_hold_anything(comment: str) -> None:
    emission = emitted("{pull_request: {chatops: [deploy]}}")
    assert list(pac_model.started(files(emission), github(webhooks.comment(comment)))) == ["shop-a0"]


def test_without_its_guards_the_model_shows_the_holes() -> None:
    """The model would tell: a comment in quotes breaks out of them, and one with placeholders is filled in again."""
    text = 'kind: PipelineRun\nmetadata: {name: a, annotations: {pipelinesascode.tekton.dev/on-comment: ^/x}}\nspec: {params: "{{ trigger_comment }}"}\n'
    facts = github(webhooks.comment('/x", serviceAccountName: "admin'))
    assert pac_model.started({"a": text}, facts)["a"]["spec"]["serviceAccountName"] == "admin"
    block = text.replace('{params: "{{ trigger_comment }}"}', "\n  params: |-\n    {{ trigger_comment }}")
    again = github(webhooks.comment('/x {{trigger_comment}}","serviceAccountName":"admin'))
    assert pac_model.started({"a": block}, again)["a"]["spec"]["serviceAccountName"].startswith('admin","')


# Texts of the user.

NASTY = (
    "{{.ID}}",
    "{{ revision }}",
    "docker ps --format '{{.ID}} {{.Names}}'",
    "{{revision}}",
    "{{ body.pull_request.title }}",
    "{{ files.all }}",
    "{{ cel: 'x' }}",
    "{{ git_auth_secret }}",
    "{{ team }}",
    "{{{ revision }}}",
    "{{{{revision}}}}",
    "{{",
    "{{ unclosed",
    "}} {{",
    "${{ x }}",
    "$({{ x }})",
    "{{ a\nb }}",
    "{ {revision} }",
    "{$(echo x){ revision }}",
    "--- {{ revision }}\n---\n",
    "plain",
)


def with_texts(text: str) -> dict[str, Any]:
    steps = [
        {"name": "words", "image": "tool:1", "command": ["sh", "-c", text], "args": [text],
         "env": [{"name": "TEXT", "value": text}], "workingDir": f"/workspace/{text}"},
        {"name": "script", "image": "tool:1", "script": f"#!/bin/sh\n{text}\n"},
    ]  # fmt: skip
    return {"task": {"unit": {"steps": steps}}, "actions": [{"tasks": ["unit"], "on": {"push": {}}}]}


@pytest.mark.parametrize("text", NASTY, ids=repr)
def test_braces_reach_the_program(text: str) -> None:
    emission = pac.objects(pipelines.pipeline(json.dumps(with_texts(text))), OPTIONS, Settings(git_auth=True))
    facts = replace(github(webhooks.branch("main")), params={"team": "secret"})
    (run,) = pac_model.started(files(emission), facts).values()
    assert crds.validate(run) == []
    words, script = Run(run["spec"]["pipelineSpec"], pac_model.params(run)).start("unit")
    assert words.words == ("sh", "-c", text, text)
    assert words.env["TEXT"] == text
    assert words.working_dir == f"/workspace/{text}"
    assert script.script == f"#!/bin/sh\n{text}\n"


def test_braces_in_a_resource_reach_the_program() -> None:
    data = {
        "resource": {"app": {"type": "image", "param": {"url": "registry/app:{{ revision }}"}}},
        "task": {"unit": {"outputs": ["app"], "steps": [
            {"name": "run", "image": "tool:1", "command": ["echo", "$(outputs.resources.app.url)"]}]}},
        "actions": [{"tasks": ["unit"], "on": {"push": {}}}],
    }  # fmt: skip
    emission = pac.objects(pipelines.pipeline(json.dumps(data)), OPTIONS)
    (run,) = pac_model.started(files(emission), github(webhooks.branch("main"))).values()
    started = Run(run["spec"]["pipelineSpec"], pac_model.params(run)).start("unit")
    assert ("echo", "registry/app:{{ revision }}") in [one.words for one in started]


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"annotations": {"note": "by {{ sender }}"}}},
        {"volumes": [{"name": "v", "secret": {"secretName": "{{ sender }}"}}]},
    ],
    ids=["annotation", "volume"],
)
def test_braces_where_nothing_keeps_them_are_an_error(change: dict[str, Any]) -> None:
    data = with_texts("plain")
    data["task"]["unit"] |= change
    with pytest.raises(EvaluationError) as caught:
        pac.objects(pipelines.pipeline(json.dumps(data)), OPTIONS)
    found = [one for one in caught.value.diagnostics if one.code == "DF803"]
    assert [one.message.partition(":")[0] for one in found] == ["{{ sender }}"]
    assert "command, args, env and script" in found[0].help


def test_a_brace_is_asked_for_only_where_there_are_two() -> None:
    plain = pac.objects(pipelines.pipeline(json.dumps(with_texts("plain"))), OPTIONS).objects[0]
    assert pac_text.BRACE not in str(plain)
    nasty = pac.objects(pipelines.pipeline(json.dumps(with_texts("{{.ID}}"))), OPTIONS).objects[0]
    assert nasty["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["params"][-1]["default"] == "{"
    assert "params" not in nasty["spec"]["pipelineSpec"]
