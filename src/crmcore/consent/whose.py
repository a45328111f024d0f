"""Whose acts count for a record: a Yes about a contact point is of who said it, a No of whoever has the point.

Invariant: what permits counts for its own record, for who was one customer with it when it was recorded, and for others
as long as its record stands and has the contact point: somebody who takes an address over takes no Yes with it, no
merge and no erasure makes one count, and whoever has it now can say one that does. A No counts for all who have the
point, until one that its own record said after it lifts it, whether that one permits anything or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple

import attrs

from crmcore.consent.act_reading import Sketch
from crmcore.consent.controllers import hears
from crmcore.consent.event import ConsentEvent
from crmcore.consent.words import LIFTING, NOES, YESES

PERMITS = YESES | {"request"}
"""What permits, and the first half of it."""

TAKES_BACK = LIFTING & YESES
"""A Yes that takes a No back."""

_LIFTS_ALONE = TAKES_BACK | {"request"}
"""What lifts a No of its own record also where it permits nothing, and the first half of it."""


class Having(NamedTuple):
    """The normal forms of the contact points that a record has, and whether it *stands* or was taken back."""

    points: Set[str]
    stands: bool = True


Points = Mapping[str, Having]
"""By record what it has; of one that is not there nothing."""

_NOTHING = Having(frozenset())


def counting(
    acts: Sequence[ConsentEvent],
    record: str,
    joined: Mapping[str, datetime],
    points: Points,
    noes: Iterable[ConsentEvent] = (),
) -> tuple[ConsentEvent, ...]:
    """Those of *acts*, in the ledgers of a record, that count for it.

    A Yes of others that permits nothing is `alone`: it lifts the Noes of its own record, as it did before. *joined*
    tells since when each record is one of its customer, *points* what each record that an act names has now. *noes* are
    those in the ledgers of the customer's other records: a Yes takes them back, too.

    >>> from crmcore.consent.event import Scope
    >>> yes = ConsentEvent(id="1", kind="give", occurred_at=datetime(2026, 2, 1).astimezone(), record="ann",
    ...     scope=Scope(point="a@x.example"))
    >>> [act.alone for points in ({"ann": Having({"a@x.example"})}, {}) for act in counting([yes], "bo", {}, points)]
    [False, True]
    """
    if not any(in_doubt(act, record) for act in acts):
        return tuple(acts)
    ended = _ended(acts)
    out = {act.id for act in acts if not _counts(act, record, joined, points, ended)}
    stood_for = {act.corrects for act in acts}
    lifts = {act.id for act in acts if act.id in out and act.kind in _LIFTS_ALONE and act.id not in stood_for}
    while more := _stood_for(acts, out):
        out |= more
    said = {act.id: act for act in (*acts, *noes) if act.kind in NOES}
    own = {record, *joined}
    return tuple(
        attrs.evolve(act, alone=True, takes_back=())
        if act.id in lifts
        else _as_it_stands(act, said, own, points)
        for act in acts
        if act.id in lifts or act.id not in out
    )


def telling(acts: Iterable[ConsentEvent]) -> tuple[ConsentEvent, ...]:
    """Those of the *acts* that count which are told: what lifts Noes of its own record alone is between it and us."""
    return tuple(act for act in acts if not (act.alone and act.kind in _LIFTS_ALONE))


def in_doubt(act: ConsentEvent | Sketch, record: str) -> bool:
    """Whether it takes more than the act itself to see what it is for *record*."""
    if isinstance(act, ConsentEvent):
        model, point = act, act.scope.point
    else:
        model, point = act.model, act.point
    if model.takes_back:
        return True
    return point is not None and act.record not in (None, record) and (model.kind in PERMITS or model.alone)


def of_others(acts: Iterable[ConsentEvent], own: Points, points: Points) -> Iterator[ConsentEvent]:
    """The Noes among *acts*, in the ledgers of the records *own* with their points, that a Yes of theirs takes back.

    They were said by others, of a point that those have no more, or that none of *own* has any more.
    """
    having = points_in(own)
    for act in acts:
        point, record = act.scope.point, act.record
        if act.kind not in NOES or act.alone or record is None or record in own or point is None:
            continue
        if point not in having or point not in points.get(record, _NOTHING).points:
            yield act


def points_in(points: Points, records: Iterable[str] | None = None) -> frozenset[str]:
    """The contact points that any of *records* has, or any at all."""
    having = points.values() if records is None else (points.get(one, _NOTHING) for one in records)
    return frozenset[str]().union(*(one.points for one in having))


def together(act: ConsentEvent, record: str, joined: Mapping[str, datetime]) -> bool:
    """Whether the record of *act* and *record* were one customer when it was recorded."""
    since = [joined.get(one) for one in (act.record or "", record)]
    return all(one is not None and (act.recorded_at or act.occurred_at) >= one for one in since)


_Ended = Mapping[tuple[str | None, str | None], Mapping[str | None, datetime]]


def _ended(acts: Iterable[ConsentEvent]) -> _Ended:
    """Until when what a record said yes to at a contact point is over, by what it said of itself alone to whom."""
    found: dict[tuple[str | None, str | None], dict[str | None, datetime]] = {}
    for act in acts:
        if act.alone:
            told = found.setdefault((act.record, act.scope.point), {})
            whom = act.scope.controller
            told[whom] = max(act.occurred_at, told.get(whom, act.occurred_at))
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
    over = ended.get((act.record, point), {})
    if any(at >= act.occurred_at and hears(act.scope.controller, whom) for whom, at in over.items()):
        return False
    having = points.get(str(act.record), _NOTHING)
    return (having.stands and point in having.points) or together(act, record, joined)


def _stood_for(acts: Sequence[ConsentEvent], out: Set[str]) -> frozenset[str]:
    """The acts for which others stand that do not count: they do not count again for that."""
    corrected = {act.corrects for act in acts if act.id in out}
    return frozenset(act.id for act in acts if act.id in corrected - out and act.kind not in NOES)


def _as_it_stands(
    act: ConsentEvent, said: Mapping[str, ConsentEvent], own: Set[str], points: Points
) -> ConsentEvent:
    """*act*, taking back no No of somebody who has the contact point again, if one of the records *own* has it, too;
    but where it was said of another point it does at that one."""
    if not act.takes_back:
        return act
    about = act.scope.point
    left = tuple(
        id
        for id in act.takes_back
        if id in said and not (about in (None, said[id].scope.point) and _shared(said[id], own, points))
    )
    return attrs.evolve(act, takes_back=left)


def _shared(no: ConsentEvent, own: Set[str], points: Points) -> bool:
    point = no.scope.point
    return point in points_in(points, [str(no.record)]) and point in points_in(points, own)
