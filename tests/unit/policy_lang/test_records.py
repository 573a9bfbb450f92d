"""Records are what ``typing.NamedTuple`` makes, method by method and error by error."""

from __future__ import annotations

import pickle
import typing
from typing import Any, Generic, TypeVar

import pytest

from policy_lang import records
from policy_lang.diagnostics import Outcome
from policy_lang.source import Span

T = TypeVar("T")


def _classes(base: Any) -> tuple[Any, Any, Any]:
    class Point(base):  # type: ignore[misc]
        """Two numbers and a name."""

        x: int
        y: int = 2
        name: str | None = None

        @property
        def total(self) -> int:
            return self.x + self.y

        def moved(self, by: int) -> Point:
            return typing.cast("Point", self._replace(x=self.x + by))

    class Held(base, Generic[T]):  # type: ignore[misc]
        value: T | None
        found: tuple[str, ...] = ()

    class Nothing(base):  # type: ignore[misc]
        pass

    return Point, Held, Nothing


OURS, THEIRS = _classes(records.NamedTuple), _classes(typing.NamedTuple)


@pytest.mark.parametrize(
    "ask",
    [
        lambda p, h, n: p(1),
        lambda p, h, n: tuple(p(1, y=3)),
        lambda p, h, n: p(1, 2, "a") == (1, 2, "a"),
        lambda p, h, n: hash(p(1)),
        lambda p, h, n: p(1)._replace(y=5, name="b"),
        lambda p, h, n: p(1)._asdict(),
        lambda p, h, n: p._make([1, 2, 3]),
        lambda p, h, n: (p._fields, p._field_defaults, p.__match_args__, [*p.__annotations__], p.__doc__),
        lambda p, h, n: p(1).moved(4).total,
        lambda p, h, n: [p(1).x, p(1)[0], p(1)[-1], *p(1)],
        lambda p, h, n: (p.__name__, p.__qualname__, p.__module__, isinstance(p(1), tuple)),
        lambda p, h, n: h[int](3),
        lambda p, h, n: h(None),
        lambda p, h, n: (h.__parameters__, h.__orig_bases__[1]),
        lambda p, h, n: n(),
        lambda p, h, n: sorted([p(2), p(1, 3), p(1)]),
        lambda p, h, n: hasattr(p(1), "__dict__"),
        lambda p, h, n: p(1).__getnewargs__(),
    ],
)
def test_a_record_is_a_named_tuple(ask: Any) -> None:
    assert repr(ask(*OURS)) == repr(ask(*THEIRS))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda p: p(),
        lambda p: p(1, 2, 3, 4),
        lambda p: p(1, x=2),
        lambda p: p(1, z=2),
        lambda p: p._make([1]),
        lambda p: p(1)._replace(z=2),
        lambda p: setattr(p(1), "x", 2),
        lambda p: setattr(p(1), "other", 2),
    ],
)
def test_what_a_named_tuple_refuses_a_record_refuses(wrong: Any) -> None:
    for point in (OURS[0], THEIRS[0]):
        with pytest.raises((TypeError, ValueError, AttributeError)) as theirs:
            wrong(point)
        said = str(theirs.value).partition("__new__")[2] or str(theirs.value)
        if point is OURS[0]:
            ours, kind = said, theirs.type
        else:
            assert (ours, kind) == (said, theirs.type)


def test_fields_that_cannot_be_are_refused_when_the_class_is_made() -> None:
    with pytest.raises(TypeError, match="without a default"):

        class _Late(records.NamedTuple):  # type: ignore[misc]
            first: int = 1
            second: str

    with pytest.raises(TypeError, match="_hidden"):

        class _Hidden(records.NamedTuple):  # type: ignore[misc]
            _hidden: int

    with pytest.raises(TypeError, match="__new__"):

        class _New(records.NamedTuple):  # type: ignore[misc]
            first: int

            def __new__(cls) -> Any:
                return None


def test_records_are_pickled_by_name() -> None:
    outcome = Outcome(Span("a.floe", 1, 2, 3, 4), ())
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert type(pickle.loads(pickle.dumps(outcome))) is Outcome
