"""The programs of CUE's own tests and real Dispatchfiles, when they lie beside the project."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from dispatchfile.cue import export
from dispatchfile.errors import EvaluationError

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the project")

# At least so many hundredths of the values and of the refusals. No value may differ from CUE's, and nothing that CUE
# refuses may have one, but for these, on which v0.1.2 and today's CUE disagree and v0.1.2 is followed.
REACHED = {"cue-legacy": (98, 100), "cue-modern": (98, 96)}
AS_IN_0_1_2 = {
    "resolve__045_range_unification~i2": "bounds that leave one value are that value",
}


def equal(a, b):
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, Decimal)) and isinstance(b, (int, Decimal)):
        return abs(a - b) <= abs(Decimal(b)) * Decimal("1e-14")
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[label], b[label]) for label in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and a == b


def answer(text):
    """The exported value with exact numbers, or None when it is refused."""
    try:
        return json.loads(json.dumps(export(text)), parse_float=Decimal)
    except EvaluationError:
        return None


@pytest.mark.parametrize("suite", REACHED)
def test_suite(suite):
    values, refusals = REACHED[suite]
    count = {"ok": [0, 0], "refused": [0, 0]}
    wrong = set()
    for name, about in json.loads((SAMPLES / suite / "manifest.json").read_text()).items():
        got = answer((SAMPLES / suite / f"{name}.cue").read_text())
        if about["status"] == "ok":
            want = json.loads((SAMPLES / suite / f"{name}.json").read_text(), parse_float=Decimal)
            right = got is not None and equal(want, got)
            kind = "ok"
        else:
            right, kind = got is None, "refused"
        count[kind][0] += right
        count[kind][1] += 1
        if not right and got is not None:
            wrong.add(name)
    assert 100 * count["ok"][0] / count["ok"][1] >= values
    assert 100 * count["refused"][0] / count["refused"][1] >= refusals
    assert wrong <= AS_IN_0_1_2.keys()


def dispatchfiles():
    return sorted((SAMPLES / "dispatchfiles").glob("*.cue"))


@pytest.mark.parametrize("path", dispatchfiles(), ids=lambda path: path.stem)
def test_dispatchfile(path):
    value = path.with_name(path.name + ".json")
    got = answer(path.read_text())
    if value.exists():
        assert equal(json.loads(value.read_text(), parse_float=Decimal), got)
    else:
        assert got is None
