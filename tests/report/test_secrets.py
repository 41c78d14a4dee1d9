"""What a finding marks as secret stands in no report, wherever the report would repeat it."""

from __future__ import annotations

import json

import pytest

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.lint.engine import inspect
from dispatchfile.record import replace
from dispatchfile.report import concise, github, sarif, text
from dispatchfile.report import json as json_report
from dispatchfile.report.secrets import Screen
from dispatchfile.source import Source, Span

REPORTS = {
    "full": text.render,
    "concise": concise.render,
    "json": json_report.render,
    "sarif": sarif.render,
    "github": github.render,
}
SECRET, OTHER, BODY = "a93d-77Cq01xe", "q-8Zr!xk", "MIIEowIBAAKCAQEAuPZ1dG6H3vkkL0"

FILE = Source(
    "Dispatchfile",
    f'''resource r: {{type: "git", param: url: "https://bob:{OTHER}@git.example.com/a"}}
task: t: {{inputs: ["r"], steps: [{{name: "t", imge: "a:1", image: "b", env: [{{name: "A_TOKEN", value: "{SECRET}"}}]}}]}}
actions: [{{tasks: ["t", "{SECRET}"], on: push: {{}}}}]
"{OTHER}": steps: [{{name: "t", image: "{OTHER}"}}]
key: "-----BEGIN {"PRIVATE"} KEY-----\\n{BODY}\\nqq==\\n-----END {"PRIVATE"} KEY-----\\n" + missing
''',
)


@pytest.mark.parametrize("kind", REPORTS)
def test_no_report_repeats_a_secret(kind: str) -> None:
    findings = inspect(FILE)
    assert {"DF603", "DF704", "DF101", "DF203", "DF601", "DF004"} <= {found.code for found in findings}
    told = REPORTS[kind](findings)
    assert "DF203" in told
    for secret in (SECRET, OTHER, BODY):
        assert secret not in told


def marked(source: Source, *texts: str) -> list[Diagnostic]:
    """Return a finding for each text at its first place; those behind a `!` are secrets."""
    found = []
    for one in texts:
        word = one.removeprefix("!")
        at = source.text.index(word)
        span = Span(source, at, at + len(word))
        found.append(Diagnostic("X", Severity.ERROR, f"m{at}", span, secret=word != one))
    return found


@pytest.mark.parametrize(
    ("line", "texts", "expected"),
    [
        ('a: "hunter22" b', ["!hunter22"], [(' a: "***" b', "     ^^^")]),
        ('a: "hunter22" b', ['!"hunter22"'], [(' a: "***" b', "    ^^^^^")]),
        ("hunter22 b hunter22", ["!hunter22", "b"], [(" *** b ***", " ^^^"), (" *** b ***", "     ^")]),
        ("c hunt1234 5678pass b", ["!hunt1234", "!5678pass", "b"],
         [(" c *** *** b", "   ^^^"), (" c *** *** b", "       ^^^"), (" c *** *** b", "           ^")]),
        ("hunt1234pass b", ["!hunt1234", "!1234pass"], [(" *** b", " ^^^"), (" *** b", " ^^^")]),
        ("a hunter22 b", ["!hunter22", "unt", "a hunter22", "22 b"],
         [(" a *** b", " ^^^^^"), (" a *** b", "   ^^^"), (" a *** b", "   ^^^"), (" a *** b", "   ^^^^^")]),
        ('a """\n  hunter22\n  """', ['!"""\n  hunter22\n  """'], [(' a """', "   ^^^")]),
        ('b hunter22\na """\n  hunter22\n  """', ["b", '!"""\n  hunter22\n  """'],
         [(" b ***", " ^"), (' a """', "   ^^^")]),
        ("x" * 300 + " hunter22 b", ["!hunter22"], [(" …" + "x" * 154 + " *** b", " " * 157 + "^^^")]),
    ],
    ids=["bare", "quoted", "elsewhere", "two", "overlapping", "marks beside and inside", "lines", "lines elsewhere", "far right"],
)  # fmt: skip
def test_carets_stand_under_what_is_left(
    line: str, texts: list[str], expected: list[tuple[str, str]]
) -> None:
    told = text.render(marked(Source("f", line), *texts)).split("\n\n")
    lines = [[part.partition(" |")[2] for part in block.splitlines()[3:5]] for block in told]
    assert lines == [list(pair) for pair in expected]


def test_what_other_findings_say() -> None:
    source = Source("f", "hunter22 b")
    secret, other = marked(source, "!hunter22", "b")
    span = other.span
    assert span is not None
    words = "say hunter22"
    leak = Diagnostic("Y", Severity.ERROR, words, span, words, (Related(span, words),), words, words)
    kept = Fix("write hunter22", (Edit(span, "c"),), safe=True)
    dropped = Fix("write it", (Edit(span, "'hunter22'"),), safe=True)
    screen = Screen([secret])
    first, second = screen.findings([replace(leak, fix=fix) for fix in (kept, dropped)])
    hidden = "say ***"
    assert (first.message, first.label, first.help, first.path) == (hidden,) * 4
    assert first.related == (Related(span, hidden),)
    assert first.fix == Fix("write ***", (Edit(span, "c"),), safe=True)
    assert second.fix is None


def test_short_texts_and_reports_without_secrets_stay() -> None:
    source = Source("f", "abc abc")
    assert "abc abc" in text.render(marked(source, "!abc"))
    assert "hunter22" in text.render(marked(Source("f", "hunter22"), "hunter22"))


def test_the_print_of_a_line_tells_nothing_of_its_secret() -> None:
    def print_of(secret: str) -> str:
        log = json.loads(sarif.render(inspect(Source("f", FILE.text.replace(SECRET, secret)))))
        results = log["runs"][0]["results"]
        found = [one for one in results if one["ruleId"] == "DF603"][1]
        assert found["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
        return str(found["partialFingerprints"]["primaryLocationLineHash"])

    assert print_of(SECRET) == print_of("another-37d1")


def test_many_secrets_on_a_long_line_take_no_time() -> None:
    source = Source("f", " ".join(f"AKIA{number:016}" for number in range(3000)))
    spans = [Span(source, at, at + 20) for at in range(0, len(source.text), 21)]
    told = text.render(Diagnostic("X", Severity.ERROR, "m", span, secret=True) for span in spans[:100])
    assert told.count("^^^") == 100
    screen = Screen(Diagnostic("X", Severity.ERROR, "m", span, secret=True) for span in spans)
    assert screen.text(source.text) == " ".join(["***"] * 3000)
