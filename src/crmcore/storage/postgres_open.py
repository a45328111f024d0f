"""Opening a store on PostgreSQL: what is asked for is checked, the tables are brought to the newest version.

Invariant: an address that is shown has neither user nor password, and no error while opening quotes it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from typing import NamedTuple

from psycopg import Error as PsycopgError
from psycopg.conninfo import conninfo_to_dict

import crmcore.storage.postgres_schema as postgres_schema
from crmcore.errors import InvalidRecord, Unavailable
from crmcore.storage.capability import ORDERED_TEXT, PARTS
from crmcore.storage.describe import LIMITS
from crmcore.storage.lift import run
from crmcore.storage.postgres_driver import DriverError, Late, Link, Names, connect
from crmcore.storage.postgres_errors import translated
from crmcore.storage.postgres_pool import GRACE, Greet
from crmcore.storage.postgres_schema import Opened
from crmcore.storage.protocol import Capability, Description
from crmcore.storage.validate import check_timeout, check_word

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
CAPABILITIES = (
    Capability(name="changes", support="full"),
    Capability(name=ORDERED_TEXT, support="full"),
    *(Capability(name=name, support="full") for name in PARTS),
)


class Start(NamedTuple):
    """What both colours begin with. *opened* is None while steps are pending."""

    names: Names
    exclusive: frozenset[str]
    opened: Opened | None
    description: Description


def start(
    dsn: str, *, schema: str, exclusive: Collection[str], pool_size: int, timeout: float, migrate: bool
) -> Start:
    """Connect once, migrate unless told not to, and learn what the store says of itself.

    Raises:
        StoreError: if the server cannot be reached, or what is there is no store of this version.
    """
    if not _SCHEMA.match(schema) or schema.startswith("pg_"):
        raise InvalidRecord(
            "the schema of a store is a lower-case word of letters, digits and _, at most 63, that does not begin "
            "with pg_"
        )
    for namespace in exclusive:
        check_word(namespace, "a namespace")
    if pool_size < 1:
        raise InvalidRecord("a pool has at least one connection")
    timeout = check_timeout(timeout)
    names, asked = Names(schema), frozenset(exclusive)
    deadline = time.monotonic() + timeout
    address = _redacted(dsn, schema)
    link: Link | None = None
    try:
        link = connect(dsn, names, deadline)
        link.until(deadline + GRACE)
        server, opened = run(_prepare(link, names, asked, int(timeout * 1000), migrate))
    except (DriverError, Late) as error:
        raise translated(error) from None
    finally:
        if link is not None:
            link.drop()
    description = Description(
        engine=f"postgresql {server.version}",
        address=address,
        durability="power" if server.durable else "process",
        exclusive=asked if opened is None else opened.exclusive,
        capabilities=CAPABILITIES,
        limits=LIMITS,
    )
    return Start(names, asked, opened, description)


async def _prepare(
    link: Link, names: Names, exclusive: frozenset[str], milliseconds: int, migrate: bool
) -> tuple[postgres_schema.Server, Opened | None]:
    await link.ask(_AT_HOME)
    server = await postgres_schema.server(link)
    state = await postgres_schema.state(link, names)
    if state.pending and not migrate:
        return server, None
    if state.pending:
        await postgres_schema.migrate(link, names, exclusive, milliseconds)
    return server, await postgres_schema.opened(link, names, exclusive)


def _redacted(dsn: str, schema: str) -> str:
    try:
        parts = conninfo_to_dict(dsn)
    except (PsycopgError, UnicodeError):
        raise Unavailable(
            "this is no address of a PostgreSQL server: give one such as 'postgresql://db.example.org/crm'"
        ) from None
    host = str(parts.get("host") or parts.get("hostaddr") or "")
    where = "local" if not host or host.startswith(("/", "@")) else host
    port = parts.get("port")
    return f"{where}{f':{port}' if port else ''}/{parts.get('dbname') or ''}#{schema}"


# Not compiled for single rows, and never longer on the server than the client waits.
_SETTLE = (
    "SELECT set_config('jit', 'off', false), set_config('statement_timeout', $1, false), "
    "set_config('application_name', 'crmcore', false)"
)

# The statements of this room mean the server's own functions and operators, wherever search_path looks first. How
# long they may take the client says, and not what the server has for everybody; a minute is for a client that hangs.
_AT_HOME = (
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false), pg_catalog.set_config('statement_timeout', '0', "
    "false), pg_catalog.set_config('idle_in_transaction_session_timeout', '60s', false)"
)


def greeting(names: Names, timeout: float) -> Greet:
    """What is done first on each connection of a pool."""

    async def greet(link: Link) -> None:
        await link.ask(_AT_HOME)
        await link.ask(_SETTLE, [str(max(int(check_timeout(timeout) * 1000), 1))])
        if not (await postgres_schema.state(link, names)).pending:
            await postgres_schema.check_era(link, names)

    return greet
