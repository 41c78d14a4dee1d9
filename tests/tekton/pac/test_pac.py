"""Pipelines-as-Code: each condition on each webhook starts a run where `event.match` says so, with the event's context."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dispatchfile import glob
from dispatchfile.diagnostics import Severity
from dispatchfile.errors import EvaluationError, UsageError
from dispatchfile.event import payload
from dispatchfile.event.event import Event, context
from dispatchfile.event.match import decide
from dispatchfile.model.pipeline import Pipeline
from dispatchfile.record import replace
from dispatchfile.tekton import manifest
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.emit import Emission
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.pac import conditions as pac_conditions
from dispatchfile.tekton.pac import objects as pac
from dispatchfile.tekton.pac.objects import Settings
from tests import ci
from tests.event import pipelines
from tests.tekton import crds, occasions, pac_model, sources, webhooks
from tests.tekton.pac_model import Facts
from tests.tekton.substitution import Run
from tests.tekton.webhooks import Webhook

OPTIONS = Options("shop", namespace="ci")

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
  plain:
    steps: [{name: run, image: "tool:1", command: [echo]}]
"""  # fmt: skip


def pipeline(*conditions: str, task: str = "plain") -> Pipeline:
    """Return a pipeline with an action for each condition; the task `unit` takes all parameters, `plain` none."""
    actions = "\n".join(f"- {{name: a{at}, tasks: [{task}], on: {on}}}" for at, on in enumerate(conditions))
    return pipelines.pipeline(f"{ALL_PARAMS}\nactions:\n{actions}\n")


def emitted(*conditions: str, task: str = "plain", settings: Settings | None = None) -> Emission:
    return pac.objects(pipeline(*conditions, task=task), OPTIONS, settings)


def files(emission: Emission) -> dict[str, str]:
    """Return the files as they are written."""
    return {name: manifest.text([made], emission.how) for name, made in emission.files.items()}


CONDITIONS = (
    *occasions.CONDITIONS,
    "{push: {branches: ['a,b', 'refs/tags/*']}}",
    "{push: {paths: ['docs/**', root.go]}}",
    "{pull_request: {targets: ['release-[0-9]*']}}",
    "{pull_request: {labels: ['{{ revision }}']}}",
    "{pull_request: {paths: ['docs/**']}}",
    "{pull_request: {chatops: [deploy]}}",
    "{pull_request: {chatops: [deploy, build]}}",
    "{pull_request: {chatops: ['a.c', 'c++', '/deploy', 'run all']}}",
    "{pull_request: {chatops: [deploy], labels: [e2e, '!wip']}}",
    "{pull_request: {chatops: [deploy], labels: ['!wip', \"{'}\"]}}",
    "{pull_request: {chatops: [deploy], branches: [main]}}",
    "{pull_request: {chatops: [deploy], targets: ['!main', 'stable']}}",
    "{pull_request: {chatops: [deploy], targets: ['!main', '*']}}",
    "{pull_request: {chatops: [deploy], targets: ['release-*', '!*-old'], sources: [fix]}}",
    "{pull_request: {chatops: [deploy], sources: ['!feature/cart']}}",
    "{pull_request: {chatops: [deploy], paths: ['docs/*', '!docs/x.md']}}",
)

SENT: dict[str, Webhook] = {
    **occasions.WEBHOOKS,
    "comma": webhooks.branch("a,b"),
    "below main": webhooks.branch("old/main"),
    "tag main": webhooks.tag("main"),
    "pr unlabeled": webhooks.pull_request(action="unlabeled"),
    "pr quoted label": webhooks.pull_request(labels=["don't", "E2E", "{{ revision }}"]),
    "/deploy": webhooks.comment("/deploy"),
    "/deploy, labels": webhooks.comment("/deploy", labels=["e2e"]),
    "/deploy, wip": webhooks.comment("/deploy", labels=["e2e", "wip", "{'}"]),
    "/deploy, odd label": webhooks.comment("/deploy", labels=["{'}"]),
    "/deploy args": webhooks.comment("/deploy fast  all\r\nplease /build"),
    "/deploy between blanks": webhooks.comment("\n\n \t/deploy\tfast  more "),
    "/deploy quoted": webhooks.comment('/deploy "a b" \'c\' \\d `e` ; rm -rf / && $HOME $$ %s {x} # y: z'),
    "/deploying": webhooks.comment("/deploying"),
    "//deploy": webhooks.comment("//deploy x"),
    "/ deploy": webhooks.comment("/ deploy"),
    "see /deploy": webhooks.comment("see /deploy"),
    "edited": webhooks.comment("/deploy", action="edited"),
    "on an issue": webhooks.comment("/deploy", issue=True),
}  # fmt: skip

