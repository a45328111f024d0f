"""A store whose transactions have DynamoDB's ceilings keeps every promise, and says what it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import BatchTooLarge, Fenced
from crmcore.storage import (
    PARTS,
    AsyncStore,
    Check,
    CheckKey,
    CheckStream,
    Key,
    Limits,
    Operation,
    Sort,
    lift,
    run,
)
from crmcore.storage.describe import LIMITS
from crmcore.testing.ceilings import CeilingReached, CeilingsStore, ConditionFailed, Table
from crmcore.testing.ceilings.table import Address, Found, Item, Write, size_of
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import (
    EXCLUSIVE,
    Guarantee,
    NotAsked,
    Writer,
    append,
    delete,
    email,
    feed,
    ledger,
    picture,
    put,
    ref,
    refused,
    rekey,
    source,
)
from crmcore.testing.subjects import Memory
from tests.storage.wrapped_kit import NEVER_WAITS, assert_kept, unclaimed

MOST = Limits().max_items
KILLED = {"what_was_acknowledged_outlives_a_kill"}
"""What is not asked of a table that ends with its process."""


class Ceilings(Memory):
    """Each store over a table of its own, which outlives it."""

    durable = True

    def __init__(self) -> None:
        super().__init__()
        self._tables: dict[int, Table] = {}

    def make(self, number: int) -> AsyncStore:
        return lift(CeilingsStore(self._tables.setdefault(number, Table()), exclusive=EXCLUSIVE))

    async def killed(self, store: AsyncStore, work: object) -> AsyncStore:
        raise NotAsked("the table is of this process, and ends with it")


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: one.name)
def test_a_store_under_ceilings_keeps_its_promises(guarantee: Guarantee) -> None:
    assert_kept(guarantee, Ceilings(), unclaimed(*PARTS), NEVER_WAITS | KILLED)


# --- the table -----------------------------------------------------------------------------------------


def _item(sort: str, size: int = 100, partition: str = "p") -> Write:
    at = Address(partition, sort)
    room = size - size_of(Item(at, {"x": ""}))
    return Write(at, Item(at, {"x": "x" * room}))


OVER: dict[str, tuple[Sequence[Write], Sequence[Write]]] = {
    "items": ([_item(str(n)) for n in range(100)], [_item(str(n)) for n in range(101)]),
    "bytes in an item": ([_item("a", 400 << 10)], [_item("a", (400 << 10) + 1)]),
    "bytes in all": (
        [_item(str(n), 256 << 10) for n in range(16)],
        [*(_item(str(n), 256 << 10) for n in range(15)), _item("x", (256 << 10) + 1)],
    ),
    "one item twice": ([_item("a"), _item("b")], [_item("a"), Write(Address("p", "a"), None)]),
    "a partition key": ([_item("a", 5000, "é" * 1024)], [_item("a", 5000, "é" * 1024 + "x")]),
    "a sort key": ([_item("a" * 1024, 5000)], [_item("a" * 1025, 5000)]),
}


@pytest.mark.parametrize("name", OVER)
def test_a_ceiling_is_exact_and_nothing_over_it_is_done_in_part(name: str) -> None:
    fits, over = OVER[name]
    table = Table()
    table.transact(fits)
    table = Table()
    with pytest.raises(CeilingReached):
        table.transact(over)
    assert table.get([write.at for write in over][:100]) == ({}, ())


def test_a_condition_that_fails_leaves_nothing() -> None:
    table = Table()
    at = Address("p", "a")
    table.transact([Write(at, Item(at, {"revision": 1}), 0)])
    for revision in (0, 2):
        with pytest.raises(ConditionFailed):
            table.transact([_item("b"), Write(at, None, revision)])
    assert table.get([at, Address("p", "b")])[0] == {at: Item(at, {"revision": 1})}
    table.transact([_item("b"), Write(at, None, 1)])
    assert list(table.get([at, Address("p", "b")])[0]) == [Address("p", "b")]


def test_a_page_of_a_query_is_a_megabyte_and_reads_by_key_are_a_hundred_or_sixteen() -> None:
    table = Table()
    for start in range(0, 60, 10):
        table.transact([_item(f"{number:02}", 300 << 10) for number in range(start, start + 10)])
    page = table.query("p")
    assert (len(page.items), page.next) == (3, "02")
    assert [item.at.sort for item in table.query("p", after=page.next, limit=2).items] == ["03", "04"]
    found, left = table.get([Address("p", f"{number:02}") for number in range(60)])
    assert (len(found), len(left)) == (54, 6)
    with pytest.raises(CeilingReached):
        table.get([Address("p", str(number)) for number in range(101)])


# --- what a batch makes of it --------------------------------------------------------------------------


class Weighed(Table):
    """Remembers how many items each transaction had."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def transact(self, writes: Sequence[Write]) -> None:
        super().transact(writes)
        self.sizes.append(len(writes))


