"""How git gets a token, and that nobody else sees it.

git asks the program in GIT_ASKPASS, a script of ours that prints an environment variable: the token stands neither in
an argument list nor in a URL, a file or git's own trace. It goes to the host it was found for and to no other: the
script compares the host in git's question, and redirects are not followed.
"""

from __future__ import annotations

import os
from pathlib import Path

from dispatchfile.credentials import Credential, certificates, ssh
from dispatchfile.mask import Masker
from dispatchfile.remote import Remote

_ASKPASS = """\
#!/bin/sh
# Answers git's question for a user name or a password, when it asks for the right host.
case "$1" in
Username*"$DISPATCHFILE_ASKPASS_URL'"*|Username*"$DISPATCHFILE_ASKPASS_URL/"*) printf '%s\\n' "$DISPATCHFILE_ASKPASS_USER" ;;
Password*"$DISPATCHFILE_ASKPASS_PLACE'"*|Password*"$DISPATCHFILE_ASKPASS_PLACE/"*) printf '%s\\n' "$DISPATCHFILE_ASKPASS_TOKEN" ;;
*) exit 1 ;;
esac
"""


def git_environment(remote: Remote, credential: Credential | None, folder: Path) -> dict[str, str]:
    """Return the variables that let git use the credential for this remote alone; writes a script into `folder`.

    Over ssh git uses the key of a login instead. Raises EnvironmentProblem when the list of logins cannot be read.
    """
    base = {"GIT_TERMINAL_PROMPT": "0", "GIT_TRACE_REDACT": "1", **ssh.environment(remote)}
    base |= certificates.for_git(remote)
    if credential is None or remote.scheme not in ("http", "https"):
        return base
    script = folder / "askpass"
    with os.fdopen(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "w") as file:
        file.write(_ASKPASS)
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    place = f"{host}:{remote.port}" if remote.port else host
    return {
        **base,
        "GIT_ASKPASS": str(script),
        "SSH_ASKPASS": str(script),
        "DISPATCHFILE_ASKPASS_URL": f"{remote.scheme}://{place}",
        "DISPATCHFILE_ASKPASS_PLACE": f"@{place}",
        "DISPATCHFILE_ASKPASS_USER": credential.user,
        "DISPATCHFILE_ASKPASS_TOKEN": credential.token,
    }


def masker(*remotes: Remote, credential: Credential | None) -> Masker:
    """Return what hides every token that is known here, also in base64 and with its user in front."""
    secrets = [remote.password for remote in remotes if remote.password]
    if credential:
        secrets += [credential.token, f"{credential.user}:{credential.token}"]
    return Masker(secrets)
