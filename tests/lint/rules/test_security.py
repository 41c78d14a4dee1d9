"""DF6xx: images, secrets, other people's text in a shell, and libraries that move."""

from __future__ import annotations

import pytest

from dispatchfile.lint import secrets
from dispatchfile.lint.settings import Settings
from tests.lint.rules.marked import findings, mended


def steps(*fields: str) -> str:
    return "task: t: steps: [" + ", ".join(f"{{{one}}}" for one in fields) + "]\n"


IMAGES = {
    "untagged": ("DF601", steps('image: «"golang"»', 'image: «"team/golang"»', 'image: "golang:1"')),
    "a port is no tag": ("DF601", steps('image: «"localhost:5000/a"»', 'image: "localhost:5000/a:1"')),
    "bytes": ("DF601", steps("image: 'golang:1'")),
    "a digest": ("DF601", steps(f'image: "golang@sha256:{"0" * 64}"')),
    "a variable": (
        "DF601",
        steps(
            'image: "$(inputs.resources.a.url)"',
            'image: "$(inputs.resources.a.url)@$(inputs.resources.a.digest)"',
        ),
    ),
    "a variable for its tag": ("DF601", steps('image: "me/app:$(context.build.name)"')),
    "where a reference leads": ("DF601", 'img: «"golang"»\n' + steps("image: img", "image: img")),
    "a concatenation": ("DF601", 'user: "me"\n' + steps('image: «user + "/app"»')),
    "a tag that moves": (
        "DF602",
        steps('image: "golang«:latest»"', 'image: "a/b«:master»"', 'image: "a«:edge»"'),
    ),
    "a tag that moves, by reference": (
        "DF602",
        'img: "golang«:latest»"\n' + steps("image: img", "image: img"),
    ),
    "a tag put together": (
        "DF602",
        'tag: "latest"\nsep: ":"\nbase: "a:"\n'
        + steps(
            'image: «"a:" + tag»',
            'image: «"b:\\(tag)"»',
            'image: «"c\\(sep)latest"»',
            'image: «base + "dev"»',
        ),
    ),
    "tags that stand": (
        "DF602",
        steps('image: "golang:1.22"', 'image: "node:lts-slim"', 'image: "a:latest-1"'),
    ),
    "a tag with a digest": ("DF602", steps(f'image: "golang:latest@sha256:{"0" * 64}"')),
    "of a resource": ("DF602", 'resource: a: param: url: "a:latest"\n' + steps('image: "a:1"')),
}


@pytest.mark.parametrize(("code", "text"), IMAGES.values(), ids=IMAGES)
def test_finds_images(code: str, text: str) -> None:
    findings(code, text)


@pytest.mark.parametrize("code", ["DF601", "DF602"])
def test_trusts_registries_of_the_settings(code: str) -> None:
    settings = Settings(select=(code,), trusted_registries=("registry.example.com/*",))
    text = steps('image: "registry.example.com/a/b"', 'image: "registry.example.com/c:latest"')
    findings(code, text, settings=settings)


# Keys are put together here, so that no scanner takes this file for a leak.
GITHUB = "ghp" + "_" + "f81c0be42d97A6s5K2l9PqWzXv3Tn8RyUj1M"
AWS = "AKIA" + "J7XBQ3M4Z5LKQWER"
SLACK = "xoxb" + "-2173645-98fKs72hDk30sLq"
KEY, END = "-----BEGIN EC " + "PRIVATE KEY-----", "-----END EC " + "PRIVATE KEY-----"
BODY = "MIIEowIBAAKCAQEAuPZ1dG6H3vkkL0"


def env(*pairs: str) -> str:
    listed = ", ".join(
        f'{{name: "{pair.split("=", 1)[0]}", value: {pair.split("=", 1)[1]}}}' for pair in pairs
    )
    return steps(f'image: "a:1", env: [{listed}]')


