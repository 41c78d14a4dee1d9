"""The field tables of a pipeline: the one place that knows every field, its type, default, age, and meaning.

Decoding, the JSON Schema, lint, `explain`, and the documentation read these tables
(Dispatch 1.4, "Pipeline Configuration Reference"; resource parameters by Tekton's PipelineResource).
"""

from __future__ import annotations

from dispatchfile.model.kubernetes import SECRET_KEY, STEP, TEXTS, VOLUME
from dispatchfile.model.shape import Field, ListOf, MapOf, Table, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.model.shape import Shape

GLOBS = ListOf(Text("glob"))
PATH_GLOBS = ListOf(Text("path-glob"))

# Resources

_PROXIES = tuple(
    Field(
        name, Text(), f"Proxy setting for git, as the variable {name} of curl.", since="1.2", honoured=False
    )
    for name in ("httpProxy", "httpsProxy", "noProxy")
)

GIT = Table(
    "git",
    "a git resource",
    "Parameters of a git repository; as input it is cloned to /workspace/NAME.",
    (
        Field("url", Text(), "Clone URL, often `$(context.git.url)`.", required=True),
        Field(
            "revision",
            Text(),
            "Branch, tag, or commit.",
            default="the remote's default branch (before 1.3: master)",
        ),
        Field("depth", Text(), "How many commits to fetch; 0 fetches all.", default='"1"'),
        Field("submodules", Text(), "Whether to fetch submodules.", default='"true"'),
        Field(
            "sslVerify",
            Text(),
            "Whether to check the server's certificate.",
            default='"true"',
            honoured=False,
        ),
        Field("refspec", Text(), "What to fetch before the revision is checked out.", honoured=False),
        *_PROXIES,
    ),
)

IMAGE = Table(
    "image",
    "an image resource",
    "Parameters of a container image; as output a task leaves an OCI layout in /workspace/output/NAME.",
    (
        Field("url", Text(), "Where the image is pushed; may hold the tag.", required=True),
        Field("digest", Text(), "Digest; `$(inputs.resources.NAME.digest)` is filled in by the task that makes it.",
              default="that of the image its task made"),
    ),
)  # fmt: skip

STORAGE = Table(
    "storage",
    "a storage resource",
    "Parameters of a bucket; its content is copied to and from /workspace.",
    (
        Field("type", Text(), "Kind of storage: gcs, also for S3.", required=True),
        Field(
            "location",
            Text(),
            "s3://bucket/path or gs://bucket/path.",
            default='"", the bucket of Dispatch itself',
        ),
        Field("dir", Text(), 'Whether the location is a directory: "y".'),
    ),
)

RESOURCE_TYPES = {"git": GIT, "image": IMAGE, "storage": STORAGE}

# Resource types that Tekton had and Dispatch never documented: known by name, not run here.
FOREIGN_RESOURCE_TYPES = ("pullRequest", "cluster", "cloudEvent")

RESOURCE = Table(
    "resource",
    "a resource",
    "Something that tasks take in or put out.",
    (
        Field("type", Text(), "git, image, or storage.", required=True),
        Field("param", MapOf(Text()), "Parameters of the type; all values are strings.", aliases=("params",)),
        Field("secret", MapOf(SECRET_KEY), "Secret keys by the environment variable that names their file.",
              aliases=("secrets",)),
    ),
)  # fmt: skip

# Tasks

METADATA = Table(
    "metadata",
    "a task's `metadata`",
    "Labels and annotations for the TaskRun and its pod.",
    (
        Field("labels", MapOf(Text()), "Labels.", since="1.4"),
        Field("annotations", MapOf(Text()), "Annotations.", since="1.4"),
    ),
)

TASK = Table(
    "task",
    "a task",
    "Steps that run in order, what they need, and what they make.",
    (
        Field("inputs", TEXTS, "Resources the task reads, and (from 1.1) tasks it runs after."),
        Field("outputs", TEXTS, "Resources the task makes; each is made by one task only."),
        Field("deps", TEXTS, "Tasks it runs after.", deprecated="list the tasks in `inputs` (1.1)"),
        Field("steps", ListOf(STEP), "Containers to run, in order.", required=True),
        Field("volumes", ListOf(VOLUME), "Volumes that its steps may mount."),
        Field("timeout", Text("duration"), 'How long it may take, such as "1h30m".', since="1.3",
              default="the timeout of the run"),
        Field("metadata", METADATA, "Labels and annotations of its pod.", since="1.4"),
    ),
)  # fmt: skip

# Conditions

_PATHS = Field("paths", PATH_GLOBS, "At least one changed file matches.")

