"""An erasure is cut off, and something happens before it goes on: nothing goes that no plan named."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import ErasurePlan, LegalHold, RightsRequest
from crmcore.consent.certificate import begun_by, begun_lines, place_hash
from crmcore.consent.disposition import Disposal
from crmcore.errors import InvalidRightsRequest, StoreClosed
from crmcore.storage import MemoryStore
from crmcore.storage.erasure import Erasure, ErasureReport
from crmcore.storage.protocol import Description
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, collecting, customers

HELD = ErasureFacts(
    holds=(LegalHold(id="case 7", reason="a lawsuit", kinds=frozenset({"interaction", "party"})),)
)


class Cut(MemoryStore):
    """A store that takes little at a time, and breaks off when it has done so many erasures."""

    left = 0

    def describe(self) -> Description:
        found = super().describe()
        return attrs.evolve(found, limits=attrs.evolve(found.limits, max_ops=4))

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        if not self.left:
            raise StoreClosed("cut off")
        self.left -= 1
        return super().erase(erasure, timeout=timeout)


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
