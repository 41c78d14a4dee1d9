"""The package `strings`."""

from __future__ import annotations

from dispatchfile.cue.builtins.limits import limited, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def _split(text: str, separator: str) -> list[str]:
    listed(text.count(separator) + 1 if separator else len(text))
    return text.split(separator) if separator else list(text)


def _split_n(text: str, separator: str, count: int) -> list[str]:
    if count == 0:
        return []
    listed(text.count(separator) + 1 if separator else len(text))
    if separator:
        return text.split(separator, count - 1 if count > 0 else -1)
    letters = list(text)
    return (
        letters
        if count < 0 or len(letters) <= count
        else [*letters[: count - 1], "".join(letters[count - 1 :])]
    )


def _split_after(text: str, separator: str) -> list[str]:
    parts = _split(text, separator)
    return [part + separator for part in parts[:-1]] + parts[-1:] if separator else parts


def _split_after_n(text: str, separator: str, count: int) -> list[str]:
    parts = _split_n(text, separator, count)
    return [part + separator for part in parts[:-1]] + parts[-1:] if separator else parts


def _replace(text: str, old: str, new: str, count: int) -> str:
    limited(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new, count if count >= 0 else -1)


def _repeat(text: str, count: int) -> str:
    if count < 0:
        raise ValueError("negative count")
    limited(len(text) * count)
    return text * count


def _join(parts: list[Any], separator: str) -> str:
    for part in parts:
        if not isinstance(part, str):
            raise ValueError(f"the list holds {part!r}, which is no string")
    limited(sum([len(part) for part in parts]) + len(separator) * len(parts))
    return separator.join(parts)


def _index(text: str, part: str) -> int:
    at = text.find(part)
    return at if at < 0 else len(text[:at].encode())


def _last_index(text: str, part: str) -> int:
    at = text.rfind(part)
    return at if at < 0 else len(text[:at].encode())


def _index_any(text: str, letters: str) -> int:
    return next((len(text[:at].encode()) for at, letter in enumerate(text) if letter in letters), -1)


def _last_index_any(text: str, letters: str) -> int:
    return next((len(text[:at].encode()) for at in reversed(range(len(text))) if text[at] in letters), -1)


def _title(text: str) -> str:
    letters = list(text)
    for at, letter in enumerate(letters):
        if at == 0 or letters[at - 1] in _SPACE:
            letters[at] = letter.upper()
    return "".join(letters)


def _camel(text: str) -> str:
    letters = list(text)
    for at, letter in enumerate(letters):
        if at == 0 or letters[at - 1] in _SPACE:
            letters[at] = letter.lower()
    return "".join(letters)


def _slice_runes(text: str, start: int, end: int) -> str:
    if not 0 <= start <= end <= len(text):
        raise ValueError("index out of range")
    return text[start:end]


def _count(text: str, part: str) -> int:
    return text.count(part) if part else len(text) + 1


def _to_upper(text: str) -> str:
    return "".join([letter.upper() if len(letter.upper()) == 1 else letter for letter in text])


def _to_lower(text: str) -> str:
    return "".join([letter.lower() if len(letter.lower()) == 1 else letter for letter in text])


def _trim(text: str, letters: str) -> str:
    return text.strip(letters) if letters else text


def _trim_left(text: str, letters: str) -> str:
    return text.lstrip(letters) if letters else text


def _trim_right(text: str, letters: str) -> str:
    return text.rstrip(letters) if letters else text


def _fields(text: str) -> list[str]:
    for space in set(text) & set(_SPACE):
        text = text.replace(space, " ")
    found = [part for part in text.split(" ") if part]
    listed(len(found))
    return found


def _runes(text: str) -> list[int]:
    listed(len(text))
    return [ord(letter) for letter in text]


def _byte_slice(value: str | bytes, start: int, end: int) -> bytes:
    data = _bytes(value)
    if not 0 <= start <= end <= len(data):
        raise ValueError("index out of range")
    return data[start:end]


FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "ByteAt": ("bi", lambda b, i: _bytes(b)[_place(b, i)]),
    "ByteSlice": ("bii", _byte_slice),
    "Compare": ("ss", lambda a, b: (a > b) - (a < b)),
    "Contains": ("ss", lambda text, part: part in text),
    "ContainsAny": ("ss", lambda text, letters: any(letter in text for letter in letters)),
    "Count": ("ss", _count),
    "Fields": ("s", _fields),
    "HasPrefix": ("ss", lambda text, part: text.startswith(part)),
    "HasSuffix": ("ss", lambda text, part: text.endswith(part)),
    "Index": ("ss", _index),
    "IndexAny": ("ss", _index_any),
    "Join": ("ls", _join),
    "LastIndex": ("ss", _last_index),
    "LastIndexAny": ("ss", _last_index_any),
    "MaxRunes": ("si", lambda text, count: len(text) <= count),
    "MinRunes": ("si", lambda text, count: len(text) >= count),
    "Repeat": ("si", _repeat),
    "Replace": ("sssi", _replace),
    "Runes": ("s", _runes),
    "SliceRunes": ("sii", _slice_runes),
    "Split": ("ss", _split),
    "SplitAfter": ("ss", _split_after),
    "SplitAfterN": ("ssi", _split_after_n),
    "SplitN": ("ssi", _split_n),
    "ToCamel": ("s", _camel),
    "ToLower": ("s", _to_lower),
    "ToTitle": ("s", _title),
    "ToUpper": ("s", _to_upper),
    "Trim": ("ss", _trim),
    "TrimLeft": ("ss", _trim_left),
    "TrimPrefix": ("ss", lambda text, part: text.removeprefix(part)),
    "TrimRight": ("ss", _trim_right),
    "TrimSpace": ("s", lambda text: text.strip(_SPACE)),
    "TrimSuffix": ("ss", lambda text, part: text.removesuffix(part)),
}


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _place(value: str | bytes, index: int) -> int:
    if not 0 <= index < len(_bytes(value)):
        raise ValueError("index out of range")
    return index
