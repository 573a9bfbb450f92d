"""The typed input: which object types are the input's, and what to say of a field that one of them lacks."""

from __future__ import annotations

from dataclasses import dataclass, field

from policy_lang import types
from policy_lang.spell import did_you_mean
from policy_lang.syntax import ast
from policy_lang.types import ArrayType, ObjectType, SetType, Type


@dataclass(frozen=True, slots=True)
class Missing:
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class InputFields:
    """``places`` maps each object type inside the input's type to the place where it stands first."""

    places: dict[ObjectType, str] = field(default_factory=dict)

    @classmethod
    def of(cls, input: Type) -> InputFields:
        places: dict[ObjectType, str] = {}
        pending = [(input, "input")]
        while pending:
            current, place = pending.pop(0)
            for one in types.options(current):
                if isinstance(one, ObjectType) and one not in places:
                    places[one] = place
                    pending += [(inner.type, f"{place}.{inner.key}") for inner in one.fields]
                    if one.rest is not None:
                        pending.append((one.rest[1], f"{place}[_]"))
                elif isinstance(one, ArrayType):
                    pending += [(inner, f"{place}[_]") for inner in one.items]
                    if one.rest is not None:
                        pending.append((one.rest, f"{place}[_]"))
        return cls(places)

    def within(self, of: Type) -> bool:
        """Whether a value of this type holds a part of the input."""
        if not self.places:
            return False
        if isinstance(of, ObjectType):
            if of in self.places:
                return True
            return any(self.within(one.type) for one in of.fields) or (of.rest is not None and self.within(of.rest[1]))
        if isinstance(of, ArrayType):
            return any(map(self.within, of.items)) or (of.rest is not None and self.within(of.rest))
        if isinstance(of, SetType):
            return self.within(of.of)
        return any(self.within(one) for one in types.options(of)) if isinstance(of, types.UnionType) else False

    def missing(self, of: Type, part: ast.Term) -> Missing | None:
        """What to say where ``of`` is the input's and has no ``part``; None where it is not the input's."""
        objects = [one for one in types.options(of) if isinstance(one, ObjectType) and one in self.places]
        if not objects or not isinstance(part, ast.String):
            return None
        known = sorted({str(one.key) for option in objects for one in option.fields})
        hint = did_you_mean(part.value, known) or f"it has {', '.join(known)}"
        return Missing(f"{self.places[objects[0]]} has no field `{part.value}`", hint)