# What GitHub's API says about the pull request that a comment is on.
ON: dict[str, dict[str, Any]] = {
    "": {},
    " to stable": {"target": "stable"},
    " to release": {"target": "release-1", "source": "fix"},
    " to an old release": {"target": "release-1-old", "source": "fix"},
    " with files": {"files": ["docs/x.md", "docs/y.md"]},
    " with a file": {"files": ["docs/x.md"]},
}


def occasions() -> dict[str, tuple[Webhook, Facts | None, Event | None]]:
    """Return every webhook as PaC and as this program see it; some comments once for each pull request of ON."""
    found = {}
    for name, sent in SENT.items():
        for where, given in ON.items() if name.startswith("/deploy, ") or name == "/deploy" else [("", {})]:
            request = webhooks.pull_request(**given)
            listed = request.files if given else sent.files
            facts = pac_model.github(sent.event, sent.body, listed, request.body["pull_request"])
            if facts is not None and sent.event == "issue_comment":
                facts = replace(facts, number=sent.body["issue"]["number"])
            found[name + where] = (sent, facts, event_of(sent, facts))
    return found


def event_of(sent: Webhook, facts: Facts | None) -> Event | None:
    """Return the event, with what PaC knows beyond the webhook; None where the webhook runs nothing."""
    try:
        event = payload.read(sent.text.encode())
    except UsageError:
        return None
    if event.kind == "pull_request" and facts is not None:
        return replace(
            event, paths=facts.files, source=facts.head, target=facts.base, commit=event.commit or facts.sha
        )
    return replace(event, paths=event.paths or ()) if event.kind == "push" else event


OCCASIONS = occasions()


def runs(run: Mapping[str, Any]) -> bool:
    """Return whether the tasks of a run are not skipped: all of them, or none."""
    values = pac_model.params(run)
    answers = set()
    for task in run["spec"]["pipelineSpec"]["tasks"]:
        holds = True
        for one in task.get("when", ()):
            value = values[one["input"].removeprefix("$(params.").removesuffix(")")]
            holds = holds and (value in one["values"]) == (one["operator"] == "in")
        answers.add(holds)
    (answer,) = answers
    return answer


@functools.cache
def started(name: str, *, task: str = "plain", old: bool = False) -> dict[str, dict[str, Any]]:
    facts = OCCASIONS[name][1]
    if facts is None:
        return {}
    found = pac_model.started(everything(task), replace(facts, old=old))
    return {called: run for called, run in found.items() if runs(run)}


@functools.cache
def everything(task: str) -> dict[str, str]:
    return files(emitted(*CONDITIONS, task=task))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_starts_a_run_where_match_says_so(condition: str) -> None:
    action = pipeline(condition).actions[0]
    called = f"shop-a{CONDITIONS.index(condition)}"
    fires = {
        name: event is not None and decide(action, event).fires
        for name, (_sent, _facts, event) in OCCASIONS.items()
    }
    assert {name: called in started(name) for name in OCCASIONS} == fires
    assert set(fires.values()) == {True, False}


BEYOND_OLD = {"{pull_request: {chatops: [deploy], targets: ['!main', '*']}}",
              "{pull_request: {chatops: [deploy], targets: ['release-*', '!*-old'], sources: [fix]}}"}  # fmt: skip


def test_versions_of_three_years_start_the_same_but_for_patterns_of_branches_on_comments() -> None:
    beyond = {f"shop-a{CONDITIONS.index(condition)}" for condition in BEYOND_OLD}
    for name in OCCASIONS:
        assert set(started(name, old=True)) == set(started(name)) - beyond


