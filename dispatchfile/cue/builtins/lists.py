"""The package `list`. Elements that need not be concrete stay the terms they are."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from itertools import pairwise

from dispatchfile.cue.builtins.limits import listed
from dispatchfile.cue.expressions import LARGEST
from dispatchfile.cue.numbers import CONTEXT, TOO_LARGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _numbers(items: list[Any]) -> list[Any]:
    for item in items:
        if isinstance(item, bool) or not isinstance(item, (int, Decimal)):
            raise ValueError("the list holds something that is no number")
    return items


def _sum(items: list[Any]) -> Any:
    total: Any = 0
    for item in _numbers(items):
        total = total + item if isinstance(total, int) and isinstance(item, int) else CONTEXT.add(total, item)
    return total


def _product(items: list[Any]) -> Any:
    total: Any = 1
    for item in _numbers(items):
        total = (
            total * item
            if isinstance(total, int) and isinstance(item, int)
            else CONTEXT.multiply(total, item)
        )
        if isinstance(total, int) and total.bit_length() > LARGEST:
            raise ValueError(TOO_LARGE)
    return total


def _average(items: list[Any]) -> Any:
    if not items:
        raise ValueError("the list is empty")
    return CONTEXT.divide(Decimal(_sum(items)), Decimal(len(items)))


def _least(items: list[Any]) -> Any:
    if not items:
        raise ValueError("the list is empty")
    return min(_numbers(items))


def _greatest(items: list[Any]) -> Any:
    if not items:
        raise ValueError("the list is empty")
    return max(_numbers(items))


def _range(start: Any, limit: Any, step: Any) -> list[Any]:
    if step == 0:
        raise ValueError("step must be non zero")
    if (limit - start) * step < 0:
        raise ValueError(f"end must be {'greater' if step > 0 else 'less'} than start with a step of {step}")
    listed(int((limit - start) / step) + 1)
    found = []
    while (start < limit) if step > 0 else (start > limit):
        found.append(start)
        start = start + step
    return found


def _drop(items: list[Any], count: int) -> list[Any]:
    if count < 0:
        raise ValueError("negative index")
    return items[count:]


def _take(items: list[Any], count: int) -> list[Any]:
    if count < 0:
        raise ValueError("negative index")
    return items[:count]


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0:
        raise ValueError("negative index")
    if not start <= end <= len(items):
        raise ValueError("slice bounds out of range")
    return items[start:end]


def _flatten(items: list[Any], depth: int) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if isinstance(item, list) and depth != 0:
            found += _flatten(item, depth - 1)
        else:
            found.append(item)
    return found


def _concat(lists: list[Any]) -> list[Any]:
    found: list[Any] = []
    for part in lists:
        if not isinstance(part, list):
            raise ValueError("the list holds something that is no list")
        listed(len(found) + len(part))
        found += part
    return found


def _repeat(items: list[Any], count: int) -> list[Any]:
    if count < 0:
        raise ValueError("negative count")
    listed(len(items) * count)
    return items * count


def _unique(items: list[Any]) -> bool:
    seen: set[str] = set()
    for item in items:
        key = _key(item)
        if key in seen:
            return False
        seen.add(key)
    return True


def _same(a: Any, b: Any) -> bool:
    return a.__class__ is b.__class__ and (a == b if a.__class__ in (str, int) else _key(a) == _key(b))


def _key(item: Any) -> str:
    """Return a text that is equal for equal values."""
    if isinstance(item, dict):
        return "{" + ",".join(sorted([f"{label!r}:{_key(part)}" for label, part in item.items()])) + "}"
    if isinstance(item, list):
        return "[" + ",".join([_key(part) for part in item]) + "]"
    if isinstance(item, (int, Decimal)) and not isinstance(item, bool):
        return str(Decimal(item).normalize())
    return repr(item)


def _sort_strings(items: list[Any]) -> list[str]:
    for item in items:
        if not isinstance(item, str):
            raise ValueError("the list holds something that is no string")
    return sorted(items)


def _order(items: list[Any], less: Callable[[Any, Any], bool]) -> list[Any]:
    return sorted(items, key=cmp_to_key(lambda a, b: -1 if less(a, b) else int(less(b, a))))


def _is_sorted(items: list[Any], less: Callable[[Any, Any], bool]) -> bool:
    return not any(less(second, first) for first, second in pairwise(items))


FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "Avg": ("l", _average),
    "Concat": ("l", _concat),
    "Contains": ("la", lambda items, item: any(_same(item, known) for known in items)),
    "Drop": ("Li", _drop),
    "FlattenN": ("li", _flatten),
    "IsSorted": ("LC", _is_sorted),
    "IsSortedStrings": ("l", lambda items: _sort_strings(items) == items),
    "Max": ("l", _greatest),
    "MaxItems": ("Li", lambda items, count: len(items) <= count),
    "Min": ("l", _least),
    "MinItems": ("Li", lambda items, count: len(items) >= count),
    "Product": ("l", _product),
    "Range": ("nnn", _range),
    "Repeat": ("Li", _repeat),
    "Reverse": ("L", lambda items: items[::-1]),
    "Slice": ("Lii", _slice),
    "Sort": ("LC", _order),
    "SortStable": ("LC", _order),
    "SortStrings": ("l", _sort_strings),
    "Sum": ("l", _sum),
    "Take": ("Li", _take),
    "UniqueItems": ("l", _unique),
}
CONSTANTS: dict[str, Any] = {"Ascending": {"<": "<"}, "Descending": {"<": ">"}}
