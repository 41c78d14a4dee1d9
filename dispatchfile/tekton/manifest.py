"""Objects as YAML text: keys in their order, one document an object, the same for every reader of YAML.

Written out here, as in `plain.yaml_writer`, whose scalars it uses: readers of YAML 1.1 and 1.2 and Go's own (which
kubectl has) differ in what they take for a number, a date or a truth, and whatever one of them might is in quotes.
"""

from __future__ import annotations

from functools import lru_cache

from dispatchfile.errors import UsageError
from dispatchfile.plain import yaml_writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from dispatchfile.tekton.parts import Object

MARK = "# Made by dispatchfile"
"""How every file begins that this module made."""


class Block(str):
    """A text of one line that is written as a block, in which no character means anything to a reader of YAML.

    For texts with placeholders, which are filled in before the YAML is read.
    """

    __slots__ = ()


def text(objects: Iterable[Object], how: str = "") -> str:
    """Return the objects as a file of YAML, headed by what made it and `how` to apply it (default: with kubectl).

    The head belongs to the first document: Pipelines-as-Code complains of one that holds nothing but a comment.
    Raises UsageError for text that is not UTF-8, which Kubernetes does not take.
    """
    objects = list(objects)
    documents = [document(made) for made in objects]
    how = how or applied(objects, max(map(len, documents), default=0))
    return f"{MARK}; {how}\n" + "---\n".join(documents)


def applied(objects: Iterable[Object], largest: int) -> str:
    """Return how objects, the largest of so many characters, are given to a cluster, in words.

    What gets its name there can only be created, which leaves a Pipeline as it is that is there already; and kubectl
    would put a copy of what it applies itself into an annotation, which takes 256 KiB.
    """
    named = ["name" in made["metadata"] for made in objects]
    if not all(named):
        again = " (once: it changes no Pipeline that is there; --kind run needs none)" if any(named) else ""
        return f"apply it with: kubectl create -f FILE{again}"
    return f"apply it with: kubectl apply {'' if largest < 200_000 else '--server-side '}-f FILE"


def document(made: Object) -> str:
    """Return one object as YAML, each line ended."""
    try:
        made_text = "\n".join(_block(made, ""))
        made_text.encode()
    except UnicodeEncodeError as error:
        raise _not_text(made, error) from None
    return f"{made_text}\n"


def _block(content: dict[str, Any] | list[Any], indent: str) -> list[str]:
    """Return the lines of a map or list that has something in it."""
    lines: list[str] = []
    if isinstance(content, list):
        for item in content:
            if isinstance(item, (dict, list)) and item:
                first, *rest = _block(item, f"{indent}  ")
                lines += (f"{indent}- {first.lstrip(' ')}", *rest)
            else:
                lines.append(f"{indent}- {_scalar(item, indent)}")
        return lines
    for label, item in content.items():
        key = _line(label)
        if isinstance(item, dict) and item:
            lines += (f"{indent}{key}:", *_block(item, f"{indent}  "))
        elif isinstance(item, list) and item:
            lines += (f"{indent}{key}:", *_block(item, indent))
        else:
            lines.append(f"{indent}{key}: {_scalar(item, indent)}")
    return lines


def _scalar(content: Any, indent: str) -> str:
    if not isinstance(content, str):
        return yaml_writer.scalar(content, indent)
    if isinstance(content, Block):
        return f"|-\n{indent}  {content}"
    if "\n" not in content:
        return _line(content)
    content.encode()  # as below
    return yaml_writer.scalar(content, indent)


@lru_cache(maxsize=4096)
def _line(content: str) -> str:
    """Return a text on one line; the same few make up most of what is written."""
    content.encode()  # an escape would hide from the check of the whole what is no character
    return yaml_writer.text(content)


def _not_text(made: Object, error: UnicodeEncodeError) -> UsageError:
    before = error.object[max(0, error.start - 20) : error.start]
    name = made["metadata"].get("name") or made["metadata"].get("generateName", "")
    byte = ord(error.object[error.start]) - 0xDC00
    what = f"the byte 0x{byte:02x}" if 0x80 <= byte <= 0xFF else "half a character"
    return UsageError(
        f'{made["kind"]} {name}: there is {what} behind "{before}", which is not UTF-8',
        help="Kubernetes takes text only; rename the branch or file that holds it",
    )
