"""From a commit to a page that answers, on the real engine: every verb of the command once."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from dispatchfile.cli.main import main
from tests.apps.repository import GitOps


def manifests(page: str) -> str:
    labels = {"app": "page"}
    server = {
        "name": "web", "image": "dispatchfile/toolbox:latest", "command": ["httpd", "-f", "-p", "8080", "-h", "/www"],
        "ports": [{"containerPort": 8080}], "volumeMounts": [{"name": "www", "mountPath": "/www"}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }  # fmt: skip
    pod = {
        "terminationGracePeriodSeconds": 1, "containers": [server],
        "volumes": [{"name": "www", "configMap": {"name": "page"}}],
    }  # fmt: skip
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    objects = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": {"index.html": page}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "page"}, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "page"}, "spec": {"type": "NodePort", "selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}},
    ]  # fmt: skip
    return "\n---\n".join(json.dumps(one) for one in objects)


@pytest.fixture
def name() -> Iterator[str]:
    chosen = f"core-{secrets.token_hex(3)}"
    yield chosen
    main(["gitops", "app", "delete", chosen, "--yes", "--data"])


def containers(name: str) -> list[str]:
    asked = ["docker", "ps", "-aq", "--filter", f"label=dispatchfile.app={name}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()


def answer(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as page:
        text: str = page.read().decode()
    return text


@pytest.mark.docker
def test_the_whole_way(
    toolbox: str, proxy_image: str, gitops: GitOps, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def app(line: str, *more: str) -> tuple[int, str]:
        verb, *rest = line.split()
        code = main(["gitops", "app", verb, name, *rest, *more])
        return code, capsys.readouterr().out

    gitops.commit({"page.yaml": manifests("one")}, "One")
    code, out = app("create --repo", gitops.url)
    assert code == 0, out
    found = re.search(r"answers at  (\S+)", out)
    assert found, out
    url = found[1]
    assert answer(url) == "one"

    gitops.commit({"page.yaml": manifests("two")}, "Two")
    assert app("refresh")[0] == 0
    assert answer(url) == "two"
    assert app("diff --exit-code")[0] == 0

    assert app("set --auto-sync off")[0] == 0
    victim = next(
        one
        for one in containers(name)
        if b"httpd" in subprocess.run(["docker", "inspect", one], capture_output=True, check=True).stdout
    )
    subprocess.run(["docker", "rm", "-f", victim], capture_output=True, check=True)
    assert app("diff --exit-code")[0] == 20
    code, out = app("get -o json")
    assert json.loads(out)["sync"] == "OutOfSync"
    assert app("set --auto-sync on")[0] == 0
    assert answer(url) == "two"

    assert app("set --auto-sync off")[0] == 0
    assert app("rollback 0")[0] == 0
    assert answer(url) == "one"
    assert app("delete --yes --data")[0] == 0
    assert containers(name) == []
