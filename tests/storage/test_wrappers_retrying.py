"""What is sent again, how often, and what is said when it did not help."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crmcore.errors
from crmcore import Crm, Person
from crmcore.errors import (
    CommitUnknown,
    Contention,
    StoreClosed,
    StoreError,
    StoreTimeout,
    Unavailable,
    VersionConflict,
)
from crmcore.storage import AsyncMemoryStore, AsyncStore, MemoryStore, lower, run
from crmcore.storage.wrappers import Call, Passing, Retrying, wrapped
from crmcore.testing.faulty import Fault, Faulty, at_once, scripted, seeded
from crmcore.testing.kit import EXCLUSIVE, Writer, picture, put, record, ref

BEFORE, AFTER = Fault("before"), Fault("after")


class Clock:
    """A time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def _retrying(inner: AsyncStore, clock: Clock | None = None, **options: Any) -> Retrying:
    clock = clock or Clock()
    return Retrying(inner, pause=clock.pause, clock=clock, **{"random": lambda: 1.0, **options})


def _faulty(*faults: Fault | None, **options: Any) -> Faulty:
    return Faulty(AsyncMemoryStore(exclusive=EXCLUSIVE), scripted(*faults, **options))


class Counting(Passing):
    """Counts the calls that come through and, when told to, fails each of them."""

    def __init__(self, inner: AsyncStore, error: StoreError | None = None) -> None:
        super().__init__(inner)
        self.calls = 0
        self.timeouts: list[float] = []
        self._error = error

    async def around(self, call: Call[Any]) -> Any:
        self.calls += 1
        if self._error is not None:
            raise self._error
        return await call.through()


def _errors() -> Iterator[StoreError]:
    arguments = {
        "expected": 1,
        "actual": 2,
        "namespace": "n",
        "holder": None,
        "idem": "i",
        "limit": 1,
        "got": 2,
    }
    for _, kind in inspect.getmembers(crmcore.errors, inspect.isclass):
        if issubclass(kind, StoreError):
            asked = inspect.signature(kind.__init__).parameters
            yield kind("no", **{name: value for name, value in arguments.items() if name in asked})


@pytest.mark.parametrize("error", list(_errors()), ids=lambda one: one.code)
def test_only_what_did_nothing_or_may_be_done_twice_is_sent_again(error: StoreError) -> None:
    counting = Counting(AsyncMemoryStore(), error)
    store = _retrying(counting, reserve=3.0)
    with pytest.raises(type(error)):
        run(store.apply(Writer(store).batch(put(ref(1)))))
    again = error.retryable or error.outcome == "unknown"
    assert counting.calls == (4 if again else 1)


def test_a_call_that_cannot_be_reached_at_first_is_well_in_the_end() -> None:
    faulty = _faulty(BEFORE, Fault("before", error=Contention("busy")), calls=["apply", "get"])
    store = _retrying(faulty)
    assert run(Writer(store)(put(ref(1)))) == {ref(1): 1}
    assert [name for name, _ in faulty.met] == ["apply", "apply"]


def test_reads_are_sent_again_too() -> None:
    store = _retrying(_faulty(BEFORE, BEFORE, calls=["find", "get"]))
    assert run(record(store, ref(1))) is None


def test_a_lost_answer_is_found_by_the_same_batch() -> None:
    store = _retrying(_faulty(AFTER, BEFORE))
    receipt = run(store.apply(Writer(store).batch(put(ref(1)))))
    assert (receipt.versions, receipt.replayed) == ({ref(1): 1}, True)


@pytest.mark.parametrize(
    "later",
    [Unavailable("no"), Contention("no"), StoreClosed("no"), StoreTimeout("no")],
    ids=lambda one: one.code,
)
def test_an_unknown_outcome_stays_unknown_whatever_comes_later(later: StoreError) -> None:
    store = _retrying(_faulty(AFTER, *[Fault("before", error=later)] * 50))
    with pytest.raises(CommitUnknown) as raised:
        run(store.apply(Writer(store).batch(put(ref(1)), idem="mine")))
    assert (raised.value.outcome, raised.value.idem) == ("unknown", "mine")
    assert raised.value.__cause__ is None


