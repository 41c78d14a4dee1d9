"""The two functions that other rooms and users call."""

from __future__ import annotations

import dispatchfile.cue
from dispatchfile.source import Source


def test_the_functions_stay_functions_once_their_modules_are_loaded() -> None:
    for _ in range(2):
        assert dispatchfile.cue.export("a: 1\nb: a + 1") == {"a": 1, "b": 2}
        assert dispatchfile.cue.read(Source("f", "a: 1")).ok
