"""The image of the update task: the same program, in a container."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.gitops.conftest import DIGESTS, Site

pytestmark = pytest.mark.docker
BUILD = Path(__file__).parents[2] / "runner" / "images" / "update-gitops-repo" / "build.sh"


def container(image: str, site: Site, *argv: str, entrypoint: str = "") -> subprocess.CompletedProcess[str]:
    folder = site.bare.parent
    command = [
        "docker",
        "run",
        "--rm",
        "-v",
        f"{folder}:{folder}",
        "-w",
        str(site.checkout),
        "--network=none",
    ]
    command += [f"--entrypoint={entrypoint}"] if entrypoint else []
    return subprocess.run([*command, image, *argv], capture_output=True, text=True, check=False)


def test_it_updates_a_repository(update_image: str, site: Site) -> None:
    done = container(update_image, site, "-git-revision=r1", f"-substitute=imageName={DIGESTS['a']}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"pushed {site.tip('dispatch/update-web')} ")
    assert DIGESTS["a"] in site.show("dispatch/update-web", "app.yaml")


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["-substitutue=a=b"], 2, 'did you mean "-substitute"?'),
        (["-git-revision=r1"], 1, "no value for .imageName"),
        (["--help"], 0, "-substitute=KEY=VALUE"),
    ],
    ids=["usage", "template", "help"],
)
def test_its_errors_are_told_as_outside(
    update_image: str, site: Site, argv: list[str], code: int, told: str
) -> None:
    done = container(update_image, site, *argv)
    assert done.returncode == code
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_code_in_the_checkout_is_not_imported(update_image: str, site: Site) -> None:
    for name in ("dispatchfile", "json", "git"):
        (site.checkout / f"{name}.py").write_text("raise SystemExit('taken over')\n")
    assert container(update_image, site, "--help").returncode == 0


def test_scripts_find_what_the_original_had(update_image: str, site: Site) -> None:
    script = "set -e; for name in sh git gpg ssh update-gitops-repo; do which $name; done; python3 -c 'import requests, yaml'"
    done = container(update_image, site, "-c", script, entrypoint="sh")
    assert done.returncode == 0, done.stderr
    assert "/usr/bin/update-gitops-repo" in done.stdout.splitlines()


def test_building_again_does_nothing(update_image: str) -> None:
    done = subprocess.run(
        [str(BUILD), update_image], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stderr.strip().endswith("is up to date")
