"""Modules that are chosen by name and loaded when they are needed."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def module(name: str) -> ModuleType:
    """Return a module by its full name. `importlib` does the same, and takes longer to load than most of ours."""
    __import__(name)
    return sys.modules[name]
