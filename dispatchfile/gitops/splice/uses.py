"""Where images stand in the documents of a GitOps repository: pod templates, kustomizations, Helm values, setters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dispatchfile.gitops.splice.reference import Image, is_named, split
from dispatchfile.gitops.splice.tree import Alias, Document, Items, Mapping, Node, Scalar, nodes
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Form: TypeAlias = Literal["text", "kustomize", "helm", "tag", "name", "digest"]

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_SETTER = re.compile(r"[ \t]*[,}\]]*[ \t]+#[ \t]*(\{.*\})[ \t]*$")


class Use(Record, eq=False):
    """A place that says which image is to run.

    `node` is the scalar of form "text" (the whole name; "tag", "name", "digest": that part), else the mapping whose keys
    say it. `title` is a container's name, `original` the name that a kustomization replaces, `policy` that of a setter.
    `label` is its path for people, and `shared` says that an alias repeats it elsewhere.
    """

    document: Document
    number: int
    node: Node
    form: Form
    image: Image
    label: str
    shared: bool
    title: str = ""
    original: str = ""
    policy: str = ""

    def is_meant(self, name: str) -> bool:
        """Return whether `--set-image NAME=` is about it."""
        named = is_named(self.image.repository, name) or bool(self.original and is_named(self.original, name))
        return named or self.title == name

    @property
    def place(self) -> str:
        """Return FILE:LINE."""
        return f"{self.document.source.name}:{self.document.source.position(self.node.start)[0]}"


def uses(document: Document, number: int, *, alone: bool) -> Iterator[Use]:
    """Yield the uses of images in a document, the file's `number`th; `alone`: it has no other."""
    root = document.root
    if not isinstance(root, Mapping):
        return
    api, kind = root.text("apiVersion"), root.text("kind")
    metadata = root.get("metadata")
    name = metadata.text("name") if isinstance(metadata, Mapping) else ""
    label = "" if alone or not kind else f"{kind}/{name}:"
    walk = _Walk(document, number, label)
    file = document.source.name.rpartition("/")[2]
    if file in KUSTOMIZATIONS or api.startswith("kustomize.config.k8s.io/"):
        yield from walk.kustomize(root, "")
    elif api.startswith("kustomize.toolkit.fluxcd.io/"):
        spec = root.get("spec")
        yield from walk.kustomize(spec, "spec.") if isinstance(spec, Mapping) else ()
    elif api and kind:
        yield from walk.object(root, "", shared=False)
    else:
        yield from walk.values(root, "", shared=False)


def setters(document: Document, number: int) -> Iterator[Use]:
    """Yield the scalars that a comment of Flux (image automation v1) names an image policy for."""
    source = document.source
    for node in nodes(document.root):
        if not isinstance(node, Scalar) or node.style in ("|", ">"):
            continue
        line_end = source.text.find("\n", node.end)
        rest = source.text[node.end : line_end if line_end >= 0 else len(source.text)].rstrip("\r")
        comment = _SETTER.match(rest)
        if not comment or '"$imagepolicy"' not in rest:
            continue
        namespace, _, name = _policy(comment[1]).partition(":")
        name, _, part = name.partition(":")
        form: Form = part if part in ("tag", "name", "digest") else "text"  # type: ignore[assignment] # just checked
        shared = bool(node.anchor) and node.anchor in document.aliased
        label = f"${namespace}:{name}"
        yield Use(
            document, number, node, form, split(node.value), label, shared, policy=f"{namespace}:{name}"
        )


def _policy(comment: str) -> str:
    try:
        found = json.loads(comment)
    except ValueError:
        return ""
    return str(found.get("$imagepolicy", "")) if isinstance(found, dict) else ""


