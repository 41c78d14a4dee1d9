"""What every word of the tool and of a Dispatchfile means: rules, fields, variables, exit codes.

Nothing is written here that another room knows: rules explain themselves in the docstrings of their modules, fields in
the tables of `model/schema.py`, variables in `model/variables.py`. An Entry holds one explanation as data; the
command line prints it, editors show it as markdown.
"""

from __future__ import annotations

import re
from functools import cache

from dispatchfile.model import schema, shape
from dispatchfile.record import Record, replace
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from dispatchfile.lint.catalogue import Entry as Rule

    Kind = Literal["rule", "field", "variable", "topic"]


class Entry(Record):
    """One explanation. `facts` are short ones with their headings, `text` is markdown, `example` is CUE.

    `aliases` are other words for the same. `parts` are the entries' names of what stands below a field.
    """

    kind: Kind
    name: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    text: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def entries() -> list[Entry]:
    """Return everything there is to explain: rules by code and without their pages, fields, variables, topics."""
    return [*rules(), *fields(), *variables(), *topics()]


def find(word: str) -> list[Entry]:
    """Return what a word stands for, nothing when it is not known.

    A word is the code or name of a rule, the beginning of codes (`DF2`), the path of a field or the end of one
    (`task.timeout`, `timeout`; names and positions may stand in it, `task.build.steps[0].image`), a variable with or
    without `$( )`, `exit-codes`, or one of those.
    """
    folded = word.strip().lower()
    bare = re.sub(r"^\$[({](.*?)[)}]?$", r"\1", folded)
    named = [one for one in (*rules(), *topics()) if folded in _words(one)]
    if named:
        return [with_page(one) for one in named]
    return _begun(folded) or _variable(bare) or _fields(bare)


def near(word: str) -> str | None:
    """Return the known word that was probably meant, or None."""
    known = {text for one in entries() for text in (one.name, *one.aliases)}
    ends = {name.rsplit(".", 1)[-1] for name in known if "." in name}
    return nearest(re.sub(r"^\$[({](.*?)[)}]?$", r"\1", word.strip()), [*sorted(known), *sorted(ends)])


def page(word: str) -> str | None:
    """Return the explanation of a word as markdown, or None when it is not known."""
    found = find(word)
    return "\n---\n\n".join(markdown(one) for one in found) if found else None


def markdown(entry: Entry) -> str:
    """Return an explanation as markdown."""
    blocks = [f"**{entry.name}**: {entry.summary}"]
    if entry.facts:
        blocks.append("\n".join(f"- {heading}: {fact}" for heading, fact in entry.facts))
    if entry.text:
        blocks.append(entry.text)
    if entry.example:
        blocks.append(f"```cue\n{entry.example}\n```")
    return "\n\n".join(blocks) + "\n"


def _begun(word: str) -> list[Entry]:
    """Return the rules whose codes begin with a word such as `df2`, without their pages."""
    if not re.fullmatch(r"df\d{0,2}", word):
        return []
    return [one for one in rules() if one.name.lower().startswith(word)]


def _words(entry: Entry) -> set[str]:
    return {text.lower() for text in (entry.name, *entry.aliases)}


# Rules


def rules() -> list[Entry]:
    """Return the rules of lint by code."""
    from dispatchfile.lint import catalogue

    return [_rule(entry) for entry in catalogue.ENTRIES.values()]


_FIXES = {"safe": "`dispatchfile lint --fix`", "unsafe": "`dispatchfile lint --fix --unsafe-fixes`"}


def _rule(rule: Rule) -> Entry:
    facts = [("severity", str(rule.severity)), ("fix", _FIXES.get(rule.fix, "by hand"))]
    if rule.always:
        facts.append(("always on", "neither settings nor comments silence it"))
    if rule.optional:
        facts.append(("off", f"unless selected {rule.selected_by}"))
    return Entry("rule", rule.code, rule.summary, tuple(facts), aliases=(rule.name,))


def with_page(entry: Entry) -> Entry:
    """Return a rule with what its module says, which is only then imported; what is no rule as it is."""
    if entry.kind != "rule":
        return entry
    from dispatchfile.lint import catalogue

    said = catalogue.entry(entry.name).load().__doc__ or ""
    return replace(entry, text=said.partition("\n")[2].strip())


# Fields


def fields() -> list[Entry]:
    """Return all fields of a Dispatchfile, parents first; parameters of a resource stand once for each type."""
    return list(_all_fields())


@cache
def _all_fields() -> tuple[Entry, ...]:
    return tuple(_below(schema.PIPELINE, ""))


