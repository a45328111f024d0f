"""Each wrapper keeps every promise of the store within, in both colours, and has just its parts."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore.errors import (
    CapabilityMissing,
    CommitUnknown,
    StoreError,
    StoreReadOnly,
    Unavailable,
    VersionConflict,
)
from crmcore.storage import (
    PARTS,
    AsyncBackup,
    AsyncBulk,
    AsyncDurable,
    AsyncEraser,
    AsyncMemoryStore,
    AsyncSchema,
    AsyncStore,
    AsyncStream,
    AsyncTenants,
    Capability,
    Chunk,
    Description,
    Erasure,
    Lifted,
    Lowered,
    MemoryStore,
    SqliteStore,
    bulk_of,
    claims,
    lift,
    lower,
    run,
)
from crmcore.storage.lift import near_of, skim_of
from crmcore.storage.nearness import Breadth
from crmcore.storage.protocol import Entry, Hits, Key, Page, Record
from crmcore.storage.wrappers import Call, Passing, ReadOnly, Retrying, Traced, Tracing, blocking, wrapped
from crmcore.storage.wrappers.audited import Audited
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.faulty import Fault, Faulty, scripted, seeded
from crmcore.testing.kit import EXCLUSIVE, NOW, TENANT, Guarantee, Writer, append, email, picture, put, ref
from crmcore.testing.shipped import SHIPPED
from crmcore.testing.subjects import Memory, opened
from crmcore.values.source import SYSTEM, Actor
from tests.storage.wrapped_kit import NEVER_WAITS, NO_ITEMS, asked, assert_kept, unclaimed

Wrapper = Callable[[AsyncStore], AsyncStore]


class Split(Passing):
    """Reads through a read-only store and writes past it, so that the checks of reads can be asked of one."""

    def __init__(self, inner: AsyncStore) -> None:
        super().__init__(inner)
        self._reading = ReadOnly(inner)

    async def around(self, call: Call[Any]) -> Any:
        return await (call.through() if call.writes else self._reading.around(call))


def retrying(inner: AsyncStore) -> AsyncStore:
    """Over a store that cannot be reached every third time, with all the tries that it takes."""
    flaky = Faulty(inner, seeded(5, {"before": 0.3}, calls=["apply", "load", "get", "find", "outcome"]))
    return Retrying(flaky, pause=at_once, random=lambda: 0.0, share=1.0, reserve=1000.0)


async def at_once(seconds: float) -> None:
    pass


WRAPPERS: dict[str, Wrapper] = {
    "passing": Passing,
    "reading": Split,
    "retrying": lambda inner: Retrying(inner, pause=blocking),
    "tracing": lambda inner: Tracing(inner, lambda traced: None, tenant_key=bytes(16)),
    "faulty": lambda inner: Faulty(inner, scripted()),
    "all": lambda inner: Tracing(Retrying(Passing(inner), pause=blocking), lambda traced: None),
}
ALONE = ("reading", "faulty")
STORES = {"memory": "memory", "sqlite": "sqlite", "async_sqlite": "async sqlite"}
IN_MEMORY = unclaimed("durable", "schema", keeps=False)


def _over(subject: Any, wrapper: Wrapper) -> Any:
    """A subject whose stores are in *wrapper*."""
    within = subject.make

    async def make(number: int) -> AsyncStore:
        return wrapper(await opened(within(number)))

    subject.make = make
    return subject


CASES = [
    pytest.param(guarantee, name, store, id=f"{name}-{store}-{guarantee.name}")
    for guarantee in GUARANTEES
    for name in WRAPPERS
    for store in ("memory", "sqlite", "async_sqlite")
    # In a file those that "all" puts into one another are asked together, in either colour.
    if (store == "memory" and not guarantee.durable)
    or (name == "all" and (store == "sqlite" or asked(guarantee, store)))
    or (store == "sqlite" and name in ALONE)
]


@pytest.mark.parametrize(("guarantee", "name", "store"), CASES)
def test_a_wrapped_store_keeps_its_promises(
    guarantee: Guarantee, name: str, store: str, tmp_path: Path
) -> None:
    subject = _over(SHIPPED[STORES[store]].subject(tmp_path), WRAPPERS[name])
    not_claimed = IN_MEMORY if store == "memory" else frozenset[str]()
    waits = store == "async_sqlite"
    assert_kept(guarantee, subject, not_claimed, NO_ITEMS if waits else NO_ITEMS | NEVER_WAITS)


@pytest.mark.parametrize(
    "guarantee",
    [one for one in GUARANTEES if not one.durable],
    ids=lambda one: one.name,
)
def test_a_store_that_fails_now_and_then_keeps_its_promises_when_retried(guarantee: Guarantee) -> None:
    assert_kept(guarantee, _over(Memory(), retrying), IN_MEMORY, NO_ITEMS | NEVER_WAITS)


PROTOCOLS = (
    AsyncStore,
    AsyncBulk,
    AsyncStream,
    AsyncBackup,
    AsyncEraser,
    AsyncDurable,
    AsyncSchema,
    AsyncTenants,
)
CALLS = [
    pytest.param(protocol, name, id=f"{protocol.__name__}-{name}")
    for protocol in PROTOCOLS
    for name, _ in inspect.getmembers(protocol, inspect.isfunction)
    if not name.startswith("_")
]


@pytest.mark.parametrize(("protocol", "name"), CALLS)
def test_the_passing_wrapper_has_the_calls_of_every_part(protocol: type, name: str) -> None:
    expected = inspect.signature(getattr(protocol, name))
    assert inspect.signature(getattr(Passing, name)) == expected


@pytest.mark.parametrize("wrapper", [Passing, ReadOnly], ids=lambda one: one.__name__)
def test_a_part_that_is_not_claimed_within_is_missing_without(wrapper: Wrapper) -> None:
    store = wrapper(lift(MemoryStore()))
    lacking = [part for part in PARTS if not claims(store.describe(), part)]
    probes: dict[str, Callable[[Any], Any]] = {
        "bulk": lambda one: one.load(None),
        "stream": lambda one: one.export(),
        "durable": lambda one: one.verify(),
        "schema": lambda one: one.migrate(),
        "eraser": lambda one: one.erase(None),
        "backup": lambda one: one.restore([]),
        "tenants": lambda one: one.tenants(),
    }
    for part in lacking:
        with pytest.raises(CapabilityMissing):
            run(probes[part](store))


class Having(AsyncMemoryStore):
    """Claims every part, and answers each of its calls with the name of the call, or with an error."""

    def __init__(self, error: StoreError | None = None) -> None:
        super().__init__()
        self.error = error
        self.calls: list[str] = []

    def describe(self) -> Description:
        parts = tuple(Capability(name=part, support="full") for part in PARTS)
        return attrs.evolve(super().describe(), capabilities=parts)

    def __getattribute__(self, name: str) -> Any:
        if name not in PART_CALLS:
            return super().__getattribute__(name)

        async def call(*args: Any, **options: Any) -> Any:
            self.calls.append(name)
            if self.error is not None:
                raise self.error
            return name

        return call


def _probes(store: Any) -> dict[str, Callable[[], Any]]:
    chunk = Chunk(tenant=TENANT, rows=(), idem="i", digest="d", actor=SYSTEM, at=NOW)
    erasure = Erasure(tenant=TENANT, idem="i", actor=SYSTEM, at=NOW)
    return {
        "load": lambda: store.load(chunk),
        "loaded": lambda: store.loaded(TENANT, "i", "d"),
        "export": store.export,
        "restore": lambda: store.restore([]),
        "erase": lambda: store.erase(erasure),
        "erasures": lambda: store.erasures(TENANT),
        "verify": store.verify,
        "schema": store.schema,
        "migrate": store.migrate,
        "tenants": store.tenants,
        "drop_tenant": lambda: store.drop_tenant(TENANT),
    }


PART_CALLS = frozenset(_probes(Passing(AsyncMemoryStore())))


def test_every_call_of_every_part_is_passed_on() -> None:
    inner = Having()
    for name, probe in _probes(Passing(Passing(inner))).items():
        given = run(probe())
        assert name == "export" or given == name
    assert sorted(inner.calls) == sorted(PART_CALLS)
    assert set(PART_CALLS) == {case.values[1] for case in CALLS if case.values[0] is not AsyncStore}


def test_a_read_only_store_reads_what_is_left_of_its_parts() -> None:
    inner = Having()
    for name, probe in _probes(ReadOnly(inner)).items():
        if name in ("export", "verify"):
            run(probe())
        else:
            with pytest.raises(CapabilityMissing, match="reading only"):
                run(probe())
    assert inner.calls == ["export", "verify"]


@pytest.mark.parametrize(
    ("error", "once"),
    [
        (Unavailable("no"), {"restore"}),
        (CommitUnknown("lost", idem="i"), {"restore", "migrate", "drop_tenant"}),
    ],
    ids=["nothing was written", "unknown"],
)
def test_what_uses_up_or_cannot_be_told_is_sent_once(error: StoreError, once: set[str]) -> None:
    inner = Having(error)
    for name in PART_CALLS:
        store = Retrying(inner, pause=at_once, random=lambda: 0.0, share=0.0, reserve=1.0)
        inner.calls.clear()
        with pytest.raises(type(error)):
            run(_probes(store)[name]())
        assert inner.calls == [name] * (1 if name in once else 2)


def test_the_call_for_rare_keys_is_there_just_where_it_is_within(tmp_path: Path) -> None:
    with_it = wrapped(SqliteStore(tmp_path / "a.db", exclusive=EXCLUSIVE), Passing, Passing)
    without = wrapped(MemoryStore(), Passing, Passing)
    assert near_of(lift(with_it)) is not None
    assert near_of(lift(without)) is None
    run(Writer(lift(with_it))(put(ref(1), body={"n": 1}, keys=[email("a")])))
    hits = with_it.near(TENANT, "email", ["a"], "party", breadth=Breadth(largest=9, enough=9, most=9))
    assert dict(hits.bodies) == {ref(1).id: {"n": 1}}
    with_it.close()


def test_the_calls_for_bodies_alone_are_there_just_where_they_are_within(tmp_path: Path) -> None:
    with_them = lift(wrapped(SqliteStore(tmp_path / "a.db", exclusive=EXCLUSIVE), Passing, Passing))
    assert skim_of(lift(wrapped(MemoryStore(), Passing, Passing))) is None
    skim = skim_of(with_them)
    assert skim is not None
    run(Writer(with_them)(put(ref(1), body={"n": 1}), append("log:1", {"n": 2})))
    assert run(skim.skim(TENANT, "party")).items == ((ref(1).id, 1, '{"n":1}'),)
    assert run(skim.skim_ledgers(TENANT, ["log:1"], limit=5)) == {"log:1": [("note/1", '{"n":2}')]}
    asked: list[str] = []

    class Noting(Passing):
        async def around(self, call: Call[Any]) -> Any:
            asked.append(call.name)
            return await call.through()

    noted = skim_of(Noting(with_them))
    assert noted is not None
    run(noted.skim(TENANT, "party"))
    run(noted.skim_ledgers(TENANT, ["log:1"]))
    assert asked == ["skim", "skim_ledgers"]
    run(with_them.close())


def test_who_changes_a_plain_call_alone_is_not_passed_by(tmp_path: Path) -> None:
    class Hiding(Passing):
        async def scan(self, *_: Any, **__: Any) -> Page[Record]:
            return Page(())

    class Fewer(SqliteStore):
        def ledger(self, *_: Any, **__: Any) -> Mapping[str, Page[Entry]]:
            return {}

    class Unfound(Passing):
        async def find(self, *_: Any, **__: Any) -> Mapping[Key, Hits]:
            return {}

    class Longer(SqliteStore):
        """Changes skim, as the last call of bodies, and so not those of ledgers."""

        skim = SqliteStore.skim
        ledger = Fewer.ledger

    class HidingLifted(Lifted):
        async def scan(self, *_: Any, **__: Any) -> Page[Record]:
            return Page(())

    class HidingLowered(Lowered):
        def scan(self, *_: Any, **__: Any) -> Page[Record]:
            return Page(())

    plain = SqliteStore(tmp_path / "a.db")
    store = lift(plain)
    assert skim_of(Hiding(store)) is None
    assert near_of(Hiding(store)) is not None
    assert near_of(Unfound(store)) is None
    others = [SqliteStore(tmp_path / "c.db"), Fewer(tmp_path / "b.db"), Longer(tmp_path / "b.db")]
    set_on_it: Any = others[0]
    set_on_it.scan = set_on_it.scan
    lowered = lower(store)
    assert skim_of(lift(lowered)) is not None
    for one in (*map(lift, others), HidingLifted(plain), lift(HidingLowered(store))):
        assert skim_of(one) is None
        assert near_of(one) is not None
    patched: tuple[Any, ...] = (Passing(store), lowered, store)
    for here in patched:
        here.find = here.find
        assert near_of(here if here is not lowered else lift(here)) is None
    for kept in (plain, *others):
        kept.close()


def test_a_wrapper_for_another_actor_reads_as_that_one(tmp_path: Path) -> None:
    read: list[str] = []

    class Desk(Passing):
        """A store that knows who reads."""

        who = "nobody"

        def acting(self, actor: Actor, *, purpose: str | None = None) -> Desk:
            other = Desk(self.inner)
            other.who = actor.id
            return other

        async def around(self, call: Call[Any]) -> Any:
            read.append(f"{self.who} {call.name}")
            return await call.through()

    around = Passing(Desk(lift(SqliteStore(tmp_path / "a.db"))))
    for name in ("u-1", "u-2"):
        skim = skim_of(around.acting(Actor(kind="person", id=name)))
        assert skim is not None
        run(skim.skim(TENANT, "party"))
    assert read == ["u-1 skim", "u-2 skim"]

    class Mine(Lowered):
        """A subclass stays one, whatever it is made with."""

        def __init__(self, inner: AsyncStore, note: str) -> None:
            super().__init__(inner)
            self.note = note

    class MineToo(Lifted):
        """The same of the other colour."""

    mine = Mine(around, "kept")
    ours = MineToo(mine).acting(Actor(kind="person", id="u-3"))
    assert isinstance(ours, MineToo)
    assert isinstance(ours.within, Mine)
    assert ours.within.note == "kept"
    skim = skim_of(ours)
    assert skim is not None
    run(skim.skim(TENANT, "party"))
    mine.skim(TENANT, "party")
    run(ours.scan(TENANT, "party"))
    assert read[2:] == ["u-3 skim", "nobody skim", "u-3 scan"]
    run(around.close())


def test_who_notes_or_hides_what_is_read_offers_no_calls_past_it(tmp_path: Path) -> None:
    store = lift(SqliteStore(tmp_path / "a.db"))
    assert skim_of(Audited(store, b"k" * 32, clock=lambda: NOW)) is None
    assert skim_of(Encrypted(store, MemoryKeyStore())) is None
    run(store.close())


# --- reading only --------------------------------------------------------------------------------------


def test_a_read_only_store_refuses_every_write_and_fences_nothing() -> None:
    inner = lift(MemoryStore(exclusive=EXCLUSIVE))
    write = Writer(inner)
    run(write(put(ref(1), keys=[email("a")]), append("log:1")))
    before = run(picture(inner, [email("a")], ["log:1"]))
    store = ReadOnly(inner)
    late = write.batch(put(ref(2)), idem="late")
    for call in (store.apply(late), store.outcome(TENANT, "late")):
        with pytest.raises(StoreReadOnly) as raised:
            run(call)
        assert raised.value.outcome == "not_applied"
    with pytest.raises(CapabilityMissing, match="reading only"):
        bulk_of(store)
    assert run(picture(store, [email("a")], ["log:1"])) == before
    assert not run(inner.apply(late)).replayed
    said = {one.name: one for one in store.describe().capabilities}
    assert said["apply"].support == "unsupported"
    assert "reading only" in said["apply"].reason
    assert set(PARTS) <= set(said)


# --- tracing -------------------------------------------------------------------------------------------


def _traced(inner: AsyncStore, **options: Any) -> tuple[AsyncStore, list[Traced]]:
    told: list[Traced] = []
    ticks = iter(range(1000))
    return Tracing(inner, told.append, clock=lambda: float(next(ticks)), **options), told


def test_entries_that_were_skimmed_are_counted(tmp_path: Path) -> None:
    store, told = _traced(lift(SqliteStore(tmp_path / "a.db")))
    run(Writer(store)(*(append("log:1", {"n": n}) for n in range(7)), append("log:2")))
    skim = skim_of(store)
    assert skim is not None
    run(skim.skim_ledgers(TENANT, ["log:1", "log:2"], limit=9))
    run(skim.skim_ledgers(TENANT, ["log:1", "log:2"], limit=3))
    assert [one.given["items"] for one in told[-2:]] == [8, 1]
    run(store.close())


def test_the_hook_is_told_of_every_call_in_numbers() -> None:
    store, told = _traced(AsyncMemoryStore(exclusive=EXCLUSIVE), tenant_key=b"k" * 16)
    write = Writer(store)
    batch = write.batch(put(ref(1), keys=[email("ann@x.org")]), append("log:1"))
    run(store.apply(batch))
    run(store.apply(batch))
    run(store.find(TENANT, [email("ann@x.org"), email("bob@x.org")]))
    with pytest.raises(VersionConflict):
        run(write(put(ref(1))))
    seen = [(one.call, dict(one.asked), dict(one.given), one.outcome, one.error, one.seconds) for one in told]
    assert seen == [
        ("apply", {"ops": 2}, {"replayed": 0}, "done", None, 1.0),
        ("apply", {"ops": 2}, {"replayed": 1}, "done", None, 1.0),
        ("find", {"keys": 2}, {"items": 1}, "done", None, 1.0),
        ("apply", {"ops": 1}, {}, "not_applied", "version_conflict", 1.0),
    ]
    assert len({one.tenant for one in told}) == 1
    for value in ("ann@x.org", TENANT, ref(1).id, "log:1", "acme-1"):
        assert value not in repr(told)


def test_a_lost_answer_and_a_cancelled_task_are_told() -> None:
    store, told = _traced(Faulty(AsyncMemoryStore(), scripted(Fault("after"))))
    with pytest.raises(CommitUnknown):
        run(store.apply(Writer(store).batch(put(ref(1)))))

    class Endless(Passing):
        async def around(self, call: Call[Any]) -> Any:
            await asyncio.sleep(60)

    waiting, more = _traced(Endless(AsyncMemoryStore()))

    async def cancelled() -> None:
        task = asyncio.ensure_future(waiting.get([ref(1)]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert [(one.outcome, one.error) for one in [*told, *more]] == [
        ("unknown", "commit_unknown"),
        ("broken_off", None),
    ]


def test_a_hook_that_fails_costs_no_call() -> None:
    def hook(traced: Traced) -> None:
        raise RuntimeError("ann@x.org")

    store = Tracing(AsyncMemoryStore(), hook)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert run(store.apply(Writer(store).batch(put(ref(1))))).versions == {ref(1): 1}
    assert ["RuntimeError" in str(one.message) for one in warned] == [True]
    assert "ann" not in str(warned[0].message)
