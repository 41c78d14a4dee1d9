"""Helm charts, rendered by the program `helm`, as Argo CD does it: `helm template`, never an installed release."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from dispatchfile.apps import documents, tools
from dispatchfile.apps.documents import Document
from dispatchfile.apps.export import SourceProblem
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.apps.app import App

_SOURCE = re.compile(r"# Source: (.+)")


def template(app: App, root: Path, folder: Path) -> list[Document]:
    """Return the objects of a chart, the release being called as the application is.

    Raises EnvironmentProblem without `helm`, SourceProblem for what it refuses and for values outside the repository.
    """
    program = shutil.which("helm")
    if program is None:
        raise EnvironmentProblem(
            f"{folder.relative_to(root)}/Chart.yaml is a Helm chart, and there is no program `helm` on this machine",
            help="install Helm 3, or commit what `helm template` makes of the chart",
        )
    _check_dependencies(root, folder)
    values = [f"--values={_values(root, folder, name)}" for name in app.values]
    settings = [f"--set={setting}" for setting in app.settings]
    args = ["template", app.name, ".", f"--namespace={app.namespace}", "--include-crds", *values, *settings]
    return _placed(tools.run(program, args, root, folder), root, folder)


def _values(root: Path, folder: Path, name: str) -> str:
    """Return the path of a values file, which is in the repository."""
    path = os.path.realpath(folder / name)
    if not path.startswith(f"{os.path.realpath(root)}/"):
        raise SourceProblem(f"the values file {name} does not lie in the repository")
    if not Path(path).is_file():
        raise SourceProblem(
            f"there is no values file {name} in {folder.relative_to(root)}",
            help="--values is relative to --path",
        )
    return path


def _check_dependencies(root: Path, folder: Path) -> None:
    """Raise SourceProblem for dependencies that would have to be fetched: the repository says what runs, and no other."""
    read = documents.read_file(folder / "Chart.yaml", "Chart.yaml")
    chart = read[0].object if read else None
    listed = chart.get("dependencies") if isinstance(chart, dict) else None
    for entry in listed if isinstance(listed, list) else ():
        name = str(entry.get("name", "")) if isinstance(entry, dict) else ""
        where = str(entry.get("repository", "")) if isinstance(entry, dict) else ""
        vendored = (folder / "charts" / name).is_dir() or any((folder / "charts").glob("*.tgz"))
        if not vendored and not where.startswith("file://"):
            raise SourceProblem(
                f"{folder.relative_to(root)}/Chart.yaml depends on the chart {name!r}, which is not in charts/",
                help="`helm dependency update`, and commit the folder charts/",
            )


def _placed(text: str, root: Path, folder: Path) -> list[Document]:
    """Return the objects of Helm's output, each with the template it comes from as its file."""
    name = f"{folder.relative_to(root)}/Chart.yaml"
    sources = [
        (number, match[1])
        for number, line in enumerate(text.splitlines(), 1)
        if (match := _SOURCE.fullmatch(line))
    ]
    found = []
    for document in documents.read_text(text, name):
        above = [source for number, source in sources if number < document.line]
        found.append(replace(document, file=above[-1], line=0) if above else document)
    return found
