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
            return _like(model, body, scope)
        except (CrmError, KeyError, TypeError, ValueError, AttributeError):
            return self._codec.load(body)  # which says what is wrong


def _like(model: ConsentEvent, body: Mapping[str, Any], scope: Mapping[str, Any]) -> ConsentEvent:
    """An act that has all in common with *model* but what is its own."""
    recorded, words = body.get("recorded_at"), body.get("words")
    own = (body["id"], body.get("record", ""), body.get("ledger", ""), words or "", *body.get("members", ()))
    if not all(isinstance(text, str) for text in own):
        raise TypeError
    occurred = from_text(body["occurred_at"])
    moment(occurred, "occurred_at")
    return replaced(
        model,
        id=body["id"],
        occurred_at=occurred,
        recorded_at=None if recorded is None else from_text(recorded),
        scope=_scope(model.scope, scope),
        record=body.get("record"),
        members=tuple(body.get("members", ())),
        ledger=body.get("ledger"),
        words=words,
    )


def _scope(model: Scope, stored: Mapping[str, Any]) -> Scope:
    point, points = stored.get("point"), stored.get("points")
    if point == model.point and points is None and model.points is None:
        return model
    if not all(isinstance(text, str) for text in (point or "", *(points or ()))):
        raise TypeError
    return replaced(model, point=point, points=None if points is None else frozenset(points))
