"""What a cluster refuses, told in one line; no message holds anything of what was sent."""

from __future__ import annotations

import re
import shlex

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dispatchfile.kube.kubeconfig import Target

_CANNOT = re.compile(
    r'cannot (?P<verb>\w+) resource "(?P<resource>[\w/]+)" in API group "(?P<group>[\w.-]*)"'
    r'(?: in the namespace "(?P<namespace>[\w-]+)")?'
)
_UNTYPED = re.compile(r"failed to create typed patch object \([^)]*\): ")
_NAMESPACE = re.compile(r'namespaces "([\w-]+)"')

LONGEST_WAIT_S = 60.0
"""Seconds that a server is given when it asks for patience."""


class Cause(Record):
    """One of the reasons for a refusal: what kind of (FieldManagerConflict, FieldValueInvalid, …), and the field."""

    reason: str
    field: str
    message: str


class Refused(EnvironmentProblem):
    """The API server said no: the HTTP status as `code`, Kubernetes' `reason` and `causes`, seconds in `retry_after`."""

    def __init__(
        self, message: str, *, help: str = "", code: int = 0, reason: str = "", retry_after: float = 0.0,  # noqa: A002 the word users see
        causes: Sequence[Cause] = (),
    ) -> None:  # fmt: skip
        super().__init__(message, help=help)
        self.code, self.reason, self.retry_after, self.causes = code, reason, retry_after, tuple(causes)

    @property
    def passes(self) -> bool:
        """Return whether the same request may do later."""
        return self.code == 429 or self.code >= 500


class Unreachable(EnvironmentProblem):
    """The API server does not answer, or the connection broke."""


def refused(target: Target, code: int, status: Mapping[str, Any], retry_after: str = "") -> Refused:
    """Return the problem of an answer with an error; `status` is the Status object that came with it, if one did."""
    said = one_line(status.get("message"))
    reason = one_line(status.get("reason"))
    if code == 500 and (untyped := _UNTYPED.search(said)):
        # An apply with a field that is none, or of another type, is told as an error of the server.
        code, reason, said = 422, "Invalid", said[untyped.end() :]
    message, help_ = _told(target, code, reason, said)
    wait = min(float(retry_after), LONGEST_WAIT_S) if retry_after.isdecimal() else 0.0
    return Refused(message, help=help_, code=code, reason=reason, retry_after=wait, causes=_causes(status))


def _causes(status: Mapping[str, Any]) -> list[Cause]:
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return [
        Cause(*(one_line(one.get(name)) for name in ("reason", "field", "message")))
        for one in (causes if isinstance(causes, list) else ())
        if isinstance(one, dict)
    ]


def _told(target: Target, code: int, reason: str, said: str) -> tuple[str, str]:
    context = f'context "{target.context}"'
    if code == 401:
        return (
            f"the cluster does not take your credentials ({context})",
            "log in again, as your cluster's provider has it",
        )
    if code == 403 and (missing := _CANNOT.search(said)):
        resource, _, sub = missing["resource"].partition("/")
        dotted = f"{resource}.{missing['group']}" if missing["group"] else resource
        where = f" in namespace {missing['namespace']}" if missing["namespace"] else ""
        ask = f"kubectl auth can-i {missing['verb']} {dotted}"
        ask += f" --subresource={sub}" if sub else ""
        ask += f" -n {missing['namespace']}" if missing["namespace"] else ""
        return (
            f"you may not {missing['verb']} {missing['resource']}{where} ({context})",
            f"ask who runs the cluster for it; to check: {ask} --context {shlex.quote(target.context)}",
        )
    if code == 404 and (missing := _NAMESPACE.match(said)):
        return f'there is no namespace "{missing[1]}" ({context})', "choose another with --namespace"
    if code < 400:
        return (
            f"{bare(target.server)} sends elsewhere (HTTP {code}), which no cluster does ({context})",
            "is this the URL of a Kubernetes API server, and no login is in its way?",
        )
    if code in (400, 403, 409, 422):
        return f"the cluster refused: {said or reason or code}", ""
    return f"the cluster answered with HTTP {code}{f': {said}' if said else ''} ({context})", ""


def unreachable(target: Target, error: BaseException) -> Unreachable:
    """Return the problem of a request that got no answer."""
    import ssl

    where = f'the cluster at {bare(target.server)} (context "{target.context}")'
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                f"{where} is not who it should be: {cause.verify_message.rstrip('.')}",
                help="certificate-authority in the kubeconfig is to be the one that signed the server's certificate",
            )
        if isinstance(cause, ssl.SSLError):
            return Unreachable(
                f"{where} does not speak TLS as expected: {cause.reason or 'the handshake failed'}"
            )
    if (
        isinstance(error, UnicodeError) or type(error).__name__ == "LocalProtocolError"
    ):  # it quotes what was to be sent
        return Unreachable(
            f"{where} cannot be asked: what stands in a header, such as a token, is more than a line of text"
        )
    if "timeout" in type(error).__name__.lower():
        return Unreachable(f"{where} does not answer in time", help="is a VPN or a proxy needed to reach it?")
    why = next(
        (cause.strerror for cause in reversed(causes) if isinstance(cause, OSError) and cause.strerror), ""
    )
    if not why and any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        why = "Connection refused"
    return Unreachable(
        f"{where} does not answer: {why or _first_line(error) or 'the connection broke'}",
        help="is it running, and is this the right context? kubectl config get-contexts",
    )


def one_line(text: object) -> str:
    """Return what a cluster says as one line, without what would move a terminal's cursor."""
    said = "".join(char if char.isprintable() else " " for char in str(text or ""))
    return " ".join(said.split())


def bare(url: str) -> str:
    """Return a URL without the user and password it may hold."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
