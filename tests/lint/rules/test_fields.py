"""DF304, DF404 and DF505: patterns that match nothing, variables that are empty, places that nothing fills."""

from __future__ import annotations

import pytest

from tests.lint.rules.marked import findings, mended


def paths(*patterns: str) -> str:
    return f"actions: [{{on: git: push: paths: [{', '.join(patterns)}]}}]"


PATHS = {
    "in front": paths('"«./a»"', '"«/a»"', '"«!./a»"', '"«../a»"', '"«./{a,b}»"'),
    "inside": paths('"«a/../b»"', '"«a/./b»"', '"«a//b»"', '"«a/**/../b»"'),
    "a directory": paths('"«a/»"', '"«!a/»"'),
    "sound": paths('"a"', '"**"', '"*"', '".github/**"', '"a/.b"', '"..a/b.."', '"a.b/c"', '"!Dispatchfile"', '"**/*.go"'),
    "what is not plain": paths('"a/{b,}/"', '"[/]a"', '"{./a,b}"', '"\\\\./a"'),
    "branches are no paths": 'actions: [{on: git: push: branches: ["./a"]}]',
    "of pull requests": 'actions: [{on: pull_request: paths: ["«./a»"]}]',
}  # fmt: skip

S = 'name: "a", image: "a:1"'
TAG = "$(context.git.tag)"


def runs(on: str, text: str = "«$(context.git.tag)»") -> str:
    return f'task: t: steps: [{{{S}, args: ["{text}"]}}]\nactions: [{{tasks: ["t"], {on}}}]'


CONTEXT = {
    "no tag": runs("on: git: push: {}"),
    "a tag": runs("on: tag: {}", TAG),
    "a release": runs("on: git: release: {}", TAG),
    "an image": runs("on: image: push: {}", TAG),
    "nobody knows": runs("", TAG),
    "tags of a push": runs('on: push: tags: ["*"]', TAG),
    "no comment": runs("on: pull_request: {}", "«$(context.chatop.command)» «$(context.chatop.args)»"),
    "a comment": runs('on: pull_request: chatops: ["a"]', "$(context.chatop.command) $(context.chatop.args)"),
    "a tag among others": (
        f'task: t: steps: [{{{S}, args: ["{TAG}"]}}]\n'
        'actions: [{tasks: ["t"], on: push: {}}, {tasks: ["t"], on: tag: {}}]'
    ),
    "a tag, through another task": (
        f'task: {{t: steps: [{{{S}, args: ["{TAG}"]}}], u: {{deps: ["t"], steps: [{{{S}}}]}}}}\n'
        'actions: [{tasks: ["t"], on: push: {}}, {tasks: ["u"], on: tag: {}}]'
    ),
    "no action": f'task: {{t: steps: [{{{S}, args: ["{TAG}"]}}], u: steps: [{{{S}}}]}}\nactions: [{{tasks: ["u"], on: push: {{}}}}]',
    "in a resource": (
        f'resource: r: {{type: "git", param: revision: "«{TAG}»"}}\n'
        f'task: t: {{inputs: ["r"], steps: [{{{S}}}]}}\nactions: [{{tasks: ["t"], on: push: {{}}}}]'
    ),
    "other variables": runs("on: git: push: {}", "$(context.git.branch) $(context.git.tags) context.git.tag"),
}


def task(*fields: str) -> str:
    listed = ", ".join(f'{{image: "a:1", {one}}}' for one in fields)
    return (
        'resource: {src: type: "git", docs: type: "git", app: type: "image"}\n'
        f'task: t: {{inputs: ["src"], outputs: ["app"], steps: [{listed}]}}'
    )


WORKSPACE = {
    "a typing mistake": task('workingDir: "«/workspace/scr»/sub"'),
    "a resource that is not listed": task('args: ["--context=«/workspace/docs»"]', 'workingDir: "/workspace/docs"'),
    "listed": task('workingDir: "/workspace/src/"', 'args: ["/workspace/output/app", "/workspace/app", "/workspace"]'),
    "a misspelt input": (
        'resource: "src-git": type: "git"\n'
        'task: t: {inputs: ["src-gti"], steps: [{image: "a:1", workingDir: "/workspace/src-git"}]}'
    ),
    "of the pod": task('args: ["/workspace/output/.docker", "/workspace/.m2", "/a/workspace/docs", "workspace/docs"]'),
    "what steps may make": task(
        'args: ["/workspace/bin"]', 'script: "cd /workspace/cache"', 'args: ["--out=/workspace/srcs"]',
    ),
    "what a step makes": task('script: "git clone x /workspace/docs"', 'workingDir: "/workspace/docs"'),
    "what a step clones": task('command: ["git", "clone", "https://a/docs.git"]', 'workingDir: "/workspace/docs"'),
    "what a step writes": task('script: "make > /workspace/docs"', 'workingDir: "/workspace/docs"'),
    "a volume": task(
        'volumeMounts: [{name: "v", mountPath: "/workspace/docs"}], workingDir: "/workspace/docs"'
    ),
    "an empty directory": task('workingDir: "«/workspace/other»", command: ["go", "test"]'),
    "one that the shell fills": task('workingDir: "/workspace/other", command: ["sh", "-c", "get"]'),
    "one that a step before may have filled": task('args: ["a"]', 'workingDir: "/workspace/other", command: ["make"]'),
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text"),
    [
        pytest.param(code, text, id=f"{code}-{title}")
        for code, cases in (("DF304", PATHS), ("DF404", CONTEXT), ("DF505", WORKSPACE))
        for title, text in cases.items()
    ],
)
def test_finds(code: str, text: str) -> None:
    findings(code, text)


def test_roots_patterns() -> None:
    before = paths('"./a/**"', '"!/a"', '"././a"', '"../a"', '"./"', '"./a/../b"', '"a/"')
    after = paths('"a/**"', '"!a"', '"a"', '"../a"', '"./"', '"./a/../b"', '"a/"')
    assert mended("DF304", before, safe=True) == after


def test_roots_patterns_in_yaml() -> None:
    before = "actions:\n- on:\n    push:\n      paths:\n      - ./a/**\n      - '/b'\n"
    assert mended("DF304", before, "Dispatchfile.yaml", safe=True) == before.replace("./a", "a").replace(
        "/b", "b"
    )


LISTED = {
    "a name": (task('args: ["/workspace/docs/a"]'), ('"src"]', '"src", "docs"]')),
    "the name that was meant": (task('workingDir: "/workspace/scr/a"'), ("/workspace/scr", "/workspace/src")),
}


@pytest.mark.parametrize(("before", "change"), LISTED.values(), ids=LISTED)
def test_lists_what_is_used(before: str, change: tuple[str, str]) -> None:
    assert mended("DF505", before, safe=False) == before.replace(*change)


def test_lists_what_is_used_in_yaml() -> None:
    before = "resource: {a: {type: git}}\ntask:\n  t:\n    steps:\n    - image: a:1\n      workingDir: /workspace/a\n"
    after = before.replace("    steps", '    inputs: ["a"]\n    steps')
    assert mended("DF505", before, "Dispatchfile.yaml", safe=False) == after
    rows = "resource: {a: {}, b: {}}\r\ntask:\r\n  t:\r\n    inputs:\r\n    - b\r\n    steps:\r\n    - {workingDir: /workspace/a}\r\n"
    assert mended("DF505", rows, "Dispatchfile.yaml", safe=False) == rows.replace("- b", '- b\r\n    - "a"')
