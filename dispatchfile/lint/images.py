"""The images that steps name, taken apart: repository, tag, digest."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.lint.rule import Subject
    from dispatchfile.lint.settings import Settings
    from dispatchfile.value import Value


class Image(Record):
    """An image reference `REPOSITORY[:TAG][@DIGEST]`, where it stands, and the path of its field in the value."""

    repository: str
    tag: str
    digest: str
    place: Value
    path: str


def step_images(subject: Subject) -> Iterator[Image]:
    """Yield the image of each step; not those whose name ends in a variable, which may hold tag and digest too.

    Nor those that are no texts, such as bytes of CUE: that is a finding of its own.
    """
    if subject.pipeline is None:
        return
    mistyped = {found.span for found in subject.found if found.code == "DF103"}
    for task in subject.pipeline.tasks.values():
        for index, step in enumerate(task.steps):
            place = step.value.at("image")
            repository, tag, digest = parts(step.image)
            if place is None or place.span in mistyped:
                continue
            if repository and not repository.endswith(")"):
                yield Image(repository, tag, digest, place, f"task.{task.name}.steps[{index}].image")


def parts(reference: str) -> tuple[str, str, str]:
    """Return repository, tag and digest of an image reference, "" for what it does not name.

    A colon before the last slash is the port of a registry.
    """
    name, _, digest = reference.partition("@")
    folder, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    return folder + slash + base, tag, digest


def is_trusted(image: Image, settings: Settings) -> bool:
    """Return whether the settings trust the image's registry to keep what a name means."""
    if not settings.trusted_registries:
        return False
    from dispatchfile import glob

    return any(glob.matches(pattern, image.repository) for pattern in settings.trusted_registries)
