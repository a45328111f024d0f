"""Erasing a person by disposition: what is held, what becomes of it, and the commands that do it.

Invariant: the commands may be sent again from any point at which they were cut off: what was done is not done twice,
and the certificate tells what the first plan said. Whatever is erased is named to the store, so that it is erased again
after an older backup was restored. What stays of a talk with others stays as a record of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from crmcore.app.consent_ledgers import append_act, time_of_no
from crmcore.app.consent_whose import acts_of
from crmcore.app.customers import load_parties
from crmcore.app.erasure_places import (
    Place,
    copies_of_kept,
    copy_id,
    copy_key,
    heads_of_ledgers,
    in_order,
    made_of,
    place_name,
    without_emptied,
    written_beside,
)
from crmcore.app.flow import Flow
from crmcore.app.interactions import record_interaction
from crmcore.app.parts import in_parts
from crmcore.app.subject_data import SubjectData, subject_data
from crmcore.app.subject_kinds import check_kinds, check_refused
from crmcore.app.subject_noes import (
    Acts,
    acts_in,
    for_others,
    forgotten,
    keep_noes,
    last_uses,
    left_of_noes,
    refused,
)
from crmcore.app.subject_talks import Talks
from crmcore.app.suppressions import suppress
from crmcore.app.unit import Unit
from crmcore.consent.checking import listed
from crmcore.consent.disposition import (
    Disposal,
    Disposition,
    ErasurePlan,
    Held,
    LegalHold,
    check_purposes,
    holds_told,
    plan_erasure,
    purposes_told,
)
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.ledger import party_stream
from crmcore.consent.lifting import may_end
from crmcore.errors import InvalidRightsRequest
from crmcore.identity.identity_keys import JUDGEMENT
from crmcore.interaction.interaction import Interaction, Participant
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party_keys import PARTY, RELATIONSHIP
from crmcore.storage.erasing import cleaning_put_off, nothing
from crmcore.storage.erasure import Erasure, ErasureReport, eraser_of
from crmcore.storage.protocol import Ref
from crmcore.values.ids import Id, InteractionId, PartyId
from crmcore.values.moment import moment_instant
from crmcore.values.personal import FieldClass, field_classes

if TYPE_CHECKING:
    from crmcore.consent.secret_ring import SecretRing

REFUSED = "decided on the request"
"""What is cited where something is kept because erasing it was refused."""

Unchanged = Callable[[Unit], Awaitable[None]]
"""It raises if an erasure must not go on, since something was noted since it was begun."""

_TALKS = 20
"""So many talks are written anew at a time; halves of them where the store takes no more."""


@attrs.frozen(kw_only=True)
class ErasureFacts:
    """What an app knows beside the store.

    *purposes* are those for which data of a kind is still needed, by the kind (``"party"``, ``"interaction"``,
    ``"consent.event"``, ...; ``"*"``: any); *holds* are legal holds; *table* stands for the one that crmcore ships.
    """

    purposes: Mapping[str, frozenset[str]] = attrs.field(factory=dict[str, frozenset[str]])
    holds: tuple[LegalHold, ...] = ()
    table: tuple[Disposition, ...] | None = None


@attrs.frozen(kw_only=True)
class Occasion:
    """Why somebody is erased: under which *mark*, on which day (*today*), and since which day that is so (*asked*).

    Periods of what they leave count from *asked*, so that a plan stays the same from day to day. *refused* are the
    kinds, the ids, or the places, of what is not to be erased, as was decided on the request; each of them is to fit
    something unless the request is *answered*. *points* are the ids of the ledgers of addresses that were found before.
    """

    mark: str
    today: date
    asked: date
    refused: frozenset[str] = frozenset()
    answered: bool = False
    points: tuple[str, ...] = ()

    @property
    def via(self) -> str:
        """How the acts are marked that the erasure writes itself."""
        return via_of(self.mark)


@attrs.frozen(kw_only=True)
class PlannedErasure:
    """A plan, what it was made of, and where each of its things is.

    *own* are those that an erasure has written itself, *acts* the acts of consent of the person.
    """

    plan: ErasurePlan
    data: SubjectData
    places: Mapping[str, Place]
    own: frozenset[str]
    acts: Acts

    def named(self) -> Iterator[Place]:
        """What is to be erased: what goes, and what an anonymous record stands for."""
        for one in self.plan.of("delete", "anonymise"):
            yield self.places[one.place]


async def planned_erasure(
    flow: Flow,
    unit: Unit,
    members: Sequence[PartyId],
    occasion: Occasion,
    facts: ErasureFacts,
    talks: Talks | None = None,
    *,
    as_noted: Callable[[ErasurePlan], ErasurePlan] | None = None,
) -> PlannedErasure:
    """What erasing the records *members* would do, from what the store holds now, whose *talks* may have been read.

    What an erasure on this *occasion* has written itself is no part of it, unless it stood beside what goes now. With
    *as_noted* what was noted before of its things is heard, before it is seen what goes along with them.

    Raises:
        InvalidRightsRequest: if the facts name a kind of data or a purpose that there is not, or what was refused is
            nothing held.
    """
    facts = _told(facts)
    check_kinds([*(kind for one in facts.holds for kind in one.kinds), *facts.purposes])
    check_purposes((name for names in facts.purposes.values() for name in names), facts.table)
    data = await subject_data(unit, members, points=occasion.points, talks=talks)
    acts = acts_in(data)
    held: dict[str, Held] = {}
    places: dict[str, Place] = {}
    for thing, place in _held(unit, data, acts, facts, occasion):
        held[thing.place], places[thing.place] = thing, place
    plan = plan_erasure(held.values(), today=occasion.today, table=facts.table, holds=facts.holds)
    left = await left_of_noes(unit, data, acts, occasion.via)
    plan = _without_refused(for_others(plan, data, acts, places, left), places, occasion)
    if as_noted is not None:
        plan = as_noted(plan)
    over = partial(_over, today=occasion.today, table=facts.table)
    own = [one async for one in written_beside(unit, data, plan, places, occasion.via, over)]
    own += [one async for one in copies_of_kept(unit, data, plan, places, occasion.via, over)]
    plan = attrs.evolve(plan, disposals=(*plan.disposals, *own))
    derived = [one async for one in made_of(unit, data, plan, places, over)]
    points = [one async for one in heads_of_ledgers(unit, data, plan, places, over)]
    notes = () if flow.secrets is not None else forgotten(plan, data, acts, places)
    return PlannedErasure(
        plan=ErasurePlan(disposals=(*plan.disposals, *derived, *points), notes=notes),
        data=data,
        places=places,
        own=frozenset(one.place for one in own),
        acts=acts,
    )


def _told(facts: ErasureFacts) -> ErasureFacts:
    """*facts*, as far as they are such."""
    table = facts.table
    if table is not None:
        table = listed(
            table, Disposition, "lines of a table are several Disposition(...)", InvalidRightsRequest
        )
    return ErasureFacts(purposes=purposes_told(facts.purposes), holds=holds_told(facts.holds), table=table)


def _without_refused(plan: ErasurePlan, places: Mapping[str, Place], occasion: Occasion) -> ErasurePlan:
    """*plan*, by which nothing goes that was refused."""
    named = {one.place: _names(one, places[one.place]) for one in plan.disposals}
    if not occasion.answered:
        check_refused(occasion.refused.difference(*named.values()))
    return attrs.evolve(
        plan,
        disposals=tuple(
            one if named[one.place].isdisjoint(occasion.refused) else _refused(one) for one in plan.disposals
        ),
    )


def _refused(one: Disposal) -> Disposal:
    """What becomes of a thing whose erasure was refused, be it kept for something else now."""
    if one.action in ("keep", "restrict"):
        return attrs.evolve(one, anyway=date.max)
    return attrs.evolve(one, action="keep", reason="erasing it was refused", cite=REFUSED, until=None)


def _names(one: Disposal, place: Place) -> frozenset[str]:
    """By what a decision on a request may name a thing: an entry of a ledger by its whole place alone."""
    own = {place.id} if isinstance(place, Ref) else set[str]()
    return frozenset({one.kind, one.place, one.place.replace(" ", "/"), *own})


def _held(
    unit: Unit, data: SubjectData, acts: Acts, facts: ErasureFacts, occasion: Occasion
) -> Iterator[tuple[Held, Place]]:
    def held(
        kind: str,
        place: Place,
        classes: frozenset[FieldClass],
        day: date,
        shared: bool = False,
        last_use: date | None = None,
    ) -> Held:
        purposes = facts.purposes.get(kind, frozenset()) | facts.purposes.get("*", frozenset())
        return Held(
            place=place_name(place),
            kind=kind,
            classes=classes,
            day=day,
            last_use=last_use,
            purposes=purposes,
            shared=shared,
        )

    for party in data.parties:
        ref = unit.ref(PARTY.tag, party.id)
        yield held(PARTY.tag, ref, _classes(party), occasion.asked), ref
    standing = _standing(data.interactions)
    for one in data.interactions:
        ref = unit.ref(INTERACTION.tag, one.id)
        shared = one.id in standing and bool(set(one.parties) - set(data.members))
        yield held(INTERACTION.tag, ref, _classes(one), moment_instant(one.occurred_at).date(), shared), ref
    for link in data.relationships:
        ref = unit.ref(RELATIONSHIP.tag, link.id)
        yield held(RELATIONSHIP.tag, ref, _classes(link), occasion.asked), ref
    for judgement in data.judgements:
        ref = unit.ref(JUDGEMENT.tag, judgement.id)
        yield held(JUDGEMENT.tag, ref, _classes(judgement), judgement.recorded_at.date()), ref
    sent = [
        moment_instant(one.occurred_at).date() for one in data.interactions if one.direction == "outbound"
    ]
    used = last_uses(acts, max([occasion.asked, *sent]))
    for entry in data.entries:
        if entry.body.get("via") == occasion.via:
            continue
        kind, place = entry.schema.partition("/")[0], (entry.stream, entry.seq)
        classes: frozenset[FieldClass] = frozenset({"personal"})
        yield held(kind, place, classes, entry.occurred_at.date(), last_use=used.get(place)), place


def _over(place: str, kind: str, *, today: date, table: tuple[Disposition, ...] | None) -> Disposal:
    """What becomes of a thing that nothing keeps any more."""
    return plan_erasure([Held(place=place, kind=kind, day=date.min)], today=today, table=table).disposals[0]


def via_of(mark: str) -> str:
    """How the acts are marked that an erasure writes itself."""
    return f"erasure:{mark}"


def _classes(value: object) -> frozenset[FieldClass]:
    return frozenset(field_classes(type(value)).values())


def _standing(interactions: Iterable[Interaction]) -> frozenset[str]:
    """The interactions that were neither replaced nor are themselves what takes one back."""
    found = list(interactions)
    gone = {one.corrects for one in found} | {one.retracts for one in found}
    return frozenset(one.id for one in found if one.id not in gone and one.retracts is None)


# --- the commands -------------------------------------------------------------------------------------


async def prepare(flow: Flow, planned: PlannedErasure, mark: str, unchanged: Unchanged) -> None:
    """Write what comes before anything is erased: what stays of talks with others, and that consent is over.

    Done again it writes nothing twice. What is *unchanged* is so until each commit.
    """
    by_place = {
        place_name(Ref(flow.tenant, INTERACTION.tag, one.id)): one for one in planned.data.interactions
    }
    shared = [by_place[one.place] for one in planned.plan.of("anonymise") if one.place in by_place]

    async def commit(write: Callable[[Unit], Awaitable[object]]) -> None:
        async def plan(unit: Unit) -> None:
            await unchanged(unit)
            await write(unit)

        await flow.commit(plan)

    for start in range(0, len(shared), _TALKS):
        some = shared[start : start + _TALKS]
        await in_parts(
            lambda chunk: commit(partial(_copied, chunk, planned.data, via_of(mark))), some, lambda done: None
        )
    await commit(lambda unit: _end_consent(unit, planned, mark))
    await commit(
        lambda unit: keep_noes(unit, planned.plan, planned.data, planned.acts, planned.places, via_of(mark))
    )
    if flow.secrets is not None:  # while the addresses can still be read
        await commit(partial(_suppress, flow, flow.secrets, planned))
    staying = [
        place.id
        for one in planned.plan.of("restrict")
        if isinstance(place := planned.places[one.place], Ref) and place.kind == PARTY.tag
    ]
    if staying:
        await commit(lambda unit: restrict_person(unit, list(map(PartyId, staying)), via_of(mark)))


async def _copied(talks: Sequence[Interaction], data: SubjectData, via: str, unit: Unit) -> None:
    """Plan what stays of talks with others, each as a record of its own."""
    for one in talks:
        stands = copy_key(via, str(one.id))
        if not (await unit.find([stands], check=True))[stands]:
            taken: set[str] = set()
            while await _was_there(unit, id := copy_id(via, str(one.id), taken)):
                taken.add(id)
            await record_interaction(unit, anonymous(one, data.members, stands.value), id)


async def _was_there(unit: Unit, id: InteractionId) -> bool:
    """Whether an interaction was ever recorded under an id, be it erased since."""
    stream = f"{INTERACTION.tag}:{id}"
    return bool((await unit.store.ledger(unit.tenant, [stream]))[stream].items)


async def _suppress(flow: Flow, secrets: SecretRing, planned: PlannedErasure, unit: Unit) -> None:
    """Plan that the person's addresses are not written to again, by whatever way they come back.

    Of an erasure that goes on the acts may be gone by which they said no to more.
    """
    for scope in refused(planned.acts.values(), flow.controller(None)):
        for point in planned.data.contacts:
            await suppress(unit, secrets, point, "erasure", scope, wider=True)


async def restrict_person(unit: Unit, members: Sequence[PartyId], mark: str) -> bool:
    """Plan that nobody does more with the data of a person than keep them, whichever controller they were given to.

    It is recorded at each of the records *members*, since that may be a customer of its own again, of which it was not
    under *mark*, or holds no more. False if there is none.
    """
    parties = await load_parties(unit, members)
    said = await acts_of(unit, parties)
    anew = [
        str(party.id)
        for party, acts in zip(parties, said, strict=True)
        if not any(act.kind == "restrict" and act.via == mark and not _ended(act, acts) for act in acts)
    ]
    if not anew:
        return False
    event = ConsentEvent(
        id=str(unit.ids.new(Id)),
        kind="restrict",
        occurred_at=await time_of_no(unit, unit.now, parties, ()),
        recorded_at=unit.now,
        record=anew[0],
        members=tuple(anew),
        via=mark,
        actor=unit.actor,
    )
    append_act(unit, event, map(party_stream, event.members))
    return True


def _ended(restriction: ConsentEvent, acts: Iterable[ConsentEvent]) -> bool:
    """Whether a later act lifted it, if only in part."""
    return any(
        act.kind == "lift" and act.occurred_at > restriction.occurred_at and may_end(act, restriction)
        for act in acts
    )


def anonymous(one: Interaction, members: Collection[str], mark: str) -> Interaction:
    """What stays of a talk for others than *members*: that they took part, when and how. *mark* keeps it from being
    written twice."""
    return Interaction(
        kind=one.kind,
        direction=one.direction,
        occurred_at=one.occurred_at,
        ended_at=one.ended_at,
        channel=one.channel,
        automated=one.automated,
        confidential=one.confidential,
        dedupe_key=mark,
        participants=tuple(
            Participant(party=who.party, role=who.role)
            for who in one.participants
            if who.party is not None and who.party not in members
        ),
    )


async def _end_consent(unit: Unit, planned: PlannedErasure, mark: str) -> None:
    """Where acts are kept as evidence, later ones say that nothing is permitted any more by what their records agreed
    to, to each controller named. Nothing that others agreed to ends."""
    kept: dict[str, dict[tuple[str | None, Scope], ConsentEvent]] = {}
    staying = {planned.places[one.place] for one in planned.plan.of("keep", "restrict")}
    for (stream, seq), act in planned.acts.items():
        if (stream, seq) in staying:
            whose = act.record, Scope(controller=act.scope.controller, point=act.scope.point)
            latest = kept.setdefault(stream, {}).get(whose, act)
            kept[stream][whose] = max(latest, act, key=lambda one: one.occurred_at)
    for stream, acts in kept.items():
        told = [unit.codecs["consent.event"].load(body) for _, body in await unit.entries(stream)]
        own = [act for act in told if act.alone and act.via == via_of(mark)]
        for (record, scope), act in acts.items():
            ends = [one.occurred_at for one in own if (one.record, one.scope) == (record, scope)]
            if any(at >= act.occurred_at for at in ends):
                continue
            end = ConsentEvent(
                id=str(unit.ids.new(Id)),
                kind="withdraw",
                occurred_at=unit.now,
                recorded_at=unit.now,
                scope=scope,
                record=record,
                members=act.members,
                via=via_of(mark),
                actor=unit.actor,
                alone=True,
            )
            # About nobody by name, so that it stays when the person is erased.
            unit.event(stream, end, subjects=())


async def erase_planned(
    flow: Flow, planned: PlannedErasure, mark: str, at: datetime, unchanged: Unchanged
) -> tuple[ErasureReport, ...]:
    """Erase what a plan names, in as few erasures as the store takes; an SQLite file is written anew once.

    Before each of them is looked whether all is *unchanged*.

    Where neither a record of the person nor an entry of a ledger is kept, the last of them names the person, and takes
    whatever else names them. Where one is, what was written to restrict it stays. The record of an address goes, too,
    where all acts that were to be kept there went with the key of the person.
    """
    reports = await _erased(flow, planned, mark, at, unchanged)
    places = dict(planned.places)
    rest = await without_emptied(flow.new_unit(), planned.data, planned.plan, places, via_of(mark))
    if rest is not None:
        emptied = attrs.evolve(planned, plan=rest, places=places)
        reports += await _erased(flow, emptied, mark, at, unchanged)
    return tuple(reports)


async def _erased(
    flow: Flow, planned: PlannedErasure, mark: str, at: datetime, unchanged: Unchanged
) -> list[ErasureReport]:
    eraser = eraser_of(flow.store)
    # Where nothing is left to erase, what an erasure that was cut off put off may be left to do.
    named = _erasures(flow, planned, mark, at) or [nothing(flow.tenant, at)]
    reports: list[ErasureReport] = []
    for erasure in named[:-1]:
        with cleaning_put_off():
            await unchanged(flow.new_unit())
            reports.append(await eraser.erase(erasure))
    await unchanged(flow.new_unit())
    reports.append(await eraser.erase(named[-1]))
    return reports


def _erasures(flow: Flow, planned: PlannedErasure, mark: str, at: datetime) -> list[Erasure]:
    ordered = in_order(set(planned.named()), planned.data.members)
    size = flow.store.describe().limits.max_ops

    def erasure(names: Sequence[str], **named: frozenset[Any]) -> Erasure:
        digest = hashlib.sha256("\x1e".join(names).encode()).hexdigest()[:16]
        return Erasure(
            tenant=flow.tenant,
            idem=f"erasure:{mark}:{digest}",
            actor=flow.actor,
            reason=f"request {mark}",
            at=at,
            **named,
        )

    found = [
        erasure(
            [place_name(one) for one in part],
            refs=frozenset(one for one in part if isinstance(one, Ref)),
            entries=frozenset(one for one in part if not isinstance(one, Ref)),
        )
        for start in range(0, len(ordered), size)
        if (part := ordered[start : start + size])
    ]
    staying = [planned.places[one.place] for one in planned.plan.of("keep", "restrict")]
    if not any(not isinstance(place, Ref) or place.kind == PARTY.tag for place in staying):
        members = [str(member) for member in planned.data.members]
        found += [
            erasure(some, subjects=frozenset(some))
            for start in range(0, len(members), size)
            if (some := members[start : start + size])
        ]
    return found
