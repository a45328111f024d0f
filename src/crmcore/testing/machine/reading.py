"""The questions that chance asks, with any arguments: each call of the protocol that reads.

Invariant: no answer is taken for good that the model would not give to the same question.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import Any

from crmcore.storage import Key, bulk_of, durable_of, tenants_of
from crmcore.storage.capability import ORDERED_TEXT
from crmcore.testing.kit import INSTANTS, holds, patience, same
from crmcore.testing.machine.comparing import exactly, the_change, the_entry
from crmcore.testing.machine.pages import judge_page
from crmcore.testing.machine.play import KEYS, KINDS, PARTS, SORTS, STREAMS, Play

LIMITS = (1, 1, 2, 3, 5, 1000)
NOBODY = Key("email", "of nobody")
EDGES = (0, 1, 7, 8, 2048, 4095, 4096)
SHAPES: tuple[Callable[[Any], Collection[Any]], ...] = (list, tuple, set, frozenset, dict.fromkeys)
"""Whatever holds what is asked for is as good as any other."""


async def get(play: Play, tenant: str) -> None:
    """Records of both tenants in one call, among them some that never were."""
    everybody = [one for name in play.tenants for one in play.everybody(name)]
    refs = play.some(everybody)
    found = await play.ask(lambda store: store.get(play.chance.choice(SHAPES)(refs)))
    same(set(found), {one for one in refs if one in play.model.live}, "which records are there")
    for one, there in found.items():
        exactly(play.model, one, there)


async def fanout(play: Play, tenant: str) -> None:
    keys, cap = play.some([*KEYS, NOBODY]), play.chance.choice(LIMITS)
    counts = await play.ask(lambda store: store.fanout(tenant, play.chance.choice(SHAPES)(keys), cap=cap))
    wanted = {key: min(cap, len(play.model.holder(tenant, key))) for key in keys}
    same(dict(counts), wanted, f"how many carry each key, up to {cap}")


async def find(play: Play, tenant: str) -> None:
    """Pages of several keys at once: each goes on where it stopped, some steps ago, or begins."""
    keys, limit = play.some([*KEYS, NOBODY], 1), play.chance.choice(LIMITS)
    going = {key: one for key in keys if (one := play.open.get((tenant, "find", key)))}
    after = {key: str(one.cursor) for key, one in going.items()}
    hits = await play.ask(
        lambda store: store.find(tenant, play.chance.choice(SHAPES)(keys), limit_per_key=limit, after=after)
    )
    same(set(hits), set(keys), "the keys that were answered for")
    for key in keys:
        judge_page(play, (tenant, "find", key), list(hits[key].refs), hits[key].next, limit)


async def range_(play: Play, tenant: str) -> None:
    namespaces = [INSTANTS, INSTANTS, "other"] if play.claims(ORDERED_TEXT) else [INSTANTS]
    bounds = [None, *sorted({sort.value for sort in SORTS})]
    lo, hi = play.chance.choice(bounds), play.chance.choice(bounds)
    asked = (play.chance.choice(namespaces), tuple(play.some([*PARTS, "x"], 1)), lo, hi, play.likely(0.5))
    name: Any = (tenant, "range", *asked)
    begun: Any = [one for one in play.open if one[:2] == (tenant, "range")]  # type: ignore[index]  # all are tuples
    if begun and play.likely(0.6):
        name = play.chance.choice(begun)
    namespace, parts, lo, hi, reverse = name[2:]
    after, limit = _cursor(play, name), play.chance.choice(LIMITS)
    page = await play.ask(
        lambda store: store.range(
            tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
        )
    )
    judge_page(play, name, list(page.items), page.next, limit)


async def scan(play: Play, tenant: str) -> None:
    low, high = sorted(play.chance.choices(EDGES, k=2))
    name: Any = (tenant, "scan", play.chance.choice(KINDS), (low, high) if play.likely(0.4) else None)
    begun: Any = [one for one in play.open if one[:2] == (tenant, "scan")]  # type: ignore[index]  # all are tuples
    if begun and play.likely(0.6):
        name = play.chance.choice(begun)
    kind, shards = name[2:]
    after, limit = _cursor(play, name), play.chance.choice(LIMITS)
    page = await play.ask(lambda store: store.scan(tenant, kind, shards=shards, after=after, limit=limit))
    for there in page.items:
        exactly(play.model, there.ref, there)
    judge_page(play, name, [there.ref for there in page.items], page.next, limit)


def _cursor(play: Play, name: Hashable) -> str | None:
    return play.open[name].cursor if name in play.open else None


async def ledger(play: Play, tenant: str) -> None:
    """Pages of several ledgers, each from a number of its own, in either direction."""
    streams, limit, reverse = play.some([*STREAMS, "log"], 1), play.chance.choice(LIMITS), play.likely(0.5)
    after = {name: play.chance.choice([0, 1, 2, 3, 5, 9]) for name in play.some(streams)}
    pages = await play.ask(
        lambda store: store.ledger(tenant, streams, after=dict(after), limit=limit, reverse=reverse)
    )
    same(set(pages), set(streams), "the ledgers that were answered for")
    for name, page in pages.items():
        whole = [
            the_entry(name, n, one)
            for n, one in enumerate(play.model.ledgers.get((tenant, name), []), 1)
            if name not in after or (n < after[name] if reverse else n > after[name])
        ][:: -1 if reverse else 1]
        what = f"a ledger after {after.get(name)}, {limit} at a time, reverse {reverse}"
        same([the_entry(one.stream, one.seq, one) for one in page.items], whole[:limit], what)
        holds(page.next is not None or len(whole) <= limit, f"{what}: it ended early")
        play.counts["pages read"] += 1


async def changes(play: Play, tenant: str) -> None:
    """The feed from any place that was ever given."""
    places = play.places.setdefault(tenant, [])
    position, number = play.chance.choice([("", 0), *places])
    limit = play.chance.choice(LIMITS)
    page = await play.ask(lambda store: store.changes(tenant, position, limit))
    wanted = play.model.feeds.get(tenant, [])[number : number + limit]
    same([the_change(one) for one in page.items], wanted, f"{limit} changes after the change {number}")
    if not page.items:
        same(page.next, position, "the position after an empty page")
        return
    places += [(one.position, number + n) for n, one in enumerate(page.items, 1)]
    places.append((page.next, number + len(page.items)))
    play.counts["pages read"] += 1


async def outcome(play: Play, tenant: str) -> None:
    """What became of a batch; one that never came is fenced by being asked about."""
    idem = play.chance.choice([one.idem for one in play.sent] or [play.idem()])
    if play.likely(0.1):
        idem = play.idem()
    play.tell(f"ask for the outcome of {idem} of {tenant}")
    found = await play.ask(lambda store: store.outcome(tenant, idem))
    expected = play.model.outcome(tenant, idem)
    same(found and (dict(found.versions), dict(found.seqs), found.at), expected, "the outcome")
    holds(found is None or found.replayed, "the receipt of an outcome does not say that it is of before")


async def loaded(play: Play, tenant: str) -> None:
    """What became of a chunk; asking fences nothing."""
    written = {name for name, one in play.model.known.items() if one and one.refused is not None}
    chunks = [one for one in play.chunks if (one.tenant, one.idem) in written]
    for one in chunks[-1:]:
        known = play.model.known[one.tenant, one.idem]
        if known and known.said == ("chunk", one.digest):
            found = await play.ask(lambda store: bulk_of(store).loaded(one.tenant, one.idem, one.digest))  # noqa: B023  # called at once
            same(
                found and [each.row for each in found.refused],
                sorted(known.refused or ()),
                "the rows refused",
            )
    never = await play.ask(lambda store: bulk_of(store).loaded(tenant, f"{play.idem()}-never", "one"))
    same(never, None, "a chunk that never came")


async def verify(play: Play, tenant: str) -> None:
    """A store that checks itself is sound, whatever was written."""
    found = await play.ask(lambda store: durable_of(store).verify())
    same(found.problems, (), "the problems of a sound store")


async def tenants(play: Play, tenant: str) -> None:
    """Who has something is listed, in the order of names."""
    names: list[str] = []
    cursor, limit = None, play.chance.choice(LIMITS)
    for _ in patience():
        page = await play.ask(lambda store: tenants_of(store).tenants(after=cursor, limit=limit))  # noqa: B023  # called at once
        names, cursor = [*names, *page.items], page.next
        if cursor is None:
            break
    same(names, sorted(set(names)), "the names of the tenants")
    for name in play.tenants:
        known = any(one[0] == name for one in [*play.model.known, *play.model.ledgers])
        there = any(one.tenant == name for one in play.model.live)
        holds(name in names or not there, "a tenant that has something is not listed")
        holds(known or name not in names, "a tenant that has nothing is listed")
