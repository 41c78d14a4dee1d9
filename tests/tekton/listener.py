"""What Tekton Triggers does with a request, as far as emitted objects ask: tektoncd/triggers v0.37.

Interceptors (pkg/interceptors/github, pkg/interceptors/cel), the values of a TriggerBinding (pkg/template/event.go,
jsonpath.go), and what becomes of a TriggerTemplate (pkg/template/resource.go). Expressions are evaluated by cel-python
with RE2; the extensions of strings are those of cel-go (ext/strings.go), `truncate`, `canonical` and `compareSecret`
those of Triggers. Numbers of a body are doubles.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import celpy
from celpy import celtypes

from tests.tekton import admission
from tests.tekton.webhooks import Webhook

SECRETS = {"shop-webhook": {"secret": "s3cret"}, "hooks": {"token": "s3cret"}}
SIGNED_WITH = "s3cret"


class Stopped(Exception):
    """An interceptor let the request end."""


def runs(
    objects: Iterable[Mapping[str, Any]], webhook: Webhook, *, signed_with: str = SIGNED_WITH, order: int = 1
) -> dict[str, dict[str, Any]]:
    """Return the PipelineRuns that the EventListener among the objects creates, by the names of their triggers.

    Triggers replaces the parameters of a template in the order of a Go map, which is any: here sorted by names, or
    with `order` -1 backwards.
    """
    known = {(made["kind"], made["metadata"]["name"]): made for made in objects}
    listener = next(made for (kind, _name), made in known.items() if kind == "EventListener")
    created = {}
    for trigger in listener["spec"]["triggers"]:
        try:
            extensions = intercepted(trigger, webhook, signed_with)
        except Stopped:
            continue
        bound = {}
        for ref in trigger["bindings"]:
            for param in known[ref["kind"], ref["ref"]]["spec"]["params"]:
                assert param["name"] not in bound
                bound[param["name"]] = _value(param["value"], extensions)
        template = known["TriggerTemplate", trigger["template"]["ref"]]
        created[trigger["name"]] = _created(template, bound, order)
    return created


def intercepted(
    trigger: Mapping[str, Any], webhook: Webhook, signed_with: str = SIGNED_WITH
) -> dict[str, Any]:
    """Return the extensions after all interceptors of a trigger; raises Stopped."""
    header = _header(webhook, signed_with)
    extensions: dict[str, Any] = {}
    for interceptor in trigger["interceptors"]:
        params = {param["name"]: param["value"] for param in interceptor["params"]}
        kind = {"github": _github, "cel": _cel}[interceptor["ref"]["name"]]
        extensions |= kind(params, webhook, header, extensions)
    return extensions


def _header(webhook: Webhook, signed_with: str) -> dict[str, str]:
    if not webhook.event:
        return {"Authorization": f"Bearer {signed_with}"}
    digest = hmac.new(signed_with.encode(), webhook.text.encode(), hashlib.sha256).hexdigest()
    return {"X-Github-Event": webhook.event, "X-Hub-Signature-256": f"sha256={digest}"}


def _github(
    params: Mapping[str, Any], webhook: Webhook, header: Mapping[str, str], _extensions: Mapping[str, Any]
) -> dict[str, Any]:
    if header.get("X-Github-Event") not in params["eventTypes"]:
        raise Stopped("event type is not allowed")
    secret = params["secretRef"]
    key = SECRETS[secret["secretName"]][secret["secretKey"]]
    digest = hmac.new(key.encode(), webhook.text.encode(), hashlib.sha256).hexdigest()
    if header["X-Hub-Signature-256"] != f"sha256={digest}":
        raise Stopped("payload signature check failed")
    if params.get("addChangedFiles", {}).get("enabled") and webhook.event == "pull_request":
        return {"changed_files": ",".join(webhook.files)}
    return {}


def _cel(
    params: Mapping[str, Any], webhook: Webhook, header: Mapping[str, str], extensions: Mapping[str, Any]
) -> dict[str, Any]:
    facts = json.dumps({"header": dict(header), "extensions": dict(extensions)})
    # One clause after the other: cel-python works out all of them even where the first does not hold.
    for clause in params.get("filter", "true").split(" &&\n"):
        if evaluated(clause, webhook.text, facts) is not True:
            raise Stopped(f"expression {params['filter']} did not return true")
    return {one["key"]: evaluated(one["expression"], webhook.text, facts) for one in params["overlays"]}


def evaluated(expression: str, body: str, facts: str = "{}") -> Any:
    """Return the value of an expression as plain data; raises Stopped where it fails."""
    value = _evaluated(expression, body, facts)
    if isinstance(value, celpy.CELEvalError):
        raise Stopped(f"{expression}: {value}")
    return value


@functools.cache
def _evaluated(expression: str, body: str, facts: str) -> Any:
    try:
        value = _program(expression).evaluate(_known(body, facts))
    except celpy.CELEvalError as error:
        return error
    return bool(value) if isinstance(value, celtypes.BoolType) else json.loads(json.dumps(value))


@functools.lru_cache(maxsize=64)
def _known(body: str, facts: str) -> dict[str, Any]:
    found = {"body": json.loads(body, parse_int=float), **json.loads(facts)}
    return {name: celpy.json_to_cel(value) for name, value in found.items()}


@functools.cache
def _program(expression: str) -> celpy.Runner:
    environment = celpy.Environment()
    return environment.program(environment.compile(expression), functions=FUNCTIONS)


# Extensions


def _failing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose ValueError is a failure of the expression."""

    @functools.wraps(function)
    def called(*args: Any) -> Any:
        try:
            return function(*args)
        except (ValueError, AttributeError, TypeError) as error:
            return celpy.CELEvalError(str(error))

    return called


