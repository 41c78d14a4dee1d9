from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import DispatchfileError, EnvironmentProblem, UsageError
from dispatchfile.model.pipeline import Limits
from dispatchfile.run.backend import Mount, Output, StepResult, TaskSpec, VolumeSpec
from dispatchfile.run.connect import connect, find_endpoint
from dispatchfile.run.labels import RUN
from dispatchfile.run.sweep import remove_labelled
from tests.run.on_engine import Bench, Collected, bench, step_spec

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory):
    with bench(tmp_path_factory.mktemp("run"), tasks=3) as made:
        yield made


@pytest.fixture(scope="module")
def task(one: Bench):
    volumes = (
        VolumeSpec("cache", "empty"),
        VolumeSpec("keys", "files", files={"id_rsa": b"secret\n", "pub": b"public"}),
    )
    outputs = (Output("image", "image"), Output("legacy", "image"), Output("files", "storage"))
    return one.task(outputs=outputs, volumes=volumes)


def test_a_step_sees_the_places_of_the_contract(one: Bench, task, toolbox: str) -> None:
    script = """
        echo "$HOME $(pwd)"; ls -d /workspace/output/* /builder/home/image-outputs/*
        echo one > $HOME/mark; cat /builder/home/mark
        echo two > /workspace/output/.docker/mark; cat /root/.docker/mark /kaniko/.docker/mark $HOME/.docker/mark
        cat /tekton/home/.docker/config.json; echo oops >&2"""
    result, out, err = one.step(task, toolbox, script)
    assert result == StepResult(0)
    assert out.splitlines() == [
        "/tekton/home /workspace",
        "/builder/home/image-outputs/files",
        "/builder/home/image-outputs/image",
        "/builder/home/image-outputs/legacy",
        "/workspace/output/files",
        "/workspace/output/image",
        "/workspace/output/legacy",
        "one",
        *(["two"] * 3),
        "{}",
    ]
    assert err == "oops\n"


def test_steps_share_workspace_volumes_and_network(one: Bench, task, toolbox: str) -> None:
    mounts = (Mount("cache", "/m2"), Mount("cache", "/part", sub_path="a/b"))
    one.step(
        task,
        toolbox,
        "echo kept > /workspace/file; mkdir -p /m2/a/b; echo deep > /m2/a/b/x",
        mounts=mounts[:1],
    )
    result, out, _ = one.step(
        task,
        toolbox,
        "cat /workspace/file /part/x; hostname; touch /m2/ok",
        mounts=mounts,
        user="65534:65534",
    )
    assert out.splitlines()[:2] == ["kept", "deep"]
    assert result == StepResult(0)


def test_secret_files_are_read_only(one: Bench, task, toolbox: str) -> None:
    script = "cat /keys/id_rsa /keys/pub; echo x > /keys/new"
    result, out, _ = one.step(task, toolbox, script, mounts=(Mount("keys", "/keys"),))
    assert (result.exit_code, out) == (1, "secret\npublic")


@pytest.mark.parametrize(
    ("command", "args", "out"),
    [
        pytest.param(
            ("echo", "$(A)-$(NO)-$$(A)"), None, "1-$(NO)-$(A)\n", id="command only, expanded by its env"
        ),
        pytest.param(("echo", "a"), ("b", "$(B)"), "a b 1-2\n", id="command and args"),
        pytest.param(None, ("-c", "echo from args"), "from args\n", id="args only: the image's entrypoint"),
        pytest.param(None, None, "", id="neither: the image's own"),
    ],
)
def test_command_and_args_follow_kubernetes(one: Bench, task, toolbox: str, command, args, out: str) -> None:
    image = toolbox
    if command is None:
        image = "dispatchfile-test/entrypoint:latest"
        connect_client = one.backend._engine
        source = connect_client.create_container_from_config({"Image": toolbox, "Cmd": ["true"]})["Id"]
        changes = ['ENTRYPOINT ["/bin/sh"]', 'CMD ["-c", "exit 0"]']
        connect_client.commit(
            source, repository="dispatchfile-test/entrypoint", tag="latest", changes=changes
        )
        connect_client.remove_container(source)
    try:
        result, got, _ = one.step(task, image, command=command, args=args, env={"A": "1", "B": "$(A)-2"})
        assert (result, got) == (StepResult(0), out)
    finally:
        if command is None:
            connect_client.remove_image(image, force=True)


