"""Frozen values without `dataclass`, which compiles six methods a class: 0.5 ms, twenty times what these cost."""

from __future__ import annotations

from typing import ClassVar, Self, dataclass_transform


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
