"""What a container can ask about its limits and requests (Kubernetes core/v1 ResourceFieldSelector)."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.objects import as_text, items, mapping
from dispatchfile.errors import UsageError
from dispatchfile.model.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of this machine: a container without a limit may take all, as on a node of a cluster.
_WHOLE = {
    "cpu": lambda: os.cpu_count() or 1,
    "memory": lambda: os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    "ephemeral-storage": lambda: shutil.disk_usage("/").total,
}


def of_reference(ref: Mapping[str, Any], pod: Mapping[str, Any], own: str, where: str) -> str:
    """Return what a resourceFieldRef of the container `own` means: a whole number of divisors, rounded up.

    A request that is not there is the limit; a limit that is not there is what the machine has. Raises UsageError.
    """
    name = as_text(ref.get("containerName")) or own
    field = as_text(ref.get("resource"))
    which, _, resource = field.partition(".")
    if which not in ("limits", "requests") or resource not in _WHOLE:
        raise UsageError(
            f'{where}: "{field}" is no resource of a container',
            help="limits or requests, with cpu, memory or ephemeral-storage: limits.cpu",
        )
    containers = items(pod, "containers", where) + items(pod, "initContainers", where)
    found = next((one for one in containers if as_text(one.get("name")) == name), None)
    if found is None:
        raise UsageError(
            f'{where}: resourceFieldRef names the container "{name}", which the pod does not have'
        )
    asked = mapping(found, "resources", where)
    limit = mapping(asked, "limits", where).get(resource)
    given = limit if which == "limits" else mapping(asked, "requests", where).get(resource, limit)
    if given is not None:
        above, under = _quantity(given, where)
    else:
        above, under = (_WHOLE[resource]() if which == "limits" else 0), 1
    of, parts = _quantity(ref.get("divisor") or "1", where)
    if not of:
        of, parts = 1, 1  # as the API server, for which 0 is the default
    return str(-(-above * parts // (under * of)))


def _quantity(value: Any, where: str) -> tuple[int, int]:
    try:
        return quantity(as_text(value))
    except ValueError as error:
        raise UsageError(f'{where}: "{value}" is no quantity: {error}') from None
