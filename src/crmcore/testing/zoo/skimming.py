"""Stores that skim wrongly.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmcore.storage.document import write
from crmcore.storage.protocol import Page
from crmcore.storage.skimming import Beginning, Skimmed
from crmcore.testing.toy import Toy
from crmcore.testing.zoo.mutant import Mutant


class Skimming(Toy):
    """A good store with the calls that give bodies alone."""

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        page = self.scan(tenant, kind, after=after, limit=limit)
        return Page(tuple((one.ref.id, one.schema, write(one.body)) for one in page.items), page.next)

    def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        return {
            name: None if page.next else [(one.schema, write(one.body)) for one in page.items]
            for name, page in self.ledger(tenant, streams, limit=limit).items()
        }


class SkimsPastTheEnd(Skimming, Mutant):
    """Says of the last page that there is more."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        page = super().skim(tenant, kind, after=after, limit=limit)
        return Page(page.items, page.next or "more")


class SkimsEverybody(Skimming, Mutant):
    """Gives the records of all tenants."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        found = super().skim(tenant, kind, after=after, limit=limit)
        return found if found.items or not self._tenants else super().skim(next(iter(self._tenants)), kind)


class SkimsWithoutSchemas(Skimming, Mutant):
    """Gives every body as one of the first schema."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        page = super().skim(tenant, kind, after=after, limit=limit)
        return Page(tuple((id, 1, text) for id, _, text in page.items), page.next)


class SkimsTheBeginning(Skimming, Mutant):
    """Of a longer ledger it gives the beginning as if that were all."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        pages = self.ledger(tenant, streams, limit=limit)
        return {name: [(one.schema, write(one.body)) for one in page.items] for name, page in pages.items()}


class SkimsTooFew(Skimming, Mutant):
    """Takes a ledger that is just as long as asked for to be longer."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        found = super().skim_ledgers(tenant, streams, limit=limit)
        return {name: told if told is None or len(told) < limit else None for name, told in found.items()}


class SkimsUnchecked(Skimming, Mutant):
    """Takes a text for a list of ledgers."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        return super().skim_ledgers(tenant, list(streams), limit=limit)
