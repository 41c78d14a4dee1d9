"""The keeper of applications that this program itself brings about: git, then rendering, then an engine.

An operation is Running, then Succeeded, Failed (an object could not be brought about) or Error (something outside
went away). Whoever finds one Running and gets the application's lock knows that its process is gone.
"""

from __future__ import annotations

import contextlib
import time

from dispatchfile.apps import compare
from dispatchfile.apps.app import check_name
from dispatchfile.apps.auto import empties
from dispatchfile.apps.engines import Settings, engine_of
from dispatchfile.apps.keeper import SyncRequest
from dispatchfile.apps.render import described
from dispatchfile.apps.status import Condition, Deployment, Operation, View, overall_health, overall_sync
from dispatchfile.apps.store import Store, Wanted, find
from dispatchfile.apps.sync import Sync, SyncFailed, check_only, options
from dispatchfile.apps.waves import hooks_of, is_extraneous, is_hook
from dispatchfile.errors import DispatchfileError, EnvironmentProblem, TimedOut, UsageError
from dispatchfile.notify import Occasion
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from dispatchfile.apps.app import App
    from dispatchfile.apps.engine import Engine
    from dispatchfile.apps.status import Phase, Resource
    from dispatchfile.notify import What

    Say = Callable[[str], None]
    Tell = Callable[[Occasion], None]

HISTORY = 10
"""Deployments that stay in the history, as with Argo CD (`revisionHistoryLimit`)."""
INTERRUPTED = "the process that synced is gone"
_PATIENCE = 30.0


