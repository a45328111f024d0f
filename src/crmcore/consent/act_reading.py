"""Reading acts by the thousand: what many have in common, a form, a scope, an actor, is read once.

Invariant: what is read is what the codec reads; only how often it looks at the same thing differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from crmcore.consent.act_cutting import Places, cut, places
from crmcore.consent.checking import moment
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.told import replaced
from crmcore.errors import CrmError
from crmcore.serde import Codec
from crmcore.storage.kept import body_of
from crmcore.values.instant import from_text

_OWN = frozenset({"id", "occurred_at", "recorded_at", "scope", "record", "members", "ledger", "words"})
"""What is an act's own: it differs from act to act, so it is read each time."""

_POINTS = frozenset({"point", "points"})
_KEPT = 4096


class Sketch(NamedTuple):
    """An act as far as it takes to see whether its like was answered before.

    Acts of the same *form* differ in nothing but their ids, times, texts, points and records; 0 is no form: such an act
    is held against no other. *body* is what it was read from; None where *model* is the act itself.
    """

    form: int
    model: ConsentEvent
    id: str
    at: datetime
    record: str | None
    point: str | None
    points: frozenset[str] | None
    body: Mapping[str, Any] | str | None

    def __repr__(self) -> str:
        return f"Sketch(form={self.form}, <hidden>)"


class ActReader:
    """Reads the stored forms of acts."""

    def __init__(self, codec: Codec[ConsentEvent]) -> None:
        self._codec = codec
        self._known: dict[str, tuple[int, ConsentEvent]] = {}
        self._texts: dict[str, tuple[int, ConsentEvent, Places]] = {}
        self._forms = 0
        self._last: tuple[Scope, Scope] | None = None

    def read(self, body: Mapping[str, Any] | str) -> ConsentEvent:
        """The act that *body* holds, or the text of one.

        Raises:
            InvalidDocument: if it holds none.
            Corrupt: if the text is none of a body.
        """
        return self.act(self.sketch(body))

    def sketch(self, held: Mapping[str, Any] | str) -> Sketch:
        """A sketch of the act; as `read`, which gives all of it."""
        return self._sketch_of_text(held) if isinstance(held, str) else self._sketch(held)

    def _sketch_of_text(self, text: str) -> Sketch:
        left, own = cut(text)
        known = self._texts.get(left)
        if known is not None:
            try:
                return _cut_out(*known, own, text)
            except CrmError:
                pass  # whoever reads all of it says what is wrong
        body = body_of(text)
        found = self._sketch(body)
        where = places(left, own, body) if known is None and found.form else None
        if where is not None:
            if len(self._texts) >= _KEPT:
                self._texts.clear()
            self._texts[left] = found.form, found.model, where
        return found

    def _sketch(self, body: Mapping[str, Any]) -> Sketch:
        scope = body.get("scope", {})
        if not isinstance(scope, dict):
            return self._alone(body)
        common = {name: value for name, value in body.items() if name not in _OWN}
        common["scope"] = {name: value for name, value in scope.items() if name not in _POINTS}
        told = repr(common)
        known = self._known.get(told)
        if known is None:
            known = self._known_from_now_on(told, self._codec.load(body))
        try:
            return _sketched(*known, body, scope)
        except (CrmError, KeyError, TypeError, ValueError):
            return self._alone(body)  # which says what is wrong

    def _alone(self, body: Mapping[str, Any]) -> Sketch:
        act, scope = (read := self._codec.load(body)), read.scope
        return Sketch(0, act, act.id, act.occurred_at, act.record, scope.point, scope.points, None)

    def _known_from_now_on(self, told: str, model: ConsentEvent) -> tuple[int, ConsentEvent]:
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._forms += 1  # no number is given twice, also when what it was of is forgotten
        known = self._known[told] = (self._forms, model)
        return known

    def act(self, sketch: Sketch) -> ConsentEvent:
        """The act that was sketched: all in common with its model but what is its own."""
        body, model, at = sketch.body, sketch.model, sketch.at
        if body is None:
            return model
        if isinstance(body, str):
            body = body_of(body)
        occurred, recorded = body["occurred_at"], body.get("recorded_at")
        if recorded is not None:
            recorded = at if recorded == occurred else from_text(recorded)
        return replaced(
            model,
            id=sketch.id,
            occurred_at=at,
            recorded_at=recorded,
            scope=self._scope(model.scope, sketch.point, sketch.points),
            record=sketch.record,
            members=tuple(body.get("members", ())),
            ledger=body.get("ledger"),
            words=body.get("words"),
        )

    def _scope(self, model: Scope, point: str | None, points: frozenset[str] | None) -> Scope:
        """*model* about other points; the acts of one person are mostly about one."""
        if point == model.point and points is None and model.points is None:
            return model
        last = self._last
        if last is not None and last[0] is model and last[1].point == point and points is None:
            return last[1]
        found = replaced(model, point=point, points=points)
        if points is None:
            self._last = (model, found)
        return found


def _sketched(form: int, model: ConsentEvent, body: Mapping[str, Any], scope: Mapping[str, Any]) -> Sketch:
    """The sketch of an act that has all in common with *model* but what is its own, each of it of its type."""
    id, occurred, point, points = body["id"], body["occurred_at"], scope.get("point"), scope.get("points")
    own = body.get
    record, recorded = own("record"), own("recorded_at")
    if (
        type(id) is not str
        or {type(record), type(point), type(own("ledger")), type(own("words"))} - _TEXT_OR_NONE
        or ("members" in body and not _texts(body["members"]))
        or (points is not None and not _texts(points))
    ):
        raise TypeError
    at = from_text(occurred)
    moment(at, "occurred_at")
    if recorded is not None and recorded != occurred:
        from_text(recorded)
    return Sketch(form, model, id, at, record, point, None if points is None else frozenset(points), body)


def _cut_out(form: int, model: ConsentEvent, where: Places, own: Sequence[str], text: str) -> Sketch:
    """The sketch of an act of which *own* was cut out of its *text*, at these places."""
    id, occurred, recorded, record, point = where
    at = from_text(own[occurred])
    moment(at, "occurred_at")
    if recorded is not None and own[recorded] != own[occurred]:
        from_text(own[recorded])
    return Sketch(
        form,
        model,
        own[id],
        at,
        None if record is None else own[record],
        None if point is None else own[point],
        None,
        text,
    )


_TEXT_OR_NONE = {str, type(None)}


def _texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)
