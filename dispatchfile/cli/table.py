"""Rows of cells as columns for people."""

from __future__ import annotations

from dispatchfile.report.text import flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dispatchfile.cli.terminal import Terminal


def print_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    out: Terminal,
    colors: Mapping[str, str] | None = None,
) -> None:
    """Print columns that are as wide as what is in them; a column that is empty throughout is left out.

    `colors` are those of cells that are one of certain words.
    """
    kept = [number for number in range(len(titles)) if any(row[number] for row in rows)]
    cells = [[titles[number] for number in kept], *([flat(row[number]) for number in kept] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(kept))]
    for at, row in enumerate(cells):
        padded = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)] + row[-1:]
        if at == 0:
            out.print(out.style("  ".join(padded).rstrip(), "bold"))
        else:
            painted = (out.style(cell, *_named(colors or {}, cell.strip())) for cell in padded)
            out.print("  ".join(painted).rstrip())


def _named(colors: Mapping[str, str], word: str) -> list[str]:
    return [colors[word]] if word in colors else []
