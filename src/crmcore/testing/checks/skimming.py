"""G10, of the optional calls that read bodies alone: they give what the plain ones do."""

from __future__ import annotations

import attrs

from crmcore.errors import InvalidRecord
from crmcore.storage import Append, AsyncStore, Erasure, claims, eraser_of
from crmcore.storage.capability import ERASER
from crmcore.storage.document import MAX_INT
from crmcore.storage.document import write as text_of
from crmcore.storage.kept import body_of
from crmcore.storage.lift import skim_of
from crmcore.storage.skimming import AsyncSkim
from crmcore.testing.kit import (
    NOW,
    TENANT,
    Subject,
    Writer,
    append,
    delete,
    guarantee,
    patience,
    put,
    ref,
    refused,
    same,
)
from crmcore.values.source import SYSTEM

_LIMITS = (1, 2, 3, 6, 500)
_ODD = {"text": 'e\u0301 \u00e9 " \\ \u2028', "most": MAX_INT, "least": -MAX_INT, "no": None, "yes": True}
_MANY = 150
"""More ledgers than a store may be expected to ask for in one go."""


@guarantee("G10")
async def what_is_skimmed_is_what_is_read(subject: Subject) -> None:
    """A store that has skim and skim_ledgers gives by them the bodies that scan and ledger give, in the same pages,
    whatever was changed or erased before, and tells of a ledger that is longer than asked for that it is. One that has
    not those calls owes nothing here."""
    store = await subject.fresh()
    skim = skim_of(store)
    if skim is None:
        return
    write = Writer(store)
    await write(*(put(ref(number), body={"n": number, **_ODD}, schema=number + 1) for number in range(7)))
    await write(put(ref(20, kind="other")), *(_entry(number) for number in (7, 30, 5)), append("last"))
    await _same(store, skim)
    await write(put(ref(0), 1, {"n": "changed"}), put(ref(9)), delete(ref(3), 1), _entry(12))
    await _same(store, skim)
    if claims(store.describe(), ERASER):
        gone = Erasure(
            tenant=TENANT,
            refs=frozenset({ref(1)}),
            entries=frozenset({("one", 2)}),
            idem="gone",
            actor=SYSTEM,
            at=NOW,
        )
        await eraser_of(store).erase(gone)
        await _same(store, skim)
    await refused(InvalidRecord, skim.skim(TENANT, "party", limit=0))
    await refused(InvalidRecord, skim.skim(TENANT, "party", after="no cursor"))
    await refused(InvalidRecord, skim.skim_ledgers(TENANT, "one"))
    same((await skim.skim("other", "party")).items, (), "what another tenant has")
    same(list((await skim.skim_ledgers("other", ["one"]))["one"] or ()), [], "the ledger of another tenant")


def _entry(number: int) -> Append:
    """An entry of one ledger, each with a schema of its own."""
    one = append("one", {"n": number, **_ODD})
    return attrs.evolve(one, entry=attrs.evolve(one.entry, schema=f"note/{number}"))


async def _same(store: AsyncStore, skim: AsyncSkim) -> None:
    """Skim what there is, in pages of every size, and compare it with what is read."""
    for limit in _LIMITS:
        after: str | None = None
        for _ in patience():
            page = await store.scan(TENANT, "party", after=after, limit=limit)
            short = await skim.skim(TENANT, "party", after=after, limit=limit)
            read = [(one.ref.id, one.schema, text_of(one.body)) for one in page.items]
            told = [(id, schema, text_of(body_of(text))) for id, schema, text in short.items]
            same(told, read, "what was skimmed")
            same(short.next is None, page.next is None, "whether there is more")
            after = short.next
            if after is None:
                break
        await _same_ledgers(store, skim, ["one", "none", "one", "last"], limit)
    many = [f"none:{number}" for number in range(min(_MANY, store.describe().limits.max_refs) - 1)]
    await _same_ledgers(store, skim, [*many, "last"], 1)


async def _same_ledgers(store: AsyncStore, skim: AsyncSkim, names: list[str], limit: int) -> None:
    pages = await store.ledger(TENANT, names, limit=limit)
    begun = await skim.skim_ledgers(TENANT, names, limit=limit)
    same(set(begun), set(names), "the ledgers that were skimmed")
    for name, entries in pages.items():
        told = begun[name]
        same(told is None, entries.next is not None, f"whether more than {limit} are told of as more")
        if told is not None:
            whole = [(one.schema, text_of(one.body)) for one in entries.items]
            texts = [(schema, text_of(body_of(text))) for schema, text in told]
            same(texts, whole, "the entries that were skimmed")
