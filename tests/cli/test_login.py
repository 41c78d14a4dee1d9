"""`dispatchfile login` as a user calls it."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatchfile.cli.main import main
from tests.credentials.conftest import User, user
from tests.credentials.test_docker_config import HELPER
from tests.credentials.test_registry import guarded
from tests.credentials.test_ssh import HOST, known, make_key
from tests.gitops.forges.base import Fault
from tests.gitops.git_server import GitServer
from tests.gitops.test_whoami import GitLab
from tests.tekton import crds
from tests.tekton.credentials import credential_files

__all__ = ["guarded", "user"]

TOKEN = "t0ken-Of:The/Tests+ü"
PASSWORD = "pa55word"


class Stdin(io.TextIOWrapper):
    """A pipe with a text in it."""

    def __init__(self, text: str) -> None:
        super().__init__(io.BytesIO(text.encode()))


@pytest.fixture
def call(user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Calls the program with something on stdin; returns exit code, stdout, stderr. No token is ever in the latter."""

    def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        with Stdin(stdin) as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            code = main(words)
        told = capsys.readouterr()
        for secret in (TOKEN, PASSWORD):
            assert secret not in told.err
            assert secret not in told.out
        return code, told.out, told.err

    return run


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[GitLab]:
    (tmp_path / "forge").mkdir()
    with GitLab(tmp_path / "forge", token="t0ken-Of-The-Tests") as server:
        yield server


def rows(call: Any, *words: str) -> tuple[int, list[dict[str, Any]]]:
    code, out, _ = call("login", *words, "--status", "--json")
    return code, json.loads(out)


def test_a_forge_from_login_to_removal(call: Any, user: User, gitlab: GitLab) -> None:
    where = ("gitlab", "--git-server", gitlab.url)
    code, out, _ = call("login", *where, "--token-stdin", stdin=f"{gitlab.token}\n")
    assert (code, out) == (0, f"logged in to {gitlab.url} as ada; the token is kept in {user.logins}\n")
    code, [row] = rows(call, "gitlab", "--check")
    assert (code, row["user"], row["works"], row["server"]) == (0, "ada", True, gitlab.url)
    assert gitlab.token not in json.dumps(row)
    gitlab.faults.append(Fault(401, {"message": "401 Unauthorized"}, times=9))
    code, [row] = rows(call, "gitlab", "--check")
    assert (code, row["works"]) == (1, False)
    assert "does not take this token" in row["message"]
    assert call("login", *where, "--remove")[0] == 0
    assert rows(call, "gitlab") == (1, [])
    code, _, err = call("login", *where, "--remove")
    assert (code, err.splitlines()[0]) == (1, f"error: there is no login for {gitlab.url}")
    assert gitlab.token not in user.logins.read_text()


def test_a_wrong_token_is_not_kept(call: Any, user: User, gitlab: GitLab) -> None:
    code, _, err = call("login", "gitlab", "--git-server", gitlab.url, "--token-stdin", stdin=TOKEN)
    assert code == 4
    assert "error: GitLab does not take this token" in err
    assert not user.logins.exists()


def test_the_name_that_is_given_stays(call: Any, gitlab: GitLab) -> None:
    code, out, err = call("login", "gitlab", "--git-server", gitlab.url, "--user", "bot", "--token-stdin", stdin=gitlab.token)  # fmt: skip
    assert (code, "as bot;" in out) == (0, True)
    assert "note: the token is ada's, not bot's" in err


@pytest.mark.parametrize("option", ["--token", "--password", "--app-password"])
def test_a_token_on_the_command_line_works_and_is_warned_of(call: Any, option: str) -> None:
    code, _, err = call("login", "bitbucket-cloud", "--user", "me", option, TOKEN, "--no-check")
    assert code == 0
    assert "others on this machine could read the token in the list of processes; --token-stdin" in err