def test_plain_annotations_are_used_where_they_say_the_same() -> None:
    plain = {
        on
        for on, made in zip(CONDITIONS, emitted(*CONDITIONS).objects, strict=True)
        if f"{pac_model.GROUP}on-event" in made["metadata"]["annotations"]
    }
    assert plain == {
        "{push: {}}",
        "{push: {branches: [main]}}",
        "{push: {branches: ['*']}}",
        "{push: {paths: ['docs/**', root.go]}}",
        "{push: {paths: ['**']}}",
        "{push: {branches: [], paths: []}}",
        "{git: {push: {branches: [main]}}}",
        "{tag: {}}",
        "{tag: {names: ['v*']}}",
        "{git: {tag: {names: [v1.0]}}}",
        "{pull_request: {}}",
        "{pull_request: {branches: [main]}}",
        "{pull_request: {targets: ['release-*', main]}}",
        "{pull_request: {paths: ['docs/**']}}",
        "{pull_request: {chatops: []}}",
    }


@pytest.mark.parametrize("old", [True, False])
def test_patterns_that_name_heads_take_no_branch_that_is_not_called_so(*, old: bool) -> None:
    made = files(
        emitted(
            "{push: {branches: ['refs/heads/*', '!x']}}",
            "{push: {branches: [main], paths: [refs/heads/main, '!x']}}",
        )
    )
    for sent, expected in (
        (webhooks.branch("main", ["README.md"]), []),
        (webhooks.branch("main", ["refs/heads/main"]), ["shop-a1"]),
    ):
        facts = pac_model.github(sent.event, sent.body)
        assert facts is not None
        assert list(pac_model.started(made, replace(facts, old=old))) == expected


def test_a_draft_that_becomes_ready_starts_what_has_plain_annotations_alone() -> None:
    sent = webhooks.pull_request(action="ready_for_review", labels=["e2e"])
    facts = pac_model.github(sent.event, sent.body)
    assert facts is not None
    made = emitted(
        "{pull_request: {}}", "{pull_request: {labels: [e2e]}}", "{pull_request: {sources: ['*']}}"
    )
    assert list(pac_model.started(files(made), facts)) == ["shop-a0"]
    assert len(pac_model.started(files(made), replace(facts, body={**facts.body, "action": "opened"}))) == 3


# Context.


@functools.cache
def of_all_parameters() -> dict[str, str]:
    conditions = (
        CONDITIONS[0],
        "{tag: {}}",
        "{pull_request: {}}",
        "{pull_request: {chatops: [deploy, build]}}",
    )
    return files(emitted(*conditions, task="unit"))


@pytest.mark.parametrize("name", OCCASIONS)
@pytest.mark.parametrize("custom", [{}, {"team": "x"}], ids=["", "with params of the Repository"])
def test_the_parameters_are_those_of_the_event(name: str, custom: dict[str, str]) -> None:
    _sent, facts, event = OCCASIONS[name]
    if facts is None or event is None:
        return
    for run in pac_model.started(of_all_parameters(), replace(facts, params=custom)).values():
        expected = {param: context(event)[variable] for variable, param in CONTEXT_PARAMS.items()}
        found = pac_model.params(run)
        if "dispatch-comment" in found:
            assert found.pop("dispatch-comment") == facts.comment.replace("\r\n", "\\n").replace("\n", "\\n")
            del expected["chatop-args"]
        assert {**found, "git-url": f"{found['git-url']}.git"} == expected


def test_a_run_for_each_word_that_a_task_asks_for() -> None:
    words = emitted("{pull_request: {chatops: [deploy, build, 'Build It', 'build']}}", task="unit").files
    assert list(words) == ["shop-a0-deploy.yaml", "shop-a0-build.yaml"]
    assert [made["metadata"]["name"] for made in words.values()] == ["shop-a0-deploy", "shop-a0-build"]
    together = emitted("{pull_request: {chatops: [deploy, build]}}").files
    assert list(together) == ["shop-a0.yaml"]


