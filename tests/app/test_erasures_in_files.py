"""An SQLite file is written anew once for all that is erased, however that ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

import crmcore.storage.sqlite_erasing as sqlite_erasing
from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import LegalHold
from crmcore.errors import StoreClosed
from crmcore.storage import SqliteStore
from crmcore.storage.erasure import Erasure, ErasureReport
from crmcore.storage.protocol import Description
from tests.app.requests import Clock, collecting, customers

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
HOLD = LegalHold(id="h", reason="a lawsuit")


class Trips(SqliteStore):
    """It takes little at a time, and fails once, after so many erasures (*left*)."""

    left = -1

    def describe(self) -> Description:
        found = super().describe()
        return attrs.evolve(found, limits=attrs.evolve(found.limits, max_ops=4))

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        self.left -= 1
        if self.left == -1:
            raise StoreClosed("cut off")
        return super().erase(erasure, timeout=timeout)


@pytest.fixture
def rewritten(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is written anew, each time that it is."""
    found: list[object] = []
    rewrite: Callable[..., None] = sqlite_erasing._rewrite

    def counted(connection: object, deadline: float) -> None:
        found.append(connection)
        rewrite(connection, deadline)

    monkeypatch.setattr(sqlite_erasing, "_rewrite", counted)
    return found


def silent(path: Path, count: int) -> tuple[Trips, Crm]:
    """Customers who have not been in touch since 2020, with two notes about each; it is 2026."""
    store, clock = Trips(path), Clock(datetime(2020, 3, 1, 9, tzinfo=UTC))
    crm = customers(store, clock)
    for number in range(count):
        ann = crm.parties.add(Person.of("Ann Lee", email=f"ann@{number}.example")).id
        for _ in range(2):
            crm.interactions.record(
                "note", direction="internal", occurred_at=date(2020, 3, 1), with_=[ann], body="confided"
            )
    clock.now = NOW
    return store, crm


def confided(path: Path) -> bool:
    return any(b"confided" in one.read_bytes() for one in path.parent.iterdir())


@pytest.mark.parametrize("left", [-1, 2, 4])
def test_retention_writes_a_file_anew_once_for_all_customers(
    tmp_path: Path, rewritten: list[object], left: int
) -> None:
    store, crm = silent(tmp_path / "c.db", 2)
    plan = crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items)
    store.left = left
    if left < 0:
        assert crm.retention.apply(plan).erased == 2
        assert not confided(tmp_path / "c.db")
    else:
        with pytest.raises(StoreClosed):
            crm.retention.apply(plan)
    assert len(rewritten) == 1


def test_what_an_erasure_left_in_the_file_that_was_cut_off_goes_where_nothing_more_is_to_go(
    tmp_path: Path, rewritten: list[object]
) -> None:
    store, crm = silent(tmp_path / "c.db", 1)
    (ann,) = (one.id for one in crm.customers.page().items)
    request = collecting(crm, ann, "erasure")
    plan = crm.requests.erasure_plan(request.id)
    store.left = 1
    with pytest.raises(StoreClosed):
        crm.requests.erase(request.id, plan_sha256=plan.digest)
    assert rewritten == []
    facts = ErasureFacts(holds=(HOLD,))
    again = crm.requests.erasure_plan(request.id, facts=facts)
    assert not again.of("delete", "anonymise")
    crm.requests.erase(request.id, plan_sha256=again.digest, facts=facts)
    assert len(rewritten) == 1
