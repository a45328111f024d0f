"""Typed extras: fields that an application adds to parties without subclassing.

Invariant: what was written with an extra is read back equal with it; a value of another type is refused.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

import attrs

from crmcore.errors import InvalidDocument, InvalidParty
from crmcore.serde import dump, load
from crmcore.values.frozen_map import FrozenMap, freeze

V = TypeVar("V")


@attrs.frozen
class Extra(Generic[V]):
    """A field of an application's own: its *key* in the stored document and the *type* of its values.

    >>> shoe_size = Extra("shoe_size", int)
    >>> shoe_size.read(shoe_size.write(FrozenMap(), 42))
    42
    """

    key: str
    type: type[V]

    def read(self, extras: FrozenMap[str, Any]) -> V | None:
        """The value in *extras*, or None where there is none.

        Raises:
            InvalidDocument: if what is stored under the key is not of this type.
        """
        if self.key not in extras:
            return None
        return cast("V", load(self.type, extras[self.key]))

    def write(self, extras: FrozenMap[str, Any], value: V) -> FrozenMap[str, Any]:
        """*extras* with the value set.

        Raises:
            InvalidParty: if *value* is not of the type that the extra was declared with.
        """
        plain = dump(value)
        try:
            same = load(self.type, plain) == value
        except InvalidDocument:
            same = False
        if not same:
            raise InvalidParty(f"the extra {self.key!r} takes values of type {self.type.__name__}")
        return extras.set(self.key, freeze(plain))
