"""A pipeline as data again, and as text that is itself a Dispatchfile: YAML (the layout of `dispatch ci render`), CUE."""

from __future__ import annotations

from dispatchfile.model.schema import PIPELINE
from dispatchfile.model.shape import ListOf, MapOf, Table
from dispatchfile.plain import yaml_writer
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.model.shape import Shape
    from dispatchfile.value import Plain

HEADER = "#!yaml\n# vi:syntax=yaml\n\n"
CUE_HEADER = "#!cue\n\n"


def data(pipeline: Pipeline) -> dict[str, Plain]:
    """Return the pipeline as it was written, without helper fields: fields under their proper names, no nulls.

    Every step carries `resources`, as the original's output does. Fields stand in the order of the schema, names and
    free content by the alphabet, so that equal pipelines are the same data to the last detail.
    """
    found = _plain(pipeline.value, PIPELINE)
    return found if isinstance(found, dict) else {}


def _plain(value: Value, shape: Shape) -> Plain:
    content = value.data
    if isinstance(shape, ListOf) and isinstance(content, list):
        return [_plain(item, shape.item) for item in content]
    if isinstance(shape, MapOf) and isinstance(content, dict):
        return {label: _plain(content[label], shape.item) for label in sorted(content)}
    if not (isinstance(shape, Table) and isinstance(content, dict)):
        return _sorted(value.plain())
    fields: dict[str, Plain] = {"resources": {}} if shape.name == "step" else {}
    for label, item in content.items():
        field = shape.by_name.get(label) or shape.by_alias.get(label)
        if field is not None and item.data is not None:
            fields[field.name] = _plain(item, field.shape)
    return {name: fields[name] for name in shape.by_name if name in fields}


def _sorted(content: Plain) -> Plain:
    if isinstance(content, dict):
        return {label: _sorted(content[label]) for label in sorted(content)}
    return [_sorted(item) for item in content] if isinstance(content, list) else content


def cue(content: dict[str, Plain]) -> str:
    """Return the data as modern CUE: fields in their order, each resource and task on its own."""
    from dispatchfile.cue.printer import declarations

    return declarations(content)


def yaml(content: Plain) -> str:
    """Return the data as YAML: keys sorted, list dashes under their key, strings plain where they may be."""
    if isinstance(content, (dict, list)) and content:
        return "".join(f"{line}\n" for line in _block(content, ""))
    return f"{yaml_writer.scalar(content, '')}\n"


def _block(content: dict[str, Plain] | list[Plain], indent: str) -> list[str]:
    """Return the lines of a struct or list that has something in it."""
    lines: list[str] = []
    if isinstance(content, list):
        for item in content:
            if isinstance(item, (dict, list)) and item:
                first, *rest = _block(item, indent + "  ")
                lines += (f"{indent}- {first.removeprefix(indent + '  ')}", *rest)
            else:
                lines.append(f"{indent}- {yaml_writer.scalar(item, indent)}")
        return lines
    for label in sorted(content):
        item, key = content[label], yaml_writer.text(label)
        if isinstance(item, dict) and item:
            lines += (f"{indent}{key}:", *_block(item, indent + "  "))
        elif isinstance(item, list) and item:
            lines += (f"{indent}{key}:", *_block(item, indent))
        else:
            lines.append(f"{indent}{key}: {yaml_writer.scalar(item, indent)}")
    return lines
