"""Random documents: the value that is meant changes, and no byte beside it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dispatchfile.errors import DispatchfileError
from dispatchfile.gitops.splice import address as addresses
from dispatchfile.gitops.splice.edit import apply
from dispatchfile.gitops.splice.tree import documents
from dispatchfile.gitops.splice.wishes import value_edit
from dispatchfile.source import Source
from tests.gitops.splice.test_images import Folder

# libyaml is another reader than the one under test.
Oracle: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WORDS = (
    "a",
    "b.c",
    "käse",
    "x y",
    "\U0001f600",
    "it's",
    'say "no"',
    "#no",
    "- x",
    "1",
    "yes",
    "null",
    "{}",
    "a: b",
    "",
)
scalars = st.one_of(
    st.sampled_from(WORDS),
    st.text("ab:#-'\"{}[],&*!|>%@` \\é\U0001f680", max_size=8),
    st.integers(-5, 5000),
    st.booleans(),
    st.floats(-9, 9, allow_nan=False).map(lambda number: round(number, 2)),
)
keys = st.sampled_from(("a", "b", "key-1", "with space", "a.b/c", "schlüssel", "7"))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4), st.dictionaries(keys, inner, min_size=1, max_size=4)
    ),
    max_leaves=14,
)
news = st.one_of(st.sampled_from(WORDS), st.text("a1.:#-'\"{},&*| \\é\U0001f680", max_size=8))


class Writer:
    """Writes a document as many hands would, and remembers where each value stands."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.out = ""
        self.places: list[tuple[tuple[str | int, ...], Any, int, int]] = []

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def value(self, value: Any, path: tuple[str | int, ...], indent: int, *, flow: bool) -> None:
        if isinstance(value, dict | list):
            if flow or self.pick(True, False, False):
                self.flow(value, path, indent)
            else:
                self.block(value, path, indent)
            return
        start = len(self.out)
        self.out += self.scalar(value, flow=flow)
        self.places.append((path, value, start, len(self.out)))
        if not flow:
            self.out += self.pick("", "", "  # c: 'x' [", "\t # \U0001f4a5") + "\n"

    def scalar(self, value: Any, *, flow: bool) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        style = self.pick("plain", "single", "double")
        if style == "plain" and value.isidentifier() and value not in ("yes", "null", "a"):
            return value
        if style == "single":
            return "'" + value.replace("'", "''") + "'"
        return json.dumps(value, ensure_ascii=self.pick(True, False) and max(value + "a") < "\uffff")

    def flow(self, value: Any, path: tuple[str | int, ...], indent: int) -> None:
        self.out += "{" if isinstance(value, dict) else "["
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for number, (key, item) in enumerate(items):
            self.out += self.pick(", ", ",  ", f", # c\n{' ' * (indent + 2)}") if number else ""
            if isinstance(value, dict):
                self.out += f"{json.dumps(key, ensure_ascii=False)}: "
            self.value(item, (*path, key), indent + 2, flow=True)
        self.out += "}" if isinstance(value, dict) else "]"

    def block(self, value: Any, path: tuple[str | int, ...], indent: int) -> None:
        if path:
            self.out += self.pick("", " # here") + "\n"
        deeper = indent + self.pick(1, 2, 4) if path else 0
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            self.out += self.pick("", "", "\n", f"{' ' * deeper}# c\n")
            self.out += " " * deeper + (
                f"{json.dumps(key, ensure_ascii=False)}: " if isinstance(value, dict) else "- "
            )
            nested = isinstance(item, dict | list)
            self.value(item, (*path, key), deeper, flow=False)
            if nested and not self.out.endswith("\n"):
                self.out += self.pick("", " # end") + "\n"


def changed(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    copy = list(data) if isinstance(data, list) else dict(data)
    copy[first] = changed(data[first], tuple(rest), value)
    return copy


def address(path: tuple[str | int, ...], value: str) -> addresses.Address:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f"[{json.dumps(step)}]" for step in path)
    return addresses.parse(f"file.yaml:{steps}={value}")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(keys, trees, min_size=1, max_size=4), st.data(), news, st.integers(0, 10**6))
def test_one_value_and_nothing_else(tree: dict[str, Any], data: st.DataObject, new: str, number: int) -> None:
    writer = Writer(data.draw)
    writer.block(tree, (), 0)
    before, after = data.draw(
        st.sampled_from((("", ""), ("\ufeff", ""), ("# h\n---\n", "...\n"), ("x: 1\n---\n", "")))
    )
    text = before + writer.out + after
    crlf = data.draw(st.booleans())
    path, old, start, end = data.draw(st.sampled_from(writer.places))
    if crlf:
        breaks = [text[: at + len(before)].count("\n") for at in (start, end)]
        text, start, end = text.replace("\n", "\r\n"), start + breaks[0], end + breaks[1]
    start, end = start + len(before), end + len(before)
    wanted: Any = new if isinstance(old, str) else (not old) if isinstance(old, bool) else number
    said = wanted if isinstance(wanted, str) else json.dumps(wanted)
    source = Source("file.yaml", text)
    parsed = documents(source)
    assert [*yaml.load_all(text, Oracle)][-1] == tree
    _, node, _ = addresses.find(parsed[-1:], address(path, said))
    assert (node.start, node.end) == (start, end)
    result = apply(source, parsed, [(len(parsed) - 1, value_edit(parsed[-1], node, said))])
    assert result.startswith(text[:start])
    assert result.endswith(text[end:])
    assert [*yaml.load_all(result, Oracle)][-1] == changed(tree, path, wanted)
    assert "\n" not in result[start : len(result) - len(text) + end]


@settings(max_examples=300, deadline=None)
@given(st.text("ab:#-'\"{}[],&*!|>%@` \\\t\n\r=~<?1.\U0001f680", max_size=60), news)
@example("a: &x 1\nb: *x\n", "2")
@example("? a\n: b\n", "c")
@example("a: !x b", "c")
@example("%YAML 1.1\n---\na: b\n", "c")
def test_any_text_is_changed_rightly_or_refused(text: str, new: str) -> None:
    source = Source("file.yaml", text)
    try:
        parsed = documents(source)
        number, node, _ = addresses.find(parsed, addresses.parse(f"file.yaml:a={new}"))
        result = apply(source, parsed, [(number, value_edit(parsed[number], node, new))])
    except DispatchfileError:
        return
    assert result.startswith(text[: node.start])
    assert [*yaml.load_all(result, yaml.SafeLoader)]


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(keys, trees, min_size=1, max_size=4), st.data(), news, st.sampled_from((None, 1, "\t", 4))
)
def test_json(tree: dict[str, Any], data: st.DataObject, new: str, indent: Any) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=data.draw(st.booleans()))
    leaves = [(path, value) for path, value in walk(tree, ()) if isinstance(value, str)]
    if not leaves:
        return
    path, _ = data.draw(st.sampled_from(leaves))
    with tempfile.TemporaryDirectory() as where:
        folder = Folder(Path(where))
        folder.put_at("a.json", text)
        steps = "".join(f"[{step}]" if isinstance(step, int) else f"[{json.dumps(step)}]" for step in path)
        folder.set(f"-set=a.json:{steps}={new}")
        assert json.loads(folder.text("a.json")) == changed(tree, path, new)


def walk(tree: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from walk(value, (*path, key))
    else:
        yield path, tree
