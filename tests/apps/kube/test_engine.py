from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.apps import diff
from dispatchfile.apps.app import App
from dispatchfile.apps.argocd.secrets import encoded
from dispatchfile.apps.kube import compare
from dispatchfile.apps.kube.engine import KubeEngine
from dispatchfile.apps.manifest import Manifest
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.record import replace
from tests.apps.kube import samples
from tests.apps.kube.conftest import Kubectl
from tests.apps.kube.samples import SHOP, manifests, silent, words
from tests.cluster import schemas
from tests.cluster.api_server import ApiServer, Fault


def one(engine: KubeEngine, app: App, wanted: list[Manifest], name: str) -> Any:
    return next(r for r in engine.observe(app, wanted) if f"{r.key.kind}/{r.key.name}" == name)


def applied(engine: KubeEngine, app: App, *texts: str) -> list[Manifest]:
    wanted = manifests(*texts)
    results = engine.apply(app, wanted, wanted, silent)
    assert [result.done for result in results] == ["Synced"] * len(wanted), results
    return wanted


# What an apply brings about, and what is then seen of it.


def test_from_nothing_to_synced(
    any_server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: App
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(any_server.kubeconfig(tmp_path / "k")))
    engine = KubeEngine()
    wanted = manifests(SHOP, samples.CLUSTER_ROLE)
    before = engine.observe(app, wanted)
    assert {resource.health for resource in before} == {"Missing"}
    assert set(words(before).values()) == {"OutOfSync"}
    said: list[str] = []
    assert [result.message for result in engine.apply(app, wanted, wanted, said.append)] == ["created"] * 5
    assert said[0] == "apps/Deployment ci/web: created"
    after = engine.observe(app, wanted)
    assert set(words(after).values()) == {"Synced"}
    assert diff.unified(after) == ""
    kept = any_server.cluster.get("Deployment", "ci", "web")
    assert kept["metadata"]["labels"] == {"tier": "front", "dispatchfile/app": "shop"}
    assert kept["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "500m"
    engine.close()


def test_applying_again_changes_nothing(server: ApiServer, engine: KubeEngine, app: App) -> None:
    wanted = applied(engine, app, SHOP)
    version = server.store.version
    assert {result.message for result in engine.apply(app, wanted, wanted, silent)} == {"unchanged"}
    engine.observe(app, wanted)
    assert server.store.version == version


def test_a_dry_run_keeps_nothing(server: ApiServer, engine: KubeEngine, app: App) -> None:
    version = server.store.version
    engine.observe(app, manifests(SHOP))
    assert server.store.version == version
    assert server.cluster.list("Deployment") == []


def test_exactly_the_fields_that_a_person_changed(engine: KubeEngine, app: App, kubectl: Kubectl) -> None:
    wanted = applied(engine, app, SHOP)
    assert kubectl("scale", "deployment/web", "--replicas=5").returncode == 0
    assert kubectl("set", "image", "deployment/web", "web=shop/web:9").returncode == 0
    assert kubectl("annotate", "service/web", "somebody=was-here").returncode == 0
    found = engine.observe(app, wanted)
    assert words(found) == {
        "Deployment/web": "OutOfSync", "Service/web": "Synced", "ConfigMap/conf": "Synced", "Secret/login": "Synced"
    }  # fmt: skip
    web = found[0]
    assert list(compare.changed(web.live, web.wanted)) == [
        "spec.replicas", "spec.template.spec.containers[0].image"
    ]  # fmt: skip
    assert (web.live["spec"]["replicas"], web.wanted["spec"]["replicas"]) == (5, 2)
    assert "kubectl has set spec.replicas" in web.message
    assert 'kubectl-set has set spec.template.spec.containers[name="web"].image' in web.message
    (result,) = engine.apply(app, wanted, wanted[:1], silent)
    assert "kubectl has set spec.replicas" in result.message
    assert set(words(engine.observe(app, wanted)).values()) == {"Synced"}
    assert (
        kubectl("get", "service/web", "-o", "jsonpath={.metadata.annotations.somebody}").stdout == "was-here"
    )


def test_what_kubectl_printed_can_be_committed(engine: KubeEngine, app: App, kubectl: Kubectl) -> None:
    applied(engine, app, SHOP)
    text = kubectl("get", "deployment/web", "-o", "yaml").stdout
    assert "resourceVersion" in text
    kubectl("scale", "deployment/web", "--replicas=3")
    wanted = manifests(text)
    assert list(compare.changed(*_live_and_wanted(engine, app, wanted))) == ["spec.replicas"]
    engine.apply(app, wanted, wanted, silent)
    assert engine.observe(app, wanted)[0].sync == "Synced"


def _live_and_wanted(engine: KubeEngine, app: App, wanted: list[Manifest]) -> tuple[Any, Any]:
    found = engine.observe(app, wanted)[0]
    return found.live, found.wanted


def test_a_field_that_is_not_wanted_any_more_goes(server: ApiServer, engine: KubeEngine, app: App) -> None:
    applied(engine, app, SHOP)
    wanted = manifests(SHOP.replace(", b: two", ""))
    conf = one(engine, app, wanted, "ConfigMap/conf")
    assert list(compare.changed(conf.live, conf.wanted)) == ["data.b"]
    engine.apply(app, wanted, wanted, silent)
    assert server.cluster.get("ConfigMap", "ci", "conf")["data"] == {"a": "one"}


def test_no_value_of_a_secret_is_told(server: ApiServer, engine: KubeEngine, app: App) -> None:
    applied(engine, app, SHOP)
    changed = manifests(SHOP.replace("hunter2-hunter2", "hunter3-hunter3"))
    login = one(engine, app, changed, "Secret/login")
    assert login.sync == "OutOfSync"
    shown = json.dumps([login.live, login.wanted, login.message]) + diff.unified([login])
    for secret in ("hunter", "aHVudGVy"):
        assert secret not in shown
    assert server.cluster.get("Secret", "ci", "login")["data"] == {"password": "aHVudGVyMi1odW50ZXIy"}


def test_no_value_of_a_secret_is_told_that_the_cluster_quotes(engine: KubeEngine, app: App) -> None:
    wanted = manifests("apiVersion: v1\nkind: Secret\nmetadata: {name: pin}\ndata: {pin: 4711471147}\n")
    said = engine.observe(app, wanted)[0].message, engine.apply(app, wanted, wanted, silent)[0].message
    assert set(said) == {".data.pin: expected string"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("replicas: 2", "replica: 2", ".spec.replica: field not declared in schema"),
        ("replicas: 2", "replicas: two", ".spec.replicas: expected"),
        ("      - name: web\n", "      - names: web\n", "names: field not declared in schema"),
        ("  selector: {matchLabels: {app: web}}\n", "", "spec.selector: Required value"),
    ],
    ids=["typo", "type", "typo in a list", "required"],
)
def test_what_the_cluster_does_not_take(
    server: ApiServer, engine: KubeEngine, app: App, old: str, new: str, said: str
) -> None:
    wanted = manifests(SHOP.replace(old, new, 1))
    assert said in one(engine, app, wanted, "Deployment/web").message
    results = engine.apply(app, wanted, wanted, silent)
    assert [result.done for result in results] == ["SyncFailed", "Synced", "Synced", "Synced"]
    assert said in results[0].message
    assert server.cluster.list("Deployment") == []


