"""A value as JSON text, numbers digit by digit as they were written."""

from __future__ import annotations

import re
from json import dumps

from dispatchfile.plain.yaml_writer import fraction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.value import Plain

INDENT = "  "
_HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair; no encoding of a file has it


def json(content: Plain) -> str:
    """Return the text of a JSON Dispatchfile, without a line that names the flavour: other programs read JSON too."""
    return _text(content, "") + "\n"


def _text(content: Plain, indent: str) -> str:
    deeper = indent + INDENT
    if isinstance(content, dict) and content:
        fields = (f"{deeper}{_string(label)}: {_text(item, deeper)}" for label, item in content.items())
        return "{\n" + ",\n".join(fields) + f"\n{indent}}}"
    if isinstance(content, list) and content:
        return "[\n" + ",\n".join(deeper + _text(item, deeper) for item in content) + f"\n{indent}]"
    return _scalar(content)


def _scalar(content: Plain) -> str:
    if isinstance(content, str):
        return _string(content)
    if content is None or isinstance(content, (bool, int, dict, list)):
        return dumps(content)
    return fraction(content)


def _string(text: str) -> str:
    return dumps(text, ensure_ascii=_HALF.search(text) is not None)
