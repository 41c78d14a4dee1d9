"""Build a kustomization: its resources and components, what it generates, what it changes, in kustomize's order."""

from __future__ import annotations

import copy
import re
from pathlib import Path

from dispatchfile.apps import documents, scope
from dispatchfile.apps.documents import Document
from dispatchfile.apps.export import SourceProblem
from dispatchfile.apps.kustomization import fields, generators, patches
from dispatchfile.apps.kustomization.item import Item, select, unsupported
from dispatchfile.apps.manifest import mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Load = Callable[[Path, Path], tuple[dict[str, Any], str]]

_DONE = frozenset({
    "apiVersion", "kind", "metadata", "resources", "bases", "components", "namespace", "namePrefix", "nameSuffix",
    "commonLabels", "labels", "commonAnnotations", "images", "replicas", "configMapGenerator", "secretGenerator",
    "generatorOptions", "patches", "patchesStrategicMerge", "patchesJson6902", "buildMetadata", "sortOptions",
})  # fmt: skip
# Names inside of these are not followed here.
_OPAQUE = ("APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_NOT_PREFIXED = ("CustomResourceDefinition", "APIService", "Namespace")
_LOCAL = "config.kubernetes.io/local-config"


def build(root: Path, folder: Path, load: Load) -> list[Document]:
    """Return the objects of a kustomization. Raises SourceProblem, and EnvironmentProblem for what only kustomize does."""
    items = _accumulated(root, folder, load, [])
    for item in items:
        if item.hashed:
            item.rename(f"{item.name}-{generators.suffix(item)}")
    for item in items:
        _follow(item, items)
    kept = [item for item in items if fields.at(item.metadata, "annotations").get(_LOCAL) != "true"]
    return [_document(item) for item in kept]


def _document(item: Item) -> Document:
    for field in ("labels", "annotations"):
        if item.metadata.get(field) == {}:
            del item.metadata[field]
    name, _, line = item.place.partition(":")
    return Document(item.object, name, int(line) if line else 0)


def _accumulated(root: Path, folder: Path, load: Load, items: list[Item]) -> list[Item]:
    """Return the items with what a kustomization adds to them and changes of them; a component changes all."""
    found, name = load(root, folder)
    odd = sorted(set(found) - _DONE)
    if odd or (found.get("buildMetadata") or found.get("sortOptions")):
        raise unsupported(name, odd[0] if odd else "buildMetadata or sortOptions")
    for text in [*(found.get("resources") or ()), *(found.get("bases") or ())]:
        path = (folder / text).resolve()
        if path.is_dir():
            items = [*items, *_accumulated(root, path, load, [])]
        else:
            items = [*items, *_read(root, path)]
    for text in found.get("components") or ():
        items = _accumulated(root, (folder / text).resolve(), load, items)
    generators.generate(found, folder, items, name)
    _check_unique(items, name)
    items = _patched(found, folder, items, name)
    _change(found, items, name)
    return items


def _read(root: Path, path: Path) -> list[Item]:
    read = documents.read_file(path, str(path.relative_to(root.resolve())))
    for document in read:
        documents.check(document)
    return [Item(copy.deepcopy(document.object), document.place) for document in read]


def _check_unique(items: list[Item], name: str) -> None:
    seen: dict[tuple[str, str, str, str], Item] = {}
    for item in items:
        first = seen.setdefault((item.group, item.kind, item.namespace, item.name), item)
        if first is not item:
            raise SourceProblem(
                f"{name}: {item.kind} {item.name} is there twice: {first.place} and {item.place}"
            )


def _patched(found: dict[str, Any], folder: Path, items: list[Item], name: str) -> list[Item]:
    for one in found.get("patchesStrategicMerge") or ():
        text = one if "\n" in one else documents.text_of(folder / one, f"{name}: {one}")
        items = _merged(text, {}, items, name)
    for one in fields.mappings(found.get("patches")):
        if set(one) - {"path", "patch", "target"}:
            raise unsupported(name, "options of a patch")
        items = _merged(_patch_text(one, folder, name), mapping(one.get("target")), items, name)
    return items


def _patch_text(one: dict[str, Any], folder: Path, name: str) -> str:
    if one.get("path"):
        return documents.text_of(folder / str(one["path"]), f"{name}: {one['path']}")
    if not isinstance(one.get("patch"), str):
        raise SourceProblem(f"{name}: a patch has neither a path nor a text")
    return str(one["patch"])


def _merged(text: str, target: dict[str, Any], items: list[Item], name: str) -> list[Item]:
    """Return the items after a patch of either shape; a list is one of operations."""
    for document in documents.read_text(text, name):
        patch: Any = document.object  # which need be no object here
        if isinstance(patch, list):
            if not target:
                raise SourceProblem(f"{name}: a patch of operations needs a target")
            for item in select(items, target, name):
                item.object = patches.operate(item.object, patch, name)
        elif isinstance(patch, dict):
            meant = select(items, target, name) if target else _meant(patch, items, name)
            gone = [item for item in meant if not patches.merge(item, patch, name)]
            items = [item for item in items if item not in gone]
        else:
            raise SourceProblem(f"{name}: a patch is neither an object nor a list of operations")
    return items


def _meant(patch: dict[str, Any], items: list[Item], name: str) -> list[Item]:
    """Return the one item that a patch names by itself."""
    metadata = fields.at(patch, "metadata")
    if not all(
        isinstance(one, str) for one in (patch.get("apiVersion"), patch.get("kind"), metadata.get("name"))
    ):
        raise SourceProblem(f"{name}: a patch without a target needs apiVersion, kind, and metadata.name")
    namespace = metadata.get("namespace")
    found = [
        item
        for item in items
        if scope.group_kind(patch) == (item.group, item.kind)
        and metadata["name"] in item.names
        and (namespace is None or item.namespace in ("", namespace))
    ]
    if len(found) != 1:
        how = "no object" if not found else f"{len(found)} objects"
        raise SourceProblem(
            f"{name}: a patch is for {patch['kind']} {metadata['name']}, and {how} is called so"
        )
    return found


def _change(found: dict[str, Any], items: list[Item], name: str) -> None:
    """Make the changes that are no patches, in kustomize's order."""
    renamed = [field for field in ("namespace", "namePrefix", "nameSuffix") if found.get(field)]
    opaque = next((item for item in items if item.kind in _OPAQUE), None)
    if renamed and opaque:
        raise unsupported(name, f"{renamed[0]} with {opaque.kind}")
    if found.get("namespace"):
        _set_namespace(items, str(found["namespace"]))
    prefix, suffix = str(found.get("namePrefix") or ""), str(found.get("nameSuffix") or "")
    if prefix or suffix:
        for item in items:
            if item.kind not in _NOT_PREFIXED:
                item.rename(f"{prefix}{item.name}{suffix}")
    _label(found, items, name)
    for item in items if found.get("commonAnnotations") else ():
        for place in fields.annotation_places(item):
            place.update(_texts(found["commonAnnotations"], name))
    for one in fields.mappings(found.get("patchesJson6902")):
        text = _patch_text(one, Path(), name) if one.get("patch") else _no_path(name)
        _merged(text, mapping(one.get("target")), items, name)
    for one in fields.mappings(found.get("replicas")):
        _scale(one, items, name)
    for one in fields.mappings(found.get("images")):
        for item in items:
            _set_image(item, one, name)


def _no_path(name: str) -> str:
    raise unsupported(name, "patchesJson6902 with a path")


def _set_namespace(items: list[Item], namespace: str) -> None:
    cluster_wide = scope.cluster_wide(item.object for item in items)
    for item in items:
        if item.kind == "Namespace" and not item.group:
            item.rename(namespace)
        elif (item.group, item.kind) not in cluster_wide:
            item.move(namespace)
        if item.kind in ("RoleBinding", "ClusterRoleBinding"):
            for subject in fields.mappings(item.object.get("subjects")):
                if subject.get("kind") == "ServiceAccount" and subject.get("name") == "default":
                    subject["namespace"] = namespace


def _label(found: dict[str, Any], items: list[Item], name: str) -> None:
    groups = [(found["commonLabels"], True, True)] if found.get("commonLabels") else []
    for one in fields.mappings(found.get("labels")):
        if set(one) - {"pairs", "includeSelectors", "includeTemplates"}:
            raise unsupported(name, "fields of labels")
        groups.append(
            (one.get("pairs") or {}, bool(one.get("includeSelectors")), bool(one.get("includeTemplates")))
        )
    for pairs, selectors, below in groups:
        texts = _texts(pairs, name)
        for item in items:
            for place in fields.label_places(item, selectors=selectors, below=below):
                place.update(texts)


def _texts(found: Any, name: str) -> dict[str, str]:
    pairs = mapping(found)
    wrong = next((key for key, value in pairs.items() if not isinstance(value, str)), None)
    if wrong is not None:
        raise SourceProblem(f"{name}: {wrong} must be a text", help="put it in quotes")
    return pairs


def _scale(one: dict[str, Any], items: list[Item], name: str) -> None:
    meant = [item for item in items if item.kind in fields.REPLICATED and one.get("name") in item.names]
    if not meant:
        raise SourceProblem(
            f"{name}: replicas are given for {one.get('name')}, and nothing that has some is called so"
        )
    for item in meant:
        fields.ensured(item.object, "spec")["replicas"] = one.get("count")


def _set_image(item: Item, one: dict[str, Any], name: str) -> None:
    odd = set(one) - {"name", "newName", "newTag", "digest"}
    if odd or not isinstance(one.get("name"), str):
        raise (
            unsupported(name, f"images with {sorted(odd)[0]}")
            if odd
            else SourceProblem(f"{name}: an image has no name")
        )
    pattern = re.compile(re.escape(one["name"]) + r"(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?")
    for container in fields.containers(item.object):
        image = container.get("image")
        match = pattern.fullmatch(image) if isinstance(image, str) else None
        if match is not None:
            tag, digest = match[1] or "", match[2] or ""
            if one.get("newTag") or one.get("digest"):
                tag = f":{one['newTag']}" if one.get("newTag") else ""
                digest = f"@{one['digest']}" if one.get("digest") else ""
            container["image"] = f"{one.get('newName') or one['name']}{tag}{digest}"


def _follow(item: Item, items: list[Item]) -> None:
    """Change the names of others in an object to those that they have now."""
    for kind, (found, field) in fields.references(item):
        named = [one for one in items if one.kind == kind and found[field] in one.names]
        own = item.namespaces
        if "kind" in found and kind == "ServiceAccount":  # a subject, which names a namespace of its own
            own = [str(found.get("namespace") or "")]
        near = [one for one in named if _shares_namespace(one, own)]
        names = {one.name for one in near}
        if len(names) == 1:
            found[field] = near[0].name
            if kind == "ServiceAccount" and "kind" in found and near[0].namespace:
                found["namespace"] = near[0].namespace
        elif names:
            raise unsupported(item.place, f"the name {found[field]}, which {len(names)} objects have had,")


def _shares_namespace(item: Item, namespaces: list[str]) -> bool:
    """Return whether an object is, or was, in one of the namespaces, or in none as its kind is."""
    if (item.group, item.kind) in scope.cluster_wide(()):
        return True
    return bool({name or "default" for name in item.namespaces} & {name or "default" for name in namespaces})
