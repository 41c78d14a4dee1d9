"""Git inputs: what the emitter writes, and what the script makes of real repositories on real servers."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatchfile.diagnostics import Severity
from tests import ci
from tests.gitops.git_server import GitServer, Handler
from tests.tekton.drafts import found, spec, step, step_of, task_of, told
from tests.tekton.shells import SHELLS, run

IDENTITY = {
    f"GIT_{role}_{what}": f"{what.lower()}@example.com"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


def git(folder: Path, *words: str, **env: str) -> str:
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **IDENTITY, **env}
    settings = ("-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *settings, *words], cwd=folder, env=clean, capture_output=True, check=True)
    return done.stdout.decode().strip()


def commit(folder: Path, text: str) -> str:
    (folder / "file").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", text)
    return git(folder, "rev-parse", "HEAD")


class Repository:
    """Commits on main: one, of a pull request, the branch ODD and the tag v1; two, of topic and two tags; between; three."""

    ODD = 'x";touch${IFS}pwned;"$(touch${IFS}pwned)'

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet")
        self.one = commit(folder, "one")
        git(folder, "update-ref", "refs/pull/7/head", self.one)
        git(folder, "branch", self.ODD)
        git(folder, "tag", "v1")
        (folder / "run").write_text("#!/bin/sh\n")
        (folder / "run").chmod(0o755)
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("below")
        self.two = commit(folder, "two")
        git(folder, "tag", "v2")
        git(folder, "tag", "--annotate", "--message", "signed off", "signed")
        git(folder, "branch", "topic")
        self.between = commit(folder, "between")
        self.three = commit(folder, "three")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("repository") / "app")


class Open(GitServer):
    """A server for everybody; one that speaks the oldest protocol gives out the tips of refs only."""

    def __init__(self, folder: Path, *, oldest: bool = False) -> None:
        super().__init__(folder, user="", password="")
        self.oldest = oldest

    def admits(self, authorization: str) -> bool:
        return True

    def serve(self, request: Handler, body: bytes) -> None:
        if self.oldest:
            del request.headers["Git-Protocol"]
        super().serve(request, body)


@pytest.fixture(scope="module")
def server(repository: Repository) -> Iterator[Open]:
    with Open(repository.folder.parent) as made:
        yield made


@pytest.fixture(scope="module")
def oldest(repository: Repository) -> Iterator[Open]:
    with Open(repository.folder.parent, oldest=True) as made:
        yield made


def clone(
    folder: Path, url: str, revision: str = "", shell: str = "dash", **settings: str
) -> subprocess.CompletedProcess[str]:
    env = {"CLONE_TO": str(folder / "src"), "CLONE_URL": url, "CLONE_REVISION": revision}
    return run(folder, "clone", {**env, **settings}, shell=shell)


def cloned(folder: Path, url: str, revision: str = "", shell: str = "dash", **settings: str) -> Path:
    done = clone(folder, url, revision, shell, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "src"


def head(checkout: Path) -> str:
    return git(checkout, "rev-parse", "HEAD")


# The script


@pytest.mark.parametrize(
    ("revision", "commit", "tags"),
    [
        pytest.param("", "three", "", id="the default branch"),
        pytest.param("main", "three", "", id="a branch"),
        pytest.param("topic", "two", "signed v2", id="a branch with tags"),
        pytest.param("v1", "one", "v1", id="a tag"),
        pytest.param("signed", "two", "signed v2", id="an annotated tag"),
        pytest.param("refs/pull/7/head", "one", "v1", id="a pull request"),
    ],
)
def test_a_checkout_is_what_a_shallow_clone_would_be(
    revision: str, commit: str, tags: str, repository: Repository, server: Open, tmp_path: Path
):
    checkout = cloned(tmp_path, f"{server.url}/app", revision)
    assert head(checkout) == getattr(repository, commit)
    assert git(checkout, "branch", "--show-current") == ""
    assert git(checkout, "tag").split() == tags.split()
    assert git(checkout, "rev-list", "--count", "HEAD") == "1"
    assert git(checkout, "remote", "get-url", "origin") == f"{server.url}/app"
    assert git(checkout, "status", "--porcelain") == ""
    assert "refs/dispatchfile" not in git(checkout, "for-each-ref")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_commit_of_a_server_that_gives_out_only_tips_comes_with_a_full_fetch(
    shell: str, repository: Repository, oldest: Open, tmp_path: Path
):
    checkout = cloned(tmp_path, f"{oldest.url}/app", repository.between, shell)
    assert head(checkout) == repository.between
    assert git(checkout, "tag").split() == ["signed", "v1", "v2"]
    assert git(checkout, "rev-list", "--count", "HEAD") == "3"


def test_a_commit_needs_no_full_fetch_where_the_server_gives_it_out(
    repository: Repository, server: Open, tmp_path: Path
):
    checkout = cloned(tmp_path, f"{server.url}/app", repository.between)
    assert head(checkout) == repository.between
    assert git(checkout, "rev-list", "--count", "HEAD") == "1"
    assert git(checkout, "tag") == ""


def test_the_beginning_of_a_commit_is_enough(repository: Repository, server: Open, tmp_path: Path):
    assert head(cloned(tmp_path, f"{server.url}/app", repository.one[:9])) == repository.one


def test_steps_can_fetch_what_the_checkout_has_not(repository: Repository, server: Open, tmp_path: Path):
    checkout = cloned(tmp_path, f"{server.url}/app", repository.three)
    git(checkout, "fetch", "--quiet", "origin", "topic")
    assert git(checkout, "rev-parse", "origin/topic") == repository.two
    git(checkout, "fetch", "--quiet", "--unshallow", "--tags")
    assert git(checkout, "describe", "--tags") == f"signed-2-g{repository.three[:7]}"


@pytest.mark.parametrize(("depth", "commits"), [("2", "2"), ("0", "4")])
def test_depth(depth: str, commits: str, server: Open, tmp_path: Path):
    checkout = cloned(tmp_path, f"{server.url}/app", CLONE_DEPTH=depth)
    assert git(checkout, "rev-list", "--count", "HEAD") == commits


def test_a_refspec_is_fetched_before_the_revision_is_checked_out(
    repository: Repository, server: Open, tmp_path: Path
):
    refspec = "+refs/heads/*:refs/remotes/origin/* +refs/pull/7/head:refs/heads/change"
    checkout = cloned(tmp_path, f"{server.url}/app", "change", CLONE_REFSPEC=refspec)
    assert head(checkout) == repository.one
    assert git(checkout, "rev-parse", "origin/topic") == repository.two


def test_a_revision_that_the_refspec_does_not_bring_is_fetched(
    repository: Repository, server: Open, tmp_path: Path
):
    refspec = "+refs/heads/main:refs/remotes/origin/main"
    assert head(cloned(tmp_path, f"{server.url}/app", "v1", CLONE_REFSPEC=refspec)) == repository.one


@pytest.mark.parametrize("shell", SHELLS)
def test_no_value_is_taken_for_shell(shell: str, repository: Repository, server: Open, tmp_path: Path):
    checkout = cloned(tmp_path, f"{server.url}/app", Repository.ODD, shell)
    assert head(checkout) == repository.one
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize(
    ("url", "settings", "message"),
    [
        pytest.param("{}/app", {"CLONE_REVISION": "nope"}, "couldn't find remote ref nope", id="no branch"),
        pytest.param("{}/app", {"CLONE_REVISION": "0" * 40}, "fatal: ", id="no commit"),
        pytest.param("{}/unborn", {}, "couldn't find remote ref HEAD", id="no commits at all"),
        pytest.param("{}/none", {"CLONE_REVISION": "main"}, "repository '{}/none/' not found", id="no repository"),
        pytest.param("--upload-pack=touch pwned", {}, "strange pathname '--upload-pack=touch pwned' blocked", id="url"),
        pytest.param("{}/app", {"CLONE_REVISION": "--upload-pack=touch pwned"},
            "invalid refspec '+--upload-pack=touch pwned:refs/dispatchfile/revision'", id="revision"),
        pytest.param("{}/app", {"CLONE_REVISION": "main:other"}, "invalid refspec '+main:other:refs/dispatchfile/revision'", id="a refspec"),
        pytest.param("{}/app", {"CLONE_REFSPEC": "main --upload-pack=touch"}, "couldn't find remote ref --upload-pack=touch", id="refspec"),
        pytest.param("ext::touch pwned", {}, "transport 'ext' not allowed", id="a command as url"),
        pytest.param("{}/app", {"CLONE_REVISION": "blob"}, "is not a tree: refs/dispatchfile/revision", id="a tag of a file"),
    ],
)  # fmt: skip
def test_what_cannot_be_cloned_is_told_by_git(
    url: str, settings: dict[str, str], message: str, repository: Repository, server: Open, tmp_path: Path
):
    unborn = repository.folder.parent / "unborn"
    if not unborn.exists():
        git(repository.folder.parent, "init", "--quiet", "--bare", "unborn")
    git(repository.folder, "tag", "--force", "blob", "HEAD:file")
    done = clone(tmp_path, url.format(server.url), **settings)
    git(repository.folder, "tag", "--delete", "blob")
    assert message.format(server.url) in done.stderr
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert not list(tmp_path.rglob("pwned"))


def test_every_user_can_write_to_a_checkout(server: Open, tmp_path: Path):
    (tmp_path / "src" / "sub").mkdir(parents=True, mode=0o700)  # as Tekton makes working directories
    checkout = cloned(tmp_path, f"{server.url}/app")
    for path in (checkout, *checkout.rglob("*")):
        if ".git" not in path.parts[:-1] or path.is_dir():
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode & 0o666 == 0o666, path
            assert not path.is_dir() or mode == 0o777, path
    assert os.access(checkout / "run", os.X_OK)
    assert git(checkout, "status", "--porcelain") == ""
    assert (tmp_path / "home/.config/git/config").stat().st_mode & 0o777 == 0o666


def test_a_step_that_is_run_again_clones_anew(repository: Repository, server: Open, tmp_path: Path):
    checkout = cloned(tmp_path, f"{server.url}/app", "v1")
    (checkout / ".git/index.lock").touch()
    (checkout / "file").write_text("changed")
    assert head(cloned(tmp_path, f"{server.url}/app", "main")) == repository.three
    assert git(checkout, "status", "--porcelain") == ""


# Submodules


@pytest.fixture
def nested(server: Open, oldest: Open, repository: Repository, tmp_path: Path) -> str:
    """The name of a repository whose submodule is at a commit that is no tip, by a relative URL."""
    outer = repository.folder.parent / "outer"
    if not outer.exists():
        git(outer.parent, "init", "--quiet", "outer")
        git(outer, "submodule", "--quiet", "add", "../app", "library")
        git(outer / "library", "checkout", "--quiet", repository.between)
        git(outer, "config", "--file", ".gitmodules", "submodule.library.url", "../app")
        commit(outer, "outer")
    return "outer"


@pytest.mark.parametrize(
    ("which", "shell"), [("server", "dash"), ("server", "busybox"), ("oldest", "dash"), ("oldest", "busybox")]
)
def test_submodules_are_in_place(
    which: str,
    shell: str,
    nested: str,
    repository: Repository,
    tmp_path: Path,
    request: pytest.FixtureRequest,
):
    checkout = cloned(tmp_path, f"{request.getfixturevalue(which).url}/{nested}", "", shell)
    assert head(checkout / "library") == repository.between
    assert git(checkout, "status", "--porcelain") == ""


def test_submodules_are_left_out_when_not_wanted(nested: str, server: Open, tmp_path: Path):
    checkout = cloned(tmp_path, f"{server.url}/{nested}", CLONE_SUBMODULES="false")
    assert list((checkout / "library").iterdir()) == []


def test_a_submodule_that_is_gone_is_told(nested: str, repository: Repository, server: Open, tmp_path: Path):
    shutil.copytree(repository.folder.parent / nested, repository.folder.parent / "broken")
    broken = repository.folder.parent / "broken"
    git(broken, "config", "--file", ".gitmodules", "submodule.library.url", f"{server.url}/none")
    commit(broken, "broken")
    done = clone(tmp_path, f"{server.url}/broken")
    assert f"repository '{server.url}/none/' not found" in done.stderr
    assert done.returncode == 1
    shutil.rmtree(broken)


# Credentials


def test_passwords_that_tekton_brings_are_used_and_told_to_nobody(repository: Repository, tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    with GitServer(repository.folder.parent, user="me", password="s3cret") as locked:
        host = locked.url.removeprefix("http://")
        (home / ".gitconfig").write_text(
            f'[credential]\n\thelper = store\n[credential "{locked.url}"]\n\tusername = me\n'
        )
        (home / ".git-credentials").write_text(f"http://me:s3cret@{host}\n")
        done = clone(tmp_path, f"{locked.url}/app", "main")
        assert (done.returncode, done.stderr) == (0, "")
        assert head(tmp_path / "src") == repository.three
        assert "s3cret" not in done.stdout + (tmp_path / "src/.git/config").read_text()


def test_without_credentials_nothing_is_asked(repository: Repository, tmp_path: Path):
    with GitServer(repository.folder.parent, user="me", password="s3cret") as locked:
        done = clone(tmp_path, f"{locked.url}/app", "main")
    assert done.returncode != 0
    assert "could not read Username" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_password_in_a_url_is_not_for_the_log(repository: Repository, tmp_path: Path):
    with GitServer(repository.folder.parent, user="me", password="s3cret") as locked:
        url = locked.url.replace("http://", "http://me:s3cret@")
        done = clone(tmp_path, f"{url}/app", "main")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip() == f"{tmp_path}/src is at {repository.three}"
        for wrong in (f"{url}/app", f"{url}/none", url.replace("s3cret", "s3cret-too") + "/app"):
            refused = clone(tmp_path, wrong, "nope")
            assert refused.returncode != 0
            assert refused.stderr
            assert "s3cret" not in refused.stderr + refused.stdout


def test_a_password_in_a_submodules_url_is_not_for_the_log(
    nested: str, repository: Repository, tmp_path: Path
):
    lost = repository.folder.parent / "lost"
    shutil.copytree(repository.folder.parent / nested, lost)
    git(lost, "config", "--file", ".gitmodules", "submodule.library.url", "../none")
    commit(lost, "lost")
    with GitServer(repository.folder.parent, user="me", password="s3cret") as locked:
        done = clone(tmp_path, locked.url.replace("http://", "http://me:s3cret@") + "/lost")
    shutil.rmtree(lost)
    assert done.returncode == 1
    assert "submodule path" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout


def test_ssh_gets_the_keys_in_home(repository: Repository, tmp_path: Path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/called\nfor last in "$@"; do :; done\nexec sh -c "$last"\n'
    )
    (programs / "ssh").chmod(0o755)
    path = {"PATH": f"{programs}:{os.environ['PATH']}", "GIT_SSH_VARIANT": "ssh"}
    keys = tmp_path / "home/.ssh"
    keys.mkdir(parents=True)
    (keys / "config").write_text("Host forge\n")
    assert head(cloned(tmp_path, f"git@forge:{repository.folder}", "main", **path)) == repository.three
    called = (tmp_path / "called").read_text().splitlines()
    assert called[:4] == ["-F", f"{keys}/config", "-o", "StrictHostKeyChecking=accept-new"]

    (keys / "known_hosts").write_text("forge ssh-ed25519 AAAA\n")
    checkout = cloned(tmp_path, f"git@forge:{repository.folder}", "main", **path)
    known = ["-F", f"{keys}/config", "-o", f"UserKnownHostsFile={keys}/known_hosts"]
    assert (tmp_path / "called").read_text().splitlines()[:4] == known

    (tmp_path / "called").unlink()  # and so does the git of later steps
    git(checkout, "fetch", "--quiet", "origin", "topic", **path, HOME=str(tmp_path / "home"))
    assert (tmp_path / "called").read_text().splitlines()[:4] == known


def test_a_certificate_nobody_vouches_for_is_accepted_on_request(repository: Repository, tmp_path: Path):
    if shutil.which("openssl") is None:
        ci.skip("openssl is not installed")
    files = ("-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=localhost", *files],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    made = Open(repository.folder.parent)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    made.handle_error = lambda *_args: None  # type: ignore[method-assign] # a client that hangs up
    with made:
        url = f"https://localhost:{made.server_address[1]}/app"
        refused = clone(tmp_path, url, "main")
        assert refused.returncode != 0
        assert "certificate" in refused.stderr
        checkout = cloned(tmp_path, url, "main", GIT_SSL_NO_VERIFY="true")
        git(checkout, "fetch", "--quiet", "origin", "topic")
    assert head(checkout) == repository.three


@pytest.mark.docker
def test_steps_of_any_user_work_on_a_checkout(repository: Repository, update_image: str, tmp_path: Path):
    tmp_path.chmod(0o755)
    for name in ("work", "home"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)
    script = Path(__file__).parents[2] / "runner/steps/clone.sh"
    mounts = [f"{tmp_path}/work:/workspace", f"{tmp_path}/home:/tekton/home", f"{script}:/clone.sh:ro",
              f"{repository.folder.parent}:/srv:ro"]  # fmt: skip
    command = ["docker", "run", "--rm", "--network=none", "--env=HOME=/tekton/home", "--entrypoint=/bin/sh"]
    command += [word for mount in mounts for word in ("--volume", mount)]
    values = {"TO": "/workspace/src", "URL": "file:///srv/app"}
    given = [f"--env=CLONE_{name}={value}" for name, value in values.items()]
    subprocess.run(
        [*command, "--env=GIT_CONFIG_COUNT=1", "--env=GIT_CONFIG_KEY_0=safe.directory",
         "--env=GIT_CONFIG_VALUE_0=*", *given, update_image, "/clone.sh"],
        check=True,
    )  # fmt: skip
    change = (
        "set -e; cd /workspace/src; git status; echo new >sub/file; echo more >sub/more; git add --all; "
        "git -c user.name=a -c user.email=a@b commit -qm change; git log --oneline | wc -l; mkdir ~/.config/tool"
    )
    for user in ("65534:65534", "1000:1000"):
        done = subprocess.run(
            [*command, f"--user={user}", update_image, "-c", change],
            capture_output=True,
            text=True,
            check=False,
        )
        if user.startswith("1"):
            assert (
                "Permission denied" in done.stderr
            )  # of the folder that the other one has just made for itself
        else:
            assert (done.returncode, done.stderr) == (0, "")


# What is emitted


def variables(made: dict[str, object]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in made["env"]}  # type: ignore[attr-defined,index] # as it is built


def src(**param: str) -> dict[str, object]:
    return {"src": {"type": "git", "param": {"url": "https://forge/app.git", **param}}}


def test_values_travel_in_the_environment_and_variables_become_parameters():
    made = spec(
        {"test": {"inputs": ["src"], "steps": [step()]}},
        src(
            url="$(context.git.url)",
            revision="$(context.git.commit)",
            noProxy="forge",
            depth="$(context.build.name)",
            submodules="true",
            sslVerify="true",
            refspec=" ",
        ),
    )
    one = step_of(made, "test", "dispatch-clone-src")
    assert variables(one) == {
        "CLONE_TO": "/workspace/src",
        "CLONE_URL": "$(params.git-url)",
        "CLONE_REVISION": "$(params.git-commit)",
        "CLONE_DEPTH": "$(params.build-name)",
        "no_proxy": "forge",
    }
    assert [param["name"] for param in task_of(made, "test")["params"]] == [
        "git-url",
        "git-commit",
        "build-name",
    ]
    assert "$(params" not in one["script"]


@pytest.mark.parametrize(
    ("param", "given"),
    [
        ({"depth": "1"}, {}),
        ({"depth": "000"}, {"CLONE_DEPTH": "0"}),
        ({"depth": "007"}, {"CLONE_DEPTH": "007"}),
        ({"submodules": "False", "sslVerify": "FALSE"}, {"CLONE_SUBMODULES": "false", "GIT_SSL_NO_VERIFY": "true"}),
        ({"revision": " v1 ", "refspec": "a b"}, {"CLONE_REVISION": "v1", "CLONE_REFSPEC": "a b"}),
    ],
    ids=str,
)  # fmt: skip
def test_only_what_differs_from_the_defaults_is_given(param: dict[str, str], given: dict[str, str]):
    made = spec({"test": {"inputs": ["src"], "steps": [step()]}}, src(**param))
    always = {"CLONE_TO": "/workspace/src", "CLONE_URL": "https://forge/app.git"}
    assert variables(step_of(made, "test", "dispatch-clone-src")) == {**always, **given}


def test_a_step_of_the_user_never_stands_in_for_one_of_ours():
    made = spec({"test": {"inputs": ["src"], "steps": [step("dispatch-clone-src")]}}, src())
    steps = [one["name"] for one in task_of(made, "test")["taskSpec"]["steps"]]
    assert steps[0] == "dispatch-clone-src"
    assert len(set(steps)) == len(steps) == 2


def test_with_a_volume_each_input_is_cloned_once():
    made = spec(
        {
            "test": {"inputs": ["src"], "steps": [step()]},
            "dispatch-clone-src": {"inputs": ["src"], "steps": [step()]},
            "alone": [step()],
        },
        src(revision="$(context.git.commit)"),
        workspace="pvc",
    )
    [maker] = (
        one for one in made["tasks"] if "workspaces" in one and one["taskSpec"]["steps"][0]["name"] == "clone"
    )
    assert maker["name"] not in ("test", "dispatch-clone-src", "alone")
    assert maker["workspaces"] == [{"name": "input-src", "workspace": "dispatch", "subPath": "git/src"}]
    assert maker["taskSpec"]["workspaces"] == [{"name": "input-src", "mountPath": "/workspace/src"}]
    assert maker["params"] == [{"name": "git-commit", "value": "$(params.git-commit)"}]
    assert maker["taskSpec"]["stepTemplate"]["env"] == [{"name": "HOME", "value": "/tekton/home"}]
    for name in ("test", "dispatch-clone-src"):
        task = task_of(made, name)
        assert task["runAfter"] == [maker["name"]]
        assert task["workspaces"] == maker["workspaces"]
        assert [one["name"] for one in task["taskSpec"]["steps"]] == ["dispatch-prepare", "run"]
    assert "runAfter" not in task_of(made, "alone")
    assert made["workspaces"] == [{"name": "dispatch", "description": "volume that the tasks share"}]


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ({"url": " "}, 'resource "src" has no `url`'),
        ({"url": "-x"}, "resource \"src\" cannot be cloned: the remote URL '-x' is not usable"),
        ({"url": "ext::sh"}, 'resource "src" cannot be cloned: the remote helper of ext:: is not allowed'),
        ({"url": "-$(context.git.url)"}, 'resource "src" has a `url` that begins with a dash'),
        ({"revision": "--all"}, 'resource "src" has a `revision` that begins with a dash'),
        ({"revision": "a:b"}, 'resource "src" has a `revision` that git would not take for one: "a:b"'),
        ({"depth": "few"}, 'resource "src" has a `depth` that is no number: "few"'),
    ],
    ids=lambda value: str(value),
)
def test_a_resource_that_cannot_be_cloned_is_told_at_its_place(param: dict[str, str], message: str):
    [one] = found({"test": {"inputs": ["src"], "steps": [step()]}}, src(**param))
    assert one.message == message
    assert told(one) == ("DF805", "resource.src", '"src"')


@pytest.mark.parametrize(
    "url", ["/srv/app.git", "../app", "file:///srv/app.git", "http://localhost:3000/app.git"]
)
@pytest.mark.parametrize("workspace", ["emptydir", "pvc"])
def test_what_no_pod_reaches_is_a_warning(workspace: str, url: str):
    [one] = found({"test": {"inputs": ["src"], "steps": [step()]}}, src(url=url), workspace=workspace)
    assert (one.severity, one.message) == (
        Severity.WARNING,
        'resource "src" is on this machine, where no pod can clone it from',
    )
    assert told(one) == ("DF805", "resource.src.param.url", f'"{url}"')


def test_a_missing_url_of_what_nobody_clones_is_nothing_wrong():
    assert [one["name"] for one in spec({"test": [step()]}, src(url=""))["tasks"]] == ["test"]
