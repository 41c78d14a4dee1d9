"""From the texts of tasks to what runs: variables filled in (Dispatch 1.4, "Variables").

`$(context.…)` is known before the run; what resources and results stand for is known when the task starts that
uses them, for the tasks that make them have ended by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from dispatchfile.errors import DispatchfileError
from dispatchfile.model.pipeline import Resource, Step, Task, Volume
from dispatchfile.model.shielding import is_needed, shielded
from dispatchfile.model.variables import CONTEXT, Variable, find, substitute
from dispatchfile.plan.plan import Plan
from dispatchfile.record import Record
from dispatchfile.run.backend import Mount, Output, StepSpec, TaskSpec, VolumeSpec
from dispatchfile.run.expand import expand
from dispatchfile.run.places import Known, Places
from dispatchfile.run.secrets import volume_items, volume_secret
from dispatchfile.run.standin import STAND_INS, stand_in

WORKSPACE = "/workspace"
SCRIPTS = "/tekton/scripts"


class Supplies(Record, hidden=("env", "secrets")):
    """What the command line adds: variables for every step, secrets, and images that stand in for others."""

    env: Mapping[str, str] = {}
    secrets: Mapping[str, Mapping[str, str]] = {}
    images: Mapping[str, str] = {}


class _Later(Exception):
    """A value that only a task of this run can give."""


class Resolver:
    """Makes the specs of tasks and steps; changes nothing."""

    def __init__(self, plan: Plan, places: Places, supplies: Supplies, kept: Iterable[str] = ()) -> None:
        self.plan, self.places, self._supplies = plan, places, supplies
        self._kept = frozenset(kept)
        self._followed = {need for planned in plan.tasks for need in planned.waits_for}
        self._makers = {name: planned.name for planned in plan.tasks for name in planned.task.outputs}

    @cached_property
    def results(self) -> frozenset[tuple[str, str]]:
        """Return the steps, as (task, step), whose output is the value of a variable of the plan."""
        found = set()
        for planned in self.plan.tasks:
            for variable in (variable for text in _texts(planned.task) for variable in find(text)):
                if variable.name.startswith("inputs.tasks."):
                    task, _, step = variable.name.removeprefix("inputs.tasks.").partition(".")
                    found.add((task, step))
        return frozenset(found)

    @cached_property
    def _early(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for planned in self.plan.tasks:
            for step in planned.task.steps if planned.name not in self._kept else ():
                try:
                    found[self._image(planned.task, step, None)] = None
                except (_Later, DispatchfileError):
                    continue  # told when the task starts
        return tuple(found)

    def images(self) -> tuple[str, ...]:
        """Return the images of the steps that are known before any task runs, each once."""
        return self._early

    def is_alone(self, task: Task) -> bool:
        """Return whether a task has one step, and no other task waits for it."""
        return len(task.steps) == 1 and task.name not in self._followed

    def task_spec(self, task: Task, known: Known) -> TaskSpec:
        """Return the task as the backend gets it; raises DispatchfileError for a variable that has no value."""
        inputs = [
            self.plan.pipeline.resources[name] for name in task.inputs if name in self.plan.pipeline.resources
        ]
        outputs = [self.plan.pipeline.resources[name] for name in task.outputs]
        volumes = [self._volume(task, volume, known) for volume in task.volumes]
        scripts = {
            step.name: self._script(task, step, known) for step in task.steps if step.script is not None
        }
        if scripts:
            volumes.append(VolumeSpec("dispatchfile-scripts", "files", files=scripts))
        return TaskSpec(
            task.name,
            tuple(self.places.input(resource, known) for resource in inputs),
            tuple(Output(r.name, r.type, self.places.param(r, "url")) for r in outputs),
            tuple(volumes),
            task.labels,
            self.is_alone(task),
        )

    def step_specs(self, task: Task, known: Known) -> list[StepSpec]:
        """Return the steps as the backend gets them; raises DispatchfileError for a variable that has no value."""
        return [self._step(task, step, known) for step in task.steps]

    # Variables.

    def _shielded(self, task: Task, text: str, known: Known) -> str:
        """Return a text of a step that has secrets with its variables replaced, to be expanded."""
        return shielded(self._pieces(task, text, known), "$$") if "$(" in text else text

    def _pieces(self, task: Task, text: str, known: Known) -> Iterator[tuple[str, bool]]:
        at = 0
        for variable in find(text):
            yield text[at : variable.start], False
            at = variable.end
            value = self._fill(task, text[variable.start : at], known)
            field, resource = (
                variable.parts[-1],
                self.plan.pipeline.resources.get(".".join(variable.parts[2:-1])),
            )
            if variable.is_context or variable.parts[1] == "tasks" or resource is None:
                yield from _value(variable, value)
            elif field == "digest" and self._makers.get(resource.name, task.name) != task.name:
                yield _opaque(value), True
            elif field in ("path", "name", "type"):
                yield value, False
            else:
                yield from self._param(resource, field)
        yield text[at:], False

    def _param(self, resource: Resource, field: str) -> Iterator[tuple[str, bool]]:
        """Yield the pieces of a parameter, as it stands in the Dispatchfile but for what the event fills in."""
        text, at = resource.param.get(field, ""), 0
        for variable in filter(lambda one: one.is_context, find(text)):
            yield text[at : variable.start], False
            yield from _value(variable, self.places.context(variable.name) or "")
            at = variable.end
        yield text[at:], False

    def _fill(self, task: Task, text: str, known: Known | None) -> str:
        def value(name: str) -> str:
            found = self.places.context(name)
            return self._value(task, name, known) if found is None else found

        return substitute(text, value)

    def _value(self, task: Task, name: str, known: Known | None) -> str:
        first, second, rest = (*name.split(".", 2), "", "")[:3]
        if (first, second) == ("inputs", "tasks"):
            maker, _, step = rest.partition(".")
            return self._result(maker, step, known)
        resource_name, _, field = rest.rpartition(".")
        listed = task.inputs if first == "inputs" else task.outputs
        known_here = resource_name in listed and resource_name in self.plan.pipeline.resources
        if second != "resources" or not known_here:
            raise DispatchfileError(
                f"$({name}) in task {task.name}: {resource_name or name} is not among its {first}",
                help=f"its {first} are: {', '.join(listed) or 'none'}",
            )
        return self._field(self.plan.pipeline.resources[resource_name], field, first, known)

    def _field(self, resource: Resource, field: str, direction: str, known: Known | None) -> str:
        maker = self._makers.get(resource.name)
        if known is None and maker is not None and maker not in self._kept:
            raise _Later
        if field == "path":
            return f"{WORKSPACE}/{'output/' if direction == 'outputs' else ''}{resource.name}"
        if field in ("name", "type"):
            return getattr(resource, field)  # type: ignore[no-any-return] # both are strings
        if field == "digest":
            digest = self.places.digest(resource, known)
            if digest or resource.type != "image":
                return digest
            raise self._no_digest(resource, maker)
        return self.places.param(resource, field)

    def _no_digest(self, resource: Resource, maker: str | None) -> DispatchfileError:
        path = f"{WORKSPACE}/output/{resource.name}"
        if maker is None:
            return DispatchfileError(
                f"image {resource.name} has no digest: no task of this run makes it, and its resource gives none",
                help="write `digest` in the resource, or run the task that makes it",
            )
        return DispatchfileError(
            f"task {maker} left no digest for image {resource.name}: no OCI layout at {path}",
            help=f"let a step of {maker} write the image there as an OCI layout (kaniko: --oci-layout-path={path})",
        )

    def _result(self, task: str, step: str, known: Known | None) -> str:
        if known is None and task not in self._kept:
            raise _Later
        if known is None or (task, step) not in known.results:
            raise DispatchfileError(
                f"the output of {task}/{step} cannot be a variable: it is larger than 1 MiB, or "
                "holds a zero byte, or there is no such step",
                help="pass it on as a resource",
            )
        return known.results[task, step]

    # Steps and volumes.

    def _image(self, task: Task, step: Step, known: Known | None) -> str:
        return stand_in(self._fill(task, step.image, known), self._supplies.images)

    def _step(self, task: Task, step: Step, known: Known) -> StepSpec:
        def fill(text: str) -> str:
            return self._fill(task, text, known)

        def expandable(text: str) -> str:
            return self._shielded(task, text, known) if shields else fill(text)

        shields = is_needed(step) or bool(self._supplies.env)
        command = step.command
        mounts = [
            Mount(m.name, fill(m.mount_path), fill(m.sub_path), m.read_only) for m in step.volume_mounts
        ]
        if step.script is not None:
            command = (*_interpreter(fill(step.script)), f"{SCRIPTS}/{step.name}")
            mounts.append(Mount("dispatchfile-scripts", SCRIPTS, read_only=True))
        group = "" if step.run_as_group is None else f":{step.run_as_group}"
        user = "" if step.run_as_user is None and not group else f"{step.run_as_user or 0}{group}"
        image = self._image(task, step, known)
        return StepSpec(
            task.name,
            step.name,
            image,
            tuple(map(expandable, command)) if command is not None else None,
            tuple(map(expandable, step.args)) if step.args is not None else None,
            {**self._told(image), **self._env(step, expandable)},
            fill(step.working_dir or "") or WORKSPACE,
            tuple(mounts),
            step.limits,
            step.privileged,
            user,
        )

    def _told(self, image: str) -> dict[str, str]:
        """Return what the update task is told of the source commit, which its own inputs seldom hold (its README)."""
        date = self.places.source_date if image in STAND_INS.values() else ""
        return {"DISPATCHFILE_SOURCE_DATE": date} if date else {}

    def _env(self, step: Step, fill: Callable[[str], str]) -> dict[str, str]:
        env: dict[str, str] = {}
        for variable in step.env:
            if variable.secret is None:
                env[variable.name] = fill(variable.value or "")
            else:
                value = self._supplies.secrets.get(variable.secret.name, {}).get(variable.secret.key)
                if value is not None:
                    env[variable.name] = value.replace("$", "$$")  # what a secret holds is not expanded
        return {**env, **self._supplies.env}

    def _volume(self, task: Task, volume: Volume, known: Known) -> VolumeSpec:
        if volume.kind == "emptyDir":
            return VolumeSpec(volume.name, "empty")
        if volume.kind == "hostPath":
            return VolumeSpec(
                volume.name, "host", self._fill(task, str(volume.settings.get("path", "")), known)
            )
        if volume.kind == "secret":
            values = self._supplies.secrets.get(volume_secret(volume), {})
            items = volume_items(volume) or {key: key for key in values}
            return VolumeSpec(
                volume.name,
                "files",
                files={path: values[key].encode() for key, path in items.items() if key in values},
            )
        raise DispatchfileError(
            f"task {task.name}: volume {volume.name} is a {volume.kind} of a cluster",
            help="a local run knows emptyDir, hostPath and secret",
        )

    def _script(self, task: Task, step: Step, known: Known) -> bytes:
        return self._fill(task, step.script or "", known).encode("utf-8", "surrogateescape")


def _value(variable: Variable, value: str) -> Iterator[tuple[str, bool]]:
    """Yield a value as a piece of a text to be expanded; none for a variable of the context that does not exist."""
    if not variable.is_context or variable.name in CONTEXT:
        yield _opaque(value), True


def _opaque(value: str) -> str:
    """Return what expansion makes of a value where no variable is known, written so that a second one leaves it."""
    return expand(value, {}).replace("$", "$$")


def _interpreter(script: str) -> tuple[str, ...]:
    """Return the program of a script's first line; without one a shell that stops at errors, as Tekton's does."""
    first = script.partition("\n")[0]
    words = (
        first[2:].split(None, 1) if first.startswith("#!") else []
    )  # one argument at most, as Linux reads it
    return tuple(word.strip() for word in words) or ("/bin/sh", "-xe")


def _texts(task: Task) -> Iterable[str]:
    """Yield all texts of a task that may hold variables."""
    for step in task.steps:
        yield from (
            step.image,
            *(step.command or ()),
            *(step.args or ()),
            step.working_dir or "",
            step.script or "",
        )
        yield from (variable.value or "" for variable in step.env)
        for mount in step.volume_mounts:
            yield from (mount.mount_path, mount.sub_path)
