"""G7: a cursor is good for one tenant and one question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from crmcore.errors import (
    InvalidRecord,
)
from crmcore.storage import (
    AsyncStore,
    Key,
    claims,
)
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    Subject,
    Writer,
    due,
    guarantee,
    holds,
    put,
    ref,
    refused,
)


@guarantee("G7")
async def a_cursor_is_good_for_one_tenant_and_one_question(subject: Subject) -> None:
    """A cursor that was forged, altered, or given by another tenant, call or question is refused."""
    store = await subject.fresh()
    for tenant in ("acme", "other"):
        await Writer(store, tenant)(*(put(ref(n, tenant=tenant), 0, {}, [ANN], [due(1)]) for n in range(3)))
    ask = _questions(store)
    cursors = {name: await _first_cursor(call) for name, call in ask.items()}
    for name, call in ask.items():
        await call(cursors[name])
        wrong = [cursor for other, cursor in cursors.items() if other != name]
        good = cursors[name]
        flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
        wrong += [
            "x",
            "0",
            good[:-1],
            good + "A",
            good[1:],
            flipped,
            "é",
            good + "=",
            "\x00",
            good.swapcase(),
        ]
        for cursor in wrong:
            await refused(InvalidRecord, call(cursor))


Question = Callable[[str | None], Awaitable[str | None]]


def _questions(store: AsyncStore) -> dict[str, Question]:
    """Calls that take a cursor and give the next one, each to be kept apart from all others."""

    def find(tenant: str, key: Key) -> Question:
        async def ask(cursor: str | None) -> str | None:
            after = {} if cursor is None else {key: cursor}
            return (await store.find(tenant, [key], limit_per_key=1, after=after))[key].next

        return ask

    def range_(tenant: str, parts: list[str], lo: bytes | None = None, *, reverse: bool = False) -> Question:
        async def ask(cursor: str | None) -> str | None:
            page = await store.range(tenant, "due", parts, lo=lo, after=cursor, limit=1, reverse=reverse)
            return page.next

        return ask

    def scan(tenant: str, shards: tuple[int, int] | None = None) -> Question:
        async def ask(cursor: str | None) -> str | None:
            return (await store.scan(tenant, "party", shards=shards, after=cursor, limit=1)).next

        return ask

    def changes(tenant: str) -> Question:
        async def ask(cursor: str | None) -> str | None:
            return (await store.changes(tenant, cursor or "", 1)).next

        return ask

    asked = {
        "find": find("acme", ANN),
        "find, other tenant": find("other", ANN),
        "range": range_("acme", [""]),
        "range, other tenant": range_("other", [""]),
        "range, more parts": range_("acme", ["", "x"]),
        "range, other bounds": range_("acme", [""], b""),
        "range, reversed": range_("acme", [""], reverse=True),
        "scan": scan("acme"),
        "scan, other tenant": scan("other"),
        "scan, some shards": scan("acme", (0, 7)),
    }
    if claims(store.describe(), CHANGES):
        asked |= {"changes": changes("acme"), "changes, other tenant": changes("other")}
    return asked


async def _first_cursor(ask: Question) -> str:
    cursor = await ask(None)
    holds(cursor, "a first page of one gives no cursor, though there are three")
    return str(cursor)