@pytest.mark.parametrize(
    ("helper", "said"),
    [
        ("store", "in plain text"),
        ("cache --timeout=5", "forgets it"),
        ("!f() { :; }; f", "only you can read that file"),
    ],
    ids=["store", "cache", "does nothing"],
)
def test_what_there_is_to_know_of_the_helper(call: Any, user: User, helper: str, said: str) -> None:
    user.git_settings(f'[credential]\n\thelper = "{helper}"\n')
    (user.home / ".cache").mkdir()
    code, out, err = call("login", "github", "--no-check", "--token-stdin", stdin=TOKEN)
    assert code == 0
    assert said in err
    if "f()" not in helper:
        assert f"by git's credential helper ({helper})" in out
    subprocess.run(["git", "credential-cache", "exit"], env=user.env, check=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "login needs to know where to"),
        ("githup", "githup"),
        (f"github {TOKEN}", "login github takes no argument"),
        ("gitea --token-stdin", "login gitea needs to know the server"),
        ("git --token-stdin --git-server h.test", "login git needs a user"),
        ("github --token-stdin", "the token is empty"),
        ("github", "no token is given"),
        (f"github --token {TOKEN} --token-stdin", "given twice"),
        ("github --registry x --token-stdin", "--registry is not for github"),
        ("docker --git-server x", "--git-server is not for docker"),
        ("docker --password-stdin", "login docker needs a user"),
        ("docker --username a:b --password-stdin", "holds a colon"),
        ("docker --docker-config-path /x", "names logins that Docker has already"),
        ("docker --docker-config-path /x --dry-run", "there is no file /x"),
        ("github --remove --dry-run", "--dry-run prints the Secret of a new login"),
        ("github -o yaml --token-stdin", "--output is how --dry-run prints"),
        ("--check", "login needs to know where to"),
        ("github --json --token-stdin", "--json goes with --status"),
        ("--status --token-stdin", "--status only looks"),
        ("git --private-key-path k --token-stdin --git-server h.test", "a key and a token are two logins"),
        ("git --private-key-path k", "login git needs to know the server"),
        ("git k --private-key-path k", "FILE is given twice"),
        ("github --git-server http://github.com --token-stdin", "plain http"),
        ("github --git-server https://a:b@github.com --token-stdin", "a token stands in the URL"),
    ],
)  # fmt: skip
def test_what_cannot_be(call: Any, words: str, said: str) -> None:
    code, out, err = call("login", *words.split())
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(
    "token", ["a\nb", "a\0b", "\x1b[31m", "  ", "x" * 20000], ids=["line", "nul", "escape", "blank", "long"]
)
def test_what_is_no_token(call: Any, user: User, token: str) -> None:
    code, _, err = call("login", "github", "--no-check", "--token-stdin", stdin=token)
    assert code == 2
    assert "\x1b" not in err
    assert not user.logins.exists()


def typed(user: User, keys: str) -> tuple[int, bytes]:
    """Log in on a terminal and type something when asked; return the exit code, and what the terminal showed."""
    main_end, terminal = pty.openpty()
    words = [sys.executable, "-m", "dispatchfile", "login", "github", "--no-check"]
    with subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal, env=user.env, start_new_session=True) as process:  # fmt: skip
        os.close(terminal)
        shown = b""
        while b"token: " not in shown:
            shown += os.read(main_end, 1000)
        os.write(main_end, keys.encode())
        try:
            while block := os.read(main_end, 1000):
                shown += block
        except OSError:  # how a terminal ends
            pass
    os.close(main_end)
    return process.returncode, shown


def test_who_ends_the_input_gives_no_token(user: User) -> None:
    code, shown = typed(user, "\x04")
    assert code == 2
    assert b"no token is given" in shown
    assert not user.logins.exists()


def test_it_is_asked_for_on_a_terminal_and_not_shown(user: User) -> None:
    code, shown = typed(user, f"{TOKEN}\n")
    assert code == 0
    assert b"logged in to https://github.com as x-access-token" in shown
    assert TOKEN.encode() not in shown
    assert TOKEN in json.loads(user.logins.read_text())["logins"][0]["token"]


