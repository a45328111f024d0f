"""Requests over a store: the record, the ledger of steps, and the acts that some of them are."""

from __future__ import annotations

from datetime import UTC, date, datetime

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.consent.rights_steps import replay
from crmcore.errors import InvalidRightsRequest, NotFound
from tests.app.requests import Clock, collecting, customers


def known(clock: Clock | None = None) -> Crm:
    crm = customers(clock=clock)
    crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    return crm


def test_the_record_is_what_the_ledger_of_its_steps_makes() -> None:
    crm = known()
    request = collecting(crm, "ann@x.example", "access")
    stored = crm.requests.get(request.id)
    assert attrs.evolve(replay(crm.requests.steps(request.id)), version=stored.version) == stored
    assert stored.version == 4
    assert crm.requests.of("ann@x.example") == (stored,)


def test_two_requests_of_a_person_have_steps_of_their_own() -> None:
    crm = known()
    one, two = (collecting(crm, "ann@x.example", right) for right in ("access", "erasure"))
    assert {step.request for step in crm.requests.steps(two.id)} == {two.id}
    assert [found.id for found in sorted(crm.requests.of("ann@x.example"), key=lambda r: r.right)] == [
        one.id,
        two.id,
    ]


def test_a_request_is_received_after_it_came_and_under_a_law_that_knows_it() -> None:
    crm = known()
    with pytest.raises(InvalidRightsRequest, match="future"):
        crm.requests.receive(
            "ann@x.example",
            right="access",
            law="gdpr",
            channel="email",
            zone="Europe/Berlin",
            received_at=datetime(2027, 1, 1, tzinfo=UTC),
        )
    with pytest.raises(InvalidRightsRequest, match="no such right"):
        crm.requests.receive(
            "ann@x.example", right="portability", law="pipeda", channel="email", zone="America/Toronto"
        )
    with pytest.raises(NotFound):
        crm.requests.get(collecting(known(), "ann@x.example", "access").id)


def test_a_step_that_is_refused_writes_nothing() -> None:
    crm = known()
    request = collecting(crm, "ann@x.example", "access")
    with pytest.raises(InvalidRightsRequest):
        crm.requests.move(request.id, "close")
    assert crm.requests.get(request.id) == request
    assert len(crm.requests.steps(request.id)) == 4


def test_a_clock_that_stood_still_goes_on_where_it_was() -> None:
    clock = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    crm = known(clock)
    request = crm.requests.receive(
        "ann@x.example", right="access", law="uk_gdpr", channel="letter", zone="Europe/London"
    )
    crm.requests.stop_clock(request.id, "clarification")
    assert crm.requests.due(request.id).day is None
    clock.move(days=7)
    crm.requests.resume_clock(request.id)
    assert crm.requests.due(request.id).day == date(2026, 4, 9)
    crm.requests.extend(request.id, reason="many systems")
    assert crm.requests.due(request.id).day == date(2026, 6, 9)


@pytest.mark.parametrize(
    ("right", "law", "kind", "purposes"),
    [
        ("restriction", "gdpr", "restrict", frozenset[str]()),
        ("objection", "gdpr", "object", {"direct_marketing"}),
        ("opt_out_of_sale", "ccpa", "object", {"third_party_sharing"}),
    ],
)
def test_what_is_an_act_is_recorded_once_and_as_of_its_receipt(
    right: str, law: str, kind: str, purposes: set[str]
) -> None:
    clock = Clock()
    crm = known(clock)
    request = crm.requests.receive(
        "ann@x.example",
        right=right,  # type: ignore[arg-type]  # one of the words
        law=law,  # type: ignore[arg-type]  # one of the words
        channel="web",
        zone="Europe/Berlin",
    )
    clock.move(days=1)
    first = crm.requests.carry_out(request.id)
    assert crm.requests.carry_out(request.id) == first
    (act,) = crm.consent.events("ann@x.example")
    assert (str(act.kind), set(map(str, act.scope.purposes))) == (kind, set(purposes))
    assert (act.occurred_at, act.recorded_at) == (request.received_at, clock.now)


def test_a_request_for_data_is_no_act() -> None:
    crm = known()
    with pytest.raises(InvalidRightsRequest, match="no act"):
        crm.requests.carry_out(collecting(crm, "ann@x.example", "access").id)


def test_a_batch_with_a_key_receives_a_request_once() -> None:
    crm = known()
    for _ in range(2):
        with crm.batch(idem="form 17") as batch:
            request = batch.requests.receive(
                "ann@x.example", right="access", law="gdpr", channel="web", zone="Europe/Berlin"
            )
    assert crm.requests.of("ann@x.example") == (request,)
