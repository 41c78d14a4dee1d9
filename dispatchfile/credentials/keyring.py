"""The desktop's keyring: through the Python package `keyring` when it is installed, else libsecret's `secret-tool`.

Both are called as programs: a keyring that waits for a window nobody sees can be given up.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Literal

from dispatchfile.credentials import program
from dispatchfile.errors import EnvironmentProblem

Kind = Literal["keyring", "secret-tool"]
KINDS: tuple[Kind, ...] = ("keyring", "secret-tool")
_SERVICE = "dispatchfile"


def there(env: Mapping[str, str]) -> list[Kind]:
    """Return which of KINDS are installed; they may still have no keyring to speak to."""
    found: list[Kind] = ["keyring"] if find_spec("keyring") else []
    return [*found, "secret-tool"] if shutil.which("secret-tool", path=env.get("PATH")) else found


def put(kind: Kind, url: str, token: str, env: Mapping[str, str]) -> bool:
    """Give a token to the keyring; return whether it then holds it."""
    words = {
        "keyring": [*_keyring("set"), _SERVICE, url],
        "secret-tool": ["secret-tool", "store", f"--label=dispatchfile: {url}", *_attributes(url)],
    }
    try:
        done = program.ask(words[kind], token, env=env)
        return done.code == 0 and get(kind, url, env) == token
    except program.Unusable:
        return False


def get(kind: Kind, url: str, env: Mapping[str, str]) -> str | None:
    """Return the token that the keyring holds, or None. Raises EnvironmentProblem when it gives no answer."""
    if kind == "keyring" and not find_spec("keyring"):
        raise EnvironmentProblem(
            f"the token for {url} is in the keyring, and the package keyring is not installed",
            help="pip install 'dispatchfile[keyring]'",
        )
    words = {
        "keyring": [*_keyring("get"), _SERVICE, url],
        "secret-tool": ["secret-tool", "lookup", *_attributes(url)],
    }
    answer = program.ask(words[kind], "", env=env)
    # `keyring get` ends the line; no token has a line end.
    return answer.output.removesuffix("\n") or None if answer.code == 0 else None


def forget(kind: Kind, url: str, env: Mapping[str, str]) -> None:
    """Have the keyring forget a token. Raises EnvironmentProblem when it gives no answer."""
    words = {
        "keyring": [*_keyring("del"), _SERVICE, url],
        "secret-tool": ["secret-tool", "clear", *_attributes(url)],
    }
    program.ask(words[kind], "", env=env)


def _keyring(verb: str) -> list[str]:
    # -P: a module in the folder this runs in is not taken for the package.
    return [sys.executable, "-P", "-m", "keyring", verb]


def _attributes(url: str) -> list[str]:
    return ["service", _SERVICE, "url", url]
