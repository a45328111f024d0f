"""G8: ledgers are numbered without gaps and read from either end."""

from __future__ import annotations

from crmcore.errors import (
    StreamConflict,
    VersionConflict,
)
from crmcore.storage import (
    Check,
)
from crmcore.testing.kit import (
    SIZES,
    TENANT,
    A,
    Subject,
    Writer,
    append,
    guarantee,
    ledger,
    patience,
    refused,
    same,
)


@guarantee("G8")
async def entries_are_numbered_without_gaps(subject: Subject) -> None:
    """The entries of a ledger are 1 to n in the order in which they were appended, also after a refused batch."""
    store = await subject.fresh()
    write = Writer(store)
    await write(append("log:1", {"n": 1}), append("log:2", {"n": 1}), append("log:1", {"n": 2}, day=-5))
    await refused(StreamConflict, store.apply(write.batch(append("log:1"), append("log:1", expect_seq=9))))
    await refused(VersionConflict, store.apply(write.batch(append("log:1"), Check(ref=A, expect=1))))
    await write(append("log:1", {"n": 2}), append("log:1", {"n": 3}))
    entries = await ledger(store, "log:1")
    same([(entry.seq, entry.body["n"]) for entry in entries], [(1, 1), (2, 2), (3, 2), (4, 3)], "the entries")
    same({entry.stream for entry in entries}, {"log:1"}, "their stream")
    same([entry.seq for entry in await ledger(store, "log:2")], [1], "the entries of the other ledger")


@guarantee("G8")
async def ledgers_are_read_in_pages_from_either_end(subject: Subject) -> None:
    """Several ledgers in one call, each from its own place, forwards and backwards, to the last entry."""
    store = await subject.fresh()
    write = Writer(store)
    await write(*(append("log:1", {"n": n}) for n in range(1, 8)), append("log:2", {"n": 1}))
    for size in SIZES:
        for reverse in (False, True):
            seen: list[int] = []
            after: dict[str, int] = {}
            for _ in patience():
                pages = await store.ledger(
                    TENANT, ["log:2", "log:1", "log:3"], after=after, limit=size, reverse=reverse
                )
                same(set(pages), {"log:1", "log:2", "log:3"}, "the ledgers of the answer")
                same([entry.seq for entry in pages["log:2"].items], [1], "the ledger without a place")
                same((pages["log:3"].items, pages["log:3"].next), ((), None), "a ledger that has no entries")
                seen += [entry.seq for entry in pages["log:1"].items]
                if pages["log:1"].next is None:
                    break
                after = {"log:1": int(pages["log:1"].next)}
                same(after["log:1"], seen[-1], "the place to go on from")
            same(seen, list(range(7, 0, -1) if reverse else range(1, 8)), f"the entries in pages of {size}")
    page = (await store.ledger(TENANT, ["log:1"], after={"log:1": 99}))["log:1"]
    same(page.items, (), "the entries after the end")
