"""What containers ask for right after they began and before they end (Kubernetes core/v1 Lifecycle)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local import probes
from dispatchfile.apps.local.container import named_ports
from dispatchfile.apps.local.objects import mapping, number
from dispatchfile.record import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker import APIClient

FIELDS = ("postStart", "preStop")


def check(container: Mapping[str, Any], where: str) -> None:
    """Raise UsageError for a hook that cannot be run; it is told before the container begins."""
    for field in FIELDS:
        _asked(container, field, where)


def run(
    client: APIClient, given: Mapping[str, Any], field: str, container: str, address: str, seconds: float
) -> str:
    """Run a hook of a container, for `seconds` at most; return "" when it succeeds or there is none, else why not."""
    asked = _asked(given, field, f"the container {given.get('name')}")
    if isinstance(asked, float):
        time.sleep(min(asked, seconds))
        return ""
    return probes.run(client, replace(asked, timeout=seconds), container, address) if asked else ""


def _asked(container: Mapping[str, Any], field: str, where: str) -> probes.Probe | float | None:
    """Return the request or command of a hook, the seconds that it sleeps, None without one."""
    lifecycle = mapping(container, "lifecycle", where)
    hook = mapping(lifecycle, field, where)
    if "sleep" in hook:
        return float(number(mapping(hook, "sleep", where), "seconds", 0, f"{where}, {field}"))
    return probes.probe_of(lifecycle, field, named_ports(container, where), where)