SECRETS = {
    "by name": env(
        'TOKEN=«"f81c0be42d97"»', 'GITHUB_TOKEN=«"f81c0be42d97"»', 'dbPassword=«"f81c0be42d97"»', 'DB_PASSWORD_1=«"f81c0be42d97"»',
        'AWS_SECRET_ACCESS_KEY=«"f81c0be42d97"»', 'CLIENT-SECRET=«"f81c0be42d97"»', 'STRIPE_API_KEY=«"f81c0be42d97"»',
    ),
    "names that only tell of one": env(
        'TOKEN_URL="f81c0be42d97"', 'TOKEN_FILE="f81c0be42d97"', 'PASSWORD_LENGTH="24 or so"', 'PUBLIC_KEY="f81c0be42d97"',
        'SECRET_NAME="s3-config"', 'AWS_ACCESS_KEY_ID="f81c0be42d97"', 'ALLOW_EMPTY_PASSWORD="certainly"',
        'TOKENIZER="wordpiece"', 'SECRETARY="somebody"', 'TOKEN_TTL="3600 seconds"',
    ),
    "values that stand for one": env(
        'TOKEN=""', 'TOKEN="changeme"', 'TOKEN="$(context.git.commit)"', 'TOKEN="${REAL_TOKEN}"', 'TOKEN="xxxxxxxx"',
        'TOKEN="********"', 'TOKEN="<your token>"', 'TOKEN="{{ token }}"', 'TOKEN="true"', 'TOKEN="/run/secrets/token"',
        'TOKEN="https://a.example.com/token"', 'TOKEN="vault:secret/a#b"', 'TOKEN="your-token-here"', 'TOKEN="3600"',
        'POSTGRES_PASSWORD="postgres"', 'PULL_SECRET="s3-config"', 'TOKEN_BUDGET="250000"', 'SSH_PRIVATE_KEY="id_rsa"',
        'SONAR_TOKEN="sonar"', 'TOKEN="%TOKEN%"',
    ),
    "by reference, once": 'token: «"f81c0be42d97"»\n' + env("TOKEN=token", "OTHER_TOKEN=token"),
    "by shape": steps(f'image: "a:1", args: ["--x=«{GITHUB}»", "«{AWS}»", "«{SLACK}»"]'),
    "by shape in a comment": steps('image: "a:1"') + f"// «{GITHUB}»",
    "a key": f'key: """\n  «{KEY}\n  {BODY}\n  {BODY}»\n  """\n' + steps('image: "a:1"'),
    "a key to its end": f'key: """\n  «{KEY}\n  {BODY}\n  ab==\n  {END}»\n  """\n' + steps('image: "a:1"'),
    "a key on one line": f'key: "«{KEY}\\n{BODY}\\nab==\\n{END}»\\n"\n' + steps('image: "a:1"'),
    "the head of a key": steps(f'image: "a:1", args: ["grep -q \'{KEY}\' file"]'),
    "once when its name says so too": env(f'TOKEN="«{GITHUB}»"'),
    "examples of shapes": steps(f'image: "a:1", args: ["ghp_{"x" * 36}", "AKIAIOSFODNN7{"EXAMPLE"}"]'),
    "in URLs": steps('image: "a:1", args: ["git clone https://bob:«f81c0be4»@git.example.com/a"]'),
    "URLs without": steps(
        'image: "a:1", args: ["https://$(USER):$(PASS)@a.example.com", "https://bob:${PASS}@a.example.com", '
        '"https://user:password@a.example.com", "postgres://db:db@database/a", "http://me:f81c0be4@localhost:80/", '
        '"git@a.example.com:b/c", "https://a.example.com:8080/b@c", "https://bob@a.example.com", "https://x/a:b@c"]'
    ),
    "an interpolated URL": 'pass: "x"\n' + steps('image: "a:1", args: ["https://bob:\\(pass)@a.example.com"]'),
    "from a secret": steps('image: "a:1", env: [{name: "TOKEN", valueFrom: secretKeyRef: {name: "a1b2c3", key: "token"}}]'),
}  # fmt: skip


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_finds_secrets_and_never_repeats_one(text: str) -> None:
    for found in findings("DF603", text):
        told = f"{found.message} {found.label} {found.help} {found.related}"
        assert found.span is not None
        assert found.span.text.strip('"') not in told
        assert found.secret


@pytest.mark.parametrize("word", [*secrets._WORDS, *secrets._PAIRS])
def test_the_name_of_a_variable_alone_makes_it_look(word: str) -> None:
    for name in (word, word.lower(), word.title().replace("_", "")):
        findings("DF603", env(f'A_{name}=«"f81c0be42d97"»'))
        assert any(mark in name for mark in secrets.marks())


def test_says_in_which_field_a_key_stands() -> None:
    text = (
        f'key: "«{AWS}»"\n'
        + steps('image: "a:1"', f'image: "a:1", args: ["a", "b=«{GITHUB}»"]')
        + f"// «{SLACK}»"
    )
    assert [one.path for one in findings("DF603", text)] == ["key", "task.t.steps[1].args[1]", ""]


ON = {"pull": "pull_request: {}", "main": 'push: branches: ["main"]', "any": 'push: branches: ["!main"]', "tag": "tag: {}",
      "say": 'pull_request: chatops: ["a"]', "all": "push: {}"}  # fmt: skip


def run(on: str, *fields: str) -> str:
    return steps(*fields) + f'actions: [{{tasks: ["t"], on: git: {ON[on]}}}]\n'


