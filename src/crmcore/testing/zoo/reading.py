"""Stores that read wrongly.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from crmcore.storage import (
    Batch,
    Entry,
    FeedPage,
    Hits,
    Key,
    Page,
    Position,
    Put,
    Receipt,
    Record,
    Ref,
    Sort,
)
from crmcore.storage.cursor import Cursors
from crmcore.testing.zoo.mutant import Mutant, each_put


class FindsAcrossTenants(Mutant):
    """Looks for a key in every tenant."""

    caught_by = "no_call_sees_another_tenant"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        all_ = [super(FindsAcrossTenants, self).find(name, keys) for name in self._tenants]
        return {key: Hits(tuple(ref for hits in all_ for ref in hits[key].refs)) for key in keys}


class OffsetPaging(Mutant):
    """Goes on after so many records, not after the last one."""

    caught_by = "a_scan_gives_what_stays_exactly_once"

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        start = int(after or 0)
        rest = super().scan(tenant, kind, shards=shards, limit=1_000_000).items[start:]
        return Page(rest[:limit], str(start + limit) if len(rest) > limit else None)


class UnboundCursors(Mutant):
    """Seals cursors without saying what they are for."""

    caught_by = "a_cursor_is_good_for_one_tenant_and_one_question"

    def _secret(self) -> None:
        class Unbound(Cursors):
            def _tag(self, scope: Sequence[Any], plain: bytes) -> bytes:
                return super()._tag(scope[:1], plain)

        self._cursors = Unbound(bytes(32))


class TruncatesFind(Mutant):
    """Gives the first page of hits as if it were all."""

    caught_by = "find_never_ends_early_in_silence"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = super().find(tenant, keys, limit_per_key=limit_per_key, after=after)
        return {key: Hits(hits.refs) for key, hits in found.items()}


class InclusiveUpperBound(Mutant):
    """Takes the upper end of a range for a part of it."""

    caught_by = "range_is_half_open"

    def range(
        self,
        tenant: str,
        namespace: str,
        parts: Collection[str],
        *,
        lo: bytes | None = None,
        hi: bytes | None = None,
        after: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> Page[tuple[Sort, Ref]]:
        end = None if hi is None else hi + b"\x00"
        return super().range(
            tenant, namespace, parts, lo=lo, hi=end, after=after, limit=limit, reverse=reverse
        )


class DropsAChange(Mutant):
    """Leaves the last change of a full page for nobody."""

    caught_by = "the_feed_has_every_change_once_in_order"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        return attrs.evolve(page, items=page.items[:-1]) if len(page.items) == limit > 1 else page


class OneBasedAfter(Mutant):
    """Reads ledgers backwards with the entry that was seen last again."""

    caught_by = "ledgers_are_read_in_pages_from_either_end"

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        shifted = (
            {stream: seq + 1 for stream, seq in (after or {}).items()} if reverse and limit > 1 else after
        )
        return super().ledger(tenant, streams, after=shifted, limit=limit, reverse=reverse)


class CountsBeyondTheCap(Mutant):
    """Counts all carriers of a key."""

    caught_by = "fanout_counts_to_its_cap"

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return super().fanout(tenant, keys, cap=cap + 1)


class PartsOneAfterAnother(Mutant):
    """Reads the parts of a range one after another."""

    caught_by = "range_merges_several_parts_into_one_order"

    def range(
        self,
        tenant: str,
        namespace: str,
        parts: Collection[str],
        *,
        lo: bytes | None = None,
        hi: bytes | None = None,
        after: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> Page[tuple[Sort, Ref]]:
        page = super().range(
            tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
        )
        return attrs.evolve(page, items=tuple(sorted(page.items, key=lambda item: item[0].part)))


class KeepsOldPlaces(Mutant):
    """Shows a record where it once stood in an order."""

    caught_by = "range_gives_exactly_what_the_records_carry"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def also(op: Put) -> Put:
            there = self.get([op.ref]).get(op.ref)
            return attrs.evolve(op, sorts=op.sorts | there.sorts) if there else op

        return self.again(batch, each_put(also), timeout)


class OrdersByAlphabet(Mutant):
    """Orders texts as a dictionary does."""

    caught_by = "texts_are_ordered_by_bytes"

    def range(
        self,
        tenant: str,
        namespace: str,
        parts: Collection[str],
        *,
        lo: bytes | None = None,
        hi: bytes | None = None,
        after: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> Page[tuple[Sort, Ref]]:
        page = super().range(
            tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
        )
        return attrs.evolve(
            page, items=tuple(sorted(page.items, key=lambda item: item[0].value.lower(), reverse=reverse))
        )


class SkipsEqualValues(Mutant):
    """Goes on after the last value, not after the last item."""

    caught_by = "a_range_gives_what_stays_exactly_once"

    def range(
        self,
        tenant: str,
        namespace: str,
        parts: Collection[str],
        *,
        lo: bytes | None = None,
        hi: bytes | None = None,
        after: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> Page[tuple[Sort, Ref]]:
        start = bytes.fromhex(after) + b"\x00" if after and not reverse else lo
        end = bytes.fromhex(after) if after and reverse else hi
        page = super().range(tenant, namespace, parts, lo=start, hi=end, limit=limit, reverse=reverse)
        return Page(page.items, page.next and page.items[-1][0].value.hex())


class FindsOnePageFewer(Mutant):
    """Starts a page of hits one too late."""

    caught_by = "find_gives_what_stays_exactly_once"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = super().find(tenant, keys, limit_per_key=limit_per_key, after=after)
        return {
            key: attrs.evolve(hits, refs=hits.refs[1:] if key in (after or {}) else hits.refs)
            for key, hits in found.items()
        }


class InclusiveShards(Mutant):
    """Takes the upper end of a range of shards for a part of it."""

    caught_by = "shards_together_are_the_whole"

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        wide = shards and (shards[0], min(shards[1] + 1, 4096))
        return super().scan(tenant, kind, shards=wide, after=after, limit=limit)


class TakesNoLimit(Mutant):
    """Takes a limit of nothing for one."""

    caught_by = "a_page_is_as_large_as_asked_for"

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        return super().scan(tenant, kind, shards=shards, after=after, limit=limit or 1)


class ScansTheDeleted(Mutant):
    """Scans deleted records for a while."""

    caught_by = "what_comes_and_goes_is_scanned_as_it_is"

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        page = super().scan(tenant, kind, shards=shards, after=after, limit=limit)
        self.last = {**getattr(self, "last", {}), **{one.ref: one for one in page.items}}
        gone = [one for ref, one in self.last.items() if not self.get([ref])]
        return page if page.next else Page((*page.items, *gone))


class SortsLedgersByTime(Mutant):
    """Orders a ledger by when things happened."""

    caught_by = "entries_are_numbered_without_gaps"

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        pages = super().ledger(tenant, streams, after=after, limit=limit, reverse=reverse)
        return {
            name: Page(tuple(sorted(page.items, key=lambda one: one.occurred_at)), page.next)
            for name, page in pages.items()
        }


class LedgerSnapshot(Mutant):
    """Ends a ledger where it ended when reading began."""

    caught_by = "a_ledger_that_grows_is_read_to_its_end"

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        pages = super().ledger(tenant, streams, after=after, limit=limit, reverse=reverse)
        self.ends: dict[str, int] = getattr(self, "ends", {})
        for name in streams:
            self.ends.setdefault(name, len(super().ledger(tenant, [name], limit=9999)[name].items))
        return {
            name: Page(tuple(one for one in page.items if one.seq <= self.ends[name]), page.next)
            for name, page in pages.items()
        }


class NaiveSequenceFeed(Mutant):
    """Shows the last change but one late, to readers who had gone on by then: numbers are not commits."""

    caught_by = "nothing_appears_behind_a_reader_of_the_feed"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        late = len(page.items) > 1 and page.items[-1].position == page.watermark
        return attrs.evolve(page, items=(*page.items[:-2], page.items[-1])) if late and after else page


class InvertedFeed(Mutant):
    """Shows two commits in the order of their beginnings."""

    caught_by = "the_feed_ascends_for_every_record_and_ledger"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        return (
            attrs.evolve(page, items=(*page.items[2:], *page.items[:2]))
            if len(page.items) == limit == 4
            else page
        )


class FeedByRecord(Mutant):
    """Shows the changes of a page record by record."""

    caught_by = "the_feed_has_every_change_once_in_order"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        return attrs.evolve(page, items=tuple(sorted(page.items, key=lambda one: str(one.ref or one.stream))))


class NoWatermark(Mutant):
    """Never knows how far the feed is."""

    caught_by = "the_feed_goes_on_from_any_position"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        return attrs.evolve(super().changes(tenant, after, limit), watermark=after)
