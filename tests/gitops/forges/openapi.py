"""A published OpenAPI 3 description, against which requests to a look-alike are held."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests import ci
from tests.gitops.forges.base import Call


class Description:
    """A description prepared once for all tests: the large ones take a second. `only` begins its paths of interest."""

    def __init__(self, openapi: dict[str, Any], only: str = "/") -> None:
        self.openapi = openapi
        resource = Resource(contents=openapi, specification=DRAFT202012)
        self.registry: Registry[Any] = Registry().with_resource("urn:description", resource)
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path)
            for path in openapi["paths"]
            if path.startswith(only)
        ]

    def objections(self, call: Call) -> list[str]:
        """What of a request is not in the description: the operation, a parameter, a field, or a value's form."""
        method, where = call.method.lower(), f"{call.method} {call.path}"
        names = [name for pattern, name in self._paths if pattern.fullmatch(call.path)]
        template = next((name for name in names if method in self.openapi["paths"][name]), "")
        if not template:
            return [f"{where} is not in the description"]
        item = self.openapi["paths"][template]
        operation = item[method]
        described = [*item.get("parameters", ()), *operation.get("parameters", ())]
        parameters = [self.resolved(parameter)["name"] for parameter in described]
        found = [f"{where}: unknown parameter {name}" for name in call.query if name not in parameters]
        if "requestBody" in operation:
            content = self.resolved(operation["requestBody"])["content"]["application/json"]
            return [*found, *self._of_body(where, template, method, call.body, content["schema"])]
        return [*found, *([f"{where} takes no body"] if call.body is not None else [])]

    def _of_body(self, where: str, template: str, method: str, body: Any, schema: Any) -> list[str]:
        schema = self.resolved(schema)
        if template.endswith("/labels") and isinstance(body, list):
            # PyGithub sends the bare list, which GitHub takes and its description has only as a part of an object.
            body = {"labels": body}
        validator = jsonschema.Draft202012Validator(self._absolute(schema), registry=self.registry)
        found = [f"{where}: {error.message}" for error in validator.iter_errors(body or {})]
        if isinstance(body, dict) and "properties" in schema:
            unknown = sorted(set(body) - set(schema["properties"]))
            found += [f"{where}: unknown field {name}" for name in unknown]
        return found

    def _absolute(self, schema: Any) -> Any:
        """A schema with its references into the description made whole."""
        if isinstance(schema, list):
            return [self._absolute(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        whole = {name: self._absolute(value) for name, value in schema.items()}
        if isinstance(whole.get("$ref"), str):
            whole["$ref"] = f"urn:description{whole['$ref']}"
        return whole

    def resolved(self, item: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in item:
            target: Any = self.openapi
            for part in item["$ref"].split("/")[1:]:
                target = target[part.replace("~1", "/").replace("~0", "~")]
            item = target
        return item


def from_npm(package: str, member: str) -> Path:
    """A file of an npm package, fetched once and kept in the user's cache; the test is skipped where it cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dispatchfile"
    kept = cache / f"{package.strip('@').replace('/', '-')}-{member.replace('/', '-')}"
    if not kept.exists():
        _fetch(package, member, kept)
    return kept


def _fetch(package: str, member: str, kept: Path) -> None:
    folder = kept.with_suffix(f".{os.getpid()}")
    folder.mkdir(parents=True)
    try:
        subprocess.run(
            ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, timeout=120
        )
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            file = archive.extractfile(f"package/{member}")
            assert file is not None
            (folder / "file").write_bytes(file.read())
        (folder / "file").replace(kept)
    except (FileNotFoundError, subprocess.SubprocessError) as error:
        ci.skip(f"npm cannot bring {package}: {error}")
    finally:
        shutil.rmtree(folder)
