"""The scheduler, on a backend that plays a script."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import EnvironmentProblem, Interrupted, TimedOut
from dispatchfile.run.backend import RunSpec, StepHandle, StepSpec, TaskHandle
from dispatchfile.run.dummy import Act, DummyBackend, DummyStep
from dispatchfile.run.outcome import Outcome
from tests.run.make import Run, plan, run, task

SLOW = Act(seconds=0.25)


def test_tasks_run_after_what_they_need(tmp_path: Path) -> None:
    made = plan({"deploy": task(deps=["build"]), "build": task(deps=["test"]), "test": task()})
    done = run(tmp_path, made)
    assert done.ran() == ["test", "build", "deploy"]
    assert done.ending.exit_code == 0
    assert done.ending.status == "succeeded"


def test_a_dag_not_levels(tmp_path: Path) -> None:
    """A task starts when its own needs are done, not when everything on their level is."""
    made = plan({"slow": task(), "quick": task(), "after": task(deps=["quick"])})
    backend = DummyBackend({("slow", "run"): Act(seconds=0.5), ("after", "run"): Act(seconds=0.4)})
    run(tmp_path, made, backend)
    ended = [call[1] for call in backend.calls if call[0] == "step_ended"]
    assert ended == ["quick", "after", "slow"]


@pytest.mark.parametrize(("jobs", "most"), [(1, 1), (2, 2), (4, 4)])
def test_no_more_tasks_at_once_than_jobs(tmp_path: Path, jobs: int, most: int) -> None:
    made = plan({f"t{n}": task() for n in range(4)})
    backend = DummyBackend({(f"t{n}", "run"): Act(seconds=0.15) for n in range(4)})
    run(tmp_path, made, backend, jobs=jobs)
    now = peak = 0
    for call in backend.calls:
        now += {"run_step": 1, "step_ended": -1}.get(call[0], 0)
        peak = max(peak, now)
    assert peak == most


def test_ties_start_in_plan_order(tmp_path: Path) -> None:
    done = run(tmp_path, plan({name: task() for name in "cab"}), jobs=1)
    assert done.ran() == ["c", "a", "b"]


def test_the_calls_of_a_task(tmp_path: Path) -> None:
    resources = {
        "app": {"type": "image", "param": {"url": "me/app"}},
        "src": {"type": "git", "param": {"url": "x"}},
    }
    backend = DummyBackend(digests={"app": "sha256:1"})
    done = run(tmp_path, plan({"build": task("a", "b", outputs=["app", "src"])}, resources), backend)
    calls = [call[0] for call in backend.calls if call[0] not in ("create_step", "step_ended")]
    assert calls == [
        "open", "ensure_image", "open_task", "run_step", "run_step", "image_digest", "save_output", "close_task", "close",
    ]  # fmt: skip
    outcome = done.ending.outcomes["build"]
    assert outcome.digests == {"app": "sha256:1"}
    assert outcome.outputs == {"src": tmp_path / "run/outputs/src"}


def test_the_next_container_is_made_while_the_step_runs(tmp_path: Path) -> None:
    backend = DummyBackend({("t", "a"): SLOW})
    run(tmp_path, plan({"t": task("a", "b")}), backend)
    assert backend.calls.index(("create_step", "t", "b")) < backend.calls.index(("step_ended", "t", "a"))


def test_a_task_is_closed_only_when_the_next_container_is_made(tmp_path: Path) -> None:
    class Slow(DummyBackend):
        def create_step(self, task: TaskHandle, spec: StepSpec) -> DummyStep:
            time.sleep(0.2)
            return super().create_step(task, spec)

    backend = Slow({("t", "a"): Act(exit_code=1)})
    run(tmp_path, plan({"t": task("a", "b")}), backend)
    assert backend.calls.index(("create_step", "t", "b")) < backend.calls.index(("close_task", "t"))


def test_images_are_ensured_once_and_before_anything_starts(tmp_path: Path) -> None:
    backend = DummyBackend()
    run(tmp_path, plan({"a": task("x", "y"), "b": task({"name": "z", "image": "alpine"})}), backend)
    names = [call[0] for call in backend.calls]
    assert sorted(call[1] for call in backend.calls if call[0] == "ensure_image") == ["alpine", "busybox"]
    assert max(at for at, name in enumerate(names) if name == "ensure_image") < names.index("open_task")


def test_a_missing_image_ends_the_run_before_anything_starts(tmp_path: Path) -> None:
    backend = DummyBackend(problems={"ensure_image busybox missing": "no image busybox"})
    done = run(tmp_path, plan({"a": task()}), backend)
    assert done.ending.exit_code == 4
    assert "open_task" not in [call[0] for call in backend.calls]
    assert backend.calls[-1] == ("close",)
    assert done.statuses() == {"a": "skipped"}


def test_the_image_of_this_program_is_never_pulled(tmp_path: Path) -> None:
    class Bare(DummyBackend):
        def ensure_image(self, ref: str, pull: str) -> None:
            self.calls.append(("ensure_image", ref, pull))
            raise EnvironmentProblem(f"no {ref}")

    made = plan({"deploy": task({"name": "s", "image": "mesosphere/update-gitops-repo:v1.0"})})
    done = run(tmp_path, made, Bare())
    assert ("ensure_image", "dispatchfile/update-gitops-repo", "never") in done.backend.calls
    assert isinstance(done.ending.error, EnvironmentProblem)
    assert (
        done.ending.error.help
        == "build it in a checkout of dispatchfile: runner/engine/images update-gitops-repo"
    )


def test_a_failing_step_fails_its_task_and_skips_what_needs_it(tmp_path: Path) -> None:
    made = plan({
        "test": task("unit", "never"), "build": task(deps=["test"]), "deploy": task(deps=["build"]), "docs": task(),
    })  # fmt: skip
    backend = DummyBackend(
        {("test", "unit"): Act(exit_code=3, stdout=(b"one\n", b"two")), ("docs", "run"): SLOW}
    )
    done = run(tmp_path, made, backend)
    assert done.statuses() == {"test": "failed", "build": "skipped", "deploy": "skipped", "docs": "succeeded"}
    assert done.ending.exit_code == 1
    failed = done.ending.outcomes["test"]
    assert (failed.step, failed.exit_code, failed.tail) == ("unit", 3, ("one", "two"))
    assert failed.message == "step unit: exit code 3"
    assert done.ending.outcomes["build"].message == "needs test"
    assert done.ending.outcomes["deploy"].message == "needs build"
    assert ("close_task", "test") in backend.calls
    assert "never" not in [call[-1] for call in backend.calls if call[0] == "run_step"]


def test_a_task_with_one_need_lost_and_one_running_is_skipped_once(tmp_path: Path) -> None:
    made = plan({"bad": task(), "slow": task(), "both": task(deps=["bad", "slow"])})
    backend = DummyBackend({("bad", "run"): Act(exit_code=1), ("slow", "run"): SLOW})
    done = run(tmp_path, made, backend)
    assert done.statuses() == {"bad": "failed", "slow": "succeeded", "both": "skipped"}
    assert [event.task for event in done.told("task.finished")].count("both") == 1


def test_fail_fast_stops_the_others(tmp_path: Path) -> None:
    made = plan({"bad": task(), "slow": task(), "later": task(deps=["slow"])})
    backend = DummyBackend({("bad", "run"): Act(exit_code=1, seconds=0.1), ("slow", "run"): Act(seconds=30)})
    began = time.monotonic()
    done = run(tmp_path, made, backend, fail_fast=True)
    assert time.monotonic() - began < 25
    assert done.statuses() == {"bad": "failed", "slow": "stopped", "later": "skipped"}
    assert done.ending.exit_code == 1


def test_the_timeout_of_a_task(tmp_path: Path) -> None:
    made = plan({"t": task("a", "b", timeout="300ms"), "u": task(deps=["t"])})
    backend = DummyBackend({("t", "a"): Act(seconds=0.2), ("t", "b"): Act(seconds=9)})
    began = time.monotonic()
    done = run(tmp_path, made, backend)
    assert time.monotonic() - began < 8
    assert done.statuses() == {"t": "failed", "u": "skipped"}
    assert done.ending.outcomes["t"].message == "step b: the task took longer than its timeout of 0.3s"
    assert done.ending.exit_code == 1


def test_the_timeout_of_the_run(tmp_path: Path) -> None:
    made = plan({"t": task(), "u": task(deps=["t"])})
    backend = DummyBackend({("t", "run"): Act(seconds=30)})
    done = run(tmp_path, made, backend, timeout=0.2)
    assert isinstance(done.ending.error, TimedOut)
    assert done.ending.exit_code == 124
    assert done.statuses() == {"t": "stopped", "u": "skipped"}
    assert ("stop", "ask") in backend.calls
    assert backend.calls[-1] == ("close",)


@pytest.fixture
def heard_signals() -> Iterator[None]:
    """The signals as a program finds them that nobody started with `nohup` or in the background."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard_signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_what_runs_and_cleans_up(tmp_path: Path, number: signal.Signals, code: int) -> None:
    made = plan({"t": task("a", "b"), "u": task(deps=["t"])})
    backend = DummyBackend({("t", "a"): Act(seconds=30)})
    before = signal.getsignal(number)
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()
    done = run(tmp_path, made, backend)
    assert isinstance(done.ending.error, Interrupted)
    assert done.ending.exit_code == code
    assert done.statuses() == {"t": "stopped", "u": "skipped"}
    assert backend.calls.count(("close_task", "t")) == 1
    assert backend.calls[-1] == ("close",)
    assert signal.getsignal(number) == before