def test_words_that_sanitize_to_one_name_get_names_of_their_own() -> None:
    names = list(
        emitted(
            "{pull_request: {chatops: [c, 'c++', C, '+']}}", "{pull_request: {chatops: [c]}}", task="unit"
        ).files
    )
    assert len(set(names)) == 5
    assert names[0] == "shop-a0-c.yaml"
    assert names[-1] == "shop-a1.yaml"
    actions = "{name: x, tasks: [unit], on: {pull_request: {chatops: [y-z, other]}}}, {name: x-y, tasks: [unit], on: {pull_request: {chatops: [z, other]}}}"
    alike = pac.objects(pipelines.pipeline(f"{ALL_PARAMS}\nactions: [{actions}]"), OPTIONS).files
    assert len(alike) == 4


# Patterns.

NAMES = (
    "main", "*", "**", "m*", "*n", "*ai*", "release/*", "release/**", "*/x", "v?.?", "v[0-9]", "v[!0-9]*", "{main,dev}",
    "{a,b{c,d}}*", "a\\*b", "a.c", "feature/*/x", "??", "a,b", "[ab]*", "x{,y}", "größe*", "(x)", "a+b",
    "^a$", "a|b", "[a-cx]", "a b",
)  # fmt: skip
VALUES = (
    "main", "n", "mn", "dev", "release/1", "release/1/2", "a/x", "a/b/x", "v1.2", "v1", "v", "vx", "a", "bc", "bd1", "a*b",
    "abb", "a.c", "abc", "feature/a/x", "feature/a/b/x", "ab", "a,b", "x", "xy", "größe/x", "refs/tags", "(x)", "a+b",
    "^a$", "a|b", "domain", "MAIN", "é", "b", "c", "d",
)  # fmt: skip
PATHS = (
    "docs/**", "docs/*", "**/*.go", "*.go", "**", "*", "src/**/x", "?.go", "[ab].go", "{a,b}/c", "README.md", "a,b", "**.go",
    "***", "docs/**.md", "**/docs/**", "a/?", "\\*", "x y", "docs/", "it's",
)  # fmt: skip
FILES = (
    "docs/a", "docs/a/b", "docs/a.md", "a.go", "b/a.go", "b/c/a.go", "src/x", "src/a/x", "src/a/b/x", "src/ax", "b.go",
    "c.go", "a/c", "b/c", "a/b/c", "README.md", "x/README.md", "a,b", "*", "x y", "docs/", "docs", "x/docs/y", "it's", "a/",
)  # fmt: skip


