"""The nasty texts in containers that run: each engine's programs see the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gitops.git_server import GitServer
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.pods import TOOLS
from tests.tekton.project import Project
from tests.tekton.test_end_to_end import succeeded
from tests.tekton.test_substitution import SHELL, TEKTON

pytestmark = pytest.mark.docker


def test_programs_see_the_same_in_both_engines(
    tmp_path: Path, served: GitServer, cluster: MiniTekton
) -> None:
    known = {
        name: text
        for name, text in {**SHELL, **TEKTON}.items()
        if "resources." not in text and "git.nope" not in text
    }
    texts = [*known.values()]
    script = (
        "#!/bin/sh\ncat <<'END'\n"
        + "\n".join(text for name, text in known.items() if name in SHELL)
        + "\nEND\n"
    )
    env = [
        {"name": "A", "value": "of A"},
        *({"name": f"T{at}", "value": text} for at, text in enumerate(texts)),
    ]
    steps = [
        {"name": "words", "image": TOOLS, "command": ["printf", "<%s>\\n", *texts[:9]], "args": texts[9:]},
        {"name": "env", "image": TOOLS, "env": env, "command": ["sh", "-c", "env -0 | sort -z | grep -z '^[AT]' | tr '\\0' '\\n'"]},
        {"name": "file", "image": TOOLS, "env": env, "script": script},
    ]  # fmt: skip
    dispatchfile = {
        "task": {"look": {"steps": steps}},
        "actions": [{"tasks": ["look"], "on": {"git": {"push": {}}}}],
    }
    branch = "x'y\"`z`;$(w)"
    files = {"Dispatchfile.json": json.dumps(dispatchfile)}
    project = Project(tmp_path, served, files, f"refs/heads/{branch}")
    here, done = project.both(["--event", "push", f"--branch={branch}"], cluster)
    succeeded(done, cluster)
    assert set(here["texts"]) == {("look", step["name"]) for step in steps}
    for (task, step), expected in here["texts"].items():
        assert cluster.step(task, step).log.decode().splitlines() == expected.splitlines(), step
        assert len(expected) > 500, "it says much"
