"""Named tuples whose classes cost little to make: a start of the command makes fifty of them.

``typing.NamedTuple`` takes a fifth of a millisecond for a class: it looks at the type of each field, and compiles what
makes an instance from text. Here types are left as they stand in the source, and classes with as many fields share
that code. Type checkers see ``typing.NamedTuple``, and an instance is what it would be there: a tuple with the same
methods, made at the same speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType
    from typing import NamedTuple as NamedTuple
    from typing import Self
else:
    from _collections import _tuplegetter
    from types import FunctionType

    class _Record(tuple):
        """What all records share."""

        __slots__ = ()
        _fields: tuple[str, ...] = ()
        _field_defaults: dict[str, Any] = {}  # noqa: RUF012 (made for each class)

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Self:
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **others: Any) -> Self:
            made = self._make(map(others.pop, self._fields, self))
            if others:
                raise ValueError(f"Got unexpected field names: {list(others)!r}")
            return made

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({fields})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    class _Meta(type):
        """Makes of a class statement a subclass of ``_Record``."""

        def __new__(meta, name: str, bases: tuple[Any, ...], space: dict[str, Any]) -> type:
            fields = tuple(space.get("__annotations__", ()))
            defaults = {field: space.pop(field) for field in fields if field in space}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one that has one")
            wrong = [field for field in fields if field.startswith("_")]
            if wrong or "__new__" in space:
                raise TypeError(f"{name}: {wrong[0] if wrong else '__new__'} cannot be a field or method of a record")
            space |= {field: _tuplegetter(at, f"Alias for field number {at}") for at, field in enumerate(fields)}
            space |= {"__slots__": (), "_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
            maker = FunctionType(_maker(fields), _GLOBALS, "__new__", tuple(defaults.values()))
            maker.__qualname__ = f"{name}.__new__"
            space["__new__"] = maker
            return type(name, (_Record, *(base for base in bases if base is not _base)), space)

    new = tuple.__new__
    _GLOBALS = {"__builtins__": {}, "new": new}
    _FEW = (
        lambda _cls: new(_cls, ()),
        lambda _cls, a: new(_cls, (a,)),
        lambda _cls, a, b: new(_cls, (a, b)),
        lambda _cls, a, b, c: new(_cls, (a, b, c)),
        lambda _cls, a, b, c, d: new(_cls, (a, b, c, d)),
        lambda _cls, a, b, c, d, e: new(_cls, (a, b, c, d, e)),
        lambda _cls, a, b, c, d, e, f: new(_cls, (a, b, c, d, e, f)),
        lambda _cls, a, b, c, d, e, f, g: new(_cls, (a, b, c, d, e, f, g)),
        lambda _cls, a, b, c, d, e, f, g, h: new(_cls, (a, b, c, d, e, f, g, h)),
        lambda _cls, a, b, c, d, e, f, g, h, i: new(_cls, (a, b, c, d, e, f, g, h, i)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j: new(_cls, (a, b, c, d, e, f, g, h, i, j)),
    )
    """What makes an instance of so many fields: compiled with this module, not with each start."""

    def _maker(fields: tuple[str, ...]) -> CodeType:
        """The code that makes an instance, with the fields for parameters."""
        count = len(fields)
        if count < len(_FEW):
            code = _FEW[count].__code__
        else:
            names = "".join(f"_{at}, " for at in range(count))
            code = eval(f"lambda _cls, {names}: new(_cls, ({names}))", {"__builtins__": {}}).__code__
        return code.replace(co_varnames=("_cls", *fields), co_name="__new__")

    class _Marker:
        """``NamedTuple`` among the bases of a class: exchanged for one whose metaclass makes the record."""

        def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type]:
            return (_base,)

    _base = type.__new__(_Meta, "NamedTuple", (), {})
    NamedTuple = _Marker()
