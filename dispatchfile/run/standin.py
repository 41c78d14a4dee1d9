"""Images that stand in for others: the one place that knows them."""

from __future__ import annotations

from collections.abc import Mapping

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.backend import Backend, Pull

STAND_INS = {"update-gitops-repo": "dispatchfile/update-gitops-repo"}
"""By the last part of an image's name, whoever publishes it: images built from this very program."""


def stand_in(ref: str, overrides: Mapping[str, str]) -> str:
    """Return the image to run for an image of a step.

    `overrides` (`--image NAME=REF`) and STAND_INS are looked up by the whole reference, by the reference without
    tag and digest, and by the last part of that.
    """
    name = ref.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = f"{head}{slash}{last.partition(':')[0]}"
    for table in (overrides, STAND_INS):
        for key in (ref, name, name.rpartition("/")[2]):
            if key in table:
                return table[key]
    return ref


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