def test_fields_that_cannot_be_changed(server: ApiServer, engine: KubeEngine, app: App) -> None:
    applied(engine, app, samples.JOB)
    changed = samples.JOB.replace("migrate:1", "migrate:2")
    wanted = manifests(changed)
    assert "Force=true,Replace=true" in one(engine, app, wanted, "Job/migrate").message
    (result,) = engine.apply(app, wanted, wanted, silent)
    assert result.done == "SyncFailed"
    assert "spec.template" in result.message
    assert "field is immutable" in result.message
    uid = server.cluster.get("Job", "ci", "migrate")["metadata"]["uid"]
    options = 'annotations: {"argocd.argoproj.io/sync-options": "Force=true,Replace=true"}'
    forced = manifests(changed.replace("{name: migrate}", "{name: migrate, " + options + "}"))
    (result,) = engine.apply(app, forced, forced, silent)
    assert (result.done, result.message) == ("Synced", "deleted and made anew")
    made = server.cluster.get("Job", "ci", "migrate")
    assert made["metadata"]["uid"] != uid
    assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/migrate:2"
    assert one(engine, app, forced, "Job/migrate").sync == "Synced"


def test_replace(server: ApiServer, engine: KubeEngine, app: App, kubectl: Kubectl) -> None:
    text = SHOP.replace(
        "metadata: {name: conf}",
        'metadata: {name: conf, annotations: {"argocd.argoproj.io/sync-options": Replace=true}}',
    )
    wanted = applied(engine, app, text)
    assert (
        kubectl("patch", "configmap/conf", "--type=merge", "-p", '{"data": {"c": "by hand"}}').returncode == 0
    )
    results = engine.apply(app, wanted, wanted, silent)
    assert results[2].message == "replaced"
    assert server.cluster.get("ConfigMap", "ci", "conf")["data"] == {"a": "one", "b": "two"}


