"""What the feed of a store says of identity: who changed, and of whom people judged.

Invariant: what a deduplication wrote itself is no news; everything else that can change who is the same is.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from crmcore.app.flow import Flow
from crmcore.app.relationships import related
from crmcore.app.unit import Unit, load_record
from crmcore.identity.identity_keys import JUDGEMENT
from crmcore.identity.judgement import Judgement
from crmcore.party.party_keys import PARTY, RELATIONSHIP
from crmcore.party.relationship import EMPLOYMENT
from crmcore.storage.protocol import Position, Ref
from crmcore.values.ids import PartyId

_PAGE = 500


@attrs.frozen(kw_only=True)
class Touched:
    """*parties* are people that are new, changed or taken back, *judged* parties of whom people have judged or taken a
    judgement back; *organizations* says that some changed, or who works for them. *workers* are the people who work for
    organizations that changed: they are compared by its name. *position* is how far it was read, over how many
    *changes*."""

    parties: set[PartyId]
    judged: set[PartyId]
    workers: set[PartyId] = attrs.field(factory=set[PartyId])
    organizations: bool
    position: Position
    changes: int = 0

    @property
    def worth_saving(self) -> bool:
        """Whether there is something that should not be read again. To write the position is a change itself, so a few
        changes that say nothing are read again instead."""
        return bool(self.parties or self.judged or self.organizations) or self.changes > _PAGE


async def here(flow: Flow) -> Position:
    """The present end of the feed."""
    return (await flow.store.changes(flow.tenant, "", 1)).watermark


async def read_feed(flow: Flow, after: Position) -> Touched:
    """Everything after a position.

    Raises:
        PositionExpired: if the feed no longer reaches back so far.
    """
    unit = flow.new_unit()
    found = Touched(parties=set(), judged=set(), organizations=False, position=after)
    while True:
        page = await flow.store.changes(flow.tenant, found.position, _PAGE)
        refs = dict.fromkeys(change.ref for change in page.items if change.ref is not None)
        if page.items:
            found = attrs.evolve(found, position=page.next, changes=found.changes + len(page.items))
        found = await _people(unit, [ref for ref in refs if ref.kind == PARTY.tag], found)
        await _judged(unit, [ref for ref in refs if ref.kind == JUDGEMENT.tag], found)
        found = await _jobs(unit, [ref for ref in refs if ref.kind == RELATIONSHIP.tag], found)
        if not page.items:
            return found


async def _people(unit: Unit, refs: Sequence[Ref], found: Touched) -> Touched:
    records = await unit.get(refs, check=False) if refs else {}
    kinds = {PartyId(ref.id): record.body["kind"] for ref, record in records.items()}
    found.parties.update(id for id, kind in kinds.items() if kind in ("person", "anonymous"))
    others = [id for id, kind in kinds.items() if kind not in ("person", "anonymous")]
    jobs = (await related(unit, others)).values() if others else ()
    found.workers.update(job.from_ for of_one in jobs for job in of_one if job.type == EMPLOYMENT.key)
    return attrs.evolve(found, organizations=found.organizations or bool(others))


async def _judged(unit: Unit, refs: Sequence[Ref], found: Touched) -> None:
    records = await unit.get(refs, check=False) if refs else {}
    for record in records.values():
        judgement: Judgement = load_record(JUDGEMENT, record)
        taken_back = judgement.retracted
        by_model = taken_back is None or taken_back.actor.kind == "model"
        if judgement.human or not by_model:
            found.judged.update(judgement.pair)


async def _jobs(unit: Unit, refs: Sequence[Ref], found: Touched) -> Touched:
    records = await unit.get(refs, check=False) if refs else {}
    jobs = [load_record(RELATIONSHIP, record) for record in records.values()]
    jobs = [job for job in jobs if job.type == EMPLOYMENT.key]
    found.parties.update(PartyId(job.from_) for job in jobs)
    return attrs.evolve(found, organizations=found.organizations or bool(jobs))
