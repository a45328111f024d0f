"""Stores that erase badly.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

import attrs

from crmcore.errors import (
    Fenced,
)
from crmcore.storage import (
    Batch,
    Erasure,
    ErasureReport,
    FeedPage,
    Page,
    Position,
    Put,
    Receipt,
    Residual,
)
from crmcore.storage.memory_tenant import TenantData
from crmcore.testing.zoo.mutant import Mutant


class EraseKeepsTheIndex(Mutant):
    """Finds the erased by their keys."""

    caught_by = "no_call_shows_what_was_erased"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        keys = [
            (pair, list(held))
            for pair, held in self._tenant(erasure.tenant)._keys.items()
            if pair[0] == "email"
        ]
        report = super().erase(erasure, timeout=timeout)
        self._tenant(erasure.tenant)._keys.update(keys)
        return report


class EraseKeepsReasons(Mutant):
    """Leaves the reasons of what was erased in the feed."""

    caught_by = "no_call_shows_what_was_erased"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        self.why = {
            **{one.position: one.reason for one in page.items if one.reason},
            **getattr(self, "why", {}),
        }
        return attrs.evolve(
            page, items=tuple(attrs.evolve(one, reason=self.why.get(one.position)) for one in page.items)
        )

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        self.changes(erasure.tenant)
        return super().erase(erasure, timeout=timeout)


class EraseKeepsSubjects(Mutant):
    """Leaves the erased among the subjects of a shared entry."""

    caught_by = "an_erased_entry_leaves_a_tombstone"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        data = self._tenant(erasure.tenant)
        before = [one.subjects for one in data.ledgers["log:1"]]
        report = super().erase(erasure, timeout=timeout)
        data.ledgers["log:1"] = [
            one._replace(subjects=who) for one, who in zip(data.ledgers["log:1"], before, strict=True)
        ]
        return report


class EraseInSilence(Mutant):
    """Does not tell the feed what was erased."""

    caught_by = "an_erasure_is_in_the_feed_and_in_its_list"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        return attrs.evolve(page, items=tuple(one for one in page.items if one.op != "erase"))


class ForgetsErasures(Mutant):
    """Keeps no list of what was erased."""

    caught_by = "an_erasure_is_in_the_feed_and_in_its_list"

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        return Page(())


class EraseForgetsToFence(Mutant):
    """Takes the batch of what was erased for a new one."""

    caught_by = "what_was_erased_never_comes_back"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except Fenced:
            return super().apply(attrs.evolve(batch, idem=f"{batch.idem}-new", ops=()), timeout=timeout)


class EraseCountsTwice(Mutant):
    """Answers an erasure that is sent again as if nothing had been there."""

    caught_by = "an_erasure_sent_again_is_answered_as_before"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        report = super().erase(erasure, timeout=timeout)
        return attrs.evolve(report, records=0, entries=0) if report.replayed else report


class ErasesTooMuch(Mutant):
    """Erases every entry of a ledger in which the erased is named."""

    caught_by = "an_erasure_touches_nobody_else"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        more = attrs.evolve(erasure, streams=erasure.streams | {"log:1"})
        return super().erase(more if erasure.subjects else erasure, timeout=timeout)


class ErasesNoSingleEntry(Mutant):
    """Overlooks entries that are named one by one."""

    caught_by = "a_single_entry_is_erased"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        return super().erase(attrs.evolve(erasure, entries=frozenset()), timeout=timeout)


class ErasesWhatItCan(Mutant):
    """Leaves out of an erasure what is of another tenant."""

    caught_by = "an_erasure_that_cannot_be_is_refused"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        own = frozenset(ref for ref in erasure.refs if ref.tenant == erasure.tenant)
        return super().erase(attrs.evolve(erasure, refs=own), timeout=timeout)


class KeepsALog(Mutant):
    """Keeps a log of what it wrote, and says nothing of it."""

    caught_by = "no_byte_of_the_erased_is_left_but_where_the_report_says"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        with self.file.with_name("rows.log").open("a", encoding="utf-16") as log:
            log.write(repr([op.body for op in batch.ops if isinstance(op, Put)]))
        return super().apply(batch, timeout=timeout)


class EraseLies(Mutant):
    """Says that something remains in its log, and leaves it elsewhere."""

    caught_by = "no_byte_of_the_erased_is_left_but_where_the_report_says"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        left = Residual(place="write_ahead_log", what="old pages", remedy="wait")
        old = [erasure.idem, *(str(one.body) for one in self.get(erasure.refs).values())]
        self.file.with_name("free.dat").write_text(str(old))
        return attrs.evolve(super().erase(erasure, timeout=timeout), residual=(left,))


class DropsInTheIndexAlone(Mutant):
    """Leaves a file of the tenant that it dropped."""

    caught_by = "no_byte_of_a_dropped_tenant_is_left_but_where_the_report_says"

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        self.file.with_name("dropped.txt").write_text(tenant)
        return super().drop_tenant(tenant, timeout=timeout)


class DropKeepsReceipts(Mutant):
    """Knows the batches of a tenant that it dropped."""

    caught_by = "a_dropped_tenant_has_nothing_and_others_all"

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        known = dict(self._tenant(tenant).batches)
        report = super().drop_tenant(tenant, timeout=timeout)
        if known:
            self.outcome(tenant, "dropped")
            self._tenant(tenant).batches.update(known)
        return report


class DropGoesOnCounting(Mutant):
    """Takes a position of a tenant that it dropped for one of the new tenant of this name."""

    caught_by = "who_follows_a_dropped_tenant_is_told_so"

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        generation = self._tenant(tenant).generation
        report = super().drop_tenant(tenant, timeout=timeout)
        self._tenants[tenant] = TenantData(tenant, generation=generation)
        return report


class ListsTenantsByAlphabet(Mutant):
    """Lists tenants as a dictionary does."""

    caught_by = "tenants_are_listed_in_the_order_of_their_names"

    def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        page = super().tenants(after=after, limit=limit)
        return Page(tuple(sorted(page.items, key=str.casefold)), page.next)


class EndsWithAFullPage(Mutant):
    """Takes a page of erasures that is full for the last one."""

    caught_by = "an_erasure_is_in_the_feed_and_in_its_list"

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        page = super().erasures(tenant, after=after, limit=limit)
        return Page(page.items) if len(page.items) == limit > 1 else page