def test_a_new_kind_and_its_first_object(engine: KubeEngine, app: App) -> None:
    wanted = manifests(samples.CRD, samples.TILL)
    before = engine.observe(app, wanted)
    assert (before[1].unknown, before[1].sync, before[1].health) == (False, "OutOfSync", "Missing")
    assert "CustomResourceDefinition is not there yet" in before[1].message
    assert [result.message for result in engine.apply(app, wanted, wanted, silent)] == ["created", "created"]
    after = engine.observe(app, wanted)
    assert [(found.sync, found.health) for found in after] == [("Synced", "Healthy"), ("Synced", None)]


def test_an_unknown_kind(engine: KubeEngine, app: App) -> None:
    wanted = manifests(samples.TILL, SHOP)
    till = one(engine, app, wanted, "Till/one")
    assert till.unknown
    assert "is its CustomResourceDefinition installed?" in till.message
    results = engine.apply(app, wanted, wanted, silent)
    assert [result.done for result in results] == ["SyncFailed", "Synced", "Synced", "Synced", "Synced"]


def test_another_version_and_another_spelling(engine: KubeEngine, app: App) -> None:
    old = manifests(SHOP.replace("apps/v1", "apps/v1beta1"))
    assert "it has apps/v1: change apiVersion" in engine.observe(app, old)[0].message
    odd = manifests(SHOP.replace("kind: Deployment", "kind: Deployement"))
    assert 'did you mean "Deployment"?' in engine.observe(app, odd)[0].message


# Namespaces.


def test_the_namespace_of_the_application_comes_with_it(
    server: ApiServer, engine: KubeEngine, app: App
) -> None:
    app = replace(app, namespace="fresh")
    wanted = manifests(samples.NAMESPACE.replace("NAME", "fresh"), SHOP, namespace="fresh")
    assert {resource.health for resource in engine.observe(app, wanted)} == {"Missing"}
    assert {result.done for result in engine.apply(app, wanted, wanted, silent)} == {"Synced"}
    assert server.cluster.get("ConfigMap", "fresh", "dispatchfile-shop")
    assert set(words(engine.observe(app, wanted)).values()) == {"Synced"}


def test_no_namespace(engine: KubeEngine, app: App, server: ApiServer) -> None:
    app = replace(app, namespace="nowhere")
    wanted = manifests(SHOP, namespace="nowhere")
    with pytest.raises(EnvironmentProblem, match='there is no namespace "nowhere"') as caught:
        engine.apply(app, wanted, wanted, silent)
    assert "kubectl create namespace nowhere" in caught.value.help
    assert server.cluster.list("Deployment") == []


# Whose an object is.


def test_pruning(server: ApiServer, engine: KubeEngine, app: App) -> None:
    wanted = applied(engine, app, SHOP, samples.CLUSTER_ROLE)
    left = samples.without(wanted, "ConfigMap/conf", "ClusterRole/shop:reader")
    found = engine.observe(app, left)
    gone = [resource for resource in found if resource.to_prune]
    assert sorted(words(gone)) == ["ClusterRole/shop:reader", "ConfigMap/conf"]
    assert [resource.to_prune for resource in found[:3]] == [False] * 3
    assert {result.done for result in engine.prune(app, gone, silent)} == {"Pruned"}
    assert set(words(engine.observe(app, left))) == set(words(found[:3]))
    assert {result.message for result in engine.prune(app, gone, silent)} == {"it is gone already"}


