"""Mutants that are wrong only when many write at once.

Invariant: each is good as long as one call ends before the next begins.
"""

from __future__ import annotations

import time

import attrs

from crmcore.storage import Batch, FeedPage, Position, Put, Receipt
from crmcore.testing.zoo.mutant import Mutant, each_put


class LooksTooEarly(Mutant):
    """Finds that a record is at the version expected, and writes when it may be at another."""

    caught_by = "what_many_write_at_once_has_one_order"

    def at(self, put: Put) -> int:
        found = self.get([put.ref]).get(put.ref)
        return found.version if found else 0

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if any(self.at(op) != op.expect for op in batch.ops if isinstance(op, Put)):
            return super().apply(batch, timeout=timeout)
        time.sleep(0.002)
        return self.again(batch, each_put(lambda put: attrs.evolve(put, expect=self.at(put))), timeout)


class FeedRunsAhead(Mutant):
    """Goes on behind what was written while a page was read."""

    caught_by = "the_feed_is_whole_for_those_who_follow_it"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        if not 0 < len(page.items) < limit:
            return page
        time.sleep(0.002)
        return attrs.evolve(page, next=super().changes(tenant, after, limit).next)


class WaitsTooLong(Mutant):
    """Does not look at the clock when others hold it up."""

    caught_by = "no_batch_waits_longer_than_it_was_told"
    sent = 0

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.sent += 1
        if self.sent == 50:
            time.sleep(timeout + 1.2)
        return super().apply(batch, timeout=timeout)
