"""Manifests of a small shop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from dispatchfile.apps.manifest import Manifest, key_of

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: front}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: shop/web:1
        resources: {limits: {cpu: 0.5, memory: 64Mi}}
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {port: 80}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {a: one, b: two}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: hunter2-hunter2}
"""
CLUSTER_ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "shop:reader"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: m, image: "shop/migrate:1"}]}
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tills.shop.test}
spec:
  group: shop.test
  scope: Namespaced
  names: {plural: tills, singular: till, kind: Till, listKind: TillList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {drawers: {type: integer}}}}
"""
TILL = """\
apiVersion: shop.test/v1
kind: Till
metadata: {name: one}
spec: {drawers: 3}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: NAME}\n"
CLUSTER_WIDE = ("ClusterRole", "CustomResourceDefinition", "Namespace")


def manifests(*texts: str, namespace: str = "ci") -> list[Manifest]:
    """Return the objects of YAML texts, their namespaces filled in."""
    found = []
    for text in texts:
        for made in yaml.safe_load_all(text):
            its = "" if made["kind"] in CLUSTER_WIDE else namespace
            found.append(Manifest(key_of(made, its), made, "shop.yaml", 1))
    return found


def without(wanted: Iterable[Manifest], *names: str) -> list[Manifest]:
    return [one for one in wanted if f"{one.key.kind}/{one.key.name}" not in names]


def words(resources: Iterable[Any]) -> dict[str, str]:
    """Return KIND/NAME and the sync status of each."""
    return {f"{one.key.kind}/{one.key.name}": one.sync for one in resources}


def silent(_line: str) -> None:
    """Say nothing."""