@pytest.mark.parametrize(
    ("fields", "code", "reason", "message"),
    [
        pytest.param({"script": "exit 3"}, 3, "exited", "", id="a step's own code"),
        pytest.param(
            {"command": ("nope",)}, 127, "not-started", '"nope" does not exist in the image', id="no program"
        ),
        pytest.param(
            {"command": ("/etc/passwd",)}, 126, "not-started", "may not be executed", id="not executable"
        ),
        pytest.param(
            {"script": "nope"}, 127, "exited", "a command was not found", id="not found by the shell"
        ),
        pytest.param(
            {"script": "sleep 9 & kill -9 $!; wait $!"},
            137,
            "exited",
            "ended by signal 9",
            id="killed by its own hand",
        ),
        pytest.param(
            {"script": "true", "user": "nobodyknows"}, 126, "not-started", "nobodyknows", id="no such user"
        ),
        pytest.param(
            {"script": "x=a; while true; do x=$x$x; done", "limits": Limits(memory=16 << 20)},
            137,
            "out-of-memory",
            "more memory than its limit",
            id="out of memory",
        ),
        pytest.param(
            {"script": "sleep 60", "timeout": 0.5}, None, "timeout", "longer than 0.5 s", id="timeout"
        ),
    ],
)
def test_how_a_step_ends(one: Bench, task, toolbox: str, fields, code, reason: str, message: str) -> None:
    result, _, _ = one.step(task, toolbox, **fields)
    assert (result.reason, message in result.message) == (reason, True), result
    assert code is None or result.exit_code == code


def test_a_script_without_an_interpreter_line_is_explained(one: Bench, task, toolbox: str) -> None:
    one.step(task, toolbox, "printf 'not a program' > /workspace/s; chmod +x /workspace/s")
    result, _, _ = one.step(task, toolbox, command=("/workspace/s",))
    assert result.reason == "not-started"
    assert "no #! line" in result.message


def test_no_output_is_lost_and_streams_stay_apart(one: Bench, task, toolbox: str) -> None:
    script = "echo first; i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last >&2"
    result, out, err = one.step(task, toolbox, script)
    lines = out.splitlines()
    assert (result.exit_code, lines[0], lines[-1], len(lines), err) == (
        0,
        "first",
        "line 19999",
        20001,
        "last\n",
    )


def test_an_image_without_any_command(one: Bench, task) -> None:
    client = one.backend._engine
    client.import_image_from_data(b"\0" * 1024, repository="dispatchfile-test/empty", tag="latest")
    try:
        result, _, _ = one.step(task, "dispatchfile-test/empty:latest")
    finally:
        client.remove_image("dispatchfile-test/empty:latest", force=True)
    assert result.reason == "not-started"
    assert "gives no command" in result.message


def test_a_mount_of_no_volume_is_refused(one: Bench, task, toolbox: str) -> None:
    with pytest.raises(UsageError, match='mounts the volume "nope", which its task does not have'):
        one.step(task, toolbox, "true", mounts=(Mount("nope", "/x"),))
    with pytest.raises(UsageError, match=r'must not contain "\.\."'):
        one.step(task, toolbox, "true", mounts=(Mount("cache", "/x", sub_path="../.."),))


@pytest.mark.parametrize("place", ["/workspace/output/image", "/builder/home/image-outputs/legacy"])
def test_digests_are_read_from_either_place(one: Bench, task, toolbox: str, place: str) -> None:
    digest = "sha256:" + "a" * 64
    resource = place.rpartition("/")[2]
    assert one.backend.image_digest(task, resource) is None
    one.step(task, toolbox, f"""echo '{{"manifests":[{{"digest":"{digest}"}}]}}' > {place}/index.json""")
    assert one.backend.image_digest(task, resource) == digest
    one.step(task, toolbox, f"echo nonsense > {place}/index.json")
    with pytest.raises(DispatchfileError, match="no OCI image index"):
        one.backend.image_digest(task, resource)
    one.step(task, toolbox, f"rm {place}/index.json; ln -s /etc/shadow {place}/index.json")
    assert one.backend.image_digest(task, resource) is None
    one.step(task, toolbox, f"rm {place}/index.json")


