"""Bring about what a commit wants: hooks before it, its objects wave by wave, what is to go, hooks after it.

A wave begins when the one before is healthy, and a phase ends when its hooks have. The first failure ends it all but the hooks of the phase SyncFail.
"""

from __future__ import annotations

import time

from dispatchfile.apps import waves
from dispatchfile.apps.status import Result
from dispatchfile.errors import DispatchfileError, TimedOut, UsageError
from dispatchfile.record import Record
from dispatchfile.spelling import counted, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.engine import Engine
    from dispatchfile.apps.keeper import SyncRequest
    from dispatchfile.apps.manifest import Key, Manifest
    from dispatchfile.apps.status import Resource

    Say = Callable[[str], None]

PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds between two looks at a wave that is not healthy yet; the last one is repeated."""


class SyncFailed(DispatchfileError):
    """An object could not be brought about, or is not healthy."""


class Options(Record):
    """What of the request and of the application decides a sync."""

    prune: bool
    strict: bool
    only: tuple[str, ...]
    timeout: float


def options(app: App, request: SyncRequest) -> Options:
    """Return what a sync is to do; the request counts before the application."""
    return Options(
        app.prune if request.prune is None else request.prune,
        app.strict if request.strict is None else request.strict,
        request.only,
        request.timeout,
    )


class Sync:
    """One sync. `results` grow while it goes on, and `told` is called when they did.

    `seen` is how everything stands when there was nothing to do, so that nobody has to look again.
    """

    def __init__(
        self,
        engine: Engine,
        app: App,
        wanted: Sequence[Manifest],
        chosen: Options,
        say: Say,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self.results: dict[Key, Result] = {}
        self.seen: Sequence[Resource] | None = None
        self._engine = engine
        self._app = app
        self._wanted = wanted
        self._kept = [manifest for manifest in wanted if not waves.is_hook(manifest)]
        self._options = chosen
        self._say = say
        self._told = told
        self._until = time.monotonic() + chosen.timeout
        self._hooks: list[Manifest] = []
        self._last: list[Key] = []  # of the wave before

    def run(self) -> None:
        """Do it all. Raises SyncFailed, TimedOut, UsageError, and EnvironmentProblem when the engine goes away."""
        before = self._engine.observe(self._app, self._kept)
        left_out = self._unknown(before)
        todo = [
            one
            for one in self._wanted
            if one.key not in left_out
            and self._is_chosen(one.key)
            and not (self._options.only and waves.is_hook(one))
        ]
        if self._is_done(before, left_out):
            self.seen = before
            self.results = {one.key: Result(one.key, "Synced", "unchanged") for one in todo}
            return
        try:
            if not self._options.only:
                self._phase(todo, "PreSync")
            self._phase(todo, "Sync")
            self._prune(extras(before))
            if not self._options.only:
                self._phase(todo, "PostSync")
        except SyncFailed:
            self._delete_hooks("HookFailed")
            self._after_failure(todo)
            raise
        self._delete_hooks("HookSucceeded")

    def plan(self) -> list[str]:
        """Return a line for each thing that `run` would do, doing nothing."""
        before = self._engine.observe(self._app, self._kept)
        differing = {one.key for one in before if one.sync != "Synced" and not one.unknown}
        lines = []
        for phase in waves.PHASES[:3]:
            if phase != "Sync" and self._options.only:
                continue
            for wave in waves.in_waves(self._wanted, phase):
                lines += [
                    f"would apply {one.key} ({phase}, wave {wave.number})"
                    for one in wave.manifests
                    if self._is_chosen(one.key) and (waves.is_hook(one) or one.key in differing)
                ]
            if phase == "Sync":
                gone = [one for one in extras(before) if self._is_chosen(one.key)]
                verb = "would remove" if self._options.prune else "would leave, since it is not to prune,"
                lines += [f"{verb} {one.key}" for one in gone if waves.may_be_pruned(one.live)]
        return lines

    def _is_done(self, before: Sequence[Resource], left_out: set[Key]) -> bool:
        """Return whether all is as wanted, and well: no hook to run, nothing to apply or to remove."""
        return len(self._kept) == len(self._wanted) and all(
            one.key in left_out or (one.sync == "Synced" and one.health in (None, "Healthy", "Suspended"))
            for one in before
        )

    def _unknown(self, resources: Iterable[Resource]) -> set[Key]:
        """Return the keys of kinds that the engine does not know. Raises SyncFailed when that is to be strict."""
        unknown = [resource for resource in resources if resource.unknown and self._is_chosen(resource.key)]
        if unknown and self._options.strict:
            for resource in unknown:
                self.results[resource.key] = Result(resource.key, "SyncFailed", resource.message)
            raise SyncFailed(
                f"{', '.join(str(one.key) for one in unknown)}: the {self._app.engine} engine does not know "
                f"{'this kind' if len(unknown) == 1 else 'these kinds'}",
                help="leave --strict out to go on without",
            )
        return {resource.key for resource in unknown}

    def _phase(self, todo: Sequence[Manifest], phase: str) -> None:
        """Bring the waves of a phase about, one after the other, each once what came before is healthy."""
        found = waves.in_waves(todo, phase)
        for wave in found:
            hooks = [manifest for manifest in wave.manifests if waves.is_hook(manifest)]
            self._before_hooks(hooks)
            self._hooks += hooks
            if self._last:
                self._settle(self._last)
            if wave.number or phase != "Sync":
                self._say(f"{phase}, wave {wave.number}: {counted(len(wave.manifests), 'object')}")
            self._apply(wave.manifests)
            self._last = [manifest.key for manifest in wave.manifests]
        if found and hooks:
            self._settle(hook.key for hook in hooks)
            self._last = [key for key in self._last if key not in {hook.key for hook in hooks}]

    def _apply(self, chosen: Sequence[Manifest]) -> None:
        done = self._engine.apply(self._app, self._wanted, chosen, self._say, self._until)
        self.results.update((result.key, result) for result in done)
        self._told()
        failed = [result for result in done if result.done == "SyncFailed"]
        if failed:
            reasons = "\n".join(f"{result.key}: {result.message}" for result in failed)
            raise TimedOut(reasons) if time.monotonic() > self._until else SyncFailed(reasons)

    def _settle(self, keys: Iterable[Key]) -> None:
        """Wait until objects are healthy. Raises SyncFailed for one that is degraded, TimedOut."""
        asked, pauses = set(keys), iter(PAUSES)
        while True:
            found = self._engine.observe(self._app, [*self._kept, *self._hooks])
            mine = [resource for resource in found if resource.key in asked]
            bad = [one for one in mine if one.health == "Degraded"]
            if bad:
                for one in bad:
                    self.results[one.key] = Result(one.key, "SyncFailed", one.message or "it is degraded")
                raise SyncFailed("\n".join(f"{one.key} is degraded: {one.message}" for one in bad))
            waiting = [one for one in mine if one.health in ("Progressing", "Missing")]
            if not waiting:
                return
            if time.monotonic() > self._until:
                names = ", ".join(str(one.key) for one in waiting)
                raise TimedOut(
                    f"not healthy after {self._options.timeout:g} s: {names}", help=waiting[0].message
                )
            time.sleep(next(pauses, PAUSES[-1]))

    def _prune(self, gone: Sequence[Resource]) -> None:
        gone = [resource for resource in gone if self._is_chosen(resource.key)]
        going = [one for one in gone if self._options.prune and waves.may_be_pruned(one.live)]
        for resource in gone:
            if resource not in going:
                why = "its annotation says Prune=false" if self._options.prune else "not asked to prune"
                self.results[resource.key] = Result(resource.key, "PruneSkipped", why)
        if going:
            going.sort(key=lambda one: waves.rank(one.key), reverse=True)
            done = self._engine.prune(self._app, going, self._say)
            self.results.update((result.key, result) for result in done)
            failed = [result for result in done if result.done == "SyncFailed"]
            if failed:
                raise SyncFailed("\n".join(f"{result.key}: {result.message}" for result in failed))
        self._told()

    def _before_hooks(self, hooks: Sequence[Manifest]) -> None:
        """Remove what a former sync left of hooks that are made anew."""
        self._remove(one for one in hooks if "BeforeHookCreation" in waves.delete_policies(one.object))

    def _delete_hooks(self, policy: str) -> None:
        self._remove(one for one in self._hooks if policy in waves.delete_policies(one.object))

    def _remove(self, hooks: Iterable[Manifest]) -> None:
        keys = {hook.key for hook in hooks}
        if keys:
            found = self._engine.observe(self._app, self._kept)
            self._engine.prune(self._app, [one for one in found if one.key in keys and one.live], self._say)

    def _after_failure(self, todo: Sequence[Manifest]) -> None:
        """Run the hooks of a sync that failed; that they fail too changes nothing about why."""
        self._last = []
        try:
            self._phase(todo, "SyncFail")
        except (SyncFailed, TimedOut) as error:
            self._say(f"a hook of the phase SyncFail failed too: {error.message}")

    def _is_chosen(self, key: Key) -> bool:
        return not self._options.only or any(selects(text, key) for text in self._options.only)


def extras(resources: Iterable[Resource]) -> list[Resource]:
    """Return what is there and not wanted, but for hooks and for what says that it does not count."""
    return [
        one
        for one in resources
        if one.to_prune
        and one.live is not None
        and not waves.hooks_of(one.live)
        and not waves.is_extraneous(one.live)
    ]


def selects(text: str, key: Key) -> bool:
    """Return whether KIND/NAME, GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME means an object."""
    if ":" not in text:
        kind, _, name = text.partition("/")
        return kind.lower() == key.kind.lower() and name == key.name
    group, kind, name = [*text.split(":", 2), ""][:3]
    names = (key.name, f"{key.namespace}/{key.name}")
    return group in (key.group, "*") and kind.lower() in (key.kind.lower(), "*") and name in (*names, "*")


def check_only(only: Sequence[str], keys: Sequence[Key]) -> None:
    """Raise UsageError for a selection that means nothing."""
    for text in only:
        if not any(selects(text, key) for key in keys):
            near = nearest(text, [f"{key.kind}/{key.name}" for key in keys])
            raise UsageError(
                f'the application has no object "{text}"',
                help=f'did you mean "{near}"?' if near else "give KIND/NAME or GROUP:KIND:NAME",
            )
