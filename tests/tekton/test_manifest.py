"""Objects as YAML: every reader gets back what was written."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dispatchfile.errors import UsageError
from dispatchfile.tekton import manifest
from tests import ci

KUBECTL = shutil.which("kubectl")

TRICKY = (
    "y", "Y", "n", "on", "off", "yes", "NO", "true", "False", "null", "~", "=", "<<", "", " ", "  a", "a ", "a: b", "a:",
    "a #b", "#a", "- a", "-", "?", "? a", ":", "::", "!a", "&a", "*a", "%a", "@a", "`a", "{a", "[a", "a]", ",", "|", ">",
    "1", "012", "0o14", "0x1f", "0b11", "1e3", "1E3", "1e+3", "+1", "-1", ".5", "5.", "1.5", "1_000", "0_1", "-_1", "1e5_",
    "1e_5", "_1", "1:30", "1:30:59", "190:20:30", ".inf", "-.INF", ".nan", "2001-01-01", "2001-1-1", "2001-12-14t21:59:43Z",
    "2001-12-14 21:59:43.10 -5", "685_230.15", "0.", "+.5", "1e", "e1", "0x", "0xg", "1.2.3", "4bf92f3", "1e10000", "12e34567",
    "---", "--- a", "...", "... b", "'", "''", '"', "it's", '"quoted"', "\\", "\\n", "a\\", "\n", "\n\n", "a\n", "a\n\n",
    "a\nb", "\na", " a\nb", "a\n b", "a \nb", "a\n \nb", "\ta\nb", "a\n\tb", "a\tb", "\t", "a\r\nb", "a\rb", "\x00", "\x07",
    "\x1b[1m", "\x7f", "\x85", "\xa0", "é", "日本語", "\u2028", "\u2029", "\ufeff", "a\ufeffb", "\U0001f600", "\ufffe", "\uffff",
    "#!/bin/sh\nset -e\necho \"$(params.x)\" | sed 's/: /=/'\n", "set -e\n\n\n", "#!/bin/sh\n# a: b\n\n", "a: |\n  b\n",
    "x" * 300, "a " * 100, "<<: *a", "key: [a, b]", "$(date +%s)", "$$", "%YAML 1.1", "a\u200bb", "!!str", "\u0644\u0645",
)  # fmt: skip

TEXTS = st.one_of(
    st.sampled_from(TRICKY),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
    st.text("0123456789+-._:exobaEXT \n\t#~", max_size=12),
    st.lists(st.sampled_from((*TRICKY, "a", " ", "\n", "\t", "'", '"', ":")), max_size=6).map("".join),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(-(2**40), 2**40)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def holding(content: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "spec": content}


@pytest.mark.parametrize("text", TRICKY, ids=repr)
def test_tricky_texts(text: str) -> None:
    made = holding({"value": text, "list": [text, [text], {"a": text}], text: text})
    assert yaml.safe_load(manifest.document(made)) == made


@settings(max_examples=120)
@given(st.lists(VALUES, max_size=3))
def test_what_is_written_is_read_again(contents: list[object]) -> None:
    objects = [holding(content) for content in contents]
    read = [one for one in yaml.safe_load_all(manifest.text(objects)) if one is not None]
    assert read == objects
    assert [list(one) for one in read] == [list(one) for one in objects]


def read_by_kubectl(objects: list[dict[str, object]], folder: Path) -> list[dict[str, object]]:
    """Return objects as kubectl reads them; to annotate what is in a file it asks no cluster."""
    if KUBECTL is None:
        ci.skip("kubectl is not here")
    path = folder / "objects.yaml"
    path.write_text(manifest.text(objects), encoding="utf-8", newline="")
    command = [
        str(KUBECTL),
        "annotate",
        "--local",
        "--kubeconfig=/dev/null",
        "-f",
        str(path),
        "-o",
        "json",
        "read=x",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    read, rest, decoder = [], done.stdout.decode(), json.JSONDecoder()
    while rest := rest.lstrip():
        one, end = decoder.raw_decode(rest)
        assert one["metadata"].pop("annotations") == {"read": "x"}
        read.append(one)
        rest = rest[end:]
    return read


def test_kubectl_reads_the_same(tmp_path: Path) -> None:
    objects = [holding({"value": text, "list": [text, [text], {"a": text}], text: text}) for text in TRICKY]
    read = read_by_kubectl(objects, tmp_path)
    assert len(read) == len(objects)
    assert [(one, other) for one, other in zip(objects, read, strict=True) if one != other] == []


def test_kubectl_reads_the_same_of_any_text(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kubectl")

    @settings(max_examples=5, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(st.lists(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3), min_size=20, max_size=30))
    def check(contents: list[object]) -> None:
        objects = [holding(content) for content in contents]
        assert read_by_kubectl(objects, folder) == objects

    check()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("main\udc80", 'ConfigMap x: there is the byte 0x80 behind "main", which is not UTF-8'),
        ("a\ud800", 'ConfigMap x: there is half a character behind "a", which is not UTF-8'),
    ],
    ids=["byte", "half"],
)
@pytest.mark.parametrize("place", ["value", "key", "line"])
def test_bytes_that_are_no_text_are_an_error(text: str, said: str, place: str) -> None:
    content = {"value": {"a": text}, "key": {text: "a"}, "line": {"a": f"{text}\nb"}}[place]
    with pytest.raises(UsageError) as caught:
        manifest.text([holding(content)])
    assert caught.value.message == said


def test_the_head_says_how_to_apply() -> None:
    named, unnamed = holding("a"), {**holding("a"), "metadata": {"generateName": "x-"}}
    assert manifest.text([named]).splitlines()[:2] == [
        "# Made by dispatchfile; apply it with: kubectl apply -f FILE",
        "apiVersion: v1",
    ]
    create = "# Made by dispatchfile; apply it with: kubectl create -f FILE"
    assert manifest.text([unnamed]).startswith(f"{create}\napiVersion")
    assert manifest.text([named, unnamed]).startswith(
        f"{create} (once: it changes no Pipeline that is there; "
    )
    assert manifest.text([named], "commit it").startswith("# Made by dispatchfile; commit it\napiVersion")
    large = holding("a" * 300_000)
    assert manifest.text([large]).startswith(
        "# Made by dispatchfile; apply it with: kubectl apply --server-side -f FILE\n"
    )


@pytest.mark.parametrize(
    "text", ["it's", 'a "b"', "a: b # c", "- x", "&a *b !c", "{a}", "[a]", "%x", "{{ x }}", "\\", ""]
)
def test_a_block_holds_any_line(text: str) -> None:
    made = holding([{"value": manifest.Block(text), "next": 1}, manifest.Block(text)])
    written = manifest.text([made])
    assert f"|-\n    {text}\n  next: 1" in written
    assert yaml.safe_load(written)["spec"] == [{"value": text, "next": 1}, text]


def test_documents_end_with_a_line_end_and_nothing_else() -> None:
    text = manifest.text([holding({"script": "a\n"}), holding({"script": "a\n\n"})])
    assert text.endswith("  script: |+\n    a\n\n")
    assert text.count("\n---\n") == 1
