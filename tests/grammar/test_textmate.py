"""The TextMate grammar, read by the tokenizer that VS Code itself uses."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from dispatchfile import explain
from dispatchfile.cue import lexer, scope
from dispatchfile.cue._tables import SPELLINGS
from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.report import concise
from dispatchfile.source import Source, Span
from tests.npm import installed

EDITORS = Path(__file__).parents[2] / "grammar" / "editors"
GRAMMAR = EDITORS / "dispatchfile.tmLanguage.json"

# A source, and scopes of pieces of it: each piece's first token that is just so, from left to right.
CASES = {
    "first line": ("#!cue", [("#!", "comment.line.shebang"), ("cue", "comment.line.shebang")]),
    "first line only": ("a: 1\n#!cue", [("1", "constant.numeric"), ("!", "keyword.operator.logical")]),
    "old chain": (
        'on push branches: ["main"]',
        [("on", "entity.name.tag"), ("push", "entity.name.tag"), ("branches", "entity.name.tag"),
         ("main", "string.quoted.double")],
    ),
    "modern chain": (
        'on: git: push: branches: ["main"]',
        [("on", "entity.name.tag"), ("git", "entity.name.tag"), ("branches", "entity.name.tag")],
    ),
    "quoted label in a chain": (
        'resource "src-git" param "k" : "v"',
        [("resource", "keyword.other.section"), ("src-git", "entity.name.tag.quoted"), ("param", "entity.name.tag"),
         ("k", "entity.name.tag.quoted"), ("v", "string.quoted.double")],
    ),
    "a value is no label": ('a: "x"\nb: c', [("x", "string.quoted.double"), ("c", "variable.other")]),
    "optional and required": ("a?: int\nb!: string", [("?:", "key-value"), ("int", "support.type"), ("!:", "key-value")]),
    "definitions": (
        "#A: {...}\n_#B: 1\nOld :: 2\nx: #A",
        [("#A", "entity.name.type.definition"), ("...", "keyword.operator.rest"), ("_#B", "entity.name.type.definition"),
         ("Old", "entity.name.type.definition"), ("::", "punctuation.separator.definition"),
         ("#A", "entity.name.type.definition")],
    ),
    "template": ("<Name>: {x: Name}", [("Name", "variable.parameter.template"), ("Name", "variable.other")]),
    "alias": ("X=a: 1", [("X", "variable.other.alias"), ("=", "keyword.operator.assignment"), ("a", "entity.name.tag")]),
    "loop": (
        'for k, v in m if k != "x" {"\\(k)-y": v}',
        [("for", "keyword.control.loop"), ("k", "variable.other"), ("in", "keyword.control.loop"),
         ("if", "keyword.control.conditional"), ("!=", "keyword.operator.comparison"), ("k", "source.dispatchfile.embedded"),
         ("-y", "entity.name.tag.quoted")],
    ),
    "keywords as labels": ("if: 1\nfor: 2\ntrue: 3\nx: y.if",
        [("if", "entity.name.tag"), ("for", "entity.name.tag"), ("true", "entity.name.tag"), ("if", "variable.other")]),
    "let": ("let X = 1", [("let", "keyword.control.let"), ("1", "constant.numeric")]),
    "prelude": (
        'package ci\nimport "strings"\nx: strings.Join(a, ",")',
        [("package", "keyword.control.package"), ("ci", "entity.name.namespace"), ("import", "keyword.control.import"),
         ("strings", "string.quoted.double"), ("strings", "support.module"), ("Join", "entity.name.function")],
    ),
    "package as a label": ("package: 1", [("package", "entity.name.tag")]),
    "string": (
        r'a: "x\n\(b + "c\(d)e")f"',
        [("x", "string.quoted.double"), (r"\n", "constant.character.escape"), ("b", "source.dispatchfile.embedded"),
         ("c", "string.quoted.double"), ("d", "variable.other"), ("f", "string.quoted.double")],
    ),
    "string ends with its line": ('a: "open\nb: 1', [("open", "string.quoted.double"), ("b", "entity.name.tag")]),
    "lines": ('a: """\n  x "y" \\(z)\n  """\nb: 1',
        [('  x "y" ', "string.quoted.triple"), ("z", "variable.other"), ("b", "entity.name.tag")]),
    "raw": (r'a: #"x \n "y" \#(b) \#n"#, c: 1',
        [(r'x \n "y" ', "string.quoted.double.raw"), ("b", "variable.other"), (r"\#n", "constant.character.escape"),
         ("c", "entity.name.tag")]),
    "bytes": (r"a: 'x\x41'", [("x", "string.quoted.single"), (r"\x41", "constant.character.escape")]),
    "variables": (
        'a: "v$(context.git.tag) $(inputs.resources.app.url) $(date)"',
        [("context.git.tag", "variable.other.pipeline"), ("inputs.resources.app.url", "variable.other.pipeline"),
         (" $(date)", "string.quoted.double")],
    ),
    "numbers": (
        "a: [12, 1_000, 0x1F, 0b101, 0o17, 1.5, .5, 1e3, 4Ki]",
        [(number, "constant.numeric") for number in ("12", "1_000", "0x1F", "0b101", "0o17", "1.5", ".5", "1e3", "4Ki")],
    ),
    "comments": (
        'a: "http://x" // why\n// dispatchfile: ignore[DF601] pinned elsewhere',
        [("http://x", "string.quoted.double"), (" why", "comment.line.double-slash"),
         ("ignore", "keyword.other.directive"), ("[DF601]", "constant.other.rule")],
    ),
    "alternatives": ('a: *"x" | string & =~"^x"',
        [("*", "keyword.operator.default"), ("|", "keyword.operator.unification"), ("string", "support.type"),
         ("=~", "keyword.operator.comparison")]),
    "bottom": ("a: _|_", [("_|_", "constant.language.bottom")]),
    "attribute": ("a: 1 @go(X)", [("go", "storage.type.annotation")]),
}  # fmt: skip


def tokens(*sources: str) -> list[list[tuple[str, str]]]:
    """Return for each source its tokens: their text, and their scopes as one string."""
    modules = installed("vscode-textmate@9.2.0", "vscode-oniguruma@2.0.1") / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("tokenize.js")), str(modules), str(GRAMMAR)],
        input=json.dumps(sources), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [[(text, " ".join(scopes)) for text, scopes in one] for one in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def read() -> dict[str, list[tuple[str, str]]]:
    return dict(zip(CASES, tokens(*(source for source, _ in CASES.values())), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_scopes(read, name: str) -> None:
    left = iter(read[name])
    for piece, scope_of in CASES[name][1]:
        scopes = next((scopes for text, scopes in left if text.strip() == piece.strip()), None)
        assert scopes is not None, f"no token {piece!r} is left in {read[name]}"
        assert scope_of in scopes


def words_of(pattern: str) -> dict[str, str]:
    """Return the scope of each word when it stands as a value, or as `pattern` has it for WORD."""
    words = sorted({*scope.TYPES, *scope.FUNCTIONS, *(word for word in SPELLINGS if word.isalpha())})
    found = tokens(*(pattern.replace("WORD", word) for word in words))
    return {
        word: next(scopes for text, scopes in one if text == word)
        for word, one in zip(words, found, strict=True)
    }


def test_every_keyword_of_the_lexer_is_one_here() -> None:
    keywords = {word for word in SPELLINGS if word.isalpha()}
    assert keywords >= {"for", "in", "if", "true", "null"}
    scopes = words_of("a: b, WORD c")
    plain = {
        word for word in keywords - {"package", "import"}
        if not re.search(r"keyword|constant", scopes[word])
    }  # fmt: skip
    assert plain == set()
    assert keywords <= set(lexer._WORDS)


def test_every_predeclared_type_and_function_is_one_here() -> None:
    types = words_of("a: WORD")
    assert {word for word in scope.TYPES if "support.type" not in types[word]} == set()
    functions = words_of("a: WORD(b)")
    assert {word for word in scope.FUNCTIONS if "support.function" not in functions[word]} == set()


def test_every_integer_operator_is_one_here() -> None:
    operators = words_of("a: 7 WORD 2")
    assert {
        word for word in ("div", "mod", "quo", "rem") if "keyword.operator" not in operators[word]
    } == set()


def test_every_package_is_one_here() -> None:
    names = [path.rpartition("/")[2] for path in scope.PACKAGES]
    found = tokens(*(f"a: {name}.X" for name in names))
    plain = [name for name, one in zip(names, found, strict=True) if "support.module" not in dict(one)[name]]
    assert plain == []


def test_every_variable_is_one_here() -> None:
    names = [name for one in explain.variables() for name in (one.name, *one.aliases)]
    assert len(names) > 10
    for name, one in zip(names, tokens(*(f'a: "$({name})"' for name in names)), strict=True):
        assert "variable.other.pipeline" in dict(one)[name]


def test_examples_hold_nothing_illegal() -> None:
    files = sorted(Path(__file__).parents[2].glob("examples/*/Dispatchfile"))
    assert files
    for one in tokens(*(file.read_text(encoding="utf-8") for file in files)):
        assert [text for text, scopes in one if "invalid" in scopes] == []


def test_the_first_line_is_known() -> None:
    first = re.compile(json.loads(GRAMMAR.read_text(encoding="utf-8"))["firstLineMatch"])
    known = ("#!cue", "#!mesosphere/dispatch-cue:v0.3", "#!takirala/dispatch-cue:v0.4-beta1")
    assert all(first.search(line) for line in known)
    assert not any(first.search(line) for line in ("#!/bin/sh", "#!yaml", "#!mesosphere/dispatch-yaml:v0.6"))


def matcher(path: str) -> dict[str, object]:
    data = json.loads((EDITORS / path).read_text(encoding="utf-8"))
    if "contributes" in data:
        found: dict[str, object] = data["contributes"]["problemMatchers"][0]["pattern"]
        return found
    one: dict[str, object] = data["problemMatcher"][0]["pattern"][0]
    return one


@pytest.mark.parametrize("path", ["problem-matcher.json", "package.json"])
def test_problem_matchers_read_the_concise_report(path: str) -> None:
    source = Source("ci/Dispatchfile", 'a: 1\nb: "x:1: error[z]: y"\n')
    problem = Diagnostic("DF601", Severity.WARNING, 'image "x:1" [a]: b', Span(source, 8, 12), help="pin it")
    pattern = matcher(path)
    found = re.search(str(pattern["regexp"]), concise.render([problem]), re.MULTILINE)
    assert found is not None
    groups = {name: found[number] for name, number in pattern.items() if isinstance(number, int)}
    assert groups == {
        "file": "ci/Dispatchfile", "line": "2", "column": "4", "severity": "warning", "code": "DF601",
        "message": 'image "x:1" [a]: b (pin it)',
    }  # fmt: skip


def test_the_extension_names_files_that_are_there() -> None:
    contributes = json.loads((EDITORS / "package.json").read_text(encoding="utf-8"))["contributes"]
    named = [contributes["languages"][0]["configuration"], contributes["grammars"][0]["path"]]
    assert all((EDITORS / path).is_file() for path in named)
