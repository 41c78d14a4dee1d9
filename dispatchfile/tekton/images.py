"""Image resources as outputs: the results `NAME_IMAGE_URL` and `NAME_IMAGE_DIGEST` of the task that makes them.

By these suffixes Tekton Chains knows what a task has built. The digest is read from the OCI layout that the steps left,
as Tekton's own exporter did (v0.14); where there is none, the result is empty, or the task fails if another one reads
the digest.
"""

from __future__ import annotations

from dispatchfile.tekton import _scripts, scripts
from dispatchfile.tekton.parts import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dispatchfile.model.pipeline import Resource
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object


def results(draft: Draft, images: Iterable[Resource]) -> tuple[Result, ...]:
    """Return the results of a task that makes some images."""
    made = []
    for image in images:
        made.append(Result(draft.url_result(image.name), f"where image {image.name} is pushed"))
        made.append(Result(draft.digest_result(image.name), f"digest of image {image.name}"))
    return tuple(made)


def digests(draft: Draft, images: Sequence[Resource], name: str) -> Object:
    """Return the step, of this name, that writes these results; the last one of its task."""
    args: list[str] = []
    for image in images:
        args += (
            scripts.value(f"/workspace/output/{image.name}"),
            scripts.value(image.param.get("url", "")),
            "required" if image.name in draft.digests_read else "optional",
            f"$(results.{draft.url_result(image.name)}.path)",
            f"$(results.{draft.digest_result(image.name)}.path)",
        )
    return scripts.step(name, draft.options.git_image, _scripts.DIGESTS, {}, args)
