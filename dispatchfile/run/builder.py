"""Kaniko steps on the engine's own builder: the same arguments, cached layers, no registry needed.

The context is read from the task's workspace as the engine sees it and goes straight to its builder. The image gets
the step's destinations as tags; those on this machine's registries are pushed (all of them with `publish`), and the
digest is the one that the registry then holds. What is not pushed is told, and its digest comes from an OCI layout.
"""

from __future__ import annotations

import io
import json
import os
import socket
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from dispatchfile.errors import DispatchfileError, UsageError
from dispatchfile.remote import is_loopback
from dispatchfile.run.archive import Archive, read_single
from dispatchfile.run.backend import RunSpec, Sink, StepResult, StepSpec
from dispatchfile.run.buildcontext import FOREIGN_DOCKERFILE, base_images, filtered, ignore_lines
from dispatchfile.run.connect import asking
from dispatchfile.run.expand import expand_env, expand_words
from dispatchfile.run.images import Images, registry_host, split_ref
from dispatchfile.run.kaniko import BuildRequest, parse_request
from dispatchfile.run.oci import (
    DOCKER_MANIFEST_TYPE,
    Blob,
    descriptor,
    digest_of,
    image_of_export,
    index_json,
    layout_archive,
)
from dispatchfile.run.seats import make_holder, path_exists
from dispatchfile.run.workspace import HOME, WORKSPACE, MountConfig

if TYPE_CHECKING:
    from docker import APIClient

LARGEST_TEXT = 4 << 20
FAILED = 1


class BuildFailed(DispatchfileError):
    """The builder or the registry refused; the step fails as kaniko's would."""


