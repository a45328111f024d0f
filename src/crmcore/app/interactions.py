"""`crm.interactions`: record what was said and done, correct it, take it back, read it in order.

Invariant: nothing recorded is rewritten. A correction is a new record that replaces the old one in every timeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from crmcore.app.asked import Among, Asked, fields_of
from crmcore.app.flow import Flow
from crmcore.app.resolve import Reference, members_of
from crmcore.app.unit import Unit, load_record, proven
from crmcore.errors import InvalidInteraction, InvalidRecord, NotFound, TimelineChanged
from crmcore.interaction.interaction import (
    Direction,
    Interaction,
    Kind,
    Participant,
    check_new,
    check_not_future,
    corrected,
    reassigned,
    retraction,
)
from crmcore.interaction.interaction_events import (
    InteractionCorrected,
    InteractionRecorded,
    InteractionRetracted,
)
from crmcore.interaction.lay import (
    DEDUPE,
    INTERACTION,
    REPLACES,
    TIMELINE,
    interaction_keys,
    interaction_sorts,
)
from crmcore.party.party_keys import PARTY
from crmcore.party.party_keys import key as text_key
from crmcore.storage.protocol import Key, Ref, Sort
from crmcore.values.ids import InteractionId, PartyId
from crmcore.values.instant import to_sort
from crmcore.values.moment import Moment, check_moment, moment_instant
from crmcore.values.source import Source


@attrs.frozen
class Timeline:
    """A page of interactions and the cursor for more; None: that is all."""

    items: tuple[Interaction, ...]
    next: str | None = None


@attrs.frozen
class AsyncInteractions:
    """Interactions in both directions, with their times."""

    _flow: Flow

    async def record(
        self,
        kind: Kind,
        *,
        direction: Direction,
        occurred_at: Moment,
        with_: PartyId | Sequence[PartyId | Participant],
        **facts: Any,
    ) -> Interaction:
        """Record a contact. *with_* is who took part; a bare party id takes part as its subject.

        The same *dedupe_key* again records nothing: the interaction that stands is returned, with the sources of both,
        or its retraction (see `Interaction.retracts`), which a report that arrives again does not undo.

        Raises:
            NaiveDatetime: if *occurred_at* is a datetime without a zone.
            FutureInteraction: if it has not happened yet.
            InvalidInteraction: if nobody took part.
            NotFound: if a party does not exist.
        """
        people = [with_] if isinstance(with_, str) else with_
        draft = Interaction(
            kind=kind,
            direction=direction,
            occurred_at=occurred_at,
            participants=tuple(p if isinstance(p, Participant) else Participant(party=p) for p in people),
            **facts,
        )

        proven(INTERACTION, draft, InvalidInteraction)

        async def plan(unit: Unit) -> Interaction:
            check_not_future(draft, unit.now)
            check_new(draft)
            await _check_parties(unit, draft)
            if draft.dedupe_key is not None:
                standing = await _standing_for(unit, draft.dedupe_key)
                if standing is not None and standing.retracts is not None:
                    return standing
                if standing is not None:
                    return await _with_sources(unit, standing, draft.sources)
            return await record_interaction(unit, draft)

        fields = fields_of(draft, "recorded_at")
        if draft.dedupe_key is not None:
            fields = {"dedupe_key": draft.dedupe_key}  # what stands under it may have been reported otherwise
        asked = Asked("interactions.record", (kind, direction), written=(fields,))
        return await self._flow.commit(plan, asked=asked)

    async def get(self, id: InteractionId) -> Interaction:
        """The interaction as it was recorded under this id, corrected or not.

        Raises:
            NotFound: if there is none.
        """
        return await _load(self._flow.reader(), id)

    async def correct(self, id: InteractionId, *, reason: str, **changes: Any) -> Interaction:
        """Replace what was recorded wrongly. *id* may be that of any earlier version.

        Raises:
            InvalidInteraction: if it was retracted, or *changes* name fields that are not to be set.
        """
        asked = Asked("interactions.correct", (id,), written=(changes,))
        return await self._replace(
            asked, id, lambda old: corrected(old, reason=reason, changes=changes), reason
        )

    async def reassign(self, id: InteractionId, *, from_: PartyId, to: PartyId, reason: str) -> Interaction:
        """Put another party in the place of one that did not take part after all."""
        asked = Asked("interactions.reassign", (id, from_, to))
        return await self._replace(
            asked, id, lambda old: reassigned(old, from_=from_, to=to, reason=reason), reason
        )

    async def attach_source(self, id: InteractionId, source: Source) -> Interaction:
        """Say that another system reports the same interaction."""

        async def plan(unit: Unit) -> Interaction:
            return await _with_sources(unit, await _latest(unit, id), (source,))

        asked = Asked("interactions.attach_source", (id,), written=({"sources": Among(source)},))
        return await self._flow.commit(plan, asked=asked)

    async def retract(self, id: InteractionId, *, reason: str) -> Interaction:
        """Take back an interaction that was recorded by mistake; it leaves every timeline and stays readable."""
        asked = Asked("interactions.retract", (id,))
        return await self._replace(asked, id, lambda old: retraction(old, reason=reason), reason)

    async def timeline(
        self,
        ref: Reference,
        *,
        after: str | None = None,
        limit: int = 50,
        oldest_first: bool = False,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> Timeline:
        """The interactions of a customer, over all its records, newest first; stable while others are recorded.

        *since* and *until* bound the time, half-open. *after* is the `next` of the page before.

        Raises:
            TimelineChanged: if *after* is of another timeline, or records joined or left the customer since.
        """
        unit = self._flow.reader()
        members = await members_of(unit, ref)
        lo = None if since is None else to_sort(_bound(since))
        hi = None if until is None else to_sort(_bound(until))
        items: list[Interaction] = []
        while True:
            try:
                page = await unit.range(
                    TIMELINE,
                    members,
                    lo=lo,
                    hi=hi,
                    after=after,
                    limit=limit - len(items),
                    reverse=not oldest_first,
                )
            except InvalidRecord:
                if after is None:
                    raise
                raise TimelineChanged(
                    "the cursor is not of this timeline, or the customer has other records now: begin again"
                ) from None
            items += await _shown(unit, page.items, frozenset(members))
            after = page.next
            if after is None or len(items) >= limit:
                return Timeline(tuple(items), after)

    async def _replace(self, asked: Asked, id: InteractionId, change: Any, reason: str) -> Interaction:
        async def plan(unit: Unit) -> Interaction:
            old = await _latest(unit, id)
            return await replace_interaction(unit, old, change(old))

        return await self._flow.commit(plan, asked=asked, reason=reason)


async def record_interaction(unit: Unit, draft: Interaction, id: InteractionId | None = None) -> Interaction:
    """Plan the recording of an interaction that was checked, under a new *id* if none is given."""
    near = draft.parties[0] if draft.parties else None
    stored = attrs.evolve(draft, id=id or unit.ids.new(InteractionId, near=near), recorded_at=unit.now)
    await _put(unit, stored)
    event = InteractionRecorded(
        interaction=stored.id, parties=stored.parties, actor=unit.actor, reason=unit.reason
    )
    unit.event(f"interaction:{stored.id}", event, subjects=stored.parties)
    return stored


async def replace_interaction(unit: Unit, old: Interaction, draft: Interaction) -> Interaction:
    """Plan a correction or retraction: the new record stands, the old one leaves timelines and gives up its key."""
    if draft.retracts is None:
        check_not_future(draft, unit.now)
    proven(INTERACTION, draft, InvalidInteraction)
    await _check_parties(unit, draft)
    new = attrs.evolve(draft, id=unit.ids.new(InteractionId, near=old.id), recorded_at=unit.now)
    ref = unit.ref(INTERACTION.tag, old.id)
    record = (await unit.get([ref]))[ref]
    kept = frozenset(key for key in record.keys if key.namespace == REPLACES)
    await unit.rekey(record, keys=kept, sorts=frozenset())
    await _put(unit, new)
    subjects = tuple(dict.fromkeys((*old.parties, *new.parties)))
    event: InteractionCorrected | InteractionRetracted
    if new.retracts is not None:
        event = InteractionRetracted(
            interaction=new.id, retracts=old.id, parties=subjects, actor=unit.actor, reason=new.reason
        )
    else:
        event = InteractionCorrected(
            interaction=new.id, corrects=old.id, parties=subjects, actor=unit.actor, reason=new.reason
        )
    unit.event(f"interaction:{new.root}", event, subjects=subjects)
    return new


async def _put(unit: Unit, interaction: Interaction) -> None:
    await unit.put(
        INTERACTION,
        interaction.id,
        interaction,
        expect=0,
        keys=interaction_keys(interaction),
        sorts=interaction_sorts(interaction),
    )


async def _check_parties(unit: Unit, interaction: Interaction) -> None:
    refs = [unit.ref(PARTY.tag, party) for party in interaction.parties]
    # Parties are never deleted, so their later changes do not matter here.
    found = await unit.get(refs, check=False)
    if len(found) != len(refs):
        raise NotFound("a participant is no party of this store: add the party first, or give its address")


async def _load(unit: Unit, id: InteractionId) -> Interaction:
    ref = unit.ref(INTERACTION.tag, id)
    record = (await unit.get([ref], check=False)).get(ref)
    if record is None:
        raise NotFound("no interaction has this id: see crm.interactions.timeline(...)")
    loaded: Interaction = load_record(INTERACTION, record)
    return loaded


async def _latest(unit: Unit, id: InteractionId) -> Interaction:
    """What stands now for an interaction that may have been corrected several times."""
    found = await _load(unit, id)
    while True:
        key = Key(REPLACES, found.id)
        refs = (await unit.find([key]))[key]
        if not refs:
            break
        found = await _load(unit, InteractionId(refs[0].id))
    if found.retracts is not None:
        raise InvalidInteraction("the interaction was retracted: record it anew if it did happen")
    return found


async def _standing_for(unit: Unit, dedupe_key: str) -> Interaction | None:
    key = text_key(DEDUPE, dedupe_key)
    refs = (await unit.find([key]))[key]
    return await _load(unit, InteractionId(refs[0].id)) if refs else None


async def _with_sources(unit: Unit, standing: Interaction, sources: tuple[Source, ...]) -> Interaction:
    new = tuple(source for source in sources if source not in standing.sources)
    if not new:
        return standing
    changes = {"sources": (*standing.sources, *new)}
    draft = corrected(standing, reason="reported by a further source", changes=changes)
    return await replace_interaction(unit, standing, draft)


async def _shown(
    unit: Unit, places: Sequence[tuple[Sort, Ref]], members: frozenset[PartyId]
) -> list[Interaction]:
    """The interactions at these places of a timeline.

    One with several members of the customer has a place for each, anywhere among those of its time; it is shown at
    that of the first member, so once over all pages.
    """
    owners = {ref: (await unit.owners([ref]))[0] for _, ref in places if ref.kind != INTERACTION.tag}
    mains = [owners.get(ref, ref) for _, ref in places]
    records = await unit.get(mains, check=False)
    loaded = [load_record(INTERACTION, records[main]) for main in mains]
    return [
        interaction
        for interaction, (sort, _) in zip(loaded, places, strict=True)
        if sort.part == min(members.intersection(interaction.parties), default=None)
    ]


def _bound(moment: Moment) -> datetime:
    return moment_instant(check_moment(moment, "a bound of the time"))
