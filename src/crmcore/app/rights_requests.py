"""`crm.requests`: what people ask about their own data, step by step, and by when it must be answered.

Invariant: a request is a record and a ledger of its steps, written together; the record is what the steps make of it.
Neither goes when the person is erased: they are the proof that the person was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date, datetime
from typing import Any, TypeVar, cast

import attrs

from crmcore.app.asked import Asked, Fields
from crmcore.app.consent_ledgers import owner_of
from crmcore.app.consent_then import check_reference
from crmcore.app.customers import load_parties
from crmcore.app.erasing_again import erased_again
from crmcore.app.flow import Flow
from crmcore.app.past_erasures import PastErasures, past_erasures
from crmcore.app.resolve import Membership, Reference, parties_named, resolve
from crmcore.app.rights_acts import carried_out, lifted, refuse_undone
from crmcore.app.rights_erasing import (
    certificates_of,
    erased,
    kept_too_long,
    planned_for,
    was_begun,
)
from crmcore.app.rights_rectifying import rectified
from crmcore.app.rights_store import all_requests, load_request, members_of, take_step
from crmcore.app.subject_access import bundle_of
from crmcore.app.subject_data import requests_of
from crmcore.app.subject_erasure import ErasureFacts
from crmcore.app.subject_kinds import check_kinds, day_told
from crmcore.app.unit import Unit, proven
from crmcore.app.whom import Whom
from crmcore.consent.bundle import Bundle, Confidence
from crmcore.consent.certificate import ErasureCertificate, KeptTooLong
from crmcore.consent.checking import listed
from crmcore.consent.deadline import deadline_for, zone_of
from crmcore.consent.disposition import ErasurePlan, LegalHold, holds_told
from crmcore.consent.event import ConsentEvent
from crmcore.consent.propagation import OpenNotice
from crmcore.consent.rights_request import (
    RIGHTS_REQUEST,
    DecidedItem,
    IdentityEvidence,
    Notice,
    Requester,
    RequestId,
    RightsRequest,
    RightsStep,
    request_keys,
    requests_stream,
)
from crmcore.consent.rights_steps import MOVES, Due, due_of
from crmcore.consent.rights_words import (
    AnswerOutcome,
    ItemDecision,
    PauseCause,
    Right,
    RightsLaw,
    StepKind,
)
from crmcore.consent.words import ActPurpose
from crmcore.errors import InvalidRightsRequest, NotFound
from crmcore.party.party import Household, Organization, Party, Person
from crmcore.storage.carried_over import ErasedAgain
from crmcore.storage.erasure import Erasure
from crmcore.values.ids import PartyId

P = TypeVar("P", bound=Person | Organization | Household)


@attrs.frozen
class AsyncRequests:
    """What people ask about their own data: access, erasure and the other rights."""

    _flow: Flow

    async def receive(
        self,
        ref: Reference,
        *,
        right: Right,
        law: RightsLaw,
        channel: str,
        zone: str,
        received_at: datetime | None = None,
        requester: Requester | None = None,
        scope: str | None = None,
    ) -> RightsRequest:
        """Record that somebody asked. *zone* is where days are counted: that of the company that must answer.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidRightsRequest: if no time is known for the right under this law, the zone is unknown, or it was not
                received yet.
        """
        check_reference(ref, InvalidRightsRequest)
        deadline_for(law, right)
        zone_of(zone)

        async def plan(unit: Unit) -> RightsRequest:
            customer = await resolve(unit, ref)
            anchor = await _anchor(unit, ref, customer)
            parties = await load_parties(unit, (PartyId(anchor), *customer.members))
            await owner_of(unit, parties, None)  # it is about somebody who is there until the commit
            draft = RightsRequest(
                right=right,
                law=law,
                received_at=unit.now if received_at is None else received_at,
                channel=channel,
                zone=zone,
                requester=requester or Requester(),
                customer=str(customer.id),
                members=tuple(str(member) for member in customer.members),
                anchor=anchor,
                scope=scope,
            )
            proven(RIGHTS_REQUEST, draft, InvalidRightsRequest)
            if draft.received_at > unit.now:
                raise InvalidRightsRequest(
                    "a request is recorded when it has come: this one lies in the future"
                )
            id = unit.ids.new(RequestId)
            step = RightsStep(request=id, kind="receive", at=unit.now, actor=unit.actor, received=draft)
            stored = attrs.evolve(draft, id=id, version=1)
            await unit.put(RIGHTS_REQUEST, id, stored, expect=0, keys=request_keys(stored))
            unit.event(requests_stream(stored.customer), step, subjects=[id])
            return stored

        received = {"channel": channel, "zone": zone, "requester": requester or Requester(), "scope": scope}
        if received_at is not None:
            received["received_at"] = received_at
        asked = Asked("requests.receive", (right, law), (Whom(ref),), ({"received": received},))
        return await self._flow.commit(plan, asked=asked)

    async def get(self, id: RequestId) -> RightsRequest:
        """The request as it stands.

        Raises:
            NotFound: if there is none.
        """
        return await load_request(self._flow.reader(), id)

    async def of(self, ref: Reference) -> tuple[RightsRequest, ...]:
        """The requests of a customer, in the order in which they came; also by the id of a record that was erased."""
        check_reference(ref, InvalidRightsRequest)
        unit = self._flow.reader()
        try:
            members = [str(member) for member in (await resolve(unit, ref)).members]
        except NotFound:
            members = [str(ref)]
        return await requests_of(unit, members)

    async def steps(self, id: RequestId) -> tuple[RightsStep, ...]:
        """What was done with a request, in its order."""
        unit = self._flow.reader()
        request = await load_request(unit, id)
        codec = unit.codecs["rights.step"]
        found = [codec.load(body) for _, body in await unit.entries(requests_stream(request.customer))]
        return tuple(step for step in found if step.request == id)

    async def due(self, id: RequestId, *, holidays: Set[date] = frozenset()) -> Due:
        """By when the request must be answered; *holidays* are those of the place whose days are counted."""
        return due_of(await self.get(id), holidays=_holidays(holidays))

    async def identify(self, id: RequestId, kind: str, *, document: str | None = None) -> RightsRequest:
        """Add evidence of who asks: what kind of proof was seen, and where it is kept."""

        def step(unit: Unit) -> RightsStep:
            evidence = IdentityEvidence(kind=kind, document=document, at=unit.now)
            return RightsStep(request=id, kind="identify", at=unit.now, evidence=evidence)

        return await self._step(id, step, {"evidence": {"kind": kind, "document": document}})

    async def move(
        self, id: RequestId, to: StepKind, *, reason: str | None = None, sha256: str | None = None
    ) -> RightsRequest:
        """Take a step from state to state: check_identity, accept, collect, review, respond, refuse, ..., close.

        *sha256* is the digest of the answer, for respond and refuse_partly; *reason* goes with a refusal. Nobody is
        told that something was done before it was: that they were erased, that they object, that data are corrected.
        An erasure that was begun is not refused.

        Raises:
            InvalidRightsRequest: if the request cannot do that now, nothing was done yet, or it is a step that has a
                verb of its own, such as `lift`.
        """
        if to not in tuple(MOVES):
            raise InvalidRightsRequest(
                f"a request moves by {', '.join(MOVES)}: what else is done with it has a verb of its own"
            )

        async def plan(unit: Unit) -> RightsRequest:
            request = await load_request(unit, id)
            step = RightsStep(request=id, kind=to, at=unit.now, reason=reason, sha256=sha256)
            after = await take_step(unit, request, step)
            if to in ("respond", "refuse_partly"):
                await refuse_undone(unit, request)
                if request.right == "erasure" and not await certificates_of(unit, id):
                    raise InvalidRightsRequest(
                        "nothing was erased for this request yet: erase first, or refuse it"
                    )
            if request.right == "erasure" and to == "refuse" and await was_begun(unit, id):
                raise InvalidRightsRequest(
                    "data were erased for this request: answer it, or refuse it partly"
                )
            return after

        fields = {"kind": to, "reason": reason, "sha256": sha256}
        return await self._flow.commit(plan, asked=Asked("requests.move", (id, to), written=(fields,)))

    async def confirm_receipt(self, id: RequestId) -> RightsRequest:
        """Say that the person was told that the request has come."""

        def step(unit: Unit) -> RightsStep:
            return RightsStep(request=id, kind="confirm_receipt", at=unit.now)

        return await self._step(id, step, {"kind": "confirm_receipt"})

    async def stop_clock(
        self, id: RequestId, cause: PauseCause, *, holidays: Set[date] = frozenset()
    ) -> RightsRequest:
        """The person was asked who they are, or what they mean, and the clock stops, where the law lets it."""

        def step(unit: Unit) -> RightsStep:
            return RightsStep(request=id, kind="stop_clock", at=unit.now, cause=cause)

        return await self._step(id, step, {"kind": "stop_clock", "cause": cause}, holidays)

    async def resume_clock(self, id: RequestId) -> RightsRequest:
        """The person has answered, and the clock goes on."""

        def step(unit: Unit) -> RightsStep:
            return RightsStep(request=id, kind="resume_clock", at=unit.now)

        return await self._step(id, step, {"kind": "resume_clock"})

    async def extend(self, id: RequestId, *, reason: str, holidays: Set[date] = frozenset()) -> RightsRequest:
        """Extend the time, once and before it ends; the person is told why."""

        def step(unit: Unit) -> RightsStep:
            return RightsStep(request=id, kind="extend", at=unit.now, reason=reason)

        return await self._step(id, step, {"kind": "extend", "reason": reason}, holidays)

    async def decide(
        self, id: RequestId, item: str, decision: ItemDecision, *, reason: str | None = None
    ) -> RightsRequest:
        """Decide on one item: grant it, refuse it, or withhold it as data of others.

        An erasure keeps what is not granted: data of a kind, or one thing by its id or its place in the plan. An item
        that fits nothing held is refused when the erasure is planned.
        """
        decided = DecidedItem(item=item, decision=decision, reason=reason)

        def step(unit: Unit) -> RightsStep:
            return RightsStep(request=id, kind="decide_item", at=unit.now, item=decided)

        return await self._step(id, step, {"kind": "decide_item", "item": decided})

    async def notify(
        self, id: RequestId, processor: str, what: str, *, due: date | None = None
    ) -> RightsRequest:
        """Record that a processor or recipient was told what to do, and by when. Without *due*: when the request is.

        Somebody whom the request names already as to be told is told by this, if *what* is the same.
        """

        async def plan(unit: Unit) -> RightsRequest:
            request = await load_request(unit, id)
            by = due if due is not None else due_of(request).day
            notice = Notice(processor=processor, what=what, told_at=unit.now, due=by)
            step = RightsStep(request=id, kind="notify", at=unit.now, notice=notice)
            return await take_step(unit, request, step)

        told = {"processor": processor, "what": what, **({} if due is None else {"due": due})}
        asked = Asked("requests.notify", (id,), written=({"kind": "notify", "notice": told},))
        return await self._flow.commit(plan, asked=asked)

    async def answered(
        self,
        id: RequestId,
        processor: str,
        what: str,
        outcome: AnswerOutcome,
        *,
        proof_sha256: str | None = None,
        reason: str | None = None,
    ) -> RightsRequest:
        """Record what a processor that was told answers; of *done* the digest of their receipt is the proof.

        Raises:
            InvalidRightsRequest: if they were not told, or the proof, or the *reason* of a refusal, is missing.
        """

        said = {
            "processor": processor,
            "what": what,
            "outcome": outcome,
            "proof_sha256": proof_sha256,
            "reason": reason,
        }

        def step(unit: Unit) -> RightsStep:
            notice = Notice(told_at=unit.now, **cast("Any", said))
            return RightsStep(request=id, kind="answer", at=unit.now, notice=notice)

        return await self._step(id, step, {"kind": "answer", "notice": said})

    async def excuse(self, id: RequestId, processor: str, what: str, *, reason: str) -> RightsRequest:
        """State why no proof of somebody is waited for: telling them is impossible, they are wound up, ...

        Raises:
            InvalidRightsRequest: if no notice of theirs is open, or the reason is missing.
        """
        notice = Notice(processor=processor, what=what, reason=reason)

        def step(unit: Unit) -> RightsStep:
            return RightsStep(request=id, kind="excuse", at=unit.now, notice=notice)

        return await self._step(id, step, {"kind": "excuse", "notice": notice})

    async def open_notices(self, *, on: date | None = None) -> tuple[OpenNotice, ...]:
        """The notices of all requests that nobody has answered, those that were due first at the front.

        What was due before the day *on* (today, in UTC, if none is named) is overdue. All requests are read for that.
        """
        unit = self._flow.reader()
        day = unit.now.date() if on is None else on
        found = [
            OpenNotice(request=request.id, notice=one, overdue=one.overdue(day))
            async for request in all_requests(unit)
            for one in request.open_notices
        ]
        return tuple(sorted(found, key=lambda one: (one.notice.due or date.max, one.request)))

    async def bundle(
        self,
        id: RequestId,
        *,
        about: Mapping[str, Any] | None = None,
        further: Iterable[Mapping[str, Any]] = (),
        reviewed: Confidence = "probable",
    ) -> Bundle:
        """Everything about the person who asked, for access, or all that they provided, for portability.

        *about* is what the law asks to be told beside the data (purposes, recipients, how long it is kept, ...);
        *further* is what other systems hold. With *reviewed* ``"doubtful"`` records that a model joined by a strong
        link are not withheld for review.

        Raises:
            InvalidRightsRequest: if the request asks for something else, or is not being collected, or *about* or
                something *further* is no mapping.
        """
        unit = self._flow.reader()
        request = await load_request(unit, id)
        if request.right not in ("access", "portability"):
            raise InvalidRightsRequest(f"a request for {request.right} is not answered by a bundle")
        if request.state not in ("collecting", "review"):
            raise InvalidRightsRequest("a bundle is made while the request is being collected or reviewed")
        return await bundle_of(
            unit,
            await members_of(unit, request),
            request.customer,
            request.anchor,
            right="access" if request.right == "access" else "portability",
            about={} if about is None else about,
            further=further,
            reviewed=reviewed,
            secrets=self._flow.secrets,
            controller=self._flow.controller(None),
        )

    async def carry_out(self, id: RequestId, *, purposes: Iterable[ActPurpose] = ()) -> ConsentEvent:
        """Record the act that a request is, so that every decision sees it.

        That is so of restriction, objection, and requests against sale or the use of sensitive data. While an automated
        decision is to be reviewed, profiling is restricted. *purposes* narrow the act; without them an objection is one
        to direct marketing. Those to whom the data were passed on are noted as to be told. Done again, it records
        nothing, but for *purposes* that were not named before.

        Raises:
            InvalidRightsRequest: if the request asks for something else, was answered, or was lifted.
        """
        named = listed(purposes, str, "purposes are several texts", InvalidRightsRequest)

        async def plan(unit: Unit) -> ConsentEvent:
            request = await load_request(unit, id)
            return await carried_out(unit, request, named, self._flow.controller(None))

        return await self._flow.commit(plan, asked=Asked("requests.carry_out", (id, frozenset(named))))

    async def announce_lifting(
        self, id: RequestId, *, reason: str, sha256: str | None = None
    ) -> RightsRequest:
        """Say that the person was told that a restriction will be lifted, or how a decision was reviewed, and why.

        *sha256* is the digest of what was sent to them. It comes before `lift`.

        Raises:
            InvalidRightsRequest: if the request is for something else, or was lifted already.
        """

        def step(unit: Unit) -> RightsStep:
            return RightsStep(request=id, kind="announce", at=unit.now, reason=reason, sha256=sha256)

        return await self._step(id, step, {"kind": "announce", "reason": reason, "sha256": sha256})

    async def lift(self, id: RequestId) -> ConsentEvent:
        """Lift the restriction that a request was carried out by, also long after it was answered.

        What was permitted before is permitted again; an objection is not lifted by this. A restriction for the review
        of an automated decision is lifted by the person who reviewed it, as whom you act.

        Raises:
            InvalidRightsRequest: if the person was not told before, nothing was restricted, or it was lifted already.
        """

        async def plan(unit: Unit) -> ConsentEvent:
            return await lifted(unit, await load_request(unit, id))

        return await self._flow.commit(plan, asked=Asked("requests.lift", (id,)))

    async def rectify(
        self, id: RequestId, change: Callable[[P], P], *, records: Iterable[PartyId] | None = None
    ) -> tuple[Party, ...]:
        """Correct what is wrong with a pure function, in each of *records*, and give those that it changed.

        Without *records*: in all that are surely the person's. The history of each names the request as the reason,
        each field stands decided on the request, and no import brings back what was wrong. Those to whom the data were
        passed on are noted as to be told.

        Raises:
            InvalidRightsRequest: if the request is for something else, is not being collected or reviewed, a record is
                not the customer's, or *change* is no function.
        """
        named = None
        if records is not None:
            named = listed(records, str, "records are several ids of records", InvalidRightsRequest)

        async def plan(unit: Unit) -> tuple[Party, ...]:
            request = await load_request(unit, id)
            return await rectified(self._flow, unit, request, change, named, self._flow.controller(None))

        which = None if named is None else frozenset(named)
        return await self._flow.commit(plan, asked=Asked("requests.rectify", (id, which)))

    async def erasure_plan(
        self, id: RequestId, *, facts: ErasureFacts | None = None, reviewed: Confidence = "probable"
    ) -> ErasurePlan:
        """What erasing the person would do, thing by thing and with reasons. Nothing is written.

        Raises:
            InvalidRightsRequest: if the request is none for erasure, is not being collected or reviewed and nothing was
                erased for it before, or a record is not surely the person's: as unsure as *reviewed*, or less sure.
        """
        unit = self._flow.reader()
        request = await load_request(unit, id)
        return (await planned_for(self._flow, unit, request, facts, reviewed)).plan

    async def erase(
        self,
        id: RequestId,
        *,
        plan_sha256: str,
        facts: ErasureFacts | None = None,
        reviewed: Confidence = "probable",
    ) -> ErasureCertificate:
        """Do what a plan said, which is named by its digest, and certify it. Sent again, it goes on where it was.

        One that was cut off goes on with what its plan named and with nothing else, whether or not the *facts* are
        given again. What has come in since wants another plan, which then counts in its place.

        Raises:
            InvalidRightsRequest: if the data or the facts have changed since the plan was made: make another one.
            CapabilityMissing: if the store cannot erase.
        """
        if self._flow.unit is not None:
            raise InvalidRightsRequest("an erasure is no part of a batch: ask for it by itself")
        return await erased(self._flow, id, plan_sha256, facts, reviewed)

    async def erasures(self) -> PastErasures:
        """What was ever erased of this tenant, with what was noted of people: for `erase_again`, and to be kept apart.

        Keep what `to_json` gives beside the backups, after every erasure, and whenever a plan of retention was applied:
        the store may be lost. All of it is read.

        Raises:
            CapabilityMissing: if the store cannot erase.
        """
        return await past_erasures(self._flow)

    async def erase_again(self, past: PastErasures | Iterable[Erasure]) -> ErasedAgain:
        """Carry over what was erased into a store that an older backup was restored into, before anybody uses it.

        *past* is what `erasures` gives of the store that the backup was taken from, of now. Beside what
        `crmcore.storage.erase_again` does, all that was written beside erasures of people is written again: addresses
        are suppressed, which needs the secrets, a No stays for whoever else has the address, whoever is kept is
        restricted, consent that is kept is over, and what is kept is found as in the other store when its time is over.
        Whom a plan of retention kept goes by no plan that was made before. Requests and certificates that are not in
        the backup are not made again. If it is cut off, restore anew. All interactions are read.

        Erasures alone, as a store lists them, do not tell what a hold or a purpose kept: all that they do not name
        counts as held then, and who was kept altogether is not known. Nor do they tell whether addresses are suppressed
        there: a crm without secrets takes them as ``PastErasures(..., suppressed=False)``, if none are.

        Raises:
            CapabilityMissing: if the store cannot erase.
            InvalidRightsRequest: if it is of another tenant.
            InvalidConsent: if addresses of people are suppressed there, or may be, and this crm was given no secrets;
                nothing was done.
            WrongKey: if the store is encrypted, and keys are gone of what is to be erased; nothing was done.
        """
        if self._flow.unit is not None:
            raise InvalidRightsRequest("an erasure is no part of a batch: ask for it by itself")
        if not isinstance(past, PastErasures):
            past = listed(
                past, Erasure, "erasures are what crm.requests.erasures() gives", InvalidRightsRequest
            )
        return await erased_again(self._flow, past)

    async def certificate(self, id: RequestId) -> ErasureCertificate:
        """The proof of an erasure that was done, as it stands: of what was kept and is over, the latest tells.

        Raises:
            NotFound: if none was done for this request.
        """
        found = await self.certificates(id)
        if not found:
            raise NotFound("nothing was erased for this request yet: see crm.requests.erase(...)")
        return found[-1]

    async def certificates(self, id: RequestId) -> tuple[ErasureCertificate, ...]:
        """All proofs of an erasure: the first is what the person was told, the others are of what was kept longer."""
        return await certificates_of(self._flow.reader(), id)

    async def kept_too_long(
        self, *, on: date | None = None, holds: Iterable[LegalHold] | None = None
    ) -> tuple[KeptTooLong, ...]:
        """The erasures of which something is kept whose last day was before the day *on* (today, in UTC).

        With *holds*, those that there are by now, those too of which a hold without an end kept something that none of
        them holds any more. Plan and carry out each of them again, and tell the holds and purposes of then: what is
        over goes, unless these keep it. All requests are read for that.
        """
        unit = self._flow.reader()
        day = day_told(on, unit.now.date())
        standing = None if holds is None else holds_told(holds)
        if standing is not None:
            check_kinds(kind for one in standing for kind in one.kinds)
        found = [
            over
            async for request in all_requests(unit)
            if request.right == "erasure"
            and (over := await kept_too_long(unit, request.id, day, standing)) is not None
        ]
        return tuple(sorted(found, key=lambda one: (one.until or date.max, one.request)))

    async def _step(
        self,
        id: RequestId,
        make: Callable[[Unit], RightsStep],
        fields: Fields,
        holidays: Set[date] = frozenset(),
    ) -> RightsRequest:
        async def plan(unit: Unit) -> RightsRequest:
            request = await load_request(unit, id)
            return await take_step(unit, request, make(unit), _holidays(holidays))

        return await self._flow.commit(plan, asked=Asked("requests.step", (id,), written=(fields,)))


async def _anchor(unit: Unit, ref: Reference, customer: Membership) -> str:
    """The one record that *ref* names, or the first of the customer where it names several."""
    named = await parties_named(unit, ref)
    return str(named[0] if len(named) == 1 and named[0] in customer.members else customer.members[0])


def _holidays(holidays: Set[date]) -> Set[date]:
    """Refuse what are no holidays."""
    if not isinstance(holidays, Set) or not all(isinstance(one, date) for one in holidays):
        raise InvalidRightsRequest("holidays are a set of dates")
    return holidays
