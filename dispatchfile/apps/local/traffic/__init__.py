"""What the rest of the engine asks of Services and Ingresses; services.py keeps it.

    from dispatchfile.apps.local.traffic.services import Services
    Services(client, app, wanted, folder, image="") -> Traffic    (asks the engine nothing; folder: the engine's own,
                                                                   image: the setting proxy-image)

The network labels.network_name(app) is there before anything of this is called, but for `observe`, `urls`, `delete`.
All methods may be called by several threads at once. What is made carries APP, OBJECT and ROLE=PROXY.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dispatchfile.apps.local.pods import Pod
    from dispatchfile.apps.manifest import Manifest
    from dispatchfile.apps.status import Resource, Result

    Say = Callable[[str], None]


class Traffic(Protocol):
    """The Services and Ingresses of one application."""

    def aliases(self, namespace: str, pod: str, labels: Mapping[str, str], subdomain: str) -> Sequence[str]:
        """Return the names that a new pod has on the application's network: those of headless Services."""

    def observe(self, pods: Sequence[Pod]) -> Sequence[Resource]:
        """Return how each wanted Service and Ingress stands, and then what is there of them and not wanted."""

    def apply(self, chosen: Sequence[Manifest], pods: Sequence[Pod], say: Say) -> Sequence[Result]:
        """Bring Services and Ingresses about; `pods` are all there are, those that are ready get requests."""

    def admit(self, pod: Pod) -> None:
        """Let a pod that became ready, or has another address now, get requests; may be called again."""

    def retire(self, pod: Pod, grace: float) -> None:
        """Send a pod no new requests; return when it has no connection left, or after `grace` seconds."""

    def prune(self, gone: Sequence[Resource], say: Say) -> Sequence[Result]:
        """Remove Services and Ingresses that are not wanted any more."""

    def delete(self) -> None:
        """Remove all Services and Ingresses of the application."""

    def urls(self) -> Sequence[str]:
        """Return the addresses at which the application answers from this machine."""
