from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile import credentials, remote
from dispatchfile.credentials import git_helper, keyring, logins, place
from dispatchfile.credentials.logins import Login
from dispatchfile.errors import EnvironmentProblem, UsageError
from tests.credentials.conftest import INSTALLED, User

TOKEN = "t0ken-ü-of:the/tests"

# Keeps what it gets in a file, as a keyring does behind its lock.
BACKEND = """
import json, os
from pathlib import Path
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

class Keyring(KeyringBackend):
    priority = 1
    def _all(self):
        path = Path(os.environ["HOME"], "ring.json")
        return json.loads(path.read_text()) if path.exists() else {}
    def _keep(self, all):
        Path(os.environ["HOME"], "ring.json").write_text(json.dumps(all))
    def get_password(self, service, name):
        return self._all().get(f"{service} {name}")
    def set_password(self, service, name, password):
        self._keep({**self._all(), f"{service} {name}": password})
    def delete_password(self, service, name):
        all = self._all()
        if all.pop(f"{service} {name}", None) is None:
            raise PasswordDeleteError(name)
        self._keep(all)
"""

# As libsecret's manual has it: the secret on stdin, attributes in pairs, `lookup` prints it without a line end.
SECRET_TOOL = """
import json, os, sys
from pathlib import Path
path = Path(os.environ["HOME"], "secrets.json")
all = json.loads(path.read_text()) if path.exists() else {}
words = [word for word in sys.argv[2:] if not word.startswith("--")]
key = " ".join(words)
assert len(words) == 4, words
if sys.argv[1] == "store":
    all[key] = sys.stdin.read()
elif sys.argv[1] == "clear":
    all.pop(key, None)
elif key in all:
    sys.stdout.write(all[key])
else:
    sys.exit(1)
path.write_text(json.dumps(all))
"""


def login(url: str = "https://git.example.com", kind: str = "gitea", name: str = "me") -> Login:
    return Login(url, kind, name, "file")


def find(url: str, user: User) -> tuple[str, str] | None:
    found = credentials.find(remote.parse(url), user.env, directory=user.home)
    return (found.user, found.token) if found else None


def with_keyring(user: User) -> None:
    (user.bin / "test_backend.py").write_text(BACKEND)
    user.env |= {"PYTHON_KEYRING_BACKEND": "test_backend.Keyring", "PYTHONPATH": str(user.bin)}


def test_git_has_it_where_git_has_a_helper(user: User) -> None:
    user.git_settings("[credential]\n\thelper = store\n")
    made = logins.keep(login(), TOKEN, user.env)
    assert made.kept == "git"
    assert TOKEN not in user.logins.read_text()
    assert find("https://git.example.com/a/b", user) == ("me", TOKEN)
    question = "protocol=https\nhost=git.example.com\n\n"
    told = subprocess.run(["git", "credential", "fill"], input=question, env=user.env, capture_output=True, text=True, check=True)  # fmt: skip
    assert f"password={TOKEN}\n" in told.stdout
    assert logins.forget(made.url, user.env) == made
    assert find("https://git.example.com/a/b", user) is None
    assert TOKEN not in (user.home / ".git-credentials").read_text()


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "[credential]\n\thelper = store\n\thelper =\n",
        '[credential]\n\thelper = "!echo rubbish; exit 1"\n',
        '[credential]\n\thelper = "!cat >/dev/null; echo username=me; echo password=other"\n',
        "[credential]\n\thelper = /no/such/helper\n",
        "[credential]\n\thelper = store\n\tuseHttpPath = true\n",
        '[credential "https://other.test"]\n\thelper = store\n',
    ],
    ids=["none", "taken back", "fails", "knows another", "missing", "by path", "for another host"],
)
def test_a_file_has_it_where_git_does_not_take_it(user: User, settings: str) -> None:
    user.git_settings(settings)
    made = logins.keep(login(), TOKEN, user.env)
    assert made.kept == "file"
    assert user.logins.stat().st_mode & 0o777 == 0o600
    assert user.logins.parent.stat().st_mode & 0o777 == 0o700
    assert find("https://git.example.com/a/b.git", user) == ("me", TOKEN)
    assert TOKEN not in repr(made)
    assert (
        list(user.home.glob(".git-credentials")) == []
        or TOKEN not in (user.home / ".git-credentials").read_text()
    )


