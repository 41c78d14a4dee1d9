from __future__ import annotations

from tests.model.helpers import findings


def test_of_tasks_that_all_wait_for_each_other_some_cycles_are_told() -> None:
    names = [f"t{number}" for number in range(150)]
    tasks = "\n".join(
        f'  {name}: {{inputs: {[other for other in names if other != name]}, steps: [{{name: a, image: "x:1"}}]}}'
        for name in names
    )
    told = [one.message for one in findings(f"task:\n{tasks}\nactions: []") if one.code == "DF204"]
    assert "tasks wait for each other: t0 -> t1 -> t0" in told
    assert len(told) == 20
