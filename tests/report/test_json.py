from __future__ import annotations

import json

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.report.json import render
from dispatchfile.source import Source, Span


def test_every_field():
    source = Source("é", "ab\ncd")
    place = Span(source, 1, 4)
    fix = Fix("mend", (Edit(place, "x"),), safe=True)
    found = Diagnostic(
        "X", Severity.WARNING, "m", place, "l", (Related(Span(source, 0, 1), "r"),), "h", "a.b[0]", fix
    )
    where = {"file": "é", "line": 1, "column": 2, "end_line": 2, "end_column": 2}
    assert json.loads(render([found])) == [
        {
            "code": "X",
            "name": None,
            "severity": "warning",
            "message": "m",
            **where,
            "label": "l",
            "path": "a.b[0]",
            "also": [{"message": "r", "file": "é", "line": 1, "column": 1, "end_line": 1, "end_column": 2}],
            "help": "h",
            "fix": {"applicability": "safe", "message": "mend", "edits": [{**where, "content": "x"}]},
        }
    ]


def test_without_a_place():
    [record] = json.loads(render([Diagnostic("X", Severity.ERROR, "m")]))
    assert (record["file"], record["line"], record["fix"], record["also"]) == (None, None, None, [])


def test_a_rule_has_its_name():
    [record] = json.loads(render([Diagnostic("DF201", Severity.ERROR, "m")]))
    assert record["name"] == "undefined-input"
