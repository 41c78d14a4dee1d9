from __future__ import annotations

from textwrap import dedent

import pytest

from dispatchfile.diagnostics import Severity
from dispatchfile.model.decode import decode
from dispatchfile.model.pipeline import EnvVar, Limits, SecretKey
from dispatchfile.value import Value
from tests.model.helpers import findings, fixed, pipeline, value

WHOLE = """\
resource:
  src:
    type: git
    param: {URL: $(context.git.url), revision: $(context.git.commit)}
  app:
    type: image
    param: {url: "me/app:$(context.build.name)", digest: $(inputs.resources.app.digest)}
  cache:
    type: storage
    param: {type: gcs, location: "s3://bucket/cache"}
    secret: {BOTO_CONFIG: {name: s3-config, key: boto}}
task:
  build:
    inputs: [src]
    outputs: [app]
    timeout: 1h30m
    metadata: {labels: {team: web}, annotations: {note: "1"}}
    volumes:
    - {name: tmp, emptyDir: {}}
    - {name: keys, secret: {secretName: ssh}}
    - name: bare
    steps:
    - name: compile
      image: golang:1.21
      command: [go, build]
      workingDir: /workspace/src
      env:
      - {name: MODE, value: fast}
      - {name: EMPTY, value: ""}
      - {name: TOKEN, valueFrom: {secretKeyRef: {name: scm, key: token, optional: true}}}
      volumeMounts:
      - {name: tmp, mountPath: /tmp/x, subPath: a, readOnly: true}
      - {name: keys, mountPath: /keys}
      - {name: bare, mountPath: /bare}
      resources: {limits: {memory: 1.5Gi, cpu: 250m}}
      securityContext: {privileged: true, runAsUser: 1000}
    - image: kaniko
      args: ["--x"]
actions:
- tasks: [build]
  on: {push: {branches: ["!master", "*"], paths: ["src/**"]}}
- name: nightly
  tasks: [build]
  on: {cron: {schedule: "0 3 * * mon-fri", git: {revision: main}}}
- tasks: [build]
  on: {git: {pull_request: {branches: [main], labels: ["!wip"], chatops: [test]}}}
"""


def test_everything_arrives():
    made = pipeline(WHOLE)
    assert made.resources["src"].param == {"url": "$(context.git.url)", "revision": "$(context.git.commit)"}
    assert made.resources["cache"].secret == {"BOTO_CONFIG": SecretKey("s3-config", "boto")}
    build = made.tasks["build"]
    assert (build.inputs, build.outputs, build.deps, build.timeout) == (("src",), ("app",), (), 5400.0)
    assert (build.labels, build.annotations) == ({"team": "web"}, {"note": "1"})
    assert [(v.name, v.kind, v.settings) for v in build.volumes] == [
        ("tmp", "emptyDir", {}),
        ("keys", "secret", {"secretName": "ssh"}),
        ("bare", "emptyDir", {}),
    ]
    compile_, kaniko = build.steps
    nowhere = Value(None)
    assert compile_.env == (
        EnvVar("MODE", "fast", None, nowhere),
        EnvVar("EMPTY", "", None, nowhere),
        EnvVar("TOKEN", None, SecretKey("scm", "token", optional=True), nowhere),
    )
    assert (compile_.limits, compile_.privileged, compile_.run_as_user) == (
        Limits(1610612736, 0.25),
        True,
        1000,
    )
    assert (compile_.command, compile_.args) == (("go", "build"), None)
    mount = compile_.volume_mounts[0]
    assert (mount.name, mount.mount_path, mount.sub_path, mount.read_only) == ("tmp", "/tmp/x", "a", True)
    assert (kaniko.name, kaniko.command, kaniko.args, kaniko.limits) == (
        "unnamed-1",
        None,
        ("--x",),
        Limits(),
    )


def test_conditions_come_out_alike_in_either_form():
    push, cron, pull_request = (action.on for action in pipeline(WHOLE).actions)
    assert push is not None
    assert (push.kind, push.path, push.branches, push.paths) == (
        "push",
        ("push",),
        ("!master", "*"),
        ("src/**",),
    )
    assert cron is not None
    assert (cron.kind, cron.schedule, cron.revision) == ("cron", "0 3 * * mon-fri", "main")
    assert pull_request is not None
    assert (pull_request.kind, pull_request.path) == ("pull_request", ("git", "pull_request"))
    assert (pull_request.branches, pull_request.targets) == (None, ("main",))
    assert (pull_request.labels, pull_request.sources) == (("!wip",), None)


