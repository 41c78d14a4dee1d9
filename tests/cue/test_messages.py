"""Syntax errors as users see them. Each expected message stands behind `//^` on the line it belongs to.

`//^ text` means that an error on this line starts with `text`; an optional ` => text` names its help. Every error has
to be announced. The notes are cut off, with the blanks before them, before the text is parsed.
"""

from __future__ import annotations

import re

import pytest

from dispatchfile.cue.evaluate import read
from dispatchfile.cue.parser import parse
from dispatchfile.diagnostics import Severity
from dispatchfile.source import Source

NOTE = re.compile(r"[ \t]*//\^ (?P<message>.*?)(?: => (?P<help>.*))?$", re.M)

CASES = {
    "conflict": """
task "a": {
<<<<<<< HEAD   //^ unresolved merge conflict starting at line 3 (<<<<<<<)
  image: "x"
=======
  image: "y"
>>>>>>> other
}
b: [
<<<<<<< HEAD   //^ unresolved merge conflict starting at line 10
  "x",
||||||| base
  "w",
=======
  "y",
>>>>>>> other
]
""",
    "hash": """
# first          //^ `#` does not start a comment => comments start with //
a: 1 # behind    //^ `#` does not start a comment
#task "x": {     //^ `#` does not start a comment
#  y: 1          //^ `#` does not start a comment
#}               //^ `#` does not start a comment
b: 2
""",
    "unterminated": """
a: {
  b: "abc        //^ string literal not terminated => end it with " on the same line
  c: 1
  d: ["-x="Deploy it"]     //^ string literal not terminated => quotes inside a string are written
}
e: "$(x            //^ string literal not terminated
""",
    "list commas": """
a: ["x" "y"]       //^ missing ',' in list literal
b: [
  "x"              //^ missing ',' before newline in list literal
  "y"
]
c: [
  {a: 1}           //^ missing ',' before newline in list literal
  {a: 2}
]
d: [
  "x"              //^ missing ',' before newline in list literal => the comma on the next line comes too late
  , "y"
]
""",
    "brace too early": """
task "t": {
  steps: [
    {
      name: "a"
    }
    volumeMounts: [      //^ field `volumeMounts` directly inside a list => the `}` on line 6 closes the block before it too early?
      {name: "x"}
    ]
    },
    { name: "c" }
  ]
  volumes: []
}
actions: [{tasks: ["t"]}]
""",
    "no opening bracket": """
task "t": {
  steps:
    {
      name: "a"
    }
  ]              //^ `]` without `[` => `steps` must be a list, did you mean `steps: [`?
}
b: 1
""",
    "field never closed": """
task: "deploy": {   //^ task "deploy" opened at line 2 is never closed
  steps: []
actions: []
""",
    "task never closed": """
task "deploy": {   //^ task "deploy" opened at line 2 is never closed => `actions:` at column 1 suggests that the `}` is missing before line 7
  steps: [
    { name: "x" }
  ]

actions: [
  { tasks: ["deploy"] }
]
""",
    "step never closed": """
task "deploy": {
  steps: [
    { name: "x"    //^ `{` at line 4 is never closed => `]` at column 3 suggests that the `}` is missing before line 6
      image: "y"
  ]
}
actions: []
""",
    "missing colon": """
resource "x" {     //^ expected ':' after label, found `{` => write resource "x": {
  type: "git"
}
name "y"           //^ expected ':' after label, found end of line => did you mean name: "y"?
a: b c: 1          //^ expected ':' after label, found `c`
d: {e: "f" g: 1, h: "i" j: "k"}   //^ expected ',' or a new line before `g`
on: push "x": 1    //^ expected ':' after label, found "x" => write on: push: "x"
""",
    "fields in lists": """
steps: [{
  env: [ KEY: "v" ]         //^ fields are not allowed directly in a list; wrap each in { } => env entries are { name: "KEY", value: … }
  x: 1
}]
actions: [ tasks: ["a"] on push: { branches: ["x"] } ]   //^ fields are not allowed directly in a list => each action needs { }
other: [ a b: 1 ]           //^ fields are not allowed directly in a list => wrap each in { }: { a: … }
""",
    "unquoted": """
url: https://x.org/x/y      //^ value must be quoted => write "https://x.org/x/y"
image: foo/bar:1.0          //^ value must be quoted => write "foo/bar:1.0"
name: hello world           //^ value must be quoted => write "hello world"
timeout: 10m                //^ expected a number, found 10m => a text must be quoted: "10m"
version: 1.2.3              //^ expected a number, found 1.2.3
user: git@x.org             //^ unexpected character `@` => a text with @ must be quoted
""",
    "heredoc": """
a: 1
EOF                         //^ unexpected `EOF` at end of file
""",
    "heredoc and its head": """
cat > Dispatchfile <<'EOF'  //^ `cat > Dispatchfile <<'EOF'` is not CUE => remove this line
a: 1
EOF                         //^ unexpected `EOF` at end of file
""",
    "calls and templates": """
a: [dict(name="x")]         //^ expected ',' or `)`, found `=` => structs are written { name: value }
b: {{ .URL }}               //^ expected a field or `}`, found `.` => CUE has no templates
""",
    "YAML inside": """
steps: [
  - name: "foo"             //^ this looks like YAML inside CUE
]
b: {
  - X: "1"                  //^ this looks like YAML inside CUE
}
""",
    "YAML file": """
resource:                   //^ this file looks like YAML, but is read as CUE => add a first line #!yaml
  src-git:
    type: git
task:
  test:
    steps:
      - name: a
""",
    "Starlark file": """
load("x/y@v1", "a")         //^ this file looks like Starlark, but is read as CUE => add a first line #!starlark
def foo(a):
  return a
""",
    "values": """
a: {
  c:
}                           //^ expected a value, found `}` => `c:` has no value
d: [1, , 2]                 //^ expected a value or `]`, found `,` => remove one of the two commas
e: = 3                      //^ expected a value, found `=` => `e:` has no value
f: (1 + )                   //^ expected a value, found `)`
g: "x\\(y                   //^ interpolation \\( is not closed
h: "\\q"                    //^ unknown escape in string
i: {a: 1 b: 2}              //^ expected ',' or a new line before `b`
j: 007                      //^ number with a leading zero
k: "\\(1 2)"                //^ expected `)`, found `2`
[1, 2]: 3                   //^ a label in [ ] has exactly one expression
l: [X=1]                    //^ alias inside a list
m: \"""abc\"""              //^ a block string starts on the line below its quotes
""",
    "other languages": """
a "b" = {                   //^ expected ':' after label, found `=` => write `:`
}
b := 1                      //^ expected ':' after label, found `:=` => write `:`
-- why so                   //^ `--` does not start a comment => comments start with //
; why                       //^ `;` does not start a comment => comments start with //
c-d: 1                      //^ label must be quoted => write "c-d"
e src-git: {                //^ label must be quoted => write "src-git"
  f: 1
}
e.org/f: "x"                //^ label must be quoted => write "e.org/f"
g: |                        //^ this looks like YAML inside CUE => write \""" here
  go test
  go vet: all

h: >-                       //^ this looks like YAML inside CUE => write \""" here
  go test
i: f"x"                     //^ a string has no prefix `f` => remove it; the value of a field comes in by
j: [core.Env{a: 1}]         //^ missing ',' in list literal => a struct has no type in front of it
k: ("a", "b")               //^ expected `)`, found `,` => a list stands in [ ]
l: {if a: 1}                //^ unexpected `:` => write `if … { }`
m: a ? "b" : "c"            //^ unexpected `?` => CUE has no a ? b : c
n pull_request()            //^ only a function can be called, and this is a label => write n pull_request: {}
o: ${GIT_URL}               //^ value must be quoted => write "${GIT_URL}"
p: /workspace/src           //^ value must be quoted => write "/workspace/src"
q: 0 * * * *                //^ value must be quoted => write "0 * * * *"
qq: 1
r: [main, release/*]        //^ value must be quoted => write "release/*"
s: "a                       //^ string literal goes over several lines => put \""" at its start
  b"
t: &x [1]                   //^ expected a value, found `&` => CUE has no anchors
u: golang:1"                //^ string literal not terminated => or is the opening quote missing? write "golang:1"
v: ["\\(a"]                 //^ interpolation \\( is not closed => close it with `)`
if a {} else {}             //^ unexpected `else` => CUE has no else
#!cue                       //^ `#!` stands on the first line only => move it there
=======                     //^ expected a field, found `==` => left over from a merge conflict?
w: 1
```                         //^ ``` is Markdown => remove this line
""",
    "rest of a conflict": """
a: 1
>>>>>>> theirs              //^ left over from a merge conflict => remove this line
""",
    "end swallowed": """
a: {
  b: [{
    c: \"""                  //^ string literal not terminated => end it with three quotes
    d: 1
  }]
}
""",
    "brackets and indents": """
a: {
  b: "x", "y"]              //^ `]` without `[` => `b` must be a list, did you mean `b: [`?
  c: ["x", "y")             //^ `)` where the `[` of line 4 ends => write `]`
  d: [
    "x"
  e: 1
}
f: [                        //^ `[` where `{` should open a struct, which ends on line 12 => write `{`
  g: 1
  h: 2
}
i:
  j: 1
}                           //^ `}` without `{` => `i` must be a struct, did you mean `i: {`?
k: {l: 1} m: 2              //^ expected ',' or a new line before `m`
""".replace("  d: [", "  d: [   //^ d opened at line 5 is never closed => `e:` at column 3 suggests"),
    "brackets": """
a: [1 = 2,                  //^ expected ',' or `]`, found `=`
  3,
]
x: {a: 1 ) }                //^ `)` without `(`
e: ]                        //^ `]` without `[`
y: [1, 2                    //^ y opened at line 7 is never closed => `z:` at column 1 suggests that the `]` is missing before line 8
z: 3
""",
}


