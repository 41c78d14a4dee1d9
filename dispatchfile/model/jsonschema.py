"""The JSON Schema of a Dispatchfile, for editors; generated from the field tables.

python -m dispatchfile.model.jsonschema            write grammar/schema/pipeline.schema.json
python -m dispatchfile.model.jsonschema --check    exit 1 when the file is not what would be written
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dispatchfile.model.schema import ACTION, ON, ON_GIT, PIPELINE, RESOURCE, RESOURCE_TYPES, TASK, tables
from dispatchfile.model.shape import Field, Flag, ListOf, MapOf, Table, Text, Whole
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.model.shape import Shape

TARGET = Path("grammar/schema/pipeline.schema.json")
_NAME = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"  # a label of RFC 1123, as Kubernetes wants it


def schema() -> dict[str, Any]:
    """Return the schema (draft 7, the one that editors know best)."""
    definitions = {table.name: _table(table) for table in tables()}
    definitions[RESOURCE.name]["allOf"] = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {
                "properties": {"param": {"$ref": f"#/definitions/{table.name}"}},
                "required": ["param"] if any(field.required for field in table.fields) else [],
            },
        }
        for name, table in RESOURCE_TYPES.items()
    ]
    definitions[RESOURCE.name]["properties"]["type"]["enum"] = list(RESOURCE_TYPES)
    definitions[ACTION.name]["required"].append("on")
    definitions[TASK.name]["properties"]["steps"]["minItems"] = 1
    for table in (ON, ON_GIT):
        definitions[table.name] |= {"minProperties": 1, "maxProperties": 1}
    pipeline = definitions.pop(PIPELINE.name)
    for name in ("resource", "task"):
        pipeline["properties"][name]["propertyNames"] = {"pattern": _NAME, "maxLength": 63}
    # Other fields at the top are the file's own helpers.
    del pipeline["additionalProperties"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Dispatchfile",
        **pipeline,
        "definitions": definitions,
    }


def text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _table(table: Table) -> dict[str, Any]:
    properties = {field.name: _field(field) for field in table.fields}
    for alias, field in table.by_alias.items():
        properties[alias] = _field(replace(field, deprecated=f"write `{field.name}`"))
    return {
        "description": table.doc,
        "type": "object",
        "properties": properties,
        "required": [field.name for field in table.fields if field.required],
        "additionalProperties": False,
    }


def _field(field: Field) -> dict[str, Any]:
    notes = [field.doc]
    if field.default:
        notes.append(f"Default: {field.default}.")
    if field.since != "1.0":
        notes.append(f"Since Dispatch {field.since}.")
    if field.deprecated:
        notes.append(f"Deprecated: {field.deprecated}.")
    if not field.honoured:
        notes.append("Not honoured by local runs.")
    shape = _shape(field.shape)
    if "$ref" in shape:
        # Draft 7 ignores what stands beside a $ref.
        shape = {"allOf": [shape]}
    old = {"deprecated": True, "deprecationMessage": field.deprecated} if field.deprecated else {}
    return {"description": " ".join(notes), **old, **shape}


def _shape(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Table):
        return {"$ref": f"#/definitions/{shape.name}"}
    if isinstance(shape, ListOf):
        return {"type": "array", "items": _shape(shape.item)}
    if isinstance(shape, MapOf):
        return {"type": "object", "additionalProperties": _shape(shape.item)}
    if isinstance(shape, Text) and shape.kind == "quantity":
        return {"type": ["string", "number"]}
    names = {Text: "string", Flag: "boolean", Whole: "integer"}
    return {"type": names[type(shape)]} if type(shape) in names else {}


def main(arguments: list[str]) -> int:
    """Write the schema, or with --check compare; return the exit code."""
    wanted = text()
    if arguments == ["--check"]:
        same = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == wanted
        if not same:
            sys.stderr.write(f"{TARGET} is out of date; run python -m dispatchfile.model.jsonschema\n")
        return 0 if same else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