@pytest.mark.parametrize(
    ("change", "done", "said"),
    [
        ({"metadata": {"labels": {"dispatchfile/app": "other"}}}, "PruneSkipped", 'belongs to the application "other"'),
        ({"metadata": {"labels": {"dispatchfile/app": None}}}, "PruneSkipped", "does not belong to this application"),
        (
            {"metadata": {"annotations": {"argocd.argoproj.io/sync-options": "Validate=false,Prune=false"}}},
            "PruneSkipped", "Prune=false",
        ),
    ],
    ids=["another's", "nobody's", "asks to stay"],
)  # fmt: skip
def test_what_is_not_pruned(
    engine: KubeEngine, app: App, kubectl: Kubectl, change: dict[str, Any], done: str, said: str
) -> None:
    wanted = applied(engine, app, SHOP)
    gone = [r for r in engine.observe(app, samples.without(wanted, "ConfigMap/conf")) if r.to_prune]
    assert kubectl("patch", "configmap/conf", "--type=merge", "-p", json.dumps(change)).returncode == 0
    (result,) = engine.prune(app, gone, silent)
    assert result.done == done
    assert said in result.message
    assert kubectl("get", "configmap/conf").returncode == 0


def test_two_applications_do_not_take_from_each_other(
    server: ApiServer, engine: KubeEngine, app: App
) -> None:
    applied(engine, app, SHOP)
    other, wanted = replace(app, name="rival"), manifests(SHOP)
    assert 'belongs to the application "shop"' in engine.observe(other, wanted)[0].message
    results = engine.apply(other, wanted, wanted, silent)
    assert {result.done for result in results} == {"SyncFailed"}
    engine.delete(other, silent, data=True)
    assert len(server.cluster.list("Deployment")) == 1


def test_what_a_controller_has_made_is_not_ours(server: ApiServer, engine: KubeEngine, app: App) -> None:
    wanted = applied(engine, app, SHOP)
    uid = server.cluster.get("Service", "ci", "web")["metadata"]["uid"]
    labels = {"dispatchfile/app": "shop"}
    server.cluster.create("Endpoints", "ci", {"metadata": {"name": "web", "labels": labels}})
    owner = [{"uid": uid, "controller": True, "kind": "Service", "name": "web", "apiVersion": "v1"}]
    server.cluster.create(
        "ConfigMap", "ci", {"metadata": {"name": "made", "labels": labels, "ownerReferences": owner}}
    )
    server.store.delete(server.kind_of("", "v1", "configmaps"), "ci", "dispatchfile-shop")
    assert len(engine.observe(app, wanted)) == len(wanted)


def test_kinds_are_found_again_when_the_memory_is_lost(
    server: ApiServer, engine: KubeEngine, app: App
) -> None:
    wanted = applied(engine, app, SHOP, samples.CLUSTER_ROLE)
    left = samples.without(wanted, "ClusterRole/shop:reader")
    server.store.delete(server.kind_of("", "v1", "configmaps"), "ci", "dispatchfile-shop")
    server.forbid("list", "storageclasses")
    assert sorted(words(engine.observe(app, left)))[0] == "ClusterRole/shop:reader"


def test_who_may_look_into_own_namespaces_only(server: ApiServer, engine: KubeEngine, app: App) -> None:
    wanted = applied(engine, app, SHOP)
    server.forbid_everywhere("configmaps")
    left = samples.without(wanted, "ConfigMap/conf")
    assert [str(r.key) for r in engine.observe(app, left) if r.to_prune] == ["ConfigMap ci/conf"]


def test_deleting(server: ApiServer, engine: KubeEngine, app: App, kubectl: Kubectl) -> None:
    stateful = SHOP.partition("---")[0].replace("kind: Deployment", "kind: StatefulSet") + (
        "  serviceName: web\n  volumeClaimTemplates:\n  - metadata: {name: disk}\n    spec: {accessModes: [ReadWriteOnce]}\n"
    )
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: big}\nspec: {accessModes: [ReadWriteOnce]}\n"
    kept = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, annotations: {"argocd.argoproj.io/sync-options": Delete=false}}\n'
    applied(engine, app, SHOP, stateful, claim, kept)
    for name in ("disk-web-0", "disk-webby-0"):
        server.cluster.create("PersistentVolumeClaim", "ci", {"metadata": {"name": name}, "spec": {}})
    said: list[str] = []
    engine.delete(app, said.append, data=False)
    assert "ConfigMap ci/kept stays: it has the sync option Delete=false" in said
    assert "PersistentVolumeClaim ci/big stays: what it holds would be lost; --data deletes it too" in said
    assert [found["metadata"]["name"] for found in server.cluster.list("ConfigMap", "ci")] == ["kept"]
    assert server.cluster.list("Deployment") == []
    applied(engine, app, stateful)
    engine.delete(app, said.append, data=True)
    left = [found["metadata"]["name"] for found in server.cluster.list("PersistentVolumeClaim")]
    assert left == ["disk-webby-0"]


