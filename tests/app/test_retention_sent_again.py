"""A plan of retention that was cut off and is sent again is not another one than it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime

import pytest

from crmcore import Person
from crmcore.errors import StoreClosed
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Batch, Hits, Key, Receipt, Record, Ref
from tests.app.requests import Clock, customers
from tests.app.test_begun_and_carried_over import things
from tests.app.test_notes_joined import RECORD


class Breaks(MemoryStore):
    """A store that breaks off after so many writes."""

    left = 10**9

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        done = super().apply(batch, timeout=timeout)
        self.left -= 1
        if not self.left:
            raise StoreClosed("cut off")
        return done


class Counts(MemoryStore):
    """A store that counts how often it is read."""

    reads = 0

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        self.reads += 1
        return super().get(refs)

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        self.reads += 1
        return super().find(tenant, keys, limit_per_key=limit_per_key, after=after)


def test_a_plan_that_keeps_many_of_whom_nothing_is_noted_reads_no_more_than_for_one() -> None:
    clock, store = Clock(datetime(2026, 1, 1, tzinfo=UTC)), Counts()
    crm = customers(store, clock=clock)
    for number in range(40):
        crm.parties.add(Person.of(f"P{number} Lee"))
    plan = crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items)
    assert {step.action for step in plan.steps} == {"keep"}
    store.reads = 0
    crm.retention.apply(plan)
    assert store.reads <= 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_plan_that_was_cut_off_is_not_superseded_by_itself(times: int) -> None:
    clock, store = Clock(datetime(2020, 1, 1, tzinfo=UTC)), Breaks()
    crm = customers(store, clock=clock)
    names = ("Ann Lee", "Bo Hill", "Cy Orr", "Di Poe")
    ann, bo, cy, di = (crm.parties.add(Person.of(name)).id for name in names)
    clock.move(days=4 * 365)
    old, later, now = date(2020, 1, 1), date(2021, 6, 1), date(2024, 6, 1)
    everybody = things((ann, old), (bo, old), (cy, old), (di, old))
    crm.retention.apply(crm.retention.plan(everybody, holds=[RECORD]))
    clock.move(hours=1)
    crm.retention.apply(crm.retention.plan(things((bo, later))))
    clock.move(days=300)
    plan = crm.retention.plan(things((ann, now), (cy, now), (di, now), (bo, later)))
    for _ in range(times):
        store.left = 1
        with pytest.raises(StoreClosed):
            crm.retention.apply(plan)
    store.left = 10**9
    done = crm.retention.apply(plan)
    assert (done.erased, done.left) == (1, ())
