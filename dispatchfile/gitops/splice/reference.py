"""Names of images, and which of them `--set-image` means."""

from __future__ import annotations

import re

from dispatchfile.errors import UsageError
from dispatchfile.record import Record

_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
_HOST = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")


class Image(Record):
    """An image's name in its parts, each "" where it is not given; `repository` has the registry's host in it."""

    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def version(self) -> str:
        """Return what says which of the repository's images it is, as it stands behind the repository."""
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self.repository + self.version


class Wish(Record):
    """What `--set-image NAME=REF` asks for. `policy` says that NAME is that of a Flux image policy, NAMESPACE:NAME."""

    name: str
    image: Image
    policy: bool

    def applied(self, old: Image) -> Image:
        """Return the image that takes the place of another: REF, in the same repository where REF names none."""
        return Image(self.image.repository or old.repository, self.image.tag, self.image.digest)


def split(text: str) -> Image:
    """Return the parts of an image's name, whatever they hold."""
    name, _, digest = text.partition("@")
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return Image(head, tag, digest)
    return Image(name, "", digest)


def is_repository(text: str) -> bool:
    """Return whether a text is a repository's name, with or without a host in front (OCI Distribution 1.1)."""
    first, slash, rest = text.partition("/")
    has_host = bool(slash) and _HOST.fullmatch(first) is not None
    return all(_PART.fullmatch(part) for part in (rest if has_host else text).split("/"))


def host_of(repository: str) -> str:
    """Return the registry that a repository's name begins with, or ""."""
    first, slash, _ = repository.partition("/")
    return first if slash and (first == "localhost" or re.search(r"[.:]", first)) else ""


def is_named(repository: str, name: str) -> bool:
    """Return whether the last parts of a repository's path are those of `name`: acme/web is named web, acme/web."""
    return f"/{repository}".endswith(f"/{name}")


def parse_wish(text: str) -> Wish:
    """Return what a value of --set-image asks for. Raises UsageError."""
    name, equals, ref = text.partition("=")
    if not equals or not name:
        raise UsageError(
            f'-set-image takes NAME=REF, not "{text}"', help="-set-image=web=registry/acme/web:1.2"
        )
    image = split(ref)
    wrong = (
        (image.repository and not is_repository(image.repository))
        or (image.tag and not _TAG.fullmatch(image.tag))
        or (image.digest and not _DIGEST.fullmatch(image.digest))
        or str(image) != ref
    )
    if wrong:
        raise UsageError(f'-set-image={name}: "{ref}" is not the name of an image')
    if not image.version:
        raise UsageError(
            f'-set-image={name}: "{ref}" has no tag and no digest', help=f"say which one: {ref or 'web'}:TAG"
        )
    policy = ":" in name and "/" not in name
    if not policy and not all(re.fullmatch(r"\w[\w.:-]*", part) for part in name.split("/")):
        raise UsageError(
            f'-set-image: "{name}" is no name',
            help="an image's last parts (web, acme/web) or a container's name",
        )
    return Wish(name, image, policy)
