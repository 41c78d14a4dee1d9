"""A user and a token as somebody gave them: what no place that keeps them could take is refused here."""

from __future__ import annotations

import re

from dispatchfile.errors import UsageError

LONGEST = 16 << 10
_LINES = str.maketrans("", "", "\n\r\t")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def check_user(user: str) -> str:
    """Return a user's name as it came. Raises UsageError.

    A line end would tell a credential helper more than a name; a colon ends the name in HTTP's Basic scheme.
    """
    if _UNFIT.search(user):
        raise UsageError("the user's name holds a control character, or is no text")
    if ":" in user:
        raise UsageError(f'"{user.partition(":")[0]}:…" is no name of a user: it holds a colon')
    if len(user) > 255:
        raise UsageError("the user's name is longer than 255 characters")
    return user


def check_token(text: str, what: str, *, lines: bool = False) -> str:
    """Return a token without the line end that a file or a pipe ends with; `what` it is. Raises UsageError.

    With `lines` it may be of several, as the keys are that some registries take for a password.
    """
    token = text.removesuffix("\n").removesuffix("\r")
    if not token.strip():
        raise UsageError(f"the {what} is empty")
    if _UNFIT.search(token.translate(_LINES) if lines else token):
        raise UsageError(
            f"the {what} holds a line end or another control character",
            help="give the token alone, in one line",
        )
    if len(token.encode()) > LONGEST:
        raise UsageError(f"the {what} is longer than {LONGEST >> 10} KB")
    return token
