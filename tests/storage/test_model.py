"""Random batches, answers compared with a model after each: what one store does, the plain words say."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crmcore.errors import StoreError
from crmcore.storage import (
    Batch,
    Check,
    CheckKey,
    CheckStream,
    Chunk,
    Json,
    Key,
    MemoryStore,
    NewEntry,
    NewRecord,
    Ref,
    Row,
    Sort,
    SqliteStore,
    Store,
)
from crmcore.testing.kit import EXCLUSIVE, NOW, append, delete, put, ref, rekey
from crmcore.testing.model import Model
from crmcore.values.source import SYSTEM

TENANTS = ("acme", "other")
KINDS = ("party", "note")
STREAMS = ("log:1", "log:2")
KEYS = [Key(namespace, value) for namespace in ("email", "source", "member") for value in ("1", "2")]
SORTS = [Sort("name", part, value) for part in ("", "p") for value in (b"", b"a", b"a\x00", b"\xff")]

keys = st.sets(st.sampled_from(KEYS), max_size=2)
sorts = st.sets(st.sampled_from(SORTS), max_size=2)
bodies = st.dictionaries(st.sampled_from("abc"), st.text("xyé", max_size=3), max_size=2)


class AgainstTheModel(RuleBasedStateMachine):
    """Each step is one call; after each step everything that can be read is compared."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.sent: list[Batch] = []
        self.chunks: list[Chunk] = []
        self.scans: dict[tuple[str, str], tuple[str | None, str]] = {}
        self.store = self.make()

    def make(self) -> Store:
        raise NotImplementedError

    def teardown(self) -> None:
        self.store.close()

    def _op(self, data: st.DataObject, tenant: str, free: list[Ref]) -> Any:
        what = data.draw(
            st.sampled_from("put put put put delete rekey append append check stream key".split())
        )
        stream = data.draw(st.sampled_from(STREAMS))
        length = len(self.model.ledgers.get((tenant, stream), []))
        if what == "append":
            return append(
                stream,
                data.draw(bodies),
                data.draw(st.sampled_from([None, None, length, length, length, length + 1])),
            )
        if what == "stream":
            return CheckStream(stream=stream, seq=data.draw(st.sampled_from([length] * 5 + [length + 1])))
        if what == "key":
            key = data.draw(st.sampled_from([key for key in KEYS if key.namespace in EXCLUSIVE]))
            holders = self.model.found(tenant, key)
            return CheckKey(key=key, holder=data.draw(st.sampled_from([*holders, *holders, None])))
        target = data.draw(st.sampled_from(free))
        expect = self.model.version(target) + data.draw(st.sampled_from([0] * 14 + [1]))
        if what == "check":
            return Check(ref=target, expect=expect)
        free.remove(target)
        if what == "put" or not expect:
            return put(target, expect, data.draw(bodies), data.draw(keys), data.draw(sorts))
        if what == "delete":
            return delete(target, expect)
        return rekey(target, expect, data.draw(keys), data.draw(sorts))

    @rule(data=st.data(), tenant=st.sampled_from(TENANTS), count=st.integers(1, 4))
    def send(self, data: st.DataObject, tenant: str, count: int) -> None:
        free = [ref(number, kind=kind, tenant=tenant) for kind in KINDS for number in range(3)]
        ops = tuple(self._op(data, tenant, free) for _ in range(count))
        batch = Batch(tenant=tenant, ops=ops, idem=f"b{len(self.sent)}", actor=SYSTEM, at=NOW)
        self.sent.append(batch)
        self._apply(batch)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), later=st.integers(0, 3), other=st.sampled_from([False, False, True]))
    def send_again(self, data: st.DataObject, later: int, other: bool) -> None:
        batch = data.draw(st.sampled_from(self.sent))
        ops = batch.ops[:-1] if other else batch.ops
        self._apply(
            Batch(
                tenant=batch.tenant, ops=ops, idem=batch.idem, actor=SYSTEM, at=NOW + timedelta(hours=later)
            )
        )

    def _apply(self, batch: Batch) -> None:
        expected = self.model.apply(batch)
        got = self._answer(batch)
        if isinstance(expected, str):
            assert got in expected.split(" or ")
        else:
            assert got == expected

    def _answer(self, batch: Batch) -> Any:
        try:
            receipt = self.store.apply(batch)
        except StoreError as error:
            return type(error).__name__ if error.outcome == "not_applied" else error.outcome
        return dict(receipt.versions), dict(receipt.seqs), receipt.replayed

    @rule(data=st.data(), tenant=st.sampled_from(TENANTS), rows=st.integers(0, 4))
    def load(self, data: st.DataObject, tenant: str, rows: int) -> None:
        chunk = Chunk(
            tenant=tenant,
            rows=tuple(self._row(data, tenant) for _ in range(rows)),
            idem=f"b{len(self.sent) + data.draw(st.sampled_from([0, 0, 0, -1]))}",
            digest=data.draw(st.sampled_from(["one", "other"])),
            actor=SYSTEM,
            at=NOW,
        )
        self.chunks.append(chunk)
        # Keeps the numbers of keys in step; sent again, it is a batch under the key of a chunk.
        self.sent.append(Batch(tenant=tenant, ops=(), idem=chunk.idem, actor=SYSTEM, at=NOW))
        self._load(chunk)

    @precondition(lambda self: self.chunks)
    @rule(data=st.data())
    def load_again(self, data: st.DataObject) -> None:
        self._load(data.draw(st.sampled_from(self.chunks)))

    def _row(self, data: st.DataObject, tenant: str) -> Row:
        free = [(kind, ref(number).id) for kind in KINDS for number in range(3)]
        addresses = data.draw(st.lists(st.sampled_from(free), max_size=2, unique=True))
        streams = data.draw(st.lists(st.sampled_from(STREAMS), min_size=not addresses, max_size=2))
        return Row(
            tuple(
                NewRecord(
                    kind, id_, 1, Json.of(data.draw(bodies)), tuple(data.draw(keys)), tuple(data.draw(sorts))
                )
                for kind, id_ in addresses
            ),
            tuple(
                NewEntry(stream, NOW, NOW, (ref(1).id,), "note/1", Json.of(data.draw(bodies)))
                for stream in streams
            ),
        )

    def _load(self, chunk: Chunk) -> None:
        expected = self.model.load(chunk)
        if isinstance(expected, str):
            with pytest.raises(StoreError) as raised:
                self.store.load(chunk)  # type: ignore[attr-defined]  # both stores have it
            assert (type(raised.value).__name__, raised.value.outcome) == (expected, "not_applied")
            return
        receipt = self.store.load(chunk)  # type: ignore[attr-defined]  # as above
        refused, replayed = expected
        assert receipt.replayed == replayed
        assert [one.row for one in receipt.refused] == sorted(refused)
        assert replayed or receipt.written == len(chunk.rows) - len(refused)
        for one in receipt.refused:
            named = "".join(word.capitalize() for word in one.code.split("_"))
            assert named in refused[one.row].split(" or ")
        found = self.store.loaded(chunk.tenant, chunk.idem, chunk.digest)  # type: ignore[attr-defined]  # as above
        assert found == attrs.evolve(receipt, replayed=True)

    @rule(data=st.data(), tenant=st.sampled_from(TENANTS))
    def ask_for_an_outcome(self, data: st.DataObject, tenant: str) -> None:
        number = data.draw(st.integers(0, len(self.sent)))  # the last is that of the next batch
        found = self.store.outcome(tenant, f"b{number}")
        expected = self.model.outcome(tenant, f"b{number}")
        assert (found and (dict(found.versions), dict(found.seqs))) == expected

    @rule(tenant=st.sampled_from(TENANTS), kind=st.sampled_from(KINDS), limit=st.integers(1, 2))
    def scan_a_page(self, tenant: str, kind: str, limit: int) -> None:
        """Goes on where a scan of the same kind stopped, some steps ago."""
        cursor, last = self.scans.get((tenant, kind), (None, ""))
        page = self.store.scan(tenant, kind, after=cursor, limit=limit)
        expected = [one for one in self.model.of_kind(tenant, kind) if one.id > last]
        assert [one.ref for one in page.items] == expected[:limit]
        assert (page.next is None) == (len(expected) <= limit)
        self.scans[tenant, kind] = (page.next, page.items[-1].ref.id if page.next else "")

    @invariant()
    def all_reads_agree(self) -> None:
        for tenant in TENANTS:
            self._records_agree(tenant)
            hits = self.store.find(tenant, KEYS)
            assert {key: list(hits[key].refs) for key in KEYS} == {
                key: self.model.found(tenant, key) for key in KEYS
            }
            for reverse in (False, True):
                page = self.store.range(tenant, "name", ["", "p"], reverse=reverse)
                ordered = self.model.ordered(tenant, ["", "p"])
                assert list(page.items) == (ordered[::-1] if reverse else ordered)
            for stream, entries in self.store.ledger(tenant, STREAMS).items():
                expected = self.model.ledgers.get((tenant, stream), [])
                assert [one.seq for one in entries.items] == list(range(1, len(expected) + 1))
                assert [one.body for one in entries.items] == [one.body for one in expected]
            changes = self.store.changes(tenant).items
            got = [(one.idem, one.op, one.ref or one.stream, one.version or one.seq) for one in changes]
            assert got == self.model.feeds.get(tenant, [])

    def _records_agree(self, tenant: str) -> None:
        everybody = [ref(number, kind=kind, tenant=tenant) for kind in KINDS for number in range(3)]
        found = self.store.get(everybody)
        for one in everybody:
            expected = self.model.live.get(one)
            got = found.get(one)
            assert (got is None) == (expected is None)
            if got is not None and expected is not None:
                assert got.version == self.model.version(one)
                assert (got.schema, got.body) == (expected["schema"], expected["body"])
                assert (got.keys, got.sorts) == (expected["keys"], expected["sorts"])


class SqliteAgainstTheModel(AgainstTheModel):
    def make(self) -> Store:
        self.folder = tempfile.TemporaryDirectory()
        return SqliteStore(Path(self.folder.name, "crm.db"), exclusive=EXCLUSIVE)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SqliteStore(Path(self.folder.name, "crm.db"), exclusive=EXCLUSIVE)

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


class MemoryAgainstTheModel(AgainstTheModel):
    def make(self) -> Store:
        return MemoryStore(exclusive=EXCLUSIVE)


@pytest.mark.parametrize(
    ("machine", "examples"),
    [(SqliteAgainstTheModel, 20), (MemoryAgainstTheModel, 50)],
    ids=["sqlite", "memory"],
)
def test_a_store_does_what_the_model_says(machine: type[AgainstTheModel], examples: int) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=20))
