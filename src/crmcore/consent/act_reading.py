"""Reading acts by the thousand: what many have in common, a form, a scope, an actor, is read once.

Invariant: what is read is what the codec reads; only how often it looks at the same thing differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmcore.consent.checking import moment
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.told import replaced
from crmcore.errors import CrmError
from crmcore.serde import Codec
from crmcore.values.instant import from_text

_OWN = frozenset({"id", "occurred_at", "recorded_at", "scope", "record", "members", "ledger", "words"})
"""What is an act's own: it differs from act to act, so it is read each time."""

_POINTS = frozenset({"point", "points"})
_KEPT = 4096


class ActReader:
    """Reads the stored forms of acts."""

    def __init__(self, codec: Codec[ConsentEvent]) -> None:
        self._codec = codec
        self._known: dict[str, ConsentEvent] = {}
        self._last: tuple[Scope, Scope] | None = None

    def read(self, body: Mapping[str, Any]) -> ConsentEvent:
        """The act that *body* holds.

        Raises:
            InvalidDocument: if it holds none.
        """
        scope = body.get("scope", {})
        if not isinstance(scope, dict):
            return self._codec.load(body)
        common = {name: value for name, value in body.items() if name not in _OWN}
        common["scope"] = {name: value for name, value in scope.items() if name not in _POINTS}
        told = repr(common)
        model = self._known.get(told)
        if model is None:
            model = self._codec.load(body)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[told] = model
            return model
        try:
            return self._like(model, body, scope)
        except (CrmError, KeyError, TypeError, ValueError, AttributeError):
            return self._codec.load(body)  # which says what is wrong

    def _like(self, model: ConsentEvent, body: Mapping[str, Any], scope: Mapping[str, Any]) -> ConsentEvent:
        """An act that has all in common with *model* but what is its own."""
        id, occurred, recorded = body["id"], body["occurred_at"], body.get("recorded_at")
        record, ledger, words = body.get("record", ""), body.get("ledger", ""), body.get("words", "")
        members = body.get("members", _NONE)
        if not (_text(id) and _text(record) and _text(ledger) and _text(words) and _texts(members)):
            raise TypeError
        at = from_text(occurred)
        moment(at, "occurred_at")
        if recorded is not None:
            recorded = at if recorded == occurred else from_text(recorded)
        return replaced(
            model,
            id=id,
            occurred_at=at,
            recorded_at=recorded,
            scope=self._scope(model.scope, scope),
            record=body.get("record"),
            members=tuple(members),
            ledger=body.get("ledger"),
            words=body.get("words"),
        )

    def _scope(self, model: Scope, stored: Mapping[str, Any]) -> Scope:
        """*model* about the points that are *stored*; the acts of one person are mostly about one."""
        point, points = stored.get("point"), stored.get("points")
        if point == model.point and points is None and model.points is None:
            return model
        last = self._last
        if last is not None and last[0] is model and last[1].point == point and points is None:
            return last[1]
        if not ((point is None or _text(point)) and (points is None or _texts(points))):
            raise TypeError
        found = replaced(model, point=point, points=None if points is None else frozenset(points))
        if points is None:
            self._last = (model, found)
        return found


_NONE: list[str] = []


def _text(value: object) -> bool:
    return isinstance(value, str)


def _texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)
