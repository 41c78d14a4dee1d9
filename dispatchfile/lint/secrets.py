"""Which strings are secrets: by the name of the variable that holds them, by their shape, by their place in a URL."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Without possessive quantifiers: Python up to 3.11.4, Debian's among them, matches those of groups wrongly. A line end
# and a letter of the key never begin alike, so there is nothing to try twice.
_BREAK = r"(?:\\[nr]|\s)"
_PRIVATE_KEY = (
    rf"-----BEGIN [A-Z ]*PRIVATE KEY-----(?={_BREAK}+[A-Za-z0-9+/=]{{16}})(?:{_BREAK}*[A-Za-z0-9+/=])+"
    rf"(?:{_BREAK}*-----END [A-Z ]*PRIVATE KEY-----)?"
)

# What a text must hold before the pattern of a kind of key is worth compiling, that pattern, and what the key is.
_SHAPES = (
    ("AKIA", r"\bAKIA[0-9A-Z]{16}\b", "an access key of AWS"),
    ("ASIA", r"\bASIA[0-9A-Z]{16}\b", "an access key of AWS"),
    *((f"gh{kind}_", rf"\bgh{kind}_[A-Za-z0-9]{{36,}}\b", "a token of GitHub") for kind in "pousr"),
    ("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{50,}\b", "a token of GitHub"),
    ("glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}", "a token of GitLab"),
    ("xox", r"\bxox[abposre]-[A-Za-z0-9-]{20,}", "a token of Slack"),
    (
        "hooks.slack.com",
        r"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,}",
        "a webhook of Slack",
    ),
    ("sk_live_", r"\bsk_live_[A-Za-z0-9]{20,}\b", "a key of Stripe"),
    ("AIza", r"\bAIza[0-9A-Za-z_-]{35}\b", "a key of Google"),
    ("npm_", r"\bnpm_[A-Za-z0-9]{36}\b", "a token of npm"),
    ("eyJ", r"\beyJ[A-Za-z0-9_-]{10,200}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}", "a JSON web token"),
    (
        "PRIVATE KEY-----",
        _PRIVATE_KEY,
        "a private key",
    ),
)

_URL = r"\b[a-z][a-z0-9+.-]{0,20}://([^/\s:@\"'`<>(){}$\\]*):([^/\s:@\"'`<>(){}$\\]+)@([^/\s:@\"'`\\]*)"

_WORDS = ("TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "APIKEY")
_PAIRS = ("API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "SECRET_KEY", "SIGNING_KEY", "ENCRYPTION_KEY")

# A variable with one of these in its name tells about a secret, or where it is, and does not hold it.
_ABOUT = (
    " URL URI FILE FILENAME PATH DIR FOLDER LENGTH LEN SIZE MIN MAX COUNT LIMIT NAME ID TTL AGE EXPIRY EXPIRATION EXPIRES "
    "LIFETIME TIMEOUT ENABLED ENABLE DISABLED DISABLE REQUIRED REQUIRE ALLOW EMPTY SKIP USE NO HAS IS TYPE KIND HEADER "
    "PREFIX SUFFIX ENDPOINT HOST PORT USER USERNAME ISSUER AUDIENCE ALGORITHM ALG FORMAT POLICY VERSION REF STORE BACKEND "
    "PROVIDER MANAGER ROTATION SCOPE SCOPES PUBLIC NAMESPACE REGION ROLE SERVICE CMD COMMAND SCANNER SCAN CHECK MODE "
    "LOCATION VAR ENV FIELD REGEX PATTERN HASH HASHED ENCRYPTED SEALED PROMPT INPUT LABEL KEYS NAMES SERVER CONFIG "
)

# Passwords that everybody knows: of throwaway services in tests, and of examples.
_KNOWN = (
    " password passwd pass secret token changeme change-me change_me placeholder example dummy fake none null nil test "
    "testing test123 todo redacted unused local dev development guest admin root user postgres mysql redis minio minioadmin "
    "mongo rabbitmq true false yes no on off n/a hidden masked "
)
_EXAMPLES = (
    "example",
    "changeme",
    "change-me",
    "placeholder",
    "dummy",
    "redacted",
    "your-",
    "your_",
    "insert",
    "replace",
)
_STORES = (
    "vault:",
    "op://",
    "arn:",
    "ref+",
    "projects/",
    "ssm:",
    "secretref:",
    "gcp:",
    "azurekeyvault:",
    "keyring:",
)


def marks() -> Iterator[str]:
    """Yield words one of which is in every text that holds a secret of any kind."""
    for word in ("TOKEN", "PASS", "SECRET", "KEY"):  # one of them is in each of _WORDS and _PAIRS
        yield from (word, word.lower(), word.capitalize())
    yield from (word.split()[-1] for word, _, _ in _SHAPES)
    yield "://"


def holds_secret(name: str, value: str) -> bool:
    """Return whether a variable's name says that it holds a secret, and its value is one, written out."""
    upper = name.upper()
    if "KEY" not in upper and not any(word in upper for word in _WORDS):
        return False
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).upper().replace("-", "_").replace(".", "_")
    parts = words.split("_")
    if (
        parts[-1] == "SECRET"
        and re.fullmatch(r"[a-z][a-z0-9]*([-./][a-z0-9]+)+", value)
        and _digits(value) <= 3
    ):
        return False  # the name of a secret of the cluster, such as s3-config
    named = any(part.rstrip("S0123456789").endswith(_WORDS) for part in parts)
    named = named or any(f"_{pair}_" in f"_{words}_" for pair in _PAIRS)
    about = any(f" {part} " in _ABOUT for part in parts) or value.upper() in words
    return named and not about and not is_placeholder(value)


def _digits(text: str) -> int:
    return sum(char.isdigit() for char in text)


def is_placeholder(value: str) -> bool:
    """Return whether a value stands for a secret, or for nothing: a variable, a path, a URL, an example."""
    value = value.strip()
    lower = value.lower()
    if len(value) < 4 or len(set(lower)) < 4 or value.isdigit() or f" {lower} " in _KNOWN:
        return True
    if (
        "$" in value
        or "{{" in value
        or "%" in (value[0], value[-1])
        or (value[0], value[-1]) in (("<", ">"), ("[", "]"))
    ):
        return True
    if value.startswith(("/", "./", "../", "~/", "id_")) or "://" in value or lower.startswith(_STORES):
        return True
    return any(word in lower for word in _EXAMPLES)


def shapes(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where a text holds a key of a known shape, and what it is."""
    for word, pattern, title in _SHAPES:
        if word in text:
            for found in re.finditer(pattern, text):
                body = found[0].rpartition("_")[2]
                if len(set(body)) > 7 and "EXAMPLE" not in found[0].upper() and "1234567890" not in found[0]:
                    yield found.start(), found.end(), title


def in_urls(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text holds the password of a URL `scheme://user:password@host`; not those of this machine."""
    if not any("@" in rest.partition("/")[0] for rest in text.split("://")[1:]):
        return
    for found in re.finditer(_URL, text):
        user, password, host = found.groups()
        local = host.startswith(("localhost", "127.")) or host == ""
        if not local and password != user and not is_placeholder(password):
            yield found.start(2), found.end(2)
