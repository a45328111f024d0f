"""G5: an order holds exactly what the records carry."""

from __future__ import annotations

from crmcore.storage import (
    Ref,
    Sort,
)
from crmcore.storage.capability import ORDERED_TEXT
from crmcore.testing.kit import (
    SIZES,
    TENANT,
    A,
    B,
    Subject,
    Writer,
    delete,
    due,
    guarantee,
    name_sort,
    patience,
    put,
    ref,
    rekey,
    same,
)


@guarantee("G5")
async def range_gives_exactly_what_the_records_carry(subject: Subject) -> None:
    """A sort is in the order as long as its record carries it: after a change, a Rekey and a Delete no longer."""
    store = await subject.fresh()
    write = Writer(store)
    await write(
        put(A, 0, {}, (), [due(1), due(3), Sort("other", "", due(2).value)]),
        put(B, 0, {}, (), [due(2)]),
    )

    async def order() -> list[tuple[Sort, Ref]]:
        return list((await store.range(TENANT, "due", [""])).items)

    same(await order(), [(due(1), A), (due(2), B), (due(3), A)], "the order")
    await write(put(A, 1, {}, (), [due(3)]))
    same(await order(), [(due(2), B), (due(3), A)], "the order after a change")
    await write(rekey(A, 2, (), [due(1)]), delete(B, 1))
    same(await order(), [(due(1), A)], "the order after Rekey and Delete")


@guarantee("G5")
async def range_is_half_open(subject: Subject) -> None:
    """``lo`` is within a range and ``hi`` is not; of equal values the id decides; reversed is the reverse."""
    store = await subject.fresh()
    items = [(due(number // 2), ref(9 - number)) for number in range(6)]
    await Writer(store)(*(put(at, 0, {}, (), [sort]) for sort, at in items))
    items.sort(key=lambda item: (item[0].value, item[1].id))
    for lo, hi in ((None, None), (1, None), (None, 1), (1, 2), (0, 0), (2, 1), (3, 9)):
        low, high = (None if bound is None else due(bound).value for bound in (lo, hi))
        expected = [
            item
            for item in items
            if (low is None or item[0].value >= low) and (high is None or item[0].value < high)
        ]
        for reverse in (False, True):
            page = await store.range(TENANT, "due", [""], lo=low, hi=high, reverse=reverse)
            same(list(page.items), expected[::-1] if reverse else expected, f"the range from {lo} to {hi}")


@guarantee("G5", part=ORDERED_TEXT)
async def texts_are_ordered_by_bytes(subject: Subject) -> None:
    """Values of sorts compare as bytes, whatever they are bytes of, and then the id decides."""
    store = await subject.fresh()
    write = Writer(store)
    values = [
        b"",
        b"\x00",
        b"\x00\x00",
        b"A",
        b"B",
        b"a",
        b"a\x00",
        b"aa",
        b"b",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\xff" * 64,
    ]
    await write(
        *(put(ref(99 - number), 0, {}, (), [name_sort(value)]) for number, value in enumerate(values))
    )
    await write(put(ref(3), 0, {}, (), [name_sort(b"a")]), put(ref(200), 0, {}, (), [name_sort(b"a")]))
    items = [(value, ref(99 - number)) for number, value in enumerate(values)]
    items += [(b"a", ref(3)), (b"a", ref(200))]
    items.sort()
    for lo, hi in (
        (None, None),
        (b"a", None),
        (None, b"a"),
        (b"a", b"b"),
        (b"", b""),
        (b"b", b"a"),
        (b"a", b"a\x00"),
    ):
        expected = [item for item in items if (lo is None or item[0] >= lo) and (hi is None or item[0] < hi)]
        for reverse in (False, True):
            page = await store.range(TENANT, "name", [""], lo=lo, hi=hi, reverse=reverse)
            got = [(sort.value, at) for sort, at in page.items]
            same(got, expected[::-1] if reverse else expected, f"the range from {lo!r} to {hi!r}")


@guarantee("G5")
async def range_merges_several_parts_into_one_order(subject: Subject) -> None:
    """Several parts are read as if they were one, each item once, also a record that is in two of them."""
    store = await subject.fresh()
    write = Writer(store)
    for number in range(12):
        parts = ["a", "b", "c"] if number % 5 == 0 else ["abc"[number % 3]]
        await write(put(ref(number), 0, {}, (), [due(number // 2, part) for part in parts]))
    whole = (await store.range(TENANT, "due", ["b", "a", "x", "a"], limit=1000)).items
    same(len(whole), len(set(whole)), "the number of different items")
    same(
        [(sort.value, at.id) for sort, at in whole],
        sorted((sort.value, at.id) for sort, at in whole),
        "the order",
    )
    expected = {
        (due(number // 2, part), ref(number))
        for number in range(12)
        for part in "ab"
        if number % 5 == 0 or "abc"[number % 3] == part
    }
    same(set(whole), expected, "the items")
    for size in SIZES:
        for reverse in (False, True):
            got: list[tuple[Sort, Ref]] = []
            cursor = None
            for _ in patience():
                page = await store.range(
                    TENANT, "due", ["a", "b", "x"], after=cursor, limit=size, reverse=reverse
                )
                got += page.items
                cursor = page.next
                if cursor is None:
                    break
            same(got, list(whole[::-1] if reverse else whole), f"the items in pages of {size}")
