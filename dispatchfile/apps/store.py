"""What is kept of an application: a folder under $XDG_STATE_HOME/dispatchfile/apps, for the user alone (0700).

    app.json       the application as its user describes it
    state.json     what is known of it: revisions, conditions, the last operation
    wanted.json    the objects that the repository held when it could be read last, Secrets and all
    deployed.json  the objects that were deployed last
    history.json   what was deployed
    lock           held while something is done with it; whoever finds an operation "Running" and gets the lock knows
                   that the process of that operation is gone

Files are written whole or not at all. `version` lets a later program tell what it reads.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dispatchfile import atomic, locks
from dispatchfile.apps.app import App
from dispatchfile.apps.manifest import Key, Manifest
from dispatchfile.apps.status import Condition, Deployment, Operation, Result
from dispatchfile.errors import EnvironmentProblem, TimedOut, UsageError
from dispatchfile.record import Record, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Kind = TypeVar("Kind")

VERSION = 1
"""Of the files; it changes when an older program could not read them."""


class State(Record):
    """What is known of an application. `revision` is the commit that was read last, `subject` its first line.

    `synced` is the commit that was deployed last, `drift` what of it was told to be changed by hand.
    """

    revision: str = ""
    subject: str = ""
    checked: float = 0.0
    synced: str = ""
    conditions: tuple[Condition, ...] = ()
    operation: Operation | None = None
    drift: tuple[str, ...] = ()


class Wanted(Record):
    """The objects of a commit; `described` is what of the application decided how it was rendered."""

    revision: str
    described: str
    manifests: tuple[Manifest, ...]


def apps_home(home: Path | None = None) -> Path:
    """Return the directory of all applications."""
    from dispatchfile.run.history import state_home

    return (home or state_home()) / "apps"


def folder_of(name: str, home: Path | None = None) -> Path:
    """Return the folder of an application; its name has been checked, and it need not exist."""
    return apps_home(home) / name


def names(home: Path | None = None) -> list[str]:
    """Return the names of all applications, sorted."""
    folder = apps_home(home)
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if (entry / "app.json").is_file())


def find(name: str, home: Path | None = None) -> Store:
    """Return the store of an application. Raises UsageError when there is none of that name."""
    store = Store(name, home)
    if not store.exists():
        raise _unknown(name, home)
    return store


def _unknown(name: str, home: Path | None) -> UsageError:
    from dispatchfile.spelling import nearest

    near = nearest(name, names(home))
    return UsageError(
        f'there is no application "{name}"',
        help=f'did you mean "{near}"?' if near else "`dispatchfile gitops app list` lists them",
    )


class Store:
    """The folder of one application. Every method raises EnvironmentProblem when the disk or a file is at fault."""

    def __init__(self, name: str, home: Path | None = None) -> None:
        self.name = name
        self._home = home
        self.folder = folder_of(name, home)

    def exists(self) -> bool:
        """Return whether the application is kept here."""
        return (self.folder / "app.json").is_file()

    def app(self) -> App:
        """Return the application. Raises UsageError when it is gone, as when another process deleted it meanwhile."""
        if not self.exists():
            raise _unknown(self.name, self._home)
        return self._read("app", lambda data: App(**_tuples(data)), None)

    def state(self) -> State:
        """Return what is known of it."""
        return self._read("state", _state, State())

    def wanted(self) -> Wanted | None:
        """Return what was rendered last, None when nothing was."""
        return self._read("wanted", _wanted, None, optional=True)

    def deployed(self) -> Wanted | None:
        """Return what was deployed last, None when nothing was."""
        return self._read("deployed", _wanted, None, optional=True)

    def history(self) -> tuple[Deployment, ...]:
        """Return what was deployed, the oldest first."""
        return self._read("history", lambda data: tuple(Deployment(**_tuples(one)) for one in data), ())

    def save_app(self, app: App) -> None:
        """Keep the application."""
        self._write("app", app)

    def save_state(self, state: State) -> None:
        """Keep what is known of it."""
        self._write("state", state)

    def save_wanted(self, wanted: Wanted) -> None:
        """Keep what was rendered."""
        self._write("wanted", wanted)

    def save_deployed(self, wanted: Wanted) -> None:
        """Keep what is deployed from now on."""
        self._write("deployed", wanted)

    def save_history(self, history: Sequence[Deployment]) -> None:
        """Keep the history."""
        self._write("history", list(history))

    def remove(self) -> None:
        """Forget the application; whoever holds the lock keeps holding what has no name any more."""
        import shutil

        with self._told():
            (self.folder / "app.json").unlink(missing_ok=True)  # from here on it does not exist
            shutil.rmtree(self.folder)

    def busy(self) -> bool:
        """Return whether somebody holds the lock."""
        try:
            with self.locked(0):
                return False
        except TimedOut:
            return True

    @contextlib.contextmanager
    def locked(self, patience: float) -> Iterator[None]:
        """Hold the application's lock; raises TimedOut when another holds it for `patience` seconds."""
        with self._told():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_open()
            lock = locks.take(self.folder / "lock", patience)
        if lock is None:
            raise TimedOut(
                f"another process is working on {self.name}",
                help=f"`dispatchfile gitops app wait {self.name} --operation` waits for it",
            )
        try:
            yield
        finally:
            os.close(lock)

    def _read(
        self, name: str, build: Callable[[Any], Kind], missing: Kind | None, *, optional: bool = False
    ) -> Kind:
        path = self.folder / f"{name}.json"
        self._refuse_open()
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            version = data["version"]
            if version == VERSION:
                return build(data[name])
        except FileNotFoundError:
            if missing is not None or optional:
                return missing  # type: ignore[return-value] # None is among Kind when it is optional
            raise self._damaged(path, "it is not there") from None
        except OSError as error:
            raise EnvironmentProblem(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(path, f"{type(error).__name__}: {error}") from error
        raise EnvironmentProblem(
            f"{path} is of version {version!r}, and this program reads version {VERSION}",
            help="use the program that wrote it, or a newer one",
        )

    def _refuse_open(self) -> None:
        """Raise EnvironmentProblem when others could say here what is to run, as where XDG_STATE_HOME is shared."""
        try:
            status = self.folder.stat()
        except OSError:
            return  # what follows tells of it
        if status.st_mode & 0o022 or os.getuid() not in (0, status.st_uid):
            raise EnvironmentProblem(
                f"others than you may change {self.folder}, which says what is to run",
                help=f"see what is in it, then chmod 700 {self.folder}; or set XDG_STATE_HOME to a directory of your own",
            )

    def _damaged(self, path: Path, reason: str) -> EnvironmentProblem:
        if path.name == "app.json":
            advice = f"remove {self.folder} and `dispatchfile gitops app create {self.name}` anew"
        else:
            advice = f"remove it, and `dispatchfile gitops app get {self.name} --refresh` finds out anew"
        return EnvironmentProblem(f"{path} is damaged ({reason})", help=f"{advice}; what runs goes on")

    def _write(self, name: str, what: object) -> None:
        path = self.folder / f"{name}.json"
        text = json.dumps({"version": VERSION, name: plain(what)})
        with self._told():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic.write(path, text.encode(), lasting=True)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise EnvironmentProblem(
                f"the state of {self.name} cannot be kept in {self.folder}: {error.strerror}",
                help="make room on the disk" if full else "set XDG_STATE_HOME to a directory you can write",
            ) from error


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a record of plain texts and numbers; its lists are tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def _state(data: dict[str, Any]) -> State:
    operation = data["operation"]
    return State(
        **{
            **_tuples(data),
            "conditions": tuple(Condition(**one) for one in data["conditions"]),
            "operation": operation and _operation(operation),
        }
    )


def _operation(data: dict[str, Any]) -> Operation:
    results = tuple(Result(**{**one, "key": Key(**one["key"])}) for one in data["results"])
    return Operation(**{**data, "results": results})


def _wanted(data: dict[str, Any]) -> Wanted:
    manifests = tuple(Manifest(**{**one, "key": Key(**one["key"])}) for one in data["manifests"])
    return Wanted(**{**data, "manifests": manifests})
