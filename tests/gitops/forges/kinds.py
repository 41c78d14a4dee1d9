"""The look-alikes by the kind of forge that they are; a test that is to hold on all of them is run with each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.gitops.forges import published
from tests.gitops.forges.base import ForgeServer
from tests.gitops.forges.bitbucket_cloud import CloudServer
from tests.gitops.forges.bitbucket_server import StashServer
from tests.gitops.forges.gitea import GiteaServer
from tests.gitops.forges.github import GitHubServer
from tests.gitops.forges.gitlab import GitLabServer
from tests.gitops.forges.openapi import Description

TOKEN = "t0ken-Of-The-Tests"

# What makes each; only GitHub's needs its description handed in, which takes seconds to read.
MAKERS: dict[str, Callable[[Path, Description], ForgeServer]] = {
    "github": lambda folder, openapi: GitHubServer(folder, openapi, token=TOKEN),
    "gitlab": lambda folder, _openapi: GitLabServer(folder, token=TOKEN),
    "gitea": lambda folder, _openapi: GiteaServer(folder, published.gitea(), token=TOKEN),
    "bitbucket-cloud": lambda folder, _openapi: CloudServer(folder, published.cloud(), token=TOKEN),
    "bitbucket-server": lambda folder, _openapi: StashServer(folder, published.server(), token=TOKEN),
}
