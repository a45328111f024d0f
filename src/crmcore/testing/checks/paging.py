"""G10: pages together with everything else that can be asked: bounds, both directions, several keys and ledgers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from crmcore.storage import AsyncStore, Key, Ref, Sort
from crmcore.testing.kit import (
    ANN,
    BOB,
    INSTANTS,
    TENANT,
    Subject,
    Writer,
    append,
    due,
    email,
    guarantee,
    holds,
    patience,
    put,
    ref,
    same,
)

Items = list[tuple[Sort, Ref]]
LENGTHS = {"log:1": 5, "log:2": 3, "log:3": 0, "log:4": 1}


def _order(items: Items, reverse: bool) -> list[tuple[bytes, str]]:
    """What the order of a range is promised by, of items that should be in it."""
    return sorted(((sort.value, at.id) for sort, at in items), reverse=reverse)


async def _paged(
    store: AsyncStore, parts: list[str], lo: bytes | None, hi: bytes | None, size: int, reverse: bool
) -> Items:
    seen: Items = []
    after = None
    for _ in patience():
        page = await store.range(
            TENANT, INSTANTS, parts, lo=lo, hi=hi, after=after, limit=size, reverse=reverse
        )
        holds(len(page.items) <= size, "more places than asked for")
        seen += page.items
        after = page.next
        if after is None:
            break
    return seen


@guarantee("G10", least={"ranges read in pages": 100})
async def a_range_with_bounds_is_read_in_pages(subject: Subject) -> None:
    """Whatever the bounds, the parts, the direction and the size, the pages of a range are the range."""
    store = await subject.fresh()
    data: Items = []
    for n in range(9):
        for kind in ("party", "note"):
            data += [(due(n // 2, part), ref(n, kind=kind)) for part in ("", "a")[: 1 + n % 2]]
    carried: dict[Ref, list[Sort]] = {}
    for sort, at in data:
        carried.setdefault(at, []).append(sort)
    await Writer(store)(*(put(at, 0, {}, (), sorts) for at, sorts in carried.items()))
    bounds = [None, due(1).value, due(3).value]
    for parts, lo, hi, reverse, size in product(
        (["", "a"], ["a"]), bounds, [None, due(3).value, due(4).value], (False, True), (1, 2, 3, 5)
    ):
        wanted = [
            (sort, at)
            for sort, at in data
            if sort.part in parts and (lo is None or sort.value >= lo) and (hi is None or sort.value < hi)
        ]
        got = await _paged(store, parts, lo, hi, size, reverse)
        asked = f"a range in pages of {size}, bounds {lo is not None} {hi is not None}, reverse {reverse}"
        same([(sort.value, at.id) for sort, at in got], _order(wanted, reverse), asked)
        same(sorted(got), sorted(wanted), asked)
        subject.saw("ranges read in pages")


@guarantee("G10", least={"calls with several cursors": 10})
async def several_keys_are_paged_at_once(subject: Subject) -> None:
    """A call may go on with several keys, each from its own place, and begin with others."""
    store = await subject.fresh()
    held = {ANN: range(0, 30, 2), BOB: range(5, 12), email("c"): range(25, 40, 3), email("d"): range(7, 8)}
    carried: dict[Ref, list[Key]] = {}
    for key, numbers in held.items():
        for n in numbers:
            carried.setdefault(ref(n, kind="note" if n % 3 else "party"), []).append(key)
    await Writer(store)(*(put(at, 0, {}, keys) for at, keys in carried.items()))
    wanted = {key: sorted(at for at, keys in carried.items() if key in keys) for key in held}
    for size in (1, 2, 4):
        for keys in (list(held), list(reversed(held))):
            for late in keys:
                await _all_at_once(subject, store, keys, late, size, wanted)


async def _all_at_once(
    subject: Subject, store: AsyncStore, keys: list[Key], late: Key, size: int, wanted: dict[Key, list[Ref]]
) -> None:
    """Page through *keys* together; *late* starts two calls after the others."""
    seen: dict[Key, list[Ref]] = {key: [] for key in keys}
    cursors: dict[Key, str] = {}
    asked = list(keys)
    for step in patience():
        fresh = [key for key in asked if key not in cursors]
        found = await store.find(TENANT, asked, limit_per_key=size, after=cursors)
        same(set(found), set(asked), "the keys that were answered for")
        subject.saw("calls with several cursors", len(cursors) > 1)
        for key, hits in found.items():
            holds(len(hits.refs) <= size, "more hits than asked for")
            if key == late and step < 2:
                same(list(hits.refs), wanted[key][:size], "the beginning of a key beside others that go on")
                cursors.pop(key, None)
                continue
            seen[key] += hits.refs
            cursors.pop(key, None)
            if hits.next is None:
                asked.remove(key)
            else:
                cursors[key] = hits.next
        holds(set(fresh) <= set(keys), "a key that nobody asked for")
        if not asked:
            break
    same(seen, {key: wanted[key] for key in keys}, f"who carries which key, in pages of {size}")


@guarantee("G8", least={"pages of ledgers": 100})
async def a_ledger_is_read_from_any_number(subject: Subject) -> None:
    """Each of several ledgers goes on from a number of its own, in either direction: 0, the last, and one that there is
    not yet as well."""
    store = await subject.fresh()
    await Writer(store)(*(append(name, {"n": n}) for name, length in LENGTHS.items() for n in range(length)))
    for reverse, size in product((False, True), (1, 2, 500)):
        for after in _places():
            pages = await store.ledger(TENANT, list(LENGTHS), after=after, limit=size, reverse=reverse)
            same(set(pages), set(LENGTHS), "the ledgers that were answered for")
            for name, page in pages.items():
                whole = list(range(1, LENGTHS[name] + 1))[:: -1 if reverse else 1]
                place = after.get(name)
                left = [seq for seq in whole if place is None or (seq < place if reverse else seq > place)]
                asked = f"a ledger of {len(whole)} after {place}, {size} at a time, reverse {reverse}"
                same([one.seq for one in page.items], left[:size], asked)
                holds(len(left) <= size or page.next == str(left[size - 1]), f"the cursor of {asked}")
                subject.saw("pages of ledgers")


def _places() -> Iterator[dict[str, int]]:
    """Numbers to go on from, for none, one or several of the ledgers."""
    yield {}
    for one in (0, 1, 2, 5, 6, 7, 1000):
        yield {"log:1": one}
        for other in (0, 1, 3, 4, 50):
            yield {"log:2": other, "log:1": one}
            yield {"log:1": one, "log:2": other, "log:3": one, "log:4": other}
