"""Tell whose a container, volume or image is, and whether its run still lives.

Everything a run makes carries these labels. A run is dead when the process that made it is gone from this host: its
number is free, or belongs to a process that started at another time or in another boot.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

RUN = "dispatchfile.run"
TASK = "dispatchfile.task"
STEP = "dispatchfile.step"
PID = "dispatchfile.pid"
HOST = "dispatchfile.host"
START = "dispatchfile.start"
KEEP = "dispatchfile.keep"


def labels_of_run(run_id: str, *, keep: bool = False) -> dict[str, str]:
    """Return the labels that mark what this process makes for a run."""
    pid = os.getpid()
    labels = {RUN: run_id, PID: str(pid), HOST: socket.gethostname(), START: start_of(pid) or ""}
    return {**labels, KEEP: "true"} if keep else labels


def is_dead(labels: Mapping[str, str]) -> bool:
    """Return whether the run that set these labels is surely gone; what another host made is never sure."""
    if labels.get(HOST) != socket.gethostname() or not labels.get(PID, "").isdecimal():
        return False
    return start_of(int(labels[PID])) != labels.get(START)


def start_of(pid: int) -> str | None:
    """Return when a process of this host started: boot, and clock ticks after it; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return f"{boot[:8]}-{stat.rpartition(')')[2].split()[19]}"