@pytest.mark.parametrize("case", CASES)
def test_messages_stand_on_their_lines(case):
    noted = CASES[case]
    expected = {}
    for number, line in enumerate(noted.split("\n"), 1):
        if found := NOTE.search(line):
            expected[number] = (found["message"], found["help"] or "")
    source = Source("Dispatchfile", NOTE.sub("", noted))
    found = {d.span.line: (d.message, d.help) for d in parse(source).diagnostics}
    assert found.keys() == expected.keys(), found
    for line, (message, help_) in expected.items():
        assert found[line][0].startswith(message)
        assert found[line][1].startswith(help_)


def applied(text):
    """Return a text with the first fix of its errors applied, again and again."""
    for _ in range(10):
        fixes = [d.fix for d in parse(Source("f", text)).diagnostics if d.fix]
        if not fixes:
            break
        for edit in reversed(fixes[0].edits):
            text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("## a\nb: 1 # c\n", "// a\nb: 1 // c\n"),
        ('r "x" {\n}\n', 'r "x": {\n}\n'),
        ('a: ["b" "c"]', 'a: ["b", "c"]'),
        ('a: [\n  "b"\n  "c"\n]', 'a: [\n  "b",\n  "c"\n]'),
        ("a: 1 b: 2", "a: 1, b: 2"),
        ("u: https://x.org, \n", 'u: "https://x.org", \n'),
        ("u: https://x.org // y\n", 'u: "https://x.org" // y\n'),
        ('u: ["a", https://x.org, "b"]\n', 'u: ["a", "https://x.org", "b"]\n'),
        ("t: 10m", 't: "10m"'),
        ("a: b c: 1", "a: b: c: 1"),
        ("a: [\n  1,\n}\n", "a: [\n  1,\n]\n"),
        ("a: [\n  b: 1\n}\n", "a: {\n  b: 1\n}\n"),
        ('a "b" = {}\n', 'a "b" : {}\n'),
        ("a := 1\n", "a : 1\n"),
        ("-- a b\nb: 1\n", "// a b\nb: 1\n"),
        ("r a-b: {}\n", 'r "a-b": {}\n'),
        ("on pull_request()\n", "on pull_request: {}\n"),
        ("a: /b/c\n", 'a: "/b/c"\n'),
        ("a: [b/*]\n", 'a: ["b/*"]\n'),
        ("a: “b”;\n", 'a: "b"\n'),
        ("a：\u00a01\n", "a: 1\n"),
        ('a: "\\d\\$"\n', 'a: "\\\\d$"\n'),
        ('a: b:1"\n', 'a: "b:1"\n'),
        ("task:\n  - a: 1\n", "#!yaml\ntask:\n  - a: 1\n"),
    ],
)
def test_fixes(text, mended):
    assert applied(text) == mended


