"""The engine `local`: an application's objects as containers, volumes and a network of a Docker engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from docker import APIClient


class LocalEngine:
    """Keeps apps/engine.Engine. `folder` is the application's own for what it remembers between calls."""

    def __init__(self, client: APIClient, folder: Path) -> None:
        self._client = client
        self._folder = folder

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()
