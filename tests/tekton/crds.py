"""Whether a cluster would take an object: the published schemas, unknown fields refused, and what Tekton asks besides.

The schemas say nothing about a task that stands in a Pipeline, or a Pipeline in a PipelineRun; here they are those of
Task and Pipeline. What is asked besides is in `admission.py`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators

from tests import ci
from tests.tekton import admission, shapes

CRDS = Path(__file__).parents[3] / "shared" / "data" / "crds"


def validate(made: Mapping[str, Any], *, alpha: bool = False) -> list[str]:
    """Return what a cluster would refuse in an object; `alpha`: one whose `enable-api-fields` says so."""
    filled = _filled(made)
    faults = _schema_faults(filled) or list(admission.metadata(filled))
    if faults:
        return faults
    rules = {"Pipeline": admission.pipeline, "PipelineRun": admission.run, "TriggerTemplate": _template}
    rule = rules.get(filled["kind"])
    return list(rule(filled, alpha)) if rule else []


def validate_all(objects: Iterable[Mapping[str, Any]], *, alpha: bool = False) -> list[str]:
    """Return what a cluster would refuse in objects that are applied together: a run also gets what its Pipeline asks.

    Runs stand for themselves, in templates, and in the ConfigMaps of schedules.
    """
    objects = [_filled(made) for made in objects]
    pipelines = {made["metadata"]["name"]: made["spec"] for made in objects if made["kind"] == "Pipeline"}
    faults = [fault for made in objects for fault in validate(made, alpha=alpha)]
    for run in (run for made in objects for run in runs_in(made)):
        if "pipelineRef" in run["spec"]:
            name = run["spec"]["pipelineRef"]["name"]
            if name not in pipelines:
                faults.append(f"spec.pipelineRef: there is no Pipeline {name} among the objects")
            else:
                faults += admission.bound(run["spec"], pipelines[name])
    identities = [
        (made["kind"], made["metadata"].get("namespace"), made["metadata"]["name"])
        for made in objects if "name" in made["metadata"]
    ]  # fmt: skip
    return [*faults, *admission.twice(identities, "objects", "is there twice")]


def runs_in(made: Mapping[str, Any]) -> list[Any]:
    """Return the PipelineRuns that an object is, or holds."""
    if made["kind"] == "TriggerTemplate":
        inner = made["spec"]["resourcetemplates"]
    elif made["kind"] == "ConfigMap":
        inner = [json.loads(text) for name, text in made["data"].items() if name.endswith(".json")]
    else:
        inner = [made]
    return [one for one in inner if one["kind"] == "PipelineRun"]


def _template(made: Mapping[str, Any], alpha: bool) -> Iterator[str]:
    for index, inner in enumerate(made["spec"]["resourcetemplates"]):
        yield from (f"spec.resourcetemplates[{index}].{fault}" for fault in validate(inner, alpha=alpha))


# What Triggers and Pipelines-as-Code put in before anyone else looks.


def _filled(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"\$\((tt\.params\.[\w.-]+|uid)\)|\{\{\s*[\w.-]+\s*\}\}", "x", value)
    if isinstance(value, Mapping):
        return {key: _filled(item) for key, item in value.items()}
    return [_filled(item) for item in value] if isinstance(value, list) else value


# Schemas.


@functools.cache
def _definition(kind: str) -> dict[str, Any] | None:
    """Return the CRD of a kind, or None for a kind that is not of one."""
    if not CRDS.is_dir():
        ci.skip("the published CRDs are not here")
    path = next((path for path in CRDS.iterdir() if path.stem.partition("-")[2] == kind.lower()), None)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return None if path is None else yaml.load(path.read_text(encoding="utf-8"), loader)


@functools.cache
def schema(kind: str, version: str) -> dict[str, Any]:
    """Return the schema of a version of a kind as JSON Schema, unknown fields refused."""
    definition = _definition(kind)
    assert definition is not None, f"there is no CRD of {kind}"
    served = {one["name"]: one["schema"]["openAPIV3Schema"] for one in definition["spec"]["versions"]}
    assert version in served, f"{kind} has no version {version}"
    found = _strict(served[version])
    fields = found.setdefault("properties", {})
    fields |= {"apiVersion": {"const": f"{definition['spec']['group']}/{version}"}, "kind": {"const": kind}}
    fields["metadata"] = METADATA
    if kind == "Task":
        fields["spec"]["properties"]["volumes"] = shapes.schema(shapes.VOLUMES)
    if kind == "Pipeline":
        spec = schema("Task", version)["properties"]["spec"]
        metadata = {"type": "object", "properties": dict.fromkeys(("labels", "annotations"), STRINGS)}
        metadata["additionalProperties"] = False
        for tasks in ("tasks", "finally"):
            task = fields["spec"]["properties"][tasks]["items"]["properties"]
            task["taskSpec"] = {**spec, "properties": {**spec["properties"], "metadata": metadata}}
    if kind == "PipelineRun":
        fields["spec"]["properties"]["pipelineSpec"] = schema("Pipeline", version)["properties"]["spec"]
        workspace = fields["spec"]["properties"]["workspaces"]["items"]["properties"]
        workspace["volumeClaimTemplate"] = shapes.schema(shapes.CLAIM)
    return found


STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **{key: {"type": "string", "minLength": 1} for key in ("name", "generateName", "namespace")},
        **dict.fromkeys(("labels", "annotations"), STRINGS),
    },
}


def _strict(published: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: published[key] for key in published if key in KEPT}
    if published.get("x-kubernetes-int-or-string"):
        found["type"] = ["integer", "string"]
    if "properties" in published:
        found["properties"] = {name: _strict(inner) for name, inner in published["properties"].items()}
    if isinstance(published.get("items"), Mapping):
        found["items"] = _strict(published["items"])
    if isinstance(published.get("additionalProperties"), Mapping):
        found["additionalProperties"] = _strict(published["additionalProperties"])
    elif published.get("type") == "object" and not published.get("x-kubernetes-preserve-unknown-fields"):
        found["additionalProperties"] = False
    if published.get("x-kubernetes-list-type") == "set":
        found["uniqueItems"] = True
    return found


KEPT = {
    "type", "required", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
    "format", "anyOf", "oneOf", "allOf", "x-kubernetes-list-map-keys",
}  # fmt: skip
SIZES = {"int32": 2**31, "int64": 2**63}


def _format(_validator: Any, name: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if name in SIZES and isinstance(value, int) and not -SIZES[name] <= value < SIZES[name]:
        yield ValidationError(f"{value} is no {name}")


def _map_keys(_validator: Any, keys: list[str], items: Any, _schema: Any) -> Iterator[ValidationError]:
    found = [tuple(item.get(key) for key in keys) for item in items if isinstance(item, Mapping)]
    for twice in {one for one in found if found.count(one) > 1}:
        yield ValidationError(f"two items with {keys} {twice}")


STRUCTURAL = validators.extend(
    Draft202012Validator, {"format": _format, "x-kubernetes-list-map-keys": _map_keys}
)


def _schema_faults(made: Mapping[str, Any]) -> list[str]:
    version = str(made.get("apiVersion", "")).rpartition("/")[2]
    if made.get("kind") in shapes.KINDS:
        checked = STRUCTURAL(_shape(made["kind"]))
        return [f"{_path(error)}: {error.message}" for error in checked.iter_errors(made)]
    if _definition(str(made.get("kind"))) is None:
        checked = STRUCTURAL(
            {"type": "object", "properties": {"metadata": METADATA}, "required": ["metadata"]}
        )
    else:
        checked = _validator(made["kind"], version)
    return [f"{_path(error)}: {error.message}" for error in checked.iter_errors(made)]


@functools.cache
def _shape(kind: str) -> dict[str, Any]:
    """Return the schema of a kind of which none is published here, or an open one."""
    version, shape = shapes.KINDS[kind]
    found = shapes.schema(shape)
    found["properties"] |= {"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": METADATA}
    found["required"] += ["apiVersion", "kind", "metadata"]
    return found


@functools.cache
def _validator(kind: str, version: str) -> Any:
    return STRUCTURAL(schema(kind, version))


def _path(error: ValidationError) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return "".join(parts).lstrip(".") or "the object"
