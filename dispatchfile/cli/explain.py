"""`dispatchfile explain`: what a rule, field, variable, or exit code means."""

from __future__ import annotations

import re
import sys

from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from dispatchfile.cli.parser import Commands
    from dispatchfile.cli.terminal import Terminal
    from dispatchfile.explain import Entry

EXAMPLES = examples(
    "dispatchfile explain DF204                       a rule, by code or name (dependency-cycle)",
    "dispatchfile explain task.timeout                a field, by its path or the end of it",
    "dispatchfile explain 'resource.param.revision'   parameters of all resource types that have it",
    "dispatchfile explain context.git.tag             a variable",
    "dispatchfile explain exit-codes                  what commands exit with",
    "dispatchfile explain --all                       all there is, one line each",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "explain",
        usage="dispatchfile explain [--json] WORD… | --all",
        description="Say what a rule of lint, a field of a Dispatchfile, a variable, or an exit code means.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="code, name, field, or variable; case does not matter"
    )
    parser.add_argument("--all", action="store_true", help="everything there is")
    parser.add_argument("--json", action="store_true", help="records for other programs")


def main(args: argparse.Namespace) -> int:
    """Print the explanations; return 0. Raises UsageError for a word that is not known, or when there is none."""
    from dispatchfile.cli.terminal import Terminal

    found = _found(args)
    out = Terminal.of(sys.stdout, args.color)
    if args.json:
        import json

        print(json.dumps([record(one) for one in found], indent=2, ensure_ascii=False))
    elif args.all:
        width = max(len(one.name) for one in found)
        for one in found:
            out.print(
                f"{out.style(one.name, 'bold')}{' ' * (width - len(one.name))}  {_painted(one.summary, out)}"
            )
    else:
        out.print(
            "\n\n".join(re.sub(r"\n{3,}", "\n\n", "\n".join(_lines(one, out))).rstrip() for one in found)
        )
    return 0


def record(entry: Entry) -> dict[str, object]:
    """Return an explanation as JSON holds it; keys are only ever added."""
    return {
        "kind": entry.kind,
        "name": entry.name,
        "aliases": list(entry.aliases),
        "summary": entry.summary,
        "facts": dict(entry.facts),
        "text": entry.text,
        "example": entry.example,
        "fields": list(entry.parts),
    }


def _found(args: argparse.Namespace) -> list[Entry]:
    from dispatchfile import explain
    from dispatchfile.errors import UsageError

    if args.all:
        if args.words:
            raise UsageError("--all is everything; leave the words out", help="dispatchfile explain --all")
        return [explain.with_page(one) for one in explain.entries()] if args.json else explain.entries()
    if not args.words:
        raise UsageError(
            "what shall be explained?",
            help="such as `dispatchfile explain task.timeout`; --all lists everything",
        )
    found: list[Entry] = []
    for word in args.words:
        meant = explain.find(word)
        if not meant:
            near = explain.near(word)
            advice = (
                f'did you mean "{near}"?'
                if near
                else "`dispatchfile explain --all` lists everything there is"
            )
            raise UsageError(f'nothing is known about "{word}"', help=advice)
        found += [one for one in meant if one not in found]
    return found


def _lines(entry: Entry, out: Terminal) -> Iterator[str]:
    """Yield an explanation as a terminal shows it: name, summary, facts, then text and example."""
    yield out.style(entry.name, "bold") + ("" if entry.kind != "rule" else f"  {', '.join(entry.aliases)}")
    yield from _wrapped(entry.summary, out, "  ")
    if entry.facts:
        yield ""
        width = max(len(heading) for heading, _ in entry.facts)
        for heading, fact in entry.facts:
            hanging = " " * (width + 4)
            first, *more = list(_wrapped(fact, out, hanging))
            yield f"  {out.style(heading.ljust(width), 'dim')}  {first.lstrip()}"
            yield from more
    if entry.text:
        yield ""
        yield from _text(entry.text, out)
    if entry.example:
        yield ""
        yield from _block("for example", entry.example.split("\n"), out)


def _text(text: str, out: Terminal) -> Iterator[str]:
    """Yield markdown as a terminal shows it: paragraphs wrapped, tables aligned, code indented, no other marks."""
    parts = re.findall(
        r"(?ms)^```(?P<info>[^\n]*)\n(?P<code>.*?)^```$|^(?P<rest>(?:(?!```)[^\n]*\n?)+)", text
    )
    for info, code, rest in parts:
        if code:
            kind = info.split()[-1] if " " in info.strip() else ""
            yield from _block(kind, code.rstrip("\n").split("\n"), out)
            continue
        for paragraph in re.split(r"\n\s*\n", rest.strip("\n")):
            yield from _paragraph(paragraph, out)
            yield ""


def _paragraph(paragraph: str, out: Terminal) -> Iterator[str]:
    if paragraph.startswith("|"):
        yield from _table(paragraph.splitlines(), out)
        return
    for piece in re.split(r"\n(?=[-*] |#)", paragraph):
        if piece.startswith("#"):
            yield "  " + out.style(piece.lstrip("# "), "bold")
        elif piece[:2] in ("- ", "* "):
            yield from _wrapped(f"{out.sign('item')} {piece[2:]}", out, "  ", "    ")
        else:
            yield from _wrapped(piece, out, "  ")


def _table(rows: list[str], out: Terminal) -> Iterator[str]:
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if set(row) - set("|-: ")]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield "  " + (out.style(line, "dim") if number == 0 else _painted(line, out))


def _block(heading: str, lines: Iterable[str], out: Terminal) -> Iterator[str]:
    if heading:
        yield f"  {out.style(heading + ':', 'dim')}"
    for line in lines:
        yield f"    {line}".rstrip()
    yield ""


def _wrapped(text: str, out: Terminal, first: str, rest: str | None = None) -> Iterator[str]:
    from textwrap import wrap

    from dispatchfile.cli.parser import columns

    # What stands between backquotes stays on one line.
    plain = re.sub(r"`[^`]+`", lambda found: found[0].replace(" ", "\xa0"), " ".join(text.split()))
    width = min(columns(), 100)
    for line in wrap(
        plain, width, initial_indent=first, subsequent_indent=first if rest is None else rest,
        break_long_words=False, break_on_hyphens=False,
    ):  # fmt: skip
        yield _painted(line.replace("\xa0", " "), out)


def _painted(line: str, out: Terminal) -> str:
    """Return a line with what stands between backquotes or asterisks in colour, or as it is where there is none."""
    line = re.sub(r"\*\*(.+?)\*\*", lambda found: out.style(found[1], "bold"), line)
    if not out.color:
        return line
    return re.sub(r"`([^`]+)`", lambda found: out.style(found[1], "cyan"), line)
