"""What is noted of an erasure when it is begun, so that it goes on by that if it was cut off.

Invariant: what goes on erases nothing that the plan that was begun does not name as going, and keeps what it kept.
Where another plan was begun meanwhile, it does not go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import attrs

from crmcore.app.erasure_places import emptied_heads, place_name, there
from crmcore.app.frozen import fixed_id
from crmcore.app.subject_erasure import REFUSED, PlannedErasure
from crmcore.app.unit import Unit
from crmcore.consent.certificate import (
    BEGUN,
    CertificateLine,
    ErasureBegun,
    begun_lines,
    line_of,
    place_hash,
    with_lines,
)
from crmcore.consent.disposition import STRENGTH, Disposal, ErasurePlan
from crmcore.consent.ledger import point_stream
from crmcore.errors import InvalidRightsRequest
from crmcore.party.party_keys import PARTY
from crmcore.storage.protocol import Ref
from crmcore.values.ids import Id, PartyId

_NOTED = "as was noted of it"
_ANYWAY = "it was to be kept for something else, too, when its erasure was begun"


async def begun_of(unit: Unit, id: Id) -> list[ErasureBegun]:
    """What was noted when the erasure was begun, in its parts; none if it was not."""
    found: list[ErasureBegun] = []
    while not found or len(found) <= found[0].more:
        ref = unit.ref(BEGUN.tag, part_id(BEGUN.tag, id, len(found)))
        record = (await unit.get([ref])).get(ref)
        if record is None:
            return []
        found.append(BEGUN.load(record.body, record.schema))
    return found


async def note_begun(unit: Unit, id: Id, parts: Iterable[ErasureBegun]) -> None:
    """Plan that this is noted, in place of what was noted before, and counted on from that."""
    before, (first, *rest) = await begun_of(unit, id), parts
    number = before[0].number if before else 0
    anew = [attrs.evolve(first, number=number), *rest] != before
    await note_as_counted(unit, id, [attrs.evolve(first, number=number + anew), *rest])


async def note_as_counted(unit: Unit, id: Id, parts: Iterable[ErasureBegun]) -> None:
    """Plan that this is noted, in place of what was noted before, as it was counted elsewhere."""
    for number, part in enumerate(parts):
        ref = unit.ref(BEGUN.tag, part_id(BEGUN.tag, id, number))
        before = (await unit.get([ref])).get(ref)
        await unit.put(BEGUN, Id(ref.id), part, expect=0 if before is None else before.version)


async def note_instead(
    unit: Unit, *, id: Id, before: Sequence[ErasureBegun], now: Sequence[ErasureBegun]
) -> None:
    """Plan that what is noted *now* stands in place of what was *before*, unless something else does."""
    await as_noted(unit, id, before)
    await note_begun(unit, id, now)


async def as_noted(unit: Unit, id: Id, noted: Sequence[ErasureBegun]) -> None:
    """Refuse to go on by what was *noted* if something else is by now; until the commit it must stay so.

    Raises:
        InvalidRightsRequest: if another plan was begun, by somebody who keeps more, perhaps.
    """
    if _by(await begun_of(unit, id)) != _by(noted):
        raise InvalidRightsRequest(
            "another plan was begun while this one was carried out: make another one, look, and go on by that"
        )


def _by(parts: Iterable[ErasureBegun]) -> list[ErasureBegun]:
    """What is done by *parts*, whether or not somebody who goes on by the same has done it by now, however often it was
    noted."""
    return [attrs.evolve(part, done=False, number=0) for part in parts]


def as_begun(planned: PlannedErasure, parts: Sequence[ErasureBegun], *, anew: bool) -> PlannedErasure:
    """What was begun, as far as it is still there. *anew*: whether facts were told for it by whoever goes on.

    Raises:
        InvalidRightsRequest: if something has come in since, or more is to be kept.
    """
    begun = begun_lines(parts)
    disposals = []
    for one in planned.plan.disposals:
        line = begun.get(place_hash(one.place))
        if line is None and one.place in planned.own:
            continue
        if line is None:
            raise InvalidRightsRequest(
                "something has come in since this erasure was begun: make another plan, look, and go on by that one"
            )
        if line.action == "delete" and one.action == "anonymise" and _is_entry(planned, one):
            disposals.append(one)  # somebody else has the address by now: the No is theirs, too
            continue
        asked = anew or one.cite == REFUSED
        if asked and STRENGTH[one.action] > STRENGTH[line.action]:
            raise InvalidRightsRequest(
                "more is kept by now than by the plan that was begun: make another plan and look"
            )
        disposals.append(
            attrs.evolve(one, action=line.action, reason=line.reason, cite=line.cite, until=line.until)
        )
    return attrs.evolve(planned, plan=ErasurePlan(disposals=tuple(disposals)))


def as_kept(plan: ErasurePlan, parts: Sequence[ErasureBegun], on: date) -> ErasurePlan:
    """*plan*, where it was begun for a request that is not there: what was kept is kept until its day.

    What was refused on the request, or is kept by a table of their own, nobody tells again; holds are told.
    """
    begun = begun_lines(parts)

    def kept(one: Disposal) -> Disposal:
        line = begun.get(place_hash(one.place))
        if line is None or line.action not in ("keep", "restrict"):
            return one
        if line.held or (line.until or on) < on:
            return _anyway(one, line, on)
        if _keeps(one) > _keeps(line):
            return attrs.evolve(one, anyway=line.anyway)
        told = attrs.evolve(one, action=line.action, reason=line.reason, cite=line.cite, until=line.until)
        return attrs.evolve(told, hold=None, anyway=line.anyway)

    return attrs.evolve(plan, disposals=tuple(map(kept, plan.disposals)))


def _anyway(one: Disposal, line: CertificateLine, on: date) -> Disposal:
    """What becomes of a thing when that is over which kept it by its *line*, or may be."""
    if line.anyway is None or line.anyway < on:
        return one
    if one.action in ("keep", "restrict"):
        return attrs.evolve(one, anyway=line.anyway)
    if line.anyway == date.max:
        return attrs.evolve(one, action="restrict", reason=_ANYWAY, cite=REFUSED, until=None)
    return attrs.evolve(one, action="restrict", reason=_ANYWAY, cite=_NOTED, until=line.anyway)


def _keeps(one: Disposal | CertificateLine) -> tuple[bool, date, int]:
    """Whether a thing stays as it is, how long, and how much of it: a hold without an end outlasts a period."""
    return one.action in ("keep", "restrict"), one.until or date.max, STRENGTH[one.action]


def as_turned(planned: PlannedErasure, parts: Sequence[ErasureBegun]) -> tuple[ErasureBegun, ...]:
    """What was begun, but for what became otherwise: where somebody else has an address by now, its Noes and its ledger
    stay for them.
    """
    begun = begun_lines(parts)
    named = {place_hash(one.place): one for one in planned.plan.disposals}
    heads = {
        place_hash(place_name(ref))
        for ref in planned.data.points
        if point_stream(ref.id) in planned.data.shared
    }
    lines = {
        hashed: line_of(one) if (one := named.get(hashed)) is not None and one.action != line.action else line
        for hashed, line in begun.items()
        if line.action != "delete" or hashed in named or hashed not in heads
    }
    return tuple(parts) if lines == begun else with_lines(parts[0], lines)


async def without_others(
    unit: Unit, planned: PlannedErasure, parts: Sequence[ErasureBegun]
) -> tuple[ErasureBegun, ...]:
    """What was begun, without the ledgers of addresses that stay for others alone: what was kept there is gone."""
    emptied = await emptied_heads(unit, planned.data, planned.plan, planned.places)
    others = {place_hash(place_name(ref)) for ref in await there(unit, emptied)}
    lines = {hashed: line for hashed, line in begun_lines(parts).items() if hashed not in others}
    return with_lines(parts[0], lines) if others else tuple(parts)


async def gone_of(unit: Unit, planned: PlannedErasure, noted: Sequence[ErasureBegun]) -> frozenset[str]:
    """What is to be kept as is *noted*, and is there no more, by the hashes of its things."""
    lines = begun_lines(noted)
    kept = {
        place: hashed
        for one in planned.plan.disposals
        if (hashed := place_hash(one.place)) in lines and lines[hashed].action in ("keep", "restrict")
        for place in [planned.places[one.place]]
    }
    left = await there(unit, kept)
    return frozenset(hashed for place, hashed in kept.items() if place not in left)


def _is_entry(planned: PlannedErasure, one: Disposal) -> bool:
    return not isinstance(planned.places[one.place], Ref)


def hash_of(unit: Unit, party: PartyId) -> str:
    """By what the record of a party is known among the things that were begun."""
    return place_hash(place_name(unit.ref(PARTY.tag, party)))


def customer_note(place: str) -> Id:
    """The id of the note about a customer whom nobody asked to erase, which is none of a record of theirs."""
    return fixed_id(BEGUN.tag, Id(place), "retention")


def part_id(tag: str, id: Id, number: int) -> Id:
    """The id of one of several records about what has the id *id*."""
    return fixed_id(tag, id, str(number)) if number else id
