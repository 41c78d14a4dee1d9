"""Published descriptions of forges' APIs, where packages bring them as types of TypeScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.gitops.forges.openapi import from_npm
from tests.gitops.forges.typescript import Reader, Schema, closed

GITEA = ("gitea-js@1.23.0", "dist/index.d.ts")
CLOUD = ("@coderabbitai/bitbucket@1.1.4", "dist/cloud/openapi/openapi-typescript.d.ts")
SERVER = ("@coderabbitai/bitbucket@1.1.4", "dist/server/openapi/openapi-typescript.d.ts")


class Operation:
    """What a description says of one method of one path; `answers` by status, 0 for every success."""

    def __init__(self, query: Schema, body: Schema | None, answers: dict[int, Schema]) -> None:
        self.query = query
        self.body = body
        self.answers = answers


class Description:
    """An API's description. A subclass finds operations and types in its text; types are read when first needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.registry: Registry[Any] = Registry(retrieve=self._retrieve)
        self._operations: dict[tuple[str, str], tuple[str, Operation] | None] = {}

    def operation(self, method: str, path: str) -> tuple[str, Operation] | None:
        """The path's name in the description and the operation; None when there is none."""
        key = (method, re.sub(r"\d+", "0", path))
        if key not in self._operations:
            self._operations[key] = self._find(method, path)
        return self._operations[key]

    def _find(self, method: str, path: str) -> tuple[str, Operation] | None:
        raise NotImplementedError

    def _type(self, name: str) -> Schema:
        raise NotImplementedError

    def _retrieve(self, uri: str) -> Resource[Any]:
        return Resource(contents=self._type(uri.removeprefix("type:")), specification=DRAFT202012)

    def errors(self, schema: Schema, value: Any) -> Iterator[str]:
        validator = jsonschema.Draft202012Validator(closed(schema), registry=self.registry)
        found = [(error.json_path, error.message) for error in validator.iter_errors(value)]
        for path, message in found:
            # Where something deeper is wrong, all that stands beside it counts as not described.
            deeper = any(other.startswith(path) and len(other) > len(path) for other, _ in found)
            if not (deeper and message.startswith("Unevaluated")):
                yield f"{path}: {message[:300]}"


class OpenApiTypes(Description):
    """What openapi-typescript makes of an OpenAPI description."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._paths = {
            match[1]: match.end()
            for match in re.finditer(r'^    readonly "(/[^"]*)": (?=\{)', text, re.MULTILINE)
        }
        start = (
            text.index("export interface operations")
            if "export interface operations {" in text
            else len(text)
        )
        self._named_operations = {
            match[1]: match.end()
            for match in re.compile(r"^    readonly (\w+): (?=\{)", re.MULTILINE).finditer(text, start)
        }
        schemas = (
            text.index("    readonly schemas: {")
            if "    readonly schemas: {" in text
            else text.index("    schemas: {")
        )
        self._types = {
            match[1]: match.end()
            for match in re.compile(r'^        readonly "?([\w.-]+)"?: ', re.MULTILINE).finditer(
                text, schemas
            )
        }

    def _find(self, method: str, path: str) -> tuple[str, Operation] | None:
        fitting = [name for name in self._paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), path)]
        for name in sorted(fitting, key=lambda name: name.count("{")):
            verbs = self._read(self._paths[name])["properties"]
            found = verbs.get(method.lower(), {})
            if "properties" in found:
                return name, _operation(found, verbs.get("parameters", {}))
        return None

    def _read(self, at: int) -> Schema:
        return Reader(self.text, at, self._name).type()

    def _name(self, parts: tuple[str, ...]) -> Schema:
        if parts[0] == "operations":
            return self._read(self._named_operations[parts[1]])
        return {"$ref": f"type:{parts[2]}"}

    def _type(self, name: str) -> Schema:
        return self._read(self._types[name])


def _operation(found: Schema, shared: Schema) -> Operation:
    query: Schema = {"type": "object", "properties": {}, "required": []}
    for parameters in (shared, found["properties"].get("parameters", {})):
        told = parameters.get("properties", {}).get("query", {})
        query["properties"] |= told.get("properties", {})
    body = found["properties"].get("requestBody", {}).get("properties", {}).get("content")
    answers = {
        int(status.replace("default", "0")): _json(told["properties"].get("content", {}))
        for status, told in found["properties"]["responses"]["properties"].items()
    }
    return Operation(query, _json(body) if body else None, answers)


def _json(content: Schema) -> Schema:
    kinds: dict[str, Schema] = content.get("properties", {})
    return kinds.get("application/json", {})


class GiteaTypes(Description):
    """What swagger-typescript-api makes of Gitea's description."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._types = {
            match[1]: match.end() for match in re.finditer(r"^(?:interface (\w+) (?=\{))", text, re.MULTILINE)
        } | {match[1]: match.end() for match in re.finditer(r"^type (\w+) = ", text, re.MULTILINE)}
        signature = r"@request (\w+):(/\S+)\n(?:(?!\*/).)*\*/\s*\w+: "
        self._paths = {(m[1], m[2]): m.end() for m in re.finditer(signature, text, re.DOTALL)}

    def _find(self, method: str, path: str) -> tuple[str, Operation] | None:
        fitting = [
            name
            for verb, name in self._paths
            if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), path)
        ]
        for name in sorted(fitting, key=lambda name: name.count("{")):
            return name, self._signature(self._paths[method, name])
        return None

    def _signature(self, at: int) -> Operation:
        """(owner: string, body: Option, query?: {…}, params?: RequestParams) => Promise<HttpResponse<Answer, Error>>."""
        reader = Reader(self.text, at, self._name)
        reader.take("(")
        arguments = {}
        while reader.peek() != ")":
            name = reader.take()
            if reader.peek() == "?":
                reader.take()
            reader.take(":")
            arguments[name] = reader.type()
            if reader.peek() == ",":
                reader.take()
        for token in (")", "=>", "Promise", "<", "HttpResponse", "<"):
            reader.take(token)
        answer = reader.type()
        return Operation(arguments.get("query", {"properties": {}}), arguments.get("body"), {0: answer})

    def _name(self, parts: tuple[str, ...]) -> Schema:
        return {"$ref": f"type:{parts[0]}"} if parts[0] in self._types else {}

    def _type(self, name: str) -> Schema:
        return Reader(self.text, self._types[name], self._name).type()


@cache
def gitea() -> Description:
    return GiteaTypes(from_npm(*GITEA).read_text())


@cache
def cloud() -> Description:
    return OpenApiTypes(from_npm(*CLOUD).read_text())


@cache
def server() -> Description:
    return OpenApiTypes(from_npm(*SERVER).read_text())
