"""From a file to a value: finds the Dispatchfile, reads it, and chooses the parser of its flavour.

What `--flavour` says decides, then the first line (`#!cue`, `#!mesosphere/dispatch-yaml:v0.6`: the name of a parser
image, of which only the language matters), then the file's extension; else it is CUE (Dispatch 1.4, "Syntax lines").
"""

from __future__ import annotations

import gc
import os
import re
import sys

from dispatchfile.diagnostics import Diagnostic, Severity, errors, in_order
from dispatchfile.errors import EnvironmentProblem, EvaluationError, UsageError
from dispatchfile.record import replace
from dispatchfile.source import Source, Span
from dispatchfile.spelling import nearest
from dispatchfile.value import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.value import Value

FLAVOURS = ("cue", "starlark", "yaml", "json")
NO_STARLARK = "Starlark is not read yet"

# In this order; the extensions are those that Dispatch 0.3 to 0.5 looked for.
DEFAULT_NAMES = (
    "Dispatchfile", "Dispatchfile.cue", "Dispatchfile.star", "Dispatchfile.starlark", "Dispatchfile.yaml",
    "Dispatchfile.yml", "Dispatchfile.json",
)  # fmt: skip

EXTENSIONS = {
    ".cue": "cue",
    ".star": "starlark",
    ".starlark": "starlark",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
}
_SHEBANG = r"#!\s*(?:[^\s/]+/)*(?:dispatch-)?([A-Za-z]+)(?:[:@]\S*)?\s*"
_DAMAGED = r"[^\s#]{0,20}/dispatch-(cue|starlark|yaml|json)(:\S*)?\s*"
_MOST_BYTES = 4 * 1024 * 1024


def find(folder: Path | str = ".") -> str:
    """Return the path of a folder's Dispatchfile by its default names. Raises UsageError when there is none."""
    for name in DEFAULT_NAMES:
        path = name if folder == "." else os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    where = "this directory" if str(folder) == "." else str(folder)
    above = _folder_above(folder)
    advice = f"there is one in {above}: give -C {above}, or" if above else "go to its directory, or"
    raise UsageError(f"no Dispatchfile in {where}", help=f"{advice} name the file with -f FILE")


def _folder_above(folder: Path | str) -> str:
    """Return the nearest folder above, within the same repository, that has a Dispatchfile; "" without one."""
    here, way = os.path.abspath(folder), str(folder)
    while not os.path.exists(os.path.join(here, ".git")) and here != os.path.dirname(here):
        here, way = os.path.dirname(here), os.path.normpath(os.path.join(way, ".."))
        if any(os.path.isfile(os.path.join(here, name)) for name in DEFAULT_NAMES):
            return way
    return ""