def field_path(path: Sequence[str | int], resource_type: str = "") -> str:
    """Return the name under which `fields` has the field at a path of the value, "" when there is none.

    `resource_type` tells the parameters of the types apart, as `resource.param.url (git)`.
    """
    if len(path) == 4 and path[0] == "resource" and path[2] in ("param", "params"):
        name = str(path[3])
        known = schema.RESOURCE_TYPES.get(resource_type)
        return f"resource.param.{name} ({resource_type})" if known and name in known.by_name else ""
    return ".".join(_down(path)[1])


def shape_at(path: Sequence[str | int]) -> shape.Shape | None:
    """Return the shape of the value at a path, None where the schema has no such place."""
    return _down(path)[0]


def _down(path: Sequence[str | int]) -> tuple[shape.Shape | None, list[str]]:
    """Return the shape at a path and the names of the fields on the way; None and no names when a field is unknown."""
    here: shape.Shape | None = schema.PIPELINE
    names: list[str] = []
    for part in path:
        if isinstance(part, int):
            here = here.item if isinstance(here, shape.ListOf) else None
        elif isinstance(here, shape.MapOf):
            here = here.item
        else:
            field = _named(here, part)
            here = field.shape if field is not None else None
            names += [field.name] if field is not None else []
        if here is None:
            return None, []
    return here, names


def _named(table: shape.Shape | None, name: str) -> shape.Field | None:
    if not isinstance(table, shape.Table):
        return None
    return table.by_name.get(name) or table.by_alias.get(name)


def _below(of: shape.Shape, prefix: str) -> Iterator[Entry]:
    while isinstance(of, (shape.ListOf, shape.MapOf)):
        of = of.item
    if not isinstance(of, shape.Table):
        return
    for field in of.fields:
        path = f"{prefix}.{field.name}" if prefix else field.name
        yield _field(path, field, of)
        if path == "resource.param":
            for kind, table in schema.RESOURCE_TYPES.items():
                yield from (_field(f"{path}.{one.name} ({kind})", one, table) for one in table.fields)
        else:
            yield from _below(field.shape, path)


def _field(path: str, field: shape.Field, table: shape.Table) -> Entry:
    bare = path.partition(" ")[0]
    parent = bare.rpartition(".")[0]
    aliases = tuple(f"{parent}.{alias}" if parent else alias for alias in field.aliases)
    facts = [("in", table.title), ("type", _type(field.shape))]
    if field.required:
        facts.append(("required", "yes"))
    elif field.default:
        facts.append(("default", field.default))
    if field.since != "1.0":
        facts.append(("since", f"Dispatch {field.since}"))
    if field.deprecated:
        facts.append(("deprecated", field.deprecated))
    if aliases:
        facts.append(("also written", ", ".join(field.aliases)))
    if not field.honoured:
        facts.append(("local run", "not honoured; a warning says so"))
    parts = _parts(bare, field.shape)
    if parts:
        facts.append(("fields", ", ".join(part.rpartition(".")[2] for part in parts)))
    return Entry("field", path, field.doc, tuple(facts), aliases=aliases, parts=parts)


def _parts(path: str, of: shape.Shape) -> tuple[str, ...]:
    while isinstance(of, (shape.ListOf, shape.MapOf)):
        of = of.item
    return tuple(f"{path}.{one.name}" for one in of.fields) if isinstance(of, shape.Table) else ()


_TEXTS = {
    "duration": 'a duration, such as "1h30m"',
    "quantity": 'a quantity, such as "500m" or "1Gi"',
    "schedule": 'a schedule, such as "0 4 * * 1-5" or "@daily"',
    "glob": "a pattern, in which `*` crosses `/`; `!` in front takes out",
    "path-glob": "a pattern of paths, in which `**` crosses `/`; `!` in front takes out",
    "name": "a name of lower-case letters, digits, and -",
}


def _type(of: shape.Shape) -> str:
    if isinstance(of, shape.MapOf):
        each = of.item.title if isinstance(of.item, shape.Table) else shape.noun(of.item)
        return f"a struct by name, each {each}"
    item = of.item if isinstance(of, shape.ListOf) else of
    said = _TEXTS.get(item.kind, "") if isinstance(item, shape.Text) else ""
    if isinstance(item, shape.Table):
        said = "" if item is of else f"each {item.title}"
    return f"{shape.noun(of)}: {said}" if said and item is not of else said or shape.noun(of)


def _fields(word: str) -> list[Entry]:
    """Return the fields whose path is the word, else those whose path ends in it."""
    plain = re.sub(r"\[[^\]]*\]", "", word)
    known = [(one, _words(one) | {one.name.partition(" ")[0].lower()}) for one in fields()]
    exact = [one for one, names in known if plain in names]
    if exact:
        return exact
    ends = [one for one, names in known if any(name.endswith(f".{plain}") for name in names)]
    if ends or "." not in plain:
        return ends
    name, last = _with_names(word).lower(), plain.rpartition(".")[2]
    return [one for one, names in known if name in names and name.endswith(f".{last}")]


