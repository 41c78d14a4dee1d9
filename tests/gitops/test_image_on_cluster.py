"""The image of the update task in a pod, with credentials as Tekton gives them: no gateway, nothing of a local run."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.run.connect import address_of_this_machine, connect
from tests.gitops.conftest import DIGESTS, Site, git
from tests.gitops.forges.github import GitHubServer
from tests.gitops.git_server import GitServer
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.project import Project, basic_auth

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[2]
UPDATE = "dispatchfile/update-gitops-repo:latest"
IMAGES = ("--gitops-image", UPDATE)


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory, update_image: str) -> Iterator[str]:
    """An image that stands in for kaniko's."""
    folder = tmp_path_factory.mktemp("executor")
    program = (ROOT / "tests/tekton/kaniko_executor.py").read_text()
    (folder / "executor").write_text(program)
    (folder / "Dockerfile").write_text(
        f'FROM {update_image}\nCOPY executor /kaniko/executor\nENTRYPOINT ["python3", "/kaniko/executor"]\n'
    )
    name = f"dispatchfile-test-{os.getpid()}/kaniko-executor:1"
    subprocess.run(["docker", "build", "-q", "-t", name, str(folder)], check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "rmi", name], check=True, capture_output=True)


@pytest.fixture
def cluster(tmp_path: Path, toolbox: str, update_image: str) -> MiniTekton:
    return MiniTekton(tmp_path / "cluster", network="host")


def logs(cluster: MiniTekton) -> str:
    return "\n".join(
        f"{task}/{step.name}: {step.log.decode()}" for task, pod in cluster.pods.items() for step in pod.steps
    )


def reason(run: dict[str, Any]) -> str:
    return run["status"]["conditions"][0]["reason"]


def deploying(hub: GitHubServer) -> str:
    """Return hello-world's Dispatchfile with this forge."""
    text = (ROOT / "examples/hello-world/Dispatchfile").read_text()
    text = re.sub(r"(?m)^gitopsUrl: .*$", f'gitopsUrl: "{hub.url}/acme/gitops.git"', text)
    flags = f'args: ["-scm-provider=github", "-api-endpoint={hub.url}/api/v3",'
    text = text.replace('args: [\n        "-git-revision', f'{flags}\n        "-git-revision')
    assert flags in text
    return text


def test_a_push_goes_all_the_way_to_a_pull_request(
    tmp_path: Path, git_server: GitServer, hub_site: Site, hub: GitHubServer, registry: str, executor: str,
    cluster: MiniTekton,
) -> None:  # fmt: skip
    text = re.sub(r"(?m)^registry: .*$", f'registry: "{registry}"', deploying(hub))
    example = tmp_path / "example"
    subprocess.run(["cp", "-r", str(ROOT / "examples/hello-world"), str(example)], check=True)
    (example / "Dispatchfile").write_text(text)
    template = (example / "gitops/application.yaml.tmpl").read_text()
    hub_site.commit("hello", {"application.yaml.tmpl": template, "app.yaml.tmpl": "", "app.yaml": ""})
    subprocess.run(["git", "push", "-q", str(hub_site.bare), "main"], cwd=hub_site.checkout, check=True)
    project = Project(tmp_path, git_server, example)
    project.secrets.append(basic_auth("forge", hub.url, "x-access-token", hub.token))
    objects = project.objects(
        "--event", "push", "--branch", "master", *IMAGES, "--image", f"executor={executor}"
    )
    done = cluster.run(*objects)
    assert reason(done) == "Succeeded", logs(cluster)

    digest = cluster.pods["build"].results["hello-world-image_IMAGE_DIGEST"]
    connection = http.client.HTTPConnection(registry)
    connection.request("HEAD", f"/v2/hello-world/manifests/{digest}", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})  # fmt: skip
    assert connection.getresponse().status == 200
    connection.close()
    (pull,) = hub.pulls
    written = hub_site.show(pull.head, "application.yaml")
    assert f"image: {registry}/hello-world:master@{digest}" in written
    assert cluster.step("deploy", "update-gitops-repo").stdout.decode().splitlines()[-1].endswith("/pull/1")
    results = {one["name"]: one["value"] for one in done["status"]["results"]}
    assert digest in results.values()
    assert hub.token not in logs(cluster)


