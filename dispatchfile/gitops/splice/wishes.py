"""Which edits bring about what `--set-image` and `--set` ask for in one use of an image, or one value."""

from __future__ import annotations

import re

from dispatchfile.gitops.splice.edit import NUMBER, Edit, add, drop, rename, set_value
from dispatchfile.gitops.splice.reference import Image, Wish, host_of
from dispatchfile.gitops.splice.tree import Document, Mapping, Node, Scalar, kind_of
from dispatchfile.gitops.splice.uses import Use

_MEANT_PLAIN = re.compile(r"[\w./+-]+")


def image_edits(use: Use, wish: Wish) -> tuple[Image, list[Edit]]:
    """Return the image that the use has then, and the edits that make it so. Raises SpliceError."""
    if use.shared:
        raise use.document.fail(
            use.node, "this image is repeated elsewhere by an alias or a merge key", "change it by hand"
        )
    image = wish.applied(use.image)
    if isinstance(use.node, Mapping):
        if use.form == "kustomize":
            return _as_kustomize_has(image), _kustomize(use, use.node, image)
        return image, _helm(use, use.node, image)
    if use.form == "text":
        return image, [set_value(use.document, use.node, str(image))]
    text = {"tag": image.tag, "name": image.repository, "digest": image.digest}[use.form]
    if not text:
        raise use.document.fail(use.node, f"a setter wants the {use.form}, and {image} has none", "give it")
    return image, [set_value(use.document, use.node, text)]


def value_edit(document: Document, node: Node, value: str) -> Edit:
    """Return the edit that sets a value and keeps what kind of value it is. Raises SpliceError.

    A number stays a number, a boolean a boolean, a text a text; where there was nothing (null), the value is what it
    looks like.
    """
    if not isinstance(node, Scalar) or node.kind in ("text", "other"):
        return set_value(document, node, value)
    if node.kind == "null":
        looks = kind_of(value) if _MEANT_PLAIN.fullmatch(value) else "text"
        exact = looks not in ("number", "other") or (looks == "number" and bool(NUMBER.fullmatch(value)))
        return set_value(document, node, value, looks if exact else "text")
    fits = bool(NUMBER.fullmatch(value)) if node.kind == "number" else value in ("true", "false")
    if not fits:
        raise document.fail(
            node, f'this is a {node.kind}, and "{value}" is none', "give one, or change it by hand"
        )
    return set_value(document, node, value, node.kind)


def _as_kustomize_has(image: Image) -> Image:
    """Return an image without the tag that a digest makes kustomize forget."""
    return Image(image.repository, "" if image.digest else image.tag, image.digest)


def _kustomize(use: Use, entry: Mapping, image: Image) -> list[Edit]:
    """Return the edits of an entry of `images`; it has a tag or a digest, never both (kustomize v5)."""
    document = use.document
    edits: list[Edit] = []
    wanted, other = ("digest", "newTag") if image.digest else ("newTag", "digest")
    value = image.digest or image.tag
    name = entry.get("newName")
    if name is not None:
        edits.append(set_value(document, name, image.repository))
    elif image.repository != use.original:
        edits.append(add(document, entry, "name", "newName", image.repository))
    have, instead = entry.get(wanted), entry.get(other)
    if have is not None:
        edits.append(set_value(document, have, value))
        edits += [drop(document, entry, other)] if instead is not None else []
    elif instead is not None:
        edits += [rename(document, entry, other, wanted), set_value(document, instead, value)]
    else:
        edits.append(add(document, entry, "name", wanted, value))
    return edits


def _helm(use: Use, values: Mapping, image: Image) -> list[Edit]:
    """Return the edits of Helm values with `repository`, and what they have of `registry`, `tag` and `digest`.

    Charts take a digest before a tag, so one that is there and not wanted any more becomes empty. Where the values know
    no digest, it goes behind the tag, for charts write REPOSITORY:TAG.
    """
    document = use.document
    tag, digest = values.get("tag"), values.get("digest")
    edits = _helm_repository(use, values, image) if image.repository != use.image.repository else []
    if digest is None and image.digest and not (tag and image.tag):
        raise document.fail(
            values.get("repository") or values,
            f"these values have no digest, and {image} has {'no tag' if tag else 'one'}",
            'add `digest: ""` to them if the chart knows it, or give a tag',
        )
    if tag is None and digest is None:
        raise document.fail(values, "these values have neither tag nor digest", "add the one the chart knows")
    if tag is None and not image.digest:
        raise document.fail(values, f"these values have no tag, and {image} no digest", "give a digest")
    if digest is not None and (image.digest or use.image.digest):
        edits.append(set_value(document, digest, image.digest))
    if tag is not None and image.tag:
        behind = f"@{image.digest}" if digest is None and image.digest else ""
        edits.append(set_value(document, tag, image.tag + behind))
    return edits


def _helm_repository(use: Use, values: Mapping, image: Image) -> list[Edit]:
    repository, registry = values.get("repository") or values, values.get("registry")
    if registry is None or not values.text("registry"):
        return [set_value(use.document, repository, image.repository)]
    if image.repository == values.text("repository"):
        return []
    host = host_of(image.repository)
    if not host:
        raise use.document.fail(
            registry, f"the registry stands apart here, and {image} names none", "name the registry too"
        )
    return [
        set_value(use.document, registry, host),
        set_value(use.document, repository, image.repository.removeprefix(f"{host}/")),
    ]