def test_a_helper_that_hangs_is_given_up(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatchfile.credentials.program.PATIENCE_S", 1.0)
    user.git_settings('[credential]\n\thelper = "!sleep 60;:"\n')
    with pytest.raises(EnvironmentProblem, match="did not end within 1 seconds") as caught:
        find("https://git.example.com/a", user)
    assert "credential.helper" in caught.value.help


def test_the_helpers_that_are_set_up(user: User) -> None:
    user.git_settings(
        '[credential]\n\thelper = cache --timeout 5\n[credential "https://git.example.com"]\n\thelper = store\n'
    )
    assert git_helper.helpers(place.parse("git.example.com"), user.env) == ["cache --timeout 5", "store"]
    assert git_helper.helpers(place.parse("other.test"), user.env) == ["cache --timeout 5"]


@pytest.mark.parametrize("kind", keyring.KINDS)
def test_a_keyring(user: User, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "there", INSTALLED)
    if kind == "keyring":
        pytest.importorskip("keyring")
        with_keyring(user)
    else:
        user.program("secret-tool", SECRET_TOOL)
    made = logins.keep(login(), TOKEN, user.env)
    assert made.kept == kind
    assert TOKEN not in user.logins.read_text()
    assert find("https://git.example.com/a/b", user) == ("me", TOKEN)
    kept = user.home / ("ring.json" if kind == "keyring" else "secrets.json")
    assert "t0ken" in kept.read_text()
    again = logins.keep(login(name="you"), "another", user.env)
    assert again.kept == kind
    assert find("https://git.example.com/a/b", user) == ("you", "another")
    logins.forget(made.url, user.env)
    assert json.loads(kept.read_text()) == {}
    assert logins.read(user.env) == []


def test_a_module_of_the_working_folder_is_not_the_keyring(user: User, tmp_path: Path) -> None:
    pytest.importorskip("keyring")
    with_keyring(user)
    (tmp_path / "keyring.py").write_text("import os; open(os.environ['HOME'] + '/stolen', 'w')")
    program = "import os; from dispatchfile.credentials import keyring; print(keyring.put('keyring', 'u', 't', os.environ))"
    done = subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, env=user.env, capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout == "True\n"
    assert not (user.home / "stolen").exists()


def test_a_token_moves_when_a_helper_comes_and_is_left_nowhere(user: User) -> None:
    logins.keep(login(), "first", user.env)
    user.git_settings("[credential]\n\thelper = store\n")
    logins.keep(login(), "second", user.env)
    assert "first" not in user.logins.read_text()
    logins.keep(login(name="you"), "third", user.env)
    stored = (user.home / ".git-credentials").read_text()
    assert ("third" in stored, "second" in stored) == (True, False)


def test_the_longest_url_wins(user: User) -> None:
    user.git_settings("[credential]\n\thelper = store\n")
    logins.keep(login(), "of-the-host", user.env)
    for path in ("acme", "acme/gitops", "acme-2"):
        logins.keep(
            Login(f"https://git.example.com/{path}", "", path, "file", "creds"), path, user.env, git=False
        )
    wanted = {
        "https://git.example.com/acme/gitops.git": ("acme/gitops", "acme/gitops"),
        "https://git.example.com/acme/gitops-2": ("acme", "acme"),
        "git@git.example.com:acme/web.git": ("acme", "acme"),
        "https://GIT.example.com/other": ("me", "of-the-host"),
        "https://git.example.com:8443/acme/gitops": None,
        "https://someone@git.example.com/acme/gitops": None,
        "https://git.example.com.evil.test/acme/gitops": None,
    }
    assert {url: find(url, user) for url in wanted} == wanted


def test_a_variable_comes_first_and_a_login_before_the_helper(user: User) -> None:
    logins.keep(Login("https://github.com", "github", "me", "file"), "of-the-login", user.env)
    assert find("https://github.com/a/b", user) == ("me", "of-the-login")
    user.env["GITHUB_TOKEN"] = "of-the-variable"
    assert find("https://github.com/a/b", user) == ("x-access-token", "of-the-variable")


def test_which_forge_it_is(user: User) -> None:
    logins.keep(login("https://git.example.com:3000", "gitea"), TOKEN, user.env)
    logins.keep(login("https://plain.example.com", "git"), TOKEN, user.env)
    logins.keep(Login("https://git.example.com:3000", "", "you", "file", "creds"), TOKEN, user.env)
    asked = (
        "git.example.com",
        "GIT.example.com:3000",
        "git.example.com:4000",
        "plain.example.com",
        "other.test",
        "a\nb",
        "",
    )
    assert [credentials.forge_of(host, user.env) for host in asked] == ["gitea", "gitea", *[None] * 5]


def test_two_logins_at_once(user: User) -> None:
    program = """
import os, sys
from dispatchfile.credentials.logins import Login, keep_key
for number in range(5):
    keep_key(Login(f"ssh://{sys.argv[1]}-{number}.test", "git", "me", "ssh", key="/k"), os.environ)
"""
    words = [sys.executable, "-c", program]
    workers = [subprocess.Popen([*words, f"host{number}"], env=user.env) for number in range(3)]
    assert [worker.wait(60) for worker in workers] == [0] * 3
    assert len(logins.read(user.env)) == 15
    assert sorted(one.name for one in user.logins.parent.iterdir()) == ["logins.json", "logins.lock"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"version": 1, "logins": {}}',
        '{"version": 1, "logins": [1]}',
        '{"version": 1, "logins": [{"url": "https://a.test"}]}',
        '{"version": 1, "logins": [{"url": 1, "kind": "", "user": "", "kept": "file"}]}',
        '{"version": 1, "logins": [{"url": "https://a.test", "kind": "", "user": "", "kept": "elsewhere"}]}',
        '{"version": 1, "logins": [{"url": "https://a.test", "kind": "", "user": "", "kept": "file", "more": ""}]}',
        '{"version": 1, "logins": [{"url": "no url", "kind": "", "user": "", "kept": "file"}]}',
        '{"version": 1, "logins": [{"url": "https://a.test", "kind": "", "user": "a\\nb", "kept": "file"}]}',
        '{"version": 2, "logins": []}',
        "[" * 100000,
    ],
    ids=range(13),
)
def test_a_damaged_list(user: User, text: str) -> None:
    logins.keep(login(), TOKEN, user.env)
    user.logins.write_text(text)
    with pytest.raises(EnvironmentProblem, match=r"is damaged|another version"):
        find("https://git.example.com/a", user)
    with pytest.raises(EnvironmentProblem, match=r"is damaged|another version"):
        logins.keep(login(), TOKEN, user.env)
    assert user.logins.read_text() == text