UPDATE_ALONE = """\
#!cue
resource: "gitops": {type: "git", param: url: "URL"}
task: "deploy": {
  inputs: ["gitops"]
  steps: [{name: "update", image: "update-gitops-repo", workingDir: "/workspace/gitops"STEP
           args: ["-git-revision=r1", "-substitute=imageName=app:1"ARGS]}]
}
actions: [{tasks: ["deploy"], on: git: push: {}}]
"""


def alone(url: str, *, step: str = "", args: str = "") -> dict[str, str]:
    text = UPDATE_ALONE.replace("URL", url).replace("STEP", step).replace("ARGS", args)
    return {"Dispatchfile": text}


@pytest.mark.parametrize("user", ["", " securityContext: runAsUser: 65532"], ids=["root", "another user"])
def test_any_user_has_the_credentials(
    user: str, tmp_path: Path, git_server: GitServer, hub_site: Site, hub: GitHubServer, cluster: MiniTekton
) -> None:
    flags = f', "-scm-provider=github", "-api-endpoint={hub.url}/api/v3"'
    files = alone(f"{hub.url}/acme/gitops.git", step=f", {user}" if user else "", args=flags)
    project = Project(tmp_path / "p", git_server, files)
    project.secrets.append(basic_auth("forge", hub.url, "x-access-token", hub.token))
    done = cluster.run(*project.objects("--event", "push", "--branch", "master", *IMAGES))
    assert reason(done) == "Succeeded", logs(cluster)
    assert [pull.head for pull in hub.pulls] == [branch for branch in hub_site.branches() if branch != "main"]
    assert b"unsuccessful cred copy" not in cluster.step("deploy", "update").log


def test_what_is_beyond_the_pod_is_pushed_to(
    tmp_path: Path, git_server: GitServer, site: Site, toolbox: str, update_image: str
) -> None:
    """Not a loopback address: outside of a pod nothing is pushed there without --publish."""
    cluster = MiniTekton(tmp_path / "cluster", network="bridge")
    client = connect()
    address = address_of_this_machine(client, "bridge")
    client.close()
    with socket.socket() as probe:
        probe.bind((address, 0))
        port = probe.getsockname()[1]
    words = [
        "git",
        "daemon",
        "--reuseaddr",
        f"--listen={address}",
        f"--port={port}",
        f"--base-path={tmp_path}",
    ]
    daemon = subprocess.Popen([*words, "--export-all", "--enable=receive-pack", str(tmp_path)])
    try:
        project = Project(tmp_path / "p", git_server, alone(f"git://{address}:{port}/gitops.git"))
        done = cluster.run(*project.objects("--event", "push", "--branch", "master", *IMAGES))
        assert reason(done) == "Succeeded", logs(cluster)
        assert cluster.step("deploy", "update").stdout.startswith(b"pushed ")
        assert len(site.branches()) == 2
    finally:
        daemon.terminate()
        daemon.wait(10)


SSH = """\
#!/bin/sh
# Tells how it is called, and runs the command here.
echo "$*" >>/log/ssh
for command; do :; done
exec sh -c "$command"
"""


def test_keys_that_tekton_puts_into_home_are_used(tmp_path: Path, site: Site, update_image: str) -> None:
    git(site.checkout, "remote", "set-url", "origin", f"ssh://git@git.test{site.bare}")
    for name in ("bin", "home/.ssh", "log", "tekton"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "bin/ssh").write_text(SSH)
    (tmp_path / "bin/ssh").chmod(0o755)
    for name in ("tekton/entrypoint", "home/.ssh/config", "home/.ssh/known_hosts"):
        (tmp_path / name).touch()
    inside = {"bin": "/usr/local/bin", "home": "/tekton/home", "log": "/log", "tekton": "/tekton/bin"}
    volumes = [f"--volume={tmp_path / name}:{path}" for name, path in inside.items()]
    command = ["docker", "run", "--rm", "--network=none", "--env=HOME=/tekton/home", *volumes]
    command += [f"--volume={tmp_path}:{tmp_path}", f"--workdir={site.checkout}", update_image]
    command += ["-git-revision=r1", f"-substitute=imageName={DIGESTS['a']}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pushed ")
    assert len(site.branches()) == 2
    for call in (tmp_path / "log/ssh").read_text().splitlines():
        assert call.startswith(
            "-F /tekton/home/.ssh/config -o UserKnownHostsFile=/tekton/home/.ssh/known_hosts "
        )
        assert "git@git.test" in call
