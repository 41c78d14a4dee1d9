"""Each fix of the model, in each flavour and layout: applied, the finding is gone and nothing new came."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

import pytest
import yaml

from dispatchfile import front
from dispatchfile.cue.printer import literal
from dispatchfile.source import Source
from tests.model.helpers import fixed

# Pipelines with one mistake each; those of YAML go through every other flavour and layout too.
SRC = "resource: {src: {type: git, param: {url: u}}, app: {type: image, param: {url: v}}}"
BROKEN = {
    "top-level": ("DF101", "reosurce: {src: {type: git, param: {url: u}}}\ntask: {a: {inputs: [src], steps: [{image: i}]}}"),
    "field": ("DF101", "task: {a: {step: [{image: i}]}}"),
    "params": ("DF101", "resource: {src: {type: git, params: {url: u}}}\ntask: {a: {steps: [{image: i}]}}"),
    "push-tags": ("DF101", "task: {a: {steps: [{image: i}]}}\nactions: [{tasks: [a], on: {push: {tags: ['v*']}}}]"),
    "string-for-list": ("DF103", "task: {a: {steps: [{image: i, args: make}]}}"),
    "command": ("DF103", "task: {a: {steps: [{image: i, command: go test ./... && go vet}]}}"),
    "number": ("DF103", "task: {a: {steps: [{image: i, env: [{name: A, value: 1}]}]}}"),
    "env-as-map": ("DF103", "task: {a: {steps: [{image: i, env: {A: b, C: 'd \"e'}}]}}"),
    "type": ("DF104", "resource: {src: {type: imgae, param: {url: u}}}\ntask: {a: {steps: [{image: i}]}}"),
    "parameter": ("DF104", "resource: {src: {type: git, param: {url: u, revison: r}}}\ntask: {a: {steps: [{image: i}]}}"),
    "input": ("DF201", SRC + "\ntask: {a: {inputs: [sr, app], steps: [{image: i}]}}"),
    "output": ("DF202", SRC + "\ntask: {a: {outputs: [aap], steps: [{image: i}]}}"),
    "action-task": ("DF203", "task: {test: {steps: [{image: i}]}}\nactions: [{tasks: [tset], on: {tag: {}}}]"),
    "cron": ("DF306", "task: {a: {steps: [{image: i}]}}\nactions: [{tasks: [a], on: {cron: {schedule: '@daily'}}}]"),
    "cron-names": ("DF306", "task: {a: {steps: [{image: i}]}}\nactions:\n- {name: daily, tasks: [a], on: {cron: {schedule: '@daily'}}}\n- {name: daily, tasks: [a], on: {tag: {}}}"),
    "chatop": ("DF307", "task: {a: {steps: [{image: i}]}}\nactions: [{tasks: [a], on: {pull_request: {chatops: [/test]}}}]"),
    "chatop-words": ("DF307", "task: {a: {steps: [{image: i}]}}\nactions: [{tasks: [a], on: {pull_request: {chatops: [x, test all]}}}]"),
    "variable": ("DF401", "task: {a: {steps: [{image: i, args: ['x$(context.git.comit)', z]}]}}"),
    "kind": ("DF401", "task: {a: {steps: [{image: i, args: ['x$(contxt.git.commit)', z]}]}}"),
    "unclosed": ("DF401", "task: {a: {steps: [{image: i, args: ['$(context.git.commit', z]}]}}"),
    "spaced": ("DF401", "task: {a: {steps: [{image: i, args: ['$(context.git.commit )', z]}]}}"),
    "curly": ("DF401", "task: {a: {steps: [{image: i, script: \"echo ${context.git.commit}\\n\"}]}}"),
    "unlisted-input": ("DF402", SRC + "\ntask: {a: {inputs: [src], steps: [{image: i, args: [$(inputs.resources.app.url), $(inputs.resources.app.digest)]}]}}"),
    "no-inputs": ("DF402", SRC + "\ntask: {a: {steps: [{image: i, args: [$(inputs.resources.app.url)]}]}}"),
    "empty-outputs": ("DF402", SRC + "\ntask: {a: {outputs: [], steps: [{image: i, args: [$(outputs.resources.app.url)]}]}}"),
    "direction": ("DF402", SRC + "\ntask: {a: {outputs: [app], steps: [{image: i, args: [$(inputs.resources.app.url)]}]}}"),
    "resource-name": ("DF402", SRC + "\ntask: {a: {inputs: [app], steps: [{image: i, args: [$(inputs.resources.ap.url)]}]}}"),
    "result": ("DF403", "task:\n  a: {steps: [{name: count, image: i}]}\n  b: {inputs: [], steps: [{image: i, args: [$(inputs.tasks.a.count)]}]}"),
    "step": ("DF403", "task:\n  a: {steps: [{name: count, image: i}]}\n  b: {inputs: [a], steps: [{image: i, args: [$(inputs.tasks.a.cuont)]}]}"),
    "task-name": ("DF501", "task:\n  My_Task: {steps: [{name: count, image: i}]}\n  b: {inputs: [My_Task], deps: [My_Task], steps: [{image: i, args: [$(inputs.tasks.My_Task.count)]}]}\nactions: [{tasks: [My_Task, b], on: {tag: {}}}]"),
    "resource-label": ("DF501", "resource: {My_Src: {type: git, param: {url: u}}}\ntask: {a: {inputs: [My_Src], steps: [{image: i, workingDir: /workspace/My_Src/x, args: ['$(inputs.resources.My_Src.url) $(resources.inputs.My_Src.path)']}]}}"),
    "step-name": ("DF501", "task:\n  a: {steps: [{name: Count it, image: i}]}"),
    "volume-name": ("DF501", "task: {a: {volumes: [{name: A_b, emptyDir: {}}], steps: [{image: i, volumeMounts: [{name: A_b, mountPath: /x}]}]}}"),
    "cron-name": ("DF501", "task: {a: {steps: [{image: i}]}}\nactions: [{name: Every Night, tasks: [a], on: {cron: {schedule: '@daily'}}}]"),
    "timeout": ("DF502", "task: {a: {timeout: 10 min, steps: [{image: i}]}}"),
    "volume": ("DF504", "task: {a: {volumes: [{name: cache}], steps: [{image: i, volumeMounts: [{name: cahce, mountPath: /x}]}]}}"),
    "no-volumes": ("DF504", "task: {a: {steps: [{image: i, volumeMounts: [{name: v, mountPath: /x}]}, {image: j, volumeMounts: [{name: v, mountPath: /x}]}]}}"),
    "other-volumes": ("DF504", "task: {a: {volumes: [{name: cache, emptyDir: {}}], steps: [{image: i, volumeMounts: [{name: cache, mountPath: /c}, {name: secret-key, mountPath: /x}]}]}}"),
}  # fmt: skip


def _modern(text: str) -> str:
    fields = _data(text).items()
    return "".join(f"{label}: {literal(item)}\n" for label, item in fields)


def _data(text: str) -> Any:
    return yaml.safe_load(text.replace(" on: {", ' "on": {'))


LAYOUTS = {
    "flow": lambda text: f"#!yaml\n{text}\n",
    "block": lambda text: "#!yaml\n" + yaml.safe_dump(_data(text), sort_keys=False),
    "json": lambda text: "#!json\n" + json.dumps(_data(text), indent=2),
    "json-line": lambda text: "#!json\n" + json.dumps(_data(text)),
    "cue-of-json": lambda text: json.dumps(_data(text), indent="\t"),
    "cue": _modern,
}


def _found(text):
    reading = front.read(Source("Dispatchfile", text))
    assert reading.ok, (text, reading.diagnostics)
    return front.interpret(reading)[1]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", BROKEN)
def test_a_fix_mends_in_every_flavour_and_layout(name, layout):
    code, text = BROKEN[name]
    _mends(LAYOUTS[layout](text), code)


def _mends(before: str, code: str) -> str:
    found = _found(before)
    assert {one.code for one in found} == {code}, found
    finding = next(one for one in found if one.fix is not None)
    after = fixed(before, finding)
    left = [one for one in _found(after) if one.message == finding.message or one.code != code]
    assert left == [], after
    return after


CUE = {
    "a list over lines": ("DF402", """
        resource: src: {type: "git", param: url: "u"}
        resource: app: {type: "image", param: url: "v"}
        task: a: {
            inputs: [
                "src", // the source
            ]
            steps: [{image: "i", args: ["$(inputs.resources.app.url)"]}]
        }
        """, 'inputs: [\n        "src",\n        "app", // the source\n    ]'),
    "a chain": ("DF402", """
        resource: src: {type: "git", param: url: "u"}
        task: a: steps: [{image: "i", args: ["$(inputs.resources.src.url)"]}]
        """, 'task: a: {inputs: ["src"], steps: [{image: "i", args: ["$(inputs.resources.src.url)"]}]}'),
    "an old chain": ("DF501", """
        resource "my_src" type: "git"
        resource "my_src" param url: "u"
        task "a" inputs: ["my_src"]
        task "a" steps: [{image: "i", args: ["$(inputs.resources.my_src.url)"]}]
        """, 'resource "my-src" param url: "u"\ntask "a" inputs: ["my-src"]'),
    "a plain label": ("DF501", """
        task: my_task: steps: [{image: "i"}]
        actions: [{tasks: ["my_task"], on: git: push: {}}]
        """, 'task: "my-task": steps'),
    "an open list": ("DF402", """
        resource: src: {type: "git", param: url: "u"}
        resource: app: {type: "image", param: url: "v"}
        task: a: {inputs: ["src", ...], steps: [{image: "i", args: ["$(inputs.resources.app.url)"]}]}
        """, 'inputs: ["src", "app", ...]'),
    "a list of one": ("DF103", 'task: a: steps: [{image: ["golang:1.13"]}]\n', 'image: "golang:1.13"'),
    "bare image": ("DF103", 'task: a: steps: [{image: golang:1.13}]\n', 'image: "golang:1.13"'),
}  # fmt: skip


@pytest.mark.parametrize("name", CUE)
def test_fixes_in_the_layouts_of_cue(name):
    code, before, piece = CUE[name]
    assert piece in _mends(dedent(before), code)


UNFIXABLE = {
    "a helper makes the list": """
        common: ["src"]
        resource: src: {type: "git", param: url: "u"}
        resource: app: {type: "image", param: url: "v"}
        task: a: {inputs: common + [], steps: [{image: "i", args: ["$(inputs.resources.app.url)"]}]}
        """,
    "two places of one list": """
        resource: src: {type: "git", param: url: "u"}
        resource: app: {type: "image", param: url: "v"}
        task: a: {inputs: ["src"], steps: [{image: "i", args: ["$(inputs.resources.app.url)"]}]}
        task: a: inputs: ["src"]
        """,
    "a comment in an empty list": """
        resource: src: {type: "git", param: url: "u"}
        task: a: {
            inputs: [
                // none
            ]
            steps: [{image: "i", args: ["$(inputs.resources.src.url)"]}]
        }
        """,
    "a reference to the name": """
        resource: my_src: {type: "git", param: url: "u"}
        task: a: {inputs: ["my_src"], steps: [{image: "i", args: [resource.my_src.param.url]}]}
        """,
    "an interpolated name": """
        who: "Me"
        task: "for-\\(who)": steps: [{image: "i"}]
        """,
    "a list that a comprehension makes": """
        task: t: {volumes: [for n in ["v"] {name: "\\(n)", emptyDir: {}}], steps: [{image: "i", volumeMounts: [{name: "other", mountPath: "/o"}, {name: "v", mountPath: "/v"}]}]}
        """,
    "the better name is taken": """
        task: my_task: steps: [{image: "i"}]
        task: "my-task": steps: [{image: "i"}]
        """,
}


@pytest.mark.parametrize("text", UNFIXABLE.values(), ids=UNFIXABLE)
def test_what_cannot_be_mended_in_the_text_is_left_alone(text):
    [finding] = _found(dedent(text))
    assert finding.fix is None


@pytest.mark.parametrize("names", [("Go_Test", "go.test"), ("a" * 70, "a" * 71)], ids=["sanitized", "cut"])
@pytest.mark.parametrize("what", ["task: {{{}: {{steps: [{{image: i}}]}}, {}: {{steps: [{{image: i}}]}}}}",
                                  "task: {{a: {{steps: [{{name: {}, image: i}}, {{name: {}, image: i}}]}}}}"])  # fmt: skip
def test_two_names_are_not_made_one(what, names):
    found = _found("#!yaml\n" + what.format(*names))
    assert [one.code for one in found] == ["DF501"] * 2
    assert all(
        one.fix is None and 'write "' not in one.help and "would be another" in one.help for one in found
    )


def test_a_field_is_not_renamed_to_one_that_is_there():
    [finding] = _found('task: a: steps: [{image: "i", imagee: "j"}]')
    assert (finding.fix, finding.help) == (None, '"image" is there already; remove one of the two')


def test_a_field_added_to_lines_without_commas_gets_none():
    text = dedent("""
        resource: app: {type: "image", param: url: "v"}
        task: a: {
          steps: [
            {image: "i", args: ["$(outputs.resources.app.url)"]},
            {image: "j"},
          ]
          timeout: "1h"
        }
        """)
    [finding] = _found(text)
    assert 'task: a: {\n  outputs: ["app"]\n  steps: [\n' in fixed(text, finding)


def test_a_comment_in_a_list_is_no_comprehension():
    text = dedent("""
        resource: {a: {type: "image", param: url: "v"}, b: {type: "image", param: url: "w"}}
        task: t: {
          outputs: [
            "a", // for users
          ]
          steps: [{image: "i", args: ["$(outputs.resources.b.url)"]}]
        }
        """)
    [finding] = _found(text)
    assert finding.fix is not None
    assert '"a",\n    "b", // for users' in fixed(text, finding)
