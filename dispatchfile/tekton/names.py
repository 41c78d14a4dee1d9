"""Names that Kubernetes takes, made of names that a Dispatchfile may hold.

A name that needs no change keeps its own. One that does, and would then be the same as another, or is too long, gets
a hash of what it was behind it, so that equal input gives equal names whatever stands around it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LABEL = 63
"""Characters in a DNS label (RFC 1123), and so in the name of a pipeline task or a Pipeline."""
STEP = 58
"""Characters of a step's name that count: Tekton names the container `step-NAME` and cuts that to 63."""

_KEPT = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def label(text: str, longest: int = LABEL) -> str:
    """Return a text as a DNS label of at most `longest` characters; "" where no letter or digit is left of it."""
    made = plain(text)
    return made if len(made) <= longest else hashed(text, longest)


def is_subdomain(text: str) -> bool:
    """Return whether a text is labels with dots between them, as the names of most objects are (RFC 1123)."""
    return all(part and label(part) == part for part in text.split("."))


def plain(text: str) -> str:
    """Return the small letters and digits of a text, a dash for whatever stands between them."""
    return "-".join("".join(char if char in _KEPT else " " for char in text.lower()).split())


def label_value(text: str) -> str:
    """Return a text as the value of a label: 63 letters, digits, dots, dashes and underscores at most, or ""."""
    made = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in text)
    return made[:63].strip("._-")


def hashed(text: str, longest: int = LABEL) -> str:
    """Return a text as a DNS label that ends with a hash of the text, so that no other text gives the same."""
    from hashlib import sha256

    mark = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain(text)[: longest - 9].rstrip('-')}-{mark}".lstrip("-")


def labels(texts: Iterable[str], longest: int = LABEL, taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a label for each text, all of them different, and none of those `taken`."""
    texts = list(dict.fromkeys(texts))
    used = set(taken)
    found = {text: text for text in texts if text and label(text, longest) == text and text not in used}
    used.update(found)
    for text in texts:
        if text not in found:
            made, source = label(text, longest), text
            while not made or made in used:
                made = source = hashed(source, longest)
            found[text] = made
            used.add(made)
    return {text: found[text] for text in texts}
