"""GitLab's API as the types of gitbeaker know it, a client that others wrote: GitLab publishes no description in a package."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tests.gitops.forges.openapi import from_npm
from tests.gitops.forges.published import Description
from tests.gitops.forges.typescript import Reader, Schema

PACKAGE = ("@gitbeaker/core@43.8.0", "dist/index.d.ts")


class GitBeaker(Description):
    """The types by name. A look-alike shows a part of an object, so that no field has to be there; others must not."""

    def answer(self, name: str) -> Schema:
        """What an answer of this type may hold."""
        return {"$ref": f"type:{name}"}

    def body(self, name: str) -> Schema:
        """What a request with these options may hold, in GitLab's own spelling (reviewerIds is reviewer_ids)."""
        read = self._type(name)
        fields: dict[str, Any] = {}
        for part in (read, *read.get("allOf", ())):
            fields |= (self._type(part["$ref"].removeprefix("type:")) if "$ref" in part else part).get(
                "properties", {}
            )
        snake = {re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", key): fields[key] for key in fields}
        return {"type": "object", "properties": snake}

    def _type(self, name: str) -> Schema:
        found = re.search(
            rf"^(?:interface {name}(?: extends (?P<bases>[^{{]+))? |type {name} = )", self.text, re.MULTILINE
        )
        assert found, f"gitbeaker knows no type {name}"
        schema = _without_required(Reader(self.text, found.end(), self._name).type())
        for base in re.findall(r"\b(\w+Schema)\b", found["bases"] or ""):
            inherited = self._type(base)
            schema["properties"] = {**inherited["properties"], **schema["properties"]}
        return schema

    def _name(self, parts: tuple[str, ...]) -> Schema:
        return {"$ref": f"type:{parts[0]}"}


def _without_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_required(item) for item in schema]
    if isinstance(schema, dict):
        return {key: _without_required(value) for key, value in schema.items() if key != "required"}
    return schema


@cache
def gitlab() -> GitBeaker:
    return GitBeaker(from_npm(*PACKAGE).read_text())
