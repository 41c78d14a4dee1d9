"""What all forge look-alikes share: real git below, pull requests that are its branches, and bad days on demand."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.gitops.git_server import GitServer, Handler

NOW = "2026-01-02T03:04:05Z"


@dataclass
class Fault:
    """An answer in place of the forge's own to the next `times` requests that fit; `status` 0 answers as ever.

    `slow` are seconds before it; `after` lets the request take effect, and loses only its answer.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    method: str = ""
    path: str = ""
    times: int = 1
    slow: float = 0.0
    after: bool = False

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in ("", method) and bool(re.search(self.path, path))


@dataclass
class Pull:
    """A pull request; `state` is open, merged or closed, `owner` another one for a fork's."""

    number: int
    head: str
    base: str
    title: str
    body: str
    owner: str
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    auto_merge: dict[str, Any] | None = None
    method: str = ""
    last_head: str = field(default="", compare=False)
    looked: str = field(default="", compare=False)


@dataclass
class Call:
    """One request as it came: the path without the API's prefix, still quoted."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]
Route = Callable[..., Answer]


def route(method: str, pattern: str) -> Callable[[Route], Route]:
    """Mark a method that answers METHOD on the paths below the API's prefix that match; its groups are arguments."""

    def mark(function: Route) -> Route:
        function.route = (method, re.compile(pattern))  # type: ignore[attr-defined] # a mark on it
        return function

    return mark