def test_objects_point_into_the_source():
    made = pipeline(WHOLE)
    place = made.tasks["build"].value.at("steps", 0, "image")
    assert place is not None
    assert place.span is not None
    assert place.span.text == "golang:1.21"


# Each case: what stands in the file around «the place of the finding».
BASE = """\
resource:
  src: {type: git, param: {url: u}}
  app: {type: image, param: {url: u}}
task:
  a: {inputs: [src], steps: [{name: s, image: i}]}
"""
CASES = [
    ("unknown-step-field", "task: {a: {steps: [{image: i, «workdir»: /x}]}}", "DF101", 'a step has no field "workdir"'),
    ("misspelt-beside", "task: {a: {steps: [{image: i, «imagee»: j}]}}", "DF101", "no field"),
    ("misspelt-is-not-missing-too", "task: {a: {steps: [{«imagee»: i}]}}", "DF101", 'a step has no field "imagee"'),
    ("plural-param", "resource: {r: {type: git, «params»: {url: u}}}\ntask: {}", "DF101", 'written "param"'),
    ("both-spellings", "resource: {r: {type: git, param: {url: u}, «params»: {url: u}}}\ntask: {}", "DF101", "has both"),
    ("location-beside-type", "resource: {r: {type: storage, «location»: l, param: {type: gcs}}}\ntask: {}", "DF101", "no field"),
    ("top-level-typo", "«eresource»: {}\ntask: {}", "DF101", 'did you mean "resource"?'),
    ("tasks-at-the-top", "«tasks»: {}\ntask: {}", "DF101", 'did you mean "task"?'),
    ("chatops-below-on", "task: {}\nactions: [{tasks: [a], on: {«chatops»: [t]}}]", "DF101", "`on` has no field"),
    ("no-task", "«resource»: {}", "DF102", 'a Dispatchfile needs the field "task"'),
    ("no-steps", "task: {«a»: {}}", "DF102", 'a task needs the field "steps"'),
    ("empty-steps", "task: {a: {steps: «[]»}}", "DF102", "no steps"),
    ("no-image", "task: {a: {steps: [{name: «s»}]}}", "DF102", 'needs the field "image"'),
    ("empty-image", "task: {a: {steps: [{name: s, image: «''»}]}}", "DF102", 'step "s" has an empty image'),
    ("type-below-param", "resource: {«r»: {param: {type: git, url: u}}}\ntask: {}", "DF102", 'needs the field "type"'),
    ("git-without-url", "resource: {r: {type: git, «param»: {}}}\ntask: {}", "DF102", 'git resource needs the field "url"'),
    ("action-without-on", BASE + "actions: [«{tasks: [a]}»]", "DF102", "it never fires"),
    ("cron-without-schedule", BASE + "actions: [{name: n, tasks: [a], on: {«cron»: {}}}]", "DF102", '"schedule"'),
    ("number-for-string", "resource: {r: {type: git, param: {url: u, depth: «1»}}}\ntask: {}", "DF103", "a string, not a number"),
    ("string-for-list", "task: {a: {inputs: [], deps: [], steps: [{image: i, command: «make»}]}}", "DF103", "a list of strings"),
    ("struct-for-list", "task: {a: {steps: «{image: i}»}}", "DF103", "a list of structs, not a struct"),
    ("env-as-map", "task: {a: {steps: [{image: i, env: «{A: b}»}]}}", "DF103", "a list of structs"),
    ("null-in-list", "task: {a: {inputs: [«~»], steps: [{image: i}]}}", "DF103", "not null"),
    ("top-is-a-list", "«[]»", "DF103", "the file"),
    ("gcs", "resource: {r: {type: «gcs»}}\ntask: {}", "DF104", 'unknown type "gcs"'),
    ("foreign-parameter", "resource: {r: {type: git, param: {url: u, «paths»: p}}}\ntask: {}", "DF104", 'no parameter "paths"'),
    ("step-names", "task: {a: {steps: [{name: s, image: i}, {name: «s», image: i}]}}", "DF105", "two steps"),
    ("shared", BASE + "  app: {steps: [{image: i}]}", "DF105", '"app" is a resource and a task'),
    ("shared-input", BASE + "  app: {steps: [{image: i}]}\n  b: {inputs: [app], steps: [{image: i}]}", "DF105", "as an input it means the resource"),
    ("volume-names", "task: {a: {volumes: [{name: v}, «{name: v}»], steps: [{image: i}]}}", "DF105", "two volumes"),
    ("action-names", BASE + "actions: [{name: nn, tasks: [a], on: {tag: {}}}, {name: «nn», tasks: [a], on: {tag: {}}}]", "DF105", "two actions"),
    ("undefined-input", BASE + "  b: {inputs: [«sru»], steps: [{image: i}]}", "DF201", "neither a resource nor a task"),
    ("undefined-dep", BASE + "  b: {deps: [«src»], steps: [{image: i}]}", "DF201", 'depends on "src", which is no task'),
    ("undefined-output", BASE + "  b: {outputs: [«a»], steps: [{image: i}]}", "DF202", "which is no resource"),
    ("undefined-task", BASE + "actions: [{tasks: [«aa»], on: {tag: {}}}]", "DF203", 'action #0 runs "aa"'),
    ("cycle", "task: {«a»: {inputs: [b], steps: [{image: i}]}, b: {deps: [a], steps: [{image: i}]}}", "DF204", "a -> b -> a"),
    ("own-input", "task: {«a»: {inputs: [a], steps: [{image: i}]}}", "DF204", "waits for itself"),
    ("own-image", "resource: {r: {type: image, param: {url: u}}}\ntask: {«a»: {inputs: [r], outputs: [r], steps: [{image: i}]}}", "DF204", "itself"),
    ("contested", BASE + "  b: {outputs: [app], steps: [{image: i}]}\n  c: {outputs: [«app»], steps: [{image: i}]}", "DF205", '"b" and "c"'),
    ("two-conditions", BASE + "actions: [{tasks: [a], on: {tag: {}, «push»: {}}}]", "DF301", "2 conditions"),
    ("empty-condition", BASE + "actions: [{tasks: [a], on: {push: }}]", "DF301", "empty condition `push`"),
    ("empty-on", BASE + "actions: [{tasks: [a], on: «{}»}]", "DF301", "no condition"),
    ("no-tasks-to-run", BASE + "actions: [{tasks: «[]», on: {tag: {}}}]", "DF302", "runs no task"),
    ("open-class", BASE + "actions: [{tasks: [a], on: {tag: {names: [«'[v'»]}}}]", "DF303", "never closed"),
    ("bare-bang", BASE + "actions: [{tasks: [a], on: {push: {paths: [«'!'»]}}}]", "DF303", "needs a pattern behind it"),
    ("caret", BASE + "actions: [{tasks: [a], on: {tag: {names: [«'v^'»]}}}]", "DF303", "git allows no `^`"),
    ("backslash", BASE + "actions: [{tasks: [a], on: {push: {branches: [«'feature\\\\x'»]}}}]", "DF303", "no backslash"),
    ("range", BASE + "actions: [{tasks: [a], on: {tag: {names: [«'v[9-0]'»]}}}]", "DF303", "runs backwards"),
    ("contradiction", BASE + "actions: [{tasks: [a], on: {push: {branches: «[x, '!x']»}}}]", "DF302", "never fires"),
    ("labels", BASE + "actions: [{tasks: [a], on: {pull_request: {labels: «[b, x, '!x']»}}}]", "DF302", "never fires"),
    ("space-in-branch", BASE + "actions: [{tasks: [a], on: {push: {branches: [«a b»]}}}]", "DF303", "never matches"),
    ("schedule", BASE + "actions: [{name: n, tasks: [a], on: {cron: {schedule: «'@dauly'»}}}]", "DF305", "not valid"),
    ("often", BASE + "actions: [{name: n, tasks: [a], on: {cron: {schedule: «'*/2 * * * *'»}}}]", "DF305", "every 2 minutes"),
    ("every", BASE + "actions: [{name: n, tasks: [a], on: {cron: {schedule: «'@every 30s'»}}}]", "DF305", "more often than"),
    ("never", BASE + "actions: [{name: n, tasks: [a], on: {cron: {schedule: «0 0 30 2 *»}}}]", "DF305", "not valid"),
    ("cron-names", BASE + "actions: [{name: nn, tasks: [a], on: {cron: {schedule: '@daily'}}}, {name: «nn», tasks: [a], on: {tag: {}}}]", "DF306", "two actions"),
    ("unnamed-cron", BASE + "actions: [{tasks: [a], on: {«cron»: {schedule: '@daily'}}}]", "DF306", "needs a name"),
    ("slashed-chatop", BASE + "actions: [{tasks: [a], on: {pull_request: {chatops: [«/test»]}}}]", "DF307", "slash is implied"),
    ("chatop-words", BASE + "actions: [{tasks: [a], on: {pull_request: {chatops: [«a b»]}}}]", "DF307", "first word"),
    ("task-name", "task: {«../up»: {steps: [{image: i}]}}", "DF501", "no name for a task"),
    ("resource-name", "resource: {«Src»: {type: git, param: {url: u}}}\ntask: {}", "DF501", "no name for a resource"),
    ("step-name", "task: {a: {steps: [{name: «a_b», image: i}]}}", "DF501", "no name for a step"),
    ("timeout", "task: {a: {timeout: «10 min», steps: [{image: i}]}}", "DF502", "invalid timeout"),
    ("negative-timeout", "task: {a: {timeout: «-5m», steps: [{image: i}]}}", "DF502", "invalid timeout"),
    ("empty-env-name", "task: {a: {steps: [{image: i, env: [{name: «''», value: b}]}]}}", "DF503", "no name for an environment"),
    ("env-name", "task: {a: {steps: [{image: i, env: [{name: «1A», value: b}]}]}}", "DF503", "no name for an environment"),
    ("env-twice", "task: {a: {steps: [{image: i, env: [{name: A, value: b}, {name: «A», value: c}]}]}}", "DF503", "twice"),
    ("env-both", "task: {a: {steps: [{image: i, env: [{name: A, value: b, «valueFrom»: {secretKeyRef: {name: n, key: k}}}]}]}}", "DF503", "both"),
    ("env-neither", "task: {a: {steps: [{image: i, env: [{name: «A»}]}]}}", "DF503", "neither"),
    ("env-from-nothing", "task: {a: {steps: [{image: i, env: [{name: A, valueFrom: «{}»}]}]}}", "DF503", "exactly one source"),
    ("no-volume", "task: {a: {steps: [{image: i, volumeMounts: [{name: «v», mountPath: /x}]}]}}", "DF504", "no volume of its task"),
    ("unmounted", "task: {a: {volumes: [{name: «v»}], steps: [{image: i}]}}", "DF504", "no step mounts"),
    ("mount-path", "task: {a: {volumes: [{name: v}], steps: [{image: i, volumeMounts: [{name: v, mountPath: «x»}]}]}}", "DF504", "no place"),
    ("sub-path", "task: {a: {volumes: [{name: v}], steps: [{image: i, volumeMounts: [{name: v, mountPath: /x, subPath: «../y»}]}]}}", "DF504", "leaves its volume"),
    ("two-sources", "task: {a: {volumes: [«{name: v, emptyDir: {}, hostPath: {path: /}}»], steps: [{image: i, volumeMounts: [{name: v, mountPath: /x}]}]}}", "DF504", "2 sources"),
    ("quantity", "task: {a: {steps: [{image: i, resources: {limits: {memory: «1Gx»}}}]}}", "DF506", "no quantity"),
    ("size-limit", "task: {a: {volumes: [{name: v, emptyDir: {sizeLimit: «1Gx»}}], steps: [{image: i, volumeMounts: [{name: v, mountPath: /x}]}]}}", "DF506", "no quantity"),
    ("request-above-limit", "task: {a: {steps: [{image: i, resources: {limits: {cpu: 1}, requests: {cpu: «1500m»}}}]}}", "DF506", "more cpu"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_findings(text, code, message):
    plain = text.replace("«", "").replace("»", "")
    found = [one for one in findings(plain) if one.code == code and message in one.message]
    assert len(found) == 1, findings(plain)
    span = found[0].span
    assert span is not None
    if "«" in text:
        start = text.index("«")
        assert (span.start, span.text) == (start, text[start + 1 : text.index("»")])


WARNINGS = {"plural-param", "top-level-typo", "tasks-at-the-top", "action-without-on", "no-tasks-to-run",
            "slashed-chatop", "chatop-words", "unmounted", "often", "every", "contradiction", "labels", "shared",
            "env-twice", "env-neither"}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_one_mistake_is_one_error(case):
    found = findings(case[1].replace("«", "").replace("»", ""))
    severities = [one.severity for one in found if one.code == case[2]]
    assert severities == [Severity.WARNING if case[0] in WARNINGS else Severity.ERROR]


@pytest.mark.parametrize(
    ("before", "code", "after"),
    [
        ('resource: {r: {type: git, "params": {url: u}}}\ntask: {}', "DF101", 'resource: {r: {type: git, "param": {url: u}}}\ntask: {}'),
        ("task: {a: {step: [{image: i}]}}", "DF101", "task: {a: {steps: [{image: i}]}}"),
        ("task: {a: {steps: [{image: i, command: make}]}}", "DF103", 'task: {a: {steps: [{image: i, command: ["make"]}]}}'),
        ("resource: {r: {type: git, param: {url: u, depth: 1}}}\ntask: {}", "DF103", 'resource: {r: {type: git, param: {url: u, depth: "1"}}}\ntask: {}'),
        ("task: {abc: {steps: [{image: i}]}}\nactions: [{tasks: [acb], on: {tag: {}}}]", "DF203", "task: {abc: {steps: [{image: i}]}}\nactions: [{tasks: [abc], on: {tag: {}}}]"),
        (BASE + "actions: [{tasks: [a], on: {push: {tags: ['v*']}}}]", "DF101", BASE + "actions: [{tasks: [a], on: {tag: {names: ['v*']}}}]"),
        (BASE + "actions: [{tasks: [a], on: {pull_request: {chatops: ['/t']}}}]", "DF307", BASE + "actions: [{tasks: [a], on: {pull_request: {chatops: ['t']}}}]"),
        ("task: {a: {steps: [{image: $(context.git.comit)}]}}", "DF401", "task: {a: {steps: [{image: $(context.git.commit)}]}}"),
    ],
)  # fmt: skip
def test_fixes_mend(before, code, after):
    [found] = [one for one in findings(before) if one.code == code]
    assert fixed(before, found) == after
    assert findings(after) == []


def test_push_tags_fire_on_nothing_but_are_kept():
    found, diagnostics = decode(value(BASE + "actions: [{tasks: [a], on: {push: {tags: ['v*']}}}]"))
    assert [one.severity for one in diagnostics] == [Severity.WARNING]
    condition = found.actions[0].on
    assert condition is not None
    assert (condition.kind, condition.push_tags, condition.branches) == ("push", ("v*",), None)


def test_all_problems_at_once_and_still_a_pipeline():
    found, diagnostics = decode(
        value("resource: 1\ntask: {a: {inputs: x, steps: 7}, b: {steps: [{image: i}, 3]}}\nactions: {}")
    )
    assert list(found.tasks) == ["a", "b"]
    assert (found.tasks["a"].inputs, found.tasks["a"].steps) == (("x",), ())
    assert len(found.tasks["b"].steps) == 1
    assert len([one for one in diagnostics if one.code == "DF103"]) == 5


@pytest.mark.parametrize(
    "text", ["_x: 1", "common_env: []", "apps: [a]", "user: me", "tasks: [a, b]", "task_env: {}"]
)
def test_helpers_at_the_top_are_let_through(text):
    assert findings(f"{text}\n{BASE}") == []


def test_a_storage_resource_may_be_read_and_written_by_one_task():
    text = """
        resource: {cache: {type: storage, param: {type: gcs}}}
        task: {a: {inputs: [cache], outputs: [cache], steps: [{image: i}]}}
    """
    assert findings(text) == []


def test_a_cycle_starts_at_its_first_task_in_the_file():
    text = """
        task:
          z: {inputs: [a], steps: [{image: i}]}
          c: {inputs: [b], steps: [{image: i}]}
          a: {inputs: [c], steps: [{image: i}]}
          b: {inputs: [a], steps: [{image: i}]}
    """
    assert [one.message for one in findings(text)] == ["tasks wait for each other: c -> b -> a -> c"]


def test_long_chains_of_tasks_do_not_exhaust_the_stack():
    lines = [f"  t{n}: {{inputs: [t{n + 1}], steps: [{{image: i}}]}}" for n in range(2000)]
    text = dedent("task:\n") + "\n".join(lines) + "\n  t2000: {steps: [{image: i}]}"
    assert findings(text) == []