class OwnKeeper:
    """See `keeper.Keeper`; `tell` gets what others may want to hear of."""

    def __init__(
        self,
        settings: Settings,
        *,
        engine: Callable[[App, Settings], Engine] = engine_of,
        mirrors: Path | None = None,
        tell: Tell = lambda _occasion: None,
    ) -> None:
        self._settings = settings
        self._engine_of = engine
        self._mirrors = mirrors
        self._tell = tell

    def create(self, app: App, *, upsert: bool) -> None:
        """Begin to keep an application. Raises UsageError for one that is there, unless it is the same or `upsert`."""
        store = Store(check_name(app.name), self._settings.home)
        with store.locked(_PATIENCE):
            if store.exists():
                before = store.app()
                if before != app and not upsert:
                    raise UsageError(
                        f'there is an application "{app.name}" already, and it is another',
                        help="--upsert changes it; `dispatchfile gitops app set` changes single fields",
                    )
                _check_change(before, app)
            elif app.engine == "kube":
                with self._engine(app):
                    pass  # a context that is not there is told before anything is kept
            store.save_app(app)

    def view(self, name: str) -> View:
        """Return how it stands by what is known."""
        store = find(name, self._settings.home)
        app = store.app()
        with self._engine(app) as engine:
            return self._view(store, app, engine)

    def refresh(self, name: str, *, hard: bool = False) -> View:
        """Ask the repository anew; what is wrong with it stands in the view's conditions."""
        store = find(name, self._settings.home)
        with store.locked(_PATIENCE):
            app = store.app()
            self._recover(store)
            compare.update(store, app, self._mirrors, hard=hard)
            with self._engine(app) as engine:
                view = self._view(store, app, engine)
            self._note_drift(store, view)
            return view

    def sync(self, name: str, request: SyncRequest, say: Say) -> View:
        """Bring about what the repository wants. Raises SyncFailed, TimedOut, and what is wrong with the repository."""
        store = find(name, self._settings.home)
        if store.busy():
            say("another process is working on it; waiting")
        with store.locked(request.timeout if request.by == "user" else 0):
            app = store.app()
            self._recover(store)
            wanted, subject = self._asked_for(store, app, request)
            return self._deploy(store, app, wanted, subject, request, say)

    def compared(self, name: str, revision: str) -> Sequence[Resource]:
        """Return how what runs stands beside another revision than the application's."""
        app = find(name, self._settings.home).app()
        wanted, _ = compare.at(app, revision, self._mirrors)
        kept = [manifest for manifest in wanted.manifests if not is_hook(manifest)]
        with self._engine(app) as engine:
            return [_counted(one) for one in engine.observe(app, kept) if not _is_past_hook(one)]

    def history(self, name: str) -> Sequence[Deployment]:
        """Return what was deployed, the oldest first."""
        return find(name, self._settings.home).history()

    def rollback(self, name: str, number: int, say: Say, *, prune: bool) -> View:
        """Deploy a commit of the history again; the repository is not asked."""
        store = find(name, self._settings.home)
        with store.locked(_PATIENCE):
            app = store.app()
            self._recover(store)
            if app.auto_sync:
                raise _follows(app, "it cannot be rolled back")
            listed = {one.number: one for one in store.history()}
            if number not in listed:
                numbers = ", ".join(map(str, listed)) or "it is empty"
                raise UsageError(
                    f"the history of {name} has no deployment {number}", help=f"it has: {numbers}"
                )
            wanted, subject = compare.at(app, listed[number].revision, self._mirrors)
            return self._deploy(store, app, wanted, subject, SyncRequest(prune=prune), say)

    def change(self, app: App, say: Say) -> View:
        """Keep the application as it is given now. Where auto-sync is on, what that changes is brought about at once."""
        store = find(app.name, self._settings.home)
        with store.locked(_PATIENCE):
            before = store.app()
            _check_change(before, app)
            store.save_app(app)
        if app.auto_sync and _asks_for_more(before, app):
            return self.sync(app.name, SyncRequest(), say)
        return self.refresh(app.name)

    def delete(self, name: str, say: Say, *, cascade: bool, data: bool) -> None:
        """Forget the application, and with `cascade` remove what runs of it first."""
        store = find(name, self._settings.home)
        with store.locked(_PATIENCE):
            app = store.app()
            if cascade:
                with self._engine(app) as engine:
                    engine.delete(app, say, data=data)
            store.remove()

    def tend(self, name: str, say: Say) -> float:
        """Do what has to be done between syncs; return the seconds until it is to be done again.

        Raises TimedOut when another process is working on the application.
        """
        store = find(name, self._settings.home)
        with store.locked(0):
            app, deployed = store.app(), store.deployed()
            if deployed is None:
                return float("inf")
            with self._engine(app) as engine:
                return engine.tend(app, deployed.manifests, say)

    @contextlib.contextmanager
    def _engine(self, app: App) -> Iterator[Engine]:
        engine = self._engine_of(app, self._settings)
        try:
            yield engine
        finally:
            engine.close()

    def _view(self, store: Store, app: App, engine: Engine, seen: Sequence[Resource] | None = None) -> View:
        """Return how it stands; `seen` is what the engine has just been asked for."""
        state, wanted = store.state(), store.wanted()
        conditions = list(state.conditions)
        resources: list[Resource] = []
        urls: Sequence[str] = ()
        unseen = wanted is None
        if wanted is not None:
            kept = [manifest for manifest in wanted.manifests if not is_hook(manifest)]
            try:
                seen = engine.observe(app, kept) if seen is None else seen
                resources = [_counted(one) for one in seen if not _is_past_hook(one)]
                urls = engine.urls(app)
            except EnvironmentProblem as problem:
                unseen = True
                conditions.append(Condition("EngineError", problem.message))
        unknown = sorted({str(one.key) for one in resources if one.unknown})
        if unknown:
            message = f"the {app.engine} engine leaves out {', '.join(unknown)}"
            conditions.append(Condition("UnsupportedKindWarning", message))
        if empties(app, resources):
            message = (
                f"auto-sync would remove all there is; `dispatchfile gitops app sync {app.name}` does it"
            )
            conditions.append(Condition("SyncError", message))
        operation = state.operation
        if operation and operation.phase == "Failed":
            conditions.append(Condition("SyncError", operation.message))
        compared = not unseen and all(one.type != compare.FAILED for one in conditions)
        return View(
            app,
            overall_sync(resources) if compared else "Unknown",
            "Unknown" if unseen else overall_health(resources),
            state.revision,
            state.synced,
            tuple(resources),
            tuple(conditions),
            _as_found(store, operation),
            tuple(urls),
            state.subject,
        )

    def _asked_for(self, store: Store, app: App, request: SyncRequest) -> tuple[Wanted, str]:
        """Return what a sync is to bring about, and the subject of its commit."""
        problem = compare.update(store, app, self._mirrors, hard=False)
        if request.revision:
            wanted, subject = compare.at(app, request.revision, self._mirrors)
            if app.auto_sync and wanted.revision != store.state().revision and not request.dry_run:
                raise _follows(app, "another revision cannot be deployed")
            return wanted, subject
        known = store.wanted()
        if problem is not None or known is None:
            raise problem or EnvironmentProblem(f"what {app.name} wants is not known")
        return known, store.state().subject

    def _deploy(
        self, store: Store, app: App, wanted: Wanted, subject: str, request: SyncRequest, say: Say
    ) -> View:
        """Bring a commit about, keeping how that goes; the lock is held."""
        with self._engine(app) as engine:
            if request.only:
                kept = [manifest for manifest in wanted.manifests if not is_hook(manifest)]
                check_only(request.only, [one.key for one in engine.observe(app, kept)])
            if request.dry_run:
                chosen = options(app, request)
                for line in Sync(engine, app, wanted.manifests, chosen, say).plan() or ["nothing to do"]:
                    say(line)
                return self._view(store, app, engine)
            run = self._operate(store, app, engine, wanted, subject, request, say)
            known = wanted.revision == store.state().revision
            return self._view(store, app, engine, run.seen if known else None)

    def _operate(
        self,
        store: Store,
        app: App,
        engine: Engine,
        wanted: Wanted,
        subject: str,
        request: SyncRequest,
        say: Say,
    ) -> Sync:
        """Do the sync, its operation being told from the start to the end; return it when it succeeded."""
        operation = Operation("Running", wanted.revision, time.time(), request.by)
        commit = f"{wanted.revision[:10]} {subject}"

        def keep(phase: Phase = "Running", message: str = "", **known: Any) -> None:
            finished = None if phase == "Running" else time.time()
            done = tuple(run.results.values())
            now = replace(operation, phase=phase, finished=finished, message=message, results=done)
            store.save_state(replace(store.state(), operation=now, **known))

        run = Sync(engine, app, wanted.manifests, options(app, request), say, keep)
        keep()
        self._occasion("sync-started", app, f"syncing to {commit}", wanted.revision)
        if not request.only and not _is_deployed(store, wanted):
            store.save_deployed(wanted)
        try:
            run.run()
        except BaseException as error:
            inside = isinstance(error, (SyncFailed, TimedOut))
            message = _reason(error)
            keep("Failed" if inside else "Error", message)
            self._occasion("sync-failed", app, message, wanted.revision)
            raise
        if request.only:
            keep("Succeeded", "successfully synced")
        else:
            # Whoever is killed in between does it again, and does not stand twice in the history.
            _remember(store, wanted, subject, request.by)
            keep("Succeeded", "successfully synced", synced=wanted.revision, drift=())
        self._occasion("sync-succeeded", app, f"synced to {commit}", wanted.revision)
        return run

    def _recover(self, store: Store) -> None:
        """End an operation whose process is gone; the lock is held, so it cannot be going on."""
        state = store.state()
        if state.operation and state.operation.running:
            store.save_state(replace(state, operation=_interrupted(state.operation)))

    def _note_drift(self, store: Store, view: View) -> None:
        """Tell once of what was changed by hand since it was deployed."""
        state = store.state()
        drift: tuple[str, ...] = ()
        if view.synced and view.synced == view.revision:
            drift = tuple(
                str(one.key) for one in view.resources if one.sync == "OutOfSync" and not one.to_prune
            )
        if set(drift) - set(state.drift):
            self._occasion("drift-found", view.app, f"changed by hand: {', '.join(drift)}", view.revision)
        if drift != state.drift:
            store.save_state(replace(state, drift=drift))

    def _occasion(self, what: What, app: App, text: str, revision: str) -> None:
        self._tell(Occasion(what, app.name, text, app.repository, revision, time=time.time()))