def test_a_namespace_with_data_stays(server: ApiServer, engine: KubeEngine, app: App) -> None:
    applied(engine, app, samples.NAMESPACE.replace("NAME", "side"))
    server.cluster.create("PersistentVolumeClaim", "side", {"metadata": {"name": "disk"}, "spec": {}})
    engine.delete(app, silent, data=False)
    assert server.cluster.list("PersistentVolumeClaim")
    applied(engine, app, samples.NAMESPACE.replace("NAME", "side"))
    engine.delete(app, silent, data=True)
    assert not server.cluster.list("PersistentVolumeClaim")


# Argo CD in the same cluster.


def argo_application(**spec: Any) -> dict[str, Any]:
    destination = {"server": "https://kubernetes.default.svc", "namespace": "elsewhere"}
    source = {"repoURL": "https://git.test/else.git", "path": "."}
    return {"metadata": {"name": "argo-shop"}, "spec": {"source": source, "destination": destination} | spec}


@pytest.mark.parametrize(
    ("application", "said"),
    [
        (
            {"status": {"resources": [{"group": "apps", "kind": "Deployment", "namespace": "ci", "name": "web"}]}},
            'belongs to Argo CD\'s application "argo-shop"',
        ),
        (
            argo_application(destination={"server": "https://kubernetes.default.svc", "namespace": "ci"}),
            'application "argo-shop" deploys to its namespace',
        ),
    ],
    ids=["lists it", "has its namespace"],
)  # fmt: skip
def test_nothing_is_applied_where_argo_does(
    server: ApiServer, engine: KubeEngine, app: App, application: dict[str, Any], said: str
) -> None:
    server.define(schemas.published("argocd-application"))
    kind = server.kind_of("argoproj.io", "v1alpha1", "applications")
    server.store.create(kind, "argocd", argo_application() | application)
    wanted = manifests(SHOP)[:1]
    assert said in engine.observe(app, wanted)[0].message
    (result,) = engine.apply(app, wanted, wanted, silent)
    assert result.done == "SyncFailed"
    assert said in result.message
    assert server.cluster.list("Deployment") == []


def test_the_same_repository_by_argo(server: ApiServer, engine: KubeEngine, app: App) -> None:
    server.define(schemas.published("argocd-application"))
    kind = server.kind_of("argoproj.io", "v1alpha1", "applications")
    source = {"repoURL": "git@git.test:Me/shop", "path": "./"}
    server.store.create(kind, "argocd", argo_application(source=source | {"path": ""}))
    wanted = manifests(SHOP)
    with pytest.raises(EnvironmentProblem, match="deploys the same repository and path"):
        engine.apply(app, wanted, wanted, silent)
    assert server.cluster.list("Deployment") == []


@pytest.mark.parametrize(
    ("tracking", "refused"),
    [("theirs:apps/Deployment:ci/web", True), ("theirs:apps/Deployment:ci/copied", False)],
    ids=["its own", "copied from another"],
)
def test_what_argo_has_marked(
    server: ApiServer, engine: KubeEngine, app: App, kubectl: Kubectl, tracking: str, refused: bool
) -> None:
    assert kubectl("create", "-f", "-", text=SHOP.partition("---")[0]).returncode == 0
    note = f"argocd.argoproj.io/tracking-id={tracking}"
    assert kubectl("annotate", "deployment/web", note).returncode == 0
    wanted = manifests(SHOP)[:1]
    (result,) = engine.apply(app, wanted, wanted, silent)
    assert (result.done == "SyncFailed") is refused
    assert ('belongs to Argo CD\'s application "theirs"' in result.message) is refused


# A cluster that fails.


