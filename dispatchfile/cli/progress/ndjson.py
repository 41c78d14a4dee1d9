"""The run as a stream of JSON objects, one a line, for programs to read."""

from __future__ import annotations

import json
from typing import TextIO

from dispatchfile.run.progress import Happening, as_plain


class JsonView:
    """Writes every happening as one line of JSON."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __call__(self, event: Happening) -> None:
        """Write what happened."""
        self._out.write(json.dumps(as_plain(event), ensure_ascii=False) + "\n")
        self._out.flush()

    def pause(self) -> None:
        """Flush: the terminal goes to a shell."""
        self._out.flush()

    def resume(self) -> None:
        """Go on; nothing was lost."""

    def close(self) -> None:
        """Flush what is left."""
        self._out.flush()
