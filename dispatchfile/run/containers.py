"""One step, one container: its settings, its output as it comes, and how it ended."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dispatchfile.run.backend import Sink, StepResult, StepSpec, Stream
from dispatchfile.run.connect import asking, last_line
from dispatchfile.run.expand import expand_env, expand_words
from dispatchfile.run.workspace import HOME, WORKSPACE, MountConfig

if TYPE_CHECKING:
    from docker import APIClient
    from docker.errors import APIError

STOP_SECONDS = 5
KILLED = 137
NOT_FOUND = 127
NOT_EXECUTABLE = 126
HEAD = 300

_FORMAT = b"exec format error"


def step_config(
    spec: StepSpec, image: str, network: str, mounts: Sequence[MountConfig], labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return the settings of a step's container for the Engine API; `network` is the engine's network mode.

    Kubernetes: command takes the place of ENTRYPOINT, and then the image's CMD counts no more; args of CMD.
    """
    env = expand_env({"HOME": HOME, **spec.env})
    config: dict[str, Any] = {
        "Image": image,
        "Env": [f"{name}={value}" for name, value in env.items()],
        "WorkingDir": spec.working_dir or WORKSPACE,
        "Labels": dict(labels),
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": {
            "NetworkMode": network,
            "Mounts": list(mounts),
            "Privileged": spec.privileged,
            "LogConfig": {"Type": "none"},
            **_limits(spec),
        },
    }
    if command := expand_words(spec.command, env):
        config["Entrypoint"] = command
    if args := expand_words(spec.args, env):
        config["Cmd"] = args
    if spec.user:
        config["User"] = spec.user
    return config


def _limits(spec: StepSpec) -> dict[str, int]:
    limits: dict[str, int] = {}
    if spec.limits.memory is not None:
        # Without swap on top, as on a cluster: the limit is the limit.
        limits["Memory"] = limits["MemorySwap"] = spec.limits.memory
    if spec.limits.cpu is not None:
        limits["NanoCpus"] = int(spec.limits.cpu * 1_000_000_000)
    return limits


class RunningStep:
    """A container from its start to its end. `end` may be called from any thread, at any time."""

    def __init__(self, client: APIClient, container: str) -> None:
        self._client = client
        self._container = container
        self._lock = threading.Lock()
        self._ended_by: str | None = None
        self._started = False
        self._beginning = b""

    def run(self, sink: Sink, timeout: float | None) -> StepResult:
        """Start the container, hand its output to `sink`, and return how it ended."""
        import docker

        with asking("read the output of a step"):
            # Attached before the start, so that not even the first line is lost.
            channel = self._client.attach_socket(self._container, {"stdout": 1, "stderr": 1, "stream": 1})
        try:
            with self._lock:
                if self._ended_by:
                    return self._result(KILLED)
                try:
                    with asking("start a step"):
                        try:
                            self._client.start(self._container)
                        except docker.errors.APIError as error:
                            if refusal := refused_start(last_line(error)):
                                return refusal
                            raise
                finally:
                    self._started = True
            return self._follow(channel, sink, timeout)
        finally:
            channel._response.close()  # the client library leaves the connection to its caller

    def end(self, by: str, *, kill: bool) -> None:
        """End the step: ask it to, and kill it after a few seconds; or kill it at once. `by`: "stopped" or "timeout"."""
        import docker
        import requests

        with self._lock:
            self._ended_by = self._ended_by or by
            if not self._started:
                return
        try:
            if kill:
                self._client.kill(self._container)
            else:
                self._client.stop(self._container, timeout=STOP_SECONDS)
        except docker.errors.APIError as error:
            # It ended by itself in between, or is being removed: what was asked for is done.
            if error.status_code not in (304, 404, 409):
                raise
        except requests.RequestException:
            # The engine is gone; whoever follows the step sees that too, and tells it.
            return

    def _follow(self, channel: Any, sink: Sink, timeout: float | None) -> StepResult:
        timer = threading.Timer(timeout, self.end, ("timeout",), {"kill": False}) if timeout else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            with asking("follow a step"):
                for stream, data in frames(channel):
                    self._beginning += data[: HEAD - len(self._beginning)]
                    sink(stream, data)
                code = int(self._client.wait(self._container, timeout=None)["StatusCode"])
        finally:
            if timer:
                timer.cancel()
        return self._result(code, timeout)

    def _result(self, code: int, timeout: float | None = None) -> StepResult:
        if self._ended_by == "timeout":
            return StepResult(code, "timeout", f"the step ran longer than {timeout:g} s and was ended")
        if self._ended_by == "stopped":
            return StepResult(code, "stopped", "the step was ended because the run was stopped")
        if code == KILLED and self._out_of_memory():
            return StepResult(
                code, "out-of-memory", "the step used more memory than its limit and was killed"
            )
        if code == 1 and len(self._beginning) < HEAD and _FORMAT in self._beginning:
            # Some runtimes find this out only after the start, and say it in the step's own output.
            return _not_started(
                NOT_EXECUTABLE, "the step's program is not for this processor, or has no #! line"
            )
        return StepResult(code, "exited", exit_code_text(code))

    def _out_of_memory(self) -> bool:
        with asking("look at a step that was killed"):
            return bool(self._client.inspect_container(self._container)["State"].get("OOMKilled"))