def _reason(error: BaseException) -> str:
    if isinstance(error, DispatchfileError):
        return error.message
    return type(error).__name__ if isinstance(error, Exception) else "interrupted"


def _is_deployed(store: Store, wanted: Wanted) -> bool:
    deployed = store.deployed()
    return deployed is not None and (deployed.revision, deployed.described) == (
        wanted.revision,
        wanted.described,
    )


def _remember(store: Store, wanted: Wanted, subject: str, by: str) -> None:
    history = store.history()
    if history and history[-1].revision == wanted.revision != store.state().synced:
        history = history[:-1]  # its process was killed before it could say so
    number = history[-1].number + 1 if history else 0
    images = tuple(sorted({image for one in wanted.manifests for image in _images(one.object)}))
    entry = Deployment(number, wanted.revision, time.time(), by, subject, images)
    store.save_history((*history, entry)[-HISTORY:])


def _images(found: object) -> Iterator[str]:
    """Yield the images of all containers in an object, however deep they are."""
    if isinstance(found, dict):
        for field, below in found.items():
            if field in ("containers", "initContainers", "ephemeralContainers") and isinstance(below, list):
                yield from (str(one["image"]) for one in below if isinstance(one, dict) and one.get("image"))
            else:
                yield from _images(below)
    elif isinstance(found, list):
        for below in found:
            yield from _images(below)


def _interrupted(operation: Operation) -> Operation:
    return replace(operation, phase="Error", finished=time.time(), message=INTERRUPTED)


def _as_found(store: Store, operation: Operation | None) -> Operation | None:
    """Return the operation as it is now: one that says Running while nobody holds the lock is not."""
    if operation and operation.running and not store.busy():
        return _interrupted(operation)
    return operation


def _counted(resource: Resource) -> Resource:
    """Return a resource that is not wanted as no difference when it says so itself."""
    if resource.to_prune and is_extraneous(resource.live):
        return replace(
            resource, sync="Synced", message=resource.message or "extraneous, and says to ignore that"
        )
    return resource


def _is_past_hook(resource: Resource) -> bool:
    return resource.to_prune and resource.live is not None and bool(hooks_of(resource.live))


def _asks_for_more(before: App, app: App) -> bool:
    """Return whether a change may have something done that no new commit would."""
    switched = any(
        getattr(app, name) and not getattr(before, name) for name in ("auto_sync", "prune", "self_heal")
    )
    return switched or described(app) != described(before) or app.revision != before.revision


def _check_change(before: App, app: App) -> None:
    if before.engine != app.engine or before.context != app.context:
        raise UsageError(
            f"{app.name} runs on the {before.engine} engine, and cannot move",
            help=f"`dispatchfile gitops app delete {app.name}` first, and create it anew",
        )


def _follows(app: App, consequence: str) -> UsageError:
    return UsageError(
        f"{app.name} follows its repository (auto-sync is on), so {consequence}",
        help=f"`dispatchfile gitops app set {app.name} --auto-sync off` first",
    )