def test_old_flags_have_a_clear_word(call: Any) -> None:
    words = ("--service-account", "ci", "--secret", "s", "--insecure-webhook-skip-tls-verify")
    code, _, err = call("login", "github", "--no-check", "--token-stdin", *words, stdin=TOKEN)
    assert code == 0
    for option in ("--service-account", "--secret"):
        assert f"{option} means nothing on this machine" in err
    assert "login makes no webhook" in err


def printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str, stdin: str = ""
) -> list[Any]:
    """The objects that a dry run prints, which a cluster takes."""
    with Stdin(stdin) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        assert main(["login", *words, "--dry-run"]) == 0
    told = capsys.readouterr()
    assert TOKEN not in told.err
    return list(yaml.safe_load_all(told.out))


def test_the_secret_opens_the_repository_in_a_pod(
    tmp_path: Path, user: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "served/a.git")], check=True)
    with GitServer(tmp_path / "served", user="me", password=TOKEN) as server:
        words = (
            "git",
            "--git-server",
            server.url,
            "--user",
            "me",
            "--token-stdin",
            "--service-account",
            "ci",
        )
        secret, account = printed(capsys, monkeypatch, *words, "-n", "builds", stdin=TOKEN)
        assert account["secrets"] == [{"name": secret["metadata"]["name"]}]
        assert {one["metadata"]["namespace"] for one in (secret, account)} == {"builds"}
        assert not user.logins.exists()
        for path, text in credential_files([secret]).items():
            (user.home / path).write_text(text)
        listing = ["git", "ls-remote", f"{server.url}/a.git"]
        env = {**user.env, "GIT_TERMINAL_PROMPT": "0"}
        assert subprocess.run(listing, env=env, check=False, capture_output=True).returncode == 0
        (user.home / ".git-credentials").unlink()
        assert subprocess.run(listing, env=env, check=False, capture_output=True).returncode != 0


