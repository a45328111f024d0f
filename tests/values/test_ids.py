"""Laws of ids."""

from __future__ import annotations

import copy
import pickle
import random
import threading
import time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidId
from crmcore.values.ids import CustomerId, Id, Ids, InteractionId, JudgementId, PartyId, RelationshipId
from tests.values.strategies import HOSTILE

TYPES = (PartyId, CustomerId, RelationshipId, InteractionId, JudgementId)
MILLIS = st.integers(0, (1 << 48) - 2)


def ids_at(clock: list[int], seed: int = 0) -> Ids:
    """A factory whose clock shows the given milliseconds, one after the other, and then stands still."""
    ticks = list(clock)
    return Ids(
        clock=lambda: ticks.pop(0) if len(ticks) > 1 else ticks[0], randbits=random.Random(seed).getrandbits
    )


@given(st.lists(MILLIS, min_size=2, max_size=30), st.integers(0, 9))
@settings(max_examples=150)
def test_ids_of_a_shard_sort_in_the_order_they_were_made_whatever_the_clock(
    clock: list[int], seed: int
) -> None:
    ids = ids_at(clock, seed)
    first = ids.new(PartyId)
    made = [first, *(ids.new(InteractionId, near=first) for _ in clock)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(one.shard == first.shard for one in made)


@given(MILLIS, st.integers(0, 9))
@settings(max_examples=100)
def test_an_id_is_a_uuid_of_version_7_that_tells_its_time_and_shard(now: int, seed: int) -> None:
    made = ids_at([now], seed).new(PartyId)
    uuid = UUID(made)
    assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
    assert made.milliseconds == now == uuid.int >> 80
    assert made.shard == (uuid.int >> 64) & 0xFFF
    assert str(uuid) == made


@pytest.mark.parametrize("type_", TYPES)
def test_an_id_is_read_as_it_is_written(type_: type[Id]) -> None:
    made = Ids(clock=lambda: 1_700_000_000_000).new(type_)
    for again in (type_.parse(str(made)), pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert again == made
        assert type(again) is type_


@given(st.uuids())
@settings(max_examples=100)
def test_only_version_7_is_read(uuid: UUID) -> None:
    if uuid.version == 7 and uuid.variant == "specified in RFC 4122":
        assert PartyId.parse(str(uuid)) == str(uuid)
    else:
        with pytest.raises(InvalidId):
            PartyId.parse(str(uuid))


GOOD = "018bcfe5-6800-7abc-8000-000000000000"


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        GOOD.upper(),
        GOOD.replace("-", ""),
        "{" + GOOD + "}",
        "urn:uuid:" + GOOD,
        GOOD + "\n",
        " " + GOOD,
        GOOD.replace("-7", "-4"),
        GOOD.replace("-8", "-c"),
        GOOD.replace("0", "０"),
        GOOD.encode(),
        None,
        7,
    ],
)
def test_other_texts_are_refused(text: Any) -> None:
    assert PartyId.parse(GOOD).shard == 0xABC
    with pytest.raises(
        InvalidId, match=r"^not a party id: ids are lower-case UUIDv7 texts of 36 characters$"
    ):
        PartyId.parse(text)


def test_a_new_id_lands_on_the_shard_of_its_neighbour() -> None:
    ids = Ids(clock=lambda: 1_700_000_000_000)
    for _ in range(50):
        party = ids.new(PartyId)
        assert ids.new(InteractionId, near=party).shard == party.shard


def test_shards_are_spread() -> None:
    ids = Ids(clock=lambda: 1_700_000_000_000)
    shards = {ids.new(PartyId).shard for _ in range(4000)}
    # Of 4,096 shards, 4,000 random picks meet about 2,550.
    assert 2300 < len(shards) < 2800


def test_threads_never_make_the_same_id() -> None:
    def yielding(count: int) -> int:
        """No randomness to hide behind, and a chance for the other threads at the worst moment."""
        time.sleep(0)
        return 0

    ids = Ids(clock=lambda: 1_700_000_000_000, randbits=yielding)
    made: list[list[PartyId]] = [[] for _ in range(8)]
    barrier = threading.Barrier(8)

    def work(mine: list[PartyId]) -> None:
        barrier.wait()
        mine.extend(ids.new(PartyId) for _ in range(2000))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for mine in made for one in mine}) == 16_000
    assert all(mine == sorted(mine) for mine in made)


def test_copies_of_a_factory_part_ways() -> None:
    """A forked process holds a copy of the factory; with a clock that stands still only chance keeps them apart."""
    one = Ids(clock=lambda: 1_700_000_000_000)
    near = one.new(PartyId)
    two = Ids(clock=lambda: 1_700_000_000_000)
    two._millis, two._counter = one._millis, one._counter
    made = [ids.new(PartyId, near=near) for ids in (one, two) for _ in range(100)]
    assert len(set(made)) == 200


def test_a_full_millisecond_borrows_from_the_next() -> None:
    ids = Ids(clock=lambda: 5, randbits=lambda count: (1 << count) - 1)
    first = ids.new(PartyId)
    ids._counter = (1 << 62) - 2
    second = ids.new(PartyId, near=first)
    assert second.milliseconds == 6
    assert first < second < ids.new(PartyId, near=first)


@pytest.mark.parametrize("now", [-1, 1 << 48, 1_700_000_000_000_000_000, 1.5])
def test_a_clock_of_another_unit_is_refused(now: Any) -> None:
    shown = [now, 1_700_000_000_000]
    ids = Ids(clock=lambda: shown.pop(0))
    with pytest.raises(InvalidId) as refusal:
        ids.new(PartyId)
    assert refusal.value.reason == "clock"
    assert ids.new(PartyId).milliseconds == 1_700_000_000_000, "the bad tick left no trace"
