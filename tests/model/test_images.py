"""Images that stand in for others."""

from __future__ import annotations

import pytest

from dispatchfile.model.images import stand_in


@pytest.mark.parametrize(
    ("ref", "found"),
    [
        ("app", "by name"),
        ("app:1", "by name"),
        ("host:5000/me/app", "by name"),
        ("host:5000/me/app:1@sha256:0", "by name"),
        ("me/tool:2", "by reference"),
        ("me/tool:3", "by repository"),
        ("you/tool:2", "you/tool:2"),
        ("host:5000/other", "host:5000/other"),
        ("", ""),
    ],
)
def test_an_image_is_found_by_the_whole_of_it_or_less(ref: str, found: str) -> None:
    table = {"app": "by name", "me/tool:2": "by reference", "me/tool": "by repository"}
    assert stand_in(ref, table) == found


def test_the_first_table_that_knows_an_image_says_what_it_is() -> None:
    assert stand_in("me/app:1", {}, {"app": "first"}, {"me/app:1": "second"}) == "first"
