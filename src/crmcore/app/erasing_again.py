"""Carrying over what was erased of people into a store that an older backup was restored into, with what was written
beside it.

Invariant: nobody is permitted more than where they were erased, or kept. A No about an address that somebody else has
stays for them, addresses are suppressed, whoever is kept is restricted, consent that is kept is over, and what is kept
is found again when its time is over, not before. Where nothing tells why something was left, it counts as held. Where
addresses cannot be suppressed as they were, nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

import attrs

from crmcore.app.erasure_places import Place
from crmcore.app.erasures_begun import begun_of, customer_note, note_as_counted
from crmcore.app.erasures_whose import CarriedOver, Whose, by_mark, guessed, noted_people
from crmcore.app.flow import Flow
from crmcore.app.notes_joined import as_no_plan_knows, instead_of, joined, with_beside
from crmcore.app.past_erasures import ErasureNote, PastErasures, past_erasures
from crmcore.app.resolve import is_id, memberships
from crmcore.app.rights_store import request_if_there
from crmcore.app.subject_erasure import (
    ErasureFacts,
    Occasion,
    PlannedErasure,
    planned_erasure,
    prepare,
    restrict_person,
)
from crmcore.app.subject_noes import for_others
from crmcore.app.subject_talks import Talks
from crmcore.app.talks_again import copied_again, for_those_left
from crmcore.app.unit import Unit
from crmcore.consent.certificate import (
    CertificateLine,
    ErasureBegun,
    Restriction,
    begun_by,
    begun_lines,
    place_hash,
)
from crmcore.consent.disposition import HELD, Disposal, ErasurePlan
from crmcore.consent.ledger import CONTACT_POINT
from crmcore.consent.rights_request import RequestId
from crmcore.errors import InvalidConsent, InvalidRightsRequest, WrongKey
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party_keys import PARTY
from crmcore.storage.carried_over import ErasedAgain, erase_again
from crmcore.storage.erasure import ERASED, Erasure, eraser_of
from crmcore.storage.protocol import Ref
from crmcore.values.ids import Id, PartyId

_NOT_NAMED = "the erasure that was carried over did not name it"


async def erased_again(flow: Flow, past: PastErasures | Iterable[Erasure]) -> ErasedAgain:
    """Do again what was erased of this tenant, with all that was written beside it."""
    eraser_of(flow.store)
    if not isinstance(past, PastErasures):
        past = PastErasures(tenant=flow.tenant, erasures=tuple(past))
    if past.tenant != flow.tenant:
        raise InvalidRightsRequest("this was erased of another tenant: open the crm with that tenant")
    wanted = [one for one in past.erasures if one.tenant == flow.tenant]
    notes = past.notes
    if by_mark(wanted) or not all(one.parts[0].only_kept for one in notes):
        _refuse_without_secrets(flow, past)
    here = await past_erasures(flow)
    gone = CarriedOver.of(wanted, notes)
    await _refuse_unreadable(flow, wanted, here.erasures, gone)
    unit, marks = flow.new_unit(), by_mark(wanted)
    noted_here = {one.id: one for one in here.notes}
    anew = [one for one in notes if not _is_over(one, noted_here.get(one.id))]
    people = noted_people([one for one in anew if not one.parts[0].only_kept], marks)
    told = {note.parts[0].request for note in notes if not note.parts[0].only_kept}
    people += [await guessed(unit, mark, some) for mark, some in marks.items() if mark not in told]
    await copied_again(flow, wanted, people, gone)
    talks = await Talks.read(unit) if people else None
    plans = [await _planned(flow, unit, one, gone, talks) for one in people]
    # Before, since by then all can be read, should this be cut off; and after, since an entry that was written here may
    # have a number under which the other store had something that was erased.
    await _written(flow, plans, anew, gone)
    done = await erase_again(flow.store, wanted)
    await _written(flow, plans, anew, gone)
    for one in sorted(plans, key=lambda one: one.whose.asked):
        await _noted(flow, one)
    for note in (note for note in anew if note.parts[0].only_kept):
        await flow.commit(partial(_kept, note=note))
    return done


@attrs.frozen(kw_only=True)
class _Again:
    """What was *planned* for whom, and what of it is kept though nothing tells why (*left*)."""

    whose: Whose
    planned: PlannedErasure
    left: tuple[Disposal, ...]


async def _written(
    flow: Flow, plans: Iterable[_Again], notes: Iterable[ErasureNote], gone: CarriedOver
) -> None:
    for one in plans:
        await prepare(flow, one.planned, one.whose.mark, _nobody_else)
    for restriction in (one for note in notes for one in note.parts[0].restricted):
        await flow.commit(partial(_restrict, restriction=restriction, gone=gone.parties))


async def _restrict(unit: Unit, restriction: Restriction, gone: Collection[str]) -> None:
    """Plan that whoever a plan of retention kept is restricted, of whatever customers their records are here."""
    refs = [unit.ref(PARTY.tag, id) for id in restriction.members if id not in gone]
    there = [PartyId(ref.id) for ref in await unit.get(refs, check=False)]
    now = await memberships(unit, there)
    for members in dict.fromkeys(one.members for one in now.values()):
        await restrict_person(unit, [one for one in members if one in there], restriction.mark)


async def _nobody_else(unit: Unit) -> None:
    """Nobody else writes to a store that is being restored."""


def _is_over(note: ErasureNote, here: ErasureNote | None) -> bool:
    """Whether all that was noted was done before the backup, and nothing since."""
    return note.parts[0].done and note == here


def _refuse_without_secrets(flow: Flow, past: PastErasures) -> None:
    """Refuse where addresses of people may be suppressed there, and could not be here: once these people are erased,
    nobody knows which addresses these were.

    Raises:
        InvalidConsent: if it is so.
    """
    if flow.secrets is None and past.suppressed is not False:
        raise InvalidConsent(
            "addresses of people who were erased are suppressed there, or may be, and are to be suppressed here: open "
            "the crm with the same secrets=SecretRing({1: ...}); if none are, give PastErasures(..., suppressed=False)"
        )


async def _refuse_unreadable(
    flow: Flow, erasures: Iterable[Erasure], done: Collection[Erasure], gone: CarriedOver
) -> None:
    """Refuse where an entry that is to go is there, and its key is not: what was said in it about others were lost. Of
    the copy of a talk nothing is.

    Raises:
        WrongKey: if there is one.
    """
    here = {entry for one in done for entry in one.entries}
    named: dict[str, set[int]] = {}
    for one in (one for some in by_mark(erasures).values() for one in some):
        for stream, seq in (entry for entry in one.entries - here if not gone.is_of_copy(entry[0])):
            named.setdefault(stream, set()).add(seq)
    for stream, seqs in named.items():
        after: dict[str, int] | None = None
        while True:
            page = (await flow.store.ledger(flow.tenant, [stream], after=after))[stream]
            if any(entry.schema == ERASED and entry.seq in seqs for entry in page.items):
                raise WrongKey(
                    "something that is to be erased again cannot be read: restore anew, with the keys of the time of "
                    "the backup, carry over, and destroy keys afterwards"
                )
            if page.next is None:
                break
            after = {stream: page.items[-1].seq}


async def _planned(flow: Flow, unit: Unit, whose: Whose, gone: CarriedOver, talks: Talks | None) -> _Again:
    """What was planned for somebody, of what is there."""
    day = whose.day or unit.now.date()
    points = whose.parts[0].points if whose.parts else ()
    occasion = Occasion(mark=whose.mark, today=day, asked=day, answered=True, points=points)
    members = set(whose.members)
    planned = await planned_erasure(
        flow, unit, list(map(PartyId, whose.members)), occasion, ErasureFacts(), talks
    )
    named = whose.named | {
        (one.stream, one.seq) for one in planned.data.entries if whose.subjects.intersection(one.subjects)
    }
    data = attrs.evolve(
        planned.data,
        shared={
            stream: left
            for stream, ids in planned.data.shared.items()
            if (left := tuple(id for id in ids if id in members or id not in gone.parties))
        },
        interactions=tuple(for_those_left(unit, one, whose, gone) for one in planned.data.interactions),
    )
    with_others = {one.id for one in data.interactions if set(one.parties) - members}
    written = gone.written(unit, planned.data, whose.mark) if whose.note is not None else ()
    lines, disposals, unknown = begun_lines(whose.parts), list[Disposal](), list[Disposal]()
    for one in planned.plan.disposals:
        place, line = planned.places[one.place], lines.get(place_hash(one.place))
        if place in named:  # what stays of it for others is there by now
            disposals.append(attrs.evolve(one, action="delete", until=None))
        elif place in gone.places or (line is None and place in written):
            continue
        elif line is not None:
            told = _as(one, line)
            talk = line.action == "anonymise" and one.kind == INTERACTION.tag
            disposals.append(_going(told, place, with_others) if talk else told)
        elif (source := _of_source(place, lines, gone)) is not None:
            unknown.append(_as(one, source))
        elif one.place not in planned.own and (whose.note is None or one.kind != CONTACT_POINT.tag):
            unknown.append(attrs.evolve(one, action="restrict", reason=_NOT_NAMED, cite=HELD, until=None))
    plan = ErasurePlan(disposals=(*disposals, *unknown))
    plan = for_others(plan, data, planned.acts, planned.places)
    return _Again(whose=whose, planned=attrs.evolve(planned, data=data, plan=plan), left=tuple(unknown))


def _of_source(
    place: Place, lines: Mapping[str, CertificateLine], gone: CarriedOver
) -> CertificateLine | None:
    """Why a copy of a talk is kept that was kept itself, and went since for somebody else."""
    if not isinstance(place, Ref) or place.kind != INTERACTION.tag:
        return None
    found = (lines[hashed] for hashed in gone.copied_from(place.id) if hashed in lines)
    return next((line for line in found if line.action in ("keep", "restrict")), None)


def _as(one: Disposal, line: CertificateLine) -> Disposal:
    return attrs.evolve(
        one,
        action=line.action,
        reason=line.reason,
        cite=line.cite,
        until=line.until,
        anyway=line.anyway,
    )


def _going(one: Disposal, place: Place, with_others: Collection[str]) -> Disposal:
    """That a thing goes, of which something stays for whoever else took part, and is not erased."""
    talk = isinstance(place, Ref) and place.kind == INTERACTION.tag and place.id in with_others
    action: Literal["anonymise", "delete"] = "anonymise" if talk and one.action == "anonymise" else "delete"
    return attrs.evolve(one, action=action, until=None)


async def _noted(flow: Flow, one: _Again) -> None:
    """Note what was kept, so that it is found when its time is over: with the request, if that is there."""
    whose, note = one.whose, one.whose.note
    if not whose.members:
        return
    first = note.parts[0] if note is not None else None
    done = first is None or first.done
    kept = one.planned.plan.of("keep", "restrict")

    async def plan(unit: Unit) -> None:
        here = is_id(whose.mark) and await request_if_there(unit, RequestId(whose.mark)) is not None
        if whose.asked and not here and done and not kept:
            return
        elsewhere = Id(whose.mark) if here else customer_note(whose.members[0])
        id = elsewhere if note is None or whose.asked else note.id
        before = await begun_of(unit, id)
        if note is None and (not _only_kept(before) or await _is_noted(unit, whose.members)):
            return
        at_record = whose.asked and not here
        parts = _parts(one, before if at_record else ())
        told = attrs.evolve(parts[0], members=whose.members, asked=whose.day, done=done)
        noted = [told, *parts[1:]]
        await note_as_counted(unit, id, instead_of(noted, before) if at_record else joined(before, noted))
        if at_record:
            await _noted_at_others(unit, id, told)

    await flow.commit(plan)


async def _noted_at_others(unit: Unit, id: Id, first: ErasureBegun) -> None:
    """Plan that no plan of before erases a record of somebody who asked for it, and whose request is not here."""
    noted = ErasureBegun(request=first.request, plan_sha256=first.plan_sha256, lines=(), done=True)
    for other in map(customer_note, first.members):
        if other != id:
            before = await begun_of(unit, other)
            await note_as_counted(unit, other, with_beside(before or [noted], first.plan_sha256))


async def _kept(unit: Unit, note: ErasureNote) -> None:
    """Plan that it is noted that somebody is kept, beside what is noted of them."""
    await note_as_counted(unit, note.id, joined(await begun_of(unit, note.id), note.parts))


async def _is_noted(unit: Unit, members: Iterable[str]) -> bool:
    """Whether the backup has a note of the erasure of one of *members*."""
    for member in members:
        if not _only_kept(await begun_of(unit, customer_note(member))):
            return True
    return False


def _only_kept(parts: Sequence[ErasureBegun]) -> bool:
    """Whether nothing was noted of an erasure."""
    return all(part.only_kept for part in parts[:1])


def _parts(one: _Again, before: Sequence[ErasureBegun]) -> Sequence[ErasureBegun]:
    """What is noted: as it was, and what is kept though nothing tells why, and what was noted *before* about them."""
    noted, points = one.whose.parts, [ref.id for ref in one.planned.data.points]
    if not noted:
        return begun_by(one.planned.plan, one.whose.mark, points=points)
    if not before and not one.left:
        return noted
    first, *rest = begun_by(ErasurePlan(disposals=one.left), one.whose.mark, [*before, *noted], points)
    told = attrs.evolve(
        noted[0], lines=first.lines, places=first.places, more=first.more, points=first.points
    )
    if one.left and not told.done:  # what is left came in since, and whoever goes on is to look at it
        told = as_no_plan_knows(told)
    return [told, *(attrs.evolve(part, plan_sha256=told.plan_sha256) for part in rest)]
