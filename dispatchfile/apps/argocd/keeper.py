"""The keeper for Argo CD: every verb is a change of an Application, and a look at what its controller makes of it.

No server of Argo CD is asked, and no token of it needed: the rights on Applications in the cluster decide.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dispatchfile.apps.app import check_name
from dispatchfile.apps.argocd import application, difference, operations, status
from dispatchfile.apps.argocd.reach import APPLICATIONS, installation
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.kube.problems import Refused
from dispatchfile.record import replace
from dispatchfile.spelling import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.keeper import SyncRequest
    from dispatchfile.apps.manifest import Object
    from dispatchfile.apps.status import Deployment, View
    from dispatchfile.kube.client import Cluster

    Say = Callable[[str], None]

REFRESH = "argocd.argoproj.io/refresh"
"""Annotation that asks for a comparison, `normal` or `hard`; the controller takes it away when it is done."""
PATIENCE_S = 60.0
"""Seconds that a controller gets to compare, or to remove an application; a large repository takes ten."""
LOOK_S = 0.3
_HELP = "does argocd-application-controller run? kubectl get pods -n "


class ArgoKeeper:
    """Keeps keeper.Keeper for the Argo CD in namespace `control` of the cluster of a context ("": the current one)."""

    def __init__(self, context: str = "", control: str = "argocd") -> None:
        self._context, self._control = context, control
        self._connection: Cluster | None = None

    def close(self) -> None:
        """Let go of connections."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def create(self, app: App, *, upsert: bool) -> None:
        """Create the Application; one that is there is to be the same, unless `upsert` lets it be changed."""
        made = application.application(replace(app, name=check_name(app.name), control=self._control))
        before = self._cluster.look(APPLICATIONS, app.name)
        if before is None:
            before = self._cluster.create(APPLICATIONS, made)
            if app.auto_sync or not (app.prune or app.self_heal):
                return
        elif application.app_of(before, "") == application.app_of(made, ""):
            return
        elif not upsert:
            raise UsageError(
                f'Argo CD has an application "{app.name}" already, and it is another',
                help="--upsert changes it; `dispatchfile gitops app set` changes single fields",
            )
        self._change(app, before)

    def view(self, name: str) -> View:
        """Return how it stands by what Argo CD has seen last."""
        return self._view(self._get(name))

    def all(self) -> Sequence[View]:
        """Return how all Applications in the namespace of Argo CD stand."""
        return [self._view(one) for one in self._all()]

    def refresh(self, name: str, *, hard: bool = False) -> View:
        """Let Argo CD ask the repository and compare; return how it stands then, and in what objects differ.

        Raises EnvironmentProblem when no controller answers.
        """
        found = self._refreshed(name, hard=hard)
        return difference.told(self._cluster, self._view(found))

    def sync(self, name: str, request: SyncRequest, say: Say) -> View:
        """Let Argo CD sync, and follow that to its end. Raises TimedOut; the sync goes on then."""
        found = self._get(name)
        asked = operations.sync(found, request)
        return self._operate(name, asked, request.timeout, say)

    def history(self, name: str) -> Sequence[Deployment]:
        """Return what was deployed, the oldest first; Argo CD keeps ten."""
        return status.deployments(self._get(name))

    def rollback(self, name: str, number: int, say: Say, *, prune: bool) -> View:
        """Let Argo CD deploy what a deployment of the history was."""
        found = self._get(name)
        asked = operations.rollback(found, number, prune=prune)
        return self._operate(name, asked, operations.PATIENCE_S, say)

    def change(self, app: App, say: Say) -> View:
        """Change the Application; where auto-sync is on, Argo CD syncs by itself."""
        self._change(app, self._get(app.name))
        if app.auto_sync:
            say("auto-sync is on: Argo CD brings the repository's state about by itself")
        return self.refresh(app.name)

    def delete(self, name: str, say: Say, *, cascade: bool, data: bool) -> None:
        """Delete the Application, and with `cascade` let Argo CD remove first what runs of it."""
        found = self._get(name)
        metadata = found["metadata"]
        finalizers = [
            one for one in metadata.get("finalizers") or () if not one.startswith(application.FINALIZER)
        ]
        if cascade:
            if not data:
                _refuse_loss(found)
            finalizers.append(application.FINALIZER)
        if finalizers != (metadata.get("finalizers") or []):
            self._patch(name, {"metadata": {"finalizers": finalizers}})
        self._cluster.delete(APPLICATIONS, name, self._control, uid=str(metadata.get("uid") or ""))
        if cascade:
            say("Argo CD removes what runs of it")
        self._await_end(name)

    # What the verbs are made of.

    @property
    def _cluster(self) -> Cluster:
        if self._connection is None:
            self._connection = installation(self._context, self._control)
        return self._connection

    def _get(self, name: str) -> Object:
        found = self._cluster.look(APPLICATIONS, name)
        if found is None:
            near = nearest(name, [one["metadata"]["name"] for one in self._all()])
            raise UsageError(
                f'Argo CD has no application "{name}" in namespace {self._control} '
                f'(context "{self._cluster.target.context}")',
                help=f'did you mean "{near}"?' if near else "`gitops app list --engine argocd` lists them",
            )
        return found

    def _all(self) -> Sequence[Object]:
        return self._cluster.every(APPLICATIONS, self._control)

    def _view(self, found: Object) -> View:
        return status.view(found, self._context)

    def _patch(self, name: str, change: Object) -> Object:
        return self._cluster.patch(APPLICATIONS, name, change)

    def _change(self, app: App, before: Object) -> None:
        knows = app.auto_sync or self._knows_enabled(app.name)
        self._patch(app.name, application.change(app, before, knows_enabled=knows))

    def _knows_enabled(self, name: str) -> bool:
        """Return whether the cluster's Applications have `automated.enabled`; a dry run tells, and needs no more rights."""
        trial = {"spec": {"syncPolicy": {"automated": {"enabled": False}}}}
        would = self._cluster.patch(APPLICATIONS, name, trial, dry_run=True)
        policy = would.get("spec", {}).get("syncPolicy") or {}
        return (policy.get("automated") or {}).get("enabled") is False

    def _refreshed(self, name: str, *, hard: bool) -> Object:
        self._get(name)
        self._patch(name, {"metadata": {"annotations": {REFRESH: "hard" if hard else "normal"}}})
        deadline = time.monotonic() + PATIENCE_S
        while REFRESH in ((found := self._get(name))["metadata"].get("annotations") or {}):
            if time.monotonic() > deadline:
                raise EnvironmentProblem(
                    f'Argo CD has not looked at "{name}" for {PATIENCE_S:.0f} s',
                    help=f"{_HELP}{self._control}",
                )
            time.sleep(LOOK_S)
        return found

    def _operate(self, name: str, asked: Object, timeout: float, say: Say) -> View:
        self._begin(name, asked)
        operations.follow(lambda: self._get(name), lambda change: self._patch(name, change), timeout, say)
        return self._view(self._refreshed(name, hard=False))

    def _begin(self, name: str, asked: Object) -> None:
        """Ask for an operation, unless another is going on; nobody else's request is overwritten."""
        for last in (False, False, False, False, True):
            found = self._get(name)
            operations.refuse_second(found)
            version = found["metadata"]["resourceVersion"]
            change = {
                "metadata": {"resourceVersion": version}, "operation": asked, "status": {"operationState": None}
            }  # fmt: skip
            try:
                self._patch(name, change)
            except Refused as problem:
                if problem.code != 409 or last:  # the controller has written in between
                    raise
            else:
                return

    def _await_end(self, name: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self._cluster.look(APPLICATIONS, name) is not None:
            if time.monotonic() > deadline:
                raise EnvironmentProblem(
                    f'Argo CD has not removed "{name}" in {PATIENCE_S:.0f} s; it goes on when it can',
                    help=f"{_HELP}{self._control}",
                )
            time.sleep(LOOK_S)


def _refuse_loss(found: Object) -> None:
    """Raise UsageError when Argo CD would remove volumes' claims, and all that they hold, with an application."""
    claims = [one.key for one in status.view(found, "").resources if one.key.kind == "PersistentVolumeClaim"]
    if claims:
        raise UsageError(
            f"Argo CD would remove {claims[0]} too, and what it holds",
            help="--data says yes to that; to keep it, annotate it in the repository with "
            "argocd.argoproj.io/sync-options: Delete=false, or leave all: --no-cascade",
        )
