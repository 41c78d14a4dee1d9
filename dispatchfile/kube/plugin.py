"""Credentials that a program makes, as the clusters of cloud providers have it (`user.exec` in a kubeconfig).

Kubernetes, "Authentication", client-go credential plugins: the program prints an ExecCredential, which holds a token
or a client certificate. What it says on stderr goes to the user as it is, and into none of our messages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from dispatchfile.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.kube.kubeconfig import Target

_VERSIONS = tuple(f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
PATIENCE_S = 300
"""A program may wait for a login in a browser."""


def credentials(target: Target) -> dict[str, Any]:
    """Return the user's entry with what its program gave in place of `exec`; raises EnvironmentProblem."""
    asked = target.user["exec"]
    version = str(asked.get("apiVersion", ""))
    if version not in _VERSIONS:
        raise EnvironmentProblem(
            f'the kubeconfig asks for credentials in the version "{version}", which is not known'
        )
    command = str(asked.get("command", ""))
    status = _status(_output(command, target, version), command)
    given = {
        "token": status.get("token"),
        "client-certificate-data": _encoded(status.get("clientCertificateData")),
        "client-key-data": _encoded(status.get("clientKeyData")),
    }
    if not (given["token"] or given["client-certificate-data"]):
        raise EnvironmentProblem(f"{command} gave no credentials for the cluster")
    rest = {name: value for name, value in target.user.items() if name != "exec"}
    return {**rest, **{name: value for name, value in given.items() if value}}


def _output(command: str, target: Target, version: str) -> str:
    asked = target.user["exec"]
    interactive = asked.get("interactiveMode", "IfAvailable") != "Never" and sys.stdin.isatty()
    info: dict[str, Any] = {"interactive": interactive}
    if asked.get("provideClusterInfo"):
        info["cluster"] = {
            name: target.cluster[name]
            for name in (
                "server",
                "tls-server-name",
                "insecure-skip-tls-verify",
                "certificate-authority-data",
            )
            if name in target.cluster
        }
    request = {"kind": "ExecCredential", "apiVersion": version, "spec": info}
    environment = {
        **os.environ,
        **{one["name"]: one["value"] for one in asked.get("env") or ()},
        "KUBERNETES_EXEC_INFO": json.dumps(request),
    }
    try:
        done = subprocess.run(
            [command, *map(str, asked.get("args") or ())], env=environment, stdout=subprocess.PIPE, text=True,
            check=False, stdin=None if interactive else subprocess.DEVNULL, timeout=PATIENCE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EnvironmentProblem(
            f"{command}, which makes credentials for the cluster, did not end"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "its output is no text"
        raise EnvironmentProblem(
            f"cannot run {command}, which makes credentials for the cluster: {why}",
            help=str(asked.get("installHint", "")),
        ) from None
    if done.returncode != 0:
        how = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
        raise EnvironmentProblem(
            f"{command}, which makes credentials for the cluster, ended with {how}",
            help="log in again, as your cluster's provider has it; what the program said stands above",
        )
    return done.stdout


def _status(text: str, command: str) -> dict[str, Any]:
    try:
        status = json.loads(text)["status"]
    except (ValueError, KeyError, TypeError):
        status = None
    if not isinstance(status, dict):
        raise EnvironmentProblem(f"{command} printed no credentials for the cluster") from None
    return status


def _encoded(pem: object) -> str | None:
    from base64 import b64encode

    return b64encode(pem.encode()).decode() if isinstance(pem, str) and pem else None
