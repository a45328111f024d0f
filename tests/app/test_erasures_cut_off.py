"""An erasure is cut off, and something happens before it goes on: nothing goes that no plan named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import ErasurePlan, LegalHold, Retained, RightsRequest, SecretRing
from crmcore.consent.certificate import begun_by, begun_lines, place_hash
from crmcore.consent.disposition import Disposal
from crmcore.consent.rights_request import RequestId
from crmcore.errors import InvalidRightsRequest, StoreClosed
from crmcore.storage import MemoryStore
from crmcore.storage.erasure import Erasure, ErasureReport
from crmcore.storage.protocol import Batch, Description, Receipt
from crmcore.storage.stored import StoredEntry, StoredRecord
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, collecting, customers
from tests.app.test_person_erasure import rows_of

HELD = ErasureFacts(
    holds=(LegalHold(id="case 7", reason="a lawsuit", kinds=frozenset({"interaction", "party"})),)
)


class Cut(MemoryStore):
    """A store that takes little at a time, and breaks off when it has done so many erasures, or at *every* write."""

    left = 0
    every = False
    written = 0
    meanwhile: Callable[[], object] | None = None

    def describe(self) -> Description:
        found = super().describe()
        return attrs.evolve(found, limits=attrs.evolve(found.limits, max_ops=4))

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        done = super().apply(batch, timeout=timeout)
        self._count()
        return done

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        if not self.left:
            raise StoreClosed("cut off")
        self.left -= 1
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        done = super().erase(erasure, timeout=timeout)
        self._count()
        return done

    def _count(self) -> None:
        self.written += 1
        if self.every:
            raise StoreClosed("cut off")


def begun(facts: ErasureFacts | None = None) -> tuple[Crm, RightsRequest, ErasurePlan, PartyId]:
    """Ann's erasure, cut off as soon as it was begun."""
    store = Cut()
    crm = customers(store)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    call(crm, ann.id)
    request = collecting(crm, ann.id, "erasure")
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    with pytest.raises(StoreClosed):
        crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    store.left = 10**9
    return crm, request, plan, ann.id


def call(crm: Crm, who: PartyId) -> None:
    crm.interactions.record("call", direction="inbound", occurred_at=date(2026, 3, 1), with_=[who])


def held(crm: Crm, kind: str) -> int:
    return len(crm.store.scan("default", kind, limit=100).items)


def test_what_a_hold_keeps_is_kept_when_the_erasure_goes_on_without_the_facts() -> None:
    crm, request, plan, ann = begun(HELD)
    certificate = crm.requests.erase(request.id, plan_sha256=plan.digest)
    assert {line.kind for line in certificate.lines if line.action == "restrict"} >= {"interaction", "party"}
    assert held(crm, "interaction") == 1
    assert [act.kind for act in crm.consent.events(ann)] == ["restrict"]


def test_what_has_come_in_since_an_erasure_was_begun_wants_a_plan_that_names_it() -> None:
    crm, request, plan, ann = begun()
    call(crm, ann)
    with pytest.raises(InvalidRightsRequest, match="has come in since"):
        crm.requests.erase(request.id, plan_sha256=plan.digest)
    assert held(crm, "party") == 1
    again = crm.requests.erasure_plan(request.id)
    certificate = crm.requests.erase(request.id, plan_sha256=again.digest)
    assert (held(crm, "party"), held(crm, "interaction")) == (0, 0)
    counts = dict.fromkeys(("party", "interaction", "interaction.recorded"), 0)
    for line in certificate.lines:
        if line.kind in counts:
            counts[line.kind] += line.count
    assert counts == {"party": 1, "interaction": 2, "interaction.recorded": 2}
    assert certificate.plan_sha256 == again.digest


def test_a_plan_that_another_one_took_the_place_of_is_refused_also_where_that_one_was_cut_off() -> None:
    for was_begun in (True, False):
        crm, request, first, _ = begun() if was_begun else begun(HELD)
        store = crm.store
        assert isinstance(store, Cut)
        if was_begun:
            store.left, another = 0, crm.requests.erasure_plan(request.id, facts=HELD)
            with pytest.raises(StoreClosed):
                crm.requests.erase(request.id, plan_sha256=another.digest, facts=HELD)
            store.left = 10**9
        else:
            first = attrs.evolve(crm.requests.erasure_plan(request.id), after="")
        with pytest.raises(InvalidRightsRequest, match="has changed"):
            crm.requests.erase(request.id, plan_sha256=first.digest)
        assert (held(crm, "party"), held(crm, "interaction")) == (1, 1)
        lifted = crm.requests.erasure_plan(request.id)
        assert crm.requests.erase(request.id, plan_sha256=lifted.digest).plan_sha256 == lifted.digest


