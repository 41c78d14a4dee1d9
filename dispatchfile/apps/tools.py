"""Run a program that renders manifests of a repository, which is not to reach anything but the files laid out for it."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from dispatchfile.apps.export import SourceProblem
from dispatchfile.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 120.0
"""Seconds."""
MOST_MEMORY = 2 << 30
"""Bytes; a patch or a template that doubles something a few dozen times asks for all there is."""
_MOST_SAID = 2000
_LOGGED = re.compile(r'^[EF]\d{4} [\d:.]+ +\d+ \S+\] "command failed" err="(.*)"$', re.DOTALL)
"""What kubectl puts around its last words: a time, which is another one each time, and the place in its source."""
_NOWHERE = "http://127.0.0.1:9"  # the discard port, where nothing listens


def run(program: str, args: Sequence[str], root: Path, folder: Path) -> str:
    """Return what a program, named by its full path, prints when it runs in `folder` of the repository laid out in `root`.

    It sees no credentials, no configuration, no plugins, no other programs, and no network but this machine's own.
    Raises SourceProblem with its last words when it fails.
    """
    name = Path(program).name
    with tempfile.TemporaryDirectory(prefix="dispatchfile-tool-") as private:
        try:
            process = subprocess.Popen(
                [program, *args],
                cwd=folder,
                env=_environment(private),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise EnvironmentProblem(f"{program} cannot be run: {error.strerror}") from error
        with process:
            if sys.platform == "linux":
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
            try:
                output, errors = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise SourceProblem(
                    f"{name} took longer than {TIMEOUT:g} s over {_shown(root, folder)}"
                ) from None
    if process.returncode:
        said = errors.decode("utf-8", "replace").replace(f"{root}/", "").replace(str(root), ".").strip()
        said = _LOGGED.sub(r"\1", said)
        raise SourceProblem(
            f"{name} cannot render {_shown(root, folder)}: "
            f"{said[:_MOST_SAID] or f'it ended with {process.returncode}'}"
        )
    try:
        return output.decode()
    except UnicodeDecodeError:
        raise SourceProblem(f"what {name} makes of {_shown(root, folder)} is not UTF-8") from None


def _environment(private: str) -> dict[str, str]:
    homes = ("HOME", "PATH", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    helm = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {
        **dict.fromkeys((*homes, *helm), private),
        **dict.fromkeys((*proxies, *map(str.lower, proxies)), _NOWHERE),
        "KUBECONFIG": f"{private}/none",
        "LC_ALL": "C.UTF-8",
    }


def _shown(root: Path, folder: Path) -> str:
    return str(folder.relative_to(root)) if folder != root else "the top folder"
