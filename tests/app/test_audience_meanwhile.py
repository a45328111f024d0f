"""Laws of `crm.consent.audience` while others write: who is there all the time is told of, and nobody twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.app import consent_audience
from crmcore.errors import PositionExpired
from crmcore.storage import Erasure, MemoryStore, Ref, SqliteStore
from crmcore.storage.protocol import FeedPage
from crmcore.testing.feedless import Feedless
from crmcore.values.source import SYSTEM
from tests.app.houses import START, Clock, options

Ids = list[Any]
Doing = Callable[[Crm, Ids], object]


@pytest.fixture(autouse=True)
def _pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent_audience, "_FEW", 3)
    monkeypatch.setattr(consent_audience, "_MANY", 3)


def add(crm: Crm, name: str) -> Any:
    return crm.parties.add(Person.of(f"{name} Lee", email=f"{name}@x.example")).id


def told(store: Any, before: Doing, *meanwhile: Doing) -> tuple[list[str], Ids]:
    """Of whom of nine people one is told, where one thing is done after each page; and their ids."""
    clock = Clock()
    crm = Crm(store, **options(clock=clock))
    people = []
    for number in range(9):
        clock.now += timedelta(seconds=1)
        people.append(add(crm, f"p{number}"))
    before(crm, people)
    doing: Iterator[Doing] = iter(meanwhile)
    found = []
    for number, one in enumerate(crm.consent.audience(purpose="marketing", channel="email"), 1):
        found.append(str(one.customer))
        if number % 3 == 0:
            with suppress(StopIteration):
                next(doing)(crm, people)
    return found, people


def nothing(crm: Crm, people: Ids) -> None:
    pass


def merge(one: int, other: int) -> Doing:
    return lambda crm, people: crm.identity.merge(people[one], people[other])


def erase(crm: Crm, people: Ids) -> None:
    """The first record, and not its customer."""
    gone = frozenset({Ref("default", "party", str(people[0]))})
    store: Any = crm.store
    store.erase(Erasure(tenant="default", refs=gone, idem="e", at=START, actor=SYSTEM))


def late(crm: Crm, people: Ids) -> None:
    """A writer whose clock is slow adds a record, which is the last person's."""
    add_before(0)(crm, people)
    crm.identity.merge(people[-1], people[8])


def add_before(one: int) -> Doing:
    """A writer whose clock is slow adds a record with an id that is older than one of the people's."""

    def adding(crm: Crm, people: Ids) -> None:
        made = datetime.fromtimestamp(people[one].milliseconds / 1000, UTC)
        slow = Crm(crm.store, **options(clock=Clock(made - timedelta(milliseconds=500))))
        people.append(add(slow, "late"))
        assert people[one - 1] < people[-1] < people[one] or one == 0

    return adding


def retract(crm: Crm, people: Ids) -> None:
    crm.parties.retract(people[0], reason="a test")


def test_who_was_told_of_is_not_told_of_again_when_their_first_record_is_erased(tmp_path: Path) -> None:
    for store in (MemoryStore(), SqliteStore(tmp_path / "a.db")):
        found, people = told(store, merge(0, 8), erase)
        assert found == people[:8]
        store.close()


def test_who_is_merged_with_a_record_that_came_too_late_is_told_of_still(tmp_path: Path) -> None:
    for store in (MemoryStore(), SqliteStore(tmp_path / "a.db")):
        found, people = told(store, nothing, late)
        assert found == [*people[:8], people[9]]
        store.close()


def test_who_was_told_of_alone_is_not_told_of_as_another_s_customer() -> None:
    def change(crm: Crm, people: Ids) -> None:
        crm.parties.change(people[0], lambda party: party.with_email("new@x.example"))

    for store in (MemoryStore(), Expiring(), Feedless(Path())):
        found, people = told(store, nothing, change, merge(0, 8))
        assert found == people[:8]


def test_who_came_meanwhile_and_was_told_of_is_not_told_of_again() -> None:
    def more(crm: Crm, people: Ids) -> None:
        people += [add(crm, f"n{number}") for number in range(4)]

    found, people = told(MemoryStore(), nothing, more, nothing, nothing, merge(11, 12))
    assert found == people[:12]

    # So if its writer's clock is slow, and the feed was asked about somebody else meanwhile.
    def slowly(crm: Crm, people: Ids) -> None:
        add_before(8)(crm, people)
        crm.identity.merge(people[0], people[3])

    found, people = told(MemoryStore(), nothing, slowly, merge(8, 9))
    assert found == [*people[:3], *people[4:8], people[9]]
    # Who came late alone is told of no more, and takes nobody along.
    found, people = told(MemoryStore(), nothing, late, merge(0, 9))
    assert found == people[:8]


def test_a_record_by_which_nobody_was_told_of_hides_no_customer() -> None:
    found, people = told(MemoryStore(), retract, merge(0, 8))
    assert found == [*people[1:8], people[0]]
    found, people = told(MemoryStore(), merge(0, 8), nothing, retract)
    assert found == people[:8]


class Expiring(MemoryStore):
    """A store whose feed has dropped the past."""

    def changes(self, tenant: str, after: str = "", limit: int = 500) -> FeedPage:
        if after:
            raise PositionExpired("the past was dropped")
        return super().changes(tenant, after, limit)
