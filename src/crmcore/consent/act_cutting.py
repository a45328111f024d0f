"""Stored acts told apart without being decoded: of the canonical text what is an act's own is cut out.

Invariant: of two texts from which the same is left, either both are of acts or neither is, and the acts differ in
nothing but what was cut out. What is cut out holds no quotes and no escapes, so that it is the value as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_OF_ACT = ("id", "ledger", "occurred_at", "record", "recorded_at", "words")
_OWN = re.compile(rf',"({"|".join(_OF_ACT)}|point)":"([^"\\\x00-\x1f]*)"')
"""Not what comes first in its object, as the id of whoever recorded an act does."""

_MARK = "\0"
"""Stands between what is left: no JSON text holds one."""


def cut(text: str) -> tuple[str, list[str]]:
    """What is left of the *text* of an act, and what was cut out of it, in its order.

    >>> left, own = cut('{"actor":{"id":"shop"},"id":"a-1","kind":"give"}')
    >>> own
    ['a-1']
    """
    parts = _OWN.split(text)
    own = parts[2::3]
    del parts[2::3]
    return _MARK.join(parts), own


class Places(NamedTuple):
    """At which place each value of an act's own is among those that were cut out; None where the act has none."""

    id: int
    occurred_at: int
    recorded_at: int | None
    record: int | None
    point: int | None


def places(left: str, own: Sequence[str], body: Mapping[str, Any]) -> Places | None:
    """The places in texts from which this is *left*, by the *body* of one of them.

    None where something that is its own was not cut out, or something else was.
    """
    names = left.split(_MARK)[1::2]
    scope = body.get("scope", {})
    values = {name: body[name] for name in _OF_ACT if body.get(name) is not None}
    if scope.get("point") is not None:
        values["point"] = scope["point"]
    at = {name: place for place, name in enumerate(names)}
    if len(at) < len(names) or values != dict(zip(names, own, strict=True)):
        return None
    if body.get("members") or scope.get("points") is not None:
        return None
    return Places(at["id"], at["occurred_at"], at.get("recorded_at"), at.get("record"), at.get("point"))