def test_outputs_are_saved_as_the_users_own(one: Bench, task, toolbox: str, tmp_path: Path) -> None:
    script = """cd /workspace/output/files; mkdir -p a/b; echo x > a/b/c; chmod 600 a/b/c; ln -s b/c a/link
        ln -s /etc/passwd out; mkfifo pipe; chown -R 65534 a"""
    one.step(task, toolbox, script)
    one.backend.save_output(task, "files", tmp_path / "saved")
    saved = tmp_path / "saved"
    assert sorted(str(path.relative_to(saved)) for path in saved.rglob("*")) == [
        "a",
        "a/b",
        "a/b/c",
        "a/link",
        "out",
    ]
    assert (saved / "a/link").read_text() == "x\n"
    assert (saved / "a/b/c").stat().st_uid == saved.stat().st_uid


def test_stop_ends_what_runs_and_lets_nothing_begin(tmp_path: Path, toolbox: str) -> None:
    with bench(tmp_path) as made:
        opened = made.task()
        sink = Collected()
        results: list[StepResult] = []
        script = "trap 'echo bye; exit 7' TERM; echo up; while true; do sleep 0.1; done"
        running = made.backend.create_step(opened, step_spec(toolbox, script))
        later = made.backend.create_step(opened, step_spec(toolbox, "echo no"))
        thread = threading.Thread(target=lambda: results.append(made.backend.run_step(running, sink, None)))
        thread.start()
        assert sink.begun.wait(20)
        made.backend.stop(kill=False)
        thread.join(20)
        assert (results[0].reason, results[0].exit_code, sink.text("stdout")) == ("stopped", 7, "up\nbye\n")
        assert made.backend.run_step(later, sink, None).reason == "stopped"


def test_nothing_is_left_behind(tmp_path: Path, toolbox: str) -> None:
    with bench(tmp_path, tasks=4) as made:
        opened = made.task()
        made.backend.create_step(opened, step_spec(toolbox, "true"))
        made.step(opened, toolbox, "exit 1")
        made.backend.close_task(opened)
        made.backend.close_task(opened)
        run = made.run_id
    made.backend.close()
    client = connect()
    mine = {"label": f"{RUN}={run}"}
    try:
        assert client.containers(all=True, filters=mine) == []
        assert not client.volumes(filters=mine).get("Volumes")
    finally:
        client.close()


def test_images_that_cannot_be_had(one: Bench, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="pulling is off"):
        one.backend.ensure_image("localhost:1/nope:1", "never")
    with pytest.raises(EnvironmentProblem, match="cannot pull the image localhost:1/nope:1"):
        one.backend.ensure_image("localhost:1/nope:1", "missing")
    with pytest.raises(EnvironmentProblem, match='"A B" is no image name'):
        one.backend.ensure_image("A B", "missing")
    with (
        bench(tmp_path, offline=True, tasks=0) as made,
        pytest.raises(EnvironmentProblem, match="the run is offline"),
    ):
        made.backend.ensure_image("localhost:1/nope:1", "always")


def test_the_next_step_is_created_while_one_runs(one: Bench, task, toolbox: str) -> None:
    sink = Collected()
    first = one.backend.create_step(task, step_spec(toolbox, "echo up; sleep 1"))
    thread = threading.Thread(target=one.backend.run_step, args=(first, sink, None))
    thread.start()
    assert sink.begun.wait(20)
    second = one.backend.create_step(task, step_spec(toolbox, "echo second"))
    assert thread.is_alive()
    thread.join(20)
    begun = time.monotonic()
    assert one.backend.run_step(second, sink, None) == StepResult(0)
    assert time.monotonic() - begun < 10


