"""Differences of texts: they lead from one to the other, and large files take no time."""

from __future__ import annotations

import subprocess
from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.changes import changes, unified

TEXTS = st.lists(
    st.sampled_from(["a\n", "b\n", "c\n", "\n", *(f"{number}\n" for number in range(20))]), max_size=30
)


@given(TEXTS, TEXTS)
def test_the_changes_lead_from_one_text_to_the_other(old: list[str], new: list[str]) -> None:
    made, at, other = [], 0, 0
    for start, end, other_start, other_end in changes(old, new):
        assert start > at or not at or other_start > other, "two changes touch"
        assert old[at:start] == new[other:other_start]
        assert old[start:end] != new[other_start:other_end]
        made += old[at:start] + new[other_start:other_end]
        at, other = end, other_end
    assert made + old[at:] == new


@given(TEXTS, TEXTS)
def test_patch_understands_the_difference(old: list[str], new: list[str]) -> None:
    difference = "".join(unified(old, new, "x"))
    assert (difference == "") == (old == new)
    heads = [line for line in difference.splitlines() if line.startswith("@@")]
    shown = [line for line in difference.splitlines()[2:] if not line.startswith("@@")]
    counted = [part.lstrip("+-").split(",") for head in heads for part in head.split()[1:3]]
    lengths = [int(part[1]) if len(part) > 1 else 1 for part in counted]
    assert sum(lengths[::2]) == sum(line[0] in " -" for line in shown)
    assert sum(lengths[1::2]) == sum(line[0] in " +" for line in shown)


def test_git_applies_it(tmp_path) -> None:
    old = [f"{number}\n" for number in range(50)]
    new = ["first\n", *old[:10], "x\n", *old[11:30], *old[31:], "last\n"]
    (tmp_path / "x").write_text("".join(old))
    difference = "".join(unified(old, new, "x"))
    subprocess.run(["git", "apply", "-p0"], input=difference, text=True, cwd=tmp_path, check=True)
    assert (tmp_path / "x").read_text() == "".join(new)
    (tmp_path / "x").write_text("")
    subprocess.run(
        ["git", "apply", "-p0"], input="".join(unified([], new, "x")), text=True, cwd=tmp_path, check=True
    )
    assert (tmp_path / "x").read_text() == "".join(new)


def test_many_changes_take_no_time() -> None:
    old = [line for n in range(2000) for line in (f"// {n}\n", "task a: {\n", *(["  steps: [\n"] * 8), "}\n")]
    new = [line.replace("task a", "task: a") for line in old]
    started = process_time()
    assert len(changes(old, new)) == 2000
    assert process_time() - started < 2