def frames(channel: Any) -> Iterator[tuple[Stream, bytes]]:
    """Yield the output of a container as the engine frames it: stream, length, bytes. Long frames come in pieces."""
    receive = getattr(channel, "recv", None) or channel.read
    buffer = b""
    left, stream = 0, 1
    while data := receive(65536):
        buffer += data
        while buffer:
            if not left:
                if len(buffer) < 8:
                    break
                stream, left = struct.unpack_from(">BxxxL", buffer)
                buffer = buffer[8:]
                continue
            piece, buffer = buffer[:left], buffer[left:]
            left -= len(piece)
            yield ("stderr" if stream == 2 else "stdout"), piece


def exit_code_text(code: int) -> str:
    """Return what the exit codes that shells give a meaning say; "" for every other."""
    if code == NOT_EXECUTABLE:
        return "126: a command was found but could not be executed (no execute permission, or not for this processor)"
    if code == NOT_FOUND:
        return "127: a command was not found in the image"
    if code > 128 and code <= 128 + 64:
        return f"{code}: ended by signal {code - 128}"
    return ""


def refused_start(text: str) -> StepResult | None:
    """Return why the engine could not start the step's program, when the step is to blame and not the engine."""
    lower = text.lower()
    program = text.rpartition('exec: "')[2].partition('"')[0] if 'exec: "' in text else ""
    named = f'"{program}"' if program else "the step's command"
    if "exec format error" in lower:
        return _not_started(NOT_EXECUTABLE, f"{named} is not for this processor, or a script with no #! line")
    if "executable file not found" in lower or ("no such file or directory" in lower and program):
        return _not_started(
            NOT_FOUND, f"{named} does not exist in the image (an image may have no shell at all)"
        )
    if "permission denied" in lower and program:
        return _not_started(NOT_EXECUTABLE, f"{named} may not be executed: permission denied")
    if "unable to find user" in lower or "no matching entries in passwd" in lower:
        return _not_started(NOT_EXECUTABLE, f"the user to run as is not known in the image: {text}")
    return None


def _not_started(code: int, message: str) -> StepResult:
    return StepResult(code, "not-started", message)


def refused_create(image: str, error: APIError) -> StepResult | None:
    """Return the refusal of a container that is the step's own fault; None for trouble of the engine."""
    text = last_line(error)
    if "no command specified" in text.lower():
        return _not_started(NOT_FOUND, f"the step gives no command, and the image {image} has none either")
    if error.status_code == 404 and "no such image" in text.lower():
        return _not_started(NOT_FOUND, f"the image {image} is not on the engine any more")
    if error.status_code == 400:
        return _not_started(NOT_FOUND, f"the engine refuses the step: {text}")
    return None
