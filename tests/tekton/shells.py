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


def run(
    folder: Path, name: str, env: Mapping[str, str], args: Sequence[str] = (), shell: str = "dash"
) -> subprocess.CompletedProcess[str]:
    """Run a script as it is sent, with nothing of the user's environment; HOME is `folder`/home."""
    if shutil.which(SHELLS[shell][0]) is None:
        ci.skip(f"{shell} is not installed")
    path = folder / f"{name}.sh"
    path.write_text(getattr(_scripts, name.upper()), encoding="utf-8")
    (folder / "home").mkdir(exist_ok=True)
    return subprocess.run(
        [*SHELLS[shell], str(path), *args],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder / "home"), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
