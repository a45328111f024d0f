"""What an audience of all customers has passed, so that each is told of once, whatever is written meanwhile.

Invariant: nobody is told of twice because a record that was passed was erased or merged since, and who was there all
the time is not left out because of a record that came when its place was passed already. What is remembered are the
records of customers of several, those that were taken back, and those that came meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from crmcore.app.consent_reading import HeldRecord
from crmcore.app.feed import here
from crmcore.app.flow import Flow
from crmcore.app.resolve import Membership
from crmcore.app.unit import Unit
from crmcore.errors import PositionExpired
from crmcore.party.party_keys import PARTY
from crmcore.storage.capability import CHANGES, claims
from crmcore.storage.protocol import Position
from crmcore.values.ids import Ids, PartyId

_PAGE = 500


@attrs.define(repr=False)
class Passed:
    """The records that were passed, page by page in order of id.

    *told* are those of customers of several, and those that are younger than the audience: *begun* is the least that
    an id of these can be. By those in *untold* nobody was told of: they were taken back, or came when their place was
    passed. *position* is how far the feed was read, which is asked when a record that is in neither was merged
    meanwhile. It is None over a store without a feed: there every such record counts as told. One of them that was
    merged and then erased meanwhile counts as untold, and so does one that came meanwhile from a writer whose clock is
    slow: rather twice than not at all.
    """

    position: Position | None
    begun: PartyId
    told: set[PartyId] = attrs.field(factory=set[PartyId])
    untold: set[str] = attrs.field(factory=set[str])

    @classmethod
    async def nothing(cls, flow: Flow) -> Passed:
        """As an audience begins."""
        # The next millisecond, so that no older record is kept where a clock stands still.
        begun = int(flow.clock().timestamp() * 1000) + 1
        fed = claims(flow.store.describe(), CHANGES)
        return cls(await here(flow) if fed else None, Ids(lambda: begun, lambda _: 0).new(PartyId))

    async def firsts(
        self, unit: Unit, records: Mapping[PartyId, HeldRecord], found: Mapping[PartyId, Membership]
    ) -> list[PartyId]:
        """Those *records* of the next page by which a customer is told of; *found* are their customers.

        A record that was erased stays a member of its customer, and no page ever shows it.
        """
        repeated: set[PartyId] = set()
        asked: dict[PartyId, list[PartyId]] = {}
        for id, customer in found.items():
            if customer.cluster is None:
                if not records[id].reach.stands:
                    self.untold.add(id)
                elif id >= self.begun:
                    self.told.add(id)
                continue
            before = [member for member in customer.members if member < id]
            if not self.told.isdisjoint(before):
                repeated.add(id)
            elif before:
                asked[id] = before
            self.told.add(id)
        if asked:
            passed = await self._alone(unit, {one for before in asked.values() for one in before}, max(found))
            repeated.update(id for id, before in asked.items() if not passed.isdisjoint(before))
        return [id for id in found if id not in repeated]

    async def _alone(self, unit: Unit, asked: set[PartyId], last: PartyId) -> set[str]:
        """Those of some records that were told of as customers of one; *last* is where the page ends."""
        refs = [unit.ref(PARTY.tag, id) for id in sorted(asked)]
        there = {ref.id for ref in await unit.get(refs, check=False)}
        if not there <= self.untold:
            await self._read_feed(unit, last)
        return there - self.untold

    async def _read_feed(self, unit: Unit, last: PartyId) -> None:
        """Note the records that came since the audience began when their place was passed already."""
        while self.position is not None:
            try:
                page = await unit.store.changes(unit.tenant, self.position, _PAGE)
            except PositionExpired:  # a feed that no longer reaches back says as much as none
                self.position = None
                return
            if not page.items:
                return
            self.position = page.next
            self.untold.update(
                change.ref.id
                for change in page.items
                if change.op == "put" and change.version == 1
                if change.ref is not None and change.ref.kind == PARTY.tag and change.ref.id <= last
            )
