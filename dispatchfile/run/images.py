"""The images of steps: here already, pulled, or built by an earlier task of the same run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.backend import Pull
from dispatchfile.run.connect import asking, last_line
from dispatchfile.run.pause import PAUSE_IMAGE, pause_archive

if TYPE_CHECKING:
    from docker import APIClient


class Images:
    """What the run knows about images: which are here, and what it built itself under which names."""

    def __init__(self, client: APIClient, *, offline: bool, platform: str) -> None:
        self._client = client
        self._offline = offline
        self._platform = platform
        self._built: dict[str, str] = {}
        self._here: set[str] = set()
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def remember(self, ref: str, image: str) -> None:
        """Let `ref` (a tag, or a name with a digest) mean an image that this run built."""
        with self._lock:
            self._built[ref] = image
            self._built.setdefault(ref.partition("@")[2] or ref, image)

    def resolve(self, ref: str) -> str:
        """Return what to ask the engine for when a step names `ref`."""
        return self._built.get(ref) or self._built.get(ref.partition("@")[2]) or ref

    def ensure(self, ref: str, pull: Pull) -> None:
        """Make `ref` usable. Raises EnvironmentProblem when it is not here and cannot be pulled."""
        with self._lock:
            lock = self._locks.setdefault(ref, threading.Lock())
        with lock:
            if ref in self._here or self.resolve(ref) != ref:
                return
            if pull != "always" and self._is_here(ref):
                self._here.add(ref)
                return
            self._refuse_or_pull(ref, pull)
            self._here.add(ref)

    def _is_here(self, ref: str) -> bool:
        return inspect_image(self._client, ref) is not None

    def _refuse_or_pull(self, ref: str, pull: Pull) -> None:
        if self._offline:
            if self._is_here(ref):
                return
            raise EnvironmentProblem(
                f"the image {ref} is not on this engine, and the run is offline",
                help=f"fetch it once: docker pull {ref}",
            )
        if pull == "never":
            raise EnvironmentProblem(
                f"the image {ref} is not on this engine, and pulling is off (--pull never)"
            )
        self._pull(ref)

    def _pull(self, ref: str) -> None:
        import docker

        name, tag = split_ref(ref)
        try:
            with asking(f"pull the image {ref}"):
                for message in self._client.pull(
                    name, tag=tag, stream=True, decode=True, platform=self._platform or None
                ):
                    if "error" in message:
                        raise docker.errors.APIError(str(message["error"]))
        except EnvironmentProblem as problem:
            raise EnvironmentProblem(
                problem.message, help=problem.help or _pull_help(ref, problem.message)
            ) from None


def inspect_image(client: APIClient, ref: str) -> dict[str, Any] | None:
    """Return what the engine knows about an image, or None when it is not there."""
    import docker

    with asking(f"look for the image {ref}"):
        try:
            return dict(client.inspect_image(ref))
        except docker.errors.ImageNotFound:
            return None
        except docker.errors.APIError as error:
            if error.status_code == 400:
                raise EnvironmentProblem(f'"{ref}" is no image name: {last_line(error)}') from None
            raise


def ensure_pause_image(client: APIClient) -> None:
    """Bring the image that holds a task's network to the engine; it is made here, not pulled."""
    if inspect_image(client, PAUSE_IMAGE) is None:
        with asking("load the image that holds a task's network"):
            architecture = str(client.version()["Arch"])
            for _ in client.load_image(pause_archive(architecture)):
                pass


def split_ref(ref: str) -> tuple[str, str]:
    """Return name and tag of an image reference, "latest" without one; a digest takes the tag's place."""
    name, at, digest = ref.partition("@")
    if at:
        return _without_tag(name), digest
    bare = _without_tag(name)
    return bare, name[len(bare) + 1 :] or "latest"


def registry_host(ref: str) -> str:
    """Return the host of an image reference (with its port), or "" when it names none."""
    first, slash, _ = ref.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""


def _without_tag(name: str) -> str:
    slash, colon = name.rfind("/"), name.rfind(":")
    return name[:colon] if colon > slash else name


def _pull_help(ref: str, message: str) -> str:
    lower = message.lower()
    if "not found" in lower or "unknown" in lower or "does not exist" in lower or "denied" in lower:
        return "check the name and tag; for a private registry log in with `docker login` first"
    return f"is the network there? With the image at hand: docker load, or docker tag YOURS {ref}"
