"""The connection to a cluster: who it says we are, whom it trusts, and what it says when something is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.kube.client import PODS, Cluster
from dispatchfile.kube.kubeconfig import Target
from dispatchfile.kube.problems import Refused, Unreachable
from tests import ci
from tests.cluster.api_server import ApiServer, Fault


def target(server: ApiServer, tmp_path: Path, user: dict[str, Any] | None = None, **cluster: Any) -> Target:
    return Target("fake", "ci", {"server": server.url, **cluster}, user or {})


def program(tmp_path: Path, body: str) -> str:
    """Write a program that makes credentials."""
    path = tmp_path / "plugin"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{textwrap.dedent(body)}", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def asking(command: str, version: str = "v1", **more: Any) -> dict[str, Any]:
    return {"exec": {"apiVersion": f"client.authentication.k8s.io/{version}", "command": command, **more}}


GIVES = """
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
count = int(open("{count}").read()) + 1
open("{count}", "w").write(str(count))
print(json.dumps({{"apiVersion": info["apiVersion"], "kind": "ExecCredential",
                   "status": {{"token": f"token-{{count}}-{{sys.argv[1]}}-{{os.environ['WHO']}}"}}}}))
"""


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_a_program_makes_credentials_and_is_asked_again_when_they_are_old(
    tmp_path: Path, version: str
) -> None:
    count = tmp_path / "count"
    count.write_text("0", encoding="utf-8")
    command = program(tmp_path, GIVES.format(count=count))
    user = asking(command, version, args=["a"], env=[{"name": "WHO", "value": "me"}])
    with ApiServer(token="token-1-a-me") as server:
        cluster = Cluster(target(server, tmp_path, user))
        cluster.list(PODS)
        server.token = "token-2-a-me"
        cluster.list(PODS)
        assert count.read_text(encoding="utf-8") == "2"
        server.token = "never"
        with pytest.raises(Refused, match="does not take your credentials"):
            cluster.list(PODS)
        cluster.close()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit('s3cret: session expired')", "ended with exit code 1"),
        ("print('s3cret')", "printed no credentials"),
        ("print('{\"status\": {}}')", "gave no credentials"),
    ],
    ids=["expired", "no JSON", "nothing"],
)
def test_a_program_that_gives_none(tmp_path: Path, body: str, message: str) -> None:
    with ApiServer() as server, pytest.raises(EnvironmentProblem, match=message) as caught:
        Cluster(target(server, tmp_path, asking(program(tmp_path, body))))
    assert "s3cret" not in caught.value.message + caught.value.help


@pytest.mark.parametrize(
    ("user", "message"),
    [
        (asking("no-such-program-here", installHint="get it"), "cannot run no-such-program-here"),
        (asking("x", "v9"), "which is not known"),
        ({"auth-provider": {"name": "gcp"}}, "has an auth-provider"),
        ({"client-certificate": "/nowhere.pem", "client-key": "/nowhere.key"}, "cannot be used"),
        ({"client-certificate-data": "c2VjcmV0", "client-key-data": "c2VjcmV0"}, "cannot be used"),
        ({"token": 5}, "cannot be used"),
        ({"tokenFile": "/nowhere/token"}, "/nowhere/token"),
        (
            {"client-certificate": "/nowhere.pem", "client-key": "/nowhere.key"},
            ": /nowhere.pem: No such file",
        ),
        ({"token": "s3cret\nX-More: s3cret"}, "such as a token, is more than a line"),
        ({"token": "s3cret\ud800"}, "such as a token, is more than a line"),
        ({"as-user-extra": {"s3cret s": ["x"]}}, "such as a token, is more than a line"),
    ],
    ids=[
        "no program",
        "version",
        "provider",
        "no file",
        "no certificate",
        "a number",
        "no token",
        "file's name",
        "two lines",
        "no text",
        "no header",
    ],
)
def test_credentials_that_cannot_be_had(tmp_path: Path, user: dict[str, Any], message: str) -> None:
    with ApiServer() as server, pytest.raises(EnvironmentProblem) as caught:
        Cluster(target(server, tmp_path, user)).list(PODS)
    assert message in caught.value.message
    assert "s3cret" not in caught.value.message + caught.value.help
    assert "c2VjcmV0" not in caught.value.message


def test_acting_for_somebody_else(tmp_path: Path) -> None:
    with ApiServer() as server:
        cluster = Cluster(target(server, tmp_path, {"as": "ada", "as-groups": ["dev", "ops"]}))
        headers = cluster._http.headers.multi_items()
        cluster.close()
    assert [value for name, value in headers if name.lower().startswith("impersonate")] == [
        "ada",
        "dev",
        "ops",
    ]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        ci.skip("openssl is not on PATH")
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=cluster",
         "-addext", "subjectAltName=DNS:cluster.test", "-out", str(cert), "-keyout", str(key)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def test_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    authority = str(certificate[0])
    with ApiServer(certificate=certificate) as server:
        cluster = Cluster(
            target(
                server, tmp_path, **{"certificate-authority": authority, "tls-server-name": "cluster.test"}
            )
        )
        assert cluster.list(PODS)["items"] == []
        cluster.close()
        data = b64encode(certificate[0].read_bytes()).decode()
        key = b64encode(certificate[1].read_bytes()).decode()
        as_data = {"certificate-authority-data": data, "tls-server-name": "cluster.test"}
        user = {"client-certificate-data": data, "client-key-data": key}
        inline = Cluster(target(server, tmp_path, user, **as_data))
        assert inline.list(PODS)["items"] == []
        inline.close()
        trusting = Cluster(target(server, tmp_path, **{"insecure-skip-tls-verify": True}))
        assert trusting.list(PODS)["items"] == []
        trusting.close()
        for more in ({}, {"certificate-authority": authority}):
            with pytest.raises(Unreachable, match="is not who it should be") as caught:
                Cluster(target(server, tmp_path, **more)).list(PODS)
            assert "certificate-authority" in caught.value.help


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("http://127.0.0.1:9", "does not answer: Connection refused"),
        ("ftp://me:pa55@x", 'context "fake" cannot be used'),
    ],
)
def test_a_proxy_that_cannot_be_used(proxy: str, message: str) -> None:
    cluster = {"server": "https://cluster.test", "proxy-url": proxy}
    with pytest.raises(EnvironmentProblem) as caught:
        Cluster(Target("fake", "ci", cluster, {})).list(PODS)
    assert message in caught.value.message
    assert "pa55" not in caught.value.message


def test_http_where_tls_should_be(tmp_path: Path) -> None:
    with ApiServer() as server:
        there = Target("fake", "ci", {"server": server.url.replace("http:", "https:")}, {})
        with pytest.raises(Unreachable, match="does not speak TLS as expected"):
            Cluster(there).list(PODS)


def test_a_server_that_is_no_cluster(tmp_path: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>welcome")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Web) as web:
        Thread(target=web.handle_request, daemon=True).start()
        there = Target("web", "ci", {"server": f"http://127.0.0.1:{web.server_address[1]}"}, {})
        with pytest.raises(Refused, match="does not answer as a cluster does"):
            Cluster(there).list(PODS)


def test_user_and_password_in_a_url_are_not_shown(tmp_path: Path) -> None:
    there = Target("x", "ci", {"server": "http://me:pa55word@127.0.0.1:9"}, {})
    with pytest.raises(Unreachable) as caught:
        Cluster(there).list(PODS)
    assert "pa55word" not in caught.value.message
    assert "http://127.0.0.1:9" in caught.value.message


def test_what_the_server_says_is_told(tmp_path: Path) -> None:
    with ApiServer() as server:
        cluster = Cluster(target(server, tmp_path))
        server.fail("list", "pods", Fault(500, message="etcd\nis away"))
        with pytest.raises(Refused, match="HTTP 500: etcd is away") as caught:
            cluster.list(PODS)
        assert caught.value.passes
        server.forbid("log", "pods")
        with pytest.raises(Refused) as caught:
            list(cluster.log("p", "c"))
        assert "kubectl auth can-i get pods --subresource=log -n ci --context fake" in caught.value.help
        server.fail("list", "pods", Fault(0))
        with pytest.raises(Unreachable, match="does not answer"):
            cluster.list(PODS)
        cluster.close()


def test_names_cannot_leave_their_place() -> None:
    assert PODS.path("../x", "a/b?c", "log") == "/api/v1/namespaces/..%2Fx/pods/a%2Fb%3Fc/log"


def test_bodies_are_sent_as_they_are(tmp_path: Path) -> None:
    with ApiServer() as server:
        cluster = Cluster(target(server, tmp_path))
        made = cluster.create(
            PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"x": "ü ☃"}}
        )
        changed = cluster.patch(PODS, "p", {"spec": {"x": None, "y": 1}})
        assert made["spec"] == {"x": "ü ☃"}
        assert changed["spec"] == {"y": 1}
        assert json.loads(json.dumps(server.bodies[1])) == {"spec": {"x": None, "y": 1}}
        cluster.close()
