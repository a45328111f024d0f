"""The arguments of reads and the pages that answer them, the same for every store that ships.

Invariant: a page ends at a place in a total order (kind and id of a record; value, id, kind and part of a sort; the
number of an entry or change), never at a count, so that what others write between two pages neither repeats nor
hides a record that was there all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from crmcore.errors import InvalidRecord, PositionExpired
from crmcore.storage.cursor import Cursors
from crmcore.storage.document import MAX_INT
from crmcore.storage.erasure import Erasure
from crmcore.storage.protocol import (
    Change,
    Entry,
    FeedPage,
    Hits,
    Key,
    Limits,
    Page,
    Position,
    Record,
    Ref,
    Sort,
)
from crmcore.storage.skimming import Skimmed
from crmcore.storage.validate import (
    Address,
    check_count,
    check_keys,
    check_limit,
    check_name,
    check_part,
    check_ref,
    check_shards,
    check_sort_value,
    check_word,
)

T = TypeVar("T")

Place = tuple[bytes, str, str, str]
"""Where an item of a range is: value, id, kind, part."""


class Seek(NamedTuple):
    """One key of a tenant to find, and where to go on from (None: the start)."""

    key: Key
    after: Address | None
    tenant: str

    @property
    def scope(self) -> tuple[str, ...]:
        """What its cursors are bound to."""
        return "find", self.tenant, self.key.namespace, self.key.value


def find_query(
    cursors: Cursors,
    limits: Limits,
    tenant: str,
    keys: Collection[Key],
    limit_per_key: int,
    after: Mapping[Key, str] | None,
) -> tuple[Seek, ...]:
    """The keys to find, each with the place where its cursor says to go on."""
    check_keys_of_call(limits, tenant, keys)
    check_limit(limit_per_key, "limit_per_key")
    after = after or {}
    if not set(after) <= set(keys):
        raise InvalidRecord(
            "after holds a key that is not looked for: give cursors only for keys of the same call"
        )
    seeks: list[Seek] = []
    for key in dict.fromkeys(keys):
        seek = Seek(key, None, tenant)
        if key in after:
            kind, id_ = cursors.open(seek.scope, after[key])
            seek = Seek(key, (kind, id_), tenant)
        seeks.append(seek)
    return tuple(seeks)


def check_keys_of_call(limits: Limits, tenant: str, keys: Collection[Key]) -> None:
    check_name(tenant, "a tenant")
    check_count(keys, limits, "keys")
    for _, value in check_keys(keys, limits):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidRecord("the value of a key holds a lone surrogate: repair the text first") from None


def hits(cursors: Cursors, seek: Seek, rows: Iterable[Address], limit: int) -> Hits:
    """The answer for one key; *rows* go on after the limit when there is more."""
    found = list(islice(rows, limit + 1))
    if not found:
        return _NOBODY
    refs = tuple([Ref(seek.tenant, kind, id_) for kind, id_ in found[:limit]])
    return Hits(refs, cursors.seal(seek.scope, found[limit - 1]) if len(found) > limit else None)


_NOBODY = Hits(())


class RangeQuery(NamedTuple):
    """A range that was checked. *after* is where the page before ended; *scope* is what cursors are bound to."""

    tenant: str
    namespace: str
    parts: tuple[str, ...]
    lo: bytes | None
    hi: bytes | None
    after: Place | None
    limit: int
    reverse: bool
    scope: tuple[Any, ...]


def range_query(
    cursors: Cursors,
    limits: Limits,
    tenant: str,
    namespace: str,
    parts: Collection[str],
    lo: bytes | None,
    hi: bytes | None,
    after: str | None,
    limit: int,
    reverse: bool,
) -> RangeQuery:
    """What a range asks for, with the place where its cursor says to go on."""
    check_name(tenant, "a tenant")
    check_word(namespace, "a namespace")
    if isinstance(parts, str):
        raise InvalidRecord("parts are a collection of texts: put a single one into a list")
    check_count(parts, limits, "parts")
    for part in parts:
        check_part(part)
    for bound in (lo, hi):
        if bound is not None:
            check_sort_value(bound, limits)
    check_limit(limit)
    ordered = tuple(sorted(set(parts)))
    bounds = [None if bound is None else bound.hex() for bound in (lo, hi)]
    scope = ("range", tenant, namespace, ordered, *bounds, bool(reverse))
    place: Place | None = None
    if after is not None:
        value, id_, kind, part = cursors.open(scope, after)
        place = (bytes.fromhex(value), id_, kind, part)
    return RangeQuery(tenant, namespace, ordered, lo, hi, place, limit, bool(reverse), scope)


def range_page(cursors: Cursors, query: RangeQuery, rows: Iterable[Place]) -> Page[tuple[Sort, Ref]]:
    """The page of *query*; *rows* are merged, and go on after the limit when there is more."""
    found = list(islice(rows, query.limit + 1))
    items = tuple(
        (Sort(query.namespace, part, value), Ref(query.tenant, kind, id_))
        for value, id_, kind, part in found[: query.limit]
    )
    if len(found) <= query.limit:
        return Page(items)
    value, id_, kind, part = found[query.limit - 1]
    return Page(items, cursors.seal(query.scope, (value.hex(), id_, kind, part)))


class ScanQuery(NamedTuple):
    """A scan that was checked. *shards* are half-open; *after* is the last id seen, "" before the first."""

    tenant: str
    kind: str
    shards: tuple[int, int]
    after: str
    limit: int
    scope: tuple[Any, ...]


def scan_query(
    cursors: Cursors,
    tenant: str,
    kind: str,
    shards: tuple[int, int] | None,
    after: str | None,
    limit: int,
) -> ScanQuery:
    """What a scan asks for, with the id after which its cursor says to go on."""
    check_name(tenant, "a tenant")
    check_word(kind, "a kind")
    check_limit(limit)
    bounds = check_shards(shards)
    scope = ("scan", tenant, kind, *bounds)
    place = "" if after is None else str(cursors.open(scope, after)[0])
    return ScanQuery(tenant, kind, bounds, place, limit, scope)


def scan_page(cursors: Cursors, query: ScanQuery, rows: Iterable[Record]) -> Page[Record]:
    """The page of *query*; *rows* come by id, and go on after the limit when there is more."""
    return _of_kind(cursors, query, rows, lambda record: record.ref.id)


def skim_page(cursors: Cursors, query: ScanQuery, rows: Iterable[Skimmed]) -> Page[Skimmed]:
    """The same of records without their keys."""
    return _of_kind(cursors, query, rows, itemgetter(0))


def _of_kind(cursors: Cursors, query: ScanQuery, rows: Iterable[T], id_of: Callable[[T], str]) -> Page[T]:
    found = list(islice(rows, query.limit + 1))
    if len(found) <= query.limit:
        return Page(tuple(found))
    return Page(tuple(found[: query.limit]), cursors.seal(query.scope, [id_of(found[query.limit - 1])]))


def check_get(limits: Limits, refs: Collection[Ref]) -> dict[str, list[Address]]:
    """The addresses to get, by tenant, each once."""
    check_count(refs, limits, "refs")
    wanted: dict[str, list[Address]] = {}
    for ref in dict.fromkeys(refs):
        check_name(ref.tenant, "a tenant")
        wanted.setdefault(ref.tenant, []).append(check_ref(ref))
    return wanted


def check_ledger(
    limits: Limits, tenant: str, streams: Sequence[str], after: Mapping[str, int] | None, limit: int
) -> Mapping[str, int]:
    """The numbers of the last entries seen, by stream."""
    check_name(tenant, "a tenant")
    if isinstance(streams, str):
        raise InvalidRecord("streams are a sequence of texts: put a single one into a list")
    check_count(streams, limits, "streams")
    for stream in streams:
        check_name(stream, "a stream")
    check_limit(limit)
    for seq in (after or {}).values():
        if not isinstance(seq, int) or not -MAX_INT <= seq <= MAX_INT:
            raise InvalidRecord("after holds the number of the last entry seen of each stream")
    return after or {}


def ledger_page(entries: Iterable[Entry], limit: int) -> Page[Entry]:
    """A page of a ledger; *entries* go on after the limit when there is more."""
    found = list(islice(entries, limit + 1))
    if len(found) <= limit:
        return Page(tuple(found))
    return Page(tuple(found[:limit]), str(found[limit - 1].seq))


def position(cursors: Cursors, tenant: str, number: int, generation: str = "") -> Position:
    """The sealed form of the place of a change; nothing before the first one. *generation* is that of the tenant."""
    place = (number, generation) if generation else (number,)
    return cursors.seal(("changes", tenant), place) if number else ""


class FeedPlace(NamedTuple):
    """Where a feed is gone on from: the *number* of the last change seen, 0: none, and the tenant's *generation*."""

    number: int
    generation: str

    def check(self, generation: str, head: int) -> None:
        """Refuse a place in the feed of another *generation*, or beyond *head*, the last change.

        Raises:
            PositionExpired: if it is one.
        """
        if self.number and self.generation != generation:
            raise PositionExpired(
                "this position is of a tenant that was dropped or restored since: read everything again with scan"
            )
        check_reached(self.number, head)


