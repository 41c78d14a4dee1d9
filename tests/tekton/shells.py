"""Scripts of steps in the shells that their images have."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from dispatchfile.tekton import _scripts
from tests import ci

SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}
PROGRAMS = [
    "awk",
    "cat",
    "chmod",
    "cp",
    "cut",
    "find",
    "grep",
    "ls",
    "mkdir",
    "mktemp",
    "paste",
    "printf",
    "rm",
    "sed",
    "sha256sum",
    "tail",
    "tr",
    "wc",
]


def run(
    folder: Path, name: str, env: Mapping[str, str], args: Sequence[str] = (), shell: str = "dash"
) -> subprocess.CompletedProcess[str]:
    """Run a script as it is sent, with nothing of the user's environment; HOME is `folder`/home."""
    if shutil.which(SHELLS[shell][0]) is None:
        ci.skip(f"{shell} is not installed")
    programs = [os.environ["PATH"]]
    if shell == "busybox":  # with its own small programs, as in an image that has nothing else
        (folder / "bin").mkdir(exist_ok=True)
        for program in PROGRAMS:
            link = folder / "bin" / program
            if not link.is_symlink():
                link.symlink_to(str(shutil.which("busybox")))
        programs.insert(0, str(folder / "bin"))
    path = folder / f"{name}.sh"
    path.write_text(getattr(_scripts, name.upper()), encoding="utf-8")
    (folder / "home").mkdir(exist_ok=True)
    return subprocess.run(
        [*SHELLS[shell], str(path), *args],
        cwd=folder,
        env={"PATH": ":".join(programs), "HOME": str(folder / "home"), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
