"""Whether the tables keep what they promise.

Invariant: nothing is changed, one moment is looked at, and what is told is codes and numbers, never a value. Every row
is read, which damaged pages do not survive; checksums and the server's own tools say more about its files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crmcore.errors import Corrupt, StoreError
from crmcore.storage.document import decode
from crmcore.storage.postgres_driver import Link
from crmcore.storage.postgres_exchange import Row
from crmcore.storage.postgres_export import BEGIN, UNHURRIED, through
from crmcore.storage.postgres_rows import carried_by, key_mark, part_mark, unpacked
from crmcore.storage.restoring import check_change
from crmcore.storage.upkeep import Integrity, Problem

# Without bodies, since some hundred rows are read at once; what is looked up of them goes the same way.
_RECORDS = "DECLARE rows NO SCROLL CURSOR FOR SELECT tenant, kind, id, carries FROM {record} WHERE carries <> '[[],[]]'"
_FETCH = "FETCH 250 FROM rows"
_AT_A_TIME = 500

# For each table of what records carry: the types of its columns, and how the rows that are there are counted.
_FOUND = {
    "key": "SELECT count(*) FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::uuid[]) AS a (tenant, h, kind, id) "
    "JOIN {key} AS k USING (tenant, h, kind, id)",
    "claim": "SELECT count(*) FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::uuid[]) "
    "AS a (tenant, h, kind, id) JOIN {claim} AS c USING (tenant, h, kind, id)",
    "sort": "SELECT count(*) FROM unnest($1::integer[], $2::uuid[], $3::bytea[], $4::uuid[], $5::text[]) "
    "AS a (tenant, h, value, id, kind) JOIN {sort} AS s USING (tenant, h, value, id, kind)",
}
_TOLD = {
    "key": "keys",
    "claim": "exclusive keys",
    "sort": "sorts",
}
# $1 to $4 are the places of those rows that cannot be read; there are no changes in them.
_EVENTS = (
    "(SELECT f.tenant, f.era, f.tx, f.no, c.change FROM {feed} AS f CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN "
    "(f.tenant, f.era, f.tx, f.n) IN (SELECT a, b, c::xid8, d FROM unnest($1::integer[], $2::integer[], $3::text[], "
    "$4::integer[]) AS bad (a, b, c, d)) THEN '[]' ELSE f.changes END::jsonb) AS c (change))"
)
_AHEAD = (
    f"SELECT count(*) FROM {_EVENTS} AS e WHERE CASE WHEN change ->> 2 = '' THEN NOT EXISTS (SELECT FROM "
    "{ledger} AS l WHERE l.tenant = e.tenant AND l.stream = change ->> 1 AND l.seq = (change ->> 3)::bigint) "
    "ELSE NOT EXISTS (SELECT FROM {record} AS r WHERE r.tenant = e.tenant AND r.kind = change ->> 1 "
    "AND r.id = (change ->> 2)::uuid AND r.version >= (change ->> 3)::bigint) END"
)
_PROMISES = (
    (
        "record_invalid",
        "bodies are no JSON objects, or deleted records still carry something",
        "SELECT count(*) FROM {record} WHERE CASE WHEN body IS NULL THEN carries <> '[[],[]]' "
        "ELSE left(body, 1) <> '{{' OR right(body, 1) <> '}}' END",
    ),
    (
        "entry_invalid",
        "bodies of entries are no JSON objects, or their subjects no lists",
        "SELECT count(*) FROM {ledger} WHERE left(body, 1) <> '{{' OR right(body, 1) <> '}}' "
        "OR left(subjects, 1) <> '[' OR right(subjects, 1) <> ']'",
    ),
    (
        "ledger_gap",
        "ledgers are not numbered from 1 without a gap",
        "SELECT count(*) FROM (SELECT FROM {ledger} GROUP BY tenant, stream "
        "HAVING min(seq) <> 1 OR max(seq) <> count(*)) AS gaps",
    ),
    (
        "batch_wrong",
        "batches do not have the changes that the feed has of them",
        "SELECT count(*) FROM {batch} AS b LEFT JOIN (SELECT tenant, era, tx, no, sum(size) AS n, max(n) AS high "
        "FROM {feed} GROUP BY tenant, era, tx, no) AS fed USING (tenant, era, tx, no) "
        "WHERE b.digest IS NOT NULL AND (CASE WHEN b.idle IS NULL THEN fed.n IS NULL OR fed.high <> b.last "
        "ELSE fed.n IS NOT NULL END)",
    ),
    (
        "feed_gap",
        "rows of the feed do not follow on the row before",
        "SELECT count(*) FROM (SELECT size, n, lag(n, 1, 0) OVER (PARTITION BY tenant, era, tx ORDER BY n) "
        "AS before FROM {feed}) AS f WHERE n <> before + size",
    ),
    (
        "stray",
        "rows belong to no tenant or to no batch",
        "SELECT "
        + " + ".join(
            f"(SELECT count(*) FROM {{{table}}} WHERE tenant NOT IN (SELECT no FROM {{tenant}}))"
            for table in "record key claim sort ledger batch feed".split()
        )
        + " + (SELECT count(*) FROM {feed} AS f WHERE NOT EXISTS (SELECT FROM {batch} AS b WHERE b.tenant = f.tenant "
        "AND b.era = f.era AND b.tx = f.tx AND b.no = f.no))",
    ),
)


async def verify(link: Link, secret: bytes, exclusive: frozenset[str]) -> Integrity:
    """Look at everything, on a connection of its own."""
    await link.ask(BEGIN)
    await link.ask(UNHURRIED)
    problems = [*await _texts(link), *await _feed(link), *await _carried(link, secret, exclusive)]
    for code, message, statement in _PROMISES:
        if count := await _count(link, statement):
            problems.append(Problem(code=code, message=message, count=count))
    return Integrity(
        records=await _count(link, "SELECT count(*) FROM {record} WHERE body IS NOT NULL"),
        entries=await _count(link, "SELECT count(*) FROM {ledger}"),
        changes=await _count(link, "SELECT coalesce(sum(size), 0)::bigint FROM {feed}"),
        problems=tuple(problems),
    )


# Those that do not begin and end as they should are counted by `_PROMISES`.
_TEXTS = (
    (
        "record_invalid",
        "bodies are no JSON objects",
        "SELECT body, '[]' FROM {record} WHERE left(body, 1) = '{{' AND right(body, 1) = '}}'",
    ),
    (
        "entry_invalid",
        "bodies of entries are no JSON objects, or their subjects no lists",
        "SELECT body, subjects FROM {ledger} WHERE left(body, 1) = '{{' AND right(body, 1) = '}}' "
        "AND left(subjects, 1) = '[' AND right(subjects, 1) = ']'",
    ),
)
_FEED = "SELECT tenant, era, tx::text, n, size, changes FROM {feed}"


async def _texts(link: Link) -> list[Problem]:
    """The bodies and lists that look like JSON from outside, and are none."""
    problems: list[Problem] = []
    for code, message, statement in _TEXTS:
        count = 0
        async for texts in through(link, statement):
            count += not all(map(_is_json, texts))
        if count:
            problems.append(Problem(code=code, message=message, count=count))
    return problems


def _is_json(text: str) -> bool:
    try:
        decode(text)
    except ValueError:
        return False
    return True


async def _feed(link: Link) -> list[Problem]:
    """The rows of the feed that hold no changes, and what the others tell of that is not there."""
    bad: list[Row] = []
    async for *place, size, text in through(link, _FEED):
        if not _are_changes(text, size):
            bad.append(tuple(place))
    columns = [list(column) for column in zip(*bad, strict=True)] or [[], [], [], []]
    ahead = await _count(link, _AHEAD, *columns)
    invalid = Problem(
        code="feed_invalid",
        message="rows of the feed do not hold changes, or not as many as they say",
        count=len(bad),
    )
    early = Problem(
        code="change_ahead", message="changes tell of versions or entries that are not there", count=ahead
    )
    return [problem for problem in (invalid, early) if problem.count]


def _are_changes(text: str, size: int) -> bool:
    try:
        events = unpacked(text)
        for event in events:
            check_change(*event)
    except StoreError:
        return False
    return len(events) == size


async def _count(link: Link, statement: str, *parameters: Any) -> int:
    ((count,),) = await link.ask(statement, parameters)
    return int(count)


async def _carried(link: Link, secret: bytes, exclusive: frozenset[str]) -> list[Problem]:
    """What records say that they carry, against what is there."""
    said = dict.fromkeys(_FOUND, 0)
    found = dict.fromkeys(_FOUND, 0)
    waiting: dict[str, list[Row]] = {table: [] for table in _FOUND}

    async def look(least: int) -> None:
        for table, rows in waiting.items():
            if len(rows) > least:
                columns = [list(column) for column in zip(*rows, strict=True)]
                said[table] += len(rows)
                found[table] += await _count(link, _FOUND[table], *columns)
                rows.clear()

    unread = 0
    await link.ask(_RECORDS)
    while rows := await link.ask(_FETCH):
        for row in rows:
            unread += not _note(waiting, secret, exclusive, *row)
        await look(_AT_A_TIME)
    await link.ask("CLOSE rows")
    await look(0)
    problems = [p for table in _FOUND for p in await _compared(link, table, said[table], found[table])]
    if unread:
        message = "what records carry cannot be read"
        problems.append(Problem(code="record_invalid", message=message, count=unread))
    return problems


def _note(
    waiting: dict[str, list[Row]],
    secret: bytes,
    exclusive: frozenset[str],
    tenant: int,
    kind: str,
    id_: str,
    carries: str,
) -> bool:
    """Note the rows that a record says that it carries; whether it could be read."""
    try:
        keys, sorts = carried_by(carries)
    except Corrupt:
        return False
    for pair in keys:
        row = (tenant, key_mark(secret, *pair), kind, id_)
        waiting["key"].append(row)
        if pair[0] in exclusive:
            waiting["claim"].append(row)
    for namespace, part, value in sorts:
        waiting["sort"].append((tenant, part_mark(secret, namespace, part), value, id_, kind))
    return True


async def _compared(link: Link, table: str, said: int, found: int) -> Sequence[Problem]:
    extra = await _count(link, f"SELECT count(*) FROM {{{table}}}") - found
    told = _TOLD[table]
    missing = Problem(
        code=f"{table}_missing",
        message=f"records carry {told} under which they are not found",
        count=said - found,
    )
    strange = Problem(
        code=f"{table}_extra",
        message=f"records are found under {told} that they do not carry",
        count=extra,
    )
    return [problem for problem in (missing, strange) if problem.count]
