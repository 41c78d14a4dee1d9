"""DF8xx: what the emitters for a cluster say, asked for as rules."""

from __future__ import annotations

import pytest

from tests.lint.rules.marked import findings

SOURCE = (
    'resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}\n'
)
TASK = SOURCE + 'task: t: {inputs: ["src"], steps: [{name: "s", image: "i:1", command: ["true"]}]}\n'
CASES = {
    "a schedule clones a repository of which the file does not say which": (
        "DF806",
        TASK + 'actions: [{name: "n", tasks: ["t"], on: cron: «schedule»: "@daily"}]',
    ),
    "a dropped field": (
        "DF801",
        'task: t: steps: [{name: "s", image: "i:1", command: ["true"], «tty»: true}]',
    ),
    "a variable of Tekton": ("DF803", 'task: t: steps: [{name: "s", image: "i:«$(params.x)»"}]'),
}


@pytest.mark.parametrize("case", CASES)
def test_findings(case: str) -> None:
    findings(*CASES[case])
