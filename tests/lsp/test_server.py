"""The language server, asked over the real protocol."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lsp.client import Client, edited

GIT = '{type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}'
STEP = '{name: "go", image: "golang:1.22", command: ["go", "test", "./..."]}'
CLEAN = f"""\
resource: "src": {GIT}

task: "test": {{
  inputs: ["src"]
  steps: [{STEP}]
}}

actions: [{{tasks: ["test"], on: git: push: branches: ["main"]}}]
"""
OLD = f"""\
resource "src": {GIT}

task "test": {{
  inputs: ["src"]
  steps: [{STEP}]
}}

actions: [{{tasks: ["test"], on push branches: ["main"]}}]
"""
YAML = """\
#!yaml
resource:
  src:
    type: git
    param:
      url: $(context.git.url)
      revision: $(context.git.commit)
task:
  test:
    inputs: [src]
    steps:
    - name: go
      image: golang:1.22
      command: [go, test, ./...]
actions:
- tasks: [test]
  on:
    git:
      push:
        branches: [main]
"""
JSON = """\
{
  "resource": {"src": {"type": "git", "param": {"url": "$(context.git.url)", "revision": "main"}}},
  "task": {"test": {"inputs": ["src"], "steps": [{"name": "go", "image": "golang:1.22"}]}},
  "actions": [{"tasks": ["test"], "on": {"git": {"push": {"branches": ["main"]}}}}]
}
"""
FLAVOURS = {"Dispatchfile": CLEAN, "Dispatchfile.yaml": YAML, "Dispatchfile.json": JSON}

flavours = pytest.mark.parametrize(("file", "text"), FLAVOURS.items(), ids=["cue", "yaml", "json"])


def codes(found: list[dict[str, Any]]) -> list[str]:
    return [one["code"] for one in found]


def whole(text: str) -> dict[str, Any]:
    return {"start": {"line": 0, "character": 0}, "end": {"line": text.count("\n") + 1, "character": 0}}


def actions(client: Client, text: str, name: str, **context: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.request(
        "textDocument/codeAction",
        textDocument={"uri": client.uri(name)},
        range=whole(text),
        context={"diagnostics": [], **context},
    )
    return found


def fixes(client: Client, text: str, name: str) -> list[dict[str, Any]]:
    """Return the quick fixes of all findings, but those that only silence them."""
    found = actions(client, text, name, only=["quickfix"])
    return [one for one in found if not one["title"].startswith("Ignore")]


def edits_of(action: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = action["edit"]["documentChanges"][0]["edits"]
    return found


# Findings


@flavours
def test_a_clean_file_has_no_findings(client: Client, name: str, file: str, text: str) -> None:
    assert client.open(text, f"{name}.{file}") == []


@flavours
def test_findings_follow_the_typing(client: Client, name: str, file: str, text: str) -> None:
    path = f"{name}.{file}"
    wrong = text.replace('["test"]', '["tset"]').replace("[test]", "[tset]")
    found = client.open(wrong, path)
    assert "DF203" in codes(found)
    finding = next(one for one in found if one["code"] == "DF203")
    start = finding["range"]["start"]
    line = wrong.split("\n")[start["line"]]
    assert line[start["character"] :].strip('"').startswith("tset")
    assert (finding["severity"], finding["source"]) == (1, "dispatchfile")
    word = {"line": start["line"], "character": line.index("tset")}
    change = {"range": {"start": word, "end": {**word, "character": word["character"] + 4}}, "text": "test"}
    client.change([change], 2, path)
    assert client.published(path, 2) == []
    client.change([{"text": wrong}], 3, path)
    assert "DF203" in codes(client.published(path, 3))


def test_only_the_last_of_many_versions_is_looked_at(client: Client, name: str) -> None:
    client.open("", name)
    for version, end in enumerate(range(1, len(CLEAN) + 1), start=2):
        client.change([{"text": CLEAN[:end]}], version, name)
    assert client.published(name, len(CLEAN) + 1) == []
    looked_at = [one for one in client.told if one["params"].get("uri") == client.uri(name)]
    assert len(looked_at) < len(CLEAN) / 4


def test_closing_takes_the_findings_back(client: Client, name: str) -> None:
    assert client.open("a: {", name)
    client.notify("textDocument/didClose", textDocument={"uri": client.uri(name)})
    assert client.published(name) == []


def test_columns_count_utf_16(client: Client, name: str) -> None:
    found = client.open('a: "𝄞𝄞", b: missing\n', name)
    finding = next(one for one in found if one["code"] == "DF004")
    assert finding["range"] == {"start": {"line": 0, "character": 14}, "end": {"line": 0, "character": 21}}


def test_line_ends_of_windows(client: Client, name: str) -> None:
    text = CLEAN.replace("\n", "\r\n").replace('["test"]', '["tset"]')
    finding = next(one for one in client.open(text, name) if one["code"] == "DF203")
    assert finding["range"]["start"] == {"line": 7, "character": 19}
    fix = next(one for one in fixes(client, text, name) if one["diagnostics"][0]["code"] == "DF203")
    assert edited(text, edits_of(fix)) == CLEAN.replace("\n", "\r\n")


def test_a_document_with_odd_line_separators_stays_in_step(client: Client, name: str) -> None:
    client.open("// a\u2028b\x0cc\n" + OLD, name)
    place = {"line": 1, "character": 0}
    client.change([{"range": {"start": place, "end": {"line": 99, "character": 0}}, "text": CLEAN}], 2, name)
    assert client.published(name, 2) == []


# Fixes


def test_quick_fixes_make_a_clean_file(client: Client, name: str) -> None:
    found = client.open(OLD, name)
    assert set(codes(found)) == {"DF701", "DF704"}
    offered = fixes(client, OLD, name)
    assert {one["kind"] for one in offered} == {"quickfix"}
    assert all(one["isPreferred"] for one in offered)
    text, version = OLD, 2
    while offered:
        text = edited(text, edits_of(offered[0]))
        client.change([{"text": text}], version, name)
        found = client.published(name, version)
        offered, version = fixes(client, text, name), version + 1
        assert version < 20
    assert found == []


def test_everything_safe_at_once(client: Client, name: str) -> None:
    client.open(OLD, name, version=7)
    (action,) = actions(client, OLD, name, only=["source.fixAll"])
    assert action["edit"]["documentChanges"][0]["textDocument"] == {"uri": client.uri(name), "version": 7}
    assert edited(OLD, edits_of(action)) == CLEAN


def test_an_unsafe_fix_is_offered_but_not_preferred(client: Client, name: str) -> None:
    text = CLEAN.replace('["src"]', '["scr"]')
    client.open(text, name)
    offered = fixes(client, text, name)
    assert [one["isPreferred"] for one in offered] == [False] * len(offered)
    assert CLEAN in [edited(text, edits_of(one)) for one in offered]
    assert not [one for one in actions(client, text, name) if one["kind"].startswith("source")]


@pytest.mark.parametrize(
    ("file", "text", "comment"),
    [
        ("Dispatchfile", CLEAN, "// dispatchfile: ignore[DF601]"),
        ("d.yaml", YAML, "# dispatchfile: ignore[DF601]"),
    ],
)
def test_a_finding_can_be_silenced(client: Client, name: str, file: str, text: str, comment: str) -> None:
    path = f"{name}.{file}"
    text = text.replace("golang:1.22", "golang")
    assert codes(client.open(text, path)) == ["DF601"]
    (action,) = actions(client, text, path, only=["quickfix"])
    assert action["title"] == "Ignore DF601 on this line"
    silenced = edited(text, edits_of(action))
    assert [line for line in silenced.splitlines() if comment in line and "golang" in line]
    client.change([{"text": silenced}], 2, path)
    assert client.published(path, 2) == []


def test_what_is_always_on_cannot_be_silenced(client: Client, name: str) -> None:
    text = CLEAN + "x: undefined\n"
    assert "DF004" in codes(client.open(text, name))
    assert not [one for one in actions(client, text, name) if "Ignore" in one["title"]]


def test_only_the_fixes_of_the_place(client: Client, name: str) -> None:
    client.open(OLD, name)
    first = {"start": {"line": 0, "character": 2}, "end": {"line": 0, "character": 2}}
    offered = client.request(
        "textDocument/codeAction",
        textDocument={"uri": client.uri(name)}, range=first, context={"diagnostics": [], "only": ["quickfix"]},
    )  # fmt: skip
    assert {one["diagnostics"][0]["range"]["start"]["line"] for one in offered} == {0}


# Formatting


def test_formatting_changes_only_the_lines_that_differ(client: Client, name: str) -> None:
    text = CLEAN.replace("  inputs: [", "      inputs:   [")
    client.open(text, name)
    edits = client.request(
        "textDocument/formatting",
        textDocument={"uri": client.uri(name)}, options={"tabSize": 8, "insertSpaces": False},
    )  # fmt: skip
    assert edited(text, edits) == CLEAN
    assert [edit["range"]["start"]["line"] for edit in edits] == [3]


def test_a_broken_file_is_left_as_it_is(client: Client, name: str) -> None:
    client.open("a: {\n", name)
    options = {"tabSize": 2, "insertSpaces": True}
    answer = client.request(
        "textDocument/formatting", textDocument={"uri": client.uri(name)}, options=options
    )
    assert answer is None


# Explanations


@pytest.mark.parametrize(
    ("file", "marked", "told"),
    [
        ("Dispatchfile", CLEAN.replace("inputs", "inp|uts"), "task.inputs"),
        ("Dispatchfile", CLEAN.replace("revision", "revi|sion"), "resource.param.revision (git)"),
        ("Dispatchfile", CLEAN.replace("context.git.url", "context.git|.url"), "context.git.url"),
        ("Dispatchfile", CLEAN.replace('["test"]', '["te|st"]'), "step go: `golang:1.22`"),
        ("Dispatchfile", OLD.replace("on push", "on pu|sh"), "write `git: push:`"),
        ("Dispatchfile", "// dispatchfile: ignore[DF6|01] x\na: 1", "DF601"),
        ("Dispatchfile", "_a: {x: 1}\nb: _|a\n", "_a: {x: 1}"),
        ("Dispatchfile", '_s: {ima|ge: "x"}\ntask: t: steps: [_s]\n', "task.steps.image"),
        ("d.yaml", YAML.replace("inputs", "inp|uts"), "task.inputs"),
        ("d.yaml", YAML.replace("[test]", "[te|st]"), "step go: `golang:1.22`"),
        ("d.yaml", YAML.replace("image", "im|age"), "task.steps.image"),
        ("d.json", JSON.replace('"inputs"', '"inp|uts"'), "task.inputs"),
        ("d.json", JSON.replace('"type"', '"ty|pe"'), "resource.type"),
        ("d.json", JSON.replace('["src"]', '["s|rc"]'), "type: `git`"),
        ("Dispatchfile", 'task "x": {time|out: "1h"', "Dispatch 1.3"),
    ],
)
def test_hover(client: Client, name: str, file: str, marked: str, told: str) -> None:
    assert told in client.at("textDocument/hover", marked, f"{name}.{file}")["contents"]["value"]


@pytest.mark.parametrize("marked", ["|", "a: 1 // x|", 'task "b": {steps: [{image: "x|"}]}'])
def test_nothing_to_hover_over(client: Client, name: str, marked: str) -> None:
    assert client.at("textDocument/hover", marked, name) is None


# Names


@flavours
def test_definition_and_uses_of_a_resource(client: Client, name: str, file: str, text: str) -> None:
    path = f"{name}.{file}"
    at = text.index("inputs")
    marked = text[:at] + text[at:].replace("src", "s|rc", 1)
    (found,) = client.at("textDocument/definition", marked, path)
    (use,) = client.at("textDocument/references", marked, path, context={"includeDeclaration": False})
    lines = text.split("\n")
    for place, before in ((found, "src"), (use, "inputs")):
        start, end = place["range"]["start"], place["range"]["end"]
        assert lines[start["line"]][start["character"] : end["character"]] == "src"
        assert before in lines[start["line"]]


@pytest.mark.parametrize(
    ("marked", "line"),
    [
        ("_a: {x: 1}\nb: _|a\n", 0),
        ("#A: {x: 1}\nb: #|A.x\n", 0),
        ("#A: {\n x: 1\n}\nb: #A.|x\n", 1),
        ("b: {\n for k, v in {c: 1} {\n (k): |v\n }\n}", 1),
        ("let X = 1\nb: |X\n", 0),
        ("a: 1\nb: {\n a: 2\n c: |a\n}", 2),
        ('resource "img": {\n param: url: "u"\n}\nx: resource["img"].param.|url\n', 1),
    ],
)
def test_definition_of_a_reference(client: Client, name: str, marked: str, line: int) -> None:
    found = client.at("textDocument/definition", marked, name)
    assert [one["range"]["start"]["line"] for one in found] == [line]


def test_uses_of_a_reference(client: Client, name: str) -> None:
    text = "_|a: 1\nb: _a\nc: {_a: 2, d: _a}\ne: [_a]\n"
    found = client.at("textDocument/references", text, name, context={"includeDeclaration": False})
    assert [one["range"]["start"]["line"] for one in found] == [1, 3]


@flavours
def test_renaming(client: Client, name: str, file: str, text: str) -> None:
    path = f"{name}.{file}"
    at = text.index("tasks")
    marked = text[:at] + text[at:].replace("test", "te|st", 1)
    edit = client.at("textDocument/rename", marked, path, newName="unit-test")
    expected = (
        text.replace('"test"', '"unit-test"')
        .replace("  test:", "  unit-test:")
        .replace("[test]", "[unit-test]")
    )
    if file == "Dispatchfile":
        expected = expected.replace('command: ["go", "unit-test"', 'command: ["go", "test"')
    assert edited(text, edit["documentChanges"][0]["edits"]) == expected


@pytest.mark.parametrize("new", ["src", "Not A Name", ""])
def test_a_name_that_will_not_do(client: Client, name: str, new: str) -> None:
    text = CLEAN.replace(
        'resource: "src"', 'resource: "other": {type: "image", param: url: "x"}\nresource: "src"'
    )
    new = "other" if new == "src" else new
    client.open(text, name)
    place = {"line": text[: text.index('inputs: ["src')].count("\n"), "character": 12}
    answer = client.answer(
        "textDocument/rename", textDocument={"uri": client.uri(name)}, position=place, newName=new
    )
    why = (
        "the new name is taken"
        if new == "other"
        else f'"{new}" is no name for a resource; names are small letters'
    )
    assert f'"src" cannot be renamed: {why}' in answer["error"]["message"]


def test_outline(client: Client, name: str) -> None:
    client.open(CLEAN, name)
    found = client.request("textDocument/documentSymbol", textDocument={"uri": client.uri(name)})
    assert [(one["name"], one["detail"]) for one in found] == [
        ("src", "resource"), ("test", "task"), ("on git push: test", "action"),
    ]  # fmt: skip
    assert [one["name"] for one in found[1]["children"]] == ["go"]


# Completion

HEAD = (
    f'resource "src": {GIT}\nresource "app": {{type: "image", param: url: "u"}}\n'
    f'task "build": {{inputs: ["src"], steps: [{STEP}], volumes: [{{name: "cache", emptyDir: {{}}}}]}}\n'
)
YAML_HEAD = YAML[: YAML.index("actions")]
JSON_HEAD = JSON[: JSON.index('  "actions')]


@pytest.mark.parametrize(
    ("file", "marked", "offered"),
    [
        ("Dispatchfile", HEAD + 'task "s": {in|', {"inputs", "steps", "timeout"}),
        ("Dispatchfile", HEAD + 'task "s": {inputs: ["|', {"src", "app", "build"}),
        ("Dispatchfile", HEAD + 'task "s": {inputs: [|]}', {"src", "app", "build"}),
        ("Dispatchfile", HEAD + 'task "s": {outputs: ["|"]}', {"src", "app"}),
        ("Dispatchfile", HEAD + 'resource "z": {type: |}', {"git", "image", "storage"}),
        ("Dispatchfile", HEAD + 'resource "app" param |', {"digest"}),
        ("Dispatchfile", HEAD + "actions: [{on |", {"git", "cron", "push"}),
        ("Dispatchfile", HEAD + "actions: [{on: git: |", {"push", "tag"}),
        ("Dispatchfile", HEAD + 'actions: [{tasks: ["|', {"build"}),
        (
            "Dispatchfile",
            HEAD + 'task "s": {inputs: ["app", "build"], steps: [{image: "$(|',
            {"context.git.tag", "inputs.resources.app.url", "inputs.tasks.build.go"},
        ),
        ("Dispatchfile", HEAD.replace("steps: [{", 'steps: [{volumeMounts: [{name: "|"}], '), {"cache"}),
        ("Dispatchfile", HEAD + 'task "s": steps: [{securityContext: privileged: |', {"true", "false"}),
        ("Dispatchfile", HEAD + '_base: {|}\ntask "s": steps: [_base & {name: "x"}]\n', {"image", "command"}),
        ("Dispatchfile", HEAD + "#S: {|}\n#T: steps: [...#S]\ntask: [string]: #T\n", {"image", "command"}),
        ("Dispatchfile", HEAD + 'for n in ["a", "b"] {\n task "t-\\(n)": {|}\n}\n', {"inputs", "steps"}),
        ("d.yaml", YAML_HEAD + "  ship:\n    in|", {"inputs", "steps"}),
        ("d.yaml", YAML_HEAD + "  ship:\n    inputs:\n    - |", {"src", "test"}),
        ("d.yaml", YAML_HEAD + "  ship:\n    inputs: [|", {"src", "test"}),
        ("d.yaml", YAML_HEAD + "  ship:\n    inputs: [src]\n    steps:\n    - image: $(|", {"inputs.resources.src.url"}),
        ("d.json", JSON_HEAD + '  "actions": [{"|', {"tasks", "on"}),
        ("d.json", JSON.replace('["test"]', "[|]"), {"test"}),
    ],
)  # fmt: skip
def test_completion(client: Client, name: str, file: str, marked: str, offered: set[str]) -> None:
    found = client.at("textDocument/completion", marked, f"{name}.{file}")
    assert {one["label"] for one in found} >= offered


@pytest.mark.parametrize(
    ("file", "marked", "label", "becomes"),
    [
        ("Dispatchfile", HEAD + 'task "s": {in|', "inputs", 'task "s": {inputs: '),
        ("Dispatchfile", HEAD + 'task "s": {in|: []}', "inputs", 'task "s": {inputs: []}'),
        ("Dispatchfile", HEAD + 'task "s": {inputs: [|]}', "app", 'task "s": {inputs: ["app"]}'),
        ("Dispatchfile", HEAD + 'task "s": {inputs: ["a|"]}', "app", 'task "s": {inputs: ["app"]}'),
        ("Dispatchfile", HEAD + 'x: "v$(con|)w"', "context.git.tag", 'x: "v$(context.git.tag)w"'),
        ("Dispatchfile", HEAD + 'x: "v$(con|', "context.git.tag", 'x: "v$(context.git.tag)'),
        ("d.yaml", YAML_HEAD + "  ship:\n    in|", "inputs", "    inputs: "),
        ("d.yaml", YAML_HEAD + "  ship:\n    inputs: [s|]", "src", "    inputs: [src]"),
        ("d.yaml", YAML_HEAD + "  no: {}\n  ship:\n    inputs: [|]", "no", '    inputs: ["no"]'),
        ("d.json", '{"task": {"t": {|}}}', "steps", '{"task": {"t": {"steps": }}}'),
        ("d.json", '{"task": {"t": {"st|"}}}', "steps", '{"task": {"t": {"steps"}}}'),
    ],
)
def test_what_a_completion_writes(
    client: Client, name: str, file: str, marked: str, label: str, becomes: str
) -> None:
    found = client.at("textDocument/completion", marked, f"{name}.{file}")
    item = next(one for one in found if one["label"] == label)
    assert edited(marked.replace("|", "", 1), [item["textEdit"]]).split("\n")[-1] == becomes


def test_deprecated_fields_come_last(client: Client, name: str) -> None:
    found = client.at("textDocument/completion", HEAD + "actions: [{on: {|", name)
    ranked = sorted(found, key=lambda one: one["sortText"])
    assert [one["label"] for one in ranked][:1] == ["cron"]
    assert [bool(one.get("tags")) for one in ranked] == [False] * 3 + [True] * 4


@pytest.mark.parametrize("marked", ["// res|", "#!starlark\nta|"])
def test_nothing_to_complete(client: Client, name: str, marked: str) -> None:
    assert client.at("textDocument/completion", marked, name) == []


# Life


@pytest.mark.parametrize(
    "text", ["[" * 5000, "\x00", "{" * 300 + "\n" * 300, "a: {a}", "- - -\n\t:", "#!nothing\na"]
)
def test_no_document_ends_the_server(client: Client, name: str, text: str) -> None:
    for file in ("Dispatchfile", "d.yaml", "d.json"):
        path = f"{name}.{file}"
        client.open(text, path)
        place = {"textDocument": {"uri": client.uri(path)}, "position": {"line": 0, "character": 1}}
        for method in ("hover", "completion", "definition", "prepareRename"):
            client.request(f"textDocument/{method}", **place)
        client.request("textDocument/documentSymbol", textDocument=place["textDocument"])
        actions(client, text, path)
