"""What is emitted, run for real: the same steps give the same as in a run on this machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster.api_server import ApiServer
from tests.gitops.git_server import GitServer
from tests.tekton import crds
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.pods import TOOLS, Object
from tests.tekton.project import ACCOUNT, IMAGES, Project, opaque

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[2]
BUSYBOX = ("--image", f"busybox={TOOLS}")


@pytest.fixture(scope="module")
def gsutil(tmp_path_factory: pytest.TempPathFactory, toolbox: str) -> Iterator[str]:
    """An image whose gsutil says what it was asked, and lists what it would carry away."""
    folder = tmp_path_factory.mktemp("gsutil")
    (folder / "gsutil").write_text(
        '#!/bin/sh\necho "gsutil $*"\nfor word; do case $word in /*) ls "$word";; esac; done\n'
    )
    (folder / "gsutil").chmod(0o755)
    (folder / "Dockerfile").write_text(f"FROM {toolbox}\nCOPY gsutil /bin/gsutil\n")
    name = f"dispatchfile-test-{os.getpid()}/gsutil:1"
    subprocess.run(["docker", "build", "-q", "-t", name, str(folder)], check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "rmi", name], check=True, capture_output=True)


def succeeded(run: Object, cluster: MiniTekton) -> None:
    told = run["status"]["conditions"][0]
    logs = [
        f"{task}/{step.name}: {step.log.decode()}" for task, pod in cluster.pods.items() for step in pod.steps
    ]
    assert told["reason"] == "Succeeded", "\n".join([told["message"], *logs])


def users_steps(cluster: MiniTekton, order: list[str]) -> list[tuple[str, str]]:
    """Return the steps of the Dispatchfile that ran, the tasks in this order."""
    return [
        (task, step.name)
        for task in order
        for step in cluster.pods[task].steps
        if not step.name.startswith("dispatch-")
    ]


def plain(text: str) -> str:
    """Return a text without times and owners of files, in which two runs may differ."""
    return re.sub(r" +\d+ (\w+ +\w+ +\d+) \w{3} +\d+ \d\d:\d\d ", " ", text).rstrip("\n")


EVENTS = [
    ("hello-world", ["--event", "pull-request", "--number", "7", "--source", "topic", "--target", "master"]),
    ("old-syntax", ["--event", "push", "--branch", "master", *BUSYBOX]),
    ("old-syntax", ["--event", "pull-request", "--number", "7", "--source", "topic", "--target", "master", "--chatop", "/greet", *BUSYBOX]),
    ("parallel-tasks", ["--event", "push", "--branch", "master"]),
    ("pull-request", ["--event", "pull-request", "--number", "7", "--source", "topic", "--target", "master", "--path", "docs/guide.md", "--label", "ok-to-test"]),
    ("pull-request", ["--event", "pull-request", "--number", "7", "--source", "topic", "--target", "master", "--path", "README.md", "--chatop", "/test the slow ones"]),
    ("secrets-and-volumes", ["--event", "push", "--branch", "master"]),
    ("tag-release", ["--event", "tag", "--tag", "v1.0"]),
    ("tag-release", ["--event", "release", "--tag", "v1.0"]),
    ("tag-release", ["--event", "cron", "--action", "nightly"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("example", "event"), EVENTS, ids=lambda value: value if isinstance(value, str) else value[1]
)
def test_an_example_gives_the_same_in_both_engines(
    example: str, event: list[str], tmp_path: Path, served: GitServer, cluster: MiniTekton, gsutil: str
) -> None:
    project = Project(tmp_path, served, ROOT / "examples" / example, "refs/heads/topic", "refs/tags/v1.0")
    project.secrets.append(opaque("signing", key="open-sesame"))
    secret = ["--secret", "signing/key=open-sesame"] if example.startswith("secrets") else []
    here, done = project.both(event, cluster, here=secret, there=["--storage-image", gsutil])
    succeeded(done, cluster)
    assert set(cluster.started_tasks) == set(here["tasks"])
    assert users_steps(cluster, [one["name"] for one in here["plan"]]) == [
        tuple(one) for one in here["steps"]
    ]
    for (task, step), text in here["texts"].items():
        shown = cluster.step(task, step).log.decode().replace("open-sesame", "***")
        assert plain(shown) == plain(text), f"{task}/{step}"
    for task, noted in here["tasks"].items():
        images = {f"{name}_IMAGE_DIGEST": digest for name, digest in noted["digests"].items()}
        results = {
            name: text for name, text in cluster.pods[task].results.items() if not name.endswith("_IMAGE_URL")
        }
        assert results == noted["results"] | images


EVERYTHING = """\
#!cue
resource: "src": {
  type: "git"
  param: url: "$(context.git.url)"
  param: revision: "$(context.git.commit)"
}
task: "look": {
  inputs: ["src"]
  steps: [
    {name: "user", image: "TOOLS", workingDir: "/workspace/src", securityContext: runAsUser: 1000
     command: ["sh", "-c", "id -u; pwd; touch here && mkdir -p ../new/deep && ls -A"]},
    {name: "env", image: "TOOLS", command: ["sh", "-c", "env | grep -v -e ^HOSTNAME -e ^DISPATCHFILE_PUBLISH | sort"]
     env: [{name: "A", value: "a b"}, {name: "B", value: "$(A) $$(A) $(NO)"}, {name: "C", value: "$(context.git.branch)"}]},
    {name: "where", image: "TOOLS", command: ["sh", "-c", "pwd; cd; pwd; id -u; echo \\"$0\\" $(date +%Y | wc -l)"], args: ["$(context.build.name)"]},
    {name: "git", image: "GIT", workingDir: "/workspace/src"
     command: ["sh", "-c", "git status --porcelain; git rev-parse HEAD; git describe --tags; git config remote.origin.url; git branch --show-current; git log --oneline | wc -l"]},
    {name: "script", image: "TOOLS", script: "#!/bin/sh\\ncat <<E\\n$$ x\\nE\\necho \\"$(context.git.branch)\\" | wc -c\\n"},
  ]
}
actions: [{tasks: ["look"], on: git: push: branches: ["*"]}]
"""


def test_a_step_finds_the_same_in_both_engines(
    tmp_path: Path, served: GitServer, cluster: MiniTekton
) -> None:
    text = EVERYTHING.replace("TOOLS", TOOLS).replace("GIT", "dispatchfile/update-gitops-repo:latest")
    files = {"Dispatchfile": text, "a/b": "x\n", ".gitignore": "*.o\n"}
    project = Project(tmp_path, served, files, "refs/heads/feature/x", "refs/tags/v1.0")
    here, done = project.both(["--event", "push", "--branch", "feature/x"], cluster)
    succeeded(done, cluster)
    for (task, step), expected in here["texts"].items():
        shown, lines = cluster.step(task, step).log.decode().splitlines(), expected.splitlines()
        if step == "script":
            assert (lines.pop(0)[-2:], shown.pop(0)[-2:]) == (" x", " x"), "after the number of the process"
        assert shown == lines, step


RESULTS = """\
#!cue
task: "give": {
  steps: [
    {name: "say", image: "TOOLS", command: ["sh", "-c", "echo one; echo error >&2; printf 'two\\n\\n'"]},
    {name: "quiet", image: "TOOLS", command: ["true"]},
    {name: "odd", image: "TOOLS", command: ["printf", "%s", "[\\"a\\"] $(date) $$x \\"q\\" é"]},
  ]
}
task: "take": {
  inputs: ["give"]
  steps: [{name: "show", image: "TOOLS", command: ["printf", "<%s>"]
           args: ["$(inputs.tasks.give.say)", "$(inputs.tasks.give.quiet)", "$(inputs.tasks.give.odd)"]}]
}
actions: [{tasks: ["take"], on: git: push: {}}]
"""


def test_the_output_of_a_step_is_a_result(
    tmp_path: Path, served: GitServer, toolbox: str, update_image: str
) -> None:
    project = Project(tmp_path, served, {"Dispatchfile": RESULTS.replace("TOOLS", TOOLS)})
    push = ["--event", "push", "--branch", "master"]

    def ran(way: str) -> tuple[MiniTekton, Object]:
        cluster = MiniTekton(tmp_path / way, network="none", api="alpha" if way == "alpha" else "beta")
        return cluster, cluster.run(*project.objects(*push, "--results", way))

    ways = ("stdout-wrapper", "sh", "alpha")
    with ThreadPoolExecutor() as pool:
        local = pool.submit(project.local, *push)
        runs = [*pool.map(ran, ways)]
    here = local.result()
    for way, (cluster, done) in zip(ways, runs, strict=True):
        succeeded(done, cluster)
        assert cluster.pods["give"].results == here["tasks"]["give"]["results"], way
        assert cluster.step("give", "say").log.count(b"error\n") == 1, way
        shown = cluster.step("take", "show").stdout
        assert shown.decode() == here["texts"]["take", "show"].rstrip("\n"), way
        assert shown.startswith(b"<one\ntwo\n><>"), way


@pytest.mark.parametrize("way", ["stdout-wrapper", "sh"])
def test_a_failing_step_keeps_its_exit_code(
    way: str, tmp_path: Path, served: GitServer, cluster: MiniTekton
) -> None:
    text = RESULTS.replace("TOOLS", TOOLS).replace("printf 'two", "exit 42; printf 'two")
    project = Project(tmp_path, served, {"Dispatchfile": text})
    done = cluster.run(*project.objects("--event", "push", "--branch", "master", "--results", way))
    assert done["status"]["conditions"][0]["reason"] == "Failed"
    assert [(one.name, one.exit_code) for one in cluster.pods["give"].steps] == [("say", 42)]
    assert sorted(cluster.step("give", "say").log.splitlines()) == [b"error", b"one"]  # two streams
    assert "take" not in cluster.pods


PASSED = """\
#!cue
resource: "src": {
  type: "git"
  param: url: "$(context.git.url)"
  param: revision: "$(context.git.commit)"
}
resource: "cache": {
  type: "storage"
  param: type: "gcs"
}
task: "make": {
  inputs: ["src"]
  outputs: ["cache"]
  steps: [{name: "make", image: "TOOLS", securityContext: runAsUser: 1000
           command: ["sh", "-c", "cat /workspace/src/word | tee /workspace/output/cache/f; touch /workspace/src/mine"]}]
}
task: "use": {
  inputs: ["src", "cache"]
  steps: [{name: "use", image: "TOOLS", command: ["sh", "-c", "cat /workspace/cache/f; ls /workspace/src"]}]
}
actions: [{tasks: ["use"], on: git: push: {}}]
"""


@pytest.mark.parametrize("workspace", ["emptydir", "pvc"])
def test_storage_passes_from_task_to_task(workspace: str, tmp_path: Path, served: GitServer, cluster: MiniTekton) -> None:  # fmt: skip
    project = Project(tmp_path, served, {"Dispatchfile": PASSED.replace("TOOLS", TOOLS), "word": "hello\n"})
    done = cluster.run(*project.objects("--event", "push", "--branch", "master", "--workspace", workspace))
    succeeded(done, cluster)
    mine = "mine\n" if workspace == "pvc" else ""
    assert cluster.step("use", "use").stdout.decode() == f"hello\nDispatchfile\n{mine}word\n"


HOSTILE = """\
#!cue
resource: "src": {
  type: "git"
  param: url: "$(context.git.url)"
  param: revision: "$(context.git.branch)"
}
resource: "app": {
  type: "image"
  param: url: "registry.test/app:$(context.git.branch)"
}
task: "give": {
  inputs: ["src"]
  outputs: ["app"]
  steps: [
    {name: "say", image: "TOOLS", command: ["printf", "%s", "$(context.git.branch)"]},
    {name: "layout", image: "TOOLS", command: ["sh", "-c", "echo '{\\"manifests\\": [{\\"digest\\": \\"sha256:DIGEST\\"}]}' >/workspace/output/app/index.json"]},
  ]
}
task: "take": {
  inputs: ["give", "app"]
  steps: [{name: "show", image: "TOOLS", command: ["printf", "%s|"]
           args: ["$(inputs.tasks.give.say)", "$(inputs.resources.app.url)", "$(inputs.resources.app.digest)"]
           env: [{name: "BRANCH", value: "$(context.git.branch)"}]}]
}
actions: [{tasks: ["take"], on: git: push: {}}]
"""


def test_a_hostile_branch_does_nothing(tmp_path: Path, served: GitServer, cluster: MiniTekton) -> None:
    branch = "x\";touch$IFS/pwned;\"$(touch${IFS}pwned)'`id`'&&echo|cat>x#%s"
    text = HOSTILE.replace("TOOLS", TOOLS).replace("DIGEST", "a" * 64)
    project = Project(tmp_path, served, {"Dispatchfile": text}, f"refs/heads/{branch}")
    done = cluster.run(*project.objects("--event", "push", f"--branch={branch}"))
    succeeded(done, cluster)
    shown = cluster.step("take", "show").stdout.decode()
    assert shown == f"{branch}|registry.test/app:{branch}|sha256:{'a' * 64}|"


def test_a_branch_that_the_kubelet_reads_fails_and_does_nothing_else(
    tmp_path: Path, served: GitServer, cluster: MiniTekton
) -> None:
    branch = "a$$(HOME)"
    text = HOSTILE.replace("TOOLS", TOOLS)
    project = Project(tmp_path, served, {"Dispatchfile": text}, f"refs/heads/{branch}")
    cluster.run(*project.objects("--event", "push", f"--branch={branch}"))
    assert [step.name for step in cluster.pods["give"].steps][-1] == "dispatch-clone-src"
    assert cluster.step("give", "dispatch-clone-src").exit_code == 1
    assert cluster.step("give", "dispatch-clone-src").log.startswith(b"fatal: ")


SLOW = """\
#!cue
resource: "src": {type: "git", param: url: "$(context.git.url)", param: revision: "$(context.git.commit)"}
task: "first": {
  inputs: ["src"]
  steps: [{name: "slow", image: "TOOLS", command: ["sh", "-c", "echo begun; until test -e ~/go; do sleep 0.1; done; cat /workspace/src/word"]}]
}
task: "second": {
  inputs: ["first"]
  steps: [{name: "say", image: "TOOLS", command: ["sh", "-c", "echo \\"$1\\"; exit CODE", "say", "<$(inputs.tasks.first.slow)>"]}]
}
actions: [{tasks: ["second"], on: git: push: {}}]
"""


@pytest.mark.parametrize("code", [0, 5])
def test_run_engine_tekton_follows_a_real_run(
    code: int, tmp_path: Path, served: GitServer, cluster: MiniTekton, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SLOW.replace("TOOLS", TOOLS).replace("CODE", str(code))
    project = Project(tmp_path, served, {"Dispatchfile": text, "word": "hello"})
    validate = crds.validate if crds.CRDS.is_dir() else None
    with ApiServer(cluster, validate=validate) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        for made in (*project.secrets, project.account()):
            server.cluster.create(made["kind"], "ci", made)
        words = ["run", "--engine", "tekton", "--service-account", ACCOUNT, "--progress", "plain", *IMAGES]
        told = []
        with project.start(*words, "--event", "push", "--branch", "master") as running:
            assert running.stdout is not None
            for line in running.stdout:
                told.append(line)
                if re.match(r"\[first/slow\] +begun", line):
                    assert cluster.step("first", "slow").exit_code is None, "it is told while the step runs"
                    (cluster.pods["first"].folder / "home" / "go").touch()
        assert running.returncode == (1 if code else 0), "".join(told)
    shown = "".join(told)
    assert re.search(
        r"^\[first/slow\] +begun\n.*^\[second/say\] +<begun\n", shown, re.MULTILINE | re.DOTALL
    ), shown
    assert cluster.step("second", "say").exit_code == code
