"""The predeclared functions and the builtin packages."""

import pytest

from dispatchfile.cue import export
from dispatchfile.errors import EvaluationError

CALLS = {
    "len({a: 1, _b: 2})": 1,
    'len("é")': 2,
    "len([1, 2])": 2,
    "div(7, 2)": 3,
    "and([int, >1, 3])": 3,
    'or(["a"])': "a",
    "close({a: 1})": {"a": 1},
    'strings.Join(["a", "b"], "-")': "a-b",
    'strings.Split("a,b", ",")': ["a", "b"],
    'strings.SplitN("a,b,c", ",", 2)': ["a", "b,c"],
    'strings.Replace("aaa", "a", "b", 2)': "bba",
    'strings.ToUpper("ab")': "AB",
    'strings.ToTitle("ab cd")': "Ab Cd",
    'strings.TrimSpace("  a ")': "a",
    'strings.TrimPrefix("v1", "v")': "1",
    'strings.HasSuffix("a.go", ".go")': True,
    'strings.Contains("abc", "b")': True,
    'strings.ContainsAny("abc", "xyzc")': True,
    'strings.Index("héllo", "l")': 3,
    'strings.Fields(" a  b ")': ["a", "b"],
    'strings.Repeat("ab", 2)': "abab",
    'strings.MinRunes("ab", 2)': True,
    'strings.SliceRunes("héllo", 1, 3)': "él",
    "list.Range(0, 5, 2)": [0, 2, 4],
    "list.Concat([[1], [2, 3]])": [1, 2, 3],
    "list.FlattenN([1, [2, [3]]], 1)": [1, 2, [3]],
    "list.Sort([2, 3, 1], list.Ascending)": [1, 2, 3],
    "list.Sort([2, 3, 1], {x: _, y: _, less: x > y})": [3, 2, 1],
    'list.SortStrings(["b", "a"])': ["a", "b"],
    "list.Sum([1, 2.5])": 3.5,
    "list.Avg([1, 2])": 1.5,
    "list.Max([1, 3, 2])": 3,
    "list.Take([1, 2, 3], 2)": [1, 2],
    "list.Drop([1, 2, 3], 2)": [3],
    "list.Slice([1, 2, 3], 1, 2)": [2],
    "list.Repeat([1], 2)": [1, 1],
    "list.Reverse([1, 2])": [2, 1],
    "list.Contains([1, {a: 2}], {a: 2})": True,
    "list.UniqueItems([1, 2, 1])": False,
    "list.MaxItems([1, 2], 1)": False,
    "list.IsSorted([1, 2], list.Ascending)": True,
    'strconv.Atoi("12")': 12,
    'strconv.ParseInt("-ff", 16, 64)': -255,
    'strconv.ParseBool("true")': True,
    "strconv.FormatInt(255, 16)": "ff",
    'strconv.Quote("a\\"b")': '"a\\"b"',
    "math.Floor(2.7)": 2,
    "math.Ceil(2.1)": 3,
    "math.Round(2.5)": 3,
    "math.RoundToEven(2.5)": 2,
    "math.Pow(2, 10)": 1024,
    "math.MultipleOf(9, 3)": True,
    "math.Jacobi(1000, 2003)": 1,
    "math.Sqrt(4)": 2,
    'json.Marshal({a: [1, null, "x"]})': '{"a":[1,null,"x"]}',
    'json.Unmarshal("{\\"a\\": [1, 2.5]}")': {"a": [1, 2.5]},
    'json.Valid("{")': False,
    'json.Compact("[1, 2]")': "[1,2]",
    'json.Indent("[1]", "", " ")': "[\n 1\n]",
}


@pytest.mark.parametrize(("call", "expected"), CALLS.items(), ids=CALLS)
def test_call(call, expected):
    path = {"json": "encoding/json"}
    package = (
        call.split(".")[0] if call.split(".")[0] in ("strings", "list", "strconv", "math", "json") else ""
    )
    header = f'import "{path.get(package, package)}"\n' if package else ""
    assert export(f"{header}x: {call}") == {"x": expected}


VALIDATORS = {
    "strings.MinRunes(2)": ('"ab"', '"a"'),
    "strings.MaxRunes(2)": ('"ab"', '"abc"'),
    'strings.HasPrefix("v")': None,
    "list.MaxItems(1)": ("[1]", "[1, 2]"),
    "list.MinItems(1)": ("[1]", "[]"),
    "list.UniqueItems()": ("[1, 2]", "[1, 1]"),
    "math.MultipleOf(3)": ("6", "7"),
}


@pytest.mark.parametrize("validator", [name for name, pair in VALIDATORS.items() if pair])
def test_validator(validator):
    good, bad = VALIDATORS[validator]
    header = f'import "{validator.split(".")[0]}"\n'
    assert list(export(f"{header}x: {validator} & {good}")) == ["x"]
    with pytest.raises(EvaluationError, match="does not satisfy"):
        export(f"{header}x: {bad} & {validator}")


REFUSED = {
    'strconv.Atoi("x")': "Atoi: invalid literal",
    "list.Repeat([1], -1)": "negative count",
    "list.Repeat([1], 1000000000)": "would have more than",
    'strings.Repeat("x", 1000000000)': "would have more than",
    "list.Range(0, 1000000000, 1)": "would have more than",
    "list.Drop([1], -1)": "negative index",
    "list.Avg([])": "the list is empty",
    'list.Sum(["a"])': "no number",
    'strings.Join([1], "")': "no string",
    'strings.Join(1, "")': "expected list",
    "strings.Join([])": "takes 2 arguments",
    "math.Log(0)": "positive",
    "math.Pow(10, 10000000)": "more than 4000 digits",
    "math.Sqrt(-1)": "Sqrt",
    'json.Unmarshal("{")': "Unmarshal",
    "math.Round": "is a function",
    "len(1)": "len cannot take a int",
}


@pytest.mark.parametrize(("call", "message"), REFUSED.items(), ids=REFUSED)
def test_refused(call, message):
    package = call.split(".")[0]
    header = f'import "{"encoding/json" if package == "json" else package}"\n' if "." in call else ""
    with pytest.raises(EvaluationError) as caught:
        export(f"{header}x: {call}")
    assert message in caught.value.message
