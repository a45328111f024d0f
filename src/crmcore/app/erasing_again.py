"""Carrying over what was erased of people into a store that an older backup was restored into, with what was written
beside it.

Invariant: nobody is permitted more than where they were erased. A No about an address that somebody else has stays for
them, addresses are suppressed, consent that is kept is over, and what is kept is found again when its time is over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from datetime import date
from typing import Literal

import attrs

from crmcore.app.erasure_places import Place, all_entries
from crmcore.app.erasures_begun import begun_of, customer_note, note_begun
from crmcore.app.flow import Flow
from crmcore.app.resolve import is_id
from crmcore.app.subject_erasure import ErasureFacts, Occasion, PlannedErasure, planned_erasure, prepare
from crmcore.app.subject_noes import for_others
from crmcore.app.unit import Unit
from crmcore.consent.certificate import begun_by
from crmcore.consent.disposition import Disposal, ErasurePlan
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party_keys import PARTY
from crmcore.storage.carried_over import ErasedAgain, erase_again
from crmcore.storage.erasure import Erasure, eraser_of
from crmcore.storage.protocol import Ref
from crmcore.values.ids import Id, PartyId

_IDEM = re.compile(r"erasure:(.+):[0-9a-f]{16}")
"""How `subject_erasure` names the parts of an erasure, with its mark."""

_NOT_NAMED = "the erasure that was carried over did not name it"
_BY_HOLD = "a legal hold"


async def erased_again(flow: Flow, erasures: Iterable[Erasure]) -> ErasedAgain:
    """Do again what was erased of this tenant, with all that was written beside it."""
    eraser_of(flow.store)
    wanted = [one for one in erasures if one.tenant == flow.tenant]
    gone = _Gone(parties=_parties(wanted), places={place for one in wanted for place in _places(one)})
    plans = [await _planned(flow, mark, some, gone) for mark, some in _by_mark(wanted).items()]
    # Before, since by then all can be read, should this be cut off; and after, since an entry that was written here may
    # have a number under which the other store had something that was erased.
    await _written(flow, plans)
    done = await erase_again(flow.store, wanted)
    await _written(flow, plans)
    for one in plans:
        await _noted(flow, one)
    return done


@attrs.frozen(kw_only=True)
class _Gone:
    """The records of people, and all things, that were erased under any mark."""

    parties: frozenset[str]
    places: Set[Place]


@attrs.frozen(kw_only=True)
class _Again:
    """What was *planned* under a *mark*, and first carried out on the *day*."""

    mark: str
    day: date
    planned: PlannedErasure


async def _written(flow: Flow, plans: Iterable[_Again]) -> None:
    for one in plans:
        await prepare(flow, one.planned, one.mark, _nobody_else)


async def _nobody_else(unit: Unit) -> None:
    """Nobody else writes to a store that is being restored."""


def _by_mark(erasures: Iterable[Erasure]) -> dict[str, list[Erasure]]:
    """The erasures of people by what they were done for; others have nothing beside them."""
    found: dict[str, list[Erasure]] = {}
    for one in erasures:
        if (named := _IDEM.fullmatch(one.idem)) is not None:
            found.setdefault(named[1], []).append(one)
    return found


def _parties(erasures: Iterable[Erasure]) -> frozenset[str]:
    """The records that went."""
    return frozenset(
        id
        for one in erasures
        for id in (*one.subjects, *(ref.id for ref in one.refs if ref.kind == PARTY.tag))
    )


async def _planned(flow: Flow, mark: str, erasures: Sequence[Erasure], gone: _Gone) -> _Again:
    """What was planned under *mark*, as far as it can be told from its *erasures*, and from what is *gone* by all."""
    unit, day = flow.new_unit(), erasures[0].at.date()
    named = {place for one in erasures for place in _places(one)}
    members = sorted(_parties(erasures)) or await _who_said(unit, named)
    occasion = Occasion(mark=mark, today=day, asked=day, answered=True)
    planned = await planned_erasure(flow, unit, list(map(PartyId, members)), occasion, ErasureFacts())
    subjects = frozenset[str]().union(*(one.subjects for one in erasures))
    named |= {(one.stream, one.seq) for one in planned.data.entries if subjects.intersection(one.subjects)}
    others = gone.parties - set(members)
    data = attrs.evolve(
        planned.data,
        shared={
            stream: left
            for stream, ids in planned.data.shared.items()
            if (left := tuple(id for id in ids if id not in others))
        },
        interactions=tuple(
            attrs.evolve(one, participants=tuple(who for who in one.participants if who.party not in others))
            for one in planned.data.interactions
        ),
    )
    with_others = {one.id for one in data.interactions if set(one.parties) - set(members)}
    disposals = tuple(
        _again(one, place, named, with_others)
        for one in planned.plan.disposals
        if (place := planned.places[one.place]) in named or place not in gone.places
    )
    plan = for_others(ErasurePlan(disposals=disposals), data, planned.acts, planned.places)
    return _Again(mark=mark, day=day, planned=attrs.evolve(planned, data=data, plan=plan))


def _places(erasure: Erasure) -> Iterator[Place]:
    yield from erasure.refs
    yield from erasure.entries


async def _who_said(unit: Unit, named: Iterable[Place]) -> list[str]:
    """Whose acts were erased, where their own records were kept."""
    acts = [place for place in named if not isinstance(place, Ref) and place[0].startswith("consent:")]
    found: set[str] = set()
    for stream in {stream for stream, _ in acts}:
        entries = [one for one in await all_entries(unit, stream) if (stream, one.seq) in acts]
        found |= {one.body["record"] for one in entries if one.body.get("record")}
    return sorted(found)


def _again(one: Disposal, place: Place, named: Collection[Place], with_others: Collection[str]) -> Disposal:
    """What became of a thing: it went if it is named, and what is not stayed; why, only a hold can tell."""
    if place in named:
        talk = isinstance(place, Ref) and place.kind == INTERACTION.tag and place.id in with_others
        action: Literal["anonymise", "delete"] = (
            "anonymise" if talk and one.action == "anonymise" else "delete"
        )
        return attrs.evolve(one, action=action, until=None)
    if one.action in ("keep", "restrict"):
        return one
    return attrs.evolve(one, action="restrict", reason=_NOT_NAMED, cite=_BY_HOLD, until=None)


async def _noted(flow: Flow, one: _Again) -> None:
    """Note what was kept, so that it is found when its time is over, unless the backup knows of it."""
    planned, mark = one.planned, one.mark
    members = planned.data.members
    if not members or not planned.plan.of("keep", "restrict"):
        return

    async def plan(unit: Unit) -> None:
        ids = [customer_note(member) for member in members] + [Id(mark)] * is_id(mark)
        for id in ids:
            if await begun_of(unit, id):
                return
        points = [ref.id for ref in planned.data.points]
        first, *rest = begun_by(planned.plan, mark, points=points)
        first = attrs.evolve(first, members=tuple(map(str, members)), asked=one.day, done=True)
        await note_begun(unit, ids[0], [first, *rest])

    await flow.commit(plan)
