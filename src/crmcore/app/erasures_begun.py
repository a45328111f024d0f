"""What is noted of an erasure when it is begun, so that it goes on by that if it was cut off.

Invariant: what goes on erases nothing that the plan that was begun does not name as going, and keeps what it kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from crmcore.app.frozen import fixed_id
from crmcore.app.subject_erasure import REFUSED, PlannedErasure, place_name
from crmcore.app.unit import Unit
from crmcore.consent.certificate import BEGUN, ErasureBegun, begun_lines, place_hash
from crmcore.consent.disposition import STRENGTH, ErasurePlan
from crmcore.errors import InvalidRightsRequest
from crmcore.party.party_keys import PARTY
from crmcore.values.ids import Id, PartyId


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
    """Plan that this is noted, in place of what was noted before."""
    for number, part in enumerate(parts):
        ref = unit.ref(BEGUN.tag, part_id(BEGUN.tag, id, number))
        before = (await unit.get([ref])).get(ref)
        await unit.put(BEGUN, Id(ref.id), part, expect=0 if before is None else before.version)


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
        asked = anew or one.cite == REFUSED
        if asked and STRENGTH[one.action] > STRENGTH[line.action]:
            raise InvalidRightsRequest(
                "more is kept by now than by the plan that was begun: make another plan and look"
            )
        disposals.append(
            attrs.evolve(one, action=line.action, reason=line.reason, cite=line.cite, until=line.until)
        )
    return attrs.evolve(planned, plan=ErasurePlan(disposals=tuple(disposals)))


def hash_of(unit: Unit, party: PartyId) -> str:
    """By what the record of a party is known among the things that were begun."""
    return place_hash(place_name(unit.ref(PARTY.tag, party)))


def part_id(tag: str, id: Id, number: int) -> Id:
    """The id of one of several records about what has the id *id*."""
    return fixed_id(tag, id, str(number)) if number else id
