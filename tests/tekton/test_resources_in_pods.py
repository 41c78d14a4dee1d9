"""Resources in real containers: what passes between tasks, for steps of every user, and the older names of HOME."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.run.oci import digest_of_index
from tests.gitops.git_server import GitServer
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.project import Project

pytestmark = pytest.mark.docker

GIT = "dispatchfile/update-gitops-repo:latest"
INDEX = f'{{"manifests": [{{"digest": "sha256:{64 * "a"}"}}, {{"digest": "sha256:{64 * "b"}"}}]}}'
DISPATCHFILE = """\
#!cue
resource: "src": {
  type: "git"
  param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}
}
resource: "tree": {
  type: "git"
  param: url: "$(context.git.url)"
}
resource: "app": {
  type: "image"
  param: url: "registry.test/app"
}
task: "make": {
  inputs: ["src"]
  outputs: ["tree", "app"]
  steps: [
    {name: "commit", image: "IMAGE", workingDir: "/workspace/src", securityContext: runAsUser: 1000
     command: ["sh", "-ec", "echo more >>word; git -c user.name=a -c user.email=a@b commit -qam more; git fetch -q origin; cp -R . /workspace/output/tree"]},
    {name: "layout", image: "IMAGE", securityContext: runAsUser: 2000
     command: ["sh", "-ec", "printf '%s' '$(INDEX)' >/builder/home/image-outputs/app/index.json; touch /tekton/home/mine; ls /builder/home/mine"]
     env: [{name: "INDEX", value: 'CONTENT'}]},
  ]
}
task: "use": {
  inputs: ["tree", "app"]
  steps: [{name: "use", image: "IMAGE", securityContext: runAsUser: 1000
           command: ["sh", "-ec", "cd /workspace/tree; cat word; git log --format=%s; echo mine >>word; touch new; echo $(inputs.resources.app.digest)"]}]
}
task: "see": {
  inputs: ["tree", "use"]
  steps: [{name: "see", image: "IMAGE", command: ["sh", "-ec", "cd /workspace/tree; cat word; git status --short"]}]
}
actions: [{tasks: ["see"], on: git: push: {}}]
"""


@pytest.mark.parametrize("workspace", ["emptydir", "pvc"])
def test_each_task_has_what_another_made_for_itself(
    workspace: str, tmp_path: Path, served: GitServer, cluster: MiniTekton
):
    content = '"' + INDEX.replace('"', '\\"') + '"'
    text = DISPATCHFILE.replace("IMAGE", GIT).replace("'CONTENT'", content)
    project = Project(tmp_path, served, {"Dispatchfile": text, "word": "first\n"})
    done = cluster.run(*project.objects("--event", "push", "--branch", "master", "--workspace", workspace))
    assert done["status"]["conditions"][0]["reason"] == "Succeeded", {
        name: [(step.name, step.log) for step in pod.steps] for name, pod in cluster.pods.items()
    }
    digest = digest_of_index(INDEX.encode(), "here")
    assert cluster.step("use", "use").stdout.decode() == f"first\nmore\nmore\nBegin\n{digest}\n"
    assert cluster.step("see", "see").stdout.decode() == "first\nmore\n"
    assert cluster.step("make", "layout").stdout.decode() == "/builder/home/mine\n"
    results = {one["name"]: one["value"] for one in done["status"]["results"]}
    assert results == {"app_IMAGE_URL": "registry.test/app", "app_IMAGE_DIGEST": digest}
