"""Whom a verb of a batch was asked about, and whether something that was written may be about them.

Invariant: nothing is kept of it where the crm has no secrets. An address stands for whoever had it when the batch was
written, whoever has it now; an id or a source for the customer that it leads to, and a name for either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs

from crmcore.app.resolve import Reference, address_in, is_id, search
from crmcore.app.unit import Unit
from crmcore.consent.event import ConsentEvent
from crmcore.consent.rights_request import RightsRequest
from crmcore.consent.wishes import Wish
from crmcore.identity.judgement import Judgement
from crmcore.storage.erasure import ERASED
from crmcore.values.source import Source
from crmcore.values.text import clean, fold

_SHORTEST = 7
"""A number with fewer digits, dialled at home, is no whole number."""


@attrs.frozen(repr=False)
class Whom:
    """The reference, and the contact point if one was named beside it."""

    ref: Reference
    point: str | None = None

    def __repr__(self) -> str:
        return "Whom(<hidden>)"

    @property
    def manner(self) -> tuple[str, bool]:
        """In which way somebody is named, and whether a contact point is named beside: this is about nobody."""
        named = "id" if is_id(self.ref) else "address" if self.address is not None else "other"
        return named, self.point is not None

    @property
    def address(self) -> str | None:
        """The normal form of the address or number that the reference is, if it may be one."""
        return None if isinstance(self.ref, Source) or "#" in self.ref else address_in(self.ref)

    async def led_to(self, unit: Unit) -> frozenset[str]:
        """The records of whoever the reference leads to now."""
        return frozenset(str(id) for one in await search(unit, self.ref) for id in one.members)


class Pasts:
    """What records said until an instant, each read once."""

    def __init__(self, until: datetime | None) -> None:
        self._until = until
        self._said: dict[str, frozenset[str]] = {}

    async def had(self, unit: Unit, ids: Iterable[str], said: str) -> bool:
        """Whether one of these records had the address or the name by then."""
        for id in sorted(ids):
            if id not in self._said:
                self._said[id] = frozenset([text async for text in _said_by(unit, id, self._until)])
            if said in self._said[id]:
                return True
        return False


async def is_about(unit: Unit, whom: Whom, one: Any, now: frozenset[str], past: Pasts) -> bool:
    """Whether *one*, which was written, may be about *whom*, whose reference leads *now* to these records."""
    ids = records_of(one)
    point = one.scope.point if isinstance(one, ConsentEvent) else None
    if whom.point is not None and not _spelled(whom.point, point):
        return False
    if isinstance(one, Judgement) and is_id(whom.ref):
        return str(whom.ref) in ids
    about = whom.address
    if about is None:
        return (
            str(whom.ref) in ids or not now.isdisjoint(ids) or await past.had(unit, ids, fold(str(whom.ref)))
        )
    if point is not None and whom.point is None:
        return about == point or (_dialled_at_home(about, point) and await past.had(unit, ids, about))
    return await past.had(unit, ids, about)


def records_of(one: Any) -> frozenset[str]:
    """The records that something which was written is about."""
    if isinstance(one, RightsRequest):
        return frozenset({one.anchor, one.customer, *one.members})
    if isinstance(one, ConsentEvent):
        return frozenset(one.members) | ({one.record} if one.record is not None else set())
    if isinstance(one, Judgement):
        return frozenset(map(str, one.pair))
    return frozenset({one.record}) if isinstance(one, Wish) else frozenset()


async def _said_by(unit: Unit, id: str, until: datetime | None) -> AsyncIterator[str]:
    """Every text of the history of a record until an instant, as it is, folded, and as an address; the first entry in
    any case.

    Clocks differ: a record was there when something was written about it.
    """
    stream, after, first = f"party:{id}", None, True
    while True:
        page = (await unit.store.ledger(unit.tenant, [stream], after=after))[stream]
        for entry in page.items:
            if not first and until is not None and entry.recorded_at > until:
                return
            first = False
            for text in _texts(entry.body) if entry.schema != ERASED else ():
                yield text
                yield fold(text)
                if (address := address_in(text)) is not None:
                    yield address
        if page.next is None:
            return
        after = {stream: page.items[-1].seq}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _spelled(said: str, point: str | None) -> bool:
    """Whether *said* is a spelling of a contact point, whose normal form is *point*."""
    if point is None:
        return False
    address = address_in(said)
    if address is not None:
        return address == point or _dialled_at_home(address, point)
    return point in (fold(said), clean(said)) or point.partition(":")[2] == clean(said).casefold()


def _dialled_at_home(one: str, other: str) -> bool:
    """Whether one of two numbers is the other as it is dialled within the country."""
    if "@" in one or "@" in other or one.startswith("+") == other.startswith("+"):
        return False
    short, long = sorted((one, other), key=lambda number: number.startswith("+"))
    digits = "".join(char for char in short if char.isdecimal()).lstrip("0")
    return len(digits) >= _SHORTEST and long.endswith(digits)
