"""What is looked up before a write, under its locks.

Invariant: whoever looks here holds the locks on what is looked for, so that what is found stays true until the commit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from crmcore.storage.document import decode
from crmcore.storage.erasing import erased_idem
from crmcore.storage.plan import Current, Event
from crmcore.storage.postgres_driver import Asked
from crmcore.storage.postgres_exchange import Row
from crmcore.storage.postgres_read import HEAD, head_of
from crmcore.storage.postgres_rows import Place, carried_by, key_mark, unpacked
from crmcore.storage.postgres_transaction import Transaction
from crmcore.storage.validate import Address, KeyPair

_TENANT = "(SELECT no FROM {tenant} WHERE name = $1)"


class Tenant(NamedTuple):
    """A tenant in the eyes of who writes. *era* is that of all rows written now."""

    number: int
    pepper: bytes
    era: int


class Applied(NamedTuple):
    """What is kept of a batch; *digest* is None when `outcome` said that it was not applied.

    *idle* is where the feed was when a batch without changes came. *rows* and *refused* are of a chunk.
    """

    era: int
    tx: int
    no: int
    digest: bytes | None
    at: int
    last: int
    idle: str | None
    rows: int | None
    refused: str | None
    erasure: str | None

    @property
    def place(self) -> Place:
        """The place of its last change."""
        if self.idle is not None:
            era, tx, n = decode(self.idle)
            return era, tx, n
        return self.era, self.tx, self.last


_WHO = (
    "SELECT t.no, t.pepper, convert_from(m.value, 'UTF8')::bigint FROM {meta} AS m "
    "LEFT JOIN {tenant} AS t ON t.name = $1 WHERE m.name = 'era'"
)
_APPLIED = (
    "SELECT era, tx::text, no, digest, at, last, idle, rows, refused, erasure FROM {batch} "
    f"WHERE tenant = {_TENANT} AND idem = $2"
)
_EVENTS = (
    "SELECT f.changes FROM {batch} AS b JOIN {feed} AS f "
    "ON f.tenant = b.tenant AND f.era = b.era AND f.tx = b.tx AND f.no = b.no "
    f"WHERE b.tenant = {_TENANT} AND b.idem = $2 ORDER BY f.n"
)
_CURRENT = (
    "SELECT r.kind, r.id, r.version, r.body IS NOT NULL, r.carries "
    "FROM unnest($2::text[], $3::uuid[]) AS asked (kind, id) "
    f"JOIN {{record}} AS r ON r.tenant = {_TENANT} AND r.kind = asked.kind AND r.id = asked.id"
)
_LENGTHS = (
    "SELECT asked.stream, last.seq FROM unnest($2::text[]) AS asked (stream) CROSS JOIN LATERAL ("
    f"SELECT seq FROM {{ledger}} AS ledger WHERE tenant = {_TENANT} AND ledger.stream = asked.stream "
    "ORDER BY ledger.seq DESC LIMIT 1) AS last"
)
_HOLDERS = (
    "SELECT asked.o, c.kind, c.id FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (h, o) "
    f"JOIN {{claim}} AS c ON c.tenant = {_TENANT} AND c.h = asked.h"
)
_NEW_TENANT = "INSERT INTO {tenant} (name) VALUES ($1) ON CONFLICT (name) DO NOTHING"


def who(tenant: str) -> Asked:
    return _WHO, [tenant]


def applied(tenant: str, idem: str) -> Asked:
    return _APPLIED, [tenant, idem]


def applied_of(rows: Sequence[Row]) -> Applied | None:
    """The answer to `applied`."""
    if not rows:
        return None
    era, tx, *rest = rows[0]
    return Applied(era, int(tx), *rest)


async def known(
    transaction: Transaction, tenant: str, idem: str, rows_who: Sequence[Row], rows_applied: Sequence[Row]
) -> tuple[str, Applied] | None:
    """The batch *idem* and the text under which it is kept, also when what it wrote was erased."""
    found = applied_of(rows_applied)
    if found is not None:
        return idem, found
    pepper = rows_who[0][1]
    if not pepper:
        return None
    form = erased_idem(idem, pepper)
    found = applied_of(await transaction.ask(*_flat(applied(tenant, form))))
    return None if found is None else (form, found)


def _flat(asked: Asked) -> tuple[Any, ...]:
    return asked[0], *asked[1]


async def events_of(transaction: Transaction, tenant: str, kept_as: str) -> tuple[Event, ...]:
    """The changes of a batch, by the text under which it is kept."""
    rows = await transaction.ask(_EVENTS, tenant, kept_as)
    return tuple([event for (text,) in rows for event in unpacked(text)])


async def tenant_for_writing(transaction: Transaction, tenant: str, rows: Sequence[Row]) -> Tenant:
    """The tenant, by the answer to `who`; made now if there was none."""
    if rows[0][0] is None:
        await transaction.ask(_NEW_TENANT, tenant)
        rows = await transaction.ask(*_flat(who(tenant)))
    return Tenant(*rows[0])


class LookedUp(NamedTuple):
    current: Mapping[Address, Current]
    lengths: Mapping[str, int]
    holders: Mapping[KeyPair, Address]


class Search:
    """What to look up for a batch: statements first, then what their answers mean."""

    def __init__(
        self,
        secret: bytes,
        tenant: str,
        addresses: Collection[Address],
        streams: Collection[str],
        claims: Collection[KeyPair],
    ) -> None:
        self._claims = list(claims)
        asked: list[tuple[str, Asked]] = []
        if addresses:
            kinds, ids = [kind for kind, _ in addresses], [id_ for _, id_ in addresses]
            asked.append(("records", (_CURRENT, [tenant, kinds, ids])))
        if streams:
            asked.append(("streams", (_LENGTHS, [tenant, list(streams)])))
        if claims:
            marks = [key_mark(secret, *pair) for pair in self._claims]
            asked.append(("claims", (_HOLDERS, [tenant, marks])))
        self._names = [name for name, _ in asked]
        self.asked = [one for _, one in asked]

    def found(self, answers: Sequence[Sequence[Row]]) -> LookedUp:
        by_name = dict(zip(self._names, answers, strict=True))
        return LookedUp(
            {
                (kind, id_): Current(version, live, *carried_by(carries))
                for kind, id_, version, live, carries in by_name.get("records", ())
            },
            dict(by_name.get("streams", ())),
            {self._claims[o - 1]: (kind, id_) for o, kind, id_ in by_name.get("claims", ())},
        )


async def head(transaction: Transaction, tenant: str) -> Place:
    """Where the feed is now, for who reads it."""
    return head_of(await transaction.ask(HEAD, tenant))
