"""Which forge a git remote belongs to, where its API is, and how a token is shown to it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from dispatchfile.credentials import Credential
from dispatchfile.record import Record
from dispatchfile.remote import Remote

KINDS = ("github", "gitlab", "gitea", "forgejo", "bitbucket-cloud", "bitbucket-server")

METHODS = ("merge", "squash", "rebase")
"""How a pull request becomes part of its base; not every forge knows all of them."""

NAMES = {
    "github": "GitHub",
    "gitlab": "GitLab",
    "gitea": "Gitea",
    "forgejo": "Forgejo",
    "bitbucket-cloud": "Bitbucket Cloud",
    "bitbucket-server": "Bitbucket Server",
}

GITHUB_AUTO_MERGE = """\
mutation($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { clientMutationId }
}"""
"""What GitHub takes by GraphQL alone; steps in containers may have this one text passed on, and no other."""

# Where the API is below a forge's root.
_API = {
    "github": "/api/v3",
    "gitlab": "/api/v4",
    "gitea": "/api/v1",
    "forgejo": "/api/v1",
    "bitbucket-cloud": "/2.0",
    "bitbucket-server": "/rest/api/1.0",
}
# The forges that anyone may use have their API at a host of its own, or a name that does not tell what they run.
_PUBLIC = {
    "github.com": ("github", "https://api.github.com"),
    "gitlab.com": ("gitlab", ""),
    "bitbucket.org": ("bitbucket-cloud", "https://api.bitbucket.org/2.0"),
    "codeberg.org": ("forgejo", ""),
}
_BY_LABEL = {"gitlab": "gitlab", "gitea": "gitea", "forgejo": "forgejo", "bitbucket": "bitbucket-server"}
# User names that stand for "the password is a token", not for a person.
_NO_PERSON = ("", "git", "oauth2", "x-access-token", "x-token-auth")


class Place(Record):
    """A repository on a forge: the forge's kind (one of KINDS), its API's URL, and the repository's path there."""

    kind: str
    endpoint: str
    repository: str

    @property
    def name(self) -> str:
        """Return the forge's name as people write it."""
        return NAMES[self.kind]


def place_of(remote: Remote, *, provider: str = "", endpoint: str = "", noted: str = "") -> Place | None:
    """Return the place of a remote on its forge, or None when it belongs to none that is known.

    `provider` and `endpoint` are what the user said (-scm-provider, -api-endpoint), `noted` is the kind that a login
    to the remote's host noted; each may be empty. A path on this machine belongs to no forge.
    """
    if remote.scheme == "file":
        return None
    kind = (
        provider or _kind_of_api(endpoint) or (noted if noted in KINDS else "") or _kind_of_host(remote.host)
    )
    if not kind and endpoint:
        # Dispatch 1.0 to 1.4: the provider is GitHub unless it is given.
        kind = "github"
    if not kind:
        return None
    found = _completed(kind, endpoint) if endpoint else _endpoint_of(kind, remote)
    return Place(kind, found, _repository(kind, remote, found))


def authorization(kind: str, credential: Credential) -> str:
    """Return the value of the Authorization header with which a forge's API takes a token or a password."""
    if kind.startswith("bitbucket") and credential.user not in _NO_PERSON:
        return credential.basic
    return f"{'token' if kind in ('gitea', 'forgejo') else 'Bearer'} {credential.token}"


def graphql_of(endpoint: str) -> str:
    """Return where GitHub's GraphQL is: beside /api/v3, and below api.github.com."""
    return f"{endpoint.rstrip('/').removesuffix('/v3')}/graphql"


def _kind_of_host(host: str) -> str:
    name = host.lower().rstrip(".")
    if name in _PUBLIC:
        return _PUBLIC[name][0]
    labels = name.split(".")
    # "github" elsewhere in a name is more often part of github.com's own, such as pages or raw content.
    if labels[0] == "github":
        return "github"
    return next((kind for label, kind in _BY_LABEL.items() if label in labels), "")


def _kind_of_api(endpoint: str) -> str:
    """Return the kind of forge whose API has such a path; Forgejo's is Gitea's."""
    path = urlsplit(endpoint).path.rstrip("/")
    return next((kind for kind, suffix in _API.items() if path.endswith(suffix)), "")


def _completed(kind: str, endpoint: str) -> str:
    """Return an endpoint with the path of the API, which a user may leave out where it is always the same."""
    endpoint = endpoint.rstrip("/")
    if kind in ("github", "bitbucket-cloud") or endpoint.endswith(_API[kind]):
        return endpoint
    return endpoint + _API[kind]


def _endpoint_of(kind: str, remote: Remote) -> str:
    own, endpoint = _PUBLIC.get(remote.host.lower().rstrip("."), ("", ""))
    if own == kind and endpoint:
        return endpoint
    root = remote.web.removesuffix(f"/{remote.repository}")
    return root + _API[kind]


def _repository(kind: str, remote: Remote, endpoint: str) -> str:
    """Return the repository's path without that of a forge below a path of its host, or Bitbucket Server's /scm."""
    path = f"/{remote.repository}"
    # An API at a path of its own (…/gitlab/api/v4) says where the forge is; over ssh there is no such path.
    root = urlsplit(endpoint).path.removesuffix(_API[kind]).rstrip("/")
    if root and path.startswith(f"{root}/"):
        path = path.removeprefix(root)
    if kind == "bitbucket-server":
        path = re.sub(r"^/scm/", "/", path)
    return path.strip("/")
