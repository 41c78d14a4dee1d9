from __future__ import annotations

import base64
from pathlib import Path

import pytest

from dispatchfile.apps.argocd import secrets
from dispatchfile.errors import EnvironmentProblem, UsageError
from tests.cluster.api_server import ApiServer
from tests.cluster.argo import ArgoController
from tests.cluster.schemas import Schemas

URL = "https://git.test/me/gitops.git"


def test_a_repository(
    server: ApiServer, argo: ArgoController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    made = secrets.repository(URL, username="me", password="hunter2-hunter2")
    secrets.add(made)
    kept = server.cluster.get("Secret", "argocd", made["metadata"]["name"])
    assert kept["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "repository"}
    fields = {name: base64.b64decode(text).decode() for name, text in kept["data"].items()}
    assert fields == {"type": "git", "url": URL, "username": "me", "password": "hunter2-hunter2"}
    secrets.add(secrets.repository(URL, ssh_key="KEY"))
    kept = server.cluster.get("Secret", "argocd", made["metadata"]["name"])
    assert sorted(kept["data"]) == ["sshPrivateKey", "type", "url"]


def test_all_below_a_path() -> None:
    made = secrets.repository("https://git.test/me/", username="me", password="x", every=True)
    assert made["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "repo-creds"}
    assert made["metadata"]["name"].startswith("creds-")
    assert "type" not in made["stringData"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 2166136261), ("a", 3826002220), ("foobar", 3214735720)],
    ids=["empty", "a", "foobar"],
)
def test_names_are_argos_own(text: str, value: int) -> None:
    """The test vectors of FNV-1a, which Argo CD names its Secrets with."""
    assert secrets._fnv32a(text) == value


@pytest.mark.parametrize(
    "given",
    [
        {"ssh_key": "KEY", "password": "x"}, {"client_key": "KEY"}, {"insecure": True, "every": True},
    ],
    ids=["key and password", "half a pair", "insecure for all"],
)  # fmt: skip
def test_what_does_not_go_together(given: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        secrets.repository(URL, **given)  # type: ignore[arg-type] # what the table gives


def test_other_kinds_of_argo_are_not_argo_cd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argo Workflows and Rollouts are of the same API group."""
    version = {"name": "v1alpha1", "served": True, "storage": True}
    names = {"plural": "rollouts", "kind": "Rollout"}
    with ApiServer(schemas=Schemas()) as server:
        server.define(
            {"spec": {"group": "argoproj.io", "scope": "Namespaced", "names": names, "versions": [version]}}
        )
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        with pytest.raises(EnvironmentProblem, match="Argo CD is not installed"):
            secrets.add(secrets.repository(URL))
        assert server.cluster.list("Secret") == []