def _keys(count: int, start: int = 0) -> list[Key]:
    return [email(str(number)) for number in range(start, start + count)]


def _sorts(count: int) -> list[Sort]:
    return [Sort("name", "", bytes([number])) for number in range(count)]


SHAPES: dict[str, tuple[list[Operation], Callable[[int], list[Operation]]]] = {
    "records": ([], lambda items: [put(ref(number)) for number in range(items)]),
    "deletions": (
        [put(ref(number)) for number in range(MOST)],
        lambda items: [
            *(delete(ref(number), 1) for number in range(min(items, MOST))),
            *(put(ref(number)) for number in range(MOST, items)),
        ],
    ),
    "ledgers": ([], lambda items: [append(f"log:{number}") for number in range(items)]),
    "carried": (
        [],
        lambda items: [
            put(ref(1), 0, {}, _keys(20), _sorts(20)),
            put(ref(2), 0, {}, _keys(40)),
            *(append(f"log:{number}") for number in range(items - 84)),
        ],
    ),
    "exchanged": (
        [put(ref(1), 0, {}, _keys(40))],
        lambda items: [
            put(ref(1), 1, {}, _keys(40, 100)),
            *(append(f"log:{number}") for number in range(items - 82)),
        ],
    ),
    "rekeyed": (
        [put(ref(1), 0, {"t": "x" * 200_000}, _keys(40), [])],
        lambda items: [
            rekey(ref(1), 1, _keys(30, 100), _sorts(10)),
            *(append(f"log:{number}") for number in range(items - 81)),
        ],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_has_as_many_items_as_are_declared_and_not_one_more(shape: str) -> None:
    before, ops = SHAPES[shape]
    table = Weighed()
    store = lift(CeilingsStore(table, exclusive=EXCLUSIVE))
    write = Writer(store)
    run(write(*before))
    seen = run(picture(store, _keys(200), ["log:0"]))
    error = run(refused(BatchTooLarge, store.apply(write.batch(*ops(MOST + 1)))))
    assert (error.limit, error.got) == (MOST, MOST + 1)
    assert run(picture(store, _keys(200), ["log:0"])) == seen
    run(write(*ops(MOST)))
    assert table.sizes[-1] == MOST + 3  # the head, the batch and its changes


def test_preconditions_are_no_items() -> None:
    """A hundred of them beside nothing else: the floor of 100 operations is reached."""
    table = Weighed()
    write = Writer(lift(CeilingsStore(table, exclusive=EXCLUSIVE)))
    checks: list[Operation] = [Check(ref=ref(number), expect=0) for number in range(40)]
    checks += [CheckStream(stream=f"log:{number}", seq=0) for number in range(30)]
    checks += [CheckKey(key=source(str(number)), holder=None) for number in range(29)]
    run(write(*checks, put(ref(99))))
    assert table.sizes[-1] == 4


def test_a_change_of_a_body_leaves_the_keys_where_they_are() -> None:
    table = Weighed()
    write = Writer(lift(CeilingsStore(table, exclusive=EXCLUSIVE)))
    run(write(put(ref(1), 0, {"n": 1}, _keys(30), _sorts(10))))
    run(write(put(ref(1), 1, {"n": 2}, _keys(30), _sorts(10))))
    assert table.sizes[-2:] == [42 + 3, 1 + 3]


def test_the_largest_batches_stay_under_every_ceiling() -> None:
    """Whatever is within the declared limits fits into a transaction."""
    limits = Limits()
    long = [Key("email", f"{number:04}" + "é" * 254) for number in range(80)]
    wide = [Sort("n" * 64, f"{number:04}" + "𝔘" * 252, bytes([number]) * 64) for number in range(40)]
    half = {"t": "x" * (limits.max_body_bytes // 2 - 200)}
    full = {"t": "x" * (limits.max_body_bytes - 8)}
    store = lift(CeilingsStore(exclusive=EXCLUSIVE))
    write = Writer(store, "é" * 256)
    batches: list[list[Operation]] = [
        [put(ref(1, tenant="é" * 256), 0, full, long[:40])],
        [put(ref(1, tenant="é" * 256), 1, full, long[40:])],
        [put(ref(1, tenant="é" * 256), 2, full, [], wide)],
        [rekey(ref(1, tenant="é" * 256), 3, long[:40])],
        [append("é" * 256, half) for _ in range(7)],
        [append("𝔘" * 256, full) for _ in range(3)],
        [append("𝔘" * 250 + f"{number:02}", {"t": "x" * 10_000}) for number in range(MOST)],
        [put(ref(number + 9, tenant="é" * 256), 0, {"t": "x" * 10_000}) for number in range(MOST)],
    ]
    for number, ops in enumerate(batches):
        run(write(*ops, idem="é" * 250 + str(number), reason="é" * 4096))
        assert run(store.outcome("é" * 256, "é" * 250 + str(number))) is not None
    entries = run(store.ledger("é" * 256, ["𝔘" * 256, "é" * 256]))
    assert [len(page.items) for page in entries.values()] == [3, 7]


# --- at the same time ----------------------------------------------------------------------------------


def test_writers_at_the_same_time_lose_nothing() -> None:
    table = Table()

    def work(name: str) -> None:
        write = Writer(lift(CeilingsStore(table, exclusive=EXCLUSIVE)))
        for number in range(25):
            run(write(append("log:1", {"by": name}), idem=f"{name}-{number}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = run(ledger(lift(CeilingsStore(table, exclusive=EXCLUSIVE)), "log:1"))
    assert [entry.seq for entry in entries] == list(range(1, 101))


class Interrupted(Table):
    """Somebody else writes between two reads of the table, once."""

    def __init__(self) -> None:
        super().__init__()
        self.between: Callable[[], object] | None = None
        self.countdown = 0

    def get(self, addresses: Sequence[Address]) -> Any:
        found = super().get(addresses)
        self._interrupt()
        return found

    def query(self, partition: str, **options: Any) -> Found:
        found = super().query(partition, **options)
        self._interrupt()
        return found

    def _interrupt(self) -> None:
        if self.between is not None:
            self.countdown -= 1
            if self.countdown < 0:
                between, self.between = self.between, None
                between()


@settings(max_examples=30, deadline=None)
@given(countdown=st.integers(0, 6))
def test_a_read_of_many_pages_is_of_one_moment(countdown: int) -> None:
    table = Interrupted()
    store = lift(CeilingsStore(table, exclusive=EXCLUSIVE))
    write = Writer(store)
    refs = [ref(number) for number in range(180)]
    for start in range(0, 180, 60):
        run(write(*(put(one, 0, {"n": 0}) for one in refs[start : start + 60])))

    def both() -> None:
        run(write(put(refs[0], 1, {"n": 1}), put(refs[-1], 1, {"n": 1})))

    table.between, table.countdown = both, countdown
    found = run(store.get(refs))
    assert (found[refs[0]].body["n"], found[refs[-1]].body["n"]) in ((0, 0), (1, 1))


@pytest.mark.parametrize("countdown", range(3))
def test_a_batch_that_was_overtaken_is_planned_anew(countdown: int) -> None:
    table = Interrupted()
    store = lift(CeilingsStore(table, exclusive=EXCLUSIVE))
    write = Writer(store)
    table.between, table.countdown = (lambda: run(write(append("log:1"), idem="other"))), countdown
    run(write(append("log:1"), idem="mine"))
    assert table.between is None
    assert [entry.seq for entry in run(ledger(store, "log:1"))] == [1, 2]
    assert [(one.seq, one.idem) for one in run(feed(store))] == [(1, "other"), (2, "mine")]


def test_a_batch_that_was_fenced_while_it_was_planned_is_refused() -> None:
    table = Interrupted()
    store = lift(CeilingsStore(table, exclusive=EXCLUSIVE))
    table.between, table.countdown = (lambda: run(store.outcome("acme", "mine"))), 1
    run(refused(Fenced, store.apply(Writer(store).batch(append("log:1"), idem="mine"))))
    assert run(ledger(store, "log:1")) == ()


def test_the_stores_that_ship_take_more_items_than_any_batch_can_have() -> None:
    assert LIMITS.max_items >= LIMITS.max_ops * (2 + 2 * LIMITS.max_keys)
