"""The optional parts of the store in one SQLite file: snapshots, restoring, erasing, upkeep.

Invariant: these keep the laws of the store itself: what is read is one snapshot, what is written is one transaction
under the one write lock.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from contextlib import closing

import attrs

import crmcore.storage.paging as paging
import crmcore.storage.sqlite_erasing as sqlite_erasing
import crmcore.storage.sqlite_migrations as sqlite_migrations
import crmcore.storage.sqlite_read as sqlite_read
import crmcore.storage.sqlite_restore as sqlite_restore
import crmcore.storage.sqlite_write as sqlite_write
from crmcore.errors import StoreError
from crmcore.storage.describe import LIMITS
from crmcore.storage.erasing import check_erasure, erasure_of, is_cleaning_put_off
from crmcore.storage.erasure import Erasure, ErasureReport, Residual
from crmcore.storage.plan import replayable
from crmcore.storage.protocol import Page
from crmcore.storage.sqlite_connections import SqliteConnections
from crmcore.storage.sqlite_export import SqliteSnapshot
from crmcore.storage.sqlite_schema import connect, translating, wait_at_most
from crmcore.storage.sqlite_verify import verify
from crmcore.storage.stored import Stored
from crmcore.storage.stream import Restored
from crmcore.storage.upkeep import Integrity, SchemaState
from crmcore.storage.validate import check_name, check_tenants, check_timeout


class SqliteParts(SqliteConnections):
    """What `SqliteStore` has beside what every store has."""

    def export(self, tenants: Collection[str] | None = None) -> SqliteSnapshot:
        """A snapshot on a connection of its own. Writers go on, and the write-ahead log grows until it is closed."""
        check_tenants(tenants)
        return self._take_snapshot(tenants)

    def restore(self, rows: Iterable[Stored]) -> Restored:
        with self._writing(self._timeout, "") as connection:
            return sqlite_restore.restore(connection, rows, LIMITS, self._exclusive)

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        """As every store erases; then the file is written anew, which takes as long as the file is large.

        That needs room for the file twice more while it lasts: once beside it, once in the folder of temporary files.
        If *timeout* is too short for it, the report says so, and the same erasure sent again goes on with it.
        """
        checked = check_erasure(erasure, LIMITS)
        deadline = time.monotonic() + check_timeout(timeout)
        with self._writing(timeout, checked.idem) as connection:
            number, _, head, _ = sqlite_write.tenant_for_writing(connection, checked.tenant)
            before = sqlite_read.applied(connection, number, checked.idem)
            if before is not None:
                replayable(before.digest, checked.digest)
            applied = before or sqlite_erasing.erase(connection, number, head, checked)
            report = sqlite_erasing.report(connection, number, applied, replayed=before is not None)
        return report if is_cleaning_put_off() else attrs.evolve(report, residual=self._cleaned(deadline))

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        (start,) = paging.erasures_query(self._cursors, tenant, after, limit)
        with self._reading() as connection:
            rows = sqlite_erasing.erasures(
                connection, sqlite_read.tenant_number(connection, tenant), start, limit
            )
        done = [
            ((no,), erasure_of(tenant, text, idem=idem, at=at, actor=actor, reason=reason))
            for no, text, idem, at, actor, reason in rows
        ]
        return paging.erasures_page(self._cursors, tenant, done, limit)

    def verify(self) -> Integrity:
        self._check_open()
        with translating(self._path.name), closing(connect(self._path, self._timeout)) as connection:
            connection.execute("BEGIN")
            return verify(connection, self._exclusive)

    def schema(self) -> SchemaState:
        with self._reading() as connection:
            version = sqlite_migrations.version_of(connection)
        return SchemaState(
            version=version,
            newest=sqlite_migrations.SCHEMA_VERSION,
            pending=tuple(step.name for step in sqlite_migrations.pending(version)),
        )

    def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        """Nothing is ever left to do here: an older file is migrated, or refused, when it is opened."""
        with self._owning(timeout) as connection:
            return sqlite_migrations.migrate(connection)

    def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        start = paging.tenants_query(self._cursors, after, limit)
        with self._reading() as connection:
            names = sqlite_read.tenant_names(connection, start, limit)
        return paging.tenants_page(self._cursors, names, limit)

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        check_name(tenant, "a tenant")
        deadline = time.monotonic() + check_timeout(timeout)
        with self._writing(timeout, "") as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            counts = (0, 0, 0) if number == sqlite_read.NO_TENANT else sqlite_erasing.drop(connection, number)
        records, entries, batches = counts
        residual = self._cleaned(deadline)
        return ErasureReport(records=records, entries=entries, batches=batches, residual=residual)

    def _cleaned(self, deadline: float) -> tuple[Residual, ...]:
        """As `_clean`; what was erased is committed, so whatever goes wrong now is told as what remains."""
        try:
            return self._clean(deadline)
        except StoreError:
            return sqlite_erasing.NOT_REWRITTEN

    def _clean(self, deadline: float) -> tuple[Residual, ...]:
        with self._owning(deadline - time.monotonic()) as connection:
            wait_at_most(connection, min(deadline - time.monotonic(), _PATIENCE))
            return sqlite_erasing.clean(connection, deadline)


_PATIENCE = 5.0
"""So many seconds, at most, an erasure waits for those who read the file as it was before."""
