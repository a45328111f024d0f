"""The interactions of a customer since an instant, as caps count them.

Invariant: of a timeline no more is read than lies after the instant. What stands there by now counts; with `known_at`,
in the version that was known then, so that nothing counts that was recorded later; of what was corrected since to a
time before the instant, nothing is found.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from crmcore.app.unit import Unit, load_record
from crmcore.interaction.interaction import Interaction
from crmcore.interaction.lay import INTERACTION, TIMELINE
from crmcore.storage.protocol import Ref
from crmcore.values.ids import PartyId
from crmcore.values.instant import to_sort

_PAGE = 100


async def contacts_since(
    unit: Unit, members: Collection[PartyId], since: datetime, known_at: datetime | None = None
) -> list[Interaction]:
    """The interactions since then of the customer with the records *members*, each once, newest first."""
    refs: dict[Ref, None] = {}
    after: str | None = None
    while True:
        page = await unit.range(TIMELINE, members, lo=to_sort(since), after=after, limit=_PAGE, reverse=True)
        # One with several members of the customer has a place for each, and counts once.
        refs.update((ref, None) for ref in await unit.owners(ref for _, ref in page.items))
        after = page.next
        if after is None:
            break
    records = await unit.get(refs, check=False)
    found: list[Interaction] = [load_record(INTERACTION, records[ref]) for ref in refs if ref in records]
    if known_at is None:
        return found
    then = [await _as_known(unit, one, known_at) for one in found]
    return [one for one in then if one is not None and not set(members).isdisjoint(one.parties)]


async def _as_known(unit: Unit, interaction: Interaction, known_at: datetime) -> Interaction | None:
    """The version of an interaction that was known then."""
    while interaction.recorded_at is not None and interaction.recorded_at > known_at:
        ref = unit.ref(INTERACTION.tag, str(interaction.corrects))
        record = None if interaction.corrects is None else (await unit.get([ref], check=False)).get(ref)
        if record is None:
            return None
        interaction = load_record(INTERACTION, record)
    return interaction
