"""Packages of npm that tests hold our output against, installed once and kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests import ci


def installed(*packages: str) -> Path:
    """Return the folder that holds the packages' `node_modules`; skips the test where npm cannot bring them.

    In CI it fails instead. Packages are named with their versions, as npm takes them: "typescript@5.9.3".
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dispatchfile"
    folder = cache / f"npm-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    made = folder.with_suffix(f".{os.getpid()}")
    made.mkdir(parents=True)
    try:
        (made / "package.json").write_text("{}", encoding="utf-8")
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *packages],
            cwd=made, check=True, capture_output=True, timeout=180,
        )  # fmt: skip
        made.rename(folder)
    except (FileNotFoundError, subprocess.SubprocessError) as error:
        ci.skip(f"npm cannot bring {' '.join(packages)}: {error}")
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder
