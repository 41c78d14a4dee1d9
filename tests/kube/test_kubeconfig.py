"""Which cluster is meant, as kubectl would say it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import DispatchfileError, EnvironmentProblem, UsageError
from dispatchfile.kube import kubeconfig
from tests import ci
from tests.cluster import project


def config(name: str, **parts: Any) -> dict[str, Any]:
    return {
        "current-context": name,
        "clusters": [
            {"name": name, "cluster": {"server": f"https://{name}.test", "certificate-authority": "ca.pem"}}
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"of-{name}"}}],
        "users": [{"name": name, "user": {"token": f"token-{name}"}}],
        **parts,
    }


def write(path: Path, made: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(made if isinstance(made, str) else json.dumps(made), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_usual_file(home: Path) -> None:
    write(home / ".kube/config", config("one"))
    found = kubeconfig.find()
    assert (found.context, found.namespace, found.server) == ("one", "of-one", "https://one.test")
    assert found.cluster["certificate-authority"] == str(home / ".kube/ca.pem")
    assert "token-one" not in repr(found)


def test_several_files_are_merged_and_the_first_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = write(home / "a/config", config("one"))
    both = config("two")
    both["clusters"].append({"name": "one", "cluster": {"server": "https://other.test"}})
    b = write(home / "b/config", both)
    monkeypatch.setenv("KUBECONFIG", f"{a}:{home / 'none'}:{b}")
    assert kubeconfig.find().server == "https://one.test"
    two = kubeconfig.find("two", "mine")
    assert (two.server, two.namespace) == ("https://two.test", "mine")
    assert two.cluster["certificate-authority"] == str(home / "b/ca.pem")


@pytest.mark.parametrize(
    ("command", "expected"),
    [("login", "login"), ("./bin/login", "{}/.kube/bin/login"), ("/bin/login", "/bin/login")],
)
def test_programs_are_where_their_file_says(home: Path, command: str, expected: str) -> None:
    made = config("one", users=[{"name": "one", "user": {"exec": {"command": command, "args": ["a/b"]}}}])
    write(home / ".kube/config", made)
    assert kubeconfig.find().user["exec"] == {"command": expected.format(home), "args": ["a/b"]}


def test_kubectl_agrees(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        ci.skip("kubectl is not on PATH")
        return
    a, b = write(home / "a/config", config("one")), write(home / "b/config", config("two"))
    monkeypatch.setenv("KUBECONFIG", f"{b}:{a}")
    environment = {**project.environment(home, a), "KUBECONFIG": f"{b}:{a}"}
    done = subprocess.run(
        [kubectl, "config", "view", "--minify", "-o", "json"],
        env=environment,
        capture_output=True,
        check=True,
    )
    theirs = json.loads(done.stdout)
    ours = kubeconfig.find()
    assert theirs["clusters"][0]["cluster"]["server"] == ours.server
    assert theirs["contexts"][0]["context"]["namespace"] == ours.namespace


def test_in_a_pod(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = home / "account"
    write(account / "token", "t0ken")
    write(account / "namespace", "builds")
    monkeypatch.setattr(kubeconfig, "ACCOUNT", account)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    found = kubeconfig.find()
    assert (found.server, found.namespace) == ("https://[fd00::1]:6443", "builds")
    assert found.user == {"tokenFile": str(account / "token")}
    write(home / ".kube/config", config("one"))
    assert kubeconfig.find().context == "one"


@pytest.mark.parametrize(
    ("made", "context", "kind", "message"),
    [
        (None, "", EnvironmentProblem, "no cluster is configured: there is no"),
        ("a: [", "", EnvironmentProblem, "is no kubeconfig: it is not YAML"),
        ("[1, 2]", "", EnvironmentProblem, "is no kubeconfig"),
        ("contexts: 5", "", EnvironmentProblem, "is no kubeconfig"),
        ("contexts: [5]", "", EnvironmentProblem, "contexts is not what a kubeconfig has"),
        ({}, "", EnvironmentProblem, "has no current context"),
        (config("one"), "two", UsageError, 'there is no context "two" in the kubeconfig'),
        (config("one", **{"current-context": "gone"}), "", EnvironmentProblem, 'there is no context "gone"'),
        (config("one", users=[]), "", EnvironmentProblem, 'names the user "one", which is not in the kubeconfig'),
        (config("one", clusters=[]), "", EnvironmentProblem, 'names the cluster "one", which is not'),
        (
            config("one", clusters=[{"name": "one", "cluster": {"server": "file:///etc/passwd"}}]), "",
            EnvironmentProblem, 'the cluster of context "one" has no URL',
        ),
        ("[" * 600, "", EnvironmentProblem, "is no kubeconfig"),
        (config("one", **{"current-context": 1}), "", EnvironmentProblem, "is no kubeconfig"),
        ({"contexts": [{"name": 1}]}, "", EnvironmentProblem, "contexts is not what a kubeconfig has"),
        (
            {"contexts": [{"name": "a", "context": {"cluster": ["b"]}}]}, "", EnvironmentProblem,
            "contexts is not what a kubeconfig has",
        ),
        (
            {"users": [{"name": "a", "user": {"exec": "token-one"}}]}, "", EnvironmentProblem,
            "users is not what a kubeconfig has",
        ),
        (
            {"users": [{"name": "a", "user": {"exec": {"env": [{"nam": "x"}]}}}]}, "", EnvironmentProblem,
            "users is not what a kubeconfig has",
        ),
    ],
    ids=[
        "none", "no YAML", "a list", "a number", "numbers", "empty", "no such", "gone", "no user", "no cluster", "URL",
        "deep", "current", "a number as name", "a list as name", "a text as program", "no variable",
    ],
)  # fmt: skip
def test_what_is_wrong(
    home: Path, made: Any, context: str, kind: type[DispatchfileError], message: str
) -> None:
    if made is not None:
        write(home / ".kube/config", made)
    with pytest.raises(kind) as caught:
        kubeconfig.find(context)
    assert message in caught.value.message
    assert "token-one" not in caught.value.message + caught.value.help