def feed_place(cursors: Cursors, tenant: str, after: Position, limit: int) -> FeedPlace:
    """Where a feed is to be gone on from."""
    check_name(tenant, "a tenant")
    check_limit(limit)
    place = cursors.open(("changes", tenant), after) if after != "" else [0]
    return FeedPlace(int(place[0]), str(place[1]) if len(place) > 1 else "")


def feed_query(cursors: Cursors, tenant: str, after: Position, limit: int) -> int:
    """The number of the last change seen; 0: none. For a store that never takes a tenant away."""
    return feed_place(cursors, tenant, after, limit).number


def check_reached(after: int, head: int) -> None:
    """Refuse a number that the feed, whose last change is *head*, has not come to."""
    if after > head:
        raise PositionExpired(
            "this position lies after the end of the feed, so the store was set back (restored from a backup?): "
            "read everything again with scan"
        )


def feed_page(
    cursors: Cursors, tenant: str, items: tuple[Change, ...], after: Position, head: int, generation: str = ""
) -> FeedPage:
    """A page of the feed, whose last change is *head*, for who asked what comes *after* a position."""
    watermark = position(cursors, tenant, head, generation)
    return FeedPage(items=items, next=items[-1].position if items else after, watermark=watermark)


def check_fanout(limits: Limits, tenant: str, keys: Collection[Key], cap: int) -> None:
    """Refuse what cannot be counted."""
    check_keys_of_call(limits, tenant, keys)
    check_limit(cap, "a cap")


