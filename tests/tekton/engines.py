"""The same plan in both engines: what each of them starts of the Dispatchfile, step by step, without starting it.

`on_docker` asks the local engine for its specs and expands them as it does; `on_cluster` emits, and puts the objects
through the model of `substitution.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dispatchfile.plan.plan import Plan, PlannedTask
from dispatchfile.record import Record
from dispatchfile.run.containers import HOME
from dispatchfile.run.expand import expand_env, expand_words
from dispatchfile.run.places import Ground, Known, Places
from dispatchfile.run.resolve import Resolver, Supplies
from dispatchfile.tekton import emit, volumes
from dispatchfile.tekton.options import Options
from tests.tekton.substitution import Container, Object, Run

GITOPS_IMAGE = "dispatchfile/update-gitops-repo"
OPTIONS = Options("app", gitops_image=GITOPS_IMAGE)


class Made(Record):
    """What tasks make, by resource, and by task and step; the same in both engines."""

    digests: Mapping[str, str] = {}
    results: Mapping[tuple[str, str], str] = {}


def made_by(plan: Plan) -> Made:
    """Return something for every image and every step of a plan, each other than the rest, with a shell's letters."""
    digests = {
        name: f"sha256:{index:064x}" for index, name in enumerate(plan.pipeline.resources)
        if any(name in planned.task.outputs for planned in plan.tasks)
    }  # fmt: skip
    results = {
        (planned.name, step.name): f'out of {planned.name}/{step.name}: "quoted" `a` *\nline 2 \\ é'
        for planned in plan.tasks for step in planned.task.steps
    }  # fmt: skip
    return Made(digests, results)


class Started(Record):
    """A step of the Dispatchfile as a container of it starts, in words that both engines have."""

    task: str
    step: str
    image: str
    words: tuple[str, ...]
    script: str
    env: Mapping[str, str]
    working_dir: str
    mounts: tuple[tuple[str, str, str, bool], ...]
    user: str
    privileged: bool


Secrets = Mapping[str, Mapping[str, str]]


def on_docker(
    plan: Plan, made: Made, secrets: Secrets, folder: Path, images: Mapping[str, str] | None = None
) -> list[Started]:
    """Return the steps that the local engine starts."""
    ground = Ground(folder, plan.event.commit, folder / "run", folder / "storage", lambda name: name)
    resolver = Resolver(plan, Places(plan, ground), Supplies(secrets=secrets, images=images or {}))
    known, started = Known(), []
    for planned in plan.tasks:
        texts = {step.name: step for step in planned.task.steps}
        for spec in resolver.step_specs(planned.task, known):
            env = expand_env({"HOME": HOME, **spec.env})
            script = texts[spec.name].script
            command = () if script is not None else expand_words(spec.command, env) or ()
            mounts = spec.mounts if script is None else spec.mounts[:-1]  # the last holds the script
            started.append(Started(
                planned.name, spec.name, spec.image, (*command, *(expand_words(spec.args, env) or ())),
                "" if script is None else resolver._script(planned.task, texts[spec.name], known).decode(),
                env, spec.working_dir,
                tuple((one.volume, one.path, one.sub_path, one.read_only) for one in mounts),
                spec.user, spec.privileged,
            ))  # fmt: skip
        known.results.update({key: text for key, text in made.results.items() if key[0] == planned.name})
        known.digests.update(
            {name: made.digests[name] for name in planned.task.outputs if name in made.digests}
        )
    return started


def on_cluster(
    plan: Plan, made: Made, secrets: Secrets, options: Options = OPTIONS, run: Object | None = None
) -> list[Started]:
    """Return the steps that Tekton starts for a PipelineRun, which is emitted when not given, but for its own steps."""
    draft = emit.of_plan(plan, options)
    started = []
    for planned, containers in pods(plan, made, secrets, options, run):
        called = {draft.step_names[planned.name, step.name]: step.name for step in planned.task.steps}
        started += [_started(planned, called[one.name], one) for one in containers if one.name in called]
    return started


def pods(
    plan: Plan, made: Made, secrets: Secrets, options: Options = OPTIONS, run: Object | None = None
) -> Iterator[tuple[PlannedTask, list[Container]]]:
    """Yield the tasks with all containers that Tekton starts for each."""
    draft = emit.of_plan(plan, options)
    if run is None:
        (run,) = emit.emit(plan, options, "run").objects
    values = {param["name"]: param["value"] for param in run["spec"].get("params", ())}
    tekton = Run(run["spec"]["pipelineSpec"], values)
    for planned in plan.tasks:
        name = draft.task_names[planned.name]
        yield planned, tekton.start(name, secrets)
        left = {draft.step_names[key]: text for key, text in made.results.items() if key[0] == planned.name}
        for resource in set(planned.task.outputs) & made.digests.keys():
            left[f"{draft.resource_names[resource]}_IMAGE_DIGEST"] = made.digests[resource]
        spec = next(task["taskSpec"] for task in tekton.spec["tasks"] if task["name"] == name)
        declared = [result["name"] for result in spec.get("results", ())]
        tekton.finished(name, {result: left.get(result, "") for result in declared})


def _started(planned: PlannedTask, step: str, one: Container) -> Started:
    called = {made: name for name, made in volumes.volume_names(planned.task, ()).items()}
    return Started(
        planned.name, step, one.image, unwrapped(one.words), unwrapped_script(one.script),
        {name: value for name, value in one.env.items() if not name.startswith(("DISPATCHFILE_DOLLAR", "DISPATCHFILE_VALUE."))},
        one.working_dir,
        tuple((called[volume], path, sub_path, read_only)
              for volume, path, sub_path, read_only in one.mounts if volume in called),
        _user(one.rights), one.rights.get("privileged", False),
    )  # fmt: skip


def _user(rights: Mapping[str, Any]) -> str:
    user, group = rights.get("runAsUser"), rights.get("runAsGroup")
    return "" if user is None and group is None else f"{user or 0}{'' if group is None else f':{group}'}"


def unwrapped(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that a wrapper around a step, which keeps its output, runs."""
    if words[:1] == ("/tekton/bin/entrypoint",):
        at = words.index("--")
        return (words[words.index("-entrypoint") + 1], *words[at + 1 :])
    if words[:2] == ("sh", "-c") and words[2].startswith("o=$0;"):
        return words[4:]
    return words


def unwrapped_script(script: str) -> str:
    """Return the script that a wrapper around it copies to a file: all of it from the fourth line on."""
    if script.startswith('#!/bin/sh\ntail -n +4 "$0" >/tekton/results/.dispatch-'):
        return script.split("\n", 3)[3]
    return script
