"""What the kubelet reads of a text with values of others in it: nothing of them, and the rest as ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.model.shielding import shielded
from dispatchfile.run.expand import expand

ENV = {"TOKEN": "s3cret", "A": "a", "V": "$(TOKEN)", "D": "$"}
TEXTS = st.lists(
    st.sampled_from(["$", "$$", "(", ")", "$(", "$(A)", "$(date)", "TOKEN", "x", "VALUE"]), max_size=8
)


def read(text: str) -> str:
    """Return what a program gets of a text in which VALUE stands for a branch called `$(TOKEN)`."""
    first, *rest = text.split("VALUE")
    pieces = [(first, False)]
    for one in rest:
        pieces += (("$(V)", True), (one, False))
    return expand(shielded(pieces, "$(D)"), ENV)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VALUE", "$(TOKEN)"),
        ("--branch=VALUE $(A)", "--branch=$(TOKEN) a"),
        ("$VALUE", "$$(TOKEN)"),
        ("$$VALUE", "$$(TOKEN)"),
        ("$$$VALUE", "$$$(TOKEN)"),
        ("$(basename VALUE) $(A)", "$(basename $(TOKEN)) a"),
        ("$(VALUE", "$($(TOKEN)"),
        ("$(A)$(TOKEN)", "as3cret"),
        ("$$(A) VALUE", "$(A) $(TOKEN)"),
    ],
)
def test_only_the_values_are_left_alone(text: str, expected: str) -> None:
    assert read(text) == expected


@given(TEXTS.map("".join))
def test_no_value_becomes_a_secret(text: str) -> None:
    own = expand(text.replace("VALUE", "\0"), ENV).count("s3cret")
    assert read(text).count("s3cret") <= own
    assert read(text).count("$(TOKEN)") >= text.count("VALUE")