def _split(text: str, by: str) -> celtypes.ListType:
    return celtypes.ListType(map(celtypes.StringType, text.split(by) if by else text))


def _substring(text: str, start: int, end: int | None = None) -> celtypes.StringType:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"index out of range: {start}, {end}")
    return celtypes.StringType(text[start:end])


def _replace(text: str, old: str, new: str, count: int = -1) -> celtypes.StringType:
    return celtypes.StringType(text.replace(old, new, int(count)))


def _lower_ascii(text: str) -> celtypes.StringType:
    return celtypes.StringType("".join(char.lower() if char.isascii() else char for char in text))


def _trim(text: str) -> celtypes.StringType:
    """Go's strings.TrimSpace, which unlike Python's leaves U+001C to U+001F."""
    return celtypes.StringType(
        text.strip(
            "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
            + "".join(map(chr, range(0x2000, 0x200B)))
        )
    )


def _truncate(text: str, size: int) -> celtypes.StringType:
    """Triggers cuts bytes, and what it cuts in two is no string any more."""
    return celtypes.StringType(text.encode()[: int(size)].decode())


def _compare_secret(text: str, key: str, name: str) -> celtypes.BoolType:
    return celtypes.BoolType(SECRETS[str(name)][str(key)] == text)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: _failing(function)
    for name, function in {
        "split": _split,
        "join": lambda items, by="": celtypes.StringType(str(by).join(items)),
        "substring": _substring,
        "replace": _replace,
        "lowerAscii": _lower_ascii,
        "trim": _trim,
        "indexOf": lambda text, part: celtypes.IntType(text.find(part)),
        "truncate": _truncate,
        "canonical": lambda header, name: celtypes.StringType(header.get(name, "")),
        "compareSecret": _compare_secret,
    }.items()
}


# Binding and template


def _value(text: str, extensions: Mapping[str, Any]) -> str:
    """Return what a binding makes of `$(extensions.NAME)`: a text as it stands in JSON, without its quotes."""
    found = re.fullmatch(r"\$\(extensions\.([\w-]+)\)", text)
    assert found, f"{text} is more than one value of an overlay"
    value = extensions[found[1]]
    assert isinstance(value, str)
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _created(template: Mapping[str, Any], bound: Mapping[str, str], order: int) -> dict[str, Any]:
    spec = template["spec"]
    (run,) = spec["resourcetemplates"]
    text = json.dumps(run, ensure_ascii=False)
    declared = {param["name"] for param in spec["params"]}
    assert set(re.findall(r"\$\(tt\.params\.([_a-zA-Z][_a-zA-Z0-9.-]*)\)", text)) <= declared
    assert declared <= bound.keys()
    for name in sorted(bound)[::order]:
        text = text.replace(f"$(tt.params.{name})", bound[name])
    made: dict[str, Any] = json.loads(text.replace("$(uid)", "c1a0b3"))
    return made


def params(run: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a run's parameters."""
    given: Sequence[Mapping[str, str]] = run["spec"].get("params", ())
    return {param["name"]: param["value"] for param in given}


# Admission: pkg/apis/triggers/v1beta1, `*_validation.go`


def refused(objects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the admission of Triggers refuses in objects, and what they refer to that is not among them."""
    known = {(made["kind"], made["metadata"]["name"]) for made in objects}
    for made in objects:
        rule = RULES.get(made["kind"])
        if rule is not None:
            yield from (f"{made['metadata']['name']}: {fault}" for fault in rule(made, known))


def _refused_listener(made: Mapping[str, Any], known: set[tuple[str, str]]) -> Iterator[str]:
    if len(made["metadata"]["name"]) > 60:
        yield "the name is longer than 60"
    if not made["spec"]["triggers"]:
        yield "no triggers"
    for trigger in made["spec"]["triggers"]:
        yield from admission.matches(trigger["name"], admission.LABEL_VALUE, "trigger", 63)
        if ("TriggerTemplate", trigger["template"]["ref"]) not in known:
            yield f"{trigger['name']} has no template"
        for binding in trigger["bindings"]:
            if (binding["kind"], binding["ref"]) not in known or "name" in binding:
                yield f"{trigger['name']} has no binding"
        for interceptor in trigger["interceptors"]:
            params = {param["name"] for param in interceptor["params"]}
            known_params = {
                "github": {"secretRef", "eventTypes", "addChangedFiles"},
                "cel": {"filter", "overlays"},
            }
            if not params <= known_params.get(interceptor["ref"]["name"], set()) or not params:
                yield f"{trigger['name']}: unknown interceptor, or unknown parameter of one"


def _refused_binding(made: Mapping[str, Any], _known: set[tuple[str, str]]) -> Iterator[str]:
    given = [param["name"] for param in made["spec"]["params"]]
    if not given or len(given) != len(set(given)):
        yield "no parameter, or one twice"


def _refused_template(made: Mapping[str, Any], _known: set[tuple[str, str]]) -> Iterator[str]:
    declared = {param["name"] for param in made["spec"]["params"]}
    if not made["spec"]["resourcetemplates"]:
        yield "no resources"
    for name in re.findall(
        r"\$\(tt\.params\.([_a-zA-Z][_a-zA-Z0-9.-]*)\)", json.dumps(made["spec"]["resourcetemplates"])
    ):
        if name not in declared:
            yield f"undeclared param '$(tt.params.{name})'"


RULES = {
    "EventListener": _refused_listener,
    "TriggerBinding": _refused_binding,
    "TriggerTemplate": _refused_template,
}