def test_a_conflict_after_an_unknown_outcome_does_not_make_it_known() -> None:
    """The first attempt may still be on its way, and its preconditions may hold again when it arrives."""
    inner = AsyncMemoryStore()
    lost = Counting(inner, CommitUnknown("lost", idem="mine"))

    class Once(Passing):
        async def around(self, call: Call[Any]) -> Any:
            return await (lost.around(call) if not lost.calls else call.through())

    run(Writer(inner)(put(ref(1))))
    with pytest.raises(CommitUnknown):
        run(_retrying(Once(inner)).apply(Writer(inner).batch(put(ref(1)), idem="mine")))
    with pytest.raises(VersionConflict):
        run(_retrying(inner).apply(Writer(inner).batch(put(ref(1)), idem="mine")))


def test_the_waits_double_up_to_the_longest_and_are_drawn_from_nothing_to_the_whole() -> None:
    clock = Clock()
    run(record(_retrying(_faulty(*[BEFORE] * 8, calls=["get"]), clock, first=0.1, longest=1.0), ref(1)))
    assert clock.waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0])
    half = Clock()
    store = _retrying(_faulty(*[BEFORE] * 3, calls=["get"]), half, first=0.1, random=lambda: 0.5)
    run(record(store, ref(1)))
    assert half.waits == pytest.approx([0.05, 0.1, 0.2])


def test_no_attempt_begins_after_the_time_that_a_call_was_given() -> None:
    clock = Clock()
    given: list[float] = []

    class Heard(Passing):
        async def apply(self, batch: Any, *, timeout: float = 30.0) -> Any:
            given.append(timeout)
            raise Unavailable("no")

    store = _retrying(Heard(AsyncMemoryStore()), clock, first=1.0, longest=1.0)
    with pytest.raises(Unavailable):
        run(store.apply(Writer(store).batch(put(ref(1))), timeout=3.5))
    assert given == pytest.approx([3.5, 2.5, 1.5, 0.5])
    assert clock.now <= 3.5


def test_a_call_without_a_timeout_has_patience() -> None:
    clock = Clock()
    store = _retrying(_faulty(*[BEFORE] * 99, calls=["get"]), clock, first=1.0, longest=1.0, patience=4.5)
    with pytest.raises(Unavailable):
        run(record(store, ref(1)))
    assert clock.now == pytest.approx(4.0)


@pytest.mark.parametrize("calls", [10, 100, 1000])
def test_a_store_that_always_fails_gets_a_tenth_more_calls_and_the_reserve(calls: int) -> None:
    counting = Counting(AsyncMemoryStore(), Unavailable("no"))
    store = _retrying(counting, first=0.0, reserve=10.0)
    for _ in range(calls):
        with pytest.raises(Unavailable):
            run(record(store, ref(1)))
    assert calls * 1.1 <= counting.calls <= calls * 1.1 + 10


def test_a_quiet_time_fills_the_reserve_and_no_more() -> None:
    faulty = _faulty(*[None] * 500, *[BEFORE] * 99, calls=["get"])
    store = _retrying(faulty, first=0.0, reserve=5.0)
    for _ in range(500):
        run(record(store, ref(1)))
    with pytest.raises(Unavailable):
        run(record(store, ref(1)))
    assert len(faulty.met) == 6


def test_closing_is_not_sent_again() -> None:
    counting = Counting(AsyncMemoryStore(), Unavailable("no"))
    with pytest.raises(Unavailable):
        run(_retrying(counting).close())
    assert counting.calls == 1


def test_a_task_that_is_cancelled_while_it_waits_keeps_what_is_unknown() -> None:
    async def forever(seconds: float) -> None:
        await asyncio.sleep(60)

    async def flow() -> None:
        store = Retrying(_faulty(AFTER), pause=forever)
        task = asyncio.ensure_future(store.apply(Writer(store).batch(put(ref(1)))))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await task
        assert isinstance(cancelled.value.__cause__, CommitUnknown)

    asyncio.run(flow())


