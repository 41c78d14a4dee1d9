"""From a webhook, or a schedule, to the end of a run: what the emitted objects create, run for real."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.record import replace
from tests.gitops.git_server import GitServer
from tests.tekton import crds, listener, webhooks
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.project import Project

pytestmark = pytest.mark.docker
DISPATCHFILE = """
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
task:
  say:
    inputs: [src]
    steps:
    - name: say
      image: "dispatchfile/toolbox:latest"
      workingDir: /workspace/src
      env: [{name: BRANCH, value: $(context.git.branch)}, {name: BUILD, value: $(context.build.name)},
            {name: TAG, value: $(context.git.tag)}, {name: ARGS, value: $(context.chatop.args)}]
      command: [sh, -c, "printf '%s|' \\"$BRANCH\\" \\"$BUILD\\" \\"$TAG\\" $(context.chatop.command) \\"$ARGS\\"; ls"]
actions:
- {tasks: [say], on: {push: {}}}
- {tasks: [say], on: {tag: {}}}
- {tasks: [say], on: {pull_request: {chatops: [say, hush]}}}
- {name: nightly, tasks: [say], on: {cron: {schedule: "@daily"}}}
"""
TRIGGERS = ("--target", "triggers", "--webhook-secret", "hooks/token")
HOSTILE = 'x";touch${IFS}/pwned;"'
SENT = [
    ("push", webhooks.branch(HOSTILE), f"{HOSTILE}|{HOSTILE}|||"),
    ("tag", webhooks.tag("v1.0"), "|v1.0|v1.0||"),
    ("comment", webhooks.comment("/hush now  \"my\" dear\r\nand: # more"), '|pr-12||hush|now "my" dear|'),
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, served: GitServer) -> Project:
    return Project(tmp_path, served, {"Dispatchfile.yaml": DISPATCHFILE}, "refs/pull/12/head")


@pytest.mark.parametrize(("sent", "said"), [one[1:] for one in SENT], ids=[one[0] for one in SENT])
def test_a_webhook_runs_what_waits_for_it(
    sent: webhooks.Webhook, said: str, project: Project, cluster: MiniTekton
) -> None:
    objects = project.objects(*TRIGGERS)
    commit = project.git("rev-parse", "HEAD").strip()
    body = json.loads(sent.text.replace(webhooks.SHA, commit))
    body["repository"]["clone_url"] = f"{project.server.url}/ada/app.git"
    (run,) = listener.runs(objects, replace(sent, body=body)).values()
    assert crds.validate(run) == []
    ends(cluster, objects, run, f"{said}Dispatchfile.yaml\n")


@pytest.mark.parametrize("private", [True, False])
def test_a_schedule_runs_what_its_job_creates(
    private: bool, project: Project, cluster: MiniTekton, tmp_path: Path
) -> None:
    objects = project.objects(*TRIGGERS)
    commit = project.git("rev-parse", "HEAD").strip()
    config = next(one for one in objects if one["kind"] == "ConfigMap")
    job = next(one for one in objects if one["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]["template"][
        "spec"
    ]
    env = {one["name"]: one["value"] for one in job["initContainers"][0]["env"]}
    assert env["REPOSITORY"] == f"{project.server.url}/ada/app.git"
    if not private:
        env |= {"REPOSITORY": str(project.folder), "GIT_ALLOW_PROTOCOL": "file"}
    for name, text in config["data"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    env |= {
        "TEMPLATE": str(tmp_path / "run.json"),
        "RUN": str(tmp_path / "made.json"),
        "PATH": "/usr/bin:/bin",
    }
    subprocess.run(["sh", str(tmp_path / "schedule.sh")], env=env, check=True, timeout=60)
    run = json.loads((tmp_path / "made.json").read_text(encoding="utf-8"))
    # Of a private repository the job sees nothing, but the run, which has credentials, fetches it by its name.
    assert listener.params(run)["git-commit"] == ("HEAD" if private else commit)
    ends(cluster, objects, run, "|nightly|||Dispatchfile.yaml\n")


def ends(cluster: MiniTekton, objects: list[dict[str, Any]], run: dict[str, Any], said: str) -> None:
    """Run a PipelineRun with its Pipeline and the accounts among the objects, and look at what its step said."""
    kinds = ("Secret", "ServiceAccount", "Pipeline")
    done = cluster.run(*(one for one in objects if one["kind"] in kinds), run)
    logs = {step.name: step.log.decode() for pod in cluster.pods.values() for step in pod.steps}
    assert done["status"]["conditions"][0]["reason"] == "Succeeded", (done["status"], logs)
    assert logs["say"] == said
