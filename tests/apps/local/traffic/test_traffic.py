"""No request is lost while pods come and go, proxies are reloaded and pods die; counted by clients that ask throughout."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apps.local import pods_on_engine
from tests.apps.local.asking import Asking
from tests.apps.local.pods_on_engine import Site, ingress, manifest, service

pytestmark = pytest.mark.docker

HELLO = {"app": "hello"}
WEB = "/cgi-bin/web"


@pytest.fixture
def site(tmp_path: Path, toolbox: str, proxy_image: str) -> Iterator[Site]:
    """A network of an application, with no pods yet."""
    with pods_on_engine.site(tmp_path) as made:
        yield made


def ports_of(site: Site) -> list[int]:
    return [int(url.split("/")[2].rpartition(":")[2]) for url in site.services().urls()]


def test_no_request_fails_over_rollouts(site: Site):
    pods = [site.pod("old-0", HELLO), site.pod("old-1", HELLO)]
    wanted = [service(type="NodePort"), ingress(("", "/", "hello"))]
    services = site.services(*wanted)
    services.apply(wanted, site.pods, lambda line: None)
    with Asking(*((port, WEB) for port in ports_of(site))) as asking:
        for generation in range(2):
            new = []
            for number, old in enumerate(pods):
                pod = site.pod(f"new-{generation}-{number}", HELLO)
                time.sleep(0.3)  # until its server listens, as a probe would have found out
                services.admit(pod)
                services.retire(old, 20)
                site.stop(old)
                new.append(pod)
            pods = new
    assert asking.failures == []
    served = Counter(answer.split()[0] for answer in asking.answers)
    assert {"old-0", "old-1", "new-0-0", "new-1-1"} <= set(served)


def test_no_request_fails_when_a_service_is_scaled_beyond_its_places_and_back(site: Site):
    site.pod("first", HELLO)
    wanted = [service(type="NodePort", ports=[{"port": 80, "targetPort": 8080, "name": "http"}])]
    services = site.services(*wanted)
    services.apply(wanted, site.pods, lambda line: None)
    more = [site.pod(f"more-{number}", HELLO) for number in range(3)]
    # One pod by many names would be as good for the proxy; its places are what counts.
    extra = [pods_on_engine.twin(more[0], {"web": 8080}, number) for number in range(11)]
    with Asking((ports_of(site)[0], WEB), kinds=("GET keep", "POST keep", "POST new")) as asking:
        for pod in (*more, *extra):
            services.admit(pod)
        for pod in (*extra, *more):
            services.retire(pod, 10)
    assert asking.failures == []
    assert len({answer.split()[0] for answer in asking.answers}) > 1


def test_no_request_fails_when_services_and_rules_change(site: Site):
    site.pod("a", HELLO)
    site.pod("b", HELLO)
    services = site.services()
    plain = [service(type="NodePort"), ingress(("", "/", "hello"))]
    services.apply(plain, site.pods, lambda line: None)
    changed = [
        service(type="NodePort", sessionAffinity="ClientIP"),
        ingress(("", "/", "hello"), ("", "/x", "hello")),
    ]
    with Asking(*((port, WEB) for port in ports_of(site))) as asking:
        for wanted in (changed, plain, changed):
            time.sleep(0.5)
            results = services.apply(wanted, site.pods, lambda line: None)
            assert {result.done for result in results} == {"Synced"}
    assert asking.failures == []


def test_what_may_come_twice_is_asked_again_when_a_pod_dies(site: Site):
    pods = [site.pod(name, HELLO) for name in ("a", "b", "c")]
    wanted = [service(type="NodePort"), ingress(("", "/", "hello"))]
    site.services().apply(wanted, site.pods, lambda line: None)
    places = [(port, WEB) for port in ports_of(site)]
    with Asking(*places, kinds=("GET keep", "GET new")) as asking:
        time.sleep(0.5)
        site.client.kill(pods[0].container)
        time.sleep(2.5)
    assert asking.failures == []
    assert {answer.split()[0] for answer in asking.answers[-20:]} == {"b", "c"}


def test_a_pod_is_retired_when_its_last_answer_was_given_and_no_later_than_its_grace(site: Site):
    old, new = site.pod("old", HELLO), site.pod("new", HELLO, ready=False)
    wanted = [service(type="NodePort")]
    services = site.services(*wanted)
    services.apply(wanted, site.pods, lambda line: None)
    (port,) = ports_of(site)
    answers: list[bytes] = []

    def ask_slowly() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", f"{WEB}?3")
        answers.append(connection.getresponse().read())

    slow = threading.Thread(target=ask_slowly)
    slow.start()
    time.sleep(1)
    services.admit(new)
    begun = time.monotonic()
    services.retire(old, 20)
    waited = time.monotonic() - begun
    slow.join(1.5)
    assert answers == [b"old 0"]
    assert 0.5 < waited < 15

    slow = threading.Thread(target=ask_slowly)
    slow.start()
    time.sleep(1)
    services.retire(new, 0.2)
    assert slow.is_alive(), "the grace had passed, and the answer had not come"
    slow.join(10)
    assert answers[1:] == [b"new 0"]


def test_a_proxy_that_is_killed_comes_back_and_knows_its_pods(site: Site):
    pod = site.pod("a", HELLO)
    later = site.pod("later", HELLO, ready=False)
    wanted = [service(type="NodePort")]
    services = site.services(*wanted)
    services.apply(wanted, site.pods, lambda line: None)
    services.admit(later)
    services.retire(pod, 1)
    (port,) = ports_of(site)
    name = f"{site.app.name}_default_hello_Service"
    before = site.client.inspect_container(name)["State"]["Pid"]
    # All but the first process, which ends for that reason.
    site.client.exec_start(site.client.exec_create(name, ["sh", "-c", "kill -9 -1"])["Id"])
    deadline = time.monotonic() + 20
    while site.client.inspect_container(name)["State"]["Pid"] in (0, before):
        assert time.monotonic() < deadline, "the engine did not start it again"
        time.sleep(0.2)
    time.sleep(0.5)
    with Asking((port, WEB), kinds=("GET new",)) as asking:
        time.sleep(1)
    assert asking.failures == []
    assert {answer.split()[0] for answer in asking.answers} == {"later"}


UPGRADES = """mkdir /w; cat >/w/echo <<'END'
#!/bin/sh
while read -r line && [ "$line" != "$(printf '\\r')" ]; do :; done
printf 'HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n'
printf 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n'
exec cat
END
chmod +x /w/echo; exec nc -ll -p 8080 -e /w/echo"""


def test_upgrades_to_websockets_pass_and_outlast_a_reload(site: Site):
    site.pod("a", HELLO, script=UPGRADES)
    wanted = [service(), ingress(("", "/", "hello"))]
    services = site.services(*wanted)
    services.apply(wanted, site.pods, lambda line: None)
    (port,) = ports_of(site)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        connection.sendall(f"{head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 ")
        changed = [service(), ingress(("", "/", "hello"), ("", "/more", "hello"))]
        services.apply(changed, site.pods, lambda line: None)
        connection.sendall(b"still here\n")
        assert connection.recv(4096) == b"still here\n"


SPEAKS_FIRST = "exec nc -ll -p 8080 -e /bin/busybox echo welcome"


def test_servers_that_speak_first_and_what_is_no_http_are_heard(site: Site):
    site.pod("a", HELLO, script=SPEAKS_FIRST)
    ports = [{"port": 25, "targetPort": 8080, "name": "smtp"}, {"port": 4000, "targetPort": 8080}]
    wanted = [service(type="NodePort", ports=ports)]
    site.services().apply(wanted, site.pods, lambda line: None)
    found = [(url.partition(":")[0], int(url.rpartition(":")[2])) for url in site.services().urls()]
    assert [scheme for scheme, _ in found] == ["tcp", "http"]
    for _, port in found:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            assert connection.recv(100) == b"welcome\n"


def test_large_bodies_pass_both_ways(site: Site):
    site.pod(
        "a",
        HELLO,
        script=pods_on_engine.WEB.replace("exec httpd", "head -c 30000000 /dev/zero >big; exec httpd"),
    )
    wanted = [service(), ingress(("", "/", "hello"))]
    site.services().apply(wanted, site.pods, lambda line: None)
    (port,) = ports_of(site)
    time.sleep(0.5)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/big")
    assert len(connection.getresponse().read()) == 30000000
    connection.request("POST", WEB, b"x" * 20000000)
    assert connection.getresponse().read() == b"a 20000000"
    connection.close()


def test_a_client_keeps_its_pod_where_it_is_asked_for(site: Site):
    for name in "abc":
        site.pod(name, HELLO)
    wanted = [service(type="NodePort", sessionAffinity="ClientIP"), manifest({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "free"},
        "spec": {"type": "NodePort", "selector": HELLO, "ports": [{"port": 80, "targetPort": 8080}]},
    })]  # fmt: skip
    site.services().apply(wanted, site.pods, lambda line: None)
    free, kept = ports_of(site)
    for port, pods in ((free, 3), (kept, 1)):
        with Asking((port, WEB), kinds=("GET new",)):
            time.sleep(0.3)  # clients that begin at the same moment may be sent to two
        with Asking((port, WEB), kinds=("GET new", "GET keep")) as asking:
            time.sleep(1)
        assert asking.failures == []
        assert len({answer.split()[0] for answer in asking.answers}) == pods


def test_pods_that_come_back_at_each_others_addresses_are_told_apart(site: Site):
    """As after a restart of the engine, when nobody is there to tell the proxies."""
    hello, other = site.pod("hello", HELLO), site.pod("other", {"app": "other"})
    wanted = [service(type="NodePort"), service("other", "other", type="NodePort")]
    site.services(*wanted).apply(wanted, site.pods, lambda line: None)
    before = {pod.name: pod.address for pod in (hello, other)}
    for pod in (hello, other):
        site.client.stop(pod.container, timeout=0)
    for pod in (other, hello):
        site.client.start(pod.container)
    after = {pod.name: site.address(pod.container) for pod in (hello, other)}
    assert after == {"hello": before["other"], "other": before["hello"]}
    time.sleep(5)  # what the engine's DNS said is believed for two seconds
    places = ports_of(site)
    for name, port in zip(("hello", "other"), places, strict=True):
        with Asking((port, WEB), kinds=("GET new", "POST new")) as asking:
            time.sleep(0.5)
        assert asking.failures == []
        assert {answer.split()[0] for answer in asking.answers} == {name}
