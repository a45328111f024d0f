"""Stores that take names for one another, and batches too.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs

from crmcore.errors import IdempotencyMismatch, KeyConflict, PositionExpired
from crmcore.storage import (
    Batch,
    Check,
    CheckKey,
    Entry,
    Erasure,
    ErasureReport,
    FeedPage,
    Hits,
    Key,
    Page,
    Position,
    Put,
    Receipt,
    Record,
    Ref,
    Rekey,
    Sort,
)
from crmcore.testing.zoo.mutant import Mutant


class JoinsKeys(Mutant):
    """Writes namespace and value of a key one after the other."""

    caught_by = "keys_that_join_alike_are_apart"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = dict(super().find(tenant, keys, limit_per_key=limit_per_key, after=after))
        for (namespace, value), held in self._tenant(tenant)._keys.items():
            for key in keys:
                if namespace + value == "".join(key) and namespace != key.namespace:
                    found[key] = Hits((*found[key].refs, *(Ref(tenant, *at) for at in held)))
        return found


class CutsWords(Mutant):
    """Keeps 63 letters of a namespace."""

    caught_by = "keys_that_join_alike_are_apart"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = dict(super().find(tenant, keys, limit_per_key=limit_per_key, after=after))
        return {key: found[key] if len(key.namespace) < 64 else Hits(()) for key in found}


class HoldsById(Mutant):
    """Compares who holds a key by id, whatever its kind."""

    caught_by = "every_exclusive_namespace_is_one_of_its_own"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except KeyConflict:
            there = {at.id for op in batch.ops if isinstance(op, CheckKey) and (at := op.holder)}
            found = {k[1] for held in self._tenant(batch.tenant)._keys.values() for k in held}
            if not there or not there <= found:
                raise
            ops = tuple(op for op in batch.ops if not isinstance(op, CheckKey))
            return super().apply(attrs.evolve(batch, ops=ops), timeout=timeout)


class ScansByBeginning(Mutant):
    """Scans every kind that begins as the one that was asked for."""

    caught_by = "kinds_ids_and_streams_that_join_alike_are_apart"

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
        alike = [one for one in self._tenant(tenant)._ids if one.startswith(kind) and one != kind]
        more = [one for name in alike for one in super(ScansByBeginning, self).scan(tenant, name).items]
        return page if page.next or after else Page((*page.items, *more))


class OrdersByBeginning(Mutant):
    """Gives what is in an order of which the name begins alike."""

    caught_by = "orders_that_join_alike_are_apart"

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
        more: list[tuple[Sort, Ref]] = []
        for (name, part), items in self._tenant(tenant)._sorts.items():
            if name.startswith(namespace) and name != namespace and part in parts:
                more += [(Sort(name, part, value), Ref(tenant, kind, id_)) for value, id_, kind in items]
        return page if page.next or after else Page((*page.items, *more))


class JoinsTenantAndStream(Mutant):
    """Writes tenant and stream with a colon between them, which both may hold."""

    caught_by = "tenants_whose_names_are_alike_are_apart"

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        pages = dict(super().ledger(tenant, streams, after=after, limit=limit, reverse=reverse))
        for other, stream in [(name, one) for name, data in self._tenants.items() for one in data.ledgers]:
            for name in streams:
                if other != tenant and f"{other}:{stream}" == f"{tenant}:{name}":
                    pages[name] = super().ledger(other, [stream])[stream]
        return pages


class GetsOfOneTenant(Mutant):
    """Gets the records of the first tenant of a call."""

    caught_by = "tenants_whose_names_are_alike_are_apart"

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        found = super().get(refs)
        first = next(iter(refs)).tenant if refs else ""
        return {at: one for at, one in found.items() if at.tenant == first}


class DropsByBeginning(Mutant):
    """Drops every tenant whose name begins alike."""

    caught_by = "dropping_a_tenant_leaves_those_whose_names_are_alike"

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        for name in [name for name in self._tenants if name.startswith(tenant) and name != tenant]:
            super().drop_tenant(name, timeout=timeout)
        return super().drop_tenant(tenant, timeout=timeout)


class ErasesByBeginning(Mutant):
    """Erases every ledger whose name begins alike."""

    caught_by = "erasing_leaves_what_has_names_that_are_alike"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        names = self._tenant(erasure.tenant).ledgers
        more = {name for name in names for one in erasure.streams if name.startswith(one)}
        return super().erase(attrs.evolve(erasure, streams=erasure.streams | more), timeout=timeout)


class TakesRekeysForTheSame(Mutant):
    """Leaves what is rekeyed out of what makes a batch the same."""

    caught_by = "a_batch_that_differs_in_any_part_is_another"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except IdempotencyMismatch:
            known = self.outcome(batch.tenant, batch.idem)
            if known is None or not any(isinstance(op, Rekey) for op in batch.ops):
                raise
            return known


class ChecksWhatItDoesNotWrite(Mutant):
    """Overlooks a check of a record that the batch writes."""

    caught_by = "a_precondition_on_what_the_batch_writes_counts"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        written = {op.ref for op in batch.ops if isinstance(op, (Put, Rekey))}
        ops = tuple(op for op in batch.ops if not (isinstance(op, Check) and op.ref in written))
        return super().apply(attrs.evolve(batch, ops=ops), timeout=timeout)


class NeverExpires(Mutant):
    """Says that there is nothing new after a position that it does not have."""

    caught_by = "a_position_that_the_feed_does_not_reach_is_expired"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        try:
            return super().changes(tenant, after, limit)
        except PositionExpired:
            return FeedPage(items=(), next=after, watermark=after)


class TellsNothingWhenClosed(Mutant):
    """Has no erasures to tell of when it is closed."""

    caught_by = "every_part_of_a_closed_store_says_so"

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        return Page(()) if self._closed else super().erasures(tenant, after=after, limit=limit)