def test_a_list_that_others_may_read_is_refused(user: User) -> None:
    logins.keep(login(), TOKEN, user.env)
    user.logins.chmod(0o644)
    with pytest.raises(EnvironmentProblem, match="others than you may read"):
        find("https://git.example.com/a", user)
    assert find("https://u:p@git.example.com/a", user) == ("u", "p")


@pytest.mark.parametrize("text", ["a\nhost=evil.test", "a\rb", "a\0b", "a\x1bb"], ids=repr)
def test_a_line_more_is_no_name_and_no_token(user: User, text: str) -> None:
    user.git_settings("[credential]\n\thelper = store\n")
    for made, token in ((login(name=text), "token"), (login(), text)):
        with pytest.raises(UsageError, match="control character"):
            logins.keep(made, token, user.env)
    assert not (user.home / ".git-credentials").exists()
    assert not user.logins.exists()


def test_no_token_is_an_argument_of_a_program(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "there", INSTALLED)
    log = tmp_path / "words"
    for name in ("git", "secret-tool"):
        user.program(name, f'#!/bin/sh\nfor word; do echo "$word" >>{log}; done\nexit 0\n')
    pytest.importorskip("keyring")
    made = logins.keep(login(), TOKEN, user.env)
    assert made.kept == "file"
    assert "credential" not in log.read_text() or "secret-tool" not in log.read_text()
    assert "store" in log.read_text()
    assert "t0ken" not in log.read_text()


@pytest.mark.parametrize("home", ["nobody's", "no folder", "none"])
def test_who_has_no_home_has_no_logins(user: User, home: str) -> None:
    """As in a pod that runs as any number: what the environment gives is found all the same."""
    secret = user.home / "roots"
    secret.mkdir(mode=0o700)
    homes = {"nobody's": str(secret), "no folder": "/dev/null", "none": ""}
    env = {**user.env, "HOME": homes[home], "DISPATCHFILE_GIT_TOKEN": "", "PYTHONDONTWRITEBYTECODE": "1"}
    program = """
import os
from pathlib import Path
from dispatchfile import credentials, remote
from dispatchfile.credentials import git_helper, logins
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(54321)
    os.setuid(54321)
found = [credentials.find(remote.parse("https://git.example.com/a"), {**os.environ, **more}, directory=Path("/"))
         for more in ({}, {"DISPATCHFILE_GIT_TOKEN": "x"})]
print([one and one.token for one in found])
"""
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, env=env, cwd="/", capture_output=True, text=True, check=False)
    assert done.stdout == "[None, 'x']\n", done.stderr
