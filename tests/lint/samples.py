"""Dispatchfiles for the tests of lint."""

from __future__ import annotations

SOUND = """\
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
"""

UNTAGGED = SOUND.replace("golang:1.22", "golang")

YAML = """\
#!yaml
resource:
  src:
    type: git
    param: {url: $(context.git.url), revision: $(context.git.commit)}
task:
  test:
    inputs: [src]
    steps:
    - name: test
      image: golang
      command: [go, test, ./...]
actions:
- tasks: [test]
  on: {git: {push: {branches: [main]}}}
"""
