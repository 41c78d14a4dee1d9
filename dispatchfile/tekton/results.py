"""Results: the standard output of a step that another task reads, as a result of its task.

Tekton itself can copy it to a file (`stdoutConfig`), but only where alpha features are on. What it uses for that, its
own entrypoint, is in every step and can be called once more inside of it (`stdout-wrapper`, v0.38 and later); a shell
in the image does as well (`sh`), and shows the output only when the step has ended. A step with a script needs `sh`,
`tail` and `chmod` in its image for both, since the file that Tekton would make of the script cannot be named beforehand.

The copy goes to a file beside the results, and a step of ours behind those of the user makes the result of it,
without one line end at its end, as in a local run. Were it a result at once, the entrypoint of each following step
would tell it again, which counts against the bytes of its own termination message, and would fail on it where the
step runs as another user, for the copy can be read by its owner alone. Of what several steps tell the last one holds
(tektoncd/pipeline, pkg/entrypoint and pkg/pod/status.go).

All results of a task stand in the message of its last container, which has 4096 bytes, and never that many: all
containers of a pod, those that Tekton runs before the steps too, share 12 KiB evenly, and here are four at least. The kubelet
cuts what is longer (pkg/kubelet/status, normalizeStatus), and nothing is left of which Tekton could read results: the run
fails, as if the step had written none. So a step of ours warns, and does no more: with `results-from: sidecar-logs`, or
compressed messages, a cluster takes more.
"""

from __future__ import annotations

from posixpath import normpath

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.tekton import _scripts, scripts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dispatchfile.model.pipeline import Step, Task
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object, Result

ENTRYPOINT = "/tekton/bin/entrypoint"
BESIDE = "/tekton/results"
"""Every step may write here, whoever it runs as, and no volume of the user can hide it."""
COLLECTOR = "dispatch-results"
MESSAGES = 12288
"""Bytes of the termination messages of all containers of a pod."""

_STARTED = len('[{"key":"StartedAt","value":"2020-02-20T20:20:20.202Z","type":3}]')
_ENTRY = len(',{"key":"","value":"","type":1}')
_OF_AN_IMAGE = 80
"""Bytes that a digest has, and about those of a URL."""

_SH = 'o=$0; "$@" >"$o"; r=$?; cat "$o"; exit $r'


def read(draft: Draft, task: Task) -> list[Step]:
    """Return the steps of a task whose output other tasks read."""
    return [step for step in task.steps if (task.name, step.name) in draft.read]


def captured(draft: Draft, task: Task, step: Step, made: Object) -> Object:
    """Return a written step so that its standard output is copied to a file; DF804 where there is no way."""
    name = made["name"]
    if draft.options.results == "alpha":
        return {**made, "stdoutConfig": {"path": _copy(name)}}
    wrapper = _nested(name) if draft.options.results == "stdout-wrapper" else None
    if "script" in made:
        return {**made, "script": _script(name, made["script"], wrapper)}
    if "command" not in made:
        draft.found.append(_no_command(task, step))
        return made
    if wrapper is None:
        return {**made, "command": ["sh", "-c", _SH, _copy(name), *made["command"]]}
    first, *rest = made["command"]
    return {**made, "command": [*wrapper, "-entrypoint", first, "--", *rest]}


def collector(draft: Draft, task: Task, others: Sequence[Object], images: Iterable[Result]) -> list[Object]:
    """Return the step that makes results of the copies; none when no output of the task is read.

    `others` are all other steps of the task as they are written, `images` its results that are no outputs.
    """
    called = [draft.step_names[task.name, step.name] for step in read(draft, task)]
    if not called:
        return []
    pairs = [word for name in called for word in (_copy(name), f"$(results.{name}.path)")]
    env = {"ROOM": str(room(others, called, (one.name for one in images)))}
    return [scripts.step(COLLECTOR, draft.options.git_image, _scripts.RESULTS, env, pairs)]


def room(others: Sequence[Object], called: Iterable[str], images: Iterable[str]) -> int:
    """Return how many bytes of JSON text results of these names may have together, by a cluster's defaults.

    The pod has the collector and `others`, and before them what places Tekton's tools, the scripts, and, if need be,
    makes working directories; `images` are results that take some of the room.
    """
    containers = len(others) + 1 + 2 + any(_is_made(step.get("workingDir", "/")) for step in others)
    entries = [_ENTRY + len(name) for name in called]
    entries += (_ENTRY + len(name) + _OF_AN_IMAGE for name in images)
    return max(0, MESSAGES // containers - _STARTED - sum(entries))


def _is_made(directory: str) -> bool:
    """Return whether Tekton has a container that makes a working directory (pkg/pod/workingdir_init.go)."""
    place = normpath(directory)
    return "$(" in place or not place.startswith("/") or place.startswith("/workspace/")


def declared(draft: Draft, task: Task) -> list[Object]:
    """Return the results of a task that are the output of its steps."""
    return [
        {
            "name": draft.step_names[task.name, step.name],
            "type": "string",
            "description": f"standard output of step {step.name}",
        }
        for step in read(draft, task)
    ]


def _copy(name: str) -> str:
    return f"{BESIDE}/.dispatch-{name}.stdout"


def _nested(name: str) -> list[str]:
    """Return the call of Tekton's entrypoint, which would leave files in the working directory if not told where."""
    here = f"{BESIDE}/.dispatch-{name}"
    return [
        ENTRYPOINT,
        "-termination_path", f"{here}.termination",
        "-step_metadata_dir", f"{here}.metadata",
        "-stdout_path", _copy(name),
    ]  # fmt: skip


def _script(name: str, script: str, wrapper: list[str] | None) -> str:
    """Return a script that copies all of itself from the fourth line on to a file, and runs that with its output copied.

    As in Tekton the first line of that says what runs it, and without one it is for `/bin/sh -e`. The shell does not
    read on behind its own third line, whatever values there are in what stands there.
    """
    file = f"{BESIDE}/.dispatch-{name}.script"
    first, *rest = [file] if script.startswith("#!") else ["/bin/sh", "-e", file]
    if wrapper:
        run = f'exec {" ".join([*wrapper, "-entrypoint", first, "--", *rest])} "$@"'
    else:
        run = f'{" ".join([first, *rest])} "$@" >{_copy(name)}; r=$?; cat {_copy(name)}; exit $r'
    return f'#!/bin/sh\ntail -n +4 "$0" >{file} && chmod +x {file} || exit\n{run}\n{script}'


def _no_command(task: Task, step: Step) -> Diagnostic:
    place = step.value.at("image") or step.value
    index = task.steps.index(step)
    return Diagnostic(
        "DF804",
        Severity.ERROR,
        f'the output of step "{step.name}" is read by another task, but the step has no command to wrap',
        place.span,
        label="the image's own ENTRYPOINT runs",
        help="give the step a `command`; --results alpha needs none, where the cluster has alpha features on",
        path=f"task.{task.name}.steps[{index}]",
    )
