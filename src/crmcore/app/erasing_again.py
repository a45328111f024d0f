"""Carrying over what was erased of people into a store that an older backup was restored into, with what was written
beside it.

Invariant: nobody is permitted more than where they were erased. A No about an address that somebody else has stays for
them, addresses are suppressed, consent that is kept is over, and what is kept is found again when its time is over, not
before. Where nothing tells why something was left, it counts as held.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from typing import Literal

import attrs

from crmcore.app.erasure_places import Place, all_entries
from crmcore.app.erasures_begun import begun_of, customer_note, note_begun
from crmcore.app.flow import Flow
from crmcore.app.past_erasures import ErasureNote, PastErasures
from crmcore.app.resolve import is_id, memberships
from crmcore.app.rights_store import members_of, request_if_there
from crmcore.app.subject_erasure import ErasureFacts, Occasion, PlannedErasure, planned_erasure, prepare
from crmcore.app.subject_noes import for_others
from crmcore.app.subject_talks import Talks
from crmcore.app.unit import Unit
from crmcore.consent.certificate import CertificateLine, ErasureBegun, begun_by, begun_lines, place_hash
from crmcore.consent.disposition import HELD, Disposal, ErasurePlan
from crmcore.consent.ledger import CONTACT_POINT, party_stream
from crmcore.consent.rights_request import RequestId
from crmcore.errors import WrongKey
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party_keys import PARTY
from crmcore.storage.carried_over import ErasedAgain, erase_again, erasures_of
from crmcore.storage.erasure import ERASED, Erasure, eraser_of
from crmcore.storage.protocol import Ref
from crmcore.values.ids import Id, PartyId

_IDEM = re.compile(r"erasure:(.+):[0-9a-f]{16}")
"""How `subject_erasure` names the parts of an erasure, with its mark."""
_RETENTION = re.compile(r"retention:[0-9a-f]+:(.+)")
"""The mark of an erasure that nobody asked for, with the record by which the customer was named."""

_NOT_NAMED = "the erasure that was carried over did not name it"


async def erased_again(flow: Flow, past: PastErasures | Iterable[Erasure]) -> ErasedAgain:
    """Do again what was erased of this tenant, with all that was written beside it."""
    eraser_of(flow.store)
    if not isinstance(past, PastErasures):
        past = PastErasures(tenant=flow.tenant, erasures=tuple(past))
    wanted = [one for one in past.erasures if one.tenant == flow.tenant]
    await _refuse_unreadable(flow, wanted)
    gone = _Gone(parties=_parties(wanted), places={place for one in wanted for place in _places(one)})
    unit, marks = flow.new_unit(), _by_mark(wanted)
    people = _noted_people(past.notes, marks) if past.tenant == flow.tenant else []
    told = {one.mark for one in people}
    people += [await _guessed(unit, mark, some) for mark, some in marks.items() if mark not in told]
    talks = await Talks.read(unit) if people else None
    plans = [await _planned(flow, unit, one, gone, talks) for one in people]
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
class _Whose:
    """Whose erasure was begun under a *mark*, and when; what it *named* as erased, and what was noted of it, if that is
    known."""

    mark: str
    members: tuple[str, ...]
    day: date | None
    named: Set[Place]
    subjects: frozenset[str]
    note: ErasureNote | None = None

    @property
    def parts(self) -> tuple[ErasureBegun, ...]:
        """What was noted."""
        return self.note.parts if self.note is not None else ()


@attrs.frozen(kw_only=True)
class _Again:
    """What was *planned* for whom, and what of it is kept though nothing tells why (*left*)."""

    whose: _Whose
    planned: PlannedErasure
    left: tuple[Disposal, ...]


async def _written(flow: Flow, plans: Iterable[_Again]) -> None:
    for one in plans:
        await prepare(flow, one.planned, one.whose.mark, _nobody_else)


async def _nobody_else(unit: Unit) -> None:
    """Nobody else writes to a store that is being restored."""


async def _refuse_unreadable(flow: Flow, erasures: Iterable[Erasure]) -> None:
    """Refuse where an entry that is to go is there, and its key is not: what was said in it about others were lost.

    Raises:
        WrongKey: if there is one.
    """
    here = {_things(one) for one in await erasures_of(flow.store, flow.tenant)}
    news = [one for some in _by_mark(erasures).values() for one in some if _things(one) not in here]
    named: dict[str, set[int]] = {}
    for stream, seq in (entry for one in news for entry in one.entries):
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


def _things(one: Erasure) -> tuple[frozenset[object], ...]:
    return one.refs, one.entries, one.streams, one.subjects


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


def _noted_people(notes: Iterable[ErasureNote], marks: Mapping[str, Sequence[Erasure]]) -> list[_Whose]:
    """Whose erasure was noted."""
    found: list[_Whose] = []
    for note in notes:
        first = note.parts[0]
        some = marks.get(first.request, ())
        found.append(
            _Whose(
                mark=first.request,
                members=first.members,
                day=first.asked,
                named={place for one in some for place in _places(one)},
                subjects=frozenset(id for one in some for id in one.subjects).intersection(first.members),
                note=note,
            )
        )
    return found


async def _guessed(unit: Unit, mark: str, erasures: Sequence[Erasure]) -> _Whose:
    """Whose erasure was begun under *mark*, as far as it can be told from its *erasures*."""
    named = {place for one in erasures for place in _places(one)}
    members = sorted(_parties(erasures)) or await _whose(unit, mark, named)
    return _Whose(
        mark=mark,
        members=tuple(members),
        day=erasures[0].at.date(),
        named=named,
        subjects=frozenset(id for one in erasures for id in one.subjects),
    )


async def _planned(flow: Flow, unit: Unit, whose: _Whose, gone: _Gone, talks: Talks | None) -> _Again:
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
    others = gone.parties - members
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
    with_others = {one.id for one in data.interactions if set(one.parties) - members}
    lines, disposals, unknown = begun_lines(whose.parts), list[Disposal](), list[Disposal]()
    for one in planned.plan.disposals:
        place, line = planned.places[one.place], lines.get(place_hash(one.place))
        if place in named:
            disposals.append(_gone(one, place, with_others))
        elif place in gone.places:
            continue
        elif line is not None:
            disposals.append(_as_noted(one, line))
        elif whose.note is None or one.kind != CONTACT_POINT.tag:
            unknown.append(attrs.evolve(one, action="restrict", reason=_NOT_NAMED, cite=HELD, until=None))
    plan = ErasurePlan(disposals=(*disposals, *unknown))
    plan = for_others(plan, data, planned.acts, planned.places)
    return _Again(whose=whose, planned=attrs.evolve(planned, data=data, plan=plan), left=tuple(unknown))


def _places(erasure: Erasure) -> Iterator[Place]:
    yield from erasure.refs
    yield from erasure.entries


async def _whose(unit: Unit, mark: str, named: Collection[Place]) -> list[str]:
    """Whose erasure it was, where their own records were kept: who asked, or whose entries were erased."""
    request = await request_if_there(unit, RequestId(mark)) if is_id(mark) else None
    if request is not None:
        return [str(member) for member in await members_of(unit, request)]
    found = {one[1] for one in [_RETENTION.fullmatch(mark)] if one is not None and is_id(one[1])}
    entries = [place for place in named if not isinstance(place, Ref)]
    for stream in {stream for stream, _ in entries}:
        if stream.startswith(_OF_ONE):
            found.add(stream.rpartition(":")[2])
        elif stream.startswith("consent:"):
            acts = [one for one in await all_entries(unit, stream) if (stream, one.seq) in entries]
            found |= {one.body["record"] for one in acts if one.body.get("record")}
    now = await memberships(unit, map(PartyId, found))
    return sorted(found.union(*(one.members for one in now.values())))


_OF_ONE = f"{PARTY.tag}:", party_stream("")
"""How the ledgers are named that are a record's own."""


