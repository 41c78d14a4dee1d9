"""Can a repository be read? Asked as git asks, and without keeping anything of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dispatchfile.credentials import Credential
from dispatchfile.credentials.refusals import refusal
from dispatchfile.gitops import askpass
from dispatchfile.gitops.git import Git, GitFailed
from dispatchfile.remote import Remote


def head(remote: Remote, credential: Credential | None, env: dict[str, str] | None = None) -> str:
    """Return the commit of a remote's HEAD, "" where it has none yet. Raises EnvironmentProblem when it cannot be read.

    Nothing but the credential lets in; `env` are more variables for git, such as ssh's command.
    """
    with tempfile.TemporaryDirectory(prefix="dispatchfile-reach-") as folder:
        here = Path(folder)
        variables = {**askpass.git_environment(remote, credential, here), **(env or {})}
        masker = askpass.masker(remote, credential=credential)
        git = Git(here, env=variables, settings=("credential.helper=",), masker=masker)
        try:
            return git.text("ls-remote", "--", remote.url, "HEAD").partition("\t")[0]
        except GitFailed as error:
            told = refusal(
                remote, error.output, check="check the URL, and that you may see it", credential=credential
            )
            raise told or error from None