def test_a_hold_that_came_since_an_erasure_was_begun_wants_a_plan_that_keeps_to_it() -> None:
    crm, request, plan, _ = begun()
    with pytest.raises(InvalidRightsRequest, match="more is kept"):
        crm.requests.erase(request.id, plan_sha256=plan.digest, facts=HELD)
    again = crm.requests.erasure_plan(request.id, facts=HELD)
    certificate = crm.requests.erase(request.id, plan_sha256=again.digest, facts=HELD)
    assert (held(crm, "party"), held(crm, "interaction")) == (1, 1)
    assert not [line for line in certificate.lines if line.kind == "party" and line.action == "delete"]
    with pytest.raises(InvalidRightsRequest, match="has changed"):
        crm.requests.erase(request.id, plan_sha256=plan.digest)


def test_what_was_refused_since_an_erasure_was_begun_wants_a_plan_that_keeps_to_it() -> None:
    crm, request, plan, _ = begun()
    crm.requests.decide(request.id, "interaction", "refuse", reason="a lawsuit")
    with pytest.raises(InvalidRightsRequest, match="more is kept"):
        crm.requests.erase(request.id, plan_sha256=plan.digest)
    with pytest.raises(InvalidRightsRequest, match="refuse it partly"):
        crm.requests.move(request.id, "refuse", reason="no")


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_whoever_was_told_apart_stays_when_what_said_so_is_erased_already(done: int) -> None:
    store = Cut()
    crm = customers(store)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    bob = crm.parties.add(Person.of("Bob Stone", email="bob@x.example"))
    crm.identity.merge(ann.id, bob.id)
    request = collecting(crm, ann.id, "erasure")
    crm.identity.mark_different(ann.id, bob.id)
    plan = crm.requests.erasure_plan(request.id)
    store.left = done
    with pytest.raises(StoreClosed):
        crm.requests.erase(request.id, plan_sha256=plan.digest)
    store.left = 10**9
    crm.requests.erase(request.id, plan_sha256=plan.digest)
    assert [one.id for one in crm.parties.find(email="bob@x.example")] == [bob.id]
    assert crm.parties.find(email="ann@x.example") == ()