class Stubborn(DummyBackend):
    """Steps that end only when they are killed."""

    def stop(self, *, kill: bool) -> None:
        self.calls.append(("stop", "kill" if kill else "ask"))
        if kill:
            self._stopped.set()


def test_a_second_signal_kills(tmp_path: Path) -> None:
    backend = Stubborn({("t", "run"): Act(seconds=30)})
    for wait in (0.2, 0.4):
        threading.Timer(wait, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    done = run(tmp_path, plan({"t": task()}), backend)
    assert time.monotonic() - began < 25
    assert [call for call in backend.calls if call[0] == "stop"] == [("stop", "ask"), ("stop", "kill")]
    assert done.ending.exit_code == 130


def test_what_does_not_stop_is_killed_and_what_cannot_be_killed_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead(DummyBackend):
        def stop(self, *, kill: bool) -> None:
            self.calls.append(("stop", "kill" if kill else "ask"))

        def close(self) -> None:
            time.sleep(30)

    monkeypatch.setattr("dispatchfile.run.engine.ASK", 0.2)
    monkeypatch.setattr("dispatchfile.run.engine.GIVE_UP", 0.2)
    dies = Act(seconds=0.5, problem="the engine does not answer")  # once the other step runs
    backend = Dead({("t", "run"): Act(seconds=30), ("u", "run"): dies})
    began = time.monotonic()
    done = run(tmp_path, plan({"t": task(), "u": task()}), backend)
    assert time.monotonic() - began < 25
    assert [call for call in backend.calls if call[0] == "stop"] == [("stop", "ask"), ("stop", "kill")]
    assert done.ending.exit_code == 4
    assert "does not answer" in done.told("run.note")[0].data["message"]


def test_an_engine_that_dies_ends_the_run_with_one_error(tmp_path: Path) -> None:
    made = plan({"a": task(), "b": task(), "c": task(deps=["b"]), "d": task()})
    backend = DummyBackend({("a", "run"): Act(problem="the engine went away"), ("b", "run"): Act(seconds=30)})
    done = run(tmp_path, made, backend, jobs=2)
    assert isinstance(done.ending.error, EnvironmentProblem)
    assert done.ending.error.message == "the engine went away"
    assert done.ending.exit_code == 4
    assert done.statuses() == {"a": "failed", "b": "stopped", "c": "skipped", "d": "skipped"}
    assert ("close_task", "a") in backend.calls


@pytest.mark.parametrize("call", ["open run-1", "open_task t", "create_step t run", "close_task t", "close"])
def test_a_refusal_anywhere_is_exit_code_4(tmp_path: Path, call: str) -> None:
    done = run(tmp_path, plan({"t": task()}), DummyBackend(problems={call: "refused"}))
    assert done.ending.exit_code == 4
    assert str(done.ending.error) == "refused"
    assert ("close",) in done.backend.calls


def test_a_bug_in_a_thread_ends_the_run(tmp_path: Path) -> None:
    class Buggy(DummyBackend):
        def image_digest(self, task: Any, resource: str) -> str | None:
            raise KeyError(resource)

    resources = {"app": {"type": "image", "param": {"url": "x"}}}
    done = run(tmp_path, plan({"t": task(outputs=["app"])}, resources), Buggy())
    assert isinstance(done.ending.error, KeyError)
    assert done.ending.exit_code == 70
    assert ("close_task", "t") in done.backend.calls


def test_results_pass_between_tasks(tmp_path: Path) -> None:
    made = plan({
        "version": task("print", "other"),
        "build": task({"name": "run", "command": ["echo", "v=$(inputs.tasks.version.print)."]}, inputs=["version"]),
    })  # fmt: skip
    backend = DummyBackend({("version", "print"): Act(stdout=(b"1.2", b".3\n\n"), stderr=(b"noise\n",))})
    done = run(tmp_path, made, backend)
    assert backend.steps["build", "run"].command == ("echo", "v=1.2.3\n.")
    assert done.told("task.finished")[0].data["results"] == {"print": "1.2.3\n"}


def test_digests_pass_between_tasks(tmp_path: Path) -> None:
    resources = {
        "app": {"type": "image", "param": {"url": "me/app:1", "digest": "$(inputs.resources.app.digest)"}}
    }
    image = "$(inputs.resources.app.url)@$(inputs.resources.app.digest)"
    made = plan(
        {"build": task(outputs=["app"]), "use": task({"name": "run", "image": image}, inputs=["app"])},
        resources,
    )
    backend = DummyBackend(digests={"app": "sha256:abc"})
    run(tmp_path, made, backend)
    assert backend.steps["use", "run"].image == "me/app:1@sha256:abc"
    calls = [call[:2] for call in backend.calls if call[0] in ("ensure_image", "close_task")]
    assert calls == [
        ("ensure_image", "busybox"), ("close_task", "build"), ("ensure_image", "me/app:1@sha256:abc"), ("close_task", "use"),
    ]  # fmt: skip


def test_a_missing_digest_is_told_where_it_is_used(tmp_path: Path) -> None:
    resources = {"app": {"type": "image", "param": {"url": "me/app"}}}
    step = {"name": "run", "args": ["$(resources.inputs.app.digest)"]}
    done = run(tmp_path, plan({"build": task(outputs=["app"]), "use": task(step, inputs=["app"])}, resources))
    assert done.statuses() == {"build": "succeeded", "use": "failed"}
    assert done.ending.outcomes["use"].message == (
        "task build left no digest for image app: no OCI layout at /workspace/output/app"
    )
    assert ("open_task", "use") not in done.backend.calls


def test_kept_tasks_are_not_run_again(tmp_path: Path) -> None:
    resources = {"app": {"type": "image", "param": {"url": "me/app"}}}
    made = plan({
        "build": task(outputs=["app"]), "use": task({"name": "run", "args": ["$(inputs.resources.app.digest)"]}, inputs=["app"]),
    }, resources)  # fmt: skip
    kept = {"build": Outcome("build", "kept", digests={"app": "sha256:old"})}
    done = run(tmp_path, made, kept=kept)
    assert done.ran() == ["use"]
    assert done.backend.steps["use", "run"].args == ("sha256:old",)
    assert done.statuses() == {"build": "kept", "use": "succeeded"}
    assert done.ending.exit_code == 0


def test_secrets_are_masked_everywhere_but_where_they_are_used(tmp_path: Path) -> None:
    secret = "hunter2-hunter2"
    made = plan({
        "login": task("token"), "use": task({"name": "run", "args": ["$(inputs.tasks.login.token)"]}, inputs=["login"]),
    })  # fmt: skip
    backend = DummyBackend({
        ("login", "token"): Act(stdout=(secret[:5].encode(), secret[5:].encode() + b"\n")),
        ("use", "run"): Act(stderr=(f"bad {secret}\n".encode(),), problem=f"refused {secret}"),
    })  # fmt: skip
    done = run(tmp_path, made, backend, secrets=(secret,))
    assert backend.steps["use", "run"].args == (secret,)
    assert secret not in repr([(event.kind, event.data) for event in done.events])
    assert [event.data["line"] for event in done.told("step.log")] == ["***", "bad ***"]
    assert (tmp_path / "logs/login/token.log").read_text() == "***\n"


def test_logs_are_kept_per_step(tmp_path: Path) -> None:
    backend = DummyBackend(
        {("t", "a"): Act(stdout=(b"50%\r100%\n", b"caf\xc3", b"\xa9 \x1b[31mred\x1b[0m \x1b[2Jx\n"))}
    )
    done = run(tmp_path, plan({"t": task("a")}), backend)
    assert [event.data["line"] for event in done.told("step.log")] == ["100%", "café \x1b[31mred\x1b[0m x"]
    assert b"\x1b[2J" in (tmp_path / "logs/t/a.log").read_bytes()


def test_logs_that_cannot_be_written_are_an_environment_problem(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in the way")
    done = run(tmp_path, plan({"t": task()}))
    assert done.ending.exit_code == 4
    assert "cannot write the log" in str(done.ending.error)


def test_a_disk_that_fills_up_stops_the_run_at_once(tmp_path: Path) -> None:
    (tmp_path / "logs/t").mkdir(parents=True)
    (tmp_path / "logs/t/run.log").symlink_to("/dev/full")
    backend = DummyBackend({("t", "run"): Act(stdout=(b"a line\n",), seconds=30)})
    began = time.monotonic()
    done = run(tmp_path, plan({"t": task(), "u": task(deps=["t"])}), backend)
    assert time.monotonic() - began < 25
    assert done.ending.exit_code == 4
    assert "No space left on device" in str(done.ending.error)
    assert done.statuses()["u"] == "skipped"


def test_a_result_with_a_zero_byte_cannot_be_a_variable(tmp_path: Path) -> None:
    made = plan({"t": task(), "u": task({"name": "run", "args": ["$(inputs.tasks.t.run)"]}, inputs=["t"])})
    done = run(tmp_path, made, DummyBackend({("t", "run"): Act(stdout=(b"a\0b",))}))
    assert done.statuses() == {"t": "succeeded", "u": "failed"}
    assert "holds a zero byte" in done.ending.outcomes["u"].message


def test_the_events_of_a_run(tmp_path: Path) -> None:
    backend = DummyBackend({("t", "a"): Act(stdout=(b"hi\n",))})
    done = run(tmp_path, plan({"t": task("a")}), backend)
    kinds = [event.kind for event in done.events]
    assert kinds == [
        "run.started", "task.started", "step.started", "step.log", "step.finished", "task.finished", "run.finished",
    ]  # fmt: skip
    assert done.events[0].data["tasks"] == [{"name": "t", "needs": []}]
    assert done.events[4].data["exit_code"] == 0
    assert done.events[-1].data["status"] == "succeeded"


def test_the_shell_gets_the_step_that_failed(tmp_path: Path) -> None:
    seen: list[str] = []

    def shell(step: StepHandle) -> None:
        assert isinstance(step, DummyStep)
        seen.append(step.spec.name)

    backend = DummyBackend({("t", "b"): Act(exit_code=1)})
    run(tmp_path, plan({"t": task("a", "b")}), backend, on_failure=shell)
    assert seen == ["b"]
    # it opens before the task is closed
    assert ("close_task", "t") in backend.calls


def test_a_run_outside_the_main_thread(tmp_path: Path) -> None:
    one = Run(tmp_path, plan({"t": task()}))
    thread = threading.Thread(target=one.go)
    thread.start()
    thread.join(5)
    assert one.statuses() == {"t": "succeeded"}


def test_many_tasks(tmp_path: Path) -> None:
    tasks = {f"t{n}": task(deps=[f"t{n - 7}"] if n >= 7 else []) for n in range(200)}
    done = run(tmp_path, plan(tasks), jobs=16)
    assert set(done.statuses().values()) == {"succeeded"}


def test_nothing_hangs_when_open_fails(tmp_path: Path) -> None:
    class NoEngine(DummyBackend):
        def open(self, run: RunSpec) -> None:
            raise EnvironmentProblem("no engine answers", help="start it")

    done = run(tmp_path, plan({"t": task()}), NoEngine())
    assert done.ending.exit_code == 4
    assert done.statuses() == {"t": "skipped"}
