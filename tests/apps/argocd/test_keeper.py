from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.apps.app import App
from dispatchfile.apps.argocd import keeper as keeper_module
from dispatchfile.apps.argocd import operations
from dispatchfile.apps.argocd.keeper import ArgoKeeper
from dispatchfile.apps.keeper import SyncRequest
from dispatchfile.errors import EnvironmentProblem, TimedOut, UsageError
from dispatchfile.record import replace
from tests.apps.argocd.conftest import Commits
from tests.apps.kube.samples import SHOP, silent
from tests.cluster.api_server import ApiServer, Fault
from tests.cluster.argo import ArgoController
from tests.cluster.schemas import Schemas

NEWER = SHOP.replace("shop/web:1", "shop/web:2").replace(", b: two", "")
CLAIM = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk}\nspec: {accessModes: [ReadWriteOnce]}\n"


def eventually(holds: Callable[[], Any], seconds: float = 5.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, "it does not come about"
        time.sleep(0.02)
    return found


def application(server: ApiServer, name: str = "shop") -> dict[str, Any]:
    return server.store.get(server.kind_of("argoproj.io", "v1alpha1", "applications"), "argocd", name)


def image(server: ApiServer) -> str:
    template = server.cluster.get("Deployment", "ci", "web")["spec"]["template"]
    return str(template["spec"]["containers"][0]["image"])


# The life of an application.


def test_create_and_sync(keeper: ArgoKeeper, server: ApiServer, commits: Commits, app: App) -> None:
    keeper.create(app, upsert=False)
    view = keeper.refresh("shop")
    assert (view.sync, view.health, view.revision) == ("OutOfSync", "Missing", commits.name(0))
    assert view.app == replace(app, context="")
    assert server.cluster.list("Deployment") == []
    said: list[str] = []
    view = keeper.sync("shop", SyncRequest(), said.append)
    assert (view.sync, view.health, view.synced) == ("Synced", "Healthy", commits.name(0))
    assert view.operation is not None
    assert (view.operation.phase, view.operation.by, view.operation.revision) == (
        "Succeeded",
        "user",
        commits.name(0),
    )
    assert str(view.operation.results[0].key) == "apps/Deployment ci/web"
    assert "Service ci/web: serverside-applied" in said
    assert view.urls == ("http://shop.test/",)
    assert image(server) == "shop/web:1"
    assert application(server)["spec"]["destination"] == {
        "server": "https://kubernetes.default.svc", "namespace": "ci"
    }  # fmt: skip


def test_auto_sync_is_argos_own_work(
    keeper: ArgoKeeper, server: ApiServer, commits: Commits, app: App
) -> None:
    keeper.create(replace(app, auto_sync=True), upsert=False)
    eventually(lambda: keeper.view("shop").sync == "Synced")
    commits.commit(NEWER)
    keeper.refresh("shop")
    view = eventually(lambda: (found := keeper.view("shop")).synced == commits.name(1) and found)
    assert view.operation.by == "agent"
    assert [one.by for one in keeper.history("shop")] == ["agent", "agent"]
    assert image(server) == "shop/web:2"


def test_the_same_again_and_another_of_the_name(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    keeper.create(app, upsert=False)
    version = application(server)["metadata"]["generation"]
    keeper.create(app, upsert=False)
    assert application(server)["metadata"]["generation"] == version
    other = replace(app, path="staging")
    with pytest.raises(UsageError, match="already, and it is another"):
        keeper.create(other, upsert=False)
    keeper.create(other, upsert=True)
    assert application(server)["spec"]["source"]["path"] == "staging"


def test_what_others_have_set_stays(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    keeper.create(app, upsert=False)
    kind = server.kind_of("argoproj.io", "v1alpha1", "applications")
    options = ["CreateNamespace=true"]

    def by_hand(found: dict[str, Any]) -> None:
        found["spec"]["syncPolicy"] = {"syncOptions": options}
        found["spec"]["revisionHistoryLimit"] = 3

    server.store.change(kind, "argocd", "shop", by_hand)
    keeper.change(replace(app, revision="main"), silent)
    spec = application(server)["spec"]
    assert spec["revisionHistoryLimit"] == 3
    assert spec["syncPolicy"]["syncOptions"] == options
    assert spec["source"]["targetRevision"] == "main"
    keeper.sync("shop", SyncRequest(), silent)
    assert application(server)["status"]["operationState"]["operation"]["sync"]["syncOptions"] == options


def test_history_and_rollback(keeper: ArgoKeeper, server: ApiServer, commits: Commits, app: App) -> None:
    keeper.create(app, upsert=False)
    keeper.sync("shop", SyncRequest(), silent)
    commits.commit(NEWER)
    keeper.sync("shop", SyncRequest(), silent)
    assert image(server) == "shop/web:2"
    view = keeper.rollback("shop", 0, silent, prune=False)
    assert image(server) == "shop/web:1"
    assert (view.sync, view.synced) == ("OutOfSync", commits.name(0))
    assert [(one.number, one.revision) for one in keeper.history("shop")] == [
        (0, commits.name(0)), (1, commits.name(1)), (2, commits.name(0))
    ]  # fmt: skip
    with pytest.raises(UsageError, match="has no deployment 7") as caught:
        keeper.rollback("shop", 7, silent, prune=False)
    assert caught.value.help == "it has: 0, 1, 2"
    keeper.change(replace(app, auto_sync=True), silent)
    with pytest.raises(UsageError, match="auto-sync would undo it"):
        keeper.rollback("shop", 0, silent, prune=False)


def test_all_of_them(keeper: ArgoKeeper, app: App) -> None:
    for name in ("shop", "till"):
        keeper.create(replace(app, name=name), upsert=False)
    assert [view.app.name for view in keeper.all()] == ["shop", "till"]
    with pytest.raises(UsageError, match='no application "shpo"') as caught:
        keeper.view("shpo")
    assert caught.value.help == 'did you mean "shop"?'


# Parts of a sync.


def test_pruning(keeper: ArgoKeeper, server: ApiServer, commits: Commits, app: App) -> None:
    keeper.create(app, upsert=False)
    keeper.sync("shop", SyncRequest(), silent)
    commits.commit("---\n".join(SHOP.split("---\n")[:2]))
    view = keeper.refresh("shop")
    gone = [one for one in view.resources if one.to_prune]
    assert sorted(str(one.key) for one in gone) == ["ConfigMap ci/conf", "Secret ci/login"]
    said: list[str] = []
    view = keeper.sync("shop", SyncRequest(), said.append)
    assert "ConfigMap ci/conf: ignored (requires pruning)" in said
    assert server.cluster.get("ConfigMap", "ci", "conf")
    view = keeper.sync("shop", SyncRequest(prune=True), said.append)
    assert "ConfigMap ci/conf: pruned" in said
    assert view.sync == "Synced"
    assert server.cluster.list("ConfigMap", "ci") == []


def test_a_dry_run(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    keeper.create(app, upsert=False)
    said: list[str] = []
    view = keeper.sync("shop", SyncRequest(dry_run=True), said.append)
    assert "Service ci/web: serverside-applied" in said
    assert (view.sync, keeper.history("shop")) == ("OutOfSync", [])
    assert server.cluster.list("Service", "ci") == []


def test_some_objects_only(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    keeper.create(app, upsert=False)
    keeper.refresh("shop")
    keeper.sync("shop", SyncRequest(only=("Service/web", ":ConfigMap:conf")), silent)
    assert len(server.cluster.list("Service", "ci")) == len(server.cluster.list("ConfigMap", "ci")) == 1
    assert server.cluster.list("Deployment") == []
    with pytest.raises(UsageError, match='no object "Service/wep"') as caught:
        keeper.sync("shop", SyncRequest(only=("Service/wep",)), silent)
    assert "Service/web" in caught.value.help


def test_another_revision_for_once(keeper: ArgoKeeper, server: ApiServer, commits: Commits, app: App) -> None:
    commits.commit(NEWER)
    keeper.create(app, upsert=False)
    keeper.sync("shop", SyncRequest(revision=commits.name(0)), silent)
    assert image(server) == "shop/web:1"
    keeper.change(replace(app, auto_sync=True), silent)
    with pytest.raises(UsageError, match="auto-sync follows HEAD"):
        keeper.sync("shop", SyncRequest(revision=commits.name(0)), silent)


# Auto-sync on and off.


def policy(server: ApiServer) -> Any:
    return application(server)["spec"].get("syncPolicy", {}).get("automated")


def test_switching_auto_sync(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    on = replace(app, auto_sync=True, prune=True)
    keeper.create(on, upsert=False)
    assert policy(server) == {"prune": True, "selfHeal": False}
    view = keeper.change(replace(on, auto_sync=False), silent)
    assert policy(server) == {"enabled": False, "prune": True, "selfHeal": False}
    assert (view.app.auto_sync, view.app.prune) == (False, True)
    view = keeper.change(replace(on, self_heal=True), silent)
    assert policy(server) == {"prune": True, "selfHeal": True}
    assert view.app.auto_sync


def test_switching_auto_sync_of_an_older_argo(
    server: ApiServer, commits: Commits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: App
) -> None:
    """One that does not know `enabled` would take it for switched on."""
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    with ArgoController(server, commits, version="2.14"):
        keeper = ArgoKeeper()
        keeper.create(replace(app, auto_sync=True, prune=True), upsert=False)
        view = keeper.change(replace(app, prune=True), silent)
        assert policy(server) is None
        assert not view.app.auto_sync
        keeper.close()


def test_auto_sync_off_touches_nothing(
    keeper: ArgoKeeper, server: ApiServer, commits: Commits, app: App
) -> None:
    keeper.create(app, upsert=False)
    keeper.sync("shop", SyncRequest(), silent)
    server.cluster.change("Deployment", "ci", "web", lambda found: found["spec"].update(replicas=5))
    commits.commit(NEWER)
    assert keeper.refresh("shop").sync == "OutOfSync"
    assert server.cluster.get("Deployment", "ci", "web")["spec"]["replicas"] == 5
    keeper.change(replace(app, auto_sync=True), silent)
    eventually(lambda: keeper.view("shop").sync == "Synced")
    assert server.cluster.get("Deployment", "ci", "web")["spec"]["replicas"] == 2


# Deleting.


def test_deleting_with_what_runs(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    keeper.create(app, upsert=False)
    keeper.sync("shop", SyncRequest(), silent)
    keeper.delete("shop", silent, cascade=True, data=False)
    assert server.cluster.list("Deployment") == []
    with pytest.raises(UsageError, match='no application "shop"'):
        keeper.view("shop")


def test_deleting_without_it(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    keeper.create(app, upsert=False)
    keeper.sync("shop", SyncRequest(), silent)
    kind = server.kind_of("argoproj.io", "v1alpha1", "applications")
    server.store.change(
        kind, "argocd", "shop",
        lambda found: found["metadata"].update(finalizers=["resources-finalizer.argocd.argoproj.io/background"]),
    )  # fmt: skip
    keeper.delete("shop", silent, cascade=False, data=False)
    assert len(server.cluster.list("Deployment")) == 1


def test_data_is_not_deleted_unasked(
    keeper: ArgoKeeper, server: ApiServer, commits: Commits, app: App
) -> None:
    commits.commit(SHOP + CLAIM)
    keeper.create(app, upsert=False)
    keeper.sync("shop", SyncRequest(), silent)
    with pytest.raises(UsageError, match="would remove PersistentVolumeClaim ci/disk too"):
        keeper.delete("shop", silent, cascade=True, data=False)
    assert application(server)["metadata"].get("finalizers") is None
    keeper.delete("shop", silent, cascade=True, data=True)
    assert server.cluster.list("PersistentVolumeClaim") == []


# A controller that misbehaves, or is not there.


def test_nobody_compares(
    keeper: ArgoKeeper, argo: ArgoController, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "PATIENCE_S", 0.3)
    argo.asleep.set()
    keeper.create(app, upsert=False)
    assert (keeper.view("shop").sync, keeper.view("shop").health) == ("Unknown", "Unknown")
    with pytest.raises(EnvironmentProblem, match='has not looked at "shop"') as caught:
        keeper.refresh("shop")
    assert "kubectl get pods -n argocd" in caught.value.help


def test_nobody_begins(
    keeper: ArgoKeeper, server: ApiServer, argo: ArgoController, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that nobody took up is taken back: it is not to happen at night, when the controller is there again."""
    monkeypatch.setattr(operations, "BEGIN_S", 0.3)
    keeper.create(app, upsert=False)
    keeper.refresh("shop")
    argo.asleep.set()
    with pytest.raises(EnvironmentProblem, match="the request is taken back"):
        keeper.sync("shop", SyncRequest(), silent)
    assert "operation" not in application(server)
    argo.asleep.clear()
    keeper.refresh("shop")
    assert server.cluster.list("Deployment") == []


def test_a_sync_that_does_not_end(keeper: ArgoKeeper, argo: ArgoController, app: App) -> None:
    keeper.create(app, upsert=False)
    keeper.refresh("shop")
    argo.stuck.set()
    with pytest.raises(TimedOut, match=r"still syncs shop after 0\.4 s: initiating"):
        keeper.sync("shop", SyncRequest(timeout=0.4), silent)
    view = keeper.view("shop")
    assert view.operation is not None
    assert view.operation.phase == "Running"
    with pytest.raises(EnvironmentProblem, match='Argo CD syncs "shop" already since 20'):
        keeper.sync("shop", SyncRequest(), silent)
    argo.stuck.clear()
    eventually(lambda: keeper.view("shop").sync == "Synced")


def test_a_sync_that_fails(keeper: ArgoKeeper, commits: Commits, argo: ArgoController, app: App) -> None:
    keeper.create(app, upsert=False)
    commits.commit(SHOP.replace("kind: Service\n", "kind: Service\nspecs: {}\n"))
    argo.refuses = "one or more synchronization tasks are not valid"
    view = keeper.sync("shop", SyncRequest(), silent)
    assert view.operation is not None
    assert (view.operation.phase, view.operation.message) == ("Failed", argo.refuses)
    assert keeper.history("shop") == []


def test_a_repository_that_cannot_be_read(keeper: ArgoKeeper, commits: Commits, app: App) -> None:
    keeper.create(app, upsert=False)
    keeper.refresh("shop")
    commits.gone = "failed to get git client for repo https://git.test/me/gitops.git: authentication required"
    view = keeper.refresh("shop", hard=True)
    assert view.sync == "Unknown"
    assert [(one.type, one.message) for one in view.conditions] == [("ComparisonError", commits.gone)]
    view = keeper.sync("shop", SyncRequest(), silent)
    assert view.operation is not None
    assert (view.operation.phase, view.operation.message) == ("Error", commits.gone)


def test_the_controller_writes_in_between(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    keeper.create(app, upsert=False)
    keeper.refresh("shop")
    fault = Fault(409, reason="Conflict", message="the object has been modified")
    server.fail("patch", "applications", fault, times=2)
    view = keeper.sync("shop", SyncRequest(), silent)
    assert view.sync == "Synced"


def test_two_syncs_at_once(keeper: ArgoKeeper, argo: ArgoController, app: App) -> None:
    """Only one of them is begun; the other hears of it, and takes nothing away from the first."""
    keeper.create(app, upsert=False)
    keeper.refresh("shop")
    argo.stuck.set()
    outcomes: list[str] = []

    def sync() -> None:
        other = ArgoKeeper()
        try:
            view = other.sync("shop", SyncRequest(), silent)
            outcomes.append(view.sync)
        except EnvironmentProblem as problem:
            outcomes.append(problem.message[:22])
        other.close()

    threads = [threading.Thread(target=sync) for _ in range(2)]
    for thread in threads:
        thread.start()
    eventually(lambda: outcomes)
    argo.stuck.clear()
    for thread in threads:
        thread.join(10)
    assert sorted(outcomes) == ['Argo CD syncs "shop" a', "Synced"]
    assert len(keeper.history("shop")) == 1


# A cluster without Argo CD, and what it does not take.


@pytest.mark.parametrize(
    "verb",
    [
        lambda keeper, app: keeper.create(app, upsert=True),
        lambda keeper, app: keeper.view(app.name),
        lambda keeper, app: keeper.refresh(app.name),
        lambda keeper, app: keeper.sync(app.name, SyncRequest(), silent),
        lambda keeper, app: keeper.history(app.name),
        lambda keeper, app: keeper.rollback(app.name, 0, silent, prune=False),
        lambda keeper, app: keeper.change(app, silent),
        lambda keeper, app: keeper.delete(app.name, silent, cascade=True, data=True),
    ],
    ids=["create", "view", "refresh", "sync", "history", "rollback", "change", "delete"],
)
def test_argo_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: App, verb: Callable[[ArgoKeeper, App], object]
) -> None:
    with ApiServer(schemas=Schemas()) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        with pytest.raises(
            EnvironmentProblem, match=r'Argo CD is not installed in this cluster \(context "fake"\)'
        ):
            verb(ArgoKeeper(), app)
        assert {method for method, _ in server.requests} == {"GET"}


def test_an_application_that_the_cluster_refuses(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    cluster = keeper._cluster
    made: dict[str, Any] = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "bad"},
        "spec": {"project": "default"},
    }  # fmt: skip
    with pytest.raises(EnvironmentProblem, match=r"spec\.destination: Required value") as caught:
        cluster.create(keeper_module.APPLICATIONS, made)
    assert getattr(caught.value, "code", 0) == 422
    with pytest.raises(UsageError, match="no application"):
        keeper.view("bad")
    with pytest.raises(UsageError, match="cannot read /srv/git/shop"):
        keeper.create(replace(app, repository="/srv/git/shop"), upsert=False)


def test_what_is_asked_of_helm(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    chart = replace(app, values=("prod.yaml",), settings=("image.tag=1.2",), server="staging")
    keeper.create(chart, upsert=False)
    spec = application(server)["spec"]
    assert spec["source"]["helm"] == {
        "valueFiles": ["prod.yaml"], "parameters": [{"name": "image.tag", "value": "1.2"}]
    }  # fmt: skip
    assert spec["destination"] == {"name": "staging", "namespace": "ci"}
    keeper.create(chart, upsert=False)
    keeper.create(replace(app, recurse=True), upsert=True)
    spec = application(server)["spec"]
    assert spec["source"] == {
        "repoURL": app.repository, "path": "prod", "targetRevision": "HEAD", "directory": {"recurse": True}
    }  # fmt: skip
    assert spec["destination"] == {"server": "https://kubernetes.default.svc", "namespace": "ci"}


def test_several_sources_are_left_alone(keeper: ArgoKeeper, server: ApiServer, app: App) -> None:
    keeper.create(app, upsert=False)
    kind = server.kind_of("argoproj.io", "v1alpha1", "applications")
    before = copy.deepcopy(application(server)["spec"]["source"])
    server.store.change(kind, "argocd", "shop", lambda found: found["spec"].update(sources=[before, before]))
    with pytest.raises(UsageError, match="has several sources"):
        keeper.change(replace(app, path="staging"), silent)
