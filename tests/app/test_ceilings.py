"""The library over a store with the ceilings of DynamoDB does what it does over any other."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from crmcore import Crm, Person
from crmcore.app.parts import in_parts, room_for
from crmcore.errors import BatchTooLarge
from crmcore.storage import Limits, MemoryStore, run
from crmcore.storage.protocol import Store
from crmcore.testing.ceilings import CeilingsStore, Table
from crmcore.testing.ceilings.table import MAX_ITEMS, Write
from tests.app.houses import START, options

ROOT = Path(__file__).parents[2]


class Weighed(Table):
    """Remembers how many items each transaction had."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def transact(self, writes: Sequence[Write]) -> None:
        super().transact(writes)
        self.sizes.append(len(writes))


def _taken_over(store: Store, path: Path) -> Crm:
    crm = Crm(store, **options())
    plan = crm.imports.plan(
        path,
        source="inventors",
        source_column="Law firm",
        id_column="Filing",
        columns={"Employer": "employer", "Filed on": "contact_date", "Title": "contact_subject"},
    )
    result = crm.imports.apply(plan)
    assert result.resumed == 0
    assert crm.imports.apply(plan).resumed == plan.rows_in
    crm.identity.dedupe()
    return crm


def _customers(crm: Crm) -> list[tuple[str, int]]:
    """The customers by name, and how many records each has."""
    members = crm.customers.page(limit=10_000).items
    return sorted((crm.customers.view(one.id).name, len(one.members)) for one in members)


def test_real_rows_are_imported_and_deduplicated_under_the_ceilings(tmp_path: Path) -> None:
    with (ROOT / "examples" / "one_customer_view" / "inventors.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[:121]
    path = tmp_path / "some.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    table = Weighed()
    under, plain = _taken_over(CeilingsStore(table), path), _taken_over(MemoryStore(), path)
    assert _customers(under) == _customers(plain)
    assert 60 < max(table.sizes) <= MAX_ITEMS


def test_many_are_added_changed_merged_and_taken_apart_again() -> None:
    with Crm(CeilingsStore(), **options()) as crm:
        people = crm.parties.add_many(Person.of(f"Ann Lee {n}", email=f"a{n}@x.org") for n in range(60))
        assert len({one.id for one in people}) == 60
        ann, bo = people[:2]
        before = crm.customers.view(ann.id).digest
        with crm.batch(idem="one", reason="a visit") as b:
            b.parties.change(bo.id, lambda p: p.with_phone("020 7946 0018", region="GB"))
            b.interactions.record("note", direction="internal", occurred_at=START, with_=bo.id)
        judgement = crm.identity.merge(ann.id, bo.id)
        assert len(crm.customers.view(ann.id).members) == 2
        crm.identity.retract(judgement.id)
        assert crm.customers.view(ann.id).digest == before
        crm.identity.dedupe()
        crm.parties.add(Person.of("Ann Lee 7", email="a7@x.org"))
        crm.identity.dedupe()
        assert len(crm.customers.view("a7@x.org").members) == 2


def test_what_a_store_does_not_take_at_once_is_written_in_halves() -> None:
    sent: list[list[int]] = []

    async def commit(chunk: Sequence[int]) -> list[int]:
        sent.append(list(chunk))
        if sum(chunk) > 7:
            raise BatchTooLarge("too much", limit=7, got=sum(chunk))
        return list(chunk)

    given: list[int] = []
    run(in_parts(commit, [1, 2, 3, 4, 5], given.extend))
    assert given == [1, 2, 3, 4, 5]
    assert sent == [[1, 2, 3, 4, 5], [1, 2], [3, 4, 5], [3], [4, 5], [4], [5]]
    with pytest.raises(BatchTooLarge):
        run(in_parts(commit, [8], given.extend))


def test_one_thing_is_tried_however_little_room_there_is() -> None:
    assert room_for(Limits(), ops=5, items=30) == 3
    assert room_for(Limits(), ops=5, items=1000) == 1
    assert room_for(Limits(), ops=1000, items=1) == 1
