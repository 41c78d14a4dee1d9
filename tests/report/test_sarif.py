from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.report.sarif import log, render
from dispatchfile.source import Source, Span
from tests.npm import installed

TYPES = ("typescript@5.9.3", "@types/sarif@2.1.7")

SOURCE = Source("ci/Dispatchfile", '# \U0001f680 "gti"\nsecond line\n')
PLACE = Span(SOURCE, SOURCE.text.index('"gti"'), SOURCE.text.index('"gti"') + 5)
FINDING = Diagnostic(
    "DF201", Severity.ERROR, "no such input", PLACE, "undefined",
    (Related(Span(SOURCE, 10, 21), "a similar name"),), 'did you mean "git"?', "task.test.inputs[0]",
    Fix('write "git"', (Edit(PLACE, '"git"'), Edit(Span(SOURCE, 0, 0), "// ")), safe=False),
)  # fmt: skip
BARE = Diagnostic("DF601", Severity.INFO, "m")


def results(*findings: Diagnostic) -> list[dict[str, Any]]:
    return log(findings)["runs"][0]["results"]


def test_a_finding():
    [result] = results(FINDING)
    assert result["ruleId"] == "DF201"
    assert result["level"] == "error"
    assert result["message"]["text"] == 'no such input\ndid you mean "git"?'
    [place] = result["locations"]
    assert place["logicalLocations"] == [{"fullyQualifiedName": "task.test.inputs[0]"}]
    assert place["physicalLocation"]["artifactLocation"] == {"uri": "ci/Dispatchfile", "uriBaseId": "SRCROOT"}
    # The rocket is one character and two UTF-16 units.
    assert place["physicalLocation"]["region"] == {
        "startLine": 1,
        "startColumn": 6,
        "endLine": 1,
        "endColumn": 11,
    }
    assert result["relatedLocations"][0]["message"]["text"] == "a similar name"
    [change] = result["fixes"][0]["artifactChanges"]
    assert [edit["insertedContent"]["text"] for edit in change["replacements"]] == ['"git"', "// "]
    assert change["replacements"][1]["deletedRegion"] == {
        "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1,
    }  # fmt: skip


def test_rules_are_those_that_found_something():
    run = log([BARE, FINDING, FINDING])["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["DF201", "DF601"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["DF601", "DF201", "DF201"]
    assert rules[0]["name"] == "undefined-input"
    assert "```" in rules[0]["help"]["markdown"]


def test_fingerprints_outlive_moves_and_tell_repetitions_apart():
    moved = Source(SOURCE.name, "\n\n" + SOURCE.text)
    there = Diagnostic("DF201", Severity.ERROR, "other words", Span(moved, PLACE.start + 2, PLACE.end + 2))
    [one] = results(FINDING)
    [same] = results(there)
    assert one["partialFingerprints"] == same["partialFingerprints"]
    first, second = results(FINDING, FINDING)
    assert first["partialFingerprints"] != second["partialFingerprints"]


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("./Dispatchfile", {"uri": "Dispatchfile", "uriBaseId": "SRCROOT"}),
        ("a b/ü#?.cue", {"uri": "a%20b/%C3%BC%23%3F.cue", "uriBaseId": "SRCROOT"}),
        ("c:evil", {"uri": "c%3Aevil", "uriBaseId": "SRCROOT"}),
        ("/etc/x", {"uri": "file:///etc/x"}),
        ("lat\udce9in", {"uri": "lat%E9in", "uriBaseId": "SRCROOT"}),
        ("<stdin>", {"uri": "%3Cstdin%3E", "uriBaseId": "SRCROOT"}),
    ],
)
def test_paths_are_uris(name: str, location: dict[str, str]):
    [result] = results(Diagnostic("DF601", Severity.ERROR, "m", Span(Source(name, "x"), 0, 1)))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == location


def test_nothing_found_is_a_valid_log_too():
    run = json.loads(render([]))["runs"][0]
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []


def test_it_is_what_the_published_types_of_sarif_ask_for(tmp_path: Path):
    folder = installed(*TYPES)
    (tmp_path / "node_modules").symlink_to(folder / "node_modules")

    def check(text: str) -> subprocess.CompletedProcess[str]:
        program = f'import type {{ Log }} from "sarif";\nconst log: Log = {text};\nexport default log;\n'
        (tmp_path / "log.ts").write_text(program, encoding="utf-8")
        tsc = [str(folder / "node_modules/.bin/tsc"), "--noEmit", "--strict", "--types", "sarif", "log.ts"]
        return subprocess.run(tsc, cwd=tmp_path, capture_output=True, text=True, check=False)

    for findings in ([FINDING, BARE], []):
        done = check(render(findings))
        assert (done.returncode, done.stdout) == (0, "")
    assert "does not exist in type" in check(render([FINDING]).replace('"ruleId"', '"ruleName"')).stdout