def _with_names(word: str) -> str:
    """Return the name of the field at a path that may hold names of tasks and positions of steps, or ""."""
    here: shape.Shape | None = schema.PIPELINE
    names: list[str] = []
    for part in re.findall(r"[^.\[\]]+", word):
        while isinstance(here, shape.ListOf):
            here = here.item
        if isinstance(here, shape.MapOf):
            names += [part] if names == ["resource", "param"] else []
            here = here.item
        elif not part.isdigit():
            known = (
                {field.name.lower(): field for field in here.fields} if isinstance(here, shape.Table) else {}
            )
            if part not in known:
                return ""
            here = known[part].shape
            names.append(known[part].name)
    return ".".join(names)


# Variables

_AT_ONCE = "before the plan is made: the event alone settles it"
_IN_TIME = "as the task starts"

_RESOURCE_VARIABLE = (
    "parameter PARAM of resource NAME, one of the task's {}; also `name`, `type`, and `path`, the directory"
)

_EXAMPLES = {
    "context.git.url": 'resource "src": {type: "git", param: url: "$(context.git.url)"}',
    "context.git.commit": 'param: revision: "$(context.git.commit)"',
    "context.git.branch": 'env: [{name: "BRANCH", value: "$(context.git.branch)"}]',
    "context.git.tag": 'param: url: "example/app:$(context.git.tag)"',
    "context.build.name": 'args: ["--label", "build=$(context.build.name)"]',
    "context.chatop.command": 'env: [{name: "WORD", value: "$(context.chatop.command)"}]',
    "context.chatop.args": 'env: [{name: "ARGS", value: "$(context.chatop.args)"}]',
}


def variables() -> list[Entry]:
    """Return the variables; those of tasks have NAME, PARAM, TASK and STEP in the place of names."""
    from dispatchfile.model.variables import CONTEXT, OLDEST

    context = [
        Entry(
            "variable", name, f"The {meaning}.", (("filled in", _AT_ONCE),), example=_EXAMPLES[name],
            aliases=tuple(old for old, new in OLDEST.items() if new == name),
        )
        for name, meaning in CONTEXT.items()
    ]  # fmt: skip
    return [
        *context,
        _of_task(
            "inputs.resources.NAME.PARAM",
            f"The {_RESOURCE_VARIABLE.format('inputs')}.",
            'args: ["--image", "$(inputs.resources.app.url)@$(inputs.resources.app.digest)"]',
            "`$(inputs.resources.NAME.digest)` of an image is known once the task that outputs it is done; the image "
            'itself may hold it too: `param: digest: "$(inputs.resources.NAME.digest)"`.',
            ("resources.inputs.NAME.PARAM",),
        ),
        _of_task(
            "outputs.resources.NAME.PARAM",
            f"The {_RESOURCE_VARIABLE.format('outputs')}.",
            'args: ["--destination=$(outputs.resources.app.url)"]',
            aliases=("resources.outputs.NAME.PARAM",),
        ),
        _of_task(
            "inputs.tasks.TASK.STEP",
            "What step STEP of task TASK, one of the task's inputs, wrote to standard output.",
            'args: ["$(inputs.tasks.version.print)"]',
        ),
    ]


def _of_task(name: str, summary: str, example: str, text: str = "", aliases: tuple[str, ...] = ()) -> Entry:
    return Entry("variable", name, summary, (("filled in", _IN_TIME),), text, example, aliases)


def _variable(word: str) -> list[Entry]:
    parts = word.split(".")
    for entry in variables():
        for name in (entry.name, *entry.aliases):
            pattern = name.split(".")
            if len(pattern) == len(parts) and all(
                known.isupper() or known == part for known, part in zip(pattern, parts, strict=True)
            ):
                return [entry, *_parameters(parts[-1] if pattern[-1] == "PARAM" else "")]
    return []


def _parameters(name: str) -> list[Entry]:
    """Return the parameters of this name of all resource types."""
    return [one for one in fields() if one.name.startswith(f"resource.param.{name} (")]


# Topics


def topics() -> list[Entry]:
    """Return what is neither rule, field, nor variable: the exit codes."""
    from dispatchfile import errors

    table = (errors.__doc__ or "").partition("\n\n")[2].strip()
    codes = re.findall(r"\d+", "".join(re.findall(r"(?m)^\|([^|]*)", table)))
    return [
        Entry(
            "topic",
            "exit-codes",
            "What the exit code of a command says.",
            text=table,
            aliases=("exit", *codes),
        )
    ]
