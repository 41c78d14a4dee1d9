"""The types of expressions, checked as cel-go checks them before it evaluates any: with CEL's C++ implementation.

Tekton Triggers (pkg/interceptors/cel) and Pipelines-as-Code (pkg/matcher/cel.go, pkg/cel/cel.go) refuse an expression
that does not type-check, and then nothing starts; the models here, which evaluate with cel-python, would not see it.
Only what is declared here is known, so that no function of a newer version gets into what is emitted.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cel_expr_python import cel

from tests.tekton.pac_model import GROUP, PLACEHOLDER

BOOL, DYN, INT, STRING = cel.Type.BOOL, cel.Type.DYN, cel.Type.INT, cel.Type.STRING
FACTS = cel.Type.Map(STRING, DYN)
STRINGS = cel.Type.List(STRING)

MEMBERS = {
    "indexOf": ((INT, STRING, STRING),),
    "join": ((STRING, STRINGS), (STRING, STRINGS, STRING)),
    "lowerAscii": ((STRING, STRING),),
    "replace": ((STRING, STRING, STRING, STRING), (STRING, STRING, STRING, STRING, INT)),
    "split": ((STRINGS, STRING, STRING),),
    "substring": ((STRING, STRING, INT), (STRING, STRING, INT, INT)),
    "trim": ((STRING, STRING),),
    "truncate": ((STRING, STRING, INT),),
    "canonical": ((STRING, FACTS, STRING),),
    "compareSecret": ((BOOL, STRING, STRING, STRING),),
}
"""What Triggers adds to CEL, with the types of result, receiver and arguments: strings of version 0, and its own."""


@functools.cache
def triggers() -> cel.Env:
    """Return the environment of the `cel` interceptor."""
    functions = [
        cel.FunctionDecl(
            name,
            [cel.Overload(f"{name}_{at}", result, list(parameters), is_member=True)
             for at, (result, *parameters) in enumerate(overloads)],
        )
        for name, overloads in MEMBERS.items()
    ]  # fmt: skip
    return cel.NewEnv(variables=dict.fromkeys(("body", "header", "extensions"), FACTS), functions=functions)


@functools.cache
def annotation() -> cel.Env:
    """Return the environment of Pipelines-as-Code's annotation `on-cel-expression`."""
    names = ("event", "target_branch", "source_branch")
    return cel.NewEnv(variables={**dict.fromkeys(names, STRING), "body": FACTS, "files": FACTS})


@functools.cache
def placeholder() -> cel.Env:
    """Return the environment of expressions that Pipelines-as-Code works out in the text of a file."""
    return cel.NewEnv(variables=dict.fromkeys(("body", "headers", "pac", "files"), FACTS))


def fault(environment: cel.Env, expression: str, *types: cel.Type) -> str:
    """Return what is wrong with the types of an expression that is to be one of some types, or ""."""
    try:
        found = environment.compile(expression).return_type()
    except RuntimeError as error:
        return f"{expression}: {error}"
    return "" if found in types else f"{expression}: is {found}"


def faults(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the types of all expressions in what waits for events."""
    found = []
    for made in objects:
        found += [fault(*asked) for asked in (*_of_listener(made), *_of_run(made))]
    return [one for one in found if one]


def expressions(objects: Iterable[Mapping[str, Any]]) -> int:
    """Return how many expressions there are to check."""
    return sum(len([*_of_listener(made), *_of_run(made)]) for made in objects)


def _of_listener(made: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for trigger in made["spec"].get("triggers", ()) if made["kind"] == "EventListener" else ():
        for interceptor in trigger["interceptors"]:
            params = {param["name"]: param["value"] for param in interceptor["params"]}
            if "filter" in params:
                yield triggers(), params["filter"], BOOL
            for overlay in params.get("overlays", ()):
                yield triggers(), overlay["expression"], STRING, DYN


def _of_run(made: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    if made["kind"] != "PipelineRun":
        return
    asked = made["metadata"].get("annotations", {}).get(f"{GROUP}on-cel-expression")
    if asked is not None:
        yield annotation(), asked, BOOL
    for param in made["spec"].get("params", ()):
        for match in PLACEHOLDER.finditer(str(param["value"])):
            key = match[1].strip()
            if re.match("(?:cel:|body|headers|files)", key):
                yield placeholder(), key.removeprefix("cel:"), BOOL