class Build:
    """A kaniko step from its start to its end. `end` may be called from any thread, at any time."""

    def __init__(
        self,
        client: APIClient,
        run: RunSpec,
        images: Images,
        spec: StepSpec,
        mounts: Sequence[MountConfig],
        network: Callable[[], str],
        labels: Mapping[str, str],
    ) -> None:
        self._client = client
        self._run = run
        self._images = images
        self._spec = spec
        self._mounts = list(mounts)
        self._network = network
        self._labels = dict(labels)
        self._ended_by = ""
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()

    def run(self, sink: Sink, timeout: float | None) -> StepResult:
        """Build, tag, push, and write what the step was asked to write; the builder's output goes to stderr."""
        timer = threading.Timer(timeout, self.end, ("timeout",), {"kill": True}) if timeout else None
        if timer:
            timer.daemon = True
            timer.start()

        def say(text: str) -> None:
            sink("stderr", text.encode())

        try:
            self._build(say)
        except (BuildFailed, UsageError) as error:
            if not self._ended_by:
                say(f"error: {error.message}\n" + (f"help: {error.help}\n" if error.help else ""))
                return StepResult(FAILED, "exited", error.message)
        except Exception:
            # Ending a build breaks its connection, which shows up as any of several errors.
            if not self._ended_by:
                raise
        finally:
            if timer:
                timer.cancel()
        if self._ended_by == "timeout":
            return StepResult(FAILED, "timeout", f"the build ran longer than {timeout:g} s and was ended")
        if self._ended_by:
            return StepResult(FAILED, "stopped", "the build was ended because the run was stopped")
        return StepResult(0)

    def end(self, by: str, *, kill: bool) -> None:  # noqa: ARG002 a build knows one way to end
        """End the build: the engine gives up a build whose client is gone. `by`: "stopped" or "timeout"."""
        with self._lock:
            self._ended_by = self._ended_by or by
            if self._connection:
                try:
                    self._connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # Closed already: the build ended by itself in between.
                    self._connection = None

    def _build(self, say: Callable[[str], None]) -> None:
        env = expand_env({"HOME": HOME, **self._spec.env})
        words = [*(self._spec.command or ())[1:], *(self._spec.args or ())]
        working_dir = self._spec.working_dir or WORKSPACE
        request = parse_request(expand_words(words, env) or [], env, working_dir)
        with asking("reach the build context"):
            holder = make_holder(self._client, None, self._labels, self._mounts)
        try:
            image = self._build_image(holder, request, working_dir, say)
            pushed = self._publish(request, image, say)
            self._write_results(holder, request, image, pushed, say)
        finally:
            with asking("remove what a build used"):
                self._client.remove_container(holder, force=True)

    def _build_image(
        self, holder: str, request: BuildRequest, working_dir: str, say: Callable[[str], None]
    ) -> str:
        name, content = self._dockerfile(holder, request, working_dir)
        for base in base_images(content, request.build_args):
            self._images.ensure(base, self._run.pull)
        ignore = ignore_lines(
            self._text(holder, f"{request.context}/{name}.dockerignore")
            or self._text(holder, f"{request.context}/.dockerignore")
            or b""
        )
        import docker

        with asking("read the build context"):
            try:
                chunks, _ = self._client.get_archive(holder, request.context + "/.")
            except docker.errors.NotFound:
                raise UsageError(
                    f"kaniko: the context {request.context} does not exist in the step"
                ) from None
        image = ""
        for message in self._messages(request, name, filtered(chunks, ignore, name, content)):
            if "error" in message:
                raise BuildFailed(f"the build failed: {str(message['error']).strip()}")
            text = str(message.get("stream", ""))
            image = str((message.get("aux") or {}).get("ID", image))
            if text.startswith("Successfully built ") and not image:
                image = text.split()[-1]
            if text:
                say(text)
        if not image:
            raise BuildFailed("the builder ended without an image")
        return image

    def _dockerfile(self, holder: str, request: BuildRequest, working_dir: str) -> tuple[str, bytes]:
        """Return the Dockerfile's name in the context and its content; kaniko looks from the working directory first."""
        for place in (
            PurePosixPath(working_dir, request.dockerfile),
            PurePosixPath(request.context, request.dockerfile),
        ):
            content = self._text(holder, str(place))
            if content is not None:
                inside = place.is_relative_to(request.context)
                return str(place.relative_to(request.context)) if inside else FOREIGN_DOCKERFILE, content
        raise UsageError(
            f"kaniko: there is no {request.dockerfile} in {request.context}", help="name it with --dockerfile"
        )

    def _text(self, holder: str, path: str) -> bytes | None:
        import docker

        with asking(f"read {path}"):
            try:
                chunks, _ = self._client.get_archive(holder, path)
            except docker.errors.NotFound:
                return None
            return read_single(chunks, LARGEST_TEXT)

    def _messages(
        self, request: BuildRequest, name: str, context: Iterator[bytes]
    ) -> Iterator[dict[str, Any]]:
        """Yield what the builder says. Its own call, so that `end` can break the connection."""
        params: dict[str, str] = {
            "dockerfile": name,
            "buildargs": json.dumps(request.build_args),
            "labels": json.dumps(request.labels),
            "target": request.target,
            "networkmode": f"container:{self._network()}",
            "rm": "1",
            "forcerm": "1",
        }
        if platform := request.platform or self._run.platform:
            params["platform"] = platform
        headers = {"Content-Type": "application/x-tar"}
        with asking("build the image"):
            url = f"{self._client.base_url}/v{self._client.api_version}/build"
            response = self._client.post(
                url, params=params, data=context, headers=headers, stream=True, timeout=None
            )
            with response:
                with self._lock:
                    if self._ended_by:
                        return
                    self._connection = socket.socket(fileno=os.dup(response.raw.fileno()))
                try:
                    for line in response.iter_lines(chunk_size=None):
                        if line:
                            message: dict[str, Any] = json.loads(line)
                            yield {"error": message["message"]} if "message" in message else message
                finally:
                    with self._lock:
                        if self._connection:
                            self._connection.close()
                        self._connection = None

    def _publish(
        self, request: BuildRequest, image: str, say: Callable[[str], None]
    ) -> dict[str, Any] | None:
        """Tag the image and push what may be; return its manifest as a registry then holds it, None without any."""
        found: dict[str, Any] | None = None
        for ref in request.destinations:
            name, tag = split_ref(ref)
            with asking(f"tag the image {ref}"):
                self._client.tag(image, name, tag)
            self._images.remember(f"{name}:{tag}", image)
            if not request.push:
                continue
            if not is_loopback(registry_host(ref).partition(":")[0]) and not self._run.publish:
                say(f"not pushed: {name}:{tag} (the image stays on this engine; --publish pushes it)\n")
                continue
            manifest = self._push(name, tag)
            say(f"pushed {name}:{tag}@{manifest['digest']}\n")
            found = found or manifest
        return found

    def _push(self, name: str, tag: str) -> dict[str, Any]:
        with asking(f"push {name}:{tag}"):
            for message in self._client.push(name, tag=tag, stream=True, decode=True):
                if "error" in message:
                    raise BuildFailed(
                        f"pushing {name}:{tag} failed: {message['error']}",
                        help="is the registry up, and are you logged in to it (docker login)?",
                    )
                aux = message.get("aux") or {}
                if "Digest" in aux:
                    return descriptor(DOCKER_MANIFEST_TYPE, str(aux["Digest"]), int(aux.get("Size", 0)))
        raise BuildFailed(f"pushing {name}:{tag} gave no digest")

    def _write_results(
        self,
        holder: str,
        request: BuildRequest,
        image: str,
        pushed: dict[str, Any] | None,
        say: Callable[[str], None],
    ) -> None:
        """Write the files that the step asked for, and remember the image under its digest."""
        with tempfile.TemporaryFile(prefix="dispatchfile-") as export:
            if request.tar_path or not pushed:
                self._export((*request.destinations, image)[0], export)
            blobs: list[Blob] = []
            manifest = pushed
            if manifest is None:
                content, manifest, blobs = image_of_export(export)
                blobs.append((digest_of(content), len(content), lambda: io.BytesIO(content)))
            digest = str(manifest["digest"])
            for ref in request.destinations:
                self._images.remember(f"{split_ref(ref)[0]}@{digest}", image)
            say(f"digest: {digest}\n")
            self._write_texts(holder, request, digest)
            if request.oci_layout:
                self._put(holder, request.oci_layout, layout_archive(index_json(manifest), blobs))
            if request.tar_path:
                self._put(
                    holder, str(PurePosixPath(request.tar_path).parent), _one_file(request.tar_path, export)
                )

    def _export(self, name: str, export: IO[bytes]) -> None:
        with asking("export the image"):
            for chunk in self._client.get_image(name):
                export.write(chunk)
        export.seek(0)

    def _write_texts(self, holder: str, request: BuildRequest, digest: str) -> None:
        names = [split_ref(ref) for ref in request.destinations]
        texts = {
            request.digest_file: digest,
            request.name_digest_file: "".join(f"{name}@{digest}\n" for name, _ in names),
            request.name_tag_digest_file: "".join(f"{name}:{tag}@{digest}\n" for name, tag in names),
        }
        for path, text in texts.items():
            if path:
                archive = Archive()
                archive.file(PurePosixPath(path).name, text.encode())
                self._put(holder, str(PurePosixPath(path).parent), archive.bytes())

    def _put(self, holder: str, folder: str, data: bytes | Iterator[bytes]) -> None:
        """Unpack a tar in a directory of the step, made when it is not there."""
        with asking(f"write to {folder}"):
            if not path_exists(self._client, holder, folder):
                made = Archive()
                made.directory(folder.lstrip("/"))
                self._client.put_archive(holder, "/", made.bytes())
            self._client.put_archive(holder, folder, data)


def _one_file(path: str, content: IO[bytes]) -> Iterator[bytes]:
    """Yield a tar with one file, whose content is all of `content`."""
    info = tarfile.TarInfo(PurePosixPath(path).name)
    info.size, info.mode = content.seek(0, io.SEEK_END), 0o644
    content.seek(0)
    yield info.tobuf(tarfile.PAX_FORMAT)
    yield from iter(lambda: content.read(1 << 20), b"")
    yield bytes(-info.size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)
