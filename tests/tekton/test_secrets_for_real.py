"""A branch that is called as a secret, in containers that run: in neither engine does it become the secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gitops.git_server import GitServer
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.pods import TOOLS
from tests.tekton.project import Project, opaque
from tests.tekton.test_end_to_end import succeeded

pytestmark = pytest.mark.docker


def test_the_name_of_a_secret_stays_a_name(tmp_path: Path, served: GitServer, cluster: MiniTekton) -> None:
    branch = "$(context.git.branch)"
    env = [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "deploy", "key": "token"}}},
        {"name": "BRANCH", "value": branch},
        {"name": "OWN", "value": "x$(TOKEN)"},
    ]
    script = 'printf "<%s>\\n" "$@" "$BRANCH"; [ "$OWN" = "x$TOKEN" ] && [ ${#TOKEN} -eq 9 ]'
    step = {"name": "show", "image": TOOLS, "env": env,
            "command": ["sh", "-c", script], "args": ["show", branch, f"$(basename {branch})", f"$${branch}"]}  # fmt: skip
    dispatchfile = {
        "task": {"t": {"steps": [step]}},
        "actions": [{"tasks": ["t"], "on": {"git": {"push": {}}}}],
    }
    files = {"Dispatchfile.json": json.dumps(dispatchfile)}
    project = Project(tmp_path, served, files, "refs/heads/$(TOKEN)")
    project.secrets.append(opaque("deploy", token="s3cr3t-xy"))
    event = ["--event", "push", "--branch=$(TOKEN)"]
    here = project.local(*event, "--secret", "deploy/token=s3cr3t-xy")
    done = cluster.run(*project.objects(*event))
    succeeded(done, cluster)
    expected = "<$(TOKEN)>\n<$(basename $(TOKEN))>\n<$$(TOKEN)>\n<$(TOKEN)>\n"
    assert cluster.step("t", "show").log.decode() == expected
    assert here["texts"]["t", "show"] == expected