def patterns(listed: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return lists of patterns: each alone, each denied, and some of several."""
    pairs = itertools.pairwise(listed)
    return [
        *((one,) for one in listed),
        *((f"!{one}",) for one in listed),
        *((one, f"!{two}") for one, two in list(pairs)[::2]),
        listed[::3],
    ]


def started_on(annotations: Mapping[str, str], facts: Facts) -> bool:
    run = {"metadata": {"annotations": {pac_model.GROUP + key: value for key, value in annotations.items()}}}
    return bool(pac_model._matched([run], facts)[0])


KINDS = [
    *(("tag", listed) for listed in patterns(NAMES)),
    *(("push", listed) for listed in patterns(NAMES)[::6]),
    *(("targets", listed) for listed in patterns(NAMES)[3::6]),
]


@pytest.mark.parametrize(
    ("kind", "listed"), KINDS, ids=lambda one: one if isinstance(one, str) else " ".join(one)
)
def test_patterns_of_names_take_what_glob_takes(kind: str, listed: tuple[str, ...]) -> None:
    field = {"push": "branches", "tag": "names"}.get(kind, kind)
    on = pipelines.pipeline(
        f"actions: [{{tasks: [], on: {{{kind if kind in ('push', 'tag') else 'pull_request'}: {{{field}: {list(listed)!r}}}}}}}]"
    )
    condition = on.actions[0].on
    assert condition is not None
    (match,) = pac_conditions.matches(replace(condition, **{field: listed}), ())
    taken = {value: glob.decide(listed, value).holds for value in VALUES}
    assert {value: started_on(match.annotations, named(kind, value)) for value in VALUES} == taken


def named(kind: str, value: str) -> Facts:
    body: dict[str, Any] = {}
    if kind in ("push", "tag"):
        ref = f"refs/{'heads' if kind == 'push' else 'tags'}/{value}"
        return Facts("push", "push", ref, ref, "", "", body)
    base, head = (value, "other") if kind == "targets" else ("other", value)
    return Facts("pull_request", "pull_request", base, head, "", "", body)


@pytest.mark.parametrize("listed", patterns(PATHS), ids=" ".join)
def test_patterns_of_paths_take_what_glob_takes(listed: tuple[str, ...]) -> None:
    on = pipelines.pipeline("actions: [{tasks: [], on: {push: {}}}]").actions[0].on
    assert on is not None
    (match,) = pac_conditions.matches(replace(on, paths=listed), ())
    taken = {path: glob.decide(listed, path, "path").holds for path in FILES}
    ref = "refs/heads/main"
    assert {
        path: started_on(match.annotations, Facts("push", "push", ref, ref, "", "", {}, files=(path,)))
        for path in FILES
    } == taken
    everything_else = tuple(path for path, takes in taken.items() if not takes)
    assert not started_on(
        match.annotations, Facts("push", "push", ref, ref, "", "", {}, files=everything_else)
    )


# Other forges.


def gitlab_request(**other: Any) -> dict[str, Any]:
    return {
        "iid": 12, "target_branch": "main", "source_branch": "cart", "last_commit": {"id": webhooks.SHA}, "action": "open",
        "oldrev": "", **other,
    }  # fmt: skip


def gitlab(**other: Any) -> dict[str, Any]:
    project = {
        "web_url": "https://gitlab.example/acme/shop",
        "git_http_url": "https://gitlab.example/acme/shop.git",
    }
    return {"project": project, **other}


@pytest.mark.parametrize(
    ("attributes", "changes", "labels", "fires"),
    [
        ({}, {}, ["e2e"], True),
        ({}, {}, [], False),
        ({"action": "update", "oldrev": webhooks.OLDER}, {}, ["e2e"], True),
        ({"action": "update"}, {"labels": {"current": [{"title": "e2e"}]}}, ["e2e"], False),
        ({"target_branch": "other"}, {}, ["e2e"], False),
    ],
    ids=["opened", "without the label", "pushed to", "labelled", "to another branch"],
)  # fmt: skip
def test_merge_requests(
    attributes: dict[str, Any], changes: dict[str, Any], labels: list[str], fires: bool
) -> None:
    body = gitlab(
        object_kind="merge_request", object_attributes=gitlab_request(**attributes), changes=changes,
        labels=[{"title": label} for label in labels],
    )  # fmt: skip
    emission = emitted("{pull_request: {labels: [e2e], targets: [main]}}", task="unit")
    found = pac_model.started(files(emission), pac_model.gitlab("Merge Request Hook", body))
    assert bool(found) == fires
    for run in found.values():
        assert pac_model.params(run)["build-name"] == "pr-12"


def test_a_comment_on_a_merge_request_is_asked_for_its_labels() -> None:
    emission = emitted("{pull_request: {chatops: [deploy], labels: [e2e, '!wip']}}")
    for labels, fires in ((["e2e"], True), (["e2e", "wip"], False), ([], False)):
        request = gitlab_request(labels=[{"title": label} for label in labels])
        body = gitlab(
            object_kind="note",
            object_attributes={"note": "/deploy", "action": "create"},
            merge_request=request,
        )
        (run,) = pac_model.started(files(emission), pac_model.gitlab("Note Hook", body)).values()
        assert runs(run) == fires


# What it cannot do.


def told(emission: Emission) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, one.path) for one in emission.found]


@pytest.mark.parametrize(
    ("condition", "path", "message", "mend"),
    [
        ("{release: {tags: ['v*']}}", "on.release.tags", "is told of no releases", "--target triggers"),
        ("{git: {release: {}}}", "on.git.release.tags", "is told of no releases", "--target triggers"),
        ("{cron: {schedule: '@daily'}}", "on.cron.schedule", "has no schedules", "--target triggers"),
        ("{image: {push: {tags: ['v*']}}}", "on.image.push.tags", "no pushes to registries", "--target triggers"),
        ("{pull_request: {chatops: [cancel]}}", "on.pull_request.chatops", "for its own", "another word"),
    ],
)  # fmt: skip
def test_what_it_cannot_start_is_an_error_or_left_out(
    condition: str, path: str, message: str, mend: str
) -> None:
    with pytest.raises(EvaluationError) as caught:
        emitted("{push: {}}", condition)
    (found,) = caught.value.diagnostics
    assert (found.code, found.severity, found.path) == ("DF806", Severity.ERROR, path)
    assert message in found.message
    assert mend in found.help
    assert found.span is not None
    partial = emitted("{push: {}}", condition, settings=Settings(partial=True))
    assert list(partial.files) == ["shop-a0.yaml"]
    assert told(partial) == [("DF806", Severity.WARNING, path)]
    assert partial.found[0].message.endswith('; action "a1" is left out')


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ("{push: {tags: ['*']}}", "on.push.tags"),
        ("{pull_request: {chatops: ['run all']}}", "on.pull_request.chatops"),
    ],
)
def test_what_nothing_ever_fires_is_left_out_with_a_warning(condition: str, path: str) -> None:
    emission = emitted("{push: {}}", condition)
    assert list(emission.files) == ["shop-a0.yaml"]
    assert told(emission) == [("DF806", Severity.WARNING, path)]
    assert emission.found[0].message.endswith('nothing fires the action; action "a1" is left out')


def test_a_pattern_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(EvaluationError) as caught:
        emitted("{push: {branches: ['a[']}}")
    (found,) = caught.value.diagnostics
    assert (found.code, found.path) == ("DF303", "on.push.branches")
    assert found.span is not None
    assert found.span.text == "'a['"


@pytest.mark.parametrize("word", ["test", "retest", "ok-to-test"])
def test_words_of_its_own_are_warned_of(word: str) -> None:
    emission = emitted(f"{{pull_request: {{chatops: [{word}]}}}}", "{pull_request: {}}")
    assert told(emission) == [("DF806", Severity.WARNING, "on.pull_request.chatops")]
    facts = pac_model.github(
        "issue_comment", webhooks.comment(f"/{word}").body, (), webhooks.pull_request().body["pull_request"]
    )
    assert facts is not None
    assert "shop-a0" in pac_model.started(files(emission), facts)


def test_a_retest_starts_again_what_the_pull_request_started() -> None:
    emission = emitted(
        "{pull_request: {}}",
        "{pull_request: {labels: [e2e]}}",
        "{pull_request: {labels: ['!e2e']}}",
        "{push: {}}",
    )
    for comment in ("/retest", "/test"):
        sent = webhooks.comment(comment, labels=["e2e"])
        facts = pac_model.github(sent.event, sent.body, (), webhooks.pull_request().body["pull_request"])
        assert facts is not None
        assert list(pac_model.started(files(emission), facts)) == ["shop-a0", "shop-a1"]


# The files.


@pytest.mark.parametrize(
    "options", [OPTIONS, replace(OPTIONS, workspace="pvc", results="sh")], ids=["", "pvc"]
)
@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_every_file_gives_runs_that_a_cluster_takes(path: Path, options: Options) -> None:
    settings = Settings(keep_runs=3, cancel=True, git_auth=True, partial=True)
    emission = pac.objects(sources.load(path), options, settings)
    again = pac.objects(sources.load(path), options, settings)
    assert files(emission) == files(again)
    assert len({made["metadata"]["name"] for made in emission.objects}) == len(emission.files)
    for run in emission.objects:
        assert crds.validate(run) == []
        annotations = run["metadata"]["annotations"]
        assert annotations["pipelinesascode.tekton.dev/max-keep-runs"] == "3"
        assert annotations["pipelinesascode.tekton.dev/cancel-in-progress"] == "true"


@pytest.mark.parametrize("name", ["main", "tag v1.0", "pr", "/deploy args"])
def test_what_is_created_is_taken_by_a_cluster(name: str) -> None:
    found = [*started(name, task="unit").values(), *started(name).values()]
    assert found
    for run in found:
        assert crds.validate(run) == []
        assert "{{" not in str(run)


def test_git_gets_the_token_of_the_run() -> None:
    emission = emitted("{push: {}}", task="unit", settings=Settings(git_auth=True))
    facts = OCCASIONS["main"][1]
    assert facts is not None
    (run,) = pac_model.started(files(emission), facts).values()
    (task,) = run["spec"]["pipelineSpec"]["tasks"]
    spec = task["taskSpec"]
    assert spec["volumes"] == [{"name": "dispatch-git-auth", "secret": {"secretName": "pac-gitauth-abcdef"}}]
    for container in Run(run["spec"]["pipelineSpec"], pac_model.params(run)).start("unit"):
        assert ("dispatch-git-auth", "/var/secret/dispatch-git-auth", "", True) in container.mounts
        assert (
            container.env["GIT_CONFIG_VALUE_0"]
            == "store --file=/var/secret/dispatch-git-auth/.git-credentials"
        )


def test_git_heeds_the_token(tmp_path: Path) -> None:
    emission = emitted("{push: {}}", task="unit", settings=Settings(git_auth=True))
    template = emission.objects[0]["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["stepTemplate"]
    (tmp_path / ".git-credentials").write_text("https://git:t0ken@git.example.com\n")
    told = {one["name"]: one["value"] for one in template["env"]}
    told["GIT_CONFIG_VALUE_0"] = told["GIT_CONFIG_VALUE_0"].replace(
        "/var/secret/dispatch-git-auth", str(tmp_path)
    )
    env = {"PATH": os.environ["PATH"], **told, "HOME": str(tmp_path / "home"), "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        ["git", "credential", "fill"], input="protocol=https\nhost=git.example.com\n\n", env=env, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    assert "username=git\npassword=t0ken\n" in done.stdout


@pytest.mark.parametrize("shell", ["sh", "busybox sh", "bash --posix"])
@pytest.mark.parametrize(
    ("comment", "args"),
    [
        ("/deploy", ""),
        ("/deploy fast", "fast"),
        ("/deploy  fast\tvery   ", "fast very"),
        (r"/deploy fast\n\nplease", "fast"),
        (r"\n \n /deploy a b\nc", "a b"),
        (r"/deploy\nmore", ""),
        ("/deploy * ? [a] ~ $HOME `id` \\ -n", "* ? [a] ~ $HOME `id` \\ -n"),
        ('/deploy "a b" \'c', '"a b" \'c'),
        ("/deploy %s é -e", "%s é -e"),
    ],
    ids=repr,
)
def test_the_arguments_of_a_comment(shell: str, comment: str, args: str, tmp_path: Path) -> None:
    if shutil.which(shell.split()[0]) is None:
        ci.skip(f"there is no {shell}")
    (task, *_others) = emitted("{pull_request: {chatops: [deploy]}}", task="unit").objects[0]["spec"][
        "pipelineSpec"
    ]["tasks"]
    (step,) = task["taskSpec"]["steps"]
    result = tmp_path / "args"
    env = {"PATH": os.environ["PATH"], "COMMENT": comment, "RESULT": str(result)}
    subprocess.run([*shell.split(), "-c", step["script"]], env=env, cwd=tmp_path, check=True)
    assert result.read_text() == args


def test_arguments_of_a_comment_reach_the_program() -> None:
    emission = emitted("{pull_request: {chatops: [deploy]}}", task="unit")
    facts = OCCASIONS["/deploy quoted"][1]
    assert facts is not None
    (run,) = pac_model.started(files(emission), facts).values()
    cluster = Run(run["spec"]["pipelineSpec"], pac_model.params(run))
    (helper,) = cluster.start("dispatch-comment")
    assert helper.env["COMMENT"] == facts.comment.replace("$$", "$")  # as the kubelet does in any text
    cluster.finished("dispatch-comment", {"args": "a 'b'"})
    (*_clone, program) = cluster.start("unit")
    assert program.words == ("echo", "feature/cart", "", "pr-12", "deploy", "a 'b'")