def carried(task: str, **steps: str) -> str:
    """A task for pull requests, and others of one step s each."""
    others = "".join(
        f'task: {name}: steps: [{{name: "s", image: "a:1", {fields}}}]\n' for name, fields in steps.items()
    )
    return f'task: t: {{{task}}}\n{others}actions: [{{tasks: ["t"], on: git: pull_request: {{}}}}]\n'


B = "«$(context.git.branch)»"
PLAIN = "$(context.git.branch)"

INJECTED = {
    "a command": run("pull", f'command: ["sh", "-c", "echo {B}"]'),
    "variants of shells": run(
        "pull", f'command: ["/bin/bash", "-ec", "echo {B}"]', f'command: ["bash", "-o", "pipefail", "-c", "echo {B}"]',
        f'command: ["sh"], args: ["-c", "echo {B}"]', f'command: ["sh", "-c"], args: ["echo {B}"]',
        f'command: ["/usr/bin/env", "bash", "-c", "echo {B}"]',
    ),
    "a script": run("pull", f'script: "echo {B} {B}"', f'script: "#!/bin/sh -e\\necho {B}"'),
    "what no shell reads": run(
        "pull", f'command: ["echo", "{PLAIN}"]', f'command: ["sh", "-c", "echo $0", "{PLAIN}"]', f'args: ["-c", "{PLAIN}"]',
        f'command: ["sh", "a.sh", "-c", "{PLAIN}"]', f'script: "#!/usr/bin/env python\\nprint(\'{PLAIN}\')"',
        f'workingDir: "/workspace/{PLAIN}"', f'command: ["git", "-c", "a.b={PLAIN}"]',
    ),
    "variables of nobody's choice": run("pull", 'script: "$(context.git.commit) $(context.git.url) $(git status)"'),
    "through env": run("pull", f'script: "echo \\"$B\\"", env: [{{name: "B", value: "{PLAIN}"}}]'),
    "a branch that the patterns name": run("main", f'script: "echo {PLAIN}"'),
    "any branch": run("any", f'script: "echo {B}"'),
    "every branch": run("all", 'script: "echo «$(context.build.name)»"'),
    "tags": run("tag", f'script: "echo {PLAIN} $(context.build.name)"'),
    "a comment": run("say", 'script: "«$(context.chatop.args)» «$(context.chatop.command)»"'),
    "no comment": run("pull", 'script: "$(context.chatop.args)"'),
    "no actions": steps(f'script: "echo {B}"'),
    "an image's url": f'resource: app: {{type: "image", param: url: "me/app:{PLAIN}"}}\n' + carried(
        'inputs: ["app"], steps: [{image: "a:1", script: "docker run «$(inputs.resources.app.url)» «$(resources.inputs.app.url)»"}]',
    ),
    "an image's url that nobody chooses": 'resource: app: {type: "image", param: url: "me/app:$(context.git.commit)"}\n' + carried(
        'inputs: ["app"], steps: [{image: "a:1", script: "docker run $(inputs.resources.app.url) $(inputs.resources.app.path)"}]',
    ),
    "what a step prints": carried(
        'inputs: ["echo", "printf", "env"], steps: [{image: "a:1", script: "«$(inputs.tasks.echo.s)» «$(inputs.tasks.printf.s)» «$(inputs.tasks.env.s)»"}]',
        echo=f'command: ["/bin/echo", "-n", "{PLAIN}"]', printf=f'command: ["sh", "-c", "cd a; printf %s \'v-{B}\'"]',
        env=f'script: "echo ${{B}} $A", env: [{{name: "B", value: "{PLAIN}"}}]',
    ),
    "what a step prints of what a step prints": carried(
        'inputs: ["two"], steps: [{image: "a:1", script: "echo «$(inputs.tasks.two.s)»"}]',
        one=f'command: ["echo", "{PLAIN}"]',
    ) + 'task: two: {inputs: ["one"], steps: [{name: "s", image: "a:1", args: ["$(inputs.tasks.one.s)"], command: ["echo"]}]}',
    "what a step does not print": carried(
        'inputs: ["log", "hash"], steps: [{image: "a:1", script: "$(inputs.tasks.log.s) $(inputs.tasks.hash.s)"}]',
        log=f'command: ["git", "log", "{PLAIN}"]', hash=f'script: "echo $A; git rev-parse «{PLAIN}»", env: [{{name: "AB", value: "{PLAIN}"}}]',
    ),
    "tasks that wait for each other": f"""
        task: a: {{inputs: ["b"], steps: [{{name: "s", image: "a:1", command: ["echo", "$(inputs.tasks.b.s)"]}}]}}
        task: b: {{inputs: ["a"], steps: [{{name: "s", image: "a:1", script: "echo {B} $(inputs.tasks.a.s)"}}]}}
    """,
    "from elsewhere": f'do: "echo {B}"\n' + run("pull", "script: do", "script: do"),
}  # fmt: skip


