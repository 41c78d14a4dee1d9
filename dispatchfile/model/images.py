"""Images that stand in for others, by what a Dispatchfile calls them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

GITOPS = "update-gitops-repo"
"""The last part of the name of the image that carries a new image to a GitOps repository, whoever publishes it."""

KANIKO = ("executor", "kaniko-executor", "kaniko")
"""The last parts of the names of images of kaniko's executor."""


def is_kaniko(ref: str) -> bool:
    """Return whether an image is kaniko's executor, by the last part of its repository, whatever host and tag."""
    return _repository(ref).rpartition("/")[2] in KANIKO


def stand_in(ref: str, *tables: Mapping[str, str]) -> str:
    """Return the image to run for an image of a step: what the first of the tables that knows it says.

    An image is looked up by the whole reference, by the reference without tag and digest, and by the last part of
    that.
    """
    name = _repository(ref)
    for table in tables:
        for key in (ref, name, name.rpartition("/")[2]):
            if key in table:
                return table[key]
    return ref


def _repository(ref: str) -> str:
    """Return a reference without tag and digest."""
    head, slash, last = ref.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
