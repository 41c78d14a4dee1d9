"""The Kubernetes part of the schema: containers, environment, and volumes (core/v1, Kubernetes 1.16)."""

from __future__ import annotations

from dispatchfile.model.shape import Field, Flag, Free, ListOf, MapOf, Table, Text, Whole

TEXTS = ListOf(Text())

SECRET_KEY = Table(
    "secretKey",
    "a secret key reference",
    "A key of a named secret.",
    (
        Field("name", Text(), "Name of the secret.", required=True),
        Field("key", Text(), "Key within the secret.", required=True),
        Field("optional", Flag(), "Whether the secret or its key may be missing.", default="false"),
    ),
)

VALUE_FROM = Table(
    "valueFrom",
    "a `valueFrom`",
    "Where the value of a variable comes from; exactly one source.",
    (
        Field("secretKeyRef", SECRET_KEY, "A key of a secret."),
        Field("configMapKeyRef", Free(), "A key of a ConfigMap.", honoured=False),
        Field("fieldRef", Free(), "A field of the pod.", honoured=False),
        Field("resourceFieldRef", Free(), "A resource limit of the container.", honoured=False),
    ),
)

ENV = Table(
    "env",
    "an environment variable",
    "An environment variable of a step.",
    (
        Field("name", Text(), "Name of the variable.", required=True),
        Field(
            "value", Text(), "Its value; `$(OTHER)` stands for a variable defined before it.", default='""'
        ),
        Field("valueFrom", VALUE_FROM, "Take the value from elsewhere, such as a secret."),
    ),
)

VOLUME_MOUNT = Table(
    "volumeMount",
    "a volume mount",
    "Where a step sees a volume of its task.",
    (
        Field("name", Text(), "Name of a volume of the task.", required=True),
        Field("mountPath", Text(), "Absolute path in the container.", required=True),
        Field("subPath", Text(), "Directory of the volume to mount instead of its root."),
        Field("readOnly", Flag(), "Whether the step may not write to it.", default="false"),
        Field("mountPropagation", Text(), "How mounts pass between host and container.", honoured=False),
        Field("subPathExpr", Text(), "Like subPath, with environment variables.", honoured=False),
    ),
)

RESOURCES = Table(
    "resources",
    "a step's `resources`",
    "What a step may use and wants reserved; quantities such as cpu: 500m, memory: 1Gi.",
    (
        Field(
            "limits", MapOf(Text("quantity")), "At most this much.", default="cpu 1, memory 2Gi on a cluster"
        ),
        Field(
            "requests", MapOf(Text("quantity")), "Reserved on a cluster.", default="cpu 250m, memory 512Mi"
        ),
    ),
)

SECURITY_CONTEXT = Table(
    "securityContext",
    "a `securityContext`",
    "Rights of the container.",
    (
        Field("privileged", Flag(), "All rights of the host, as Docker in Docker needs.", default="false"),
        Field("runAsUser", Whole(), "User id.", default="the image's user"),
        Field("runAsGroup", Whole(), "Group id.", default="the image's group"),
        Field("runAsNonRoot", Flag(), "Refuse to run as root.", honoured=False),
        Field("allowPrivilegeEscalation", Flag(), "Whether setuid programs work.", honoured=False),
        Field("capabilities", Free(), "Capabilities to add and drop.", honoured=False),
        Field("procMount", Text(), "Kind of /proc.", honoured=False),
        Field("readOnlyRootFilesystem", Flag(), "Whether the root file system is read-only.", honoured=False),
        Field("seLinuxOptions", Free(), "SELinux label.", honoured=False),
        Field("seccompProfile", Free(), "System calls; restricted namespaces ask for one.", honoured=False),
        Field("windowsOptions", Free(), "Settings for Windows.", honoured=False),
    ),
)

STEP = Table(
    "step",
    "a step",
    "A container of a task. Steps run in order and share /workspace; a failing step stops its task.",
    (
        Field("name", Text("name"), "Name, unique in its task; its standard output is the result of this name.",
              default="unnamed-N"),
        Field("image", Text(), "Container image.", required=True),
        Field("command", TEXTS, "Replaces the image's ENTRYPOINT; no shell splits it.", default="the image's ENTRYPOINT"),
        Field("args", TEXTS, "Replaces the image's CMD.", default="the image's CMD, none when `command` is given"),
        Field("script", Text(), "A script to run instead of a command; its first line may name the interpreter."),
        Field("workingDir", Text(), "Directory to run in.", default="/workspace"),
        Field("env", ListOf(ENV), "Environment variables."),
        Field("volumeMounts", ListOf(VOLUME_MOUNT), "Volumes of the task that the step sees."),
        Field("resources", RESOURCES, "Limits and requests."),
        Field("securityContext", SECURITY_CONTEXT, "Rights of the container."),
        Field("envFrom", ListOf(Free()), "Variables from a ConfigMap or secret.", honoured=False),
        Field("imagePullPolicy", Text(), "When to pull the image; a local run has --pull.", honoured=False),
        Field("lifecycle", Free(), "Hooks of the container.", honoured=False),
        Field("livenessProbe", Free(), "Probe of a service.", honoured=False),
        Field("ports", ListOf(Free()), "Ports the container listens on; steps of a task reach each other anyway."),
        Field("readinessProbe", Free(), "Probe of a service.", honoured=False),
        Field("startupProbe", Free(), "Probe of a service.", honoured=False),
        Field("stdin", Flag(), "Keep standard input open.", honoured=False),
        Field("stdinOnce", Flag(), "Close standard input after the first client.", honoured=False),
        Field("terminationMessagePath", Text(), "Where the container leaves its last words.", honoured=False),
        Field("terminationMessagePolicy", Text(), "How its last words are found.", honoured=False),
        Field("tty", Flag(), "Give the container a terminal.", honoured=False),
        Field("volumeDevices", ListOf(Free()), "Block devices.", honoured=False),
    ),
)  # fmt: skip

EMPTY_DIR = Table(
    "emptyDir",
    "an `emptyDir`",
    "An empty directory that lives as long as its task.",
    (
        Field("medium", Text(), '"Memory" for a RAM disk.', honoured=False),
        Field("sizeLimit", Text("quantity"), "At most this much.", honoured=False),
    ),
)

SECRET_VOLUME = Table(
    "secretVolume",
    "a secret volume",
    "A file per key of a secret.",
    (
        Field("secretName", Text(), "Name of the secret.", required=True),
        Field("items", ListOf(Free()), "Which keys, under which file names.", default="all keys"),
        Field("defaultMode", Whole(), "Mode of the files.", default="0644", honoured=False),
        Field("optional", Flag(), "Whether the secret may be missing.", default="false"),
    ),
)

HOST_PATH = Table(
    "hostPath",
    "a `hostPath`",
    "A directory or file of the machine.",
    (
        Field("path", Text(), "Path on the machine.", required=True),
        Field("type", Text(), "What must be there.", honoured=False),
    ),
)

_CLUSTER_VOLUMES = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
]

VOLUME = Table(
    "volume",
    "a volume",
    "A volume that the steps of a task share; exactly one source beside its name.",
    (
        Field("name", Text("name"), "Name, unique in its task.", required=True),
        Field("emptyDir", EMPTY_DIR, "An empty directory."),
        Field("secret", SECRET_VOLUME, "The keys of a secret as files."),
        Field("hostPath", HOST_PATH, "A path of the machine."),
        *(Field(name, Free(), "A volume of the cluster.", honoured=False) for name in _CLUSTER_VOLUMES),
    ),
)