def test_a_sub_path_is_made_and_never_leads_out_of_its_volume(one: Bench, task, toolbox: str) -> None:
    whole, part = Mount("cache", "/all"), Mount("cache", "/part", sub_path="new/deep")
    assert one.step(task, toolbox, "echo x > /part/file", mounts=(part,))[0] == StepResult(0)
    one.step(task, toolbox, "cat /all/new/deep/file; rm -r /all/new; ln -s /etc /all/new", mounts=(whole,))
    result, out, _ = one.step(task, toolbox, "ls -A /part; ls -ld /all/new | cut -c1", mounts=(whole, part))
    assert (result, out) == (StepResult(0), "d\n")


class Wire:
    """A way to the engine that can be cut."""

    def __init__(self, path: Path) -> None:
        self.dead = False
        self.pairs: list[socket.socket] = []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            if self.dead:
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX)
            far.connect(find_endpoint().host.removeprefix("unix://"))
            self.pairs += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    @staticmethod
    def carry(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def cut(self) -> None:
        # New connections are taken and closed: the client library leaks the socket of a refused one.
        self.dead = True
        for end in self.pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def test_an_engine_that_dies_in_the_middle_is_one_clear_error(tmp_path: Path, toolbox: str) -> None:
    wire = Wire(tmp_path / "s")
    made = Bench(tmp_path, docker_host=f"unix://{tmp_path / 's'}")
    opened = made.task()
    sink = Collected()
    problems: list[EnvironmentProblem] = []

    def run() -> None:
        step = made.backend.create_step(opened, step_spec(toolbox, "echo up; sleep 30"))
        with pytest.raises(EnvironmentProblem) as caught:
            made.backend.run_step(step, sink, 20)
        problems.append(caught.value)

    thread = threading.Thread(target=run)
    thread.start()
    assert sink.begun.wait(20)
    wire.cut()
    thread.join(20)
    try:
        assert "the engine stopped answering" in problems[0].message
        assert "dispatchfile clean" in problems[0].help
        with pytest.raises(EnvironmentProblem):
            made.backend.close()
    finally:
        client = connect()
        remove_labelled(client, lambda labels: labels.get(RUN) == made.run_id)
        client.close()
        wire.server.close()


def run_task(one: Bench, image: str, script: str, *, name: str, alone: bool = False, **fields: Any) -> str:
    """Run a task of one step; return the network mode of its container."""
    opened = one.backend.open_task(TaskSpec(name, (), (), (), alone=alone))
    created = one.backend.create_step(opened, step_spec(image, script, **fields))
    one.backend.run_step(created, Collected(), None)
    mode = str(one.backend._engine.inspect_container(created.container)["HostConfig"]["NetworkMode"])
    one.backend.close_task(opened)
    return mode


@pytest.mark.parametrize(
    ("script", "fields", "handed_on"),
    [
        pytest.param("exit 3", {}, True, id="untouched"),
        pytest.param("echo 10.0.0.9 elsewhere >> /etc/hosts", {}, False, id="hosts were written"),
        pytest.param("true", {"privileged": True}, False, id="a privileged step was in it"),
        pytest.param("sleep 60", {"timeout": 0.2}, False, id="a step did not end by itself"),
    ],
)
def test_a_network_is_handed_on_as_it_was_made(
    tmp_path: Path, toolbox: str, script: str, fields: dict[str, Any], handed_on: bool
) -> None:
    with bench(tmp_path, tasks=2) as one:
        opened = one.backend.open_task(TaskSpec("first", (), (), ()))
        with contextlib.suppress(
            EnvironmentProblem
        ):  # an engine inside a container starts no privileged ones
            one.step(opened, toolbox, script, **fields)
        first = f"container:{opened.network.container.result()}"
        one.backend.close_task(opened)
        second = run_task(one, toolbox, "! grep elsewhere /etc/hosts", name="second", alone=True)
    assert (second == first) is handed_on


def test_the_only_step_of_a_last_task_holds_its_network_itself(tmp_path: Path, toolbox: str) -> None:
    with bench(tmp_path, tasks=1, networks=0) as one:
        opened = one.backend.open_task(TaskSpec("task", (), (), (), alone=True))
        assert one.step(opened, toolbox, "hostname")[1] == "task\n"
        assert opened.network is None
