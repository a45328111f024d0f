"""Whom a verb of a batch was asked about, to be known again when the batch runs again.

Invariant: where the crm has no secrets nothing is kept of it: whoever asks again is compared with what was written
then, and where that tells nothing, as when the person has left the address since, the same call is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from crmcore.app.resolve import Reference, address_in
from crmcore.app.unit import Unit
from crmcore.consent.event import ConsentEvent
from crmcore.consent.rights_request import RightsRequest
from crmcore.consent.wishes import Wish
from crmcore.values.source import Source

_TAIL = 7
"""So many last digits tell one phone number from another, however it is dialled."""


@attrs.frozen
class Whom:
    """The reference and the contact point that were given; *parties* are the records that it leads to now."""

    ref: Reference
    point: str | None = None
    parties: frozenset[str] = frozenset()

    async def fits(self, unit: Unit, result: Any) -> bool:
        """Whether *result*, what a verb came to in an earlier run, may be about whoever this is."""
        if isinstance(result, ConsentEvent) and result.scope.point is not None and self._about is not None:
            return _alike(self._about, result.scope.point)
        for one in result if isinstance(result, tuple) else (result,):
            ids = _records_of(one)
            if ids and not self._is_of(ids) and not await self._was_of(unit, ids):
                return False
        return True

    @property
    def _about(self) -> str | None:
        said = self.ref if self.point is None else self.point
        return None if isinstance(said, Source) or "#" in said else address_in(said)

    def _is_of(self, ids: frozenset[str]) -> bool:
        return str(self.ref) in ids or not self.parties or not self.parties.isdisjoint(ids)

    async def _was_of(self, unit: Unit, ids: frozenset[str]) -> bool:
        """Whether one of these records had the address that was given, which is somebody else's by now."""
        about = self._about
        streams = [f"party:{id}" for id in sorted(ids)]
        past = await unit.ledgers(streams) if about is not None else {}
        texts = _texts([body for entries in past.values() for _, body in entries])
        return about is not None and any(_alike(about, address_in(text) or "") for text in texts)


def _records_of(one: Any) -> frozenset[str]:
    """The records that something which was written is about."""
    if isinstance(one, RightsRequest):
        return frozenset({one.anchor, one.customer, *one.members})
    if isinstance(one, ConsentEvent):
        return frozenset(one.members) | ({one.record} if one.record is not None else set())
    return frozenset({one.record}) if isinstance(one, Wish) else frozenset()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _alike(one: str, other: str) -> bool:
    """Whether two contact points are one: a number may have been dialled from somewhere else, or lack its extension."""
    if "@" in one or "@" in other:
        return one == other
    (one, _, extension), (other, _, another) = one.partition("x"), other.partition("x")
    if "" not in (extension, another) and extension != another:
        return False
    return bool(one and other) and _digits(one)[-_TAIL:] == _digits(other)[-_TAIL:]


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())
