"""What a kaniko step asks for: its command line, as the executor reads it (kaniko 0.x and 1.x, cmd/executor/root.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from dispatchfile.errors import UsageError
from dispatchfile.record import Record
from dispatchfile.run.backend import StepSpec
from dispatchfile.spelling import nearest

_PROGRAM = "executor"
_SHORT = {"f": "dockerfile", "c": "context", "d": "destination", "v": "verbosity", "b": "bucket"}

# Flags that say what is built and where it goes.
_TEXT = ("dockerfile", "context", "context-sub-path", "target", "oci-layout-path", "digest-file", "tar-path")
_MORE_TEXT = (
    "image-name-with-digest-file",
    "image-name-tag-with-digest-file",
    "custom-platform",
    "customPlatform",
)
_LISTS = ("destination", "build-arg", "label")
_SWITCHES = ("no-push",)
# Flags about how kaniko itself works; the engine's builder has its own ways (its cache is always on), so they say
# nothing here; the first ones take a value.
_IDLE_TEXT = """
    bucket cache-dir cache-repo cache-ttl compression compression-level git ignore-path image-download-retry
    image-fs-extract-retry insecure-registry kaniko-dir log-format push-retry registry-certificate
    registry-client-cert registry-map registry-mirror skip-tls-verify-registry snapshot-mode snapshotMode verbosity
"""
_IDLE_SWITCHES = """
    cache cache-copy-layers cache-run-layers cleanup compressed-caching force force-build-metadata ignore-var-run
    insecure insecure-pull log-timestamp no-push-cache push-ignore-immutable-tag-errors reproducible
    run-via-tini single-snapshot skip-default-registry-fallback skip-push-permission-check skip-tls-verify
    skip-tls-verify-pull skip-unused-stages use-new-run warmer whitelist-var-run
"""
_WITH_VALUE = {*_TEXT, *_MORE_TEXT, *_LISTS, *_IDLE_TEXT.split()}
_WITHOUT_VALUE = {*_SWITCHES, *_IDLE_SWITCHES.split()}
_TRUE, _FALSE = ("1", "t", "true"), ("0", "f", "false")


class BuildRequest(Record):
    """An image to build: context and Dockerfile are paths in the step; the last five name files it is to write."""

    context: str
    dockerfile: str
    destinations: tuple[str, ...]
    build_args: Mapping[str, str]
    labels: Mapping[str, str]
    target: str
    platform: str
    push: bool
    oci_layout: str
    digest_file: str
    name_digest_file: str
    name_tag_digest_file: str
    tar_path: str


def is_executor_call(spec: StepSpec) -> bool:
    """Return whether a step of kaniko's image runs the executor itself, not a shell around it."""
    return not spec.command or PurePosixPath(spec.command[0]).name == _PROGRAM


def parse_request(words: Sequence[str], env: Mapping[str, str], working_dir: str) -> BuildRequest:
    """Return what the executor's arguments ask for. Raises UsageError for one that it does not have."""
    given: dict[str, list[str]] = {}
    waiting = list(words)
    while waiting:
        name, value = _flag(waiting)
        given.setdefault(name, []).append(value)

    def last(*names: str) -> str:
        return next((given[name][-1] for name in names if name in given), "")

    def path(name: str) -> str:
        return str(PurePosixPath(working_dir, last(name))) if last(name) else ""

    push = last("no-push") not in _TRUE
    if push and not given.get("destination"):
        raise UsageError("kaniko: --destination is missing", help="name the image to push, or give --no-push")
    return BuildRequest(
        context=str(
            PurePosixPath(_context(last("context"), working_dir), last("context-sub-path").lstrip("/"))
        ),
        dockerfile=last("dockerfile") or "Dockerfile",
        destinations=tuple(given.get("destination", ())),
        build_args=dict(_build_arg(item, env) for item in given.get("build-arg", ())),
        labels=dict(_label(item) for item in given.get("label", ())),
        target=last("target"),
        platform=last("custom-platform", "customPlatform"),
        push=push,
        oci_layout=path("oci-layout-path"),
        digest_file=path("digest-file"),
        name_digest_file=path("image-name-with-digest-file"),
        name_tag_digest_file=path("image-name-tag-with-digest-file"),
        tar_path=path("tar-path"),
    )


def _flag(waiting: list[str]) -> tuple[str, str]:
    """Take one flag with its value from the front."""
    word = waiting.pop(0)
    if not word.startswith("-") or word in ("-", "--"):
        raise UsageError(
            f'kaniko: unexpected argument "{word}"', help="the executor takes flags only: --name=value"
        )
    name, equals, value = word.lstrip("-").partition("=")
    if not word.startswith("--"):
        name, equals, value = _short_flag(word)
    if name in _WITHOUT_VALUE:
        value = value.lower() if equals else "true"
        if value not in (*_TRUE, *_FALSE):
            raise UsageError(f'kaniko: --{name} is true or false, not "{value}"')
        return name, value
    if name not in _WITH_VALUE:
        near = nearest(name, sorted(_WITH_VALUE | _WITHOUT_VALUE))
        raise UsageError(
            f"kaniko: unknown flag {word.partition('=')[0]}", help=f"did you mean --{near}?" if near else ""
        )
    if not equals:
        if not waiting:
            raise UsageError(f"kaniko: --{name} needs a value")
        value = waiting.pop(0)
    return name, value


def _short_flag(word: str) -> tuple[str, str, str]:
    name = _SHORT.get(word[1])
    if name is None:
        raise UsageError(f"kaniko: unknown flag {word[:2]}")
    rest = word[2:]
    return name, "=" if rest else "", rest.removeprefix("=")


def _context(given: str, working_dir: str) -> str:
    if not given:
        return "/workspace"
    scheme, mark, rest = given.partition("://")
    if mark and scheme != "dir":
        raise UsageError(
            f"kaniko: the context {given} is not supported by the engine's builder",
            help="use a directory (dir:///workspace/NAME), or run the real image with --kaniko=container",
        )
    return str(PurePosixPath(working_dir, rest if mark else given))


def _build_arg(text: str, env: Mapping[str, str]) -> tuple[str, str]:
    """Return a build argument; one without a value takes it from the step's environment."""
    name, equals, value = text.partition("=")
    return name, value if equals else env.get(name, "")


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f'kaniko: --label "{text}" is not of the form name=value')
    return name, value
