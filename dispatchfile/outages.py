"""Why a server could not be asked over HTTP, in words for the user."""

from __future__ import annotations


def why(error: BaseException) -> str:
    """Return why a connection failed, from the innermost cause; never with the request's URL, which may hold a secret."""
    import http.client

    import requests

    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return cause.strerror
        if isinstance(cause, ConnectionError | http.client.IncompleteRead):
            return "it closes the connection without an answer"
        if isinstance(cause, http.client.HTTPException):
            return "what it answers is no HTTP"
        inner = next((arg for arg in cause.args if isinstance(arg, BaseException)), None)
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "reason", None) or inner
    return type(error).__name__
