"""Who asked what is noted, or nothing is given; and whoever changes what was noted is seen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import (
    CommitUnknown,
    Contention,
    Corrupt,
    InvalidRecord,
    InvalidValue,
    StoreClosed,
    Unavailable,
    VersionConflict,
)
from crmcore.storage import (
    EXCLUSIVE,
    AsyncMemoryStore,
    AsyncSqliteStore,
    AsyncStore,
    Batch,
    Chunk,
    Entry,
    Erasure,
    Json,
    Key,
    Lifted,
    MemoryStore,
    NewRecord,
    Page,
    Receipt,
    Ref,
    Row,
    SqliteStore,
    StoredTenant,
    lift,
    lower,
    run,
)
from crmcore.storage.wrappers.audit_chain import AUDIT_TENANT, SEALS, Anchor, Note, shard_name
from crmcore.storage.wrappers.audit_log import AuditLog
from crmcore.storage.wrappers.audit_names import part_name
from crmcore.storage.wrappers.audit_verify import AuditProblem, verify_audit
from crmcore.storage.wrappers.audited import Audited
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import NOW, TENANT, Guarantee, Writer, append, email, put, ref, rekey
from crmcore.testing.subjects import Memory, Placed, Sqlite
from crmcore.values.source import SYSTEM, Actor
from tests.storage.wrapped_kit import NEVER_WAITS, NO_ITEMS, NOT_RESTORED, asked, assert_kept, unclaimed

KEY = bytes(range(32))
A, B = ref(1), ref(2)
ANN = email("ann.canary@x.org")
ME = Actor(kind="person", id="u-7", on_behalf_of="support")


def audited(inner: AsyncStore | None = None, **options: Any) -> Audited:
    return Audited(inner or AsyncMemoryStore(exclusive=EXCLUSIVE), KEY, clock=lambda: NOW, **options)


def entries(store: AsyncStore, *, shards: int = 16) -> list[Entry]:
    streams = [*map(shard_name, range(shards)), SEALS]
    return [one for page in run(store.ledger(AUDIT_TENANT, streams)).values() for one in page.items]


# --- it is a store --------------------------------------------------------------------------------


class AuditedMemory(Memory):
    def make(self, number: int) -> AsyncStore:
        return audited()


class AuditedElsewhere(Memory):
    def make(self, number: int) -> AsyncStore:
        return audited(log=AsyncMemoryStore())


class AuditedEncrypted(Memory):
    def make(self, number: int) -> AsyncStore:
        inner = AsyncMemoryStore(exclusive=EXCLUSIVE)
        return audited(Encrypted(inner, MemoryKeyStore()))


class AuditedSqlite(Sqlite):
    @staticmethod
    def open(place: Path) -> AsyncStore:
        return audited(lift(SqliteStore(place / "crm.db", exclusive=EXCLUSIVE)))


class AuditedAsyncSqlite(Sqlite):
    @staticmethod
    def open(place: Path) -> AsyncStore:
        return audited(AsyncSqliteStore.open(place / "crm.db", exclusive=EXCLUSIVE))


STORES: dict[str, Callable[[Path], Any]] = {
    "memory": lambda folder: AuditedMemory(),
    "elsewhere": lambda folder: AuditedElsewhere(),
    "encrypted": lambda folder: AuditedEncrypted(),
    "lowered": lambda folder: Placed(folder, lambda place: lower(audited())),
    "sqlite": AuditedSqlite,
    "async_sqlite": AuditedAsyncSqlite,
}


@pytest.mark.parametrize(
    ("guarantee", "store"),
    [
        pytest.param(guarantee, store, id=f"{store}-{guarantee.id}-{guarantee.name}")
        for guarantee in GUARANTEES
        for store in STORES
        # Each question is noted, and a note is a commit: what takes thousands of them would wait for the disk.
        if asked(guarantee, store)
        and ("sqlite" not in store or not ("hostile" in guarantee.name or guarantee.id == "A"))
    ],
)
def test_an_audited_store_keeps_its_promise(guarantee: Guarantee, store: str, tmp_path: Path) -> None:
    lacking = ["ordered_text", "backup"] if store == "encrypted" else []
    in_file = "sqlite" in store
    not_claimed = unclaimed(*lacking) if in_file else unclaimed(*lacking, "durable", "schema", keeps=False)
    not_asked = NO_ITEMS | (NOT_RESTORED if store == "encrypted" else set())
    if store != "async_sqlite":
        not_asked |= NEVER_WAITS
    assert_kept(guarantee, STORES[store](tmp_path), not_claimed, not_asked)


# --- what is noted --------------------------------------------------------------------------------


def test_every_question_and_every_write_is_noted_with_who_and_what_for() -> None:
    inner = AsyncMemoryStore(exclusive=EXCLUSIVE)
    store = audited(inner)
    mine = store.acting(ME, purpose="support")
    run(
        mine.apply(
            Writer(store).batch(put(A, 0, {"a": "canary"}, [ANN]), append("log:1"), actor=ME, reason="canary")
        )
    )
    run(mine.apply(Writer(store).batch(rekey(A, 1, [ANN]), idem="second canary")))
    with pytest.raises(VersionConflict):
        run(mine.apply(Writer(store).batch(put(A, 9), idem="x")))
    run(mine.get([A, B]))
    run(mine.find(TENANT, [ANN, email("canary")]))
    run(mine.fanout(TENANT, [ANN], cap=5))
    run(mine.range(TENANT, "name", ["canary"], lo=b"canary"))
    run(mine.scan(TENANT, "party"))
    run(mine.ledger(TENANT, ["log:1"]))
    run(mine.changes(TENANT))
    run(mine.outcome(TENANT, "never canary"))
    chunk = Chunk(
        tenant=TENANT,
        rows=[Row((NewRecord("party", B.id, 1, Json('{"a":"canary"}')),))],
        idem="load canary",
        digest="d",
        actor=ME,
        at=NOW,
    )
    run(mine.load(chunk))
    run(mine.loaded(TENANT, "load canary", "d"))
    run(mine.erase(Erasure(tenant=TENANT, refs=frozenset({B}), idem="e canary", actor=ME, at=NOW)))
    run(mine.erasures(TENANT))
    run(run(mine.export([TENANT])).close())
    assert run(mine.tenants()).items == (TENANT,)
    run(mine.drop_tenant("other"))
    noted = [(one.body["call"], one.body["outcome"]) for one in entries(inner)]
    ok = [
        (call, "ok")
        for call in "get find fanout range scan ledger changes loaded erasures export tenants".split()
    ]
    written = [
        (call, outcome)
        for call in "apply apply outcome load erase drop_tenant".split()
        for outcome in ("asked", "ok")
    ]
    assert sorted(noted) == sorted([*ok, *written, ("apply", "asked"), ("apply", "version_conflict")])
    bodies = [one.body for one in entries(inner)]
    assert {body["purpose"] for body in bodies} == {"support"}
    assert all(["person", "u-7", "support"] in (body["actor"], body.get("by")) for body in bodies)
    (found,) = [body for body in bodies if body["call"] == "find"]
    assert (found["on"], found["gave"]) == (["2 email"], [f"party/{A.id}"])
    (ranged,) = [body for body in bodies if body["call"] == "range"]
    assert ranged["on"] == [part_name(KEY, TENANT, "name", "canary")]
    assert part_name(KEY, "other", "name", "canary") not in ranged["on"]
    (first, *_) = [body["on"] for body in bodies if body["call"] == "apply" and body["outcome"] == "asked"]
    assert first == [f"put party/{A.id}", "append log:1"]
    assert "canary" not in repr(bodies)


def test_what_was_looked_at_is_noted_by_id_and_any_other_text_is_not() -> None:
    inner = AsyncMemoryStore()
    store = audited(inner)
    run(store.range(TENANT, "timeline", [A.id, "", "ann.canary"]))
    for wrong in (Ref(TENANT, "note", "ann.canary@x.org"), Ref(TENANT, "Ann Canary", A.id)):
        with pytest.raises(InvalidRecord):
            run(store.get([wrong]))
    with pytest.raises(InvalidRecord):
        run(store.scan(TENANT, "Ann Canary"))
    with pytest.raises(InvalidRecord):
        run(store.find(TENANT, [Key("Ann Canary", "x")]))
    first, *refused = [one.body for one in entries(inner)]
    assert first["on"][:2] == [f"timeline/{A.id}", "timeline/"]
    assert first["on"][2].startswith("timeline/~")
    assert [one["on"] for one in refused] == [["note/?"], [f"?/{A.id}"], ["?"], ["1 ?"]]
    assert "anary" not in repr(first) + repr(refused)


def test_nobody_is_left_out_however_many_were_looked_at() -> None:
    inner = MemoryStore()
    people = [Ref(TENANT, "party", f"01950000-0000-7000-8000-{number:012x}") for number in range(2300)]
    rows = [Row((NewRecord("party", one.id, 1, Json("{}")),)) for one in people]
    inner.load(Chunk(tenant=TENANT, rows=rows, idem="x", digest="d", actor=SYSTEM, at=NOW))
    store = audited(lift(inner))
    run(store.scan(TENANT, "party", limit=5000))
    run(store.get(people[:1000]))
    run(store.erase(Erasure(tenant=TENANT, refs=frozenset(people), idem="e", actor=ME, at=NOW)))
    bodies = [one.body for one in entries(lift(inner))]

    def said(call: str, field: str) -> list[str]:
        return [name for body in bodies if body["call"] == call for name in body.get(field, ())]

    everybody = sorted(f"party/{one.id}" for one in people)
    assert sorted(said("scan", "gave")) == sorted(said("erase", "on")) == everybody
    assert len(said("get", "gave")) == len(said("get", "on")) == 1000
    scans = [body for body in bodies if body["call"] == "scan"]
    assert [body["part"] for body in scans] == [[1, 3], [2, 3], [3, 3]]
    assert len({body["parts_of"] for body in scans}) == 1
    assert run(verify_audit(lift(inner), KEY)).whole


def test_who_was_in_the_feed_is_noted() -> None:
    inner = AsyncMemoryStore(exclusive=EXCLUSIVE)
    store = audited(inner)
    run(inner.apply(Writer(inner).batch(put(A, 0), append("log:1"))))
    run(store.changes(TENANT))
    (one,) = entries(inner)
    assert one.body["gave"] == [f"party/{A.id}", "log:1/1"]


def test_a_tenant_is_not_told_of_the_records_of_another() -> None:
    inner = AsyncMemoryStore()
    run(audited(inner).get([A, Ref("other", "party", B.id)]))
    assert {one.body["tenant"]: list(one.body["on"]) for one in entries(inner)} == {
        TENANT: [f"party/{A.id}"],
        "other": [f"party/{B.id}"],
    }


def test_looking_at_the_tables_and_changing_them_is_noted(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as inner:
        store = audited(lift(inner))
        run(store.schema())
        run(store.migrate())
        run(store.verify())
        assert sorted((one.body["call"], one.body["outcome"]) for one in entries(lift(inner))) == [
            ("migrate", "asked"),
            ("migrate", "ok"),
            ("schema", "ok"),
            ("verify", "ok"),
        ]


def test_what_a_tenant_reads_is_not_disturbed() -> None:
    inner = AsyncMemoryStore(exclusive=EXCLUSIVE)
    store = audited(inner)
    run(store.apply(Writer(store).batch(put(A), idem="one")))
    for _ in range(3):
        run(store.scan(TENANT, "party"))
    assert [one.idem for one in run(inner.changes(TENANT)).items] == ["one"]
    assert len(entries(inner)) == 5


@pytest.mark.parametrize("call", ["apply", "load", "erase", "outcome", "drop_tenant"])
def test_nobody_writes_to_the_audit_through_the_store(call: str) -> None:
    store = audited()
    named: dict[str, Any] = {"tenant": AUDIT_TENANT, "idem": "x", "actor": SYSTEM, "at": NOW}
    sent: dict[str, Callable[[], Any]] = {
        "apply": lambda: store.apply(Batch(ops=(append("audit:000"),), **named)),
        "load": lambda: store.load(Chunk(rows=[], digest="d", **named)),
        "erase": lambda: store.erase(Erasure(streams=frozenset({"audit:000"}), **named)),
        "outcome": lambda: store.outcome(AUDIT_TENANT, "x"),
        "drop_tenant": lambda: store.drop_tenant(AUDIT_TENANT),
    }
    with pytest.raises(InvalidRecord, match="holds the audit"):
        run(sent[call]())


class Breaking(Lifted):
    """A store that fails when it is to keep an audit entry, from the entry number *fails_at* on."""

    fails_at = 0
    error: BaseException = Unavailable("out of order")

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if batch.tenant == AUDIT_TENANT:
            self.fails_at -= 1
            if self.fails_at < 0:
                raise self.error
        return await super().apply(batch, timeout=timeout)


def test_an_answer_that_cannot_be_noted_is_not_given() -> None:
    inner = Breaking(MemoryStore(exclusive=EXCLUSIVE))
    store = audited(inner)
    with pytest.raises(Unavailable):
        run(store.scan(TENANT, "party"))


def test_a_write_that_cannot_be_noted_is_not_made() -> None:
    inner = Breaking(MemoryStore(exclusive=EXCLUSIVE))
    store = audited(inner)
    batch = Writer(store).batch(put(A))
    with pytest.raises(Unavailable):
        run(store.apply(batch))
    assert run(inner.get([A])) == {}
    inner.fails_at = 1
    with pytest.raises(CommitUnknown) as raised:
        run(store.apply(batch))
    assert (raised.value.idem, raised.value.outcome) == (batch.idem, "unknown")
    assert A in run(inner.get([A]))
    inner.fails_at = 9
    assert run(store.apply(batch)).replayed


@pytest.mark.parametrize(
    "ends", [Unavailable("out of order"), asyncio.CancelledError()], ids=["error", "cancelled"]
)
@pytest.mark.parametrize(
    ("call", "advice", "idem"),
    [
        ("apply", "same batch", "w-1"),
        ("load", "same chunk", "w-1"),
        ("erase", "same erasure", "w-1"),
        ("outcome", "ask outcome", "w-1"),
        ("drop_tenant", "drop the tenant again", ""),
        ("restore", "NotEmpty", ""),
        ("migrate", "migrate again", ""),
    ],
)
def test_who_is_in_doubt_is_told_what_helps_after_that_call(
    call: str, advice: str, idem: str, ends: BaseException, tmp_path: Path
) -> None:
    within: Any = SqliteStore(tmp_path / "crm.db") if call == "migrate" else MemoryStore()
    inner = Breaking(within)
    inner.fails_at, inner.error = 1, ends
    store = audited(inner)
    erasure = Erasure(tenant=TENANT, streams=frozenset({"s"}), idem="w-1", actor=SYSTEM, at=NOW)
    chunk = Chunk(tenant=TENANT, rows=[Row(())], idem="w-1", digest="d", actor=SYSTEM, at=NOW)
    calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "apply": lambda: store.apply(attrs.evolve(Writer(store).batch(put(A)), idem="w-1")),
        "load": lambda: store.load(chunk),
        "erase": lambda: store.erase(erasure),
        "outcome": lambda: store.outcome(TENANT, "w-1"),
        "drop_tenant": lambda: store.drop_tenant(TENANT),
        "restore": lambda: store.restore([StoredTenant("new")]),
        "migrate": store.migrate,
    }
    with pytest.raises((CommitUnknown, asyncio.CancelledError)) as raised:
        run(calls[call]())
    told = raised.value if isinstance(raised.value, CommitUnknown) else raised.value.__cause__
    assert isinstance(told, CommitUnknown)
    assert advice in str(told)
    assert "same" in advice or "same" not in str(told)
    assert told.idem == idem


def test_the_error_of_a_write_comes_through_when_its_end_cannot_be_noted() -> None:
    inner = Breaking(MemoryStore(exclusive=EXCLUSIVE))
    store = audited(inner)
    inner.fails_at = 1
    with pytest.raises(VersionConflict):
        run(store.apply(Writer(store).batch(put(A, 5))))


def test_an_entry_whose_commit_is_unknown_is_there_once() -> None:
    class Doubtful(Breaking):
        doubts = 1

        async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
            receipt = await Lifted.apply(self, batch, timeout=timeout)
            if batch.tenant == AUDIT_TENANT and self.doubts:
                self.doubts -= 1
                raise CommitUnknown("gone", idem=batch.idem)
            return receipt

    inner = Doubtful(MemoryStore())
    run(audited(inner).scan(TENANT, "party"))
    assert len(entries(inner)) == 1
    assert run(verify_audit(inner, KEY)).whole


# --- one chain ------------------------------------------------------------------------------------


def test_writers_that_come_at_once_make_one_chain(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "crm.db", exclusive=EXCLUSIVE) for _ in range(4)]

    def work(store: SqliteStore) -> None:
        mine = lower(audited(lift(store), shards=1))
        for _ in range(15):
            mine.scan(TENANT, "party")

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = run(verify_audit(lift(stores[0]), KEY))
    assert (report.entries, report.problems) == (60, ())
    for store in stores:
        store.close()


def test_writers_that_take_turns_make_one_chain() -> None:
    inner = AsyncMemoryStore()
    for store in (audited(inner), audited(inner)) * 3:
        run(store.scan(TENANT, "party"))
    one, other = audited(inner), audited(inner)
    for _ in range(3):
        run(one.scan(TENANT, "party"))
        run(other.scan(TENANT, "party"))
    report = run(verify_audit(inner, KEY))
    assert (report.entries, report.problems) == (12, ())


def test_tasks_that_come_at_once_make_one_chain(tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncSqliteStore.open(tmp_path / "crm.db", exclusive=EXCLUSIVE) as inner:
            store = audited(inner)
            await asyncio.gather(*(store.scan(TENANT, "party") for _ in range(20)))
            report = await verify_audit(inner, KEY)
            assert (report.entries, report.problems) == (20, ())

    asyncio.run(work())


def test_who_never_gets_to_write_is_told() -> None:
    class Busy(Lifted):
        async def ledger(self, *arguments: Any, **options: Any) -> Any:
            return {stream: Page(()) for stream in arguments[1]}

    inner = MemoryStore()
    run(audited(lift(inner)).scan(TENANT, "party"))
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    with pytest.raises(Contention, match="audit"):
        run(audited(Busy(inner), pause=pause).scan(TENANT, "party"))
    assert len(set(waits)) > 20  # each is drawn anew
    assert 2 < sum(waits) < 8
    assert max(waits) <= 0.2


def test_many_tasks_at_once_are_written_in_a_few_batches(tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncSqliteStore.open(tmp_path / "crm.db", exclusive=EXCLUSIVE) as inner:
            store = audited(inner)
            await asyncio.gather(*(store.scan(TENANT, f"party.{number}") for number in range(300)))
            report = await verify_audit(inner, KEY)
            assert (report.entries, report.problems) == (300, ())
            assert len({one.idem for one in (await inner.changes(AUDIT_TENANT)).items}) < 20

    asyncio.run(work())


class Slow(Lifted):
    """A store that suspends, and counts the batches of the audit. It fails while *broken*."""

    batches = 0
    broken = False

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        await asyncio.sleep(0)
        self.batches += 1
        if self.broken:
            raise Unavailable("out of order")
        return await super().apply(batch, timeout=timeout)


def test_who_waits_is_written_together_with_all_others() -> None:
    async def work() -> None:
        inner = Slow(MemoryStore())
        await asyncio.gather(*(audited_one.scan(TENANT, "party") for audited_one in [audited(inner)] * 300))
        assert inner.batches == 1 + 6  # the first goes alone, then fifty at a time
        assert (await verify_audit(inner, KEY)).entries == 300

    asyncio.run(work())


def test_who_waits_with_others_is_told_that_it_failed() -> None:
    async def work() -> None:
        inner = Slow(MemoryStore())
        inner.broken = True
        store = audited(inner)
        ended = await asyncio.gather(*(store.scan(TENANT, "party") for _ in range(9)), return_exceptions=True)
        assert [type(one) for one in ended] == [Unavailable] * 9
        inner.broken = False
        await store.scan(TENANT, "party")
        assert (await verify_audit(inner, KEY)).entries == 1

    asyncio.run(work())


@given(st.sets(st.integers(0, 19), max_size=10), st.integers(0, 4))
@settings(deadline=None, max_examples=30)
def test_a_task_that_is_cancelled_takes_nobody_with_it(cancelled: set[int], ticks: int) -> None:
    async def work() -> None:
        inner = Slow(MemoryStore())
        store = audited(inner)
        tasks = [asyncio.ensure_future(store.scan(TENANT, f"party.{number}")) for number in range(20)]
        for _ in range(ticks):
            await asyncio.sleep(0)
        for number in cancelled:
            tasks[number].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [n for n, one in enumerate(ended) if n not in cancelled and isinstance(one, BaseException)]
        report = await verify_audit(inner, KEY)
        noted = {one.body["on"][0] for one in (await _shard(inner))}
        assert report.whole
        assert {f"party.{number}" for number in set(range(20)) - cancelled} <= noted

    asyncio.run(work())


def test_who_no_longer_waits_is_not_noted() -> None:
    async def work() -> None:
        inner = Slow(MemoryStore())
        store = audited(inner)
        tasks = [asyncio.ensure_future(store.scan(TENANT, f"party.{number}")) for number in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        noted = [list(one.body["on"]) for one in await _shard(inner)]
        assert noted == [["party.0"], ["party.2"]]

    asyncio.run(work())


async def _shard(inner: AsyncStore) -> Iterable[Entry]:
    return (await inner.ledger(AUDIT_TENANT, [SHARD]))[SHARD].items


def test_threads_that_share_a_store_make_one_chain(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db", exclusive=EXCLUSIVE) as inner:
        conflicts: list[float] = []

        async def pause(seconds: float) -> None:
            conflicts.append(seconds)

        store = lower(audited(lift(inner), pause=pause))
        threads = [
            threading.Thread(target=lambda: [store.scan(TENANT, "party") for _ in range(10)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        report = run(verify_audit(lift(inner), KEY))
        assert (report.entries, report.problems, conflicts) == (80, (), [])


def test_a_synchronous_store_works_under_a_running_loop() -> None:
    async def work() -> None:
        store = lower(audited(lift(inner)))
        for _ in range(3):
            store.scan(TENANT, "party")

    inner = MemoryStore()
    asyncio.run(work())
    assert len(entries(lift(inner))) == 3


@pytest.mark.parametrize("shards", [0, 257])
def test_an_audit_has_a_bounded_number_of_shards(shards: int) -> None:
    with pytest.raises(InvalidValue, match="shards"):
        audited(shards=shards)


def test_all_shards_are_looked_at_in_whatever_number_they_were_written() -> None:
    inner = AsyncMemoryStore()
    store = audited(inner, shards=64)
    for number in range(80):
        run(store.scan(f"tenant.{number}", "party"))
    run(store.seal())
    anchor = run(store.anchor())
    report = run(verify_audit(inner, KEY, [anchor]))
    assert (report.entries, report.problems) == (81, ())
    assert anchor.shards == 64


def test_an_audit_is_not_written_on_in_another_number_of_shards() -> None:
    inner = AsyncMemoryStore()
    run(audited(inner, shards=64).scan(TENANT, "party"))
    with pytest.raises(InvalidValue, match="shards=64"):
        run(audited(inner).scan(TENANT, "party"))
    with pytest.raises(InvalidValue, match="shards=64"):
        run(audited(inner).seal())
    with pytest.raises(InvalidValue, match="shards=64"):
        run(audited(inner).anchor())
    assert len(entries(inner, shards=64)) == 1


def test_two_numbers_of_shards_are_found() -> None:
    inner, other = AsyncMemoryStore(), AsyncMemoryStore()
    few, many = audited(inner, shards=2), audited(other, shards=64)
    run(few.scan(TENANT, "party"))
    anchor = run(few.anchor())
    run(many.anchor())
    assert problems(inner, [anchor]) == []
    both = audited(inner, shards=2)
    both._log._looked = True  # as if both had begun at once
    both._log.shards = 64
    run(both.scan("x", "party"))
    stream = both._log.shard_of("x")
    assert problems(inner, [anchor]) == [("shards", stream, 1)]
    run(both.seal())
    assert problems(inner, [anchor]) == [("shards", stream, 1), ("shards", SEALS, 1)]


@pytest.mark.parametrize("grows", [0, 9])
@pytest.mark.parametrize("call", ["scan", "seal", "anchor"])
def test_a_cut_under_a_running_process_is_not_written_over(call: str, grows: int) -> None:
    inner = MemoryStore()
    store = audited(lift(inner))
    for number in range(6):
        run(store.scan(TENANT, f"party.{number}"))
    held = inner._tenants[AUDIT_TENANT]
    cut = MemoryStore()
    other = audited(lift(cut))
    for number in range(4 + grows):
        run(other.scan(TENANT, f"party.{number if number < 4 else 'x'}"))
    inner._tenants[AUDIT_TENANT] = cut._tenants[AUDIT_TENANT]
    with pytest.raises(Corrupt, match="gone"):
        run(store.scan(TENANT, "party") if call == "scan" else getattr(store, call)())
    inner._tenants[AUDIT_TENANT] = held
    run(store.scan(TENANT, "party"))
    assert run(verify_audit(lift(inner), KEY, [run(store.anchor())])).whole


def test_a_short_key_and_a_long_purpose_are_refused() -> None:
    with pytest.raises(InvalidValue, match="32 random bytes"):
        Audited(AsyncMemoryStore(), b"short", clock=lambda: NOW)
    for purpose in ("", "x" * 65, "\x00", "\ud800"):
        with pytest.raises(InvalidValue, match="purpose"):
            audited().acting(ME, purpose=purpose)


# --- tampering ------------------------------------------------------------------------------------


class Tampered(Lifted):
    """A store whose ledgers of the audit were changed by somebody who can write to its tables."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.streams: dict[str, list[Entry]] = {}
        for entry in entries(self):
            self.streams.setdefault(entry.stream, []).append(entry)
        self.changed = True

    async def ledger(self, tenant: str, streams: Any, *, after: Any = None, **options: Any) -> Any:
        if not getattr(self, "changed", False):
            return await super().ledger(tenant, streams, after=after, **options)
        pages = {}
        for stream in streams:
            start = (after or {}).get(stream, 0)
            items = [one for one in self.streams.get(stream, []) if one.seq > start]
            pages[stream] = Page(tuple(items[:3]), "more" if len(items) > 3 else None)
        return pages

    def renumber(self, stream: str) -> None:
        self.streams[stream] = [
            attrs.evolve(one, seq=number) for number, one in enumerate(self.streams[stream], 1)
        ]