def test_a_person_with_very_many_things_is_noted_in_several_records() -> None:
    def plan(numbers: range) -> ErasurePlan:
        return ErasurePlan(
            disposals=tuple(
                Disposal(place=f"note {n}", kind="interaction", action="delete", reason="r", cite="c")
                for n in numbers
            )
        )

    parts = begun_by(plan(range(10_500)), "r")
    assert [part.more for part in parts] == [1, 0]
    again = begun_by(plan(range(10_400, 20_100)), "r", parts)
    assert [part.more for part in again] == [2, 0, 0]
    assert begun_lines(again).keys() == {place_hash(f"note {n}") for n in range(20_100)}
    assert sum(line.count for part in again for line in part.lines) == 20_100


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_record_that_was_looked_at_is_not_asked_about_again_when_what_joined_it_is_erased(
    done: int,
) -> None:
    store, clock = Cut(), Clock()
    crm = customers(store, clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    clock.move(seconds=1)  # so that her record is the first that goes
    too = crm.parties.add(Person.of("Ann Lee", email="ann@y.example"))
    crm.identity.merge(ann.id, too.id)
    call(crm, ann.id)
    request = collecting(crm, ann.id, "erasure")
    plan = crm.requests.erasure_plan(request.id)
    store.left = done
    with pytest.raises(StoreClosed):
        crm.requests.erase(request.id, plan_sha256=plan.digest)
    store.left = 10**9
    call(crm, too.id)
    again = crm.requests.erasure_plan(request.id)
    crm.requests.erase(request.id, plan_sha256=again.digest)
    assert (held(crm, "party"), held(crm, "interaction")) == (0, 0)


def lived(asked: bool, secrets: SecretRing | None) -> tuple[Cut, Callable[[], object]]:
    """A store with a customer whose every trace can be told apart, and what erases them, who asked or did not."""
    store, clock = Cut(), Clock(datetime(2020, 3, 1, 9, tzinfo=UTC))
    crm = Crm(store, clock=clock, secrets=secrets)
    ann, too = (crm.parties.add(Person.of("Ann Lee", email=f"ann@{x}.example")).id for x in "xy")
    bo = crm.parties.add(Person.of("Bo Hill", email="ann@y.example")).id
    crm.identity.merge(ann, too, reason="confided")
    crm.identity.mark_different(bo, ann, reason="confided")
    for _ in range(2):
        link = crm.relationships.add("reports_to", bo, ann, note="confided")
        crm.relationships.retract(link.id, reason="confided")
    for others in ([], [bo]):
        talk = crm.interactions.record(
            "note", direction="internal", occurred_at=date(2020, 3, 1), with_=[ann, *others], body="confided"
        )
        crm.interactions.correct(talk.id, reason="confided", body="confided")
    crm.consent.record(
        "give", too, purposes=["marketing"], channels=["email"], point="ann@x.example", words="confided"
    )
    crm.consent.withdraw(ann, point="ann@y.example", words="confided")
    clock.now = datetime(2026, 5, 4, 9, tzinfo=UTC)
    call(crm, bo)
    store.left = 10**9
    if asked:
        request = collecting(crm, ann, "erasure")
        plan = crm.requests.erasure_plan(request.id)
        store.written = 0
        return store, lambda: crm.requests.erase(request.id, plan_sha256=plan.digest).lines
    known = {"last_contact": date(2020, 3, 1)}  # the app knows that the acts of since were none of theirs
    silent = Retained(place=ann, category="prospect", jurisdictions=frozenset({"FR"}), triggers=known)
    steps = crm.retention.plan([silent])
    store.written = 0
    return store, lambda: crm.retention.apply(steps).left


def rows_left(store: Cut) -> Counter[tuple[str, ...]]:
    """How many rows of each sort a store has, but those that tell how often it was written to."""
    return Counter(
        (row.kind, str(row.body is None), str("confided" in str(row.body)))
        if isinstance(row, StoredRecord)
        else (row.schema, str("confided" in str(row.body)))
        for row in rows_of(store)
        if isinstance(row, StoredEntry) or (isinstance(row, StoredRecord) and row.kind != "suppression")
    )


@pytest.mark.parametrize("asked", [True, False])
def test_an_erasure_that_is_cut_off_at_every_write_ends_as_one_that_is_not(asked: bool) -> None:
    secrets = SecretRing({1: bytes(range(32))}) if asked else None
    whole, erase = lived(asked, secrets)
    said = erase()
    cut, go_on = lived(asked, secrets)
    for cut.every in (*[True] * whole.written, False):
        try:
            again = go_on()
        except StoreClosed:
            again = None
    assert again == said
    assert whole.written > 10
    assert rows_left(cut) == rows_left(whole)
    assert {row[0] for row in rows_left(cut) if row[-1] == "True"} == {"consent.event/1"}


@pytest.mark.parametrize("told_again", [False, True])
def test_a_no_stays_for_whoever_took_the_address_since_the_erasure_was_begun(told_again: bool) -> None:
    store, clock = Cut(), Clock()
    crm = customers(store, clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example")).id
    crm.consent.withdraw(ann, point="ann@x.example", words="Ann wants none")
    clock.move(days=4 * 365)
    request = collecting(crm, ann, "erasure")
    plan = crm.requests.erasure_plan(request.id, facts=HELD)
    with pytest.raises(StoreClosed):
        crm.requests.erase(request.id, plan_sha256=plan.digest, facts=HELD)
    store.left = 10**9
    cy = crm.parties.add(Person.of("Cy Lee", email="ann@x.example")).id
    crm.requests.erase(request.id, plan_sha256=plan.digest, facts=HELD if told_again else None)
    assert [(act.kind, act.words) for act in crm.consent.events(cy)] == [("withdraw", None)]
    certificate = crm.requests.certificate(request.id)
    told = {line.kind: line.action for line in certificate.lines}
    assert (told["consent.event"], told.get("contact_point")) == ("anonymise", None)
    assert crm.requests.erase(request.id, plan_sha256=plan.digest) == certificate


def test_a_certificate_tells_of_a_no_that_was_left_to_who_had_the_address_before_it_was_cut_off() -> None:
    store, clock = Cut(), Clock()
    crm = customers(store, clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="lees@x.example")).id
    cy = crm.parties.add(Person.of("Cy Lee", email="lees@x.example").with_email("cy@x.example")).id
    crm.consent.withdraw(ann, point="lees@x.example", words="Ann wants none")
    clock.move(days=4 * 365)
    request = collecting(crm, ann, "erasure")
    plan = crm.requests.erasure_plan(request.id)
    with pytest.raises(StoreClosed):
        crm.requests.erase(request.id, plan_sha256=plan.digest)
    store.left = 10**9
    crm.parties.change(cy, lambda party: party.without("lees@x.example"))
    again = crm.requests.erasure_plan(request.id)
    certificate = crm.requests.erase(request.id, plan_sha256=again.digest)
    told = {line.kind: line.action for line in certificate.lines}
    assert (told["consent.event"], told.get("contact_point")) == ("anonymise", None)
    assert [(act.kind, act.words) for act in crm.consent.events(cy)] == [("withdraw", None)]


def test_what_was_written_of_a_talk_for_others_goes_when_the_talk_is_kept_and_comes_again() -> None:
    store = Cut()
    crm = customers(store)
    ann, bo = (crm.parties.add(Person.of(f"{x} Lee", email=f"{x}@x.example")).id for x in ("Ann", "Bo"))
    crm.interactions.record(
        "call", direction="inbound", occurred_at=date(2026, 3, 1), with_=[ann, bo], subject="a claim"
    )
    request = collecting(crm, ann, "erasure")
    plan = crm.requests.erasure_plan(request.id)
    with pytest.raises(StoreClosed):
        crm.requests.erase(request.id, plan_sha256=plan.digest)
    store.left = 10**9

    def subjects(who: PartyId) -> list[str | None]:
        return [one.subject for one in crm.interactions.timeline(who).items]

    def erase(id: RequestId, facts: ErasureFacts | None = None) -> None:
        again = crm.requests.erasure_plan(id, facts=facts)
        crm.requests.erase(id, plan_sha256=again.digest, facts=facts)

    assert set(subjects(bo)) == {"a claim", None}
    erase(request.id, HELD)
    assert (subjects(ann), subjects(bo)) == (["a claim"], ["a claim"])
    erase(collecting(crm, bo, "erasure").id)
    assert subjects(ann) == [None]


def begun_meanwhile(asked: bool) -> tuple[Crm, Callable[[], Any], Callable[[], Any]]:
    """Ann, what erases her in several parts, and what does so by a plan that keeps more."""
    store, clock = Cut(), Clock(datetime(2020, 3, 1, 9, tzinfo=UTC))
    store.left = 10**9
    crm = customers(store, clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example")).id
    for _ in range(4):
        crm.interactions.record("note", direction="internal", occurred_at=date(2020, 3, 1), with_=[ann])
    clock.now = datetime(2026, 5, 4, 9, tzinfo=UTC)
    if asked:
        keeping = ErasureFacts(holds=(LegalHold(id="case 7", reason="a lawsuit"),))
        request = collecting(crm, ann, "erasure")

        def erase(facts: ErasureFacts | None) -> object:
            plan = crm.requests.erasure_plan(request.id, facts=facts)
            crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
            return request.id

        return crm, partial(erase, None), partial(erase, keeping)
    found = crm.retention.customers(jurisdictions=["FR"]).items

    def apply(holds: tuple[LegalHold, ...]) -> object:
        return crm.retention.apply(crm.retention.plan(found, holds=holds)).left

    return crm, partial(apply, ()), partial(apply, HELD.holds)


@pytest.mark.parametrize("asked", [True, False])
def test_an_erasure_ends_when_somebody_else_begins_one_that_keeps_more(asked: bool) -> None:
    crm, first, other = begun_meanwhile(asked)
    store, done = crm.store, list[Any]()
    assert isinstance(store, Cut)
    store.meanwhile = lambda: done.append(other())
    if asked:
        with pytest.raises(InvalidRightsRequest, match="another plan was begun"):
            first()
    else:
        (step,) = first()
        assert step.reason.startswith("another plan was begun")
    assert (len(done), held(crm, "party"), held(crm, "interaction")) == (1, 1, 4)
    if asked:  # the part that was under way is in no certificate as kept
        before, after = crm.requests.certificates(done[0])
        assert (before.count("restrict") - after.count("restrict"), after.count("delete")) == (4, 4)
        (lost,) = [line for line in after.lines if line.action == "delete"]
        assert lost.reason.startswith("it was to be kept and is not there")
