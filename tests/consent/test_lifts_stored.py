"""A lift lies where the restrictions lie that it ends, so that it ends them also after a split."""

from __future__ import annotations

from datetime import timedelta

from crmcore import Person
from tests.app.houses import Clock
from tests.consent.asking import company


def test_a_lift_ends_a_restriction_for_every_record_that_the_customer_then_had() -> None:
    clock = Clock()
    crm = company(clock)
    ann, anna = (crm.parties.add(Person.of(name, email=f"{name}@x.example")).id for name in ("ann", "anna"))
    joined = crm.identity.merge(ann, anna)
    for kind in ("restrict", "lift"):
        clock.now += timedelta(days=1)
        crm.consent.record(kind, ann, purposes=["marketing"])
    crm.identity.retract(joined.id)
    for one in (ann, anna):
        assert [event.kind for event in crm.consent.events(one)] == ["restrict", "lift"]
