"""Names for a cluster, out of names that a Dispatchfile may hold."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.tekton import names
from tests.tekton.drafts import drafted, spec, step, task_of

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("build", "build"),
        ("Build_It", "build-it"),
        ("a.b", "a-b"),
        ("-a--b-", "a-b"),
        ("0", "0"),
        ("grün", "gr-n"),
        ("", ""),
        ("é..", ""),
        ("x" * 63, "x" * 63),
        ("x" * 64, "x" * 54 + "-7ce10097"),
    ],
)
def test_label(text: str, made: str) -> None:
    assert names.label(text) == made


@pytest.mark.parametrize("text", ["a", "a-1", "a.b", "1.a-b.c", "a" * 63 + ".b"])
def test_subdomains(text: str) -> None:
    assert names.is_subdomain(text)


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "A", "a_b", "-a", "a.-b", "a b", "ä", "a" * 64]
)
def test_what_is_no_subdomain(text: str) -> None:
    assert not names.is_subdomain(text)


def test_names_that_need_no_change_keep_their_own() -> None:
    assert names.labels(["Build", "build", "b.uild"]) == {
        "Build": names.hashed("Build"),
        "build": "build",
        "b.uild": "b-uild",
    }


def test_a_name_of_which_nothing_is_left_is_its_hash() -> None:
    assert names.labels(["é", "ü"]) == {"é": names.hashed("é"), "ü": names.hashed("ü")}
    assert LABEL.fullmatch(names.hashed("é"))


def test_a_name_that_is_another_s_hash_is_evaded() -> None:
    taken = names.hashed("Build")
    made = names.labels(["Build", "build", taken])
    assert made[taken] == taken
    assert len(set(made.values())) == 3


def test_names_of_others_are_evaded() -> None:
    assert names.labels(["a", "b"], taken=["a"]) == {"a": names.hashed("a"), "b": "b"}


@given(st.lists(st.text(max_size=80), max_size=12), st.sampled_from([40, 58, 63]))
def test_all_labels_are_labels_and_differ(texts: list[str], longest: int) -> None:
    made = names.labels(texts, longest)
    assert list(made) == list(dict.fromkeys(texts))
    assert len(set(made.values())) == len(made)
    assert all(LABEL.fullmatch(one) and len(one) <= longest for one in made.values())
    assert made == names.labels(texts, longest)


def test_two_tasks_that_are_called_alike_on_the_cluster() -> None:
    made = spec({"a.b": [step()], "A_B": {"steps": [step()], "deps": ["a.b"]}})
    first, second = made["tasks"]
    assert (first["name"], second["name"]) == ("a-b", names.hashed("A_B"))
    assert second["runAfter"] == ["a-b"]
    assert [one["taskSpec"]["metadata"]["annotations"] for one in made["tasks"]] == [
        {"dispatchfile/task": "a.b"},
        {"dispatchfile/task": "A_B"},
    ]


def test_a_name_that_is_kept_is_no_annotation() -> None:
    assert "metadata" not in spec({"a": [step("b")]})["tasks"][0]["taskSpec"]


def test_steps_whose_first_58_characters_are_equal() -> None:
    long = "s" * 57
    called = [f"{long}{end}" for end in ("ab", "ac", "b")]
    spec_ = task_of(spec({"t": [step(name) for name in called]}), "t")["taskSpec"]
    made = [one["name"] for one in spec_["steps"]]
    # The container is called step-NAME, cut to 63.
    assert len({f"step-{name}"[:63] for name in made}) == 3
    assert made[2] == called[2]
    assert made[:2] == [names.hashed(name, 58) for name in called[:2]]
    assert spec_["metadata"]["annotations"]["dispatchfile/steps"] == (
        f'{{"{made[0]}": "{called[0]}", "{made[1]}": "{called[1]}"}}'
    )


def test_steps_without_a_name_are_numbered() -> None:
    made = spec({"t": [{"image": "a"}, step("b"), {"image": "c"}]})
    assert [one["name"] for one in made["tasks"][0]["taskSpec"]["steps"]] == ["unnamed-0", "b", "unnamed-2"]


@pytest.mark.parametrize("name", ["dispatch-results", "Dispatch_Results", "dispatch-clone-src"])
def test_steps_that_are_called_as_the_emitter_s_own(name: str) -> None:
    one = drafted({"t": [step(name)]})
    assert one.step_names["t", name] == names.hashed(f"step {name}", 58)
    assert not one.step_names["t", name].startswith("dispatch-")


def test_long_and_dotted_resources() -> None:
    one = drafted(
        {"a": {"steps": [step()], "outputs": ["app.v1", "r" * 63]}},
        {"app.v1": {"type": "image", "param": {"url": "u"}}, "r" * 63: {"type": "storage"}},
    )
    assert one.resource_names == {"app.v1": "app-v1", "r" * 63: names.hashed("r" * 63, 40)}
    assert one.digest_param("app.v1") == "image-app-v1-digest"


def test_parameters_of_results_tell_tasks_and_steps_apart() -> None:
    one = drafted({"a": [step("b-c")], "a-b": [step("c")]})
    assert one.result_param("a", "b-c") != one.result_param("a-b", "c")