def open_source(path: Path | str, flavour: str | None = None) -> Source:
    """Return the text of a file, of a flavour if one is asked for; "-" is standard input.

    Raises UsageError when there is no such file, EnvironmentProblem when it cannot be read, and EvaluationError when
    its content is no text.
    """
    name = str(path)
    try:
        if name == "-":
            name, data = "<stdin>", sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{name}: no such file", help="name the Dispatchfile with -f FILE") from None
    except IsADirectoryError:
        raise UsageError(f"{name}: is a directory", help="-f takes a file, -C a directory") from None
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(
            f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    if len(data) > _MOST_BYTES:
        raise _unreadable(
            name, b"", 0, f"is larger than {_MOST_BYTES // 1024 // 1024} MiB; this is no Dispatchfile"
        )
    return Source(name, _decoded(name, data), flavour)


def _decoded(name: str, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable(name, data, 0, "is UTF-16", "save the file as UTF-8")
    at = data.find(b"\0")
    if at >= 0:
        raise _unreadable(
            name, data, at, f"holds a NUL byte on line {data.count(10, 0, at) + 1}; this is no text file"
        )
    data = data.removeprefix(b"\xef\xbb\xbf")  # a byte order mark
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 on line {line}: byte 0x{data[error.start]:02x}"
        raise _unreadable(name, data, error.start, message, "save the file as UTF-8") from None


def _unreadable(name: str, data: bytes, at: int, message: str, advice: str = "") -> EvaluationError:
    """Return the error for a file that is no text, with the byte at fault as its place."""
    shown = Source(name, data.decode(errors="replace"))
    start = len(data[:at].decode(errors="replace"))
    place = Span(shown, start, min(start + 1, len(shown.text)))
    problem = Diagnostic("DF001", Severity.ERROR, f"the file {message}", place, help=advice)
    return EvaluationError(f"{name}: {message}", [problem])


def flavour_of(source: Source) -> str:
    """Return the flavour of a source. Raises EvaluationError when its first line names none that is known."""
    if source.flavour is not None:
        return source.flavour
    first = source.line(1)
    if first.startswith("#!"):
        named = first[2:].strip().lower()
        if named not in FLAVOURS:
            found = re.fullmatch(_SHEBANG, first)
            named = found[1].lower() if found is not None else ""
        if named in FLAVOURS:
            return named
        meant = nearest(named, FLAVOURS)
        advice = (
            f'did you mean "#!{meant}"?'
            if meant
            else f"known are {', '.join(f'#!{name}' for name in FLAVOURS)}"
        )
        problem = Diagnostic(
            "DF001",
            Severity.ERROR,
            "the first line names no known flavour",
            Span(source, 0, len(first)),
            help=advice,
        )
        raise EvaluationError(f"{source.name}: {problem.message}", [problem])
    return EXTENSIONS.get(os.path.splitext(source.name)[1].lower(), "cue")


def read(source: Source, flavour: str | None = None) -> Reading:
    """Return what a source says, read in its own flavour unless another is asked for."""
    try:
        flavour = flavour or flavour_of(source)
    except EvaluationError as error:
        return Reading(source, None, error.diagnostics)
    if flavour == "yaml":
        from dispatchfile.plain.yaml_reader import read_yaml

        return read_yaml(source)
    if flavour == "json":
        from dispatchfile.plain.json_reader import read_json

        return read_json(source)
    if flavour == "starlark":
        line = Span(source, 0, len(source.line(1)))
        advice = "Dispatchfiles in CUE, YAML, and JSON are understood"
        problem = Diagnostic("DF001", Severity.ERROR, NO_STARLARK, line, help=advice)
        return Reading(source, None, (problem,))
    from dispatchfile import cue

    reading = cue.read(source)
    return reading if reading.ok else _hinted(reading)


def _hinted(reading: Reading) -> Reading:
    """Return a CUE reading that failed with a word on it, when the text looks like another flavour."""
    source = reading.source
    if any(told.fix is not None and told.fix.edits[0].text.startswith("#!") for told in reading.diagnostics):
        # The parser has seen it, and little of the rest is true.
        return Reading(source, None, reading.diagnostics)
    guess = _looks_like(source.text)
    if guess is None or source.flavour or source.line(1).startswith("#!") or source.name.endswith(".cue"):
        return reading
    first = re.match(r"\s*", source.text)
    start = first.end() if first else 0
    line = Span(source, start, start + len(source.text[start:].split("\n", 1)[0]))
    hint = Diagnostic(
        "DF001", Severity.INFO, f"the file was read as CUE, but looks like {guess[0]}", line,
        help=f'put "#!{guess[1]}" on its first line',
    )  # fmt: skip
    return replace(reading, diagnostics=(*reading.diagnostics, hint))


def _looks_like(text: str) -> tuple[str, str] | None:
    start = text.lstrip()
    first = start.split("\n", 1)[0]
    damaged = re.fullmatch(_DAMAGED, first)
    if damaged is not None:
        return f"a {damaged[1]} file that lost the beginning of its first line", damaged[1]
    if re.match(r"#!?\s*(vi|vim|-\*-).*python|(load|task|action|resource)\s*\(|def \w+\(|\w+ = \w+\(", first):
        return "Starlark", "starlark"
    if re.match(r"(---\s*|[\w-]+:\s*)\n([ -]+\S+:|- )", start):
        return "YAML", "yaml"
    return None


def read_file(path: Path | str, flavour: str | None = None) -> Reading:
    """Return what a file says. Raises what `open_source` raises; what is wrong in the text is in the diagnostics."""
    return read(open_source(path, flavour))


def interpret(reading: Reading) -> tuple[Pipeline | None, tuple[Diagnostic, ...]]:
    """Return the pipeline in a reading, as far as there is one, and all that was found from text to variables."""
    if reading.value is None:
        return None, tuple(in_order(reading.diagnostics))
    collects = gc.isenabled()
    gc.disable()  # of what is made here nothing is garbage, but looking for it takes most of the time of a large file
    try:
        pipeline, said = _pipeline(reading.value)
    finally:
        if collects:
            gc.enable()
    unread = [problem.span for problem in errors(reading.diagnostics) if problem.span is not None]
    if unread:
        said = [finding for finding in said if not _is_consequence(finding, reading.value, unread)]
    return pipeline, tuple(in_order([*reading.diagnostics, *said]))


def _pipeline(value: Value) -> tuple[Pipeline, list[Diagnostic]]:
    from dispatchfile.model import variables
    from dispatchfile.model.decode import decode

    pipeline, found = decode(value)
    return pipeline, [*found, *variables.check(pipeline)]


# Findings that something is absent, and how many parts of their path lead to the struct that could hold it.
_ABSENCES = {"DF102": 9, "DF301": 2, "DF302": 2, "DF306": 2, "DF402": 2, "DF403": 2, "DF503": 9, "DF504": 2}
_UNDEFINED = ("DF201", "DF202", "DF203")


def _is_consequence(finding: Diagnostic, value: Value, unread: Sequence[Span]) -> bool:
    """Return whether a finding misses what may stand in a part of the text that could not be read."""
    if finding.code in _UNDEFINED and finding.span is not None:
        return _is_labelled(finding.span.text.strip("\"'"), finding.span.source.text)
    if finding.code == "DF103" and finding.span is not None and not finding.span.text:
        return any(_goes_on(finding.span, gap) for gap in unread)
    if finding.code not in _ABSENCES:
        return False
    parts = re.findall(r"([^.\[\]]+)|\[(\d+)\]", finding.path)
    for label, index in parts[: _ABSENCES[finding.code]]:
        below = value.at(label or int(index))
        if below is None or below.data is None:
            break
        value = below
    places = (*value.spans, *value.keys)
    return any(place.start <= gap.start and gap.end <= place.end for place in places for gap in unread)


def _goes_on(empty: Span, gap: Span) -> bool:
    """Return whether the first line behind an empty value could not be read, so that it may be its content."""
    between = empty.source.text[empty.end : gap.start].strip()
    return empty.end <= gap.start and "\n" not in between


def _is_labelled(name: str, text: str) -> bool:
    """Return whether a name stands in a text where labels stand: before a colon or a brace, or in a chain of labels."""
    label = rf"(?<![\w.-]){re.escape(name)}(?![\w.-])[\"']?[ \t]*(?:[:{{]|[\"\w][^,\]\n]*:)"
    return re.search(label, text) is not None


def load(path: Path | str, flavour: str | None = None) -> tuple[Pipeline, tuple[Diagnostic, ...]]:
    """Return the pipeline of a file, read in its own flavour unless another is asked for, and the warnings about it.

    Raises EvaluationError with all diagnostics when one of them is an error, and what `open_source` raises.
    """
    reading = read_file(path, flavour)
    pipeline, found = interpret(reading)
    wrong = errors(found)
    if wrong or pipeline is None:
        from dispatchfile.spelling import counted

        raise EvaluationError(f"{reading.source.name}: {counted(len(wrong), 'error')}", found)
    return pipeline, found
