"""Of very many customers with one number and different extensions each hears a No that is told by the number."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from crmcore import Crm, Person
from crmcore.consent.words import Channel
from crmcore.errors import StoreError
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Store
from crmcore.testing.ceilings import CeilingsStore
from tests.app.requests import Clock
from tests.app.troubled import interrupted

NUMBER = "+1 212 555 0100"


def employees(store: Store, extensions: Sequence[Sequence[int]]) -> tuple[Crm, list[str]]:
    clock = Clock()
    crm = Crm(store, clock=clock)
    people = []
    for some in extensions:
        person = Person.of("Bo Lee")
        for one in some:
            person = person.with_phone(f"{NUMBER} x{one}")
        clock.move(seconds=1)  # so that they are in the order of their ids
        people.append(str(crm.parties.add(person).id))
    return crm, people


def own_noes(crm: Crm, ids: Sequence[str]) -> list[int]:
    """How many acts each of them hears."""
    return [len(crm.consent.events(id)) for id in ids]


@pytest.mark.parametrize("make", [MemoryStore, CeilingsStore])
def test_each_of_many_extensions_hears_a_no_told_by_the_number(make: type[Store]) -> None:
    crm, ids = employees(make(), [[number] for number in range(1, 66)])
    crm.consent.record("object", NUMBER)
    assert own_noes(crm, ids) == [1] * 65


def test_whoever_shares_an_extension_hears_it_there() -> None:
    crm, ids = employees(MemoryStore(), [[number // 25] for number in range(50)])
    crm.consent.record("object", NUMBER)
    said = own_noes(crm, ids)
    assert said[:25] == [20] * 25, "the first twenty each have one of their own, which the others hear"
    assert said[25:] == [1] * 25


def test_whoever_has_several_of_the_extensions_has_a_no_of_the_person() -> None:
    crm, ids = employees(MemoryStore(), [*[[number] for number in range(1, 22)], [30, 31], [1, 2], [1, 40]])
    crm.consent.record("object", NUMBER)
    acts = [crm.consent.events(id) for id in ids]
    assert [len(some) for some in acts] == [*[1] * 22, 2, 2]
    assert acts[21][0].scope.point is None
    assert not any(act.record == ids[22] for act in acts[22])
    assert [act.scope.point for act in acts[23] if act.record == ids[23]] == [None]


@pytest.mark.parametrize(("channels", "heard"), [(["voice", "email"], True), (["in_app"], False)])
def test_by_other_ways_too_it_is_heard_at_each_extension(channels: list[Channel], heard: bool) -> None:
    crm, ids = employees(CeilingsStore(), [[number] for number in range(1, 46)])
    crm.consent.record("object", NUMBER, channels=channels)
    assert own_noes(crm, ids) == [1] * 20 + [int(heard)] * 25
    about = {act.scope.point is None for id in ids[20:] for act in crm.consent.events(id)}
    assert about == ({False} if heard else set())


def test_in_a_batch_they_are_told_in_it() -> None:
    crm, ids = employees(MemoryStore(), [[number] for number in range(1, 46)])
    with crm.batch() as batch:
        first = batch.consent.record("object", NUMBER)
    assert own_noes(crm, ids) == [1] * 45
    assert first.record == min(ids)


def test_all_of_many_are_told_in_one_batch_where_the_store_takes_them() -> None:
    store = MemoryStore()
    _, ids = employees(store, [[number] for number in range(1, 101)])
    counted = interrupted(store)
    Crm(counted, clock=Clock()).consent.record("object", NUMBER)
    assert own_noes(Crm(store), ids) == [1] * 100
    assert len(getattr(counted, "batches")) == 1  # noqa: B009 - of the wrapper, no store has it


def test_what_was_recorded_before_the_store_failed_stands_and_the_no_told_again_is_heard_by_all() -> None:
    store = CeilingsStore()
    _, ids = employees(store, [[number] for number in range(1, 101)])

    def fail() -> None:
        raise StoreError("the disk is full")

    def go_on() -> None:
        pass

    failing = Crm(interrupted(store, *[go_on] * 8, fail), clock=Clock())
    with pytest.raises(StoreError):
        failing.consent.record("object", NUMBER)
    crm = Crm(store, clock=Clock())
    assert 0 < sum(own_noes(crm, ids)) < 100
    crm.consent.record("object", NUMBER)
    assert all(own_noes(crm, ids))
