"""How large the result of one builtin may be."""

from __future__ import annotations

LARGEST = 4_000_000
MOST = 50_000


def limited(size: int) -> None:
    """Raise ValueError when a text of that many characters would be too long."""
    if size > LARGEST:
        raise ValueError(f"the result would have more than {LARGEST} characters")


def listed(count: int) -> None:
    """Raise ValueError when a list of that many elements would be too long."""
    if count > MOST:
        raise ValueError(f"the result would have more than {MOST} elements")
