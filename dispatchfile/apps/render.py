"""What a commit wants: the objects below an application's path, by plain manifests, kustomize or Helm.

As with Argo CD a folder with a kustomization or a Chart.yaml belongs to that tool, and anything else is plain
manifests: every *.yaml, *.yml and *.json of the folder itself, and with `recurse` of those below it. Templates of
`gitops update` end in .tmpl, and so are none.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from dispatchfile.apps import documents, scope
from dispatchfile.apps.documents import SUFFIXES, Document
from dispatchfile.apps.export import Exported, SourceProblem, check_path, export
from dispatchfile.apps.manifest import Manifest, key_of
from dispatchfile.apps.waves import PHASES, hooks_of, never_run
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.source import Repository

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_TOLD = 5
_NOT_MANIFESTS = frozenset({".git", "node_modules"})


class Rendered(Record):
    """The objects that a commit wants, and what is worth saying about how they were found."""

    manifests: tuple[Manifest, ...]
    notes: tuple[str, ...]


def render(app: App, repository: Repository, commit: str) -> Rendered:
    """Return what a commit that is here wants. Raises SourceProblem, and EnvironmentProblem for a tool that lacks."""
    with tempfile.TemporaryDirectory(prefix="dispatchfile-render-") as private:
        exported = export(repository.git, commit, app.path, Path(private))
        found, notes = _documents(app, exported)
        manifests = _manifests(app, found)
    return Rendered(tuple(manifests), (*exported.notes, *notes, *_hooks_in_vain(manifests)))


def described(app: App) -> str:
    """Return all of an application that decides what a commit becomes, as a text to be compared."""
    return repr((app.repository, app.path, app.namespace, app.recurse, app.values, app.settings, app.name))


def _documents(app: App, exported: Exported) -> tuple[list[Document], list[str]]:
    folder = exported.root / check_path(app.path)
    if folder.is_dir():
        if (folder / "Chart.yaml").is_file():
            from dispatchfile.apps import helm

            return helm.template(app, exported.root, folder), []
        if any((folder / name).is_file() for name in KUSTOMIZATIONS):
            from dispatchfile.apps import kustomize

            return kustomize.build(exported.root, folder), []
    return plain(exported.root, folder, recurse=app.recurse)


def plain(root: Path, folder: Path, *, recurse: bool) -> tuple[list[Document], list[str]]:
    """Return the objects of plain manifests, and what is passed over. Raises SourceProblem naming every broken file."""
    found: list[Document] = []
    notes: list[str] = []
    problems: list[SourceProblem] = []
    for path in _files(folder, recurse=recurse):
        name = str(path.relative_to(root))
        try:
            read = documents.read_file(path, name)
        except SourceProblem as problem:
            problems.append(problem)
            continue
        if read and not any(map(_looks_like_one, read)):
            notes.append(f"{name} holds no object of Kubernetes, and is passed over")
        else:
            found += read
    if problems:
        raise _together(problems)
    if not found:
        raise SourceProblem(
            f"there are no manifests in {folder.relative_to(root) if folder != root else 'the top folder'}",
            help=_elsewhere(root, folder, notes),
        )
    return found, notes


def _files(folder: Path, *, recurse: bool) -> list[Path]:
    """Return the files of manifests, sorted; what is hidden is none."""
    if folder.is_file():
        return [folder]
    entries = sorted(folder.iterdir())
    files = [path for path in entries if path.suffix in SUFFIXES and path.is_file() and not _is_hidden(path)]
    if recurse:
        for path in entries:
            if path.is_dir() and not path.is_symlink() and not _is_hidden(path):
                files += _files(path, recurse=True)
    return files


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name in _NOT_MANIFESTS


def _looks_like_one(document: Document) -> bool:
    return isinstance(document.object, dict) and (
        "apiVersion" in document.object or "kind" in document.object
    )


def _elsewhere(root: Path, folder: Path, notes: Sequence[str]) -> str:
    """Return what to do when a folder has no manifests: most often they are below it."""
    if notes:
        return notes[0]
    below = sorted(
        {str(path.parent.relative_to(root)) for path in _files(folder, recurse=True)}
        if folder.is_dir()
        else ()
    )
    if not below:
        return "manifests are files ending in .yaml, .yml or .json; --path names their folder"
    return f"there are some in {', '.join(below[:_TOLD])}: name one with --path, or take all with --recurse"


def _manifests(app: App, found: Iterable[Document]) -> list[Manifest]:
    """Return the objects with their namespaces. Raises SourceProblem for what is none, and for one that is there twice."""
    listed = list(found)
    problems: list[SourceProblem] = []
    for document in listed:
        try:
            documents.check(document, hook=bool(hooks_of(document.object)))
        except SourceProblem as problem:
            problems.append(problem)
    if problems:
        raise _together(problems)
    cluster_wide = scope.cluster_wide(document.object for document in listed)
    manifests = [_manifest(app, document, cluster_wide) for document in listed]
    places: dict[object, Manifest] = {}
    for manifest in manifests:
        first = places.setdefault(manifest.key, manifest)
        if first is not manifest:
            raise SourceProblem(
                f"{manifest.key} is there twice: {first.place} and {manifest.place}", help="keep one of them"
            )
    return manifests


def _hooks_in_vain(manifests: Iterable[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        if phases := never_run(manifest.object):
            yield (
                f"{manifest.place}: {manifest.key} is a hook of {', '.join(phases)}, when nothing is run here; "
                f"hooks are of {', '.join(PHASES)}"
            )


def _manifest(app: App, document: Document, cluster_wide: frozenset[tuple[str, str]]) -> Manifest:
    found = document.object
    metadata = dict(found["metadata"])
    if not metadata.get("name"):  # a hook's; the line makes it one of its own, and the same each time
        metadata["name"] = f"{metadata.pop('generateName')}{document.line}"
    if scope.group_kind(found) in cluster_wide:
        metadata.pop("namespace", None)
        found = {**found, "metadata": metadata}
        return Manifest(key_of(found, ""), found, document.file, document.line)
    found = {**found, "metadata": {**metadata, "namespace": metadata.get("namespace") or app.namespace}}
    return Manifest(key_of(found, app.namespace), found, document.file, document.line)


def _together(problems: Sequence[SourceProblem]) -> SourceProblem:
    """Return one error that tells of several."""
    messages = [problem.message for problem in problems[:_TOLD]]
    if len(problems) > _TOLD:
        messages.append(f"and {len(problems) - _TOLD} more")
    return SourceProblem("\n".join(messages), help=problems[0].help)
