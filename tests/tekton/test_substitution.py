"""Nasty texts through the emitter and the model of all that is replaced on a cluster: as the local engine hands them on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatchfile.errors import EvaluationError
from dispatchfile.event import payload
from dispatchfile.event.event import Event
from dispatchfile.model.decode import build
from dispatchfile.plan import graph
from dispatchfile.plan.plan import Plan
from dispatchfile.record import replace
from dispatchfile.run.expand import expand
from dispatchfile.tekton import manifest
from dispatchfile.tekton.pac import objects as pac
from tests.run.make import plan, task, value
from tests.tekton import pac_model, webhooks
from tests.tekton.engines import OPTIONS, Made, Started, on_cluster, on_docker
from tests.tekton.substitution import Refused, Run, kubelet, triggers

URL = "https://git.test/me/app"
RESOURCES = {
    "src": {"type": "git", "param": {"url": "$(context.git.url)", "revision": "$(context.git.commit)"}},
    "dst": {"type": "git", "param": {"url": "https://git.test/x"}},
    "app": {"type": "image", "param": {"url": "me/app:$(context.build.name)"}},
    "odd": {"type": "image", "param": {"url": "me/$HOME/$$(HOME)/$(params.x)", "digest": "v$"}},
    "old": {"type": "image", "param": {"url": "me/old", "digest": "sha256:0"}},
}
MADE = Made({"app": "sha256:" + "a" * 64}, {("make", "out"): 'line "1"\n`two` $HOME', ("make", "more"): ""})


def event(branch: str = "main", comment: tuple[str, ...] = ()) -> Event:
    commit = "0123456789abcdef0123456789abcdef01234567"
    return Event("push", url=URL, commit=commit, branch=branch, chatop=comment or None, user="ada")


def planned(step: dict[str, Any], at: Event | None = None) -> Plan:
    """Return a plan of a task that makes an image and two results, and one that has this step and takes them in."""
    tasks = {
        "make": task({"name": "out"}, {"name": "more"}, outputs=["app"]),
        "use": task(
            {"name": "s", **step},
            inputs=["src", "app", "odd", "old", "make"],
            outputs=["dst"],
            volumes=[{"name": "v"}],
        ),
    }
    tasks["make"]["steps"] = [{**one, "command": ["echo"]} for one in tasks["make"]["steps"]]
    return plan(tasks, RESOURCES, at or event())


def both(made: Plan, folder: Path) -> tuple[Started, Started]:
    """Return how the step of `planned` starts on this machine, and on a cluster."""
    secrets = {"s": {"k": "a$$b$(HOME)$(params.x)"}}
    here, there = on_docker(made, MADE, secrets, folder), on_cluster(made, MADE, secrets)
    return here[-1], there[-1]


ENV = [
    {"name": "A", "value": "of A $$ $(HOME)"},
    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    {"name": "DOLLAR", "value": "$"},
]

SHELL = {
    "plain": "make test",
    "empty": "",
    "command substitution": "echo $(git rev-parse HEAD) `date`",
    "variable in a command substitution": "$(git rev-parse $(context.git.branch))",
    "shell variables": "echo $HOME ${HOME} $1 $@ $? $! $# $- $_",
    "two dollars": "kill $$; echo $$",
    "three and four dollars": "$$$ $$$$ $$(HOME) $$$(HOME) $$$$(HOME)",
    "a lone dollar": "costs 5$ or $ 5",
    "ends in a dollar": "grep foo$",
    "ends in an open bracket": "echo $(",
    "never closed": "echo $(date; $(HOME; $(params.x",
    "unbalanced": "$(a $(b) c) ) $( )",
    "of the container": "$(HOME) $(A) $(TOKEN) $(DOLLAR)",
    "of no container": "$(NOPE) $(KUBERNETES) $()",
    "arithmetic": "echo $((1 + 2)) $(( $(HOME) ))",
    "awk and sed": "awk '{print $1}' | sed 's/$/ x/'",
    "brackets only": "(params.x) {{ revision }} {{revision}} ${params.x}",
    "quotes": "\"'`\\ \t\\n\\\\",
    "lines": "a\n\n  b\r\nc\n",
    "unicode": "é ☃ 𝄞 \u2028 \ufeff",
    "YAML": "yes: [1, 012, 0x1f] # no\n- 1:30\n--- |\n? !!str &a *a %",
    "Go templates": "docker inspect -f '{{.State.Pid}}' {{ x }}",
    "variables": "$(context.git.branch) $(context.git.tag)|$(context.build.name) $(context.chatop.args)",
    "variables side by side": "$(context.git.branch)$(context.git.branch)/$(context.git.url)",
    "variables that Dispatch does not have": "$(context.git.nope) $(contexts.git.url) $(git.url)",
    "resources": "$(inputs.resources.src.path) $(resources.inputs.src.url) $(outputs.resources.dst.path) $(inputs.resources.src.revision)",
    "made": "$(inputs.resources.app.url)@$(inputs.resources.app.digest) $(inputs.tasks.make.out)$(inputs.tasks.make.more)",
    "a digest that is given": "$(inputs.resources.old.url)@$(inputs.resources.old.digest)",
    "nested": "$(echo $(inputs.resources.app.digest) $(inputs.tasks.make.out))",
    "a parameter behind a dollar": "$$(context.git.branch) $$$(context.git.branch)",
    "a name made of a value": "$($(context.git.branch))",
    "looks like a name of Tekton": "$(params) $(params.) $(params x) $(param.x) $( params.x ) $(results) $(tasks.sh) $(step x)",
}  # fmt: skip

TEKTON = {
    "params": "echo $(params.x) $(params.git-branch) $(params.git-url)",
    "params in brackets": """$(params["x"]) $(params['a.b']) $(params.x[*]) $(params["x"][0]) $(params.x[1])""",
    "behind dollars": "$$(params.x) $$$(params.x) $$$$(params.x)",
    "in a command substitution": "$(echo $(params.x)) $(a $(b $(params.x) c) d)",
    "in double quotes": "\"$(params.x)\" '$(params.x)'",
    "between variables": "$(context.git.branch)$(params.x)$(context.git.branch) $(HOME)$(params.x)$(A)",
    "a name made of a variable": "$(params.$(context.git.branch)) $(results.$(context.build.name).path)",
    "tasks": "$(tasks.make.results.out) $(tasks.make.status) $(tasks.status) $(finally.x.results.y)",
    "results": "$(results.out.path) $(results.nope.path) $(results['x'].path) $(step.results.x.path)",
    "workspaces": "$(workspaces.w.path) $(workspaces.w.bound) $(workspaces.w.volume) $(workspaces.w.claim)",
    "steps": "$(steps.s.results.r) $(steps.step-s.exitCode.path) $(step.artifacts.path) $(artifacts.path)",
    "credentials": "$(credentials.path)/x",
    "Triggers": "$(tt.params.x) $(uid)",
    "a resource's own": "$(inputs.resources.odd.url) $(inputs.resources.odd.digest)",
    "the name of the dollar": "$(DISPATCHFILE_DOLLAR) $(params.x)",
    "many": "$(params.x) $(HOME) $$ $(date) " * 20,
}


@pytest.mark.parametrize("text", [*SHELL.values(), *TEKTON.values()], ids=[*SHELL, *TEKTON])
@pytest.mark.parametrize("branch", ["HOME", "a'b\"c`d;e&f|g/é"])
def test_words_and_env_reach_the_program_as_here(text: str, branch: str, tmp_path: Path) -> None:
    step = {"command": ["run", text], "args": [text, "x"], "env": [*ENV, {"name": "T", "value": text}, {"name": "Z", "value": "$(T)"}]}  # fmt: skip
    here, there = both(planned(step, event(branch)), tmp_path)
    assert there == here


@pytest.mark.parametrize("text", SHELL.values(), ids=SHELL)
@pytest.mark.parametrize("branch", ["$(HOME)a$$b", "x$", "y)z$("])
def test_values_that_the_kubelet_would_expand(text: str, branch: str, tmp_path: Path) -> None:
    step = {"command": ["run", text], "args": [text], "env": [*ENV, {"name": "T", "value": text}]}
    here, there = both(planned(step, event(branch)), tmp_path)
    assert there == here


@pytest.mark.parametrize("text", [*SHELL.values(), TEKTON["Triggers"]], ids=[*SHELL, "Triggers"])
def test_fields_that_the_kubelet_does_not_read(text: str, tmp_path: Path) -> None:
    step = {
        "image": f"i{text}", "script": f"#!/bin/sh\n{text}", "args": ["$(HOME)"], "workingDir": f"/w/{text}",
        "volumeMounts": [{"name": "v", "mountPath": f"/m/{text}", "subPath": f"s{text}"}],
    }  # fmt: skip
    here, there = both(planned(step), tmp_path)
    assert there == here


@pytest.mark.parametrize("text", [one for name, one in TEKTON.items() if name != "Triggers"])
@pytest.mark.parametrize("field", ["script", "image", "workingDir"])
def test_what_cannot_be_kept_from_tekton_is_an_error(text: str, field: str, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError) as caught:
        both(planned({field: text}), tmp_path)
    assert {one.code for one in caught.value.diagnostics} == {"DF803"}


def test_env_that_cannot_be_kept_from_tekton_is_an_error(tmp_path: Path) -> None:
    env = [{"name": "params.x", "value": "1"}, {"name": "T", "value": "$(params.x)"}]
    with pytest.raises(EvaluationError) as caught:
        both(planned({"env": env}), tmp_path)
    assert [one.code for one in caught.value.diagnostics] == ["DF803"]


def test_a_home_of_its_own_stands_behind_the_dollar(tmp_path: Path) -> None:
    here, there = both(planned({"env": [{"name": "HOME", "value": "$(params.x)"}]}), tmp_path)
    assert there.env == here.env
    assert here.env["HOME"] == "$(params.x)"


def test_the_dollar_has_a_name_that_nobody_else_has(tmp_path: Path) -> None:
    env = [{"name": "DISPATCHFILE_DOLLAR", "value": "mine"}]
    step = {"command": ["$(DISPATCHFILE_DOLLAR) $(params.x)", "$(DISPATCHFILE_DOLLAR_)"], "env": env}
    here, there = both(planned(step), tmp_path)
    assert there.words == here.words == ("mine $(params.x)", "$(DISPATCHFILE_DOLLAR_)")


@pytest.mark.parametrize("branch", ["feature/x", 'x";touch${IFS}pwned;"', "a'b`c`", "é#{}&!|>%@,]-"])
def test_through_pipelines_as_code(branch: str, tmp_path: Path) -> None:
    """It reads the files as text, and puts the branch into them before they are YAML."""
    texts = [*SHELL.values(), *TEKTON.values()]
    tasks = {
        "make": task({"name": "out", "command": ["echo"]}, {"name": "more", "command": ["echo"]}, outputs=["app"]),
        "use": task(
            {"name": "s", "command": texts, "args": texts, "env": [*ENV, {"name": "T", "value": "{{ revision }}"}]},
            {"name": "t", "script": "\n".join(SHELL.values())},
            inputs=["src", "app", "odd", "old", "make"], outputs=["dst"],
        ),
    }  # fmt: skip
    actions = [{"tasks": ["use"], "on": {"git": {"push": {}}}}]
    source = build(value({"resource": RESOURCES, "task": tasks, "actions": actions}))
    sent = webhooks.branch(branch)
    event, facts = payload.read(sent.text.encode()), pac_model.github(sent.event, sent.body)
    assert facts is not None
    emission = pac.objects(source, OPTIONS)
    files = {name: manifest.text([made], emission.how) for name, made in emission.files.items()}
    (run,) = pac_model.started(files, facts).values()
    event = replace(event, url=facts.url)  # which is the page of the repository
    made, secrets = graph.make(source, event), {"s": {"k": "a$$b"}}
    assert on_cluster(made, MADE, secrets, run=run) == on_docker(made, MADE, secrets, tmp_path)


FRAGMENTS = [
    "$", "$$", "$(", ")", "(", "a", " ", "\n", "'", '"', "`", "\\", "é", "x.y", "params.x", "$(params.x)", "$(params.git-url)",
    '$(params["x"])', "$(tasks.make.results.out)", "$(results.out.path)", "$(uid)", "$(tt.params.x)", "$(HOME)", "$(A)",
    "$(NOPE)", "$(date)", "$(DISPATCHFILE_DOLLAR)", "$(context.git.branch)", "$(context.chatop.args)",
    "$(inputs.resources.app.digest)", "$(inputs.tasks.make.out)", "$(inputs.resources.odd.url)", "{{ revision }}",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)
SAFE = st.text(
    st.characters(exclude_characters="$)", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
)
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(st.lists(TEXTS, min_size=1, max_size=3), SAFE, SAFE)
def test_any_text(tmp_path: Path, texts: list[str], branch: str, comment: str) -> None:
    step = {"command": texts, "args": texts, "env": [*ENV, {"name": "T", "value": texts[0]}]}
    here, there = both(planned(step, event(branch, ("go", comment))), tmp_path)
    assert there == here


SHELLS = [
    one
    for one in FRAGMENTS
    if "params" not in one and "uid" not in one and ("." not in one or one.startswith("$(context"))
]


@QUICK
@given(st.lists(st.sampled_from(SHELLS), max_size=12).map("".join), st.text("$()aHOME{} '\"`", max_size=10))
def test_any_value(tmp_path: Path, text: str, branch: str) -> None:
    text = text.replace("$(uid)", "")
    here, there = both(
        planned({"args": [text], "env": [{"name": "T", "value": text}]}, event(branch)), tmp_path
    )
    assert there == here


# The model itself, held against what was seen on a cluster.


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_two_readings_of_the_kubelet_agree(text: str) -> None:
    env = {"HOME": "/h", "A": "$$(HOME)"}
    assert kubelet(text, env) == expand(text, env)


def spec(step: dict[str, Any], params: tuple[str, ...] = ("x",), **task_spec: Any) -> dict[str, Any]:
    declared = [{"name": name, "type": "string"} for name in params]
    given_params = [{"name": name, "value": f"$(params.{name})"} for name in params]
    body = {"params": declared, **task_spec, "steps": [{"name": "s", "image": "i", **step}]}
    return {"params": declared, "tasks": [{"name": "t", "params": given_params, "taskSpec": body}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(params.x)", "VALUE"),
        ("$$(params.x)", "$VALUE"),
        ("""$(params["x"])$(params['x'])$(inputs.params.x)""", "VALUEVALUEVALUE"),
        ("$(git rev-parse HEAD) $(date) $(NOPE)", "$(git rev-parse HEAD) $(date) $(NOPE)"),
        ("$(git show $(params.x))", "$(git show VALUE)"),
        ("$$", "$"),
        ("$(HOME)", "/tekton/home"),
        ("$(context.task.name) $(context.taskRun.name)", "t run-x1-t"),
        ("$(results.r.path) $(results.nope.path)", "/tekton/results/r $(results.nope.path)"),
        ("$(credentials.path)", "/tekton/creds"),
        ("$(D)(params.x)", "$(params.x)"),
        ("$(tt.params.x) $(uid)", "$(tt.params.x) $(uid)"),
    ],
)
def test_what_was_seen_on_a_cluster(text: str, expected: str) -> None:
    template = {"workingDir": "/workspace", "env": [{"name": "HOME", "value": "/tekton/home"}]}
    step = {"args": [text], "script": "", "env": [{"name": "D", "value": "$"}]}
    whole = spec(step, stepTemplate=template, results=[{"name": "r"}])
    (container,) = Run(whole, {"x": "VALUE"}).start("t")
    assert container.words == (expected,)


def test_a_script_is_tektons_and_not_the_kubelets() -> None:
    (container,) = Run(spec({"script": "echo $$ $(HOME) $(params.x) $(date)"}), {"x": "v"}).start("t")
    assert container.script == "echo $$ $(HOME) v $(date)"


def test_a_value_is_looked_at_by_the_passes_behind_it() -> None:
    (container,) = Run(spec({"args": ["$(params.x)"]}), {"x": "$(context.task.name)"}).start("t")
    assert container.words == ("t",)


@pytest.mark.parametrize(
    "step",
    [
        {"args": ["$(params.nope)"]},
        {"script": '$(params["nope"])'},
        {"image": "$(context.taskRun.nope)"},
        {"script": "cat $(results.nope.path)"},
        {"script": "$(steps.a.results.b)"},
        {"env": [{"name": "A", "value": "$(context.task.nope)"}]},
    ],
)
def test_what_the_webhook_refuses(step: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        Run(spec(step), {"x": "v"})


def test_a_result_that_nobody_left_ends_the_run() -> None:
    whole = spec({"args": ["$(params.r)"]}, params=())
    whole["tasks"][0]["taskSpec"]["params"] = [{"name": "r", "type": "string"}]
    whole["tasks"][0]["params"] = [{"name": "r", "value": "$(tasks.a.results.r)"}]
    maker = {"name": "a", "taskSpec": {"results": [{"name": "r"}], "steps": [{"name": "s", "image": "i"}]}}
    whole["tasks"].insert(0, maker)
    run = Run(whole, {})
    with pytest.raises(Refused, match="did not emit"):
        run.start("t")
    run.finished("a", {"r": ""})
    assert run.start("t")[0].words == ("",)


def test_triggers_put_values_into_json() -> None:
    template = {
        "spec": {"params": [{"name": "x", "value": "$(tt.params.branch)"}], "other": "$(params.x) $(uid)"}
    }
    made = triggers(template, {"branch": 'a"b\\c\n'})
    assert made == {"spec": {"params": [{"name": "x", "value": 'a"b\\c\n'}], "other": "$(params.x) u1d"}}


@pytest.mark.parametrize("source", ["env", "envFrom"])
@pytest.mark.parametrize("text", ["V", "x=V", "$V", "$$V", "$(basename V)", "$(V", "V)"])
def test_nobody_gets_a_secret_by_a_name(text: str, source: str, tmp_path: Path) -> None:
    """Of a branch, in a comment, or in what another task prints: it stays what it is, in both engines."""
    asked = {
        "context.git.branch": "$(TOKEN)",
        "context.chatop.args": "$(TOKEN)",
        "inputs.tasks.make.out": "$(TOKEN)",
    }
    made = Made(MADE.digests, {("make", "out"): "$(TOKEN)", ("make", "more"): ""})
    token = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    for name in asked:
        written = text.replace("V", f"$({name})")
        secret: dict[str, Any] = (
            {"env": [token]} if source == "env" else {"envFrom": [{"secretRef": {"name": "s"}}]}
        )
        env = [*secret.pop("env", ()), {"name": "T", "value": written}]
        step = {"command": ["run", written], "args": [written], "env": env, **secret}
        whole = planned(step, event("$(TOKEN)", ("go", "$(TOKEN)")))
        secrets = {"s": {"k": "s3cret", "TOKEN": "s3cret"}}
        here, there = on_docker(whole, made, secrets, tmp_path)[-1], on_cluster(whole, made, secrets)[-1]
        assert here.words == there.words
        assert "s3cret" not in str(there.words)
        assert "s3cret" not in there.env["T"] == here.env["T"]
        assert "$(TOKEN)" in there.env["T"]