class ForgeServer(GitServer):
    """One repository, OWNER/NAME, with the forge's API below `prefix`.

    A subclass has a method for each operation, marked with `route`, that takes the Call and the pattern's groups. It
    gets the state in `pulls`, `hooks` and the repository itself. `checks_pending` keeps pull requests from being
    merged, `ignores_filters` makes lists ignore what they are asked for, `hidden_from_list` empties the next lists.
    """

    prefix: ClassVar[str] = "/api"
    owner = "acme"
    name = "gitops"

    def __init__(
        self, folder: Path, *, token: str, user: str = "x-access-token", repository: str = ""
    ) -> None:
        super().__init__(folder, user=user, password=token)
        self.token = token
        self.repository = folder / (repository or f"{self.owner}/{self.name}.git")
        self.repository.parent.mkdir(parents=True)
        self.pulls: list[Pull] = []
        self.hooks: list[dict[str, Any]] = []
        self.calls: list[Call] = []
        self.objections: list[str] = []
        self.faults: list[Fault] = []
        self.checks_pending = False
        self.ignores_filters = False
        self.hidden_from_list = 0
        self.lock = threading.RLock()
        marked = (getattr(type(self), name) for name in dir(type(self)))
        self._routes = [(*function.route, function) for function in marked if hasattr(function, "route")]

    @property
    def endpoint(self) -> str:
        """The API's URL."""
        return f"{self.url}{self.prefix}"

    @property
    def remote(self) -> str:
        """The repository's URL for git."""
        return f"{self.url}/{self.repository.relative_to(self.folder)}"

    def authorizations(self) -> set[str]:
        """The headers that the API takes."""
        return {f"Bearer {self.token}"}

    def check(self, call: Call) -> None:
        """Hold a request against the forge's published description; a subclass adds to `objections`."""

    def api_path(self, path: str) -> str | None:
        """The part of a request's path that is the API's, None for one that is git's."""
        return path.removeprefix(self.prefix) if path.startswith(f"{self.prefix}/") else None

    def serve(self, request: Handler, body: bytes) -> None:
        parts = urlsplit(request.path)
        path = self.api_path(parts.path)
        if path is None:
            super().serve(request, body)
            return
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        call = Call(request.command, path, query, json.loads(body) if body else None, dict(request.headers))
        with self.lock:
            self.calls.append(call)
            fault = next((one for one in self.faults if one.fits(call.method, path)), None)
            if fault:
                fault.times -= 1
        if fault and fault.slow:
            time.sleep(fault.slow)
        if fault and fault.status and not fault.after:
            self.send(request, fault.status, fault.body, fault.headers)
            return
        with self.lock:
            status, answer, *headers = self.answer_to(call)
        if fault and fault.status:
            status, answer, headers = fault.status, fault.body, [fault.headers]
        self.send(request, status, answer, headers[0] if headers else {})

    def send(self, request: Handler, status: int, answer: Any, headers: dict[str, str]) -> None:
        content = (
            b"" if answer is None else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        )
        with suppress(ConnectionError):  # a client may have given up by now
            request.reply(status, {"Content-Type": "application/json", **headers}, content)

    def answer_to(self, call: Call) -> Answer:
        self.check(call)
        for method, pattern, function in self._routes:
            if method == call.method and (match := pattern.fullmatch(call.path)):
                answer: Answer = function(self, call, *match.groups())
                return answer
        return 404, {"message": "Not Found"}

    def admits(self, authorization: str) -> bool:
        return authorization in self.authorizations() or super().admits(authorization)

    # State that every forge has

    def add(self, head: str, base: str, title: str, body: str, *, owner: str = "") -> Pull:
        """Open a pull request as a person does, of a fork when `owner` is another."""
        pull = Pull(len(self.pulls) + 1, head, base, title, body, owner or self.owner)
        pull.last_head = self.sha(head)
        self.pulls.append(pull)
        return pull

    def opened(self, head: str, base: str) -> Pull | None:
        """The open pull request of this repository between two branches."""
        wanted = (self.owner, head, base, "open")
        return next((one for one in self.pulls if (one.owner, one.head, one.base, one.state) == wanted), None)

    def by_number(self, number: str) -> Pull:
        return self.pulls[int(number) - 1]

    def head_of(self, pull: Pull) -> str:
        """The head's commit, read from the repository while the branch is there and the request is open."""
        if pull.state == "open" and pull.owner == self.owner:
            pull.last_head = self.sha(pull.head) or pull.last_head
        return pull.last_head

    def shown(self, pulls: list[Pull]) -> list[Pull]:
        """What a list shows of them: the newest first, nothing while it lags behind."""
        if self.hidden_from_list:
            self.hidden_from_list -= 1
            return []
        return list(reversed(pulls))

    def merge(self, pull: Pull, method: str = "merge") -> str:
        """Merge in the repository, and return the base's new commit. Raises CalledProcessError on a conflict."""
        head = self.head_of(pull)
        tree = self.git("merge-tree", "--write-tree", pull.base, head)
        parents = ["-p", pull.base] if method in ("squash", "rebase") else ["-p", pull.base, "-p", head]
        identity = ("-c", "user.name=Forge", "-c", "user.email=noreply@forge.test")
        commit = self.git(*identity, "commit-tree", tree, *parents, "-m", f"Merge #{pull.number}")
        self.git("update-ref", f"refs/heads/{pull.base}", commit)
        pull.state, pull.method = "merged", method
        return commit

    def conflicts(self, pull: Pull) -> bool:
        done = subprocess.run(
            ["git", "-C", str(self.repository), "merge-tree", "--write-tree", pull.base, self.head_of(pull)],
            capture_output=True,
            check=False,
        )
        return done.returncode != 0

    def knows(self, pull: Pull) -> bool:
        """Whether it is known if the head merges; that is so from the second look at each new head on."""
        head = self.head_of(pull)
        known, pull.looked = pull.looked == head, head
        return known

    def default_branch(self) -> str:
        return (self.repository / "HEAD").read_text().removeprefix("ref: refs/heads/").strip()

    def sha(self, branch: str) -> str:
        """A branch's commit, empty where there is none; read from its file, for lists ask hundreds of times."""
        try:
            return (self.repository / "refs/heads" / branch).read_text().strip()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.repository), *args], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def link(self, call: Call, **changes: object) -> str:
        """The URL of a request with some of its query changed, for links to other pages."""
        return f"{self.endpoint}{call.path}?{urlencode({**call.query, **changes})}"

    # What tests ask

    def writes(self) -> list[tuple[str, str]]:
        """Method and last part of the path of each request that changes something."""
        return [(call.method, call.path.rpartition("/")[2]) for call in self.calls if call.method != "GET"]

    @contextmanager
    def bad_day(self, *faults: Fault) -> Iterator[None]:
        """The faults, while they are in force."""
        self.faults += faults
        yield
        self.faults = [fault for fault in self.faults if fault not in faults]


def basic(user: str, password: str) -> str:
    """The base64 part of a Basic authorization."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()
