"""OCI image layouts (OCI Image Format 1.0): the digest they report, and layouts made of the engine's images."""

from __future__ import annotations

import hashlib
import json
import re

from dispatchfile.errors import EnvironmentProblem

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of_index(index: bytes, where: str) -> str:
    """Return what an index.json reports: its one manifest's digest, or its own when it lists several.

    Raises EnvironmentProblem when it is no image index.
    """
    try:
        manifests = json.loads(index)["manifests"]
        digests = [str(manifest["digest"]) for manifest in manifests]
    except (ValueError, TypeError, KeyError):
        raise EnvironmentProblem(
            f"{where} is no OCI image index", help="the tool that wrote it may have failed"
        ) from None
    if len(digests) != 1:
        return "sha256:" + hashlib.sha256(index).hexdigest()
    if not _DIGEST.fullmatch(digests[0]):
        raise EnvironmentProblem(f"{where} names a digest that is none: {digests[0][:80]}")
    return digests[0]
