"""The pod of a TaskRun on the Docker engine: what the kubelet and Tekton's entrypoint do for its steps.

There is no Kubernetes server where these tests run. This stands for one node of it, strictly: each step is a container
of its own image that shares a network, the implicit directories of Tekton (/workspace, /tekton/home, /tekton/results,
all emptyDirs) and the volumes of the task with the others; `$(VAR)` is expanded as the kubelet does; credentials of the
service account are put into $HOME as the step's own user; results are read when a step has ended, and may not be
larger than a termination message. A container that holds the network does what Tekton's init containers do.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.tekton.credentials import credential_files
from tests.tekton.substitution import Refused, kubelet, merged_env
from tests.tekton.volumes import Volumes, empty_dir, secret_data

Object = dict[str, Any]

ENTRYPOINT = Path(__file__).with_name("entrypoint.sh")
TOOLS = "dispatchfile/toolbox:latest"
LONGEST_MESSAGE = 4096
"""Bytes of a termination message (termination.MaxContainerTerminationMessageLength)."""
LONGEST_MESSAGES = 12288
"""Bytes of the messages of all containers of a pod, cut evenly (the kubelet's MaxPodTerminationMessageLogLength)."""
PREAMBLE = "#!/bin/sh\nset -e\n"
_NUMBERS = itertools.count(1)
_COPY = """
for name in .docker .gitconfig .git-credentials .ssh; do
    [ -e "/pod/creds/$name" ] || continue
    cp -R "/pod/creds/$name" "/pod/creds-$2/" && chmod -R go= "/pod/creds-$2/$name"
    if ! said=$(cp -R "/pod/creds/$name" "$1/" 2>&1 && chmod -R go= "$1/$name" 2>&1); then
        echo "warning: unsuccessful cred copy: \\"$name\\" from \\"/tekton/creds\\" to \\"$1\\": $said" >&2
    fi
done
"""


class StepRun:
    """One step: its container's log as a user sees it, what of it was standard output, how it ended."""

    def __init__(self, name: str, image: str) -> None:
        self.name = name
        self.image = image
        self.log = b""
        self.stdout = b""
        self.exit_code: int | None = None
        self.reason = ""
        self.message = ""
        self.env: dict[str, str] = {}
        self.command: list[str] = []
        self.working_dir = ""


class Pod:
    """The pod of one TaskRun. `folder` holds the files of its volumes, `claims` those of the persistent ones."""

    def __init__(
        self,
        name: str,
        spec: Object,
        folder: Path,
        *,
        claims: Path,
        secrets: Mapping[str, Object],
        account: Iterable[str],
        template: Object | None = None,
        workspaces: Mapping[str, Object] | None = None,
        network: str = "bridge",
        write: Callable[[str, bytes], None] = lambda _step, _data: None,
        ended: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self.name = name
        self.spec = spec
        self.folder = folder
        self.steps: list[StepRun] = []
        self.results: dict[str, str] = {}
        self._claims = claims
        self._volumes = Volumes(spec, folder, claims, secrets, workspaces or {})
        self._secrets = secrets
        self._account = [secrets[secret] for secret in account if secret in secrets]
        self._template = template or {}
        self._network = network
        self._write = write
        self._ended = ended
        self._id = f"dispatchfile-test-pod-{os.getpid()}-{next(_NUMBERS)}"
        self._running = ""
        self._made: list[str] = []
        self.stopped = ""
        self._lock = threading.Lock()

    def run(self) -> None:
        """Run the steps until one fails; raise Refused for what no pod could be made of."""
        self._lay_out()
        try:
            self._hold()
            for number, step in enumerate(self._merged()):
                run = StepRun(step["name"], step["image"])
                self.steps.append(run)
                self._run_step(number, step, run)
                if run.exit_code and step.get("onError") != "continue":
                    break
        finally:
            self._remove()

    def stop(self, reason: str) -> None:
        """End the running step, and let no other one begin."""
        with self._lock:
            self.stopped = self.stopped or reason
            running = self._running
        self._kill(running)

    def _kill(self, name: str) -> None:
        """Kill a step that runs, or is about to."""
        while name and self._running == name and docker("kill", name, check=False).returncode:
            time.sleep(0.1)

    # Before the first step

    def _lay_out(self) -> None:
        self._volumes.lay_out()
        shutil.copy(ENTRYPOINT, self.folder / "bin" / "entrypoint")
        for number, step in enumerate(self.spec["steps"]):
            if "script" in step:
                script = step["script"]
                text = script if script.strip().startswith("#!") else PREAMBLE + script
                path = self.folder / "scripts" / f"script-{number}"
                path.write_text(text, encoding="utf-8")
                path.chmod(0o755)
        for path, text in credential_files(self._account).items():
            file = self.folder / "creds" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            file.chmod(0o644)  # each step reads them as its own user: in truth it makes them itself

    def _hold(self) -> None:
        """Start the container that holds the network, and do as root what the init containers do."""
        binds = [f"--volume={self.folder}:/pod", f"--volume={self.folder / 'workspace'}:/workspace"]
        docker(
            *("run", "--detach", "--init", f"--name={self._id}", f"--network={self._network}", *binds),
            *(f"--volume={self.folder / 'home'}:/tekton/home",),
            *(f"--volume={self._claims}:/claims", "--workdir=/workspace", TOOLS, "sleep", "3600"),
        )
        made = self._working_dirs()
        below = [
            f"/claims/{one['claim']}/{one['subPath']}" for one in self._volumes.workspaces if one["subPath"]
        ]
        script = 'cp /bin/busybox /pod/bin/ && [ $# = 0 ] || mkdir -p "$@"'
        docker("exec", self._id, "sh", "-c", script, "init", *made, *below)

    def _working_dirs(self) -> list[str]:
        """Return the directories that Tekton's working-dir-initializer makes."""
        wanted = {os.path.normpath(step["workingDir"]) for step in self._merged() if step.get("workingDir")}
        return sorted(path for path in wanted if not path.startswith("/") or path.startswith("/workspace/"))

    def _merged(self) -> list[Object]:
        """Return the steps merged with the template: what a step says itself wins.

        Of two mounts at one path that is each field for itself (a strategic merge by mountPath).
        """
        template = self.spec.get("stepTemplate", {})
        merged = []
        for step in self.spec["steps"]:
            mounts: dict[str, Object] = {}
            for mount in (*template.get("volumeMounts", ()), *step.get("volumeMounts", ())):
                mounts[mount["mountPath"]] = {**mounts.get(mount["mountPath"], {}), **mount}
            merged.append(
                {
                    **template,
                    **step,
                    "env": merged_env(template.get("env", []), step.get("env", [])),
                    "volumeMounts": list(mounts.values()),
                }
            )
        return merged

    # A step

    def _run_step(self, number: int, step: Object, run: StepRun) -> None:
        run.env = self._environment(step)
        program = [f"/tekton/scripts/script-{number}"] if "script" in step else step.get("command", [])
        run.command = [kubelet(word, run.env) for word in program]
        arguments = [kubelet(word, run.env) for word in step.get("args", ())]
        run.working_dir = step.get("workingDir", "")
        name = f"{self._id}-{number}"
        if run.command and (directory := step.get("stdoutConfig", {}).get("path")):
            # The controller gives the path to the entrypoint that it puts around every step.
            flags = ["-stdout_path", directory, "-step_metadata_dir", f"/tekton/home/.status-{number}"]
            flags += ["-termination_path", f"/tekton/home/.termination-{number}"]
            arguments = [*flags, "-entrypoint", run.command[0], "--", *run.command[1:], *arguments]
            run.command = ["/tekton/bin/entrypoint"]
        self._give_credentials(number, step, run)
        self._follow(
            name, [*self._options(number, step, run), step["image"], *run.command[1:], *arguments], step, run
        )
        self._read_results(run)
        self._ended(run.name)

    def _environment(self, step: Object) -> dict[str, str]:
        known: dict[str, str] = {}
        for entry in step.get("env", ()):
            if "valueFrom" in entry:
                value = self._from_secret(entry)
                if value is not None:
                    known[entry["name"]] = value
            else:
                known[entry["name"]] = kubelet(entry.get("value", ""), known)
        return known

    def _from_secret(self, entry: Object) -> str | None:
        source = entry["valueFrom"].get("secretKeyRef")
        if source is None:
            raise Refused(f"env {entry['name']}: {list(entry['valueFrom'])} is not modelled")
        data = secret_data(self._secrets.get(source["name"], {}))
        if source["key"] in data:
            return data[source["key"]].decode()
        if source.get("optional"):
            return None
        raise Refused(f'CreateContainerConfigError: secret "{source["name"]}" has no key {source["key"]}')

    def _user(self, step: Object) -> str:
        context = {**self._template.get("securityContext", {}), **step.get("securityContext", {})}
        user = context.get("runAsUser")
        return "" if user is None else f"{user}:{context.get('runAsGroup', 0)}"

    def _give_credentials(self, number: int, step: Object, run: StepRun) -> None:
        empty_dir(self.folder / f"creds-{number}")
        if not any((self.folder / "creds").iterdir()):
            return
        user = self._user(step) or image_user(step["image"]) or "0:0"
        home = run.env.get("HOME", "/")
        for mount in step.get("volumeMounts", ()):
            if mount["mountPath"] == home:  # in the place of Tekton's own
                home = f"/pod/volumes/{mount['name']}"
        done = docker(
            "exec", f"--user={user}", self._id, "sh", "-c", _COPY, "copy", home, str(number), check=False
        )
        if done.returncode or done.stderr:
            self._said(run, done.stderr.encode(), error=True)

    def _options(self, number: int, step: Object, run: StepRun) -> list[str]:
        options = ["run", "--pull=never", f"--name={self._id}-{number}", f"--network=container:{self._id}"]
        options += [f"--env={key}={value}" for key, value in run.env.items()]
        options += [f"--volume={mount}" for mount in self._volumes.mounts(number, step)]
        if run.working_dir:
            options.append(f"--workdir={run.working_dir}")
        if user := self._user(step):
            options.append(f"--user={user}")
        if step.get("securityContext", {}).get("privileged"):
            options.append("--privileged")
        if run.command:
            options.append(f"--entrypoint={run.command[0]}")
        return options

    def _follow(self, name: str, words: list[str], step: Object, run: StepRun) -> None:
        with self._lock:
            self._running = "" if self.stopped else name
        if not self._running:
            run.exit_code, run.reason = 1, self.stopped
            return
        timer = None
        if limit := seconds(step.get("timeout", "0")):
            timer = threading.Timer(limit, self._kill, (name,))
            timer.start()
        self._made.append(name)
        started = subprocess.Popen(["docker", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert started.stdout is not None
        assert started.stderr is not None
        streams = ((started.stdout, False), (started.stderr, True))
        readers = [threading.Thread(target=self._copy, args=(run, *stream)) for stream in streams]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        started.wait()
        started.stdout.close()
        started.stderr.close()
        run.exit_code = started.returncode
        if run.exit_code in (125, 126, 127) and run.log.startswith(b"docker: Error response from daemon: "):
            if run.exit_code == 125:
                raise Refused(f"step {run.name}: {run.log.decode().strip()}")
            run.exit_code = 1  # that of Tekton's entrypoint, which could not start the command
        run.reason = "Error" if run.exit_code else "Completed"
        if timer:
            timer.cancel()
            if timer.finished.is_set() and run.exit_code == 137:
                run.reason = "TimeoutExceeded"
        if self.stopped:
            run.reason = self.stopped
        with self._lock:
            self._running = ""

    def _copy(self, run: StepRun, stream: io.BufferedReader, error: bool) -> None:
        while data := stream.read1(65536):
            self._said(run, data, error=error)

    def _said(self, run: StepRun, data: bytes, *, error: bool) -> None:
        run.log += data
        if not error:
            run.stdout += data
        self._write(run.name, data)

    def _read_results(self, run: StepRun) -> None:
        """Put the results that are there now into the step's termination message, as the entrypoint does."""
        names = [result["name"] for result in self.spec.get("results", ())]
        if not names:
            return
        files = {name: self.folder / "results" / name for name in names}
        found = {
            name: file.read_bytes().decode(errors="replace") for name, file in files.items() if file.is_file()
        }
        message = [{"key": "StartedAt", "value": "2026-01-02T03:04:05.678Z", "type": 3}]
        message += [{"key": name, "value": found[name], "type": 1} for name in names if name in found]
        length = len(go_json(message).encode())
        if length > LONGEST_MESSAGE:
            self._said(
                run,
                b"Termination message is above max allowed size 4096, caused by large task result.\n",
                error=True,
            )
            run.exit_code, run.reason = 1, "Error"
        elif length <= LONGEST_MESSAGES // self._containers():
            self.results.update(found)
        # else the kubelet cuts the message, and no JSON is left from which Tekton could take results.

    def _containers(self) -> int:
        """Return how many containers share the bytes of messages; Tekton's own before the steps count too."""
        scripts = any("script" in step for step in self.spec["steps"])
        return 1 + scripts + bool(self._working_dirs()) + len(self.spec["steps"])

    def _remove(self) -> None:
        # What the containers wrote belongs to root, whoever runs the tests.
        docker("exec", self._id, "sh", "-c", "rm -rf /pod/* /pod/.[!.]*", check=False)
        docker("rm", "--force", "--volumes", self._id, *self._made, check=False)


def docker(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a docker command; return it with its output."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, errors="replace", check=check)


def go_json(data: object) -> str:
    """Return data as Go's encoding/json writes it: letters as they are, but those that HTML minds."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


@functools.cache
def image_user(image: str) -> str:
    """Return the user that an image names."""
    return docker("image", "inspect", "--format={{.Config.User}}", image, check=False).stdout.strip()


def seconds(duration: str) -> float:
    """Return the seconds of a Go duration; raise Refused for what metav1.Duration does not take."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    if duration == "0":
        return 0.0
    if not re.fullmatch(r"(\d+(\.\d+)?(h|ms|m|s))+", duration):
        raise Refused(f'time: unknown unit in duration "{duration}"')
    return sum(
        float(number) * units[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", duration)
    )
