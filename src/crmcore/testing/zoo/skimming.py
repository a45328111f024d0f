"""Stores that skim wrongly.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json import loads
from operator import itemgetter
from unicodedata import normalize

from crmcore.storage import Batch, Put, Receipt
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
            name: None if page.next else tuple((one.schema, write(one.body)) for one in page.items)
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


class SkimsStalePages(Skimming, Mutant):
    """Keeps the pages that it has once given."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        kept = self.__dict__.setdefault("pages", {})
        if (tenant, kind, after, limit) not in kept:
            kept[tenant, kind, after, limit] = super().skim(tenant, kind, after=after, limit=limit)
        page: Page[Skimmed] = kept[tenant, kind, after, limit]
        return page


class SkimsFirstBodies(Skimming, Mutant):
    """Gives of a record that was changed the body that it was first put with."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        kept = self.__dict__.setdefault("bodies", {})
        for op in batch.ops:
            if isinstance(op, Put):
                kept.setdefault(op.ref.id, write(op.body))
        return super().apply(batch, timeout=timeout)

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        page = super().skim(tenant, kind, after=after, limit=limit)
        bodies = self.__dict__["bodies"]
        return Page(tuple((id, schema, bodies[id]) for id, schema, _ in page.items), page.next)


class SkimsComposed(Skimming, Mutant):
    """Gives texts in another form of Unicode than they came in."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        page = super().skim(tenant, kind, after=after, limit=limit)
        return Page(tuple((id, schema, normalize("NFC", text)) for id, schema, text in page.items), page.next)


class SkimsDoubles(Skimming, Mutant):
    """Gives whole numbers as floating ones."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        page = super().skim(tenant, kind, after=after, limit=limit)
        read = ((id, schema, loads(text, parse_int=float)) for id, schema, text in page.items)
        return Page(tuple((id, schema, write(body)) for id, schema, body in read), page.next)


class _SkimsLedgers(Skimming):
    """What those are made from that change what they give of the ledgers that are no longer than asked for."""

    def changed(self, number: int, name: str, told: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return told

    def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        found = enumerate(super().skim_ledgers(tenant, streams, limit=limit).items())
        return {
            name: None if told is None else self.changed(number, name, told) for number, (name, told) in found
        }


class SkimsLedgersOfEverybody(_SkimsLedgers, Mutant):
    """Gives the ledger of another tenant where this one has none."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def changed(self, number: int, name: str, told: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        everybody = (Skimming.skim_ledgers(self, tenant, [name])[name] for tenant in self._tenants)
        return told or next(filter(None, everybody), told)


class SkimsByText(_SkimsLedgers, Mutant):
    """Gives entries in the order of their texts."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def changed(self, number: int, name: str, told: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return sorted(told, key=itemgetter(1))


class SkimsAHundred(_SkimsLedgers, Mutant):
    """Gives nothing of the ledgers after the hundredth."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def changed(self, number: int, name: str, told: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return told if number < 100 else ()


class SkimsWhatWasErased(_SkimsLedgers, Mutant):
    """Gives entries as they were before they were erased."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def changed(self, number: int, name: str, told: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        kept = self.__dict__.setdefault("entries", {})
        return [kept.setdefault((name, place), one) for place, one in enumerate(told)]


class SkimsOneSchema(_SkimsLedgers, Mutant):
    """Gives every entry of a ledger as one of the schema of the first."""

    caught_by = "what_is_skimmed_is_what_is_read"

    def changed(self, number: int, name: str, told: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return [(told[0][0], text) for _, text in told]
