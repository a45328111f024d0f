"""Whose acts count for a record: a Yes about a contact point is of who said it, a No of whoever has the point.

Invariant: what permits counts for its own record, for who was one customer with it when it was recorded, and for others
as long as its record has the contact point: somebody who takes an address over takes no Yes with it, no merge and no
erasure makes one count, and whoever has it now can say one that does. A No counts for all who have the point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime

import attrs

from crmcore.consent.act_reading import Sketch
from crmcore.consent.event import ConsentEvent
from crmcore.consent.words import LIFTING, NOES, YESES

PERMITS = YESES | {"request"}
"""What permits, and the first half of it."""

TAKES_BACK = LIFTING & YESES
"""A Yes that takes a No back."""

Points = Mapping[str, Set[str]]
"""By record the normal forms of the contact points that it has."""


def counting(
    acts: Sequence[ConsentEvent], record: str, joined: Mapping[str, datetime], points: Points
) -> tuple[ConsentEvent, ...]:
    """Those of *acts*, in the ledgers of a record, that count for it.

    *joined* tells since when each record is one of its customer, *points* what each record that an act names has now.

    >>> from crmcore.consent.event import Scope
    >>> yes = ConsentEvent(id="1", kind="give", occurred_at=datetime(2026, 2, 1).astimezone(), record="ann",
    ...     scope=Scope(point="a@x.example"))
    >>> len(counting([yes], "bo", {}, {"ann": {"a@x.example"}})), len(counting([yes], "bo", {}, {}))
    (1, 0)
    """
    if not any(in_doubt(act, record) for act in acts):
        return tuple(acts)
    ended = _ended(acts)
    out = {act.id for act in acts if not _counts(act, record, joined, points, ended)}
    while more := _stood_for(acts, out):
        out |= more
    said = {act.id: act for act in acts if act.kind in NOES}
    own = {record, *joined}
    return tuple(_as_it_stands(act, said, own, points) for act in acts if act.id not in out)


def in_doubt(act: ConsentEvent | Sketch, record: str) -> bool:
    """Whether it takes more than the act itself to see what it is for *record*."""
    if isinstance(act, ConsentEvent):
        model, point = act, act.scope.point
    else:
        model, point = act.model, act.point
    if model.takes_back:
        return True
    return point is not None and act.record not in (None, record) and (model.kind in PERMITS or model.alone)


def of_others(
    acts: Iterable[ConsentEvent], own: Mapping[str, Set[str]], points: Points
) -> Iterator[ConsentEvent]:
    """The Noes among *acts*, in the ledgers of the records *own* with their points, that a Yes of theirs takes back.

    They were said by others, of a point that those have no more, or that none of *own* has any more.
    """
    having = frozenset[str]().union(*own.values())
    for act in acts:
        point, record = act.scope.point, act.record
        if act.kind not in NOES or act.alone or record is None or record in own or point is None:
            continue
        if point not in having or point not in points.get(record, ()):
            yield act


def together(act: ConsentEvent, record: str, joined: Mapping[str, datetime]) -> bool:
    """Whether the record of *act* and *record* were one customer when it was recorded."""
    since = [joined.get(one) for one in (act.record or "", record)]
    return all(one is not None and (act.recorded_at or act.occurred_at) >= one for one in since)


_Ended = Mapping[tuple[str | None, str | None, str | None], datetime]


def _ended(acts: Iterable[ConsentEvent]) -> _Ended:
    """Until when what a record said yes to at a contact point is over, by what it said of itself alone."""
    found: dict[tuple[str | None, str | None, str | None], datetime] = {}
    for act in acts:
        if act.alone:
            key = (act.record, act.scope.controller, act.scope.point)
            found[key] = max(act.occurred_at, found.get(key, act.occurred_at))
    return found


def _counts(
    act: ConsentEvent, record: str, joined: Mapping[str, datetime], points: Points, ended: _Ended
) -> bool:
    point = act.scope.point
    if point is None or act.record in (None, record):
        return True
    if act.alone:
        return act.record in joined
    if act.kind not in PERMITS:
        return True
    over = [ended.get((act.record, controller, point)) for controller in (act.scope.controller, None)]
    if any(one is not None and one >= act.occurred_at for one in over):
        return False
    return point in points.get(str(act.record), ()) or together(act, record, joined)


def _stood_for(acts: Sequence[ConsentEvent], out: Set[str]) -> frozenset[str]:
    """The acts for which others stand that do not count: they do not count again for that."""
    corrected = {act.corrects for act in acts if act.id in out}
    return frozenset(act.id for act in acts if act.id in corrected - out and act.kind not in NOES)


def _as_it_stands(
    act: ConsentEvent, said: Mapping[str, ConsentEvent], own: Set[str], points: Points
) -> ConsentEvent:
    """*act*, taking back no No of somebody who has the contact point again, if one of the records *own* has it, too."""
    if not act.takes_back:
        return act
    left = tuple(id for id in act.takes_back if id in said and not _shared(said[id], own, points))
    return attrs.evolve(act, takes_back=left)


def _shared(no: ConsentEvent, own: Set[str], points: Points) -> bool:
    point = no.scope.point
    return point in points.get(str(no.record), ()) and any(point in points.get(one, ()) for one in own)
