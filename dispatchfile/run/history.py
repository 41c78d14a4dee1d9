"""What is kept of a run: a folder of its own under $XDG_STATE_HOME/dispatchfile/runs.

    run.json              what ran, for whom, with which options, and how each task ended
    events.ndjson         everything that happened but the output of the steps (see progress.py)
    logs/TASK/STEP.log    the masked output of each step
    outputs/RESOURCE/     what tasks made of git and storage resources, for those that take them in, and for a rerun
    lock                  held while the run lives

The folder is for the user alone (0700). Secrets and what holds them are not kept, but for what a step itself wrote
into an output.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from dispatchfile import atomic
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.record import Record
from dispatchfile.run.outcome import Outcome
from dispatchfile.run.progress import Happening, as_plain, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

KEEP = 50
"""Folders of finished runs that stay."""


def state_home() -> Path:
    """Return the directory for what this program keeps between runs."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "dispatchfile"


class RunFolder:
    """The folder of a run that is going on; a context manager, and a listener that keeps what happens."""

    def __init__(
        self, record: Mapping[str, Any], *, home: Path | None = None, logs: Path | None = None
    ) -> None:
        """Make the folder; raises EnvironmentProblem when that is refused."""
        now = time.time()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        self.id = f"{stamp}-{int(now % 1 * 256):02x}{secrets.token_hex(2)}"
        self.path = (home or state_home()) / "runs" / self.id
        self.logs = logs.absolute() / self.id if logs else self.path / "logs"
        self.record: dict[str, Any] = {
            "version": 1, "id": self.id, "status": "running", "started": rfc3339(now),
            "logs": str(self.logs), **record, "tasks": {},
        }  # fmt: skip
        self._open: list[IO[str]] = []
        try:
            self.path.mkdir(mode=0o700, parents=True)
            self._make_logs()
            self._open.append((self.path / "lock").open("w"))
            fcntl.flock(self._open[0], fcntl.LOCK_EX)
            self._save()
            self._events = (self.path / "events.ndjson").open("a", encoding="utf-8", buffering=1)
            self._open.append(self._events)
        except OSError as error:
            self.close()
            raise EnvironmentProblem(
                f"cannot keep the run in {self.path}: {error.strerror}",
                help="set XDG_STATE_HOME to a directory you can write",
            ) from error

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self.record["status"] == "running":
            self.record["status"] = "error"
            with contextlib.suppress(OSError):  # what ended the run is raised already, and says more
                self._save()
        with contextlib.suppress(OSError):  # a full disk refuses what a file still held back; the board knows
            self.close()

    def _make_logs(self) -> None:
        try:
            self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            self.close()
            raise EnvironmentProblem(
                f"cannot keep the logs in {self.logs}: {error.strerror}",
                help="choose another directory with --log-dir",
            ) from error

    def close(self) -> None:
        """Let go of the folder; idempotent."""
        while self._open:
            self._open.pop().close()

    def __call__(self, event: Happening) -> None:
        """Keep a happening."""
        if event.kind == "step.log":
            return
        told = as_plain(event)
        self._events.write(json.dumps(told, ensure_ascii=False) + "\n")
        if event.kind == "task.finished":
            self.record["tasks"][event.task] = dict(event.data)
        if event.kind == "run.finished":
            self.record.update(event.data, finished=told["time"])
            self._save()

    def keep(self, **facts: Any) -> None:
        """Note more of the run in its record at once, for those who look when it was killed; raises OSError."""
        self.record.update(facts)
        self._save()

    def finish(self, outcomes: Mapping[str, Outcome], fingerprints: Mapping[str, str]) -> None:
        """Note what a rerun has to know of each task; raises EnvironmentProblem."""
        for name, outcome in outcomes.items():
            entry = self.record["tasks"].setdefault(name, {})
            entry["outputs"] = {resource: str(path) for resource, path in outcome.outputs.items()}
            entry["fingerprint"] = fingerprints.get(name, "")
            entry["reusable"] = (
                outcome.status in ("succeeded", "kept") and entry.get("results", {}) == outcome.results
            )
        try:
            self._save()
        except OSError as error:
            raise EnvironmentProblem(f"cannot keep the run in {self.path}: {error.strerror}") from error

    def _save(self) -> None:
        text = json.dumps(self.record, ensure_ascii=False, indent=1)
        atomic.write(self.path / "run.json", f"{text}\n".encode())


