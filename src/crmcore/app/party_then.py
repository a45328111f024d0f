"""A record as it was known at an instant.

Invariant: nothing that was recorded later is looked at. A record that was not there yet is taken as it was first
recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crmcore.app.unit import Unit
from crmcore.party.history import PartyEvent, replay
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasure import ERASED


async def party_then(unit: Unit, party: Party, known_at: datetime) -> Party:
    """The record, as it was known at that instant."""
    events: list[PartyEvent] = []
    after: dict[str, int] | None = None
    stream = f"party:{party.id}"
    while True:
        page = (await unit.store.ledger(unit.tenant, [stream], after=after))[stream]
        for entry in page.items:
            if entry.schema == ERASED:
                continue
            if events and entry.recorded_at > known_at:
                return _replayed(party, events)
            tag, _, schema = entry.schema.partition("/")
            events.append(unit.codecs[tag].load(entry.body, int(schema)))
        if page.next is None:
            return _replayed(party, events)
        after = {stream: page.items[-1].seq}


def _replayed(party: Party, events: Sequence[PartyEvent]) -> Party:
    body: dict[str, Any] = {**replay(tuple(events)), "id": str(party.id), "version": party.version}
    found: Party = PARTY.load(body)
    return found
