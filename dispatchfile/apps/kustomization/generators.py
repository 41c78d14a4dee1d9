"""ConfigMaps and Secrets that a kustomization generates, and the hash of their content that their names end in."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from dispatchfile.apps import documents
from dispatchfile.apps.export import SourceProblem
from dispatchfile.apps.kustomization.fields import mappings
from dispatchfile.apps.kustomization.item import Item, unsupported
from dispatchfile.apps.manifest import mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_KNOWN = {"name", "namespace", "behavior", "literals", "files", "envs", "env", "options", "type"}
_OPTIONS = {"labels", "annotations", "disableNameSuffixHash", "immutable"}
_LEGIBLE = {"0": "g", "1": "h", "3": "k", "a": "m", "e": "t"}


def generate(found: dict[str, Any], folder: Path, items: list[Item], name: str) -> None:
    """Add to the items what a kustomization generates, or merge it into what is there."""
    common = mapping(found.get("generatorOptions"))
    for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for one in mappings(found.get(field)):
            _one(kind, one, common, folder, items, name)


def suffix(item: Item) -> str:
    """Return the hash of a ConfigMap or a Secret, as kustomize makes it of its content without its name."""
    found = item.object
    hashed = {"kind": item.kind, "name": "", "data": found.get("data", "")}
    if item.kind == "Secret":
        hashed["type"] = found.get("type", "")
        if "stringData" in found:
            hashed["stringData"] = found["stringData"]
    elif "binaryData" in found:
        hashed["binaryData"] = found["binaryData"]
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&\u2028\u2029":  # which Go's encoder escapes
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return "".join(_LEGIBLE.get(letter, letter) for letter in digest)


def _one(
    kind: str, one: dict[str, Any], common: dict[str, Any], folder: Path, items: list[Item], name: str
) -> None:
    options = {**common, **mapping(one.get("options"))}
    for field in ("labels", "annotations"):
        options[field] = {**mapping(common.get(field)), **mapping(mapping(one.get("options")).get(field))}
    odd = sorted({*(set(one) - _KNOWN), *(set(options) - _OPTIONS)})
    if odd:
        raise unsupported(name, f"the generator's {odd[0]}")
    made = _object(kind, one, options, folder, name)
    behavior = one.get("behavior", "create")
    if behavior in ("create", "unspecified"):
        items.append(Item(made, name, hashed=not options.get("disableNameSuffixHash")))
        return
    same = [item for item in items if item.kind == kind and one.get("name") in item.names]
    if len(same) != 1 or behavior not in ("merge", "replace"):
        raise SourceProblem(f"{name}: there is no {kind} {one.get('name')} to {behavior}")
    before = same[0]
    if behavior == "merge":
        for field in ("data", "binaryData"):
            both = {**mapping(before.object.get(field)), **mapping(made.get(field))}
            if both:
                made[field] = both
    kept = {**before.metadata}
    for field in ("labels", "annotations"):
        both = {**mapping(kept.get(field)), **mapping(made["metadata"].get(field))}
        if both:
            kept[field] = both
    before.object = {**made, "metadata": kept}


def _object(
    kind: str, one: dict[str, Any], options: dict[str, Any], folder: Path, name: str
) -> dict[str, Any]:
    if not isinstance(one.get("name"), str):
        raise SourceProblem(f"{name}: a generator has no name")
    data: dict[str, bytes] = {}
    for key, value in _entries(one, folder, name):
        if key in data:
            raise SourceProblem(f"{name}: the generator of {one['name']} has the key {key} twice")
        data[key] = value
    metadata: dict[str, Any] = {"name": one["name"]}
    for field in ("namespace", "labels", "annotations"):
        given = one.get(field) if field == "namespace" else options.get(field)
        if given:
            metadata[field] = given
    made: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    if kind == "Secret":
        made["type"] = one.get("type") or "Opaque"
        made["data"] = {key: base64.b64encode(value).decode() for key, value in data.items()}
    else:
        texts = {key: text for key, value in data.items() if (text := _text(value)) is not None}
        binary = {key: base64.b64encode(value).decode() for key, value in data.items() if key not in texts}
        made |= {field: value for field, value in (("data", texts), ("binaryData", binary)) if value}
    if options.get("immutable"):
        made["immutable"] = True
    return made


def _entries(one: dict[str, Any], folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    for text in one.get("literals") or ():
        key, equals, value = str(text).partition("=")
        if not equals or not key:
            raise SourceProblem(f"{name}: the literal {text!r} is not KEY=VALUE")
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        yield key, (value[1:-1] if quoted else value).encode()
    for text in one.get("files") or ():
        key, _, path = str(text).rpartition("=")
        yield key or Path(path).name, (folder / path).read_bytes()
    for path in [*(one.get("envs") or ()), *([one["env"]] if one.get("env") else ())]:
        yield from _variables(documents.text_of(folder / str(path), f"{name}: {path}"), name)


def _variables(text: str, name: str) -> Iterator[tuple[str, bytes]]:
    for line in text.splitlines():
        stripped = line.lstrip()
        if not stripped or stripped.startswith("#"):
            continue
        key, equals, value = stripped.partition("=")
        if not equals:
            raise SourceProblem(
                f"{name}: {key} of a file of variables has no value", help="this machine's own are not taken"
            )
        yield key, value.encode()


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
