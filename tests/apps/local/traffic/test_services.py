"""Services and Ingresses: what is read, names and ports seen from inside a pod, drift, ports that are taken."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.apps.local.traffic import ingress as ingresses
from dispatchfile.apps.local.traffic import service as services
from dispatchfile.apps.local.traffic.service import names_of
from dispatchfile.errors import UsageError
from dispatchfile.record import replace
from tests.apps.local import pods_on_engine
from tests.apps.local.pods_on_engine import Site, ingress, manifest, service

HELLO = {"app": "hello"}


def silent(line: str) -> None:
    """Say nothing."""


# --- what is read ---


def spec(**fields: Any) -> dict[str, Any]:
    return {"selector": HELLO, "ports": [{"port": 80}], **fields}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"type": "Nodeport"}, "Nodeport is no type of a Service", id="type"),
        pytest.param({"ports": []}, "it has no ports", id="no ports"),
        pytest.param(
            {"ports": [{"port": "80"}]}, "port is '80'; a number from 1 to 65535", id="text for a port"
        ),
        pytest.param({"ports": [{"port": 65536}]}, "port is 65536", id="large port"),
        pytest.param({"ports": [{"port": True}]}, "port is True", id="bool for a port"),
        pytest.param({"ports": [{"port": 80}, {"port": 80}]}, "port 80 stands there twice", id="twice"),
        pytest.param({"ports": {"port": 80}}, "ports is no list", id="mapping for a list"),
        pytest.param(
            {"ports": [{"port": 80, "nodePort": 30000}]}, "a nodePort is for the types", id="node port"
        ),
        pytest.param(
            {"type": "NodePort", "ports": [{"port": 1, "nodePort": 99999}]}, "nodePort is 99999", id="node"
        ),
        pytest.param({"selector": [1]}, "selector is no mapping", id="selector"),
        pytest.param({"type": "ExternalName"}, 'externalName "" is no host', id="external"),
        pytest.param({"type": "ExternalName", "externalName": "a b"}, "is no host", id="hostile external"),
        *(
            pytest.param(
                {"type": "ExternalName", "externalName": host}, "is no host", id=f"the proxy: {host}"
            )
            for host in ("127.0.0.1", "127.1.2.3", "localhost", "a.localhost.", "0.0.0.0")
        ),
        pytest.param({"ports": [{"port": 80, "targetPort": "9" * 5000}]}, "targetPort is '999", id="digits"),
    ],
)
def test_a_service_that_kubernetes_refuses_is_refused(fields: dict[str, Any], message: str):
    found = manifest(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec(**fields)}
    )
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        services.read(found)


@pytest.mark.parametrize("name", ["a\nb", "a b", "A", "1a", "a_b", "x" * 64, "a.b"])
def test_a_name_that_is_no_label_is_refused(name: str):
    found = manifest({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec()})
    with pytest.raises(UsageError, match="cannot be part of a host's name"):
        services.read(found)


@pytest.mark.parametrize(
    ("port", "speech"),
    [
        ({"port": 80}, "either"),
        ({"port": 80, "name": "http"}, "http"),
        ({"port": 80, "name": "http-web"}, "http"),
        ({"port": 80, "name": "web"}, "either"),
        ({"port": 80, "name": "grpc-api"}, "tcp"),
        ({"port": 443, "name": "https"}, "tcp"),
        ({"port": 5432, "name": "postgres"}, "tcp"),
        ({"port": 80, "name": "postgres", "appProtocol": "http"}, "http"),
        ({"port": 80, "appProtocol": "kubernetes.io/h2c"}, "tcp"),
        ({"port": 80, "appProtocol": "kubernetes.io/ws"}, "http"),
    ],
    ids=str,
)
def test_what_a_port_speaks(port: dict[str, Any], speech: str):
    found = manifest(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec(ports=[port])}
    )
    assert services.read(found).ports[0].speech == speech


def test_udp_is_told_and_tcp_beside_it_is_carried():
    read = services.read(service(ports=[{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]))
    assert [port.number for port in read.ports] == [53]
    assert read.notes[0].startswith("UDP port 53 is not passed on; a headless Service")


OLD = {
    "apiVersion": "extensions/v1beta1",
    "kind": "Ingress",
    "metadata": {
        "name": "x",
        "annotations": {"traefik.ingress.kubernetes.io/rule-type": "PathPrefixStrip"},
    },
    "spec": {
        "rules": [
            {"http": {"paths": [{"path": "/hello", "backend": {"serviceName": "h", "servicePort": "80"}}]}}
        ]
    },
}


def test_an_ingress_of_the_old_shape_is_read_and_said_to_be_old():
    read = ingresses.read(manifest(OLD))
    assert read.ways == (ingresses.Way("", "/hello", False, ingresses.Target("h", 80), strip=True),)
    assert "refused by Kubernetes 1.22" in read.notes[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"pathType": "prefix"}, 'pathType "prefix"', id="type"),
        pytest.param({"pathType": None}, "a path without pathType", id="no type"),
        pytest.param({"path": "hello"}, "is no path of a request", id="no slash"),
        pytest.param({"path": "/a\nb"}, "is no path of a request", id="newline"),
        pytest.param({"backend": None}, "a path without a backend", id="no backend"),
        pytest.param({"backend": {"service": {"name": "x"}}}, "names no Service with a port", id="no port"),
        pytest.param({"backend": {"resource": {"kind": "X"}}}, "names no Service with a port", id="resource"),
        pytest.param(
            {"backend": {"service": {"name": "x\n", "port": {"number": 1}}}},
            "cannot be the name",
            id="hostile name",
        ),
        pytest.param(
            {"backend": {"service": {"name": "x", "port": {"name": "a b"}}}},
            "cannot be the name",
            id="hostile port",
        ),
    ],
)
def test_an_ingress_that_kubernetes_refuses_is_refused(change: dict[str, Any], message: str):
    found = json.loads(json.dumps(ingress(("", "/", "hello")).object))
    found["spec"]["rules"][0]["http"]["paths"][0].update(change)
    with pytest.raises(UsageError, match=message):
        ingresses.read(manifest(found))


# --- on the engine ---


@pytest.fixture
def site(tmp_path: Path, toolbox: str, proxy_image: str) -> Iterator[Site]:
    """A network of an application, with no pods yet."""
    with pods_on_engine.site(tmp_path) as made:
        yield made


def get(port: int, path: str = "/", host: str = "localhost") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode().strip()
    finally:
        connection.close()


def published(site: Site) -> list[int]:
    return [int(url.split("/")[2].rpartition(":")[2]) for url in site.services().urls()]


@pytest.mark.docker
def test_names_and_ports_from_inside_a_pod(site: Site):
    pod = site.pod("a", HELLO)
    ports = [
        {"name": "web", "port": 80, "targetPort": "web"},
        {"name": "number", "port": 81, "targetPort": 8080},
        {"name": "same", "port": 8080},
        {"name": "none", "port": 82, "targetPort": "nowhere"},
    ]
    headless = service("direct", clusterIP="None", ports=[{"port": 8080}])
    wanted = [service(ports=ports), headless, service("outer", type="ExternalName", externalName="hello", selector=None,
                                                      ports=[{"port": 80}])]  # fmt: skip
    made = site.services(*wanted)
    aliases = made.aliases("default", "b-0", HELLO, "direct")
    site.pod("b-0", HELLO, aliases=tuple(aliases))
    results = made.apply(wanted, site.pods, silent)
    assert [result.done for result in results] == ["Synced"] * 3
    for name in names_of("hello", "default"):
        for port in (80, 81, 8080):
            assert site.inside(pod, "wget", "-qO-", f"http://{name}:{port}/") in ("a\n", "b-0\n")
    assert "503" in site.inside(pod, "wget", "-qO-", "http://hello:82/")
    for name in (*names_of("direct", "default"), "b-0.direct", "b-0.direct.default.svc.cluster.local"):
        assert site.inside(pod, "wget", "-qO-", f"http://{name}:8080/") == "b-0\n"
    assert site.inside(pod, "wget", "-qO-", "http://outer/") in ("a\n", "b-0\n")
    assert site.pods[1].address in site.inside(pod, "nslookup", "direct.default.svc.cluster.local")
    stands = {one.key.name: one for one in made.observe(site.pods)}
    assert {(one.sync, one.health) for one in stands.values()} == {("Synced", "Healthy")}
    assert stands["hello"].message == 'no pod has a port called "nowhere"'


@pytest.mark.docker
def test_requests_are_sorted_by_host_and_path(site: Site):
    names = ("root", "api", "apiv2", "shop", "any", "exact", "old")
    wanted = [service(name, name, ports=[{"port": 80, "targetPort": "web"}]) for name in names]
    for name in names:
        site.pod(name, {"app": name}, script=ECHO)
    wanted += [
        ingress(("", "/", "root"), ("", "/api/", "api"), ("", "/api/v2", "apiv2"), name="plain"),
        ingress(("shop.test", "/", "shop"), ("*.test", "/", "any"), name="hosts"),
        ingress(("", "/exact", "exact"), name="exact", kind="Exact"),
        manifest({**OLD, "spec": {"rules": [{"http": {"paths": [
            {"path": "/old", "backend": {"serviceName": "old", "servicePort": 80}}]}}]}}),
    ]  # fmt: skip
    assert {one.done for one in site.services(*wanted).apply(wanted, site.pods, silent)} == {"Synced"}
    (port,) = set(published(site))
    found = {
        (host, path): get(port, path, host)[1].split()[:2]
        for host, path in [
            ("x", "/"), ("x", "/apix"), ("x", "/api"), ("x", "/api/"), ("x", "/api/v1"), ("x", "/api/v2/y"),
            ("x", "/exact"), ("x", "/exact/y"), ("x", "/old"), ("x", "/old/page"), ("x", "/older"),
            ("shop.test", "/api"), ("SHOP.test:8080", "/"), ("a.test", "/"), ("a.b.test", "/"),
        ]
    }  # fmt: skip
    assert found == {
        ("x", "/"): ["root", "/"],
        ("x", "/apix"): ["root", "/apix"],
        ("x", "/api"): ["api", "/api"],
        ("x", "/api/"): ["api", "/api/"],
        ("x", "/api/v1"): ["api", "/api/v1"],
        ("x", "/api/v2/y"): ["apiv2", "/api/v2/y"],
        ("x", "/exact"): ["exact", "/exact"],
        ("x", "/exact/y"): ["root", "/exact/y"],
        ("x", "/old"): ["old", "/"],
        ("x", "/old/page"): ["old", "/page"],
        ("x", "/older"): ["root", "/older"],
        ("shop.test", "/api"): ["shop", "/api"],
        ("SHOP.test:8080", "/"): ["shop", "/"],
        ("a.test", "/"): ["any", "/"],
        ("a.b.test", "/"): ["root", "/"],
    }


ECHO = """mkdir /w; cat >/w/echo <<'END'
#!/bin/sh
read -r method path version
while read -r line && [ "$line" != "$(printf '\\r')" ]; do head="$head $line"; done
printf 'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n%s %s %s' "$NAME" "$path" "$(echo "$head" | tr -d '\\r')"
END
chmod +x /w/echo; exec nc -ll -p 8080 -e /w/echo"""


@pytest.mark.docker
def test_pods_know_who_asked_and_nobody_can_pretend(site: Site):
    site.pod("a", HELLO, script=ECHO)
    wanted = [service(), ingress(("shop.test", "/", "hello"))]
    site.services(*wanted).apply(wanted, site.pods, silent)
    port = site.services()._kept.published(f"{site.app.name}_Ingress")[80]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/", headers={"Host": "shop.test", "X-Forwarded-For": "6.6.6.6"})
    answer = connection.getresponse().read().decode().lower()
    connection.close()
    assert "x-forwarded-proto: http" in answer
    assert "x-forwarded-host: shop.test" in answer
    assert "x-forwarded-for: " in answer
    assert "6.6.6.6" not in answer
    assert get(port, "/", "other.test") == (404, "no rule of an Ingress is for this host and path")


@pytest.mark.docker
def test_a_node_port_that_is_taken_is_told_with_who_has_it(site: Site):
    site.pod("a", HELLO)
    wanted = [service(type="NodePort")]
    site.services(*wanted).apply(wanted, site.pods, silent)
    (port,) = published(site)
    taken = service("second", type="NodePort", ports=[{"port": 80, "targetPort": 8080, "nodePort": port}])
    made = site.services(*wanted, taken)
    first, second = made.apply([*wanted, taken], site.pods, silent)
    assert first.done == "Synced"
    assert second.done == "SyncFailed"
    who = f"the container {site.app.name}_default_hello_Service (application {site.app.name})"
    assert f"port {port} of this machine is held by {who}" in second.message
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        number = holder.getsockname()[1]
        other = service(
            "third", type="NodePort", ports=[{"port": 80, "targetPort": 8080, "nodePort": number}]
        )
        (result,) = site.services(other).apply([other], site.pods, silent)
        assert f"port {number} of this machine is held by another program of this machine" in result.message
    assert [one.health for one in made.observe(site.pods)] == ["Healthy", "Missing", ]  # fmt: skip


@pytest.mark.docker
def test_a_load_balancer_takes_its_own_port_or_another_and_says_so(site: Site):
    site.pod("a", HELLO)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        number = holder.getsockname()[1]
        wanted = [service(type="LoadBalancer", ports=[{"port": number, "targetPort": 8080}])]
        site.services(*wanted).apply(wanted, site.pods, silent)
        (port,) = published(site)
        assert port != number
        assert get(port) == (200, "a")
        (stands,) = site.services(*wanted).observe(site.pods)
        assert f"port {number} of this machine was taken" in stands.message
    site.services(*wanted).delete()
    site.services(*wanted).apply(wanted, site.pods, silent)
    assert published(site) == [number]


@pytest.mark.docker
def test_a_free_port_stays_the_same_when_the_proxy_is_made_anew(site: Site):
    site.pod("a", HELLO)
    wanted = [service(type="NodePort"), ingress(("", "/", "hello"))]
    site.services(*wanted).apply(wanted, site.pods, silent)
    before = published(site)
    for item in site.services()._maker.listed():
        site.client.remove_container(item, force=True)
    site.services(*wanted).apply(wanted, site.pods, silent)
    assert published(site) == before
    assert {get(port) for port in before} == {(200, "a")}


def standing(site: Site, *wanted: Any) -> list[tuple[str, str | None, str]]:
    found = site.services(*wanted).observe(site.pods)
    return [(one.sync, one.health, one.message.partition(";")[0]) for one in found]


@pytest.mark.docker
def test_what_a_person_did_to_a_proxy_is_seen_and_mended(site: Site):
    site.pod("a", HELLO)
    wanted = [service(), ingress(("", "/", "hello"))]
    good = [("Synced", "Healthy", ""), ("Synced", "Healthy")]

    def mended() -> bool:
        results = site.services(*wanted).apply(wanted, site.pods, silent)
        assert {result.done for result in results} == {"Synced"}, results
        found = standing(site, *wanted)
        return [found[0], found[1][:2]] == good

    name = f"{site.app.name}_default_hello_Service"
    assert standing(site, *wanted)[0] == ("OutOfSync", "Missing", "")
    assert mended()
    site.client.stop(name, timeout=1)
    assert standing(site, *wanted)[0] == ("OutOfSync", "Degraded", "its proxy is exited")
    assert mended()
    site.client.pause(name)
    assert standing(site, *wanted)[0] == ("OutOfSync", "Degraded", "its proxy is paused")
    assert mended()
    site.client.remove_container(name, force=True)
    assert standing(site, *wanted)[0] == ("OutOfSync", "Missing", "its proxy was removed")
    assert mended()
    labels = site.client.inspect_container(name)["Config"]["Labels"]
    site.client.remove_container(name, force=True)
    site.client.create_container("dispatchfile/toolbox", "true", name=name, labels=labels)
    site.client.start(name)
    assert standing(site, *wanted)[0][0] == "OutOfSync"
    assert mended()
    assert site.inside(site.pods[0], "wget", "-qO-", "http://hello/") == "a\n"
    (site.folder / "traffic.json").unlink()
    assert standing(site, *wanted)[0] == ("OutOfSync", "Missing", "")
    assert mended()


@pytest.mark.docker
def test_what_is_not_wanted_any_more_is_told_and_pruned(site: Site):
    site.pod("a", HELLO)
    wanted = [service(), service("second", type="NodePort"), ingress(("", "/", "hello"))]
    site.services(*wanted).apply(wanted, site.pods, silent)
    made = site.services(wanted[0])
    found = [(one.key.kind, one.key.name, one.sync, one.wanted) for one in made.observe(site.pods)[1:]]
    assert found == [("Service", "second", "OutOfSync", None), ("Ingress", "web", "OutOfSync", None)]
    assert [one.done for one in made.prune(made.observe(site.pods)[1:], silent)] == ["Pruned", "Pruned"]
    assert list(made._maker.listed()) == [f"{site.app.name}_default_hello_Service"]
    assert [one.sync for one in made.observe(site.pods)] == ["Synced"]
    (site.folder / "traffic.json").unlink()
    gone = site.services().observe(site.pods)
    assert [(one.key.name, one.sync) for one in gone] == [("hello", "OutOfSync")]
    site.services().delete()
    assert made._maker.listed() == {}


@pytest.mark.docker
def test_a_sync_that_was_killed_between_any_two_calls_is_finished_by_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    """Every call to the engine in turn is the last one that the program makes."""
    site.pod("a", HELLO)
    b = site.pod("b", HELLO, ready=False)
    before = [service(), ingress(("", "/", "hello"))]
    after = [service(ports=[{"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": 8080}]), before[1]]

    class Killed(BaseException):
        pass

    real = site.client._raise_for_status
    for last in range(0, 120, 4):
        site.services(*before).apply(before, site.pods, silent)
        made = site.services(*after)
        left = iter(range(last))

        def counted(*arguments: Any, left: Iterator[int] = left) -> Any:
            if next(left, None) is None:
                raise Killed
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(site.client, "_raise_for_status", counted)
            try:
                made.apply(after, site.pods, silent)
                made.admit(b)
            except Killed:
                ended = False
            else:
                ended = True
        again = site.services(*after)
        ready = [site.pods[0], replace(b, ready=True)]
        assert {one.done for one in again.apply(after, ready, silent)} == {"Synced"}
        assert {one.sync for one in again.observe(ready)} == {"Synced"}
        answers = site.inside(b, "sh", "-c", "for i in 1 2 3 4; do wget -qO- http://hello:81/; done")
        assert sorted(answers.split()) == ["a", "a", "b", "b"], last
        if ended:
            break
    assert 8 <= last < 116


@pytest.mark.docker
def test_a_service_whose_new_port_is_taken_answers_at_the_old_one(site: Site):
    site.pod("a", HELLO)
    wanted = [service(type="NodePort")]
    site.services(*wanted).apply(wanted, site.pods, silent)
    (port,) = published(site)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        number = holder.getsockname()[1]
        moved = [service(type="NodePort", ports=[{"port": 80, "targetPort": 8080, "nodePort": number}])]
        (result,) = site.services(*moved).apply(moved, site.pods, silent)
        assert result.done == "SyncFailed"
        assert get(port) == (200, "a")
    assert site.services(*moved).apply(moved, site.pods, silent)[0].done == "Synced"
    assert get(number) == (200, "a")