@pytest.mark.parametrize("text", INJECTED.values(), ids=INJECTED)
def test_finds_injections(text: str) -> None:
    findings("DF604", text)


E = 'env: [{name: "GIT_BRANCH", value: "$(context.git.branch)"}]'

THROUGH_ENV = {
    "bare": ("cue", f'script: "echo {PLAIN}"', f'{E}, script: "echo \\"${{GIT_BRANCH}}\\""'),
    "in double quotes": ("cue", f'script: "echo \\"a {PLAIN}\\""', f'{E}, script: "echo \\"a ${{GIT_BRANCH}}\\""'),
    "in single quotes": ("cue", f"script: \"echo 'a {PLAIN}'\"", f"{E}, script: \"echo 'a '\\\"${{GIT_BRANCH}}\\\"''\""),
    "in a command in double quotes": (
        "cue",
        f'script: "echo \\"$(git log {PLAIN})\\""',
        f'{E}, script: "echo \\"$(git log \\"${{GIT_BRANCH}}\\")\\""',
    ),
    "twice": ("cue", f'script: "{PLAIN} {PLAIN}"', f'{E}, script: "\\"${{GIT_BRANCH}}\\" \\"${{GIT_BRANCH}}\\""'),
    "with a variable for it": (
        "cue",
        f'script: "{PLAIN}", env: [{{name: "B", value: "{PLAIN}"}}]',
        f'script: "\\"${{B}}\\"", env: [{{name: "B", value: "{PLAIN}"}}]',
    ),
    "with other variables": (
        "cue",
        f'script: "{PLAIN}", env: [{{name: "B", value: "b"}}]',
        f'script: "\\"${{GIT_BRANCH}}\\"", env: [{{name: "B", value: "b"}}, {{name: "GIT_BRANCH", value: "{PLAIN}"}}]',
    ),
    "its name taken": (
        "cue",
        f'script: "{PLAIN}", env: [{{name: "GIT_BRANCH", value: "b"}}]',
        f'script: "{PLAIN}", env: [{{name: "GIT_BRANCH", value: "b"}}]',
    ),
    "in a raw string": ("cue", f'script: #"echo {PLAIN}"#', f'script: #"echo {PLAIN}"#'),
    "in a here-document": ("cue", f'script: "cat <<A\\n{PLAIN}\\nA"', f'script: "cat <<A\\n{PLAIN}\\nA"'),
    "in a comment": ("cue", f'script: "# it\'s {PLAIN}\\ntrue"', f'script: "# it\'s {PLAIN}\\ntrue"'),
    "JSON": (
        "json",
        f'"command": ["sh", "-c", "echo {PLAIN}"]',
        f'"env": [{{"name": "GIT_BRANCH", "value": "{PLAIN}"}}], "command": ["sh", "-c", "echo \\"${{GIT_BRANCH}}\\""]',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("flavour", "before", "after"), THROUGH_ENV.values(), ids=THROUGH_ENV)
def test_hands_it_over_in_the_environment(flavour: str, before: str, after: str) -> None:
    around = '{"task": {"t": {"steps": [{%s}]}}}' if flavour == "json" else "task: t: steps: [{%s}]"
    made = mended("DF604", around % before, f"Dispatchfile.{flavour}", safe=False)
    assert made == around % after


def test_hands_it_over_in_yaml() -> None:
    before = """
        task:
          t:
            steps:
            - name: a
              script: |
                echo $(context.git.branch)
                echo '$(context.build.name)'
        """
    after = """\
task:
  t:
    steps:
    - env: [{name: "GIT_BRANCH", value: "$(context.git.branch)"}]
      name: a
      script: |
        echo "${GIT_BRANCH}"
        echo '$(context.build.name)'
"""
    assert mended("DF604", before, "Dispatchfile.yaml", safe=False) == after


LOADS = """
#!starlark
# load("a@master")
load("github.com/a/b/c@«master»", "x")
load(
  'github.com/a/b/c@«main»', x = "y")
load("github.com/a/b/c@0.0.7", "x")
load("github.com/a/b/c", "x")
load("/a@b/c", "x")
text = 'load("a@master")'
print("a@master")
broken(]
"""


def test_finds_loads_of_branches() -> None:
    findings("DF605", LOADS, "Dispatchfile", readable=False)


def test_finds_loads_in_starlark_only() -> None:
    findings("DF605", 'load: "a@master"')
