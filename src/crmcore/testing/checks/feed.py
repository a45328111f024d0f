"""G9: the feed has every change once, in the order of commits."""

from __future__ import annotations

from crmcore.errors import (
    InvalidRecord,
    VersionConflict,
)
from crmcore.storage import (
    Check,
)
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    SIZES,
    TENANT,
    A,
    B,
    C,
    Subject,
    Writer,
    append,
    delete,
    feed,
    guarantee,
    put,
    refused,
    rekey,
    same,
)
from crmcore.values.source import Actor


@guarantee("G9", part=CHANGES)
async def the_feed_has_every_change_once_in_order(subject: Subject) -> None:
    """Changes come in the order of commits, those of a batch together in its order, and a Rekey is none."""
    store = await subject.fresh()
    write = Writer(store)
    boss = Actor(kind="person", id="u-7", on_behalf_of="team")
    await write(put(A), append("log:1"), put(B), idem="b1", actor=boss, reason="first")
    await refused(VersionConflict, store.apply(write.batch(put(C), put(A, 9))))
    await write(append("log:1"), put(A, 1), rekey(B, 1, [ANN]), idem="b2")
    await write(Check(ref=A, expect=2), idem="b3")
    await write(delete(A, 2), append("log:2"), idem="b4")
    expected = [
        ("b1", "put", A, 1, None, None),
        ("b1", "append", None, None, "log:1", 1),
        ("b1", "put", B, 1, None, None),
        ("b2", "append", None, None, "log:1", 2),
        ("b2", "put", A, 2, None, None),
        ("b4", "delete", A, 3, None, None),
        ("b4", "append", None, None, "log:2", 1),
    ]
    for size in SIZES:
        changes = await feed(store, size=size)
        got = [(one.idem, one.op, one.ref, one.version, one.stream, one.seq) for one in changes]
        same(got, expected, f"the feed in pages of {size}")
        same(len({one.position for one in changes}), len(changes), "the number of different positions")
        same((changes[0].actor, changes[0].reason, changes[3].reason), (boss, "first", None), "who and why")


@guarantee("G9", part=CHANGES)
async def the_feed_goes_on_from_any_position(subject: Subject) -> None:
    """From the position of any change, of a receipt or of a watermark, what comes after is what was not yet seen."""
    store = await subject.fresh()
    write = Writer(store)
    same((await store.changes(TENANT)).watermark, "", "the watermark of an empty feed")
    receipt = await store.apply(write.batch(put(A), put(B)))
    page = await store.changes(TENANT, limit=1)
    same(page.next, page.items[0].position, "the next position")
    same(
        [one.ref for one in (await store.changes(TENANT, page.next)).items], [B], "what comes after the first"
    )
    same(page.watermark, receipt.position, "the watermark and the last position")
    same((await store.changes(TENANT, receipt.position)).items, (), "what comes after the last")
    idle = await store.apply(write.batch(Check(ref=A, expect=1)))
    same(idle.position, receipt.position, "the position of a batch that changes nothing")
    await write(put(C))
    for place in (receipt.position, page.watermark, idle.position):
        same([one.ref for one in (await store.changes(TENANT, place)).items], [C], "what comes after")
    await refused(InvalidRecord, store.changes(TENANT, "1"))
