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
            cls._fields = cls._compared = cls._shown = tuple(
                sorted(names, key=lambda name: hasattr(cls, name))
            )
        if uncompared or hidden:
            cls._compared = tuple(name for name in cls._fields if name not in uncompared)
            cls._shown = tuple(name for name in cls._compared if name not in hidden)
        cls.__init__ = Record.__init__  # type: ignore[method-assign] # never what its base's will be
        if not eq:
            cls.__eq__ = object.__eq__  # type: ignore[method-assign] # by identity, as asked
            cls.__hash__ = object.__hash__  # type: ignore[method-assign] # by identity, as asked

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls = self.__class__  # its first object: from now on the class has an `__init__` of its own
        cls.__init__ = _init(cls)  # type: ignore[method-assign] # as above
        cls.__init__(self, *args, **kwargs)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._compared)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self._compared))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{self.__class__.__name__}({shown})"


def plain(data: Any) -> Any:
    """Return records, and what of lists and tuples holds them, as JSON has them; anything else as it came."""
    if isinstance(data, Record):
        return {name: plain(getattr(data, name)) for name in data._fields}
    if isinstance(data, (list, tuple)):
        return [plain(one) for one in data]
    return data


def replace(record: Kind, **changes: Any) -> Kind:
    """Return a copy of a record with some fields changed."""
    fields = {name: getattr(record, name) for name in record._fields}
    return record.__class__(**{**fields, **changes})


def _init(cls: type[Record]) -> Callable[..., None]:
    """Return the `__init__` of a class: a template with the names of its fields and their defaults put in.

    To compile one for each class, as dataclasses do, would take longer than to lint a short file.
    """
    names = cls._fields
    template = _TEMPLATES[len(names)] if len(names) < len(_TEMPLATES) else _template(len(names))
    code = template.__code__.replace(co_names=names, co_varnames=("self", *names))
    defaults = tuple([getattr(cls, name) for name in names if hasattr(cls, name)])
    made = FunctionType(code, {}, "__init__", defaults)
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _template(fields: int) -> FunctionType:
    """Return what the templates below would be for more fields."""
    names = [f"_{number}" for number in range(fields)]
    namespace: dict[str, FunctionType] = {}
    body = "; ".join(f"self.{name} = {name}" for name in names)
    exec(f"def template(self, {', '.join(names)}): {body}", namespace)  # noqa: S102 nothing from outside
    return namespace["template"]


if TYPE_CHECKING:
    from types import FunctionType

    _TEMPLATES: tuple[FunctionType, ...]
else:
    FunctionType = type(replace)  # `types` has no other

    # fmt: off
    def _init_0(self):
        pass

    def _init_1(self, a):
        self.a = a

    def _init_2(self, a, b):
        self.a, self.b = a, b

    def _init_3(self, a, b, c):
        self.a, self.b, self.c = a, b, c

    def _init_4(self, a, b, c, d):
        self.a, self.b, self.c, self.d = a, b, c, d

    def _init_5(self, a, b, c, d, e):
        self.a, self.b, self.c, self.d, self.e = a, b, c, d, e

    def _init_6(self, a, b, c, d, e, f):
        self.a, self.b, self.c, self.d, self.e, self.f = a, b, c, d, e, f

    def _init_7(self, a, b, c, d, e, f, g):
        self.a, self.b, self.c, self.d, self.e, self.f, self.g = a, b, c, d, e, f, g

    def _init_8(self, a, b, c, d, e, f, g, h):
        self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h = a, b, c, d, e, f, g, h

    def _init_9(self, a, b, c, d, e, f, g, h, i):
        self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h, self.i = a, b, c, d, e, f, g, h, i

    def _init_10(self, a, b, c, d, e, f, g, h, i, j):
        (self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h, self.i, self.j,
        ) = a, b, c, d, e, f, g, h, i, j

    def _init_11(self, a, b, c, d, e, f, g, h, i, j, k):
        (self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h, self.i, self.j, self.k,
        ) = a, b, c, d, e, f, g, h, i, j, k

    def _init_12(self, a, b, c, d, e, f, g, h, i, j, k, m):
        (self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h, self.i, self.j, self.k, self.m,
        ) = a, b, c, d, e, f, g, h, i, j, k, m

    def _init_13(self, a, b, c, d, e, f, g, h, i, j, k, m, n):
        (self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h, self.i, self.j,
         self.k, self.m, self.n) = a, b, c, d, e, f, g, h, i, j, k, m, n

    def _init_14(self, a, b, c, d, e, f, g, h, i, j, k, m, n, o):
        (self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h, self.i, self.j,
         self.k, self.m, self.n, self.o) = a, b, c, d, e, f, g, h, i, j, k, m, n, o

    _TEMPLATES = (
        _init_0, _init_1, _init_2, _init_3, _init_4, _init_5, _init_6, _init_7,
        _init_8, _init_9, _init_10, _init_11, _init_12, _init_13, _init_14,
    )
    # fmt: on