class PastRun(Record):
    """A run that left a folder: `status` is that of the record, or "died" when it did not live to write one."""

    path: Path
    record: Mapping[str, Any]
    status: str

    @property
    def id(self) -> str:
        """Return the run's id."""
        return self.path.name

    @property
    def logs(self) -> Path:
        """Return where its logs are."""
        return Path(self.record.get("logs") or self.path / "logs")


def past_runs(repository: Path | None = None, *, home: Path | None = None) -> list[PastRun]:
    """Return the runs, those of one repository when it is given, newest first; unreadable folders are left out."""
    folder = (home or state_home()) / "runs"
    names = sorted((entry.name for entry in folder.iterdir()), reverse=True) if folder.is_dir() else []
    found = [run for name in names if (run := _read(folder / name)) is not None]
    return [run for run in found if repository is None or run.record.get("repository") == str(repository)]


def find(name: str, repository: Path | None = None, *, home: Path | None = None) -> PastRun:
    """Return a run by its id, the start of it, or "last" (of the repository); raises UsageError."""
    if name == "last":
        runs = past_runs(repository, home=home)
        if not runs:
            raise UsageError(
                "no run of this repository is known", help="`dispatchfile runs --all` lists those of others"
            )
        return runs[0]
    matching = [run for run in past_runs(home=home) if run.id.startswith(name)]
    if len(matching) != 1:
        what = "no run is" if not matching else f"{len(matching)} runs are"
        raise UsageError(f'{what} called "{name}"', help="`dispatchfile runs` lists them")
    return matching[0]


def looks_like_a_run(name: str) -> bool:
    """Return whether a name is "last", or could be an id or the start of one, and not the name of a task."""
    return name == "last" or (name[:8].isdecimal() and (len(name) <= 8 or name[8] == "-"))


def kept_outcomes(
    run: PastRun, fingerprints: Mapping[str, str], needs: Mapping[str, tuple[str, ...]]
) -> dict[str, Outcome]:
    """Return the outcomes of a run that a rerun can take as they are.

    A task is kept when it succeeded, is still written as it was then (`fingerprints`), what it made is still there,
    no result of it was masked, and all tasks it needs are kept. `needs` holds the tasks of the plan in order.
    """
    kept: dict[str, Outcome] = {}
    for name, before in needs.items():
        entry = run.record.get("tasks", {}).get(name, {})
        outputs = {resource: Path(path) for resource, path in entry.get("outputs", {}).items()}
        same = entry.get("reusable") and entry.get("fingerprint") == fingerprints[name]
        if same and all(need in kept for need in before) and all(path.is_dir() for path in outputs.values()):
            kept[name] = Outcome(
                name, "kept", f"taken from run {run.id}", digests=entry.get("digests", {}),
                results=entry.get("results", {}), outputs=outputs,
            )  # fmt: skip
    return kept


def prune(keep: int = KEEP, *, home: Path | None = None, spare: Path | None = None) -> list[Path]:
    """Remove the oldest folders of runs that are over, down to `keep`, and return those removed; never `spare`."""
    over = [run for run in past_runs(home=home) if run.status != "running" and run.path != spare]
    gone = [run.path for run in over[keep:]]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return gone


def log_files(run: PastRun) -> Iterator[tuple[str, str, Path]]:
    """Yield task, step and log file of a run, in the order in which the steps started."""
    files = run.logs.glob("*/*.log") if run.logs.is_dir() else ()
    for path in sorted(files, key=lambda path: _order(run, path)):
        yield path.parent.name, path.stem, path


def _order(run: PastRun, path: Path) -> tuple[int, int, str]:
    steps: list[list[str]] = run.record.get("steps", [])
    key = [path.parent.name, path.stem]
    return (0, steps.index(key), "") if key in steps else (1, 0, str(path))


def _read(path: Path) -> PastRun | None:
    try:
        record = json.loads((path / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    status = str(record.get("status", ""))
    if status == "running" and not _locked(path / "lock"):
        status = "died"
    return PastRun(path, record, status)


def _locked(path: Path) -> bool:
    try:
        with path.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
