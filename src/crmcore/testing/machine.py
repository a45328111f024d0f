"""Random calls, answers compared with the plain model after each: what one store does, the plain words say.

Invariant: after every step everything that can be read of the store is what the model has, so two stores that pass are
equal in what they answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import attrs
from hypothesis import HealthCheck, Phase, seed, settings
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
    EXCLUSIVE,
    Batch,
    Check,
    CheckKey,
    CheckStream,
    Chunk,
    Json,
    Key,
    NewEntry,
    NewRecord,
    Ref,
    Row,
    Sort,
    bulk_of,
    claims,
)
from crmcore.storage.capability import BULK, CHANGES
from crmcore.testing.kit import (
    NOW,
    Broken,
    Subject,
    append,
    delete,
    due,
    holds,
    put,
    ref,
    refused,
    rekey,
    same,
)
from crmcore.testing.model import Model
from crmcore.values.source import SYSTEM

T = TypeVar("T")
TENANTS = ("acme", "other")
KINDS = ("party", "note")
STREAMS = ("log:1", "log:2")
KEYS = [Key(namespace, value) for namespace in ("email", "source", "member") for value in ("1", "2")]
SORTS = [due(number, part) for part in ("", "p") for number in range(4)]
LEAST: Mapping[str, int] = {
    "batches applied": 60, "batches refused": 10, "stale checks": 3, "batches sent again": 5, "pages read": 10,
}  # fmt: skip
"""How often the machine must have seen what, to have said anything."""
PATIENCE = 180.0
"""Seconds that a slow store gets beyond its budget, until enough was seen."""
SECONDS = {"quick": 5.0, "full": 240.0}

keys = st.sets(st.sampled_from(KEYS), max_size=2)
sorts = st.sets(st.sampled_from(SORTS), max_size=2)
bodies = st.dictionaries(st.sampled_from("abc"), st.text("xyé", max_size=3), max_size=2)


def run_machine(subject: Subject, *, examples: int = 8, steps: int = 20) -> None:
    """Let chance call a store for as long as the budget of *subject* says, and until enough was seen.

    Raises:
        Broken: with the calls that show it, if the store does something else than the model.
    """
    seen: dict[str, int] = {}
    limit = SECONDS.get(subject.budget, subject.minutes * 60)
    began, turn = time.monotonic(), 0
    while (gone := time.monotonic() - began) < limit or (_too_few(seen) and gone < limit + PATIENCE):

        class Driven(AgainstTheModel):
            drives = subject
            counts = seen

        # The shortest calls that show a fault take minutes to find: only where there are some.
        phases = (Phase.generate,) if subject.budget == "quick" else (Phase.generate, Phase.shrink)
        checks: Any = tuple(HealthCheck)
        quiet = settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None, print_blob=False,
            suppress_health_check=checks, phases=phases, report_multiple_bugs=False,
        )  # fmt: skip
        try:
            run_state_machine_as_test(seed(subject.seed + turn)(Driven), settings=quiet)
        except AssertionError as error:
            raise Broken("\n".join([str(error), *getattr(error, "__notes__", ())])) from None
        turn += 1
    for what, times in seen.items():
        subject.saw(what, times)


def places(items: Iterable[tuple[Sort, Ref]]) -> list[tuple[bytes, str]]:
    """What the order of a range is promised by."""
    return [(sort.value, at.id) for sort, at in items]


def _too_few(seen: Mapping[str, int]) -> bool:
    return any(seen.get(what, 0) < least for what, least in LEAST.items())


class AgainstTheModel(RuleBasedStateMachine):
    """Each step is one call; after each step everything that can be read is compared."""

    drives: Subject
    counts: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.model = Model()
        self.sent: list[Batch] = []
        self.chunks: list[Chunk] = []
        self.scans: dict[tuple[str, str], tuple[str | None, set[Ref], set[Ref]]] = {}
        self.store = self.call(self.drives.fresh())
        self.claimed = {part: claims(self.store.describe(), part) for part in (BULK, CHANGES)}

    def call(self, flow: Coroutine[Any, Any, T]) -> T:
        """The answer to a call, on the loop of this machine."""
        return self.runner.run(flow)

    def teardown(self) -> None:
        self.call(self.store.close())
        self.runner.close()

    def count(self, what: str, times: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + times

    # writing

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

    @rule(data=st.data(), tenant=st.sampled_from(TENANTS))
    def send_what_was_decided_too_early(self, data: st.DataObject, tenant: str) -> None:
        """A batch whose one fault is that something which it has read was written since."""
        everybody = [ref(number, kind=kind, tenant=tenant) for kind in KINDS for number in range(3)]
        read, target = data.draw(st.permutations(everybody))[:2]
        if self.model.version(read):
            stale = Check(ref=read, expect=self.model.version(read) - 1)
            ops = (put(target, self.model.version(target)), stale)
            self.sent.append(Batch(tenant=tenant, ops=ops, idem=f"b{len(self.sent)}", actor=SYSTEM, at=NOW))
            self._apply(self.sent[-1])
            self.count("stale checks")

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), later=st.integers(0, 3), other=st.sampled_from([False, False, True]))
    def send_again(self, data: st.DataObject, later: int, other: bool) -> None:
        batch = data.draw(st.sampled_from(self.sent))
        ops = batch.ops[:-1] if other else batch.ops
        at = NOW + timedelta(hours=later)
        self._apply(Batch(tenant=batch.tenant, ops=ops, idem=batch.idem, actor=SYSTEM, at=at))
        self.count("batches sent again")

    def _apply(self, batch: Batch) -> None:
        expected = self.model.apply(batch)
        got = self._answer(batch)
        if isinstance(expected, str):
            holds(got in expected.split(" or "), f"the answer to a batch: {got}, not {expected}")
        else:
            same(got, expected, "the answer to a batch")

    def _answer(self, batch: Batch) -> Any:
        try:
            receipt = self.call(self.store.apply(batch))
        except StoreError as error:
            self.count("batches refused")
            return type(error).__name__ if error.outcome == "not_applied" else error.outcome
        self.count("batches applied", not receipt.replayed)
        return dict(receipt.versions), dict(receipt.seqs), receipt.replayed

    # loading

    @precondition(lambda self: self.claimed[BULK])
    @rule(data=st.data(), tenant=st.sampled_from(TENANTS), rows=st.integers(0, 4))
    def load(self, data: st.DataObject, tenant: str, rows: int) -> None:
        chunk = Chunk(
            tenant=tenant,
            rows=tuple(self._row(data) for _ in range(rows)),
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

    def _row(self, data: st.DataObject) -> Row:
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
        bulk = bulk_of(self.store)
        if isinstance(expected, str):
            error = self.call(refused(StoreError, bulk.load(chunk)))
            same(type(error).__name__, expected, "the answer to a chunk")
            return
        receipt = self.call(bulk.load(chunk))
        wrong, replayed = expected
        same(receipt.replayed, replayed, "whether the chunk was known")
        same([one.row for one in receipt.refused], sorted(wrong), "the rows that were refused")
        holds(replayed or receipt.written == len(chunk.rows) - len(wrong), "the number of rows written")
        for one in receipt.refused:
            named = "".join(word.capitalize() for word in one.code.split("_"))
            holds(
                named in wrong[one.row].split(" or "), f"a row was refused for {named}, not {wrong[one.row]}"
            )
        found = self.call(bulk.loaded(chunk.tenant, chunk.idem, chunk.digest))
        same(found, attrs.evolve(receipt, replayed=True), "the receipt of the chunk")

    # asking

    @rule(data=st.data(), tenant=st.sampled_from(TENANTS))
    def ask_for_an_outcome(self, data: st.DataObject, tenant: str) -> None:
        number = data.draw(st.integers(0, len(self.sent)))  # the last is that of the next batch
        found = self.call(self.store.outcome(tenant, f"b{number}"))
        expected = self.model.outcome(tenant, f"b{number}")
        same(found and (dict(found.versions), dict(found.seqs)), expected, "the outcome")

    @rule(tenant=st.sampled_from(TENANTS), kind=st.sampled_from(KINDS), limit=st.integers(1, 2))
    def scan_a_page(self, tenant: str, kind: str, limit: int) -> None:
        """Goes on where a scan of the same kind stopped, some steps ago."""
        everybody = set(self.model.of_kind(tenant, kind))
        cursor, seen, stayed = self.scans.pop((tenant, kind), (None, set(), everybody))
        page = self.call(self.store.scan(tenant, kind, after=cursor, limit=limit))
        got = {one.ref for one in page.items}
        same((len(got), got & seen), (len(page.items), set()), "records that a scan shows twice")
        holds(got <= everybody, "a scan shows a record that is not there")
        if page.next is None:
            holds(stayed <= seen | got, "a scan ended without a record that was there all the time")
        else:
            same(len(page.items), limit, "the length of a page with a next one")
            self.scans[tenant, kind] = (page.next, seen | got, stayed)
        self.count("pages read")

    @precondition(lambda self: self.drives.durable)
    @rule()
    def reopen(self) -> None:
        self.store = self.call(self.drives.reopen(self.store))

    # comparing

    @invariant()
    def scans_remember_who_stayed(self) -> None:
        for (tenant, kind), (cursor, seen, stayed) in self.scans.items():
            self.scans[tenant, kind] = (cursor, seen, stayed & set(self.model.of_kind(tenant, kind)))

    @invariant()
    def all_reads_agree(self) -> None:
        for tenant in TENANTS:
            self._records_agree(tenant)
            hits = self.call(self.store.find(tenant, KEYS))
            found = {key: list(hits[key].refs) for key in KEYS}
            same(found, {key: self.model.found(tenant, key) for key in KEYS}, "who carries which key")
            for reverse in (False, True):
                page = self.call(self.store.range(tenant, "due", ["", "p"], reverse=reverse))
                ordered = self.model.ordered(tenant, ["", "p"])[:: -1 if reverse else 1]
                same(places(page.items), places(ordered), "the order")
                same(set(page.items), set(ordered), "what is in the order")
            for stream, entries in self.call(self.store.ledger(tenant, STREAMS)).items():
                expected = self.model.ledgers.get((tenant, stream), [])
                got = [(one.seq, one.body) for one in entries.items]
                same(got, list(enumerate([one.body for one in expected], 1)), "the ledger")
            if self.claimed[CHANGES]:
                changes = self.call(self.store.changes(tenant)).items
                feed = [(one.idem, one.op, one.ref or one.stream, one.version or one.seq) for one in changes]
                same(feed, self.model.feeds.get(tenant, []), "the feed")

    def _records_agree(self, tenant: str) -> None:
        everybody = [ref(number, kind=kind, tenant=tenant) for kind in KINDS for number in range(3)]
        found = self.call(self.store.get(everybody))
        for one in everybody:
            expected = self.model.live.get(one)
            got = found.get(one)
            same(got is None, expected is None, "whether a record is there")
            if got is not None and expected is not None:
                same(got.version, self.model.version(one), "the version")
                same((got.schema, got.body), (expected["schema"], expected["body"]), "the record")
                same((got.keys, got.sorts), (expected["keys"], expected["sorts"]), "what it carries")
