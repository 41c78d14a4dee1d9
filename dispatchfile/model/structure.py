"""Values held against the field tables: unknown, missing, misspelt, and mistyped fields."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Severity
from dispatchfile.model.edits import is_json_like, quoted, relabelled
from dispatchfile.model.schema import owners
from dispatchfile.model.shape import Field, Flag, Free, ListOf, MapOf, Table, Text, Whole, noun
from dispatchfile.source import Span
from dispatchfile.spelling import nearest
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dispatchfile.model.shape import Shape


def check(value: Value, shape: Shape, path: str = "") -> Iterator[Diagnostic]:
    """Yield what keeps a value from having the shape, fields below it included; null is "not given"."""
    data = value.data
    if data is None or isinstance(shape, Free):
        return
    if isinstance(shape, Table):
        if isinstance(data, dict):
            yield from _check_table(value, data, shape, path)
        else:
            yield mismatch(value, shape, path)
    elif isinstance(shape, MapOf):
        if isinstance(data, dict):
            for label, item in data.items():
                if item.data is None:
                    yield mismatch(item, shape.item, below(path, label))
                yield from check(item, shape.item, below(path, label))
        else:
            yield mismatch(value, shape, path)
    elif isinstance(shape, ListOf):
        if isinstance(data, list):
            for index, item in enumerate(data):
                if item.data is None:
                    yield mismatch(item, shape.item, f"{path}[{index}]")
                yield from check(item, shape.item, f"{path}[{index}]")
        else:
            yield mismatch(value, shape, path)
    elif not _is_scalar(data, shape) or _are_bytes(value):
        yield mismatch(value, shape, path)


def below(path: str, label: str) -> str:
    """Return the path of a field of the struct at `path`."""
    return f"{path}.{label}" if path else label


def _is_scalar(data: object, shape: Text | Flag | Whole) -> bool:
    if isinstance(shape, Flag):
        return isinstance(data, bool)
    if isinstance(shape, Whole):
        return isinstance(data, int) and not isinstance(data, bool)
    if shape.kind == "quantity" and not isinstance(data, (dict, list, bool)):
        return True
    return isinstance(data, str)


def _are_bytes(value: Value) -> bool:
    """Return whether a value was written as bytes of CUE: they stand in single quotes, and are exported as base64."""
    span = value.spans[0] if value.spans else None
    if span is None or span.source.text[span.start : span.start + 1] != "'" or value.data == span.text[1:-1]:
        return False
    from base64 import b64encode

    return value.data == b64encode(span.text[1:-1].encode()).decode()


def _check_table(value: Value, data: dict[str, Value], table: Table, path: str) -> Iterator[Diagnostic]:
    misspelt: set[str | None] = set()
    for label, item in data.items():
        field = table.by_name.get(label)
        if field is None and label in table.by_alias:
            field = table.by_alias[label]
            yield _other_spelling(item, label, field, table, path, both=field.name in data)
        if field is None:
            yield unknown_field(item, label, table, path, beside=data)
            misspelt.add(nearest(label, table.by_name))
        else:
            yield from check(item, field.shape, below(path, label))
    for field in table.required:
        given = any(_given(data, name) for name in (field.name, *field.aliases))
        if not given and field.name not in misspelt:
            yield missing_field(value, field, table, path)


def _given(data: dict[str, Value], name: str) -> bool:
    return name in data and data[name].data is not None


# The findings


def unknown_field(item: Value, label: str, table: Table, path: str, beside: Collection[str]) -> Diagnostic:
    """Return the finding that a table has no such field, with the likeliest remedy; `beside` are the others there."""
    meant = nearest(label, table.by_name)
    fix = None
    if meant is not None and meant in beside:
        advice = f'"{meant}" is there already; remove one of the two'
    elif meant is not None:
        advice = f'did you mean "{meant}"?'
        fix = rename(item, meant, safe=False)
    else:
        homes = [owner.title for owner in owners(label)]
        known = f"its fields are {', '.join(table.by_name)}" if len(table.fields) <= 12 else ""
        advice = f"`{label}` is a field of {' or '.join(homes)}" if homes else _joined(label, table) or known
    return Diagnostic(
        "DF101",
        Severity.ERROR,
        f'{table.title} has no field "{label}"',
        item.key or item.span,
        "unknown field",
        help=advice,
        path=below(path, label),
        fix=fix,
    )


def _joined(label: str, table: Table) -> str:
    """Return the advice for a label such as `push_branches`, which is `push: branches:` in one word; else nothing."""
    for mark in "_-.":
        first, _, rest = label.partition(mark)
        field = table.by_name.get(first)
        if field is not None and isinstance(field.shape, Table) and rest in field.shape.by_name:
            wanted = noun(field.shape.by_name[rest].shape)
            return f"`{rest}` is a field below `{first}`: write {first}: {{{rest}: …}} with {wanted}"
    return ""


def _other_spelling(
    item: Value, label: str, field: Field, table: Table, path: str, *, both: bool
) -> Diagnostic:
    return Diagnostic(
        "DF101",
        Severity.ERROR if both else Severity.WARNING,
        f'{table.title} has both "{field.name}" and "{label}"'
        if both
        else f'the field "{label}" is written "{field.name}"',
        item.key or item.span,
        help=f"move its content into `{field.name}`" if both else f'write "{field.name}"',
        path=below(path, label),
        fix=None if both else rename(item, field.name, safe=True),
    )


def missing_field(value: Value, field: Field, table: Table, path: str) -> Diagnostic:
    """Return the finding that a required field of a table is absent."""
    below_param = value.at("param", field.name)
    advice = f"`{field.name}`: {field.doc[0].lower()}{field.doc[1:].rstrip('.')}"
    if table.name == "resource" and below_param is not None and below_param.data is not None:
        advice = f"`{field.name}` stands under `param`; move it out, beside `param`"
    return Diagnostic(
        "DF102",
        Severity.ERROR,
        f'{table.title} needs the field "{field.name}"',
        _title_span(value),
        f"without `{field.name}`",
        help=advice,
        path=below(path, field.name),
    )


def _title_span(value: Value) -> Span | None:
    """Return the narrowest place that names a struct: its label, its `name`, or the first of its fields."""
    if value.key is not None or not isinstance(value.data, dict):
        return value.key or value.span
    name = value.at("name")
    keys = [item.key for item in value.data.values() if item.key is not None]
    first = min(keys, key=lambda key: key.start) if keys else value.span
    return name.span if name is not None and isinstance(name.data, str) and name.span is not None else first


def mismatch(value: Value, shape: Shape, path: str) -> Diagnostic:
    """Return the finding that a value is of another type than its field wants, with a fix where one is plain."""
    data = value.data
    wanted = noun(shape)
    span = value.span
    text = _meant(value, shape, path)
    advice = ""
    if text is not None:
        advice = f"write {text}" if len(text) <= _LONGEST_ADVICE else "put it in brackets"
    elif isinstance(shape, ListOf) and isinstance(data, dict):
        advice = _list_advice(data, shape)
    elif isinstance(shape, MapOf) and isinstance(data, list):
        advice = "give each a label, its name: { NAME: { … } }"
    elif isinstance(shape, Text) and shape.kind == "duration":
        advice = 'with a unit, such as "30m" or "1h30m"'
    elif data is None:
        advice = (
            "write { } for one without settings"
            if isinstance(shape, (Table, MapOf))
            else "give it a value or remove it"
        )
    kind = "bytes" if _are_bytes(value) else kind_of(data)
    return Diagnostic(
        "DF103",
        Severity.ERROR,
        f"{f'`{path}`' if path else 'the file'} must be {wanted}, not {kind}",
        span or value.key,
        f"expected {wanted}",
        help=advice,
        path=path,
        fix=Fix(f"write {text}" if len(text) <= _LONGEST_ADVICE else "put it in brackets", (Edit(span, text),), safe=False)
        if text is not None and span is not None
        else None,
    )  # fmt: skip


_LONGEST_ADVICE = 80


def _meant(value: Value, shape: Shape, path: str) -> str | None:
    """Return the text of what a mistyped value was meant as, or None when that is not plain."""
    data, span = value.data, value.span
    if span is None or data is None:
        return None
    if isinstance(shape, ListOf):
        if isinstance(shape.item, Text) and isinstance(data, str):
            return f"[{', '.join(map(quoted, _words(data) if path.endswith('.command') else [data]))}]"
        return _bracketed(value, span, shape.item) if isinstance(data, dict) else None
    if isinstance(shape, Text) and not (shape.kind == "duration" and not isinstance(data, (str, list, dict))):
        return _as_text(data, span.text)
    return None


def _words(command: str) -> list[str]:
    """Return the arguments of a command that was written as a shell would take it, by a shell if it needs one."""
    import re

    return ["sh", "-c", command] if re.search(r"[^\w\s@%+=:,./-]", command) else command.split()


def _as_text(data: object, written: str) -> str | None:
    """Return what was written as the string it was meant to be, or None when it was not meant as one."""
    import re

    if isinstance(data, str):
        return quoted(written[1:-1])
    if isinstance(data, list):
        only = data[0] if len(data) == 1 and written[:1] == "[" else None
        return quoted(only.data) if isinstance(only, Value) and isinstance(only.data, str) else None
    if isinstance(data, dict) and not re.fullmatch(r"[\w./-]+:\S+", written):
        return None
    return quoted(written)


def _list_advice(data: dict[str, Value], shape: ListOf) -> str:
    if isinstance(shape.item, Table) and shape.item.name == "env" and data:
        return f'each variable is an entry of its own: [{{name: "{next(iter(data))}", value: "…"}}, …]'
    return "put it in brackets: [{ … }]"


def _bracketed(value: Value, span: Span, item: Shape) -> str | None:
    """Return a struct as the list it should be: one entry, or for variables by name an entry for each."""
    data = value.data
    if not isinstance(data, dict) or not isinstance(item, Table) or len(value.spans) > 1:
        return None
    if item.name == "env" and not data.keys() & item.by_name.keys():
        return _variables(value, data, span)
    if not data.keys() <= item.by_name.keys():
        return None
    if span.text[:1] == "{" and span.text[-1:] == "}":
        return f"[{span.text}]"
    # The rest of a chain of CUE; a block of YAML stands on lines of its own.
    before = span.source.text[: span.start].rstrip(" ")
    return f"[{{{span.text}}}]" if before.endswith(":") and "\n" not in span.text else None


def _variables(value: Value, data: dict[str, Value], span: Span) -> str | None:
    json_like = is_json_like(value) and span.text[:1] == "{"
    name, content = ('"name"', '"value"') if json_like else ("name", "value")
    entries = []
    for label, item in data.items():
        if item.data is None or isinstance(item.data, (dict, list)) or item.span is None:
            return None
        text = item.data if isinstance(item.data, str) else item.span.text
        entries.append(f"{{{name}: {quoted(label)}, {content}: {quoted(text)}}}")
    return f"[{', '.join(entries)}]"


def kind_of(data: object) -> str:
    """Return how messages call data of this type."""
    if data is None:
        return "null"
    if isinstance(data, bool):
        return str(data).lower()
    names = {str: "a string", list: "a list", dict: "a struct"}
    return next((name for kind, name in names.items() if isinstance(data, kind)), "a number")


def rename(item: Value, name: str, *, safe: bool) -> Fix | None:
    """Return the fix that renames a field wherever its label stands, or None when it has no place."""
    edits = tuple(Edit(key, relabelled(key, name)) for key in item.keys)
    return Fix(f'rename it to "{name}"', edits, safe=safe) if edits else None


# What a local run leaves out


def unhonoured(value: Value, shape: Shape, path: str = "") -> Iterator[Diagnostic]:
    """Yield a warning for each field in a value that a run on this machine does not honour."""
    if isinstance(shape, Table) and isinstance(value.data, dict):
        for label, item in value.data.items():
            field = shape.by_name.get(label)
            if field is None or item.data in (None, [], {}, False):
                continue
            if field.honoured:
                yield from unhonoured(item, field.shape, below(path, label))
            else:
                yield Diagnostic(
                    "DF106",
                    Severity.WARNING,
                    f"`{label}` of {shape.title} is not honoured by a local run",
                    item.key or item.span,
                    path=below(path, label),
                )
    elif isinstance(shape, MapOf) and isinstance(value.data, dict):
        for label, item in value.data.items():
            yield from unhonoured(item, shape.item, below(path, label))
    elif isinstance(shape, ListOf) and isinstance(value.data, list):
        for index, item in enumerate(value.data):
            yield from unhonoured(item, shape.item, f"{path}[{index}]")