def test_a_task_that_is_cancelled_in_a_later_attempt_keeps_what_is_unknown() -> None:
    class Stuck(Passing):
        attempts = 0

        async def around(self, call: Call[Any]) -> Any:
            self.attempts += 1
            if self.attempts > 1:
                await asyncio.sleep(60)
            await call.through()
            raise CommitUnknown("lost", idem=call.idem or "")

    async def flow() -> None:
        inner = Stuck(AsyncMemoryStore())
        store = Retrying(inner, pause=asyncio.sleep, first=0.0)
        task = asyncio.ensure_future(store.apply(Writer(store).batch(put(ref(1)))))
        while inner.attempts < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await task
        assert isinstance(cancelled.value.__cause__, CommitUnknown)

    asyncio.run(flow())


# --- faults by chance, and an app over them --------------------------------------------------------------

CHANCES: dict[Any, float] = {
    "before": 0.15,
    "after": 0.15,
    "hang_before": 0.05,
    "hang_after": 0.05,
    "delay": 0.1,
}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), batches=st.integers(1, 25))
def test_what_is_retried_over_a_store_that_fails_is_written_once(seed: int, batches: int) -> None:
    inner, plain = AsyncMemoryStore(), AsyncMemoryStore()
    faulty = Faulty(inner, seeded(seed, CHANCES))
    store = Retrying(faulty, pause=at_once, random=lambda: 0.0, share=1.0, reserve=1e6)
    for target in (store, plain):
        write = Writer(target)
        for number in range(batches):
            run(write(put(ref(1), number, {"n": number}), put(ref(number + 2))))
    seen, expected = run(picture(inner)), run(picture(plain))
    assert seen.records == expected.records
    assert [(one.op, one.ref, one.idem) for one in seen.changes] == [
        (one.op, one.ref, one.idem) for one in expected.changes
    ]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_same_seed_gives_the_same_faults(seed: int) -> None:
    met = []
    for _ in range(2):
        faulty = Faulty(AsyncMemoryStore(), seeded(seed, {"before": 0.4}))
        write = Writer(faulty)
        for number in range(20):
            try:
                run(write(put(ref(number))))
            except Unavailable:
                continue
        met.append(faulty.met)
    assert met[0] == met[1]


def test_an_app_over_a_store_that_fails_now_and_then_says_the_truth() -> None:
    """Whatever `add` says, it is so: a party that it gave is there once, one that it refused is not."""
    inner = AsyncMemoryStore()
    faulty = Faulty(inner, seeded(3, {"before": 0.2, "after": 0.2, "hang_after": 0.1}))
    given: list[str] = []
    lost = 0
    with Crm(lower(faulty), tenant="acme") as crm:
        for number in range(60):
            try:
                given.append(crm.parties.add(Person.of(f"Ann {number}", email=f"a{number}@x.org")).id)
            except Unavailable:
                continue
            except CommitUnknown:
                lost += 1
        assert {fault.kind for _, fault in faulty.met} == {"before", "after", "hang_after"}
        there = {one.ref.id for one in run(inner.scan("acme", "party", limit=1000)).items}
        assert set(given) <= there
        assert len(there) <= len(given) + lost


def test_a_store_that_was_closed_within_says_so() -> None:
    store = wrapped(MemoryStore(), lambda inner: Faulty(inner, scripted(Fault("closed"))))
    for _ in range(2):
        with pytest.raises(StoreClosed):
            store.apply(Writer(AsyncMemoryStore()).batch(put(ref(1))))


def test_a_call_that_hangs_takes_longer_than_it_was_given() -> None:
    clock = Clock()
    faults = scripted(Fault("hang_before"), Fault("hang_after", seconds=2.0), Fault("delay", seconds=0.5))
    store = Faulty(AsyncMemoryStore(), faults, pause=clock.pause)
    batch = Writer(store).batch(put(ref(1)))
    with pytest.raises(StoreTimeout):
        run(store.apply(batch, timeout=3.0))
    assert run(record(store, ref(1))) is None
    with pytest.raises(CommitUnknown):
        run(store.apply(batch, timeout=3.0))
    assert run(store.apply(batch)).replayed
    assert clock.waits == [4.0, 5.0, 0.5]


def test_a_fault_cannot_say_that_it_wrote_nothing_and_that_it_may_have() -> None:
    with pytest.raises(ValueError, match="wrote nothing"):
        Fault("before", error=CommitUnknown("no", idem=""))
