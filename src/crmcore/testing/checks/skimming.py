"""G10, of the optional calls that read bodies alone: they give what the plain ones do."""

from __future__ import annotations

from crmcore.errors import InvalidRecord
from crmcore.storage.kept import body_of
from crmcore.storage.lift import skim_of
from crmcore.testing.kit import (
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

_LIMITS = (1, 2, 3, 6, 500)


@guarantee("G10")
async def what_is_skimmed_is_what_is_read(subject: Subject) -> None:
    """A store that has skim and skim_ledgers gives by them the bodies that scan and ledger give, in the same pages, and
    tells of a ledger that is longer than asked for that it is. One that has not those calls owes nothing here."""
    store = await subject.fresh()
    skim = skim_of(store)
    if skim is None:
        return
    write = Writer(store)
    bodies = [{"n": number, "text": 'é " \\ \u2028'} for number in range(7)]
    await write(*(put(ref(number), body=body, schema=number + 1) for number, body in enumerate(bodies)))
    await write(
        put(ref(20, kind="other")), *(append("one", {"n": number}) for number in range(3)), idem="more"
    )
    await write(delete(ref(3), 1), idem="gone")
    for limit in _LIMITS:
        after: str | None = None
        for _ in patience():
            page = await store.scan(TENANT, "party", after=after, limit=limit)
            short = await skim.skim(TENANT, "party", after=after, limit=limit)
            read = [(one.ref.id, one.schema, dict(one.body)) for one in page.items]
            same([(id, schema, body_of(text)) for id, schema, text in short.items], read, "what was skimmed")
            same(short.next is None, page.next is None, "whether there is more")
            after = short.next
            if after is None:
                break
        entries = (await store.ledger(TENANT, ["one"], limit=limit))["one"]
        begun = await skim.skim_ledgers(TENANT, ["one", "none", "one"], limit=limit)
        told = begun["one"]
        same(told is None, entries.next is not None, f"whether more than {limit} are told of as more")
        if told is not None:
            whole = [(one.schema, dict(one.body)) for one in entries.items]
            same([(schema, body_of(text)) for schema, text in told], whole, "the entries that were skimmed")
        same(begun["none"], [], "a ledger of nothing")
    await refused(InvalidRecord, skim.skim(TENANT, "party", limit=0))
    await refused(InvalidRecord, skim.skim(TENANT, "party", after="no cursor"))
    await refused(InvalidRecord, skim.skim_ledgers(TENANT, "one"))
    same((await skim.skim("other", "party")).items, (), "what another tenant has")
