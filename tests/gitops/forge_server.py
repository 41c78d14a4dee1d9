"""A GitHub look-alike: state that lasts, pull requests that are branches of a real repository.

What is asked of it is held against GitHub's own description of its API: each path, query parameter and body has to be
in there. `objections` collects what is not; the fixture asserts that there are none.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.gitops.git_server import GitServer, Handler

OWNER, NAME = "acme", "gitops"
NOW = "2026-01-02T03:04:05Z"


class Description:
    """GitHub's description of its API, prepared once for all tests: it is large."""

    def __init__(self, openapi: dict[str, Any]) -> None:
        self.openapi = openapi
        resource = Resource(contents=openapi, specification=DRAFT202012)
        self.registry: Registry[Any] = Registry().with_resource("urn:github", resource)
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in self._of_repositories()
        ]

    def _of_repositories(self) -> list[str]:
        return [path for path in self.openapi["paths"] if path.startswith("/repos/")]

    def path_of(self, path: str) -> str:
        """The description's name of a request's path; empty when it has none."""
        return next((name for pattern, name in self._paths if pattern.fullmatch(path)), "")

    def resolved(self, item: dict[str, Any]) -> dict[str, Any]:
        for part in item.get("$ref", "").split("/")[1:]:
            item = (self.openapi if "$ref" in item else item)[part]
        return item