def test_elements_behind_a_broken_one_keep_their_number():
    file = parse(Source("f", 'a: [\n  "x",\n  = 1,\n  "z",\n]\n')).file
    elements = file.declarations[0].value.elements
    assert [element.span.text for element in elements] == ['"x"', "", '"z"']


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("task a-b: {\n  c: 1\n}\n", {"task": {"a-b": {"c": 1}}}),
        ('task "a" = {\n  b: 1\n}\n', {"task": {"a": {"b": 1}}}),
        ("a := 1\n", {"a": 1}),
        ("steps:\n  {\n    a: 1\n  }\n]\n", {"steps": [{"a": 1}]}),
        ('a: "x", "y"]\nb: 1\n', {"a": ["x", "y"], "b": 1}),
        ("a:\n  b: 1\n}\nc: 1\n", {"a": {"b": 1}, "c": 1}),
        ("a: [\n  b: 1\n}\n", {"a": {"b": 1}}),
        ("a: [\n  1,\n}\nb: 2\n", {"a": [1], "b": 2}),
        ("a: [\n  1,\nb: 2\n", {"a": [1], "b": 2}),
        ("a: [\n  1\nb: 2\n", {"a": [1], "b": 2}),
    ],
)
def test_what_was_meant_is_read(text, value):
    reading = read(Source("f", text))
    assert [found.code for found in reading.diagnostics] == ["DF001"]
    assert reading.value.plain() == value


def test_spans_are_tight():
    def shown(text):
        return [d.span.text for d in parse(Source("f", text)).diagnostics]

    assert shown('resource "x" {\n}') == ['"x"']
    assert shown("a: 1 # b") == ["#"]
    assert shown('a: "\\q"') == ["\\q"]
    assert shown("a: hello world") == ["hello world"]


@pytest.mark.parametrize("text", ["a: \0", "\0", "a: 1\0b"])
def test_nul(text):
    first = parse(Source("f", text)).diagnostics[0]
    assert (first.code, first.severity, first.message) == ("DF001", Severity.ERROR, "the file has a NUL byte")


def test_at_most_thirty():
    assert len(parse(Source("f", "a: = 1\n" * 500)).diagnostics) == 30
