"""Plain data classes that cost next to nothing to import.

`dataclasses` takes longer to import and to decorate a syntax tree's classes than a Dispatchfile takes to lint, so
the data that passes between the rooms derives from Record: fields are the annotated names, in order, with
defaults as class attributes. Type checkers know it as a frozen dataclass; nothing is checked at run time.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, dataclass_transform

    Kind = TypeVar("Kind", bound="Record")
else:

    def dataclass_transform(**_options):  # noqa: D103 stands in for the one above
        return lambda cls: cls


@dataclass_transform(eq_default=True, frozen_default=True)
class Record:
    """Base of plain data. Equality and hash go over the fields but those named in `uncompared`; `eq=False`: identity."""

    _fields: tuple[str, ...] = ()
    _compared: tuple[str, ...] = ()
    _shown: tuple[str, ...] = ()

    def __init_subclass__(
        cls, *, eq: bool = True, uncompared: tuple[str, ...] = (), hidden: tuple[str, ...] = ()
    ) -> None:
        own = vars(cls).get("__annotations__")
        if own:
            names = dict.fromkeys((*cls._fields, *own))
            plain = [name for name in names if not hasattr(cls, name)]
            cls._fields = (*plain, *(name for name in names if name not in plain))
            cls._compared = cls._shown = cls._fields
        if uncompared or hidden:
            cls._compared = tuple(name for name in cls._fields if name not in uncompared)
            cls._shown = tuple(name for name in cls._compared if name not in hidden)
        cls.__init__ = _first_init(cls)  # type: ignore[method-assign] # type checkers see a dataclass's own
        if not eq:
            cls.__eq__ = object.__eq__  # type: ignore[method-assign] # by identity, as asked
            cls.__hash__ = object.__hash__  # type: ignore[method-assign] # by identity, as asked

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._compared)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self._compared))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{self.__class__.__name__}({shown})"


def replace(record: Kind, **changes: Any) -> Kind:
    """Return a copy of a record with some fields changed."""
    fields = {name: getattr(record, name) for name in record._fields}
    return record.__class__(**{**fields, **changes})


_MANY = 60  # objects of a class: to compile its `__init__` costs as much as the plain way takes for so many


def _first_init(cls: type[Record]) -> Callable[..., None]:
    """Return a plain `__init__` that puts a compiled one in its place once the class turns out to be used much.

    Wrong arguments are left to the compiled one, too, which says what is wrong with them.
    """
    made = 0
    names: tuple[str, ...] = ()
    defaults: dict[str, Any] = {}

    def __init__(self: Record, *args: Any, **kwargs: Any) -> None:  # noqa: N807 it is one
        nonlocal made, names, defaults
        if not made:
            names = cls._fields
            defaults = {name: getattr(cls, name) for name in names if hasattr(cls, name)}
        made += 1
        values = dict(zip(names, args))  # noqa: B905 too many are refused below
        values.update(kwargs)
        fits = made < _MANY and len(values) == len(args) + len(kwargs)
        if len(values) < len(names):
            values = {**defaults, **values}
        if fits and len(values) == len(names) and (not kwargs or values.keys() == set(names)):
            self.__dict__ = values
            return
        cls.__init__ = _compiled_init(cls)  # type: ignore[method-assign] # as in __init_subclass__
        cls.__init__(self, *args, **kwargs)

    return __init__


def _compiled_init(cls: type[Record]) -> Callable[..., None]:
    defaults = {f"_{name}": getattr(cls, name) for name in cls._fields if hasattr(cls, name)}
    parameters = [f"{name}=_{name}" if f"_{name}" in defaults else name for name in cls._fields]
    body = "".join(f"\n self.{name} = {name}" for name in cls._fields) or "\n pass"
    namespace: dict[str, Any] = {}
    exec(f"def __init__(self, {', '.join(parameters)}):{body}", defaults, namespace)  # noqa: S102 field names only
    made: Callable[..., None] = namespace["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made