SHARD = AuditLog(AsyncMemoryStore(), KEY).shard_of(TENANT)


def grown(count: int = 10, *, inner: MemoryStore | None = None, call: str = "party") -> MemoryStore:
    inner = inner or MemoryStore()
    store = audited(lift(inner))
    for number in range(count):
        run(store.scan(TENANT, f"{call}.{number}"))
    return inner


def anchored(inner: MemoryStore) -> Anchor:
    return run(audited(lift(inner)).anchor())


def problems(
    store: AsyncStore, anchors: Iterable[Anchor] = (), key: bytes = KEY
) -> list[tuple[str, str, int]]:
    return [(one.code, one.stream, one.seq) for one in run(verify_audit(store, key, anchors)).problems]


def test_an_audit_that_nobody_touched_is_whole() -> None:
    inner = grown()
    first = anchored(inner)
    grown(5, inner=inner)
    run(audited(lift(inner)).seal())
    report = run(verify_audit(lift(inner), KEY, [first, anchored(inner)]))
    assert (report.entries, report.problems, report.whole) == (16, (), True)
    assert problems(Tampered(inner), [first]) == []


FIELDS: dict[str, Callable[[Entry], Entry]] = {
    "body": lambda one: attrs.evolve(one, body={**one.body, "actor": ["person", "somebody", None]}),
    "purpose": lambda one: attrs.evolve(one, body={**one.body, "purpose": "x"}),
    "left out": lambda one: attrs.evolve(one, body={k: v for k, v in one.body.items() if k != "on"}),
    "time": lambda one: attrs.evolve(one, occurred_at=one.occurred_at + timedelta(microseconds=1)),
    "recorded": lambda one: attrs.evolve(one, recorded_at=one.recorded_at - timedelta(days=400)),
    "schema": lambda one: attrs.evolve(one, schema="crmcore.audit.seal/1"),
    "subjects": lambda one: attrs.evolve(one, subjects=(A.id,)),
    "link": lambda one: attrs.evolve(one, body={**one.body, "link": "00" * 32}),
    "no link": lambda one: attrs.evolve(one, body={k: v for k, v in one.body.items() if k != "link"}),
    "odd link": lambda one: attrs.evolve(one, body={**one.body, "link": "x"}),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_changed_entry_is_found(field: str) -> None:
    store = Tampered(grown())
    store.streams[SHARD][4] = FIELDS[field](store.streams[SHARD][4])
    assert ("changed", SHARD, 5) in problems(store)


def test_an_entry_that_was_deleted_in_the_middle_is_found() -> None:
    store = Tampered(grown())
    del store.streams[SHARD][4]
    assert problems(store)[0] == ("missing", SHARD, 5)
    store.renumber(SHARD)
    assert problems(store)[0] == ("changed", SHARD, 5)


def test_entries_in_another_order_are_found() -> None:
    store = Tampered(grown())
    ledger = store.streams[SHARD]
    ledger[3], ledger[4] = ledger[4], ledger[3]
    store.renumber(SHARD)
    assert problems(store)[0] == ("changed", SHARD, 4)


def test_an_entry_that_was_put_in_or_copied_is_found() -> None:
    store = Tampered(grown())
    store.streams[SHARD].insert(4, store.streams[SHARD][7])
    store.renumber(SHARD)
    assert problems(store)[0] == ("changed", SHARD, 5)


def test_an_entry_of_another_history_is_found() -> None:
    store = Tampered(grown())
    other = entries(lift(grown(call="other")))
    store.streams[SHARD][4] = other[4]
    assert problems(store) == [("changed", SHARD, 5), ("changed", SHARD, 6)]


def test_entries_of_another_shard_are_found() -> None:
    store = Tampered(grown())
    other = next(name for name in map(shard_name, range(16)) if name != SHARD)
    store.streams[other] = [attrs.evolve(one, stream=other) for one in store.streams.pop(SHARD)]
    assert problems(store)[0] == ("changed", other, 1)


def test_an_end_that_was_cut_off_is_found_by_an_anchor_and_not_without() -> None:
    inner = grown()
    anchor = anchored(inner)
    store = Tampered(inner)
    del store.streams[SHARD][7:]
    assert problems(store) == []
    assert problems(store, [anchor]) == [("truncated", SHARD, 8)]
    del store.streams[SHARD]
    assert problems(store, [anchor]) == [("truncated", SHARD, 1)]


def test_an_end_that_was_cut_off_is_found_by_a_seal() -> None:
    inner = grown()
    run(audited(lift(inner)).seal())
    store = Tampered(inner)
    del store.streams[SHARD][7:]
    assert problems(store) == [("truncated", SHARD, 8)]


def test_an_end_that_was_cut_off_and_written_anew_is_found() -> None:
    inner = grown()
    anchor = anchored(inner)
    store = Tampered(inner)
    anew = grown(
        12, call="other"
    )  # by somebody who has the key: the app itself, after an old backup was restored
    store.streams[SHARD] = entries(lift(anew))
    assert problems(store) == []
    assert problems(store, [anchor]) == [("forked", SHARD, 10)]


def test_two_branches_are_found_by_the_anchor_of_either() -> None:
    inner = grown(6)
    copied = MemoryStore()
    snapshot = inner.export()
    copied.restore(list(snapshot.read(1000)))
    snapshot.close()
    grown(4, inner=inner, call="left")
    grown(4, inner=copied, call="right")
    left, right = anchored(inner), anchored(copied)
    assert problems(lift(inner), [left]) == problems(lift(copied), [right]) == []
    assert problems(lift(inner), [left, right]) == [("forked", SHARD, 10)]
    assert problems(lift(copied), [left, right]) == [("forked", SHARD, 10)]


def test_an_audit_that_was_replaced_as_a_whole_is_found() -> None:
    inner = grown()
    anchor = anchored(inner)
    assert problems(lift(MemoryStore()), [anchor]) == [("truncated", SHARD, 1)]
    assert problems(lift(grown(call="other")), [anchor]) == [("forked", SHARD, 10)]
    other = MemoryStore()
    forger = Audited(lift(other), bytes(32), clock=lambda: NOW)
    for _ in range(10):
        run(forger.scan(TENANT, "party"))
    assert problems(lift(other))[0] == ("changed", SHARD, 1)
    assert len(problems(lift(inner), key=bytes(32))) == 10


def test_a_forged_anchor_is_found() -> None:
    inner = grown()
    anchor = anchored(inner)
    later = attrs.evolve(anchor, at=anchor.at + timedelta(days=1))
    shorter = attrs.evolve(
        anchor, heads=tuple((stream, count - 1, head) for stream, count, head in anchor.heads)
    )
    empty = attrs.evolve(anchor, heads=())
    spread = attrs.evolve(anchor, shards=64)
    for forged in (later, shorter, empty, spread, attrs.evolve(anchor, proof="é")):
        assert problems(lift(inner), [forged]) == [("forged_anchor", "", 0)]


def test_a_seal_cannot_stand_for_an_entry_nor_an_entry_for_a_seal() -> None:
    inner = grown(3)
    run(audited(lift(inner)).seal())
    store = Tampered(inner)
    (seal,) = store.streams[SEALS]
    store.streams[SHARD] = [attrs.evolve(seal, stream=SHARD)]
    store.streams[SEALS] = []
    assert problems(store) == [("changed", SHARD, 1)]
    log = AuditLog(lift(inner), KEY)
    run(log.add(SEALS, [Note("crmcore.audit/1", NOW, {"heads": [[SHARD, 99, "00"]]})]))
    assert problems(lift(inner)) == [("changed", SEALS, 2)]


@given(
    at=st.datetimes(timezones=st.just(UTC)),
    heads=st.lists(st.tuples(st.text("ab:", min_size=1), st.integers(0, 9), st.text("0f"))).map(tuple),
)
def test_the_text_of_an_anchor_gives_it_back(at: datetime, heads: Any) -> None:
    anchor = Anchor(at=at, shards=16, heads=heads, proof="00")
    assert Anchor.parse(anchor.text()) == anchor
    for wrong in (anchor.text()[1:], "", "[]", "{}", "null", "[" * 2000, "[" * 200_000):
        with pytest.raises(InvalidValue):
            Anchor.parse(wrong)


@settings(max_examples=60)
@given(data=st.data())
def test_no_change_of_a_sealed_and_anchored_audit_stays_unseen(data: st.DataObject) -> None:
    inner = grown(6)
    run(audited(lift(inner)).seal())
    anchor = anchored(inner)
    store = Tampered(inner)
    before = {stream: list(some) for stream, some in store.streams.items()}
    for _ in range(data.draw(st.integers(1, 3))):
        stream = data.draw(st.sampled_from(sorted(store.streams)))
        ledger = store.streams[stream]
        what = data.draw(st.sampled_from("drop swap copy change cut".split()))
        if not ledger:
            continue
        place = data.draw(st.integers(0, len(ledger) - 1))
        if what == "drop":
            del ledger[place]
        elif what == "swap":
            ledger[0], ledger[place] = ledger[place], ledger[0]
        elif what == "copy":
            ledger.insert(place, ledger[data.draw(st.integers(0, len(ledger) - 1))])
        elif what == "change":
            ledger[place] = attrs.evolve(ledger[place], body={**ledger[place].body, "x": 1})
        else:
            del ledger[place:]
        store.renumber(stream)
    assert (problems(store, [anchor]) == []) == (store.streams == before)


def test_an_anchor_is_given_to_whoever_keeps_it() -> None:
    kept: list[Anchor] = []

    class Kept:
        async def keep(self, anchor: Anchor) -> None:
            kept.append(anchor)

    store = audited(lift(grown()))
    assert [run(store.anchor(Kept()))] == kept


def test_a_chain_stays_whole_when_a_subject_is_shredded() -> None:
    keys, inner = MemoryKeyStore(), AsyncMemoryStore(exclusive=EXCLUSIVE)
    within = Encrypted(inner, keys)
    store = audited(within)
    run(store.apply(Writer(store).batch(put(A, 0, {"name": "ann"}, [ANN]))))
    anchor = run(store.anchor())
    run(
        store.erase(
            Erasure(
                tenant=TENANT, refs=frozenset({A}), subjects=frozenset({A.id}), idem="e", actor=ME, at=NOW
            )
        )
    )
    run(store.seal())
    report = run(verify_audit(within, KEY, [anchor]))
    assert (report.entries, report.problems) == (5, ())
    assert not any(A.id in repr(one) for one in entries(inner))


def test_a_problem_says_where_and_not_what() -> None:
    store = Tampered(grown())
    store.streams[SHARD][4] = FIELDS["body"](store.streams[SHARD][4])
    (problem,) = run(verify_audit(store, KEY)).problems
    assert problem == AuditProblem(code="changed", stream=SHARD, seq=5)


def test_a_snapshot_that_cannot_be_noted_is_given_back() -> None:
    class Full(AsyncMemoryStore):
        async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
            raise Unavailable("full")

    given: list[Any] = []

    class Lending(MemoryStore):
        def export(self, tenants: Any = None) -> Any:
            given.append(super().export(tenants))
            return given[-1]

    store = audited(lift(Lending(exclusive=EXCLUSIVE)), log=Full())
    with pytest.raises(Unavailable):
        run(store.export())
    (snapshot,) = given
    with pytest.raises(StoreClosed):
        snapshot.read()


def test_a_tenant_with_the_name_of_the_audit_is_seen_where_the_audit_is_elsewhere() -> None:
    apart = audited(log=AsyncMemoryStore())
    run(Writer(apart, AUDIT_TENANT)(put(ref(1, tenant=AUDIT_TENANT))))
    assert run(apart.tenants()).items == (AUDIT_TENANT,)
    assert {row.tenant for row in run(run(apart.export()).read())} == {AUDIT_TENANT}
    together = audited()
    run(Writer(together)(put(A)))
    assert run(together.tenants()).items == (TENANT,)
    assert {row.tenant for row in run(run(together.export()).read())} == {TENANT}
