"""A look-alike that holds each request and each of its own answers against its forge's published description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from tests.gitops.forges.base import Answer, Call, ForgeServer
from tests.gitops.forges.published import Description

ENOUGH = 3


class DescribedServer(ForgeServer):
    """`objections` tells where request or answer differ. `gaps` are patterns of objections to what the description is
    known to leave out, each with its reason where it is listed; `described_prefix` stands before its paths, and
    `always` are parameters that every operation takes."""

    described_prefix: ClassVar[str] = ""
    always: ClassVar[frozenset[str]] = frozenset()
    gaps: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path, description: Description, *, token: str, **more: Any) -> None:
        super().__init__(folder, token=token, **more)
        self.description = description

    def check(self, call: Call) -> None:
        found = self.description.operation(call.method, self.described_prefix + call.path)
        if found is None:
            self.objections.append(f"{call.method} {call.path} is not in the description")
            return
        name, operation = found
        for parameter in call.query:
            if parameter not in operation.query["properties"] and parameter not in self.always:
                self._object(call, name, f"unknown parameter {parameter}")
        if operation.body is None:
            if call.body is not None:
                self._object(call, name, "takes no body")
        else:
            for error in self.description.errors(operation.body, call.body):
                self._object(call, name, error)

    def answer_to(self, call: Call) -> Answer:
        answer = super().answer_to(call)
        found = self.description.operation(call.method, self.described_prefix + call.path)
        if found is not None and answer[1] is not None and not isinstance(answer[1], bytes):
            name, operation = found
            schema = operation.answers.get(answer[0], operation.answers.get(0) if answer[0] < 300 else None)
            if schema is None and answer[0] < 300:
                self._object(call, name, f"no answer {answer[0]}")
            for error in self.description.errors(schema or {}, without_nulls(answer[1])):
                self._object(call, name, f"answer {answer[0]}: {error}")
        return answer

    def _object(self, call: Call, name: str, what: str) -> None:
        objection = f"{call.method} {name}: {what}"
        if not any(re.search(gap, objection) for gap in self.gaps):
            self.objections.append(f"{objection} ({call.path})")


def without_nulls(value: Any) -> Any:
    """What Go and Java servers write as null, their descriptions call absent. Of a long list, the first items do."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value[:ENOUGH]] if isinstance(value, list) else value
