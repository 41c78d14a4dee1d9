"""What a cluster gets of this repository: runs fetch a commit by the repository's URL, and nothing is uploaded."""

from __future__ import annotations

from pathlib import Path

from dispatchfile import remote
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.event import checkout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispatchfile.event.checkout import Checkout
    from dispatchfile.event.event import Event
    from dispatchfile.kube.client import Object


def params(objects: Iterable[Object]) -> frozenset[str]:
    """Return the parameters that Pipelines declare and that PipelineRuns give."""
    return frozenset(param["name"] for made in objects for param in made["spec"].get("params", ()))


def require(event: Event, here: Checkout, run: Object, *, from_here: bool) -> None:
    """Raise EnvironmentProblem where a run fetches what the cluster cannot get.

    That is when the repository has no URL, or, when the event was made up `from_here`, no remote has the commit.
    """
    given = params([run])
    if event.url == here.root and "git-url" in given:
        raise EnvironmentProblem(
            f"a cluster cannot fetch from {here.root}",
            help="push the repository somewhere, and make that its remote: git remote add origin URL",
        )
    if from_here and event.kind == "push" and "git-commit" in given and _is_only_here(event, here):
        raise EnvironmentProblem(
            f"commit {event.commit[:10]} is on no branch of a remote, so the cluster cannot fetch it",
            help="git push; or git fetch, where somebody else has pushed it",
        )


def notes(event: Event, here: Checkout | None, given: frozenset[str], file: Path) -> Iterator[str]:
    """Yield what the user should know about the commit that runs fetch that are `given` these parameters.

    `here` is None outside of a clone; `file` is the Dispatchfile, which was read as it is here.
    """
    if not given & {"git-url", "git-commit"}:
        return
    local = remote.parse(event.url).local
    if local:
        yield f"a cluster cannot fetch from {event.url}, which is on this machine"
    if here is None or here.url != event.url:
        return  # the event came from elsewhere
    if not local and "git-commit" in given and _is_only_here(event, here):
        yield f"commit {event.commit[:10]} is on no branch of a remote that is known here: git push"
    yield from _uncommitted(event, here, file)


def _is_only_here(event: Event, here: Checkout) -> bool:
    return checkout.on_remote(here.root, event.commit) is False


def _uncommitted(event: Event, here: Checkout, file: Path) -> Iterator[str]:
    if event.commit != here.commit:
        return
    root = Path(here.root).resolve()
    changed = [name for name in checkout.changed_files(here.root) if root / name != file.resolve()]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        yield f"what is not committed does not reach the cluster: {changed[0]}{more}"