def _gone(one: Disposal, place: Place, with_others: Collection[str]) -> Disposal:
    """That a thing went, which an erasure names."""
    talk = isinstance(place, Ref) and place.kind == INTERACTION.tag and place.id in with_others
    action: Literal["anonymise", "delete"] = "anonymise" if talk and one.action == "anonymise" else "delete"
    return attrs.evolve(one, action=action, until=None)


def _as_noted(one: Disposal, line: CertificateLine) -> Disposal:
    return attrs.evolve(one, action=line.action, reason=line.reason, cite=line.cite, until=line.until)


async def _noted(flow: Flow, one: _Again) -> None:
    """Note what was kept, so that it is found when its time is over: with the request, if that is there."""
    whose, kept = one.whose, one.planned.plan.of("keep", "restrict")
    first = whose.parts[0] if whose.parts else None
    asked = first is None or first.request == (whose.note and whose.note.id)
    if not whose.members or (asked and not kept and (first is None or first.done)):
        return

    async def plan(unit: Unit) -> None:
        here = is_id(whose.mark) and await request_if_there(unit, RequestId(whose.mark)) is not None
        id = Id(whose.mark) if here else customer_note(whose.members[0])
        if whose.note is not None and not asked:
            id = whose.note.id
        before = await begun_of(unit, id)
        if first is None and before:
            return
        parts = whose.parts
        if one.left or first is None or (asked and not here and before):
            points = [ref.id for ref in one.planned.data.points]
            all_ = one.planned.plan if first is None else ErasurePlan(disposals=one.left)
            parts = begun_by(all_, whose.mark, [*before, *whose.parts], points)
        told = attrs.evolve(
            parts[0],
            members=whose.members,
            asked=whose.day,
            done=first is None or first.done,
            category=first and first.category,
            plan_sha256=first.plan_sha256 if first else parts[0].plan_sha256,
        )
        await note_begun(unit, id, [told, *parts[1:]])

    await flow.commit(plan)
