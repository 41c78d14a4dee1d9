from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.model import variables
from tests.model.helpers import findings

SHELL = [
    "$(git rev-parse HEAD)",
    "$(date +\\%u)",
    "$(curl -s $URL | jq -r '.a[\"b\"]')",
    "$(docker ps --format '{{.ID}}')",
    "$(while read x; do echo $x; done)",
    "$(SLACK_HOOK)",
    "$(context)",
    "$(inputs)",
    "$( context.git.url )",
    "$(contexts.git.url)",
    "$({ .imageName })",
    "$(resources.sh --all)",
    "$context.git.url",
    "$$",
    "$(",
]


@pytest.mark.parametrize("text", SHELL)
def test_what_is_no_variable_stays(text):
    assert variables.find(text) == []
    assert variables.substitute(text, lambda name: "X") == text


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("$(context.git.url)", "<context.git.url>"),
        ("$(git rev-parse $(context.git.tag))", "$(git rev-parse <context.git.tag>)"),
        ("a$(inputs.resources.my-app.digest)b", "a<inputs.resources.my-app.digest>b"),
        ("$(resources.inputs.src.path)", "<inputs.resources.src.path>"),
        ("$(resources.outputs.app.url)", "<outputs.resources.app.url>"),
        ("$(inputs.tasks.lint.step-1)", "<inputs.tasks.lint.step-1>"),
        ("$(context.git.url)$(context.git.commit)", "<context.git.url><context.git.commit>"),
        ("$(inputs.resources.$(context.git.tag).url)", "$(inputs.resources.<context.git.tag>.url)"),
    ],
)
def test_substitution(text, replaced):
    assert variables.substitute(text, lambda name: f"<{name}>") == replaced


def test_unknown_ones_stay_and_values_are_not_looked_at_again():
    known = {"context.git.url": "$(context.git.commit)", "context.git.commit": "c"}
    text = "$(context.git.url) $(inputs.resources.a.url)"
    assert variables.substitute(text, known.get) == "$(context.git.commit) $(inputs.resources.a.url)"


def test_places_and_names():
    [found] = variables.find("x $(resources.inputs.a.url)")
    assert (found.name, found.start, found.end, found.is_context) == ("inputs.resources.a.url", 2, 27, False)


pieces = st.sampled_from(
    ["$(", ")", "context", "inputs", "resources", ".", "git", "url", " ", "$", "(", "a-b", "}", "${"]
)


@given(st.lists(pieces, max_size=30).map("".join))
def test_substituting_each_variable_by_itself_changes_nothing(text):
    assert variables.substitute(text, lambda name: None) == text
    ends = [0, *(place for found in variables.find(text) for place in (found.start, found.end)), len(text)]
    assert ends == sorted(ends)


PIPELINE = """
resource:
  src: {type: git, param: {url: $(context.git.url)}}
  app: {type: image, param: {url: u, digest: "%(digest)s"}}
task:
  lint:
    steps: [{name: count, image: i}]
  a:
    inputs: [src, lint]
    outputs: [app]
    steps:
    - image: i
      args: ["%(arg)s"]
"""
OWN = "$(inputs.resources.app.digest)"


def _found(arg: str = "", digest: str = OWN) -> list[tuple[str, str]]:
    return [(one.code, one.help) for one in findings(PIPELINE % {"arg": arg, "digest": digest})]


@pytest.mark.parametrize(
    "arg",
    [
        *(f"$({name})" for name in variables.CONTEXT),
        "$(inputs.resources.src.path)",
        "$(inputs.resources.src.revision)",
        "$(resources.outputs.app.url)",
        "$(inputs.tasks.lint.count)",
        "$(git rev-parse HEAD)",
        "$(resources.sh --all)",
        "${HOME}",
    ],
)
def test_known_variables(arg):
    assert _found(arg) == []


@pytest.mark.parametrize(
    ("arg", "code", "advice"),
    [
        ("$(context.git.comit)", "DF401", "did you mean $(context.git.commit)?"),
        ("$(context.git-url)", "DF401", "did you mean $(context.git.url)?"),
        ("$(context.git-revision)", "DF401", "did you mean $(context.git.commit)?"),
        ("$(context.nothing.like.it)", "DF401", f"the variables are {', '.join(variables.CONTEXT)}"),
        ("$(echo $(context.git.tagg))", "DF401", "did you mean $(context.git.tag)?"),
        ("$(inputs.params.x)", "DF401", None),
        ("$(inputs.resources.src)", "DF401", None),
        ("$(context.git.url", "DF401", "write $(context.git.url)"),
        ("${context.git.url}", "DF401", "write $(context.git.url)"),
        ("$(inputs.resources.sr.url)", "DF402", "did you mean $(inputs.resources.src.url)?"),
        ("$(inputs.resources.app.url)", "DF402", "it is one of its outputs: $(outputs.resources.app.url)"),
        ("$(outputs.resources.src.url)", "DF402", "it is one of its inputs: $(inputs.resources.src.url)"),
        ("$(inputs.resources.other.url)", "DF402", "its inputs are src"),
        ("$(inputs.resources.src.ulr)", "DF402", "did you mean $(inputs.resources.src.url)?"),
        ("$(inputs.resources.src.digest)", "DF402", None),
        ("$(inputs.tasks.lint.cuont)", "DF403", "did you mean $(inputs.tasks.lint.count)?"),
        ("$(inputs.tasks.lnit.count)", "DF403", "did you mean $(inputs.tasks.lint.count)?"),
        ("$(inputs.tasks.a.count)", "DF403", 'add "a" to the `inputs` of the task'),
        ("$(inputs.tasks.nothing.count)", "DF403", "no task has this name"),
    ],
)
def test_variables_without_meaning(arg, code, advice):
    [(found, help_)] = _found(arg)
    assert found == code
    assert advice is None or help_ == advice


@pytest.mark.parametrize(
    "digest", ["$(inputs.resources.src.url)", "$(outputs.resources.app.digest)", "$(inputs.tasks.lint.count)"]
)
def test_resources_know_the_context_only(digest):
    assert [code for code, _ in _found(digest=digest)] == ["DF402"]


def test_the_place_is_the_variable_itself():
    [found] = findings(PIPELINE % {"arg": "é $(context.git.comit) x", "digest": OWN})
    assert found.span is not None
    assert found.span.text == "$(context.git.comit)"


def test_a_string_full_of_mistakes_is_not_told_to_the_end():
    found = findings(PIPELINE % {"arg": "$(context.git.comit)" * 5000 + "${context.git.url}", "digest": OWN})
    assert [one.code for one in found] == ["DF401"] * 101
    assert found[-1].help == "write $(context.git.url)"
