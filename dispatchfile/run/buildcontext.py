"""The build context of an image: a directory of a task's workspace, sent on from the engine to its own builder."""

from __future__ import annotations

import copy
import io
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from dispatchfile.run.archive import members

FOREIGN_DOCKERFILE = ".dispatchfile.Dockerfile"


def filtered(
    chunks: Iterable[bytes], ignore: Sequence[str], dockerfile: str, content: bytes
) -> Iterator[bytes]:
    """Yield the context as the builder takes it, without its first path part and without what `ignore` names.

    `dockerfile` is put in with `content`, as it may lie elsewhere or be ignored.
    """
    rules = [_rule(pattern) for pattern in ignore]
    sink = _Pieces()
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as made:
        for member, tar in members(chunks):
            name = member.name.partition("/")[2].rstrip("/")
            if not name or name == dockerfile or _ignored(name, rules):
                continue
            link = member.linkname.partition("/")[2] if member.islnk() else member.linkname
            kept = copy.copy(member)
            kept.name, kept.linkname = name, link
            # A path in the extended header would win over the new name.
            kept.pax_headers = {
                key: text for key, text in member.pax_headers.items() if key.startswith("SCHILY.")
            }
            made.addfile(kept, tar.extractfile(member) if member.isreg() else None)
            yield from sink.taken()
        info = tarfile.TarInfo(dockerfile)
        info.size, info.mode = len(content), 0o644
        made.addfile(info, io.BytesIO(content))
    yield from sink.taken()


def ignore_lines(text: bytes) -> list[str]:
    """Return the patterns of a .dockerignore."""
    lines = (line.strip() for line in text.decode("utf-8-sig", errors="replace").splitlines())
    return [_pattern(line) for line in lines if line and not line.startswith("#")]


def _pattern(line: str) -> str:
    mark = "!" if line.startswith("!") else ""
    path = line[len(mark) :].strip().lstrip("/")
    return mark + (str(PurePosixPath(path)) if path else ".")


def _rule(pattern: str) -> tuple[bool, re.Pattern[str]]:
    """Return whether a pattern of a .dockerignore takes out or brings back, and the paths that it names.

    As the builder's own client reads them: `*` and `?` stop at `/`, `**` is any number of directories.
    """
    takes_out = not pattern.startswith("!")
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\]|\\.)", pattern.removeprefix("!"))
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    regex = "".join(
        known.get(part)
        or (part if part.startswith("[") and part.endswith("]") else re.escape(part.removeprefix("\\")))
        for part in parts
    )
    return takes_out, re.compile(f"{regex}(?:/.*)?", re.DOTALL)


def _ignored(name: str, rules: Sequence[tuple[bool, re.Pattern[str]]]) -> bool:
    """Return whether a path is left out: the last rule that names it, or a directory above it, decides."""
    return next((takes_out for takes_out, regex in reversed(rules) if regex.fullmatch(name)), False)


def base_images(dockerfile: bytes, build_args: Mapping[str, str]) -> list[str]:
    """Return the images that a Dockerfile builds on (FROM, COPY --from), but its own stages and `scratch`."""
    variables: dict[str, str] = {}
    stages: set[str] = {"scratch"}
    found: dict[str, None] = {}
    for line in dockerfile.decode(errors="replace").splitlines():
        flags = [word for word in line.split() if word.startswith("--")]
        word, *rest = [word for word in line.split() if not word.startswith("--")] or [""]
        if word.upper() == "ARG" and rest and not found:
            name, equals, default = rest[0].partition("=")
            variables[name] = build_args.get(name, default.strip("\"'") if equals else "")
        elif word.upper() == "FROM" and rest:
            found[_substituted(rest[0], variables)] = None
            if len(rest) == 3 and rest[1].upper() == "AS":
                stages.add(rest[2].lower())
        elif word.upper() == "COPY":
            found.update((flag.partition("=")[2], None) for flag in flags if flag.startswith("--from="))
    return [
        name
        for name in found
        if name and not name.isdecimal() and "$" not in name and name.lower() not in stages
    ]


def _substituted(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: variables.get(match[1] or match[2], match[0]), text)


class _Pieces(io.RawIOBase):
    """What was written since it was last taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override] # the stub wants any buffer
        """Keep the data."""
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> list[bytes]:
        """Return what was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return pieces
