"""Stores that count no further than their author tried, or forget in pages what else was asked.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs

from crmcore.errors import BatchTooLarge
from crmcore.storage import (
    Batch,
    Check,
    CheckKey,
    CheckStream,
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
from crmcore.testing.zoo.mutant import Mutant, each_put


class GetsTheFirstHundred(Mutant):
    """Gives a hundred records at most, and says nothing of the others."""

    caught_by = "one_call_answers_for_as_many_as_it_may_be_asked"

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        return dict(list(super().get(refs).items())[:100])


class FindsTheFirstFiveHundred(Mutant):
    """Looks for five hundred keys of a call."""

    caught_by = "one_call_answers_for_as_many_as_it_may_be_asked"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = super().find(tenant, keys, limit_per_key=limit_per_key, after=after)
        return {key: hits if n < 500 else Hits(()) for n, (key, hits) in enumerate(found.items())}


class CountsTwoKeys(Mutant):
    """Counts for two keys of a call."""

    caught_by = "one_call_answers_for_as_many_as_it_may_be_asked"

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        counted = super().fanout(tenant, keys, cap=cap)
        return {key: number if n < 2 else 0 for n, (key, number) in enumerate(counted.items())}


class ReadsTwoHundredLedgers(Mutant):
    """Reads two hundred ledgers of a call."""

    caught_by = "one_call_answers_for_as_many_as_it_may_be_asked"

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
        return {name: page if n < 200 else Page(()) for n, (name, page) in enumerate(pages.items())}


class OrdersTwoHundredParts(Mutant):
    """Looks into two hundred parts of an order."""

    caught_by = "one_call_answers_for_as_many_as_it_may_be_asked"

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
        some = parts if isinstance(parts, str) else list(parts)[:200]
        return super().range(tenant, namespace, some, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse)


class ScansFiveHundred(Mutant):
    """Takes five hundred records for all of them."""

    caught_by = "long_answers_are_given_to_their_end"

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
        return Page(page.items[:500]) if limit > 500 else page


class CountsToAHundred(Mutant):
    """Counts to a hundred, however far it was to count."""

    caught_by = "long_answers_are_given_to_their_end"

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return {key: min(n, 100) for key, n in super().fanout(tenant, keys, cap=cap).items()}


class LongFeedLeaks(Mutant):
    """Leaves out what does not fit into four hundred changes, and goes on after it."""

    caught_by = "a_long_feed_is_given_to_its_end"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        return attrs.evolve(page, items=page.items[:400])


class WritesSixtyFour(Mutant):
    """Writes the first operations of a batch, and answers for those."""

    caught_by = "a_batch_of_many_operations_is_written_whole"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        few = batch.ops[:64] if len(batch.ops) <= 100 else batch.ops
        return super().apply(attrs.evolve(batch, ops=few), timeout=timeout)


class ChecksTheFirstTwenty(Mutant):
    """Looks at twenty preconditions of a batch."""

    caught_by = "the_last_of_many_preconditions_counts"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        late = [op for op in batch.ops if isinstance(op, (Check, CheckStream, CheckKey))][20:]
        ops = tuple(op for op in batch.ops if op not in late)
        return super().apply(attrs.evolve(batch, ops=ops), timeout=timeout)


class CutsLongTexts(Mutant):
    """Keeps the beginning of a long text, as some columns do."""

    caught_by = "what_is_at_a_limit_is_kept_and_one_more_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def cut(op: Put) -> Put:
            text = op.body.get("t") if isinstance(op.body, dict) else None
            long = isinstance(text, str) and 100_000 < len(text) <= self.describe().limits.max_body_bytes - 8
            return attrs.evolve(op, body={"t": str(text)[:100]}) if long else op

        return self.again(batch, each_put(cut), timeout)


class TakesHalfOfItsBytes(Mutant):
    """Refuses a batch that its own limit allows."""

    caught_by = "a_batch_as_large_as_it_may_be_is_kept"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        limit = self.describe().limits.max_batch_bytes
        if (got := sum(len(str(op.body)) for op in batch.ops if isinstance(op, Put))) > 0.6 * limit:
            raise BatchTooLarge("too large", limit=limit, got=got)
        return super().apply(batch, timeout=timeout)


class PagesForgetTheEnd(Mutant):
    """Ends a range with an upper bound after its first page."""

    caught_by = "a_range_with_bounds_is_read_in_pages"

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
        return page if hi is None else Page(page.items)


class GoesOnWithOneKey(Mutant):
    """Goes on with the first key that has a cursor, and begins again with the others."""

    caught_by = "several_keys_are_paged_at_once"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        one = dict(list((after or {}).items())[:1])
        return super().find(tenant, keys, limit_per_key=limit_per_key, after=one)


class OnePlaceForAllLedgers(Mutant):
    """Goes on with every ledger from the place of the first."""

    caught_by = "a_ledger_is_read_from_any_number"

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        same = after and dict.fromkeys(after, next(iter(after.values())))
        return super().ledger(tenant, streams, after=same, limit=limit, reverse=reverse)


class BackToTheStart(Mutant):
    """Takes the beginning of a ledger for no place at all."""

    caught_by = "a_ledger_is_read_from_any_number"

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        places = {name: seq for name, seq in (after or {}).items() if seq > 1 or not reverse}
        return super().ledger(tenant, streams, after=places, limit=limit, reverse=reverse)
