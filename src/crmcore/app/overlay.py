"""Pages of a store with writes laid over them that it does not have yet.

Invariant: whoever reads such pages to their end sees every place once, as if the writes had been committed. A write is
shown on the page in whose stretch of the order it lies, so a page can be longer than was asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import attrs

from crmcore.storage.protocol import Page, Record, Ref, Sort

Item = tuple[Sort, Ref]
Place = tuple[bytes, str, str, str]


@attrs.frozen(kw_only=True)
class Stretch:
    """What a range asks for, and the place of the last item of the page before (None: this is the first page)."""

    namespace: str
    parts: Collection[str]
    lo: bytes | None
    hi: bytes | None
    reverse: bool
    start: Place | None

    def holds(self, sort: Sort) -> bool:
        """Whether *sort* is one of those asked for."""
        return (
            sort.namespace == self.namespace
            and sort.part in self.parts
            and (self.lo is None or self.lo <= sort.value)
            and (self.hi is None or sort.value < self.hi)
        )

    def lay(self, page: Page[Item], own: Iterable[Item], hidden: Collection[Ref]) -> Page[Item]:
        """*page* with *own* items, and without what the store has of the records *hidden*."""
        end = place(page.items[-1]) if page.next is not None else None
        fresh = [
            item
            for item in own
            if (self.start is None or self._before(self.start, place(item)))
            and (end is None or not self._before(end, place(item)))
        ]
        kept = [item for item in page.items if item[1] not in hidden]
        return Page(tuple(sorted(kept + fresh, key=place, reverse=self.reverse)), page.next)

    def _before(self, one: Place, other: Place) -> bool:
        return one > other if self.reverse else one < other


def place(item: Item) -> Place:
    """Where an item stands in the order of a range."""
    sort, ref = item
    return (sort.value, ref.id, ref.kind, sort.part)


def lay_records(page: Page[Record], own: Iterable[Record], hidden: Collection[Ref]) -> Page[Record]:
    """A page of a scan with what is written: a changed record in its place, new ones after the last page."""
    changed = {record.ref: record for record in own}
    kept = [changed.pop(record.ref, record) for record in page.items if record.ref not in hidden]
    if page.next is None:
        kept += [record for record in changed.values() if record.version == 1]
    return Page(tuple(kept), page.next)
