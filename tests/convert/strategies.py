"""Values and pipelines with nasty texts, and the ways to write them down."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

WORDS = st.sampled_from(
    ("yes", "on", "no", "null", "~", "012", "1e3", "1.5", "2020-01-02", "*a", "&a", "!a", "%a", "@a", "- a", "? a", "a: b",
     "a #b", " a", "a ", "#a", "// a", "[a", "{a", "`a", "|", "a\nb", "a\nb\n", "a\n\n", "\na\n", "  a\nb\n", "a\n # b\n",
     '"', "'", "\\", "\\(a)", '"""', "#!x\ny\n", "\t", "a\tb\nc", "\x00", "\x1b", "\x85", "\u2028", "\ufeff", "😀", "",
     "$(context.git.url)", "$(inputs.resources.a.url)", "a\r\nb", "---", "...", "<<", "=", "_x", "#x", "for", "import")
)  # fmt: skip
TEXTS = WORDS | st.text(st.characters(codec="utf-8"), max_size=12)
NUMBERS = (
    st.integers() | st.decimals(-1000, 1000, places=2) | st.sampled_from([Decimal("1E+3"), Decimal("1E-7")])
)
SCALARS = TEXTS | NUMBERS | st.booleans() | st.none()
LABELS = TEXTS.filter(lambda text: text[:1] != "\0")  # the evaluator's own mark of hidden fields
VALUES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(LABELS, below, max_size=3),
    max_leaves=12,
)
FILES = st.dictionaries(LABELS, VALUES, max_size=4)

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,6}[a-z0-9])?", fullmatch=True)
STEPS = st.fixed_dictionaries(
    {"name": NAMES, "image": st.just("golang:1.21"), "command": st.lists(TEXTS, min_size=1, max_size=3)},
    optional={"env": st.lists(st.fixed_dictionaries({"name": NAMES, "value": TEXTS}), max_size=2)},
)
RESOURCES = st.fixed_dictionaries({"type": st.just("git"), "param": st.fixed_dictionaries({"url": TEXTS})})
TASKS = st.fixed_dictionaries({"steps": st.lists(STEPS, min_size=1, max_size=2)})
CONDITIONS = st.fixed_dictionaries(
    {"git": st.fixed_dictionaries({"push": st.fixed_dictionaries({}, optional={"branches": st.just(["*"])})})}
)
ACTIONS = st.fixed_dictionaries({"tasks": st.lists(NAMES, max_size=2), "on": CONDITIONS})
PIPELINES = st.fixed_dictionaries(
    {
        "resource": st.dictionaries(NAMES, RESOURCES, max_size=2),
        "task": st.dictionaries(NAMES, TASKS, min_size=1, max_size=2),
        "actions": st.lists(ACTIONS, max_size=2),
    }
)
SAID = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs")), max_size=8).map(str.rstrip)