PUSH = Table(
    "push",
    "a push condition",
    "A push to a branch.",
    (
        Field("branches", GLOBS, "The branch matches.", default="every branch"),
        _PATHS,
        Field("tags", GLOBS, "Never documented; fires on nothing.", deprecated="write `tag: names:`"),
    ),
)

TAG = Table(
    "tag",
    "a tag condition",
    "A pushed tag.",
    (Field("names", GLOBS, "The tag matches.", default="every tag"),),
)

PULL_REQUEST = Table(
    "pullRequest",
    "a pull_request condition",
    "A pull request is opened or changed; with `chatops`, a comment on it.",
    (
        Field("targets", GLOBS, "The branch it is to be merged into matches.", since="1.2"),
        Field("sources", GLOBS, "The branch it comes from matches.", since="1.2"),
        _PATHS,
        Field("chatops", TEXTS, "Fire on comments `/WORD …` with one of these words instead of on changes."),
        Field("labels", TEXTS, "All these labels are set; `!label` is not set.", since="1.3"),
        Field("branches", GLOBS, "The older name of `targets`.", deprecated="write `targets` (1.2)"),
    ),
)

RELEASE = Table(
    "release",
    "a release condition",
    "A published GitHub release.",
    (Field("tags", GLOBS, "The release's tag matches.", since="1.3", default="every tag"),),
)

CRON_GIT = Table(
    "cronGit",
    "a cron condition's `git`",
    "What a cron run checks out.",
    (Field("revision", Text(), "Branch, tag, or commit.", since="1.4", default="the default branch"),),
)

CRON = Table(
    "cron",
    "a cron condition",
    "Times, read from the Dispatchfile of the default branch.",
    (
        Field("schedule", Text("schedule"), "Five fields, or @hourly, @daily, @every 2h …", since="1.2", required=True),
        Field("git", CRON_GIT, "What to check out.", since="1.4"),
        Field("revision", Text(), "The older place of `git.revision`.", since="1.2", default="the default branch",
              deprecated="write `git: revision:` (1.4)"),
    ),
)  # fmt: skip

IMAGE_PUSH = Table(
    "imagePush",
    "an image push condition",
    "A tag pushed to the image repository.",
    (Field("tags", GLOBS, "The tag matches.", since="1.4", default="every tag"),),
)

_GIT_EVENTS = (
    ("push", PUSH, "1.0"),
    ("tag", TAG, "1.0"),
    ("pull_request", PULL_REQUEST, "1.0"),
    ("release", RELEASE, "1.3"),
)

ON_GIT = Table(
    "onGit",
    "a git condition",
    "An event of the repository: exactly one of its fields.",
    tuple(Field(name, table, table.doc, since="1.4") for name, table, _ in _GIT_EVENTS),
)

ON_IMAGE = Table(
    "onImage",
    "an image condition",
    "An event of an image repository.",
    (Field("push", IMAGE_PUSH, IMAGE_PUSH.doc, since="1.4", required=True),),
)

ON = Table(
    "on",
    "an `on`",
    "The one condition of an action: exactly one of its fields.",
    (
        Field("git", ON_GIT, ON_GIT.doc, since="1.4"),
        Field("cron", CRON, CRON.doc, since="1.2"),
        Field("image", ON_IMAGE, ON_IMAGE.doc, since="1.4"),
        *(
            Field(name, table, table.doc, since=since, deprecated=f"write `git: {name}:` (1.4)")
            for name, table, since in _GIT_EVENTS
        ),
    ),
)

# The whole

ACTION = Table(
    "action",
    "an action",
    "Which tasks run on which condition.",
    (
        Field("name", Text(), "Name, unique in the file; a cron action needs one."),
        Field("tasks", TEXTS, "Tasks to run; the tasks they need run too.", required=True),
        Field("on", ON, "When to run them; an action without it never fires."),
    ),
)

PIPELINE = Table(
    "pipeline",
    "a Dispatchfile",
    "A Dispatchfile, evaluated. Other fields at the top are helpers of its own.",
    (
        Field("resource", MapOf(RESOURCE), "Resources by name."),
        Field("task", MapOf(TASK), "Tasks by name.", required=True),
        Field("actions", ListOf(ACTION), "What runs when."),
    ),
)


def tables() -> list[Table]:
    """Return all tables, parents first, each once; the parameters of resource types come last."""
    found: dict[str, Table] = {}

    def walk(shape: Shape) -> None:
        if isinstance(shape, (ListOf, MapOf)):
            walk(shape.item)
        elif isinstance(shape, Table) and shape.name not in found:
            found[shape.name] = shape
            for field in shape.fields:
                walk(field.shape)

    for root in (PIPELINE, *RESOURCE_TYPES.values()):
        walk(root)
    return list(found.values())


def owners(field: str) -> Iterator[Table]:
    """Yield the tables that have a field of this name."""
    return (table for table in tables() if field in table.by_name)
