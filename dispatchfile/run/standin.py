"""Images that stand in for others: the one place that knows them."""

from __future__ import annotations

from collections.abc import Mapping

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.model import images
from dispatchfile.run.backend import Backend, Pull

STAND_INS = {images.GITOPS: "dispatchfile/update-gitops-repo"}
"""By the last part of an image's name, whoever publishes it: images built from this very program."""


def stand_in(ref: str, overrides: Mapping[str, str]) -> str:
    """Return the image to run for an image of a step, as `overrides` (`--image NAME=REF`) or else STAND_INS say."""
    return images.stand_in(ref, overrides, STAND_INS)


def ensure(backend: Backend, ref: str, pull: Pull) -> None:
    """Make an image usable; one of STAND_INS is in no registry, so that it is never pulled.

    Raises EnvironmentProblem.
    """
    name = ref.rpartition("/")[2]
    if STAND_INS.get(name) != ref:
        backend.ensure_image(ref, pull)
        return
    try:
        backend.ensure_image(ref, "never")
    except EnvironmentProblem as problem:
        raise EnvironmentProblem(
            f"the image {ref}, which runs the steps of {name} here, is not on this engine",
            help=problem.help or f"build it in a checkout of dispatchfile: runner/engine/images {name}",
        ) from problem
