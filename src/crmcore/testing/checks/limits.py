"""G17: limits are declared, exact, and no lower than every store must take."""

from __future__ import annotations

from typing import Any

import attrs

from crmcore.errors import BatchTooLarge, StoreError
from crmcore.storage import Limits, Put
from crmcore.storage.capability import ORDERED_TEXT
from crmcore.testing.kit import (
    ANN,
    EXCLUSIVE,
    TENANT,
    NotAsked,
    Subject,
    Writer,
    append,
    due,
    email,
    guarantee,
    holds,
    ledger,
    name_sort,
    put,
    ref,
    refused,
    same,
)


@guarantee("G17")
async def a_store_takes_at_least_what_every_store_must(subject: Subject) -> None:
    """The declared limits are not below the floor, and the exclusive namespaces are those asked for."""
    description = (await subject.fresh()).describe()
    same(description.exclusive, EXCLUSIVE, "the exclusive namespaces")
    for field in attrs.fields(Limits):
        declared, floor = getattr(description.limits, field.name), getattr(Limits(), field.name)
        holds(declared >= floor, f"{field.name} is {declared}, and every store must take {floor}")


@guarantee("G17")
async def what_is_at_a_limit_is_kept_and_one_more_is_refused(subject: Subject) -> None:
    """Every declared limit is exact, and what is over it writes nothing."""
    store = await subject.fresh()
    limits = store.describe().limits
    room = limits.max_body_bytes - len('{"t":""}')
    fits: list[Put] = [
        put(ref(1), 0, {"t": "x" * room}),
        put(ref(2), 0, {"t": "é" * (room // 2)}),
        put(ref(3), 0, {}, [email(str(number)) for number in range(limits.max_keys)]),
        put(ref(4), 0, {}, [ANN], [due(number) for number in range(limits.max_keys - 1)]),
        put(ref(5), 0, {}, [email("x" * limits.max_key_bytes), email("é" * (limits.max_key_bytes // 2))]),
        put(ref(6), 0, _nested(64)),
    ]
    over: list[Put] = [
        put(ref(11), 0, {"t": "x" * (room + 1)}),
        put(ref(12), 0, {"t": "é" * (room // 2 + 1)}),
        put(ref(13), 0, {}, [email(str(number)) for number in range(limits.max_keys + 1)]),
        put(ref(14), 0, {}, [ANN], [due(number) for number in range(limits.max_keys)]),
        put(ref(15), 0, {}, [email("x" * (limits.max_key_bytes + 1))]),
        put(ref(16), 0, {}, [email("é" * (limits.max_key_bytes // 2) + "xx")]),
        put(ref(17), 0, _nested(65)),
        put(ref(18), 0, _nested(100_000)),
    ]
    await _at_the_limit(subject, fits, over)


@guarantee("G17", part=ORDERED_TEXT)
async def a_sort_at_the_limit_is_kept_and_one_more_byte_is_refused(subject: Subject) -> None:
    """The declared size of a sort is exact."""
    size = (await subject.fresh()).describe().limits.max_sort_bytes
    fits = put(ref(1), 0, {}, (), [name_sort(b"x" * size)])
    await _at_the_limit(subject, [fits], [put(ref(2), 0, {}, (), [name_sort(b"x" * (size + 1))])])


async def _at_the_limit(subject: Subject, fits: list[Put], over: list[Put]) -> None:
    store = await subject.fresh()
    write = Writer(store)
    for op in fits:
        await write(op)
    for op in over:
        await refused(StoreError, store.apply(write.batch(put(ref(99)), op)))
        subject.saw("refusals at a limit")
    there = await store.get([op.ref for op in (*fits, *over, put(ref(99)))])
    same(sorted(there), [op.ref for op in fits], "the records")
    for op in fits:
        kept = there[op.ref]
        same((kept.body, kept.keys, kept.sorts), (op.body, op.keys, op.sorts), "what is at the limit")
        for key in op.keys:
            same(
                op.ref in (await store.find(TENANT, [key]))[key].refs, True, "whether a key finds its record"
            )


def _nested(levels: int) -> Any:
    body: Any = {}
    for _ in range(levels - 1):
        body = {"x": body}
    return body


@guarantee("G17")
async def a_batch_over_its_limits_is_refused(subject: Subject) -> None:
    """The number of operations and the bytes of a batch are limited, and the refusal says by how much."""
    store = await subject.fresh()
    write = Writer(store)
    limits = store.describe().limits
    most = limits.max_ops
    ops = [append("log:1") for _ in range(most)]  # a single item, however many
    await write(*ops)
    error = await refused(BatchTooLarge, store.apply(write.batch(*ops, append("log:2"))))
    same((error.limit, error.got), (most, most + 1), "what the refusal says")
    half = "x" * (limits.max_body_bytes // 2)
    many = 2 * limits.max_batch_bytes // limits.max_body_bytes + 1
    if many <= most:  # otherwise the operations run out before the bytes do
        large = [append("log:2", {"t": half}) for _ in range(many)]
        await refused(BatchTooLarge, store.apply(write.batch(*large)))
    same(await ledger(store, "log:2"), (), "what the refused batches wrote")


@guarantee("G17")
async def a_batch_as_large_as_it_may_be_is_kept(subject: Subject) -> None:
    """A batch whose bodies come to the declared bytes, but for a little to say what they are, is kept whole."""
    store = await subject.fresh()
    limits = store.describe().limits
    count = min(limits.max_ops, limits.max_items, limits.max_batch_bytes // limits.max_body_bytes + 1)
    little = 512  # bytes of an operation beside its body, and as many of a heading
    size = min(limits.max_body_bytes, (limits.max_batch_bytes - little) // count - little) - len('{"t":""}')
    bodies = [{"t": chr(ord("a") + n % 26) * size} for n in range(count)]
    ops = [put(ref(n), 0, body) if n else append("log:1", body) for n, body in enumerate(bodies)]
    await Writer(store)(*ops)
    there = await store.get([ref(n) for n in range(1, count)])
    holds([there[ref(n)].body for n in range(1, count)] == bodies[1:], "a body is not what it was")
    holds([one.body for one in await ledger(store, "log:1")] == bodies[:1], "a body is not what it was")


@guarantee("G17")
async def a_batch_of_too_many_items_is_refused(subject: Subject) -> None:
    """A record is an item, what it carries is one, and so is each of its keys and sorts: that limit is exact too."""
    store = await subject.fresh()
    limits = store.describe().limits
    most = limits.max_items
    if most > 22 * limits.max_ops:
        raise NotAsked("no batch of this store has so many items")
    write = Writer(store)
    full, rest = divmod(most, 2 + 20)
    ops = [put(ref(one), 0, {}, [email(f"{one}-{key}") for key in range(20)]) for one in range(full)]
    ops += [put(ref(500 + one)) for one in range(rest)]
    error = await refused(BatchTooLarge, store.apply(write.batch(*ops, put(ref(999)))))
    same((error.limit, error.got), (most, most + 1), "what the refusal says")
    same(await store.get([op.ref for op in ops]), {}, "what the refused batch wrote")
    await write(*ops)


@guarantee("G17")
async def a_read_over_its_limits_is_refused(subject: Subject) -> None:
    """One call asks for so many records, keys, parts or streams at most."""
    store = await subject.fresh()
    many = store.describe().limits.max_refs
    for count in (many, many + 1):
        refs, names = [ref(number) for number in range(count)], [str(number) for number in range(count)]
        keys = [email(name) for name in names]
        for call in (
            lambda: store.get(refs),  # noqa: B023  # called before the next round
            lambda: store.find(TENANT, keys),  # noqa: B023  # as above
            lambda: store.fanout(TENANT, keys, cap=1),  # noqa: B023  # as above
            lambda: store.range(TENANT, "due", names),  # noqa: B023  # as above
            lambda: store.ledger(TENANT, names),  # noqa: B023  # as above
        ):
            await (call() if count == many else refused(BatchTooLarge, call()))
