"""What labels and annotations say of an object: whose it is."""

from __future__ import annotations

from dispatchfile.apps.manifest import mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.apps.manifest import Object

APP = "dispatchfile/app"
"""Label of every object of an application: the application's name."""
CLUSTERS_OWN = (
    "managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink",
    "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip
"""Fields of `metadata` that a cluster writes by itself, and changes with every write."""
TRACKING = "argocd.argoproj.io/tracking-id"
"""Annotation of Argo CD on what it deploys: APPLICATION:GROUP/KIND:NAMESPACE/NAME."""
_ARGO_LABEL = "argocd.argoproj.io/instance"


def stamped(made: Object, app: str, namespace: str) -> Object:
    """Return an object as it is applied: with the application's label, in its namespace ("" where it has none).

    What only a cluster writes is left out: it is there when somebody has committed what `kubectl get -o yaml` printed.
    """
    metadata = {
        name: value for name, value in made["metadata"].items() if name not in ("namespace", *CLUSTERS_OWN)
    }
    metadata["labels"] = {**mapping(metadata.get("labels")), APP: app}
    if namespace:
        metadata["namespace"] = namespace
    return {**{name: value for name, value in made.items() if name != "status"}, "metadata": metadata}


def owner(live: Object) -> str:
    """Return the application that an object belongs to, "" for none of ours."""
    return str(labels(live).get(APP) or "")


def argo_application(live: Object) -> str:
    """Return the Argo CD application that tracks an object, "" when none says so.

    The annotation names the object too, and counts on that one only: tools copy annotations.
    """
    application, colon, rest = str(notes(live).get(TRACKING) or "").partition(":")
    metadata = live["metadata"]
    place = f"{metadata.get('namespace') or ''}/{metadata['name']}"
    if colon and rest.endswith(f":{place}") and f"/{live.get('kind')}:" in f"/{rest}":
        return application
    return str(labels(live).get(_ARGO_LABEL) or "")


def taken(live: Object, app: str) -> str:
    """Return why an object that is there is not to be applied by an application, "" when it is or may become its own."""
    if application := argo_application(live):
        return (
            f'it belongs to Argo CD\'s application "{application}": let Argo CD deploy it (--engine argocd)'
        )
    if (its := owner(live)) not in ("", app):
        return f'it belongs to the application "{its}": two cannot have the same object'
    return ""


def labels(found: Object) -> dict[str, Any]:
    """Return the labels of an object."""
    return mapping(mapping(found.get("metadata")).get("labels"))


def notes(found: Object) -> dict[str, Any]:
    """Return the annotations of an object."""
    return mapping(mapping(found.get("metadata")).get("annotations"))


def owned(found: Object) -> bool:
    """Return whether a controller of the cluster has made an object, and looks after it."""
    owners = mapping(found.get("metadata")).get("ownerReferences")
    return isinstance(owners, list) and any(mapping(one).get("controller") for one in owners)
