"""Frozen values whose classes cost nearly nothing to make: a run of one Dockerfile defines over two hundred of them.

`dataclass` compiles six methods for each class (0.5 ms), `typing.NamedTuple` one, and each field's annotation (0.1 ms).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414 - for others to import
else:
    try:
        from _collections import _tuplegetter as _getter  # what `namedtuple` itself reads its fields with
    except ImportError:

        def _getter(index: int, _doc: None) -> property:
            return property(itemgetter(index))

    class _Named(type):
        """Makes the annotations of a class of named values into fields of a tuple."""

        def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> type:
            if isinstance(bases[0], _Named) and not hasattr(bases[0], "_fields"):
                fields = tuple(members.get("__annotations__", ()))
                members |= {
                    "_fields": fields,
                    "_field_defaults": {field: members[field] for field in fields if field in members},
                    "__match_args__": fields,
                    "__slots__": (),
                    **{field: _getter(index, None) for index, field in enumerate(fields)},
                }
            return super().__new__(cls, name, bases, members)

    class NamedTuple(tuple, metaclass=_Named):
        """What `typing.NamedTuple` makes; a class gets its `__new__` when its first value is made."""

        __slots__ = ()

        def __new__(cls, *values: object, **named: object) -> Self:  # noqa: D102
            home = next(base for base in cls.__mro__ if "_fields" in base.__dict__)
            made = namedtuple(home.__name__, home._fields, defaults=home._field_defaults.values())
            home.__new__ = made.__new__
            return made.__new__(cls, *values, **named)

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

        @classmethod
        def _make(cls, values: Iterable[object]) -> Self:
            return tuple.__new__(cls, values)

        def _replace(self, /, **changes: object) -> Self:
            made = tuple.__new__(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"Got unexpected field names: {[*changes]}")
            return made

        def _asdict(self) -> dict[str, object]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({fields})"


@dataclass_transform(frozen_default=True)
class Frozen:
    """A base for frozen values with named fields: what `dataclass` makes, made once for all of them."""

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, kw_only: bool = False) -> None:
        """Take the fields of the base, then those annotated here; `kw_only` is for type checkers."""
        super().__init_subclass__()
        cls._fields = (*cls._fields, *cls.__annotations__)

    def __init__(self, *values: object, **named: object) -> None:
        # Hundreds of thousands of these are made in a run: as plain as it goes.
        own = self.__dict__
        for name, value in zip(self._fields, values):  # noqa: B905 - those that are left have defaults
            own[name] = value
        if named:
            own.update(named)

    def replaced(self, **changes: object) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**{name: getattr(self, name) for name in self._fields}, **changes})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self._fields)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"
