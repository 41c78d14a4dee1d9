"""Kustomizations without kustomize: the fields that most have. Any other is an error that names kubectl."""

from __future__ import annotations

from dispatchfile.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from dispatchfile.apps.documents import Document


def build(root: Path, folder: Path) -> list[Document]:
    """Return the objects of a kustomization. Raises EnvironmentProblem."""
    raise EnvironmentProblem(
        f"{folder.relative_to(root)} is a kustomization, and neither `kubectl` nor `kustomize` is on this machine",
        help="install kubectl",
    )
