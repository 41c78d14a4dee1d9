"""An application as Argo CD's Application object, and back (argoproj.io/v1alpha1, Argo CD 3.6)."""

from __future__ import annotations

from dispatchfile import remote
from dispatchfile.apps.app import App
from dispatchfile.apps.argocd.reach import GROUP, VERSION
from dispatchfile.apps.manifest import mapping
from dispatchfile.errors import UsageError
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.apps.manifest import Object

OWN_CLUSTER = "https://kubernetes.default.svc"
"""The server that Argo CD itself runs in, as its Applications name it."""
_OWN_NAME = "in-cluster"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
"""With it in `metadata.finalizers`, Argo CD removes what runs of an Application before the Application goes."""


def application(app: App) -> Object:
    """Return the Application of an app. Raises UsageError for what Argo CD cannot do.

    Without auto-sync it has no `automated`, which is off for every version of Argo CD.
    """
    policy = {"automated": {"prune": app.prune, "selfHeal": app.self_heal}} if app.auto_sync else {}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Application",
        "metadata": {"name": app.name, "namespace": app.control},
        "spec": {
            "project": app.project,
            "source": source(app),
            "destination": {**_cluster(app), "namespace": app.namespace},
            **({"syncPolicy": policy} if policy else {}),
        },
    }


def source(app: App) -> Object:
    """Return where an Application's manifests come from. Raises UsageError for a path on this machine."""
    if remote.parse(app.repository).directory is not None:
        raise UsageError(
            f"Argo CD cannot read {app.repository}, which is on this machine",
            help="name a URL that the cluster reaches",
        )
    if app.host_paths or app.privileged:
        raise UsageError(
            "--allow-host-path and --allow-privileged are for this machine; what a cluster allows is its own matter"
        )
    found: Object = {"repoURL": app.repository, "path": app.path, "targetRevision": app.revision}
    if app.recurse:
        found["directory"] = {"recurse": True}
    if app.values or app.settings:
        pairs = [text.partition("=") for text in app.settings]
        helm: Object = {"valueFiles": list(app.values)} if app.values else {}
        if pairs:
            helm["parameters"] = [{"name": name, "value": value} for name, _, value in pairs]
        found["helm"] = helm
    return found


def change(app: App, before: Object, *, knows_enabled: bool) -> Object:
    """Return the merge patch that makes an Application what an app says, and leaves all else of it.

    Auto-sync is switched off by `automated.enabled: false` where the cluster's definition `knows_enabled` (Argo CD
    3.1 and later), and keeps prune and self-heal; elsewhere by taking `automated` away.
    """
    spec = mapping(before.get("spec"))
    if spec.get("sources"):
        raise UsageError(
            f'Argo CD\'s application "{app.name}" has several sources, which cannot be changed here',
            help="argocd app set, or kubectl edit",
        )
    wanted = source(app)
    was = mapping(spec.get("source"))
    cleared = {name: None for name in ("directory", "helm") if name in was and name not in wanted}
    if "helm" in wanted:
        wanted["helm"] = {"valueFiles": None, "parameters": None, **wanted["helm"]}
    automated: Object | None = {"prune": app.prune, "selfHeal": app.self_heal, "enabled": None}
    if not app.auto_sync:
        automated = (
            {"prune": app.prune, "selfHeal": app.self_heal, "enabled": False} if knows_enabled else None
        )
    by_name = not app.server and mapping(spec.get("destination")).get("name") == _OWN_NAME
    cluster = {} if by_name else {"server": None, "name": None, **_cluster(app)}
    return {
        "spec": {
            "project": app.project,
            "source": {**cleared, **wanted},
            "destination": {**cluster, "namespace": app.namespace},
            "syncPolicy": {"automated": automated},
        }
    }


def app_of(found: Object, context: str) -> App:
    """Return what an Application says as an app."""
    metadata, spec = found["metadata"], mapping(found.get("spec"))
    sources = [spec.get("source"), *(spec.get("sources") or ())]
    first = next((mapping(one) for one in sources if isinstance(one, dict)), {})
    destination, helm = mapping(spec.get("destination")), mapping(first.get("helm"))
    automated = mapping(mapping(spec.get("syncPolicy")).get("automated"))
    server = _text(destination.get("server")) or _text(destination.get("name"))
    made = App(
        metadata["name"],
        _text(first.get("repoURL")),
        path=_text(first.get("path")) or ".",
        revision=_text(first.get("targetRevision")) or "HEAD",
        engine="argocd",
        namespace=_text(destination.get("namespace")) or "default",
        context=context,
        server="" if server in (OWN_CLUSTER, _OWN_NAME) else server,
        control=str(metadata.get("namespace") or ""),
        project=_text(spec.get("project")) or "default",
        auto_sync=is_automated(found),
    )
    return replace(
        made,
        prune=automated.get("prune") is True,
        self_heal=automated.get("selfHeal") is True,
        recurse=mapping(first.get("directory")).get("recurse") is True,
        values=tuple(_text(one) for one in helm.get("valueFiles") or ()),
        settings=tuple(
            f"{_text(one.get('name'))}={_text(one.get('value'))}" for one in helm.get("parameters") or ()
        ),
    )


def is_automated(found: Object) -> bool:
    """Return whether Argo CD syncs by itself: `automated` is there, and not `enabled: false`."""
    automated = mapping(mapping(found.get("spec")).get("syncPolicy")).get("automated")
    return isinstance(automated, dict) and automated.get("enabled") is not False


def _cluster(app: App) -> Object:
    """Return the cluster that Argo CD deploys to: by its URL, or by the name that Argo CD knows it by."""
    by_url = not app.server or "://" in app.server
    return {"server": app.server or OWN_CLUSTER} if by_url else {"name": app.server}


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""
