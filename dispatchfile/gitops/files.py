"""Find the templates of a repository and render each into the file beside it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dispatchfile import atomic
from dispatchfile.diagnostics import Diagnostic
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops.flags import Options
from dispatchfile.gitops.header import header, without_header
from dispatchfile.gitops.template import Template, TemplateError, parse, render, values_before
from dispatchfile.glob import GlobError, check, matches
from dispatchfile.record import Record
from dispatchfile.spelling import nearest

SUFFIX = ".tmpl"
_BOM = b"\xef\xbb\xbf"


class Output(Record):
    """A rendered file: its path from the directory of the update, its bytes, and the values before and now.

    `template` is "" for a file in which values were set in place.
    """

    path: str
    template: str
    content: bytes
    mode: int
    before: dict[str, str]
    now: dict[str, str]


def render_all(directory: Path, root: Path, options: Options) -> list[Output]:
    """Return what each template below `directory` renders to; nothing is written.

    Paths are relative to `directory`, which is the repository `root` or a directory in it. Raises TemplateError with
    every problem of every template, UsageError when no template is found or a value is not asked for.
    """
    names = find(directory, options.filepath, among=options.splices)
    templates: list[Template] = []
    wrong: list[Diagnostic] = []
    for name in names:
        try:
            templates.append(parse(name, inside(directory / name, root).read_bytes()))
        except TemplateError as error:
            wrong += error.diagnostics
    outputs: list[Output] = []
    for template in templates:
        try:
            outputs.append(_output(directory, root, template, options))
        except TemplateError as error:
            wrong += error.diagnostics
    if wrong:
        raise TemplateError("nothing was updated: the templates cannot be rendered", wrong)
    _refuse_unused(templates, options)
    return outputs


def find(directory: Path, glob: str, *, among: bool = False) -> list[str]:
    """Return the templates below a directory, as sorted paths relative to it. Raises UsageError when there is none.

    Without a glob they are all files named *.tmpl; `.git` is never looked into, symbolic links to directories are not
    followed. With `among` the glob may match other files too.
    """
    glob = glob.removeprefix("./")
    try:
        check([glob] if glob else [])
    except GlobError as error:
        raise UsageError(f'-filepath "{glob}": {error.message}') from error
    found: list[str] = []
    for where, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in files:
            path = Path(where, name).relative_to(directory).as_posix()
            if matches(glob, path, "path") if glob else name.endswith(SUFFIX):
                if among and not name.endswith(SUFFIX):
                    continue
                found.append(path)
    if not found:
        what = f'-filepath "{glob}" matches no file' if glob else f"no *{SUFFIX} file"
        raise UsageError(
            f"{what} below {directory}",
            help="a template is named after its output: app.yaml.tmpl gives app.yaml",
        )
    if odd := [path for path in found if any(ord(letter) < 32 for letter in path)]:
        raise UsageError(f"the template name {odd[0]!r} holds a control character", help="rename the file")
    if odd := [path for path in found if not path.endswith(SUFFIX) or Path(path).name == SUFFIX]:
        raise UsageError(
            f'-filepath "{glob}" matches {odd[0]}, which is no template', help=f"end the glob with {SUFFIX}"
        )
    return sorted(found)


def write_all(directory: Path, root: Path, outputs: list[Output]) -> list[Path]:
    """Write the outputs below `directory`; return the files, which are elsewhere where an output is a symbolic link."""
    paths = [inside(directory / output.path, root) for output in outputs]
    for path, output in zip(paths, outputs, strict=True):
        write(path, output.content, output.mode)
    return paths


def write(path: Path, content: bytes, mode: int) -> None:
    """Write a file with the permissions `mode`; a reader sees the old bytes or the new ones, never a part.

    Raises EnvironmentProblem when the disk is full or the directory cannot be written.
    """
    try:
        atomic.write(path, content, mode)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {path}: {error.strerror}", help="nothing was pushed"
        ) from error


def ignore(directory: Path, outputs: list[Output]) -> None:
    """List the rendered outputs in `.gitignore` of the directory; lines that are there stay as they are."""
    path = directory / ".gitignore"
    old = path.read_bytes() if path.exists() else b""
    have = set(old.decode("utf-8", "replace").splitlines())
    rendered = (f"/{output.path}" for output in outputs if output.template)
    new = [line for line in rendered if line not in have]
    if new:
        gap = b"" if not old or old.endswith(b"\n") else b"\n"
        write(path, old + gap + "".join(f"{line}\n" for line in new).encode(), _mode(path, 0o644))


def _output(directory: Path, root: Path, template: Template, options: Options) -> Output:
    name = template.source.name
    path = name.removesuffix(SUFFIX)
    target = inside(directory / path, root)
    if target.is_dir():
        raise UsageError(f"{name} renders to {path}, which is a directory")
    body = render(template, options.substitute)
    head = header(name, path, body, argv=options.argv, compat=options.compat_header)
    old = without_header(target.read_bytes()) if target.exists() else b""
    return Output(
        path,
        name,
        _joined(head, body, compat=options.compat_header),
        _mode(target, _mode(directory / name, 0o644)),
        values_before(template, old),
        {key: options.substitute[key] for key in sorted(template.names)},
    )


def _joined(head: bytes, body: bytes, *, compat: bool) -> bytes:
    """Return the file: a byte order mark stays first, and the header ends its lines as the file does."""
    if compat or not head:
        return head + body
    if b"\r\n" in body.partition(b"\n")[0] + b"\n" or body.partition(b"\n")[0].endswith(b"\r"):
        head = head.replace(b"\n", b"\r\n")
    if body.startswith(_BOM):
        return _BOM + head + body.removeprefix(_BOM)
    return head + body


def inside(path: Path, root: Path) -> Path:
    """Return the file behind symbolic links. Raises UsageError when they lead out of the repository or into .git."""
    # Unlike Path.resolve, realpath leaves a loop of links for the reader to trip over, with an OSError.
    real, home = Path(os.path.realpath(path)), root.resolve()
    if not real.is_relative_to(home) or ".git" in real.relative_to(home).parts:
        raise UsageError(
            f"{path} is a symbolic link that leaves the repository", help="templates stay inside it"
        )
    return real


def _mode(path: Path, default: int) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return default


def _refuse_unused(templates: list[Template], options: Options) -> None:
    names = set[str]().union(*(template.names for template in templates))
    unused = sorted(set(options.substitute) - names)
    if not unused or options.allow_unused:
        return
    near = nearest(unused[0], names)
    asked = f"the templates ask for {', '.join(f'.{name}' for name in sorted(names)) or 'nothing'}"
    raise UsageError(
        f"no template asks for {', '.join(f'.{name}' for name in unused)}",
        help=f"did you mean .{near}?" if near else f"{asked}; --allow-unused accepts it",
    )
