"""From a webhook to the end of a run: files of `.tekton`, filled in as Pipelines-as-Code does, run for real."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from dispatchfile.record import replace
from tests.gitops.git_server import GitServer
from tests.tekton import crds, pac_model, webhooks
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.project import IMAGES, Project, opaque

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
            {name: ARGS, value: $(context.chatop.args)}]
      command: [sh, -c, "printf '%s|' \\"$BRANCH\\" \\"$BUILD\\" \\"$(context.chatop.command)\\" \\"$ARGS\\" '{{ revision }}' '{{.ID}}'; ls"]
    - name: script
      image: "dispatchfile/toolbox:latest"
      script: |
        #!/bin/sh
        echo "{{ revision }} {{ nothing"
actions:
- {tasks: [say], on: {push: {}}}
- {tasks: [say], on: {pull_request: {chatops: [say, hush]}}}
"""
HOSTILE = 'x";touch${IFS}/pwned;"'


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (webhooks.branch(HOSTILE), f"{HOSTILE}|{HOSTILE}|||{{{{ revision }}}}|{{{{.ID}}}}|"),
        (webhooks.comment("/hush now  \"my\" dear\r\nand: # more"), 'topic|pr-12|hush|now "my" dear|{{ revision }}|{{.ID}}|'),
    ],
    ids=["push", "comment"],
)  # fmt: skip
def test_a_webhook_runs_with_the_token_of_its_run(
    sent: webhooks.Webhook, said: str, tmp_path: Path, served: GitServer, cluster: MiniTekton, toolbox: str
) -> None:
    project = Project(tmp_path, served, {"Dispatchfile.yaml": DISPATCHFILE})
    project.dispatchfile("tekton", *IMAGES, "--target", "pac", "--git-auth", "--out", ".tekton")
    written = {path.name: path.read_text() for path in sorted((project.folder / ".tekton").iterdir())}
    assert sorted(written) == ["app-pull-request-hush.yaml", "app-pull-request-say.yaml", "app-push.yaml"]
    facts = pac_model.github(
        sent.event, sent.body, (), webhooks.pull_request(source="topic").body["pull_request"]
    )
    assert facts is not None
    commit = project.git("rev-parse", "HEAD").strip()
    (run,) = pac_model.started(written, replace(facts, url=f"{served.url}/ada/app", sha=commit)).values()
    assert crds.validate(run) == []
    scheme, _, host = served.url.partition("://")
    token = opaque(
        "pac-gitauth-abcdef",
        **{
            ".git-credentials": f"{scheme}://{quote(served.user, safe='')}:{quote(served.password, safe='')}@{host}\n"
        },
    )
    run["metadata"]["namespace"] = "default"
    done = cluster.run(token, run)
    logs = (
        {step.name: step.log.decode() for step in cluster.pods["say"].steps} if "say" in cluster.pods else {}
    )
    assert done["status"]["conditions"][0]["reason"] == "Succeeded", (done["status"], logs)
    assert logs["say"] == f"{said}Dispatchfile.yaml\n"
    assert logs["script"] == "{{ revision }} {{ nothing\n"
