"""Named tuples of our own make: what `typing.NamedTuple` does, they do."""

from __future__ import annotations

import pickle

import pytest

from pid1lint.frozen import NamedTuple


class Point(NamedTuple):
    """A class of named values, one of them with a default."""

    x: int
    y: int = 2


class Named(Point):
    """A class below one: it has the same fields."""

    @property
    def total(self) -> int:
        return self.x + self.y


def test_a_value_is_made_of_its_fields_by_place_name_and_default() -> None:
    assert (Point(1), Point(y=3, x=1), Named(1).total) == ((1, 2), (1, 3), 3)
    assert (repr(Point(1)), repr(Named(1, 5))) == ("Point(x=1, y=2)", "Named(x=1, y=5)")
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]


def test_a_copy_with_other_fields_is_of_the_same_class() -> None:
    copy = Named(1)._replace(y=7)
    assert (copy, type(copy), copy._asdict()) == ((1, 7), Named, {"x": 1, "y": 7})
    with pytest.raises(ValueError, match=r"\['z'\]"):
        Point(1)._replace(z=3)  # type: ignore[call-arg]


def test_a_value_crosses_to_a_worker() -> None:
    for value in (Point(1), Named(3, 4)):
        again = pickle.loads(pickle.dumps(value))
        assert (again, type(again)) == (value, type(value))


def test_a_value_takes_no_further_attribute() -> None:
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]