def erasures_query(
    cursors: Cursors, tenant: str, after: str | None, limit: int, first: tuple[int, ...] = (0,)
) -> tuple[int, ...]:
    """The place of the last erasure seen; *first* before the first."""
    check_name(tenant, "a tenant")
    check_limit(limit)
    return first if after is None else tuple(cursors.open(("erasures", tenant), after))


def erasures_page(
    cursors: Cursors, tenant: str, placed: Sequence[tuple[tuple[int, ...], Erasure]], limit: int
) -> Page[Erasure]:
    """A page of erasures, each with its place, one more than *limit* if there are more."""
    items = tuple(erasure for _, erasure in placed[:limit])
    if len(placed) <= limit:
        return Page(items)
    return Page(items, cursors.seal(("erasures", tenant), placed[limit - 1][0]))


def tenants_query(cursors: Cursors, after: str | None, limit: int) -> str:
    """The name of the last tenant seen; empty before the first."""
    check_limit(limit)
    return "" if after is None else str(cursors.open(("tenants",), after)[0])


def tenants_page(cursors: Cursors, names: Sequence[str], limit: int) -> Page[str]:
    if len(names) <= limit:
        return Page(tuple(names))
    return Page(tuple(names[:limit]), cursors.seal(("tenants",), [names[limit - 1]]))
