"""Certificates of authorities that the user trusts for one server, besides those that the system trusts for all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dispatchfile.credentials import place, private
from dispatchfile.credentials.place import Place
from dispatchfile.errors import UsageError
from dispatchfile.remote import Remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext

_ENDING = ".pem"


def add(where: Place, source: Path, env: Mapping[str, str] = os.environ) -> int:
    """Trust the certificates in a file (PEM) for a server; return how many. Raises UsageError, EnvironmentProblem."""
    import ssl

    file = _file(where, env)
    text = private.read(source, secret=False)
    if text is None:
        raise UsageError(f"there is no file {source}", help="--from names a file with certificates (PEM)")
    if "PRIVATE KEY-----" in text:
        raise UsageError(f"{source} holds a private key", help="give the certificate of the authority alone")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise UsageError(
            f"{source} holds no certificate in PEM", help="it begins with -----BEGIN CERTIFICATE-----"
        ) from None
    with private.locked(env):
        private.write(file, text)
    return context.cert_store_stats()["x509"]


def remove(where: Place, env: Mapping[str, str] = os.environ) -> bool:
    """Trust a server no more than the system does; return whether there was something to remove."""
    file = _file(where, env)
    found = file.is_file()
    file.unlink(missing_ok=True)
    return found


def listed(env: Mapping[str, str] = os.environ) -> list[str]:
    """Return the servers, HOST or HOST:PORT, for which certificates were added."""
    return sorted(file.name.removesuffix(_ENDING) for file in _folder(env).glob(f"*{_ENDING}"))


def of(url: str, env: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file to trust for the server of a URL, None where the system's trust is all there is."""
    try:
        parts = urlsplit(url)
        server = parts.netloc.rpartition("@")[2]
        file = _file(place.parse(f"{parts.scheme}://{server}"), env)
    except (UsageError, ValueError):
        return None  # a URL that is no server's, such as a path
    return file if file.is_file() else None


def for_git(remote: Remote, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables with which git trusts the server of a remote, whatever it is to trust elsewhere."""
    if remote.scheme != "https":
        return {}
    file = of(place.of_remote(remote).url, env)
    return {"GIT_SSL_CAINFO": str(file)} if file else {}


def context(url: str, env: Mapping[str, str] = os.environ) -> SSLContext | None:
    """Return how to trust the server of a URL, None as the system does."""
    file = of(url, env)
    if file is None:
        return None
    import ssl

    return ssl.create_default_context(cafile=str(file))


def _file(where: Place, env: Mapping[str, str]) -> Path:
    if where.scheme != "https":
        raise UsageError(
            f"{where.url} is not reached over TLS", help="write HOST, HOST:PORT, or an https URL"
        )
    return _folder(env) / f"{where.server}{_ENDING}"


def _folder(env: Mapping[str, str]) -> Path:
    return private.data_home(env) / "certificates"