class _Walk:
    """Looks through one document."""

    def __init__(self, document: Document, number: int, label: str) -> None:
        self.document = document
        self.number = number
        self.label = label

    def kustomize(self, mapping: Mapping, path: str) -> Iterator[Use]:
        """Yield the entries of `images` (kustomize v5)."""
        images, shared = self.follow(mapping.get("images"), shared=False)
        for entry in images.items if isinstance(images, Items) else ():
            found, both = self.follow(entry, shared=shared)
            if isinstance(found, Mapping) and (name := found.text("name")):
                image = Image(found.text("newName") or name, found.text("newTag"), found.text("digest"))
                yield self.use(
                    found, "kustomize", image, f"{path}images[name={name}]", shared=both, original=name
                )

    def object(self, node: Node | None, path: str, *, shared: bool) -> Iterator[Use]:
        """Yield the images of containers, in whatever kind of object they are found."""
        found, shared = self.follow(node, shared=shared)
        if isinstance(found, Items):
            for at, item in enumerate(found.items):
                if not isinstance(item, Scalar | Alias):
                    yield from self.object(item, f"{path}[{at}]", shared=shared)
        for key, value in found.pairs if isinstance(found, Mapping) else ():
            name = key.value if isinstance(key, Scalar) else ""
            here = f"{path}.{name}".lstrip(".")
            if name in CONTAINERS:
                yield from self.containers(value, here, shared=shared)
            elif name in ("values", "valuesObject") and isinstance(value, Mapping):
                yield from self.values(value, here, shared=shared)
            elif not isinstance(value, Scalar | Alias):
                yield from self.object(value, here, shared=shared)

    def containers(self, node: Node, path: str, *, shared: bool) -> Iterator[Use]:
        """Yield the images of a list of containers."""
        found, shared = self.follow(node, shared=shared)
        for at, item in enumerate(found.items if isinstance(found, Items) else ()):
            container, both = self.follow(item, shared=shared)
            if not isinstance(container, Mapping):
                continue
            image, both = self.looked_up(container, "image", shared=both)
            name = container.text("name")
            if isinstance(image, Scalar) and image.value:
                label = f"{path}[name={name}].image" if name else f"{path}[{at}].image"
                yield self.use(image, "text", split(image.value.strip()), label, shared=both, title=name)

    def values(self, node: Node | None, path: str, *, shared: bool) -> Iterator[Use]:
        """Yield the images of Helm values: a mapping with a repository, or a text under a key named for it."""
        found, shared = self.follow(node, shared=shared)
        if isinstance(found, Items):
            for at, item in enumerate(found.items):
                if not isinstance(item, Alias):
                    yield from self.values(item, f"{path}[{at}]", shared=shared)
        if not isinstance(found, Mapping):
            return
        if repository := found.text("repository"):
            registry = found.text("registry")
            whole = f"{registry}/{repository}" if registry else repository
            image = Image(whole, found.text("tag"), found.text("digest"))
            yield self.use(found, "helm", image, path, shared=shared)
        for key, value in found.pairs:
            name = key.value if isinstance(key, Scalar) else ""
            here = f"{path}.{name}".lstrip(".")
            text, both = self.follow(value, shared=shared)
            if name.lower().endswith("image") and isinstance(text, Scalar) and text.value:
                yield self.use(text, "text", split(text.value.strip()), here, shared=both)
            elif not isinstance(value, Scalar | Alias):
                yield from self.values(value, here, shared=shared)

    def looked_up(self, mapping: Mapping, name: str, *, shared: bool) -> tuple[Node | None, bool]:
        """Return the value of a key, also where a merge key (<<) brings it; that one is shared."""
        own = mapping.get(name)
        if own is not None:
            return self.follow(own, shared=shared)
        merged, _ = self.follow(mapping.get("<<"), shared=True)
        for source in merged.items if isinstance(merged, Items) else [merged]:
            found, _ = self.follow(source, shared=True)
            if isinstance(found, Mapping) and (value := found.get(name)) is not None:
                return self.follow(value, shared=True)
        return None, shared

    def follow(self, node: Node | None, *, shared: bool) -> tuple[Node | None, bool]:
        """Return what a node means, and whether it is repeated elsewhere."""
        if isinstance(node, Alias):
            return self.document.anchors.get(node.anchor), True
        return node, shared or bool(node and node.anchor and node.anchor in self.document.aliased)

    def use(
        self,
        node: Node,
        form: Form,
        image: Image,
        label: str,
        *,
        shared: bool,
        title: str = "",
        original: str = "",
    ) -> Use:
        """Return a use in this document."""
        return Use(
            self.document, self.number, node, form, image, f"{self.label}{label}", shared, title, original
        )
