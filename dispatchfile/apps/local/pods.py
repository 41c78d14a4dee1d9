"""Pods as they are on the engine: one container, or several that share the network of one that only sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.apps.manifest import Key


class Pod(Record):
    """A pod, as the network needs to know it.

    `name` and `namespace` are Kubernetes', `workload` what it belongs to, `labels` the pod's own. `container` is the id
    of the one that has its network, `host` that one's name, which the application's network resolves; `address` is on
    that network, "" while it does not run, and another after a restart. `ports` are its containers' named ports.
    """

    name: str
    namespace: str
    workload: Key
    labels: Mapping[str, str]
    container: str
    host: str
    address: str
    ready: bool
    ports: Mapping[str, int]
