"""OCI image layouts (OCI Image Format 1.0): the digest that one reports, and layouts of the engine's images.

A layout made here keeps the layers as the engine has them, uncompressed: their digests stand in the image's
configuration already, so the same image always has the same digest, whatever compresses it later.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import IO, Any

from dispatchfile.errors import DispatchfileError, EnvironmentProblem

LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"

Blob = tuple[str, int, Callable[[], IO[bytes]]]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of_index(index: bytes, where: str) -> str:
    """Return what an index.json reports: its one manifest's digest, or its own when it lists several.

    Raises DispatchfileError when it is no image index: a step wrote it.
    """
    try:
        manifests = json.loads(index)["manifests"]
        digests = [str(manifest["digest"]) for manifest in manifests]
    except (ValueError, TypeError, KeyError):
        raise DispatchfileError(
            f"{where} is no OCI image index", help="the tool that wrote it may have failed"
        ) from None
    if len(digests) != 1:
        return digest_of(index)
    if not _DIGEST.fullmatch(digests[0]):
        raise DispatchfileError(f"{where} names a digest that is none: {digests[0][:80]}")
    return digests[0]


def digest_of(content: bytes) -> str:
    """Return the digest of a blob."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def descriptor(media_type: str, digest: str, size: int, **more: Any) -> dict[str, Any]:
    """Return an OCI content descriptor."""
    return {"mediaType": media_type, "digest": digest, "size": size, **more}


def index_json(manifest: Mapping[str, Any]) -> bytes:
    """Return the index.json of a layout with one image."""
    return canonical({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [manifest]})


def canonical(data: Mapping[str, Any]) -> bytes:
    """Return JSON that is the same bytes for the same data."""
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def image_of_export(export: IO[bytes]) -> tuple[bytes, dict[str, Any], list[Blob]]:
    """Return manifest, its descriptor and the other blobs of the one image in what `GET /images/…/get` gave.

    `export` is a seekable file; the blobs' readers use it one after the other.
    """
    tar = tarfile.open(fileobj=export, mode="r:")  # noqa: SIM115 the blobs' readers use it after this call
    listed = json.loads(_read(tar, "manifest.json"))[0]
    config = _read(tar, listed["Config"])
    diff_ids = json.loads(config)["rootfs"]["diff_ids"]
    layers: dict[str, Blob] = {}
    for diff_id, name in zip(diff_ids, listed["Layers"], strict=True):
        member = _resolved(tar, name)
        layers[diff_id] = (diff_id, member.size, partial(_opened, tar, member))
    manifest = canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG_TYPE, digest_of(config), len(config)),
            "layers": [descriptor(LAYER_TYPE, diff_id, layers[diff_id][1]) for diff_id in diff_ids],
        }
    )
    blobs: list[Blob] = [(digest_of(config), len(config), lambda: io.BytesIO(config)), *layers.values()]
    return manifest, descriptor(MANIFEST_TYPE, digest_of(manifest), len(manifest)), blobs


def layout_archive(index: bytes, blobs: Iterable[Blob]) -> Iterator[bytes]:
    """Yield a tar with an image layout, to be unpacked where it is to be."""
    files: list[tuple[str, int, Callable[[], IO[bytes]]]] = [
        ("oci-layout", len(LAYOUT), lambda: io.BytesIO(LAYOUT)),
        ("index.json", len(index), lambda: io.BytesIO(index)),
        *((f"blobs/sha256/{digest.partition(':')[2]}", size, opened) for digest, size, opened in blobs),
    ]
    for folder in ("blobs", "blobs/sha256"):
        info = tarfile.TarInfo(folder)
        info.type, info.mode = tarfile.DIRTYPE, 0o777
        yield info.tobuf(tarfile.PAX_FORMAT)
    for name, size, opened in files:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o644
        yield info.tobuf(tarfile.PAX_FORMAT)
        with opened() as file:
            yield from iter(partial(file.read, 1 << 20), b"")
        yield bytes(-size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    if file is None:
        raise EnvironmentProblem(f"the engine's export of the image has no file {member.name}")
    return file


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    return _opened(tar, tar.getmember(name)).read()


def _resolved(tar: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    """Return a member of an export; a layer that images share is a link to the one copy of it."""
    member = tar.getmember(name)
    while member.issym():
        parts = [*name.split("/")[:-1], *member.linkname.split("/")]
        kept: list[str] = []
        for part in parts:
            kept = kept[:-1] if part == ".." else [*kept, part]
        name = "/".join(kept)
        member = tar.getmember(name)
    return member