def test_the_secret_with_a_key(
    user: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(user.home / "id")
    hosts = known(user.home / "hosts", f"[{HOST}]:2222", key)
    words = (
        "git",
        str(key),
        "--git-server",
        f"{HOST}:2222",
        "--known-hosts",
        str(hosts),
        "--secret",
        "deploy",
    )
    [secret] = printed(capsys, monkeypatch, *words)
    files = credential_files([secret])
    assert files[".ssh/id_deploy"] == key.read_text()
    assert f"Host {HOST}\n    HostName {HOST}\n    Port 2222\n" in files[".ssh/config"]
    assert files[".ssh/known_hosts"].strip() in hosts.read_text()


def test_a_server_whose_key_nobody_knows_gives_no_secret(call: Any, user: User) -> None:
    key = make_key(user.home / "id")
    code, out, err = call("login", "git", str(key), "--git-server", HOST, "--dry-run")
    assert (code, out) == (4, "")
    assert "compare `ssh-keygen -lf FILE` with what the server's operator publishes" in err


def test_docker_from_login_to_removal(call: Any, user: User, guarded: str) -> None:
    words = ("login", "docker", "--registry", guarded, "--username", "ci", "--password-stdin")
    code, out, err = call(*words, stdin=PASSWORD)
    assert (code, out) == (0, f"logged in to {guarded} as ci; the password is kept in {user.docker}\n")
    assert "base64" in err
    assert rows(call, "docker", "--check")[1][0]["works"] is True
    code, _, err = call(*words, stdin="wrong")
    assert (code, err.splitlines()[0]) == (4, f"error: {guarded} does not take this password for ci")
    assert call("login", "docker", "--registry", guarded, "--remove")[0] == 0
    assert rows(call, "docker") == (1, [])


def test_docker_with_a_helper(call: Any, user: User) -> None:
    user.program("docker-credential-test", HELPER)
    user.docker.parent.mkdir()
    user.docker.write_text('{"credsStore": "test"}')
    words = (
        "docker",
        "--registry",
        "reg.example.com",
        "--username",
        "_json_key",
        "--password-stdin",
        "--no-check",
    )
    code, out, _ = call("login", *words, stdin='{\n "key": "x"\n}\n')
    assert (code, "kept by docker-credential-test" in out) == (0, True)
    assert json.loads((user.home / "docker-credential-test").read_text())["reg.example.com"]["Secret"] == '{\n "key": "x"\n}'  # fmt: skip
    user.program("docker-credential-test", "import sys; print('the keychain is locked'); sys.exit(1)")
    code, [row] = rows(call, "docker")
    assert code == 1
    assert "the keychain is locked" in row["message"]


@pytest.mark.parametrize("form", ["basic-auth", "dockerconfigjson"])
def test_the_secret_of_a_registry(
    form: str, call: Any, user: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["docker", "--registry", "reg.example.com", "--username", "ci", "--password-stdin", "--no-check"]
    if form == "dockerconfigjson":
        call("login", *words, stdin=TOKEN)
        words = ["docker", str(user.docker)]
    secret, account = printed(capsys, monkeypatch, *words, "--service-account", "ci", stdin=TOKEN)
    assert secret["type"] == f"kubernetes.io/{form}"
    assert ("imagePullSecrets" in account) == (form == "dockerconfigjson")
    [(server, entry)] = json.loads(credential_files([secret])[".docker/config.json"])["auths"].items()
    assert server.removeprefix("https://") == "reg.example.com"
    assert (entry["username"], entry["password"]) == ("ci", TOKEN)


def test_every_secret_is_what_a_cluster_takes(
    user: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("github", "--no-check", "--token-stdin", "--service-account", "ci", "--output", "json")
    [made] = printed(capsys, monkeypatch, *words, stdin=TOKEN)
    assert made["kind"] == "List"
    assert not crds.CRDS.is_dir() or crds.validate_all(made["items"]) == []
    for wrong in ("A", "a_b", "-a", "a" * 300, "../x"):
        assert main(["login", *words, "--dry-run", f"--secret={wrong}", "--token", "abcd"]) == 2
    capsys.readouterr()


def test_a_variable_is_a_login_too(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    code, [row] = rows(call, "github")
    assert (code, row["kept"]) == (0, "in $GITHUB_TOKEN")
    code, out, _ = call("login", "--status")
    assert (code, out) == (0, "  github  https://github.com  -  in $GITHUB_TOKEN\n")


def test_names_of_a_hostile_file_do_not_steer_the_terminal(call: Any, user: User) -> None:
    user.docker.parent.mkdir()
    user.docker.write_text(json.dumps({"auths": {"reg\x1b[2J\n.test": {"auth": "YTpi"}}}))
    _, out, _ = call("login", "--status")
    assert "\x1b" not in out
    assert len(out.splitlines()) == 1


def test_a_damaged_file_hides_no_other_login(call: Any, user: User) -> None:
    call("login", "github", "--no-check", "--token-stdin", stdin=TOKEN)
    user.docker.parent.mkdir()
    user.docker.write_text("{")
    code, [git, docker] = rows(call)
    assert (code, git["server"], docker["works"]) == (1, "https://github.com", False)
    user.logins.chmod(0o644)
    code, [git, docker] = rows(call)
    assert (code, git["works"], docker["works"]) == (1, False, False)
    assert "chmod 600" in git["message"]


@pytest.mark.parametrize("name", ["x-access-token", "oauth2", "git"])
def test_a_name_that_stands_for_no_person_is_not_compared(call: Any, gitlab: GitLab, name: str) -> None:
    where = ("gitlab", "--git-server", gitlab.url, "--user", name, "--token-stdin")
    code, out, err = call("login", *where, stdin=gitlab.token)
    assert code == 0
    assert f"as {name};" in out
    assert "the token is ada's" not in err


def test_what_is_no_forge_is_told_with_what_to_do(call: Any, gitlab: GitLab) -> None:
    gitlab.faults.append(Fault(404, {"message": "404 Not Found"}))
    code, _, err = call("login", "gitlab", "--git-server", gitlab.url, "--token-stdin", stdin=gitlab.token)
    assert code == 4
    assert "help: check KIND and --git-server; --no-check keeps the token without asking" in err
