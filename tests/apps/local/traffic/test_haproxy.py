"""The text of HAProxy's configuration, and what a hostile repository cannot put into it."""

from __future__ import annotations

import pytest

from dispatchfile.apps.local.traffic.haproxy import (
    SPARE,
    Backend,
    Config,
    Listener,
    Rule,
    Server,
    changes,
    held,
    places_in,
    seat,
    structure_of,
    text_of,
)
from dispatchfile.errors import UsageError

A, B, C = (Server(name, 8080, f"10.0.0.{number}") for number, name in enumerate("abc", 1))
OWN = "hello.default.svc.cluster.local"


def text(
    *servers: Server, rules: tuple[Rule, ...] | None = None, before: tuple[Server | None, ...] = ()
) -> str:
    backend = Backend("http-80", "http", servers)
    config = Config(OWN, (backend,), (Listener(80, "http-80"),), rules)
    return text_of(config, {"http-80": seat(backend, before)})


def test_places_are_read_back_from_the_file():
    assert places_in(text(A, B)) == {"http-80": (A, B, *[None] * SPARE)}


def test_who_has_a_place_keeps_it_and_the_free_ones_are_taken_first():
    backend = Backend("x", "tcp", (B, C))
    assert seat(backend, (A, B, None)) == (C, B, None)
    assert seat(backend, (A, B, None), busy={0}) == (None, B, C)


def test_more_places_are_made_when_there_are_too_few():
    backend = Backend("x", "tcp", (A, B, C))
    assert seat(backend, (A,)) == (A, B, C, *[None] * SPARE)


def test_pods_that_come_and_go_do_not_change_the_structure_but_rules_do():
    assert structure_of(text(A, B)) == structure_of(text(A, before=(A, None, *[None] * SPARE)))
    rule = Rule("", "/x", False, "http-80")
    assert structure_of(text(A, rules=(rule,))) != structure_of(text(A, rules=()))
    assert f"description {structure_of(text(A))}\n" in text(A)


def test_commands_change_places_that_differ():
    moved = Server("a", 8080, "10.0.0.9")
    found = list(changes(OWN, "x", (A, B, None, C), (moved, None, B, C)))
    assert found == [
        "set server x/s1 fqdn a",
        "set server x/s1 addr 10.0.0.9 port 8080",
        "set server x/s1 state ready",
        "set server x/s2 state maint",
        f"set server x/s2 fqdn {OWN}",
        "set server x/s3 fqdn b",
        "set server x/s3 addr 10.0.0.2 port 8080",
        "set server x/s3 state ready",
    ]


def test_the_state_of_servers_is_read_by_backend():
    head = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state …\n"
    row = "3 http-80 {0} s{0} 10.0.0.1 2 {1} 1 1 2 1 0 0 0 0 0 0 {2} {3} - 0 0 - - 0\n"
    # 68: the name was changed by command, which leaves the mark of the file's "disabled" alone.
    answer = head + row.format(1, 68, "a", 8080) + row.format(2, 5, OWN, 1) + row.format(3, 0, "b", 9)
    assert held(answer) == {"http-80": (("a", 8080), None, ("b", 9))}


@pytest.mark.parametrize(
    ("rules", "order"),
    [
        pytest.param([("", "/"), ("", "/a"), ("", "/a/b")], ["/a/b", "/a", "/"], id="longest first"),
        pytest.param(
            [("", "/a/b"), ("*.x.y", "/"), ("z.x.y", "/")], ["z.x.y", "*.x.y", ""], id="hosts first"
        ),
    ],
)
def test_rules_are_in_order(rules: list[tuple[str, str]], order: list[str]):
    made = tuple(Rule(host, path, False, f"b{number}") for number, (host, path) in enumerate(rules))
    lines = [line.split()[1] for line in text(rules=made).splitlines() if "use_backend" in line]
    by_backend = {
        rule.backend: rule.path if rule.host == "" and order[-1] == "/" else rule.host for rule in made
    }
    assert [by_backend[name] for name in dict.fromkeys(lines)] == order


HOSTILE = [
    "/x\n  use_backend stolen",
    "/x' } || { always_true",
    "/x\r\nfrontend evil",
    "/x\x00",
    "/x\u2028y",
    "/ $(id)",
    "/x\\",
    '/"',
    "x",
    "/" + "y" * 2000,
]


@pytest.mark.parametrize("path", HOSTILE, ids=repr)
def test_a_path_cannot_bring_lines_or_conditions_of_its_own(path: str):
    rule = Rule("", path, False, "http-80")
    with pytest.raises(UsageError, match="is no path of a request"):
        text(rules=(rule,))


@pytest.mark.parametrize(
    "host", ["a b", "a\nb", "a.b }", "*", "*.*.x", "-a.b", "a..b", "x'", "ä.de"], ids=repr
)
def test_a_host_cannot_bring_lines_or_conditions_of_its_own(host: str):
    with pytest.raises(UsageError, match="is no host"):
        text(rules=(Rule(host, "/", False, "http-80"),))


@pytest.mark.parametrize(
    "name", ["a b", "a\nb", "", "a}", "%[env(HOME)]", "${HOME}", '"', "x" * 300], ids=repr
)
def test_a_name_cannot_bring_lines_of_its_own(name: str):
    with pytest.raises(UsageError, match="cannot be the name"):
        text(Server(name, 80, "10.0.0.1"))
    with pytest.raises(UsageError, match="cannot be the name"):
        text(rules=(Rule("", "/", False, name),))


def test_quotes_and_signs_of_a_path_stay_what_they_are():
    found = text(rules=(Rule("", "/it's/$HOME/%[src]".replace("[", "").replace("]", ""), True, "http-80"),))
    assert "{ path -m str '/it'\\''s/$HOME/%src' }" in found