@pytest.mark.parametrize(
    ("code", "raises"),
    [(403, None), (500, EnvironmentProblem), (0, EnvironmentProblem)],
    ids=["403", "500", "cut off"],
)
def test_a_cluster_that_refuses_to_compare(
    server: ApiServer, engine: KubeEngine, app: App, code: int, raises: type[Exception] | None
) -> None:
    wanted = applied(engine, app, SHOP)
    server.fail("patch", "deployments", Fault(code, reason="Forbidden", message="no, never"), times=2)
    if raises:
        with pytest.raises(raises):
            engine.observe(app, wanted)
    else:
        found = engine.observe(app, wanted)
        assert (found[0].sync, found[1].sync) == ("Unknown", "Synced")


def test_a_context_that_is_not_there(kubeconfig: Path) -> None:
    with pytest.raises(UsageError, match="there is no context"):
        KubeEngine("nowhere")


def test_one_that_was_killed_between(server: ApiServer, engine: KubeEngine, app: App) -> None:
    """The memory is written before the objects: what one who was killed has left behind is found by the next."""
    wanted = manifests(SHOP)
    server.fail("patch", "services", Fault(0))
    with pytest.raises(EnvironmentProblem):
        engine.apply(app, wanted, wanted, silent)
    found = words(engine.observe(app, wanted[1:]))
    assert found["Deployment/web"] == "OutOfSync"
    assert {result.done for result in engine.apply(app, wanted, wanted, silent)} == {"Synced"}


# What kubectl says of the same.


def test_kubectl_sees_no_difference_where_we_see_none(engine: KubeEngine, app: App, kubectl: Kubectl) -> None:
    wanted = applied(engine, app, SHOP)
    text = "\n".join(json.dumps(_labelled(manifest.object)) for manifest in wanted)
    same = ("diff", "--server-side", "--force-conflicts", "--field-manager=dispatchfile", "-f", "-")
    clean = kubectl(*same, text=text)
    assert (clean.returncode, clean.stdout) == (0, ""), clean.stderr
    kubectl("scale", "deployment/web", "--replicas=7")
    drifted = kubectl(*same, text=text)
    assert drifted.returncode == 1
    # Older ones show the managers of fields too, each entry under "  managedFields:" and so deeper than the fields.
    lines = re.findall(r"^[-+]  (?![-\s])(.*)$", drifted.stdout, re.MULTILINE)
    assert [line for line in lines if not line.startswith(("generation", "resourceVersion"))] == [
        "replicas: 7", "replicas: 2"
    ]  # fmt: skip
    assert one(engine, app, wanted, "Deployment/web").sync == "OutOfSync"
    kubectl(
        "apply", "--server-side", "--force-conflicts", "--field-manager=dispatchfile", "-f", "-", text=text
    )
    assert one(engine, app, wanted, "Deployment/web").sync == "Synced"


def test_kubectl_is_refused_what_we_manage(engine: KubeEngine, app: App, kubectl: Kubectl) -> None:
    applied(engine, app, SHOP)
    other = SHOP.partition("---")[0].replace("replicas: 2", "replicas: 3")
    done = kubectl("apply", "--server-side", "-f", "-", text=other)
    assert done.returncode == 1
    assert 'conflict with "dispatchfile" using apps/v1: .spec.replicas' in done.stderr


def _labelled(found: dict[str, Any]) -> dict[str, Any]:
    labels = {**found["metadata"].get("labels", {}), "dispatchfile/app": "shop"}
    return encoded({**found, "metadata": {**found["metadata"], "labels": labels}})


def test_addresses(server: ApiServer, engine: KubeEngine, app: App) -> None:
    ingress = (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n"
        "  tls: [{hosts: [shop.test]}]\n  rules:\n"
        "  - {host: shop.test, http: {paths: [{path: /hello, pathType: Prefix, backend: {service: {name: web}}}]}}\n"
    )
    balanced = SHOP.split("---")[1].replace("ports:", "type: LoadBalancer, ports:").replace("80", "8080")
    applied(engine, app, ingress, balanced)
    assert engine.urls(app) == ["https://shop.test/hello"]
    entry = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    server.cluster.change("Service", "ci", "web", lambda found: found.update(status=entry))
    assert engine.urls(app) == ["https://shop.test/hello", "http://192.0.2.7:8080"]
