"""An application as its user describes it."""

from __future__ import annotations

import re

from dispatchfile.errors import UsageError
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    EngineName: TypeAlias = Literal["local", "kube", "argocd"]

ENGINES = ("local", "kube", "argocd")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?")


class App(Record):
    """An application.

    `repository` is a URL without user and password, or the absolute path of a repository on this machine; `path` a
    folder in it; `revision` a branch, a tag, a commit, or HEAD, which is the remote's default branch. `namespace` is
    where objects go that name none. `context` is the kubeconfig's context ("": the current one), and `server` the
    cluster that Argo CD is to deploy to; `control` is the namespace that Argo CD itself lives in.
    `host_paths` are the folders of this machine that its pods may mount, and `privileged` lets them have rights over
    the machine: a repository is not to take them by itself. `recurse` takes plain manifests from folders below the
    path too. `values` are files of the repository, relative to `path`, and `settings` NAME=VALUE, both for Helm.
    """

    name: str
    repository: str
    path: str = "."
    revision: str = "HEAD"
    engine: EngineName = "local"
    namespace: str = "default"
    context: str = ""
    server: str = ""
    control: str = "argocd"
    project: str = "default"
    auto_sync: bool = True
    prune: bool = False
    self_heal: bool = False
    strict: bool = False
    host_paths: tuple[str, ...] = ()
    privileged: bool = False
    recurse: bool = False
    values: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def check_name(name: str) -> str:
    """Return an application's name as it came; it goes into names of containers, hosts and labels. Raises UsageError."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f'"{name}" cannot be the name of an application',
            help="small letters, digits and dashes, at most 53, with a letter or digit at both ends",
        )
    return name
