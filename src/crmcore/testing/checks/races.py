"""G1, G3, G4, G5 and G12 where several call at the same moment: outside what the history of records and ledgers shows.

Invariant: every check says which answers are possible, and one of them must come, whoever is faster.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs

from crmcore.errors import Fenced, KeyConflict, StoreError
from crmcore.storage import AsyncStore, Batch, ChunkReceipt, Operation, Receipt, Record, bulk_of
from crmcore.storage.capability import BULK
from crmcore.testing.at_once import at_once, wait
from crmcore.testing.kit import (
    TENANT,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    due,
    email,
    guarantee,
    holds,
    ledger,
    put,
    record,
    ref,
    rekey,
    same,
    scanned,
    source,
)
from crmcore.testing.rows import chunk, row

MANY = 8
GROUP = [ref(number) for number in range(4)]


@guarantee("G4", least={"batches sent at once": 10})
async def a_batch_sent_by_many_at_once_is_applied_once(subject: Subject) -> None:
    """Eight who send the same batch at the same moment all get its receipt, one of them as the first; it is written
    once."""
    store = await subject.fresh()
    write = Writer(store)
    for step in range(10):
        stream = f"log:{step}"
        batch = write.batch(append(stream), *([put(ref(step))] if step % 2 else []))
        answers = await at_once(store, [partial(store.apply, batch)] * MANY)
        _one_first(answers, "a batch that eight sent at once")
        same(len(await ledger(store, stream)), 1, "the number of entries")
        subject.saw("batches sent at once")


@guarantee("G4", part=BULK, least={"chunks sent at once": 10})
async def a_chunk_sent_by_many_at_once_is_written_once(subject: Subject) -> None:
    """Several who load the same chunk at the same moment all get its receipt, one of them as the first, with nothing
    refused; every row is written once."""
    store = await subject.fresh()
    for step in range(10):
        loaded = chunk(row(step), idem=f"load:{step}")
        answers = await at_once(store, [partial(bulk_of(store).load, loaded)] * 4)
        _one_first(answers, "a chunk that four sent at once")
        same(answers[0].refused, (), "the rows that were refused")
        same(len(await ledger(store, f"party:{step}")), 1, "the number of entries")
        subject.saw("chunks sent at once")


def _one_first(answers: Sequence[Any], what: str) -> None:
    for answer in answers:
        holds(isinstance(answer, (Receipt, ChunkReceipt)), f"{what} ended with {_named(answer)}")
    same(sum(not answer.replayed for answer in answers), 1, f"how often {what} was written")
    for answer in answers:
        same(attrs.evolve(answer, replayed=True), attrs.evolve(answers[0], replayed=True), "the receipt")


def _named(answer: object) -> str:
    return type(answer).__name__


@guarantee("G3", least={"keys claimed at once": 10})
async def of_many_claims_of_one_key_one_wins(subject: Subject) -> None:
    """Of eight who claim the same exclusive key at the same moment one gets it; the others are told who has it, and
    write nothing."""
    store = await subject.fresh()
    write = Writer(store)
    for step in range(10):
        key = source(str(step))
        claimants = [ref(step * MANY + number) for number in range(MANY)]
        answers = await at_once(
            store, [partial(store.apply, write.batch(put(one, 0, {}, [key]))) for one in claimants]
        )
        won = [
            one for one, answer in zip(claimants, answers, strict=True) if not isinstance(answer, StoreError)
        ]
        same(len(won), 1, "how many of eight got an exclusive key")
        same(await carriers(store, key), tuple(won), "who carries the key")
        same(list(await store.get(claimants)), won, "which of the claimants are there")
        for answer in answers:
            if isinstance(answer, StoreError):
                same(_named(answer), KeyConflict.__name__, "the error of those who lost")
        subject.saw("keys claimed at once")


@guarantee("G12", least={"outcomes asked at once": 20})
async def an_outcome_asked_while_the_batch_arrives_is_true(subject: Subject) -> None:
    """Who asks for the outcome at the moment when the batch arrives gets its receipt, or None, and then it is never
    applied."""
    store = await subject.fresh()
    write = Writer(store)
    for step in range(20):
        batch = write.batch(put(ref(step)), append("log:1"))
        ask = partial(store.outcome, TENANT, batch.idem)
        sent, *told = await at_once(
            store, [partial(store.apply, batch), ask, ask, partial(_asked, store, batch)]
        )
        applied = isinstance(sent, Receipt)
        holds(applied or isinstance(sent, Fenced), f"a batch that was asked about ended with {_named(sent)}")
        same(
            (await record(store, ref(step))) is not None,
            applied,
            "whether a batch that was asked about is there",
        )
        for answer in told:
            same(
                answer is not None,
                applied,
                "whether an outcome was known of a batch that was applied or fenced",
            )
        subject.saw("outcomes asked at once")


async def _asked(store: AsyncStore, batch: Batch) -> Receipt | None:
    await wait(store, 0.0003)
    return await store.outcome(TENANT, batch.idem)


@guarantee("G1", least={"readings while others write": 20})
async def every_call_sees_whole_batches_while_others_write(subject: Subject) -> None:
    """get, find, range, scan and ledger see all of a batch or nothing of it while others write, and none of them is
    behind what another has shown already."""
    store = await subject.fresh()
    over: list[bool] = []
    readings = 3 * [partial(_read_whole, store, subject, over)]
    for answer in await at_once(store, [partial(_write_whole, store, over), *readings]):
        if isinstance(answer, StoreError):
            raise answer


async def _write_whole(store: AsyncStore, over: list[bool]) -> None:
    write = Writer(store)
    try:
        for step in range(40):
            puts = [put(one, step, {"n": step + 1}, [_step_key(step + 1)], [due(step + 1)]) for one in GROUP]
            await write(*puts, append("log:1"), append("log:1"))
            await wait(store, 0.002)
    finally:
        over.append(True)


def _step_key(step: int) -> Any:
    return email(f"step-{step}")


async def _read_whole(store: AsyncStore, subject: Subject, over: list[bool]) -> None:
    while not over:
        begun = await _step_of(store)
        await wait(store, 0.0)
        found = await carriers(store, _step_key(begun))
        holds(found in ((), tuple(GROUP)), "find sees part of a batch")
        ordered = [sort.value for sort, _ in (await store.range(TENANT, "due", [""])).items]
        listed = [one.body["n"] for one in await scanned(store)]
        entries = len(await ledger(store, "log:1"))
        ended = await _step_of(store)
        holds(len({*ordered}) <= 1 and len(ordered) in (0, len(GROUP)), "range sees part of a batch")
        holds(len({*listed}) <= 1 and len(listed) in (0, len(GROUP)), "scan sees part of a batch")
        holds(entries % 2 == 0, "ledger sees part of a batch")
        holds(begun == 0 or begun != ended or found, "find is behind what get has shown")
        steps = {due(step).value: step for step in range(begun, ended + 1)}
        holds(not ordered or ordered[0] in steps, "range is not at what get shows before and after")
        for what, at in (("scan", listed[0] if listed else 0), ("ledger", entries // 2)):
            holds(begun <= at <= ended, f"{what} is not at what get shows before and after")
        holds(ordered or not begun, "range is behind what get has shown")
        subject.saw("readings while others write")


async def _step_of(store: AsyncStore) -> int:
    steps = {one.body["n"] for one in (await store.get(GROUP)).values()}
    holds(len(steps) <= 1, "get sees part of a batch")
    return max(steps, default=0)


@guarantee("G5", least={"batches written at once": 40})
async def what_many_left_behind_is_found_exactly(subject: Subject) -> None:
    """After many have put, rekeyed and deleted the same few records at once, find, fanout and range give exactly what
    the records carry, and no exclusive key has two holders."""
    store = await subject.fresh()
    there: list[Record] = []
    for turn in range(10):
        flows = [
            partial(_change_at_random, store, f"{subject.seed}/{turn}/{number}", 20) for number in range(MANY)
        ]
        for answer in await at_once(store, flows):
            if isinstance(answer, StoreError):
                raise answer
            subject.saw("batches written at once", answer)
        there = await scanned(store)
        if turn >= 2 and len({key for one in there for key in one.keys}) >= 3:
            break  # enough is carried to find something wrong with
    for key in _POOL:
        carrying = tuple(one.ref for one in there if key in one.keys)
        same(await carriers(store, key), carrying, "who carries a key after many wrote")
        same((await store.fanout(TENANT, [key], cap=100))[key], len(carrying), "the fan-out after many wrote")
        holds(key.namespace != "source" or len(carrying) <= 1, "an exclusive key has two holders")
    ordered = (await store.range(TENANT, "due", [""], limit=100)).items
    carried = sorted((sort.value, one.ref) for one in there for sort in one.sorts)
    same([(sort.value, at) for sort, at in ordered], carried, "the order after many wrote")


_POOL = [*map(source, "abc"), *map(email, "abc")]


async def _change_at_random(store: AsyncStore, seed: str, steps: int) -> int:
    """How many batches of one writer were applied; it goes on after conflicts."""
    chance, applied = random.Random(seed), 0
    for step in range(steps):
        target = chance.choice(GROUP)
        found = await record(store, target)
        keys, sorts = chance.sample(_POOL, chance.randrange(4)), [due(chance.randrange(5))]
        op: Operation = put(target, found.version if found else 0, {}, keys, sorts)
        if found is not None and chance.random() < 0.5:
            op = rekey(target, found.version, keys, sorts) if step % 3 else delete(target, found.version)
        try:
            await Writer(store)(op, idem=f"{seed}/{step}")
            applied += 1
        except StoreError as error:
            holds(error.outcome == "not_applied", f"a batch among many ended with {_named(error)}")
    return applied