class GitHubServer(GitServer):
    """The repository acme/gitops. `hidden_from_list`, `ignores_filters`, `limited` and
    `checks_pending` are its bad days."""

    def __init__(self, folder: Path, description: Description, *, token: str) -> None:
        super().__init__(folder, user="x-access-token", password=token)
        self.description = description
        self.token = token
        self.repository = folder / OWNER / f"{NAME}.git"
        self.repository.parent.mkdir()
        self.pulls: list[dict[str, Any]] = []
        self.objections: list[str] = []
        self.calls: list[tuple[str, str, Any]] = []
        self.looked: dict[int, str] = {}
        self.hidden_from_list = 0
        self.ignores_filters = False
        self.limited = False
        self.checks_pending = False
        self.auto_merge: list[dict[str, Any]] = []

    def admits(self, authorization: str) -> bool:
        return authorization == f"token {self.token}" or super().admits(authorization)

    def serve(self, request: Handler, body: bytes) -> None:
        if not request.path.startswith("/api/"):
            super().serve(request, body)
            return
        status, answer = self.api(request, json.loads(body) if body else None)
        headers = {"Content-Type": "application/json"}
        query = dict(parse_qsl(urlsplit(request.path).query))
        if len(answer) == int(query.get("per_page", 30)):
            following = urlencode({**query, "page": int(query.get("page", 1)) + 1})
            headers["Link"] = f'<{self.url}{urlsplit(request.path).path}?{following}>; rel="next"'
        if self.limited:
            headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3600)}
        request.reply(status, headers, json.dumps(answer).encode())

    def api(self, request: Handler, body: Any) -> tuple[int, Any]:
        parts = urlsplit(request.path)
        path = parts.path.removeprefix("/api/v3")
        query = dict(parse_qsl(parts.query))
        self.calls.append((request.command, path, body))
        if self.limited:
            return 403, {"message": "API rate limit exceeded for user ID 1.", "documentation_url": ""}
        if parts.path == "/api/graphql":
            return self.graphql(body)
        self.check(request.command.lower(), path, query, body)
        here = f"/repos/{OWNER}/{NAME}"
        if path == here:
            return 200, self.described()
        if path == f"{here}/pulls":
            return self.create(body) if request.command == "POST" else (200, self.listed(query))
        if match := re.fullmatch(rf"{here}/(?:pulls|issues)/(\d+)(/\w+)?", path):
            return self.one(request.command, int(match[1]), match[2] or "", body)
        return 404, {"message": "Not Found"}

    # What the API's description says

    def check(self, method: str, path: str, query: dict[str, str], body: Any) -> None:
        template = self.description.path_of(path)
        operation = self.description.openapi["paths"].get(template, {}).get(method)
        if operation is None:
            self.objections.append(f"{method} {path} is not in the description")
            return
        parameters = [self.description.resolved(item)["name"] for item in operation["parameters"]]
        self.objections += [
            f"{method} {path}: unknown parameter {name}" for name in query if name not in parameters
        ]
        if "requestBody" not in operation:
            if body is not None:
                self.objections.append(f"{method} {path} takes no body")
            return
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        place = f"#/paths/{template.replace('/', '~1')}/{method}/requestBody/content/application~1json/schema"
        if path.endswith("/labels") and isinstance(body, list):
            # PyGithub sends the bare list, which GitHub takes and its description has only as a part of an object.
            body = {"labels": body}
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"urn:github{place}"}, registry=self.description.registry
        )
        self.objections += [
            f"{method} {path}: {error.message}" for error in validator.iter_errors(body or {})
        ]
        if isinstance(body, dict) and "properties" in schema:
            unknown = set(body) - set(schema["properties"])
            self.objections += [f"{method} {path}: unknown field {name}" for name in sorted(unknown)]

    # What GitHub does

    def listed(self, query: dict[str, str]) -> list[Any]:
        """Pull requests, newest first; a `head` without an owner is ignored, as GitHub does."""
        shown = [
            pull for pull in reversed(self.pulls) if query.get("state", "open") in (pull["state"], "all")
        ]
        if not self.ignores_filters:
            shown = [pull for pull in shown if query.get("base", pull["base"]) == pull["base"]]
        if ":" in query.get("head", "") and not self.ignores_filters:
            shown = [pull for pull in shown if query["head"] == f"{pull['owner']}:{pull['head']}"]
        if self.hidden_from_list:
            self.hidden_from_list -= 1
            shown = []
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        return [self.shape(pull) for pull in shown[size * (page - 1) : size * page]]

    def create(self, body: Any) -> tuple[int, Any]:
        head, base = body["head"], body["base"]
        same = [
            pull for pull in self.pulls if (pull["owner"], pull["head"], pull["base"]) == (OWNER, head, base)
        ]
        if any(pull["state"] == "open" for pull in same):
            message = f"A pull request already exists for {OWNER}:{head}."
            return 422, {"message": "Validation Failed", "errors": [{"code": "custom", "message": message}]}
        if not self.sha(head) or self.sha(head) == self.sha(base):
            errors = [{"code": "custom", "message": f"No commits between {base} and {head}"}]
            return 422, {"message": "Validation Failed", "errors": errors}
        self.add(head, base, body["title"], body.get("body") or "")
        return 201, self.shape(self.pulls[-1])

    def add(self, head: str, base: str, title: str, body: str, *, owner: str = OWNER) -> None:
        pull = {"number": len(self.pulls) + 1, "head": head, "base": base, "title": title, "body": body}
        self.pulls.append(
            {
                **pull,
                "state": "open",
                "merged_at": None,
                "labels": [],
                "reviewers": [],
                "comments": [],
                "owner": owner,
            }
        )

    def one(self, method: str, number: int, what: str, body: Any) -> tuple[int, Any]:
        pull = self.pulls[number - 1]
        if what == "/comments":
            return self.comment(pull, method, body)
        if method == "GET":
            return 200, self.shape(pull, full=True)
        if method == "PATCH":
            pull.update(body)
            return 200, self.shape(pull)
        if what == "/labels":
            pull["labels"] += body["labels"] if isinstance(body, dict) else body
            return 200, [{"name": name} for name in pull["labels"]]
        if what == "/requested_reviewers":
            pull["reviewers"] += body["reviewers"]
            return 201, self.shape(pull)
        if what == "/merge":
            return self.merge(pull, body or {})
        return 404, {"message": "Not Found"}

    def comment(self, pull: dict[str, Any], method: str, body: Any) -> tuple[int, Any]:
        shown = [{"id": number, "body": text} for number, text in enumerate(pull["comments"], 1)]
        if method == "GET":
            return 200, shown
        pull["comments"].append(body["body"])
        return 201, {"id": len(pull["comments"]), "body": body["body"]}

    def merge(self, pull: dict[str, Any], body: dict[str, Any]) -> tuple[int, Any]:
        head = self.sha(pull["head"])
        if body.get("sha", head) != head:
            return 409, {"message": "Head branch was modified. Review and try the merge again."}
        if self.looked.get(pull["number"]) != head:
            return 405, {"message": "Please try again later."}
        tree = self.git("merge-tree", "--write-tree", pull["base"], head)
        commit = self.git(
            *("-c", "user.name=GitHub", "-c", "user.email=noreply@github.test", "commit-tree", tree),
            *("-p", pull["base"], "-p", head, "-m", f"Merge pull request #{pull['number']}"),
        )
        self.git("update-ref", f"refs/heads/{pull['base']}", commit)
        pull.update(state="closed", merged_at=NOW)
        return 200, {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}

    def graphql(self, body: Any) -> tuple[int, Any]:
        assert "enablePullRequestAutoMerge" in body["query"]
        self.auto_merge.append(body["variables"]["input"])
        return 200, {"data": {"enablePullRequestAutoMerge": {"actor": {}, "clientMutationId": None}}}

    def described(self) -> dict[str, Any]:
        return {
            "id": 1,
            "name": NAME,
            "full_name": f"{OWNER}/{NAME}",
            "default_branch": self.git("symbolic-ref", "--short", "HEAD"),
            "url": f"{self.url}/api/v3/repos/{OWNER}/{NAME}",
        }

    def shape(self, pull: dict[str, Any], *, full: bool = False) -> dict[str, Any]:
        """A pull request as the API shows it; whether it can be merged is known from the second look at a head on."""
        head = self.sha(pull["head"])
        place = f"/repos/{OWNER}/{NAME}"
        shown = {name: pull[name] for name in ("number", "title", "body", "state", "merged_at")}
        shown |= {
            "id": pull["number"],
            "node_id": f"PR_{pull['number']}",
            "url": f"{self.url}/api/v3{place}/pulls/{pull['number']}",
            "issue_url": f"{self.url}/api/v3{place}/issues/{pull['number']}",
            "html_url": f"{self.url}/{OWNER}/{NAME}/pull/{pull['number']}",
            "head": {"ref": pull["head"], "sha": head, "repo": {"full_name": f"{pull['owner']}/{NAME}"}},
            "base": {"ref": pull["base"], "sha": self.sha(pull["base"]), "repo": self.described()},
        }
        if full:
            known = self.looked.get(pull["number"]) == head
            self.looked[pull["number"]] = head
            state = "blocked" if self.checks_pending else "clean"
            shown |= {"merged": pull["merged_at"] is not None, "mergeable": True if known else None}
            shown["mergeable_state"] = state if known else "unknown"
        return shown

    def sha(self, branch: str) -> str:
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.repository), *args], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


def basic(user: str, password: str) -> str:
    """The base64 part of a Basic authorization."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()
