"""How large the result of one builtin may be."""

from __future__ import annotations

LARGEST = 4_000_000


def limited(size: int) -> None:
    """Raise ValueError when a result of that many characters or elements would be too large."""
    if size > LARGEST:
        raise ValueError(f"the result would have more than {LARGEST} parts")
