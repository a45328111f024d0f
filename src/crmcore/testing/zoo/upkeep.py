"""Stores that do not last.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

import attrs

from crmcore.storage import (
    Integrity,
    Stored,
    StoredBatch,
)
from crmcore.storage.cursor import Cursors
from crmcore.testing.toy import NEWEST
from crmcore.testing.zoo.mutant import Mutant


class VerifyAlwaysSaysYes(Mutant):
    """Finds no problem in anything."""

    caught_by = "damage_is_found"

    def verify(self) -> Integrity:
        return attrs.evolve(super().verify(), problems=())


class VerifyWrites(Mutant):
    """Puts right what it looks at."""

    caught_by = "a_sound_store_has_no_problems"

    def verify(self) -> Integrity:
        found = super().verify()
        for data in self._tenants.values():
            data.ledgers.pop("log:2", None)
        return found


class ForgetsOnReopen(Mutant):
    """Says that it keeps things, and does not."""

    caught_by = "a_reopened_store_has_everything"

    def save_file(self) -> None:
        self.file.write_text(f"{self.version}\n{{}}")


class ForgetsReceiptsOnReopen(Mutant):
    """Knows the chunks that it loaded until it is closed."""

    caught_by = "a_reopened_store_knows_its_chunks"

    def rows(self) -> list[Stored]:
        return [row for row in super().rows() if not isinstance(row, StoredBatch) or row.load is None]


class NewSecretOnReopen(Mutant):
    """Seals its cursors anew each time that it is opened."""

    caught_by = "a_reopened_store_has_everything"

    def _secret(self) -> None:
        self._cursors = Cursors(str(id(self)).rjust(32).encode())


class OpensNewerStores(Mutant):
    """Opens what a newer program wrote."""

    caught_by = "a_newer_store_is_not_opened"

    def check_version(self) -> None:
        self.version = min(self.version, NEWEST)


class NeverDoneMigrating(Mutant):
    """Takes the same step again and again."""

    caught_by = "a_new_store_has_nothing_to_migrate"

    def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        return (*super().migrate(timeout=timeout), "look again")


class MigrationLosesRecords(Mutant):
    """Throws away what there was when it migrates."""

    caught_by = "an_older_store_is_brought_up_to_date"

    def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        steps = super().migrate(timeout=timeout)
        if steps:
            self._tenants.clear()
        return steps


class MigratesToNothing(Mutant):
    """Makes everything anew instead of migrating it."""

    caught_by = "an_older_store_is_brought_up_to_date"

    def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        steps = super().migrate(timeout=timeout)
        self.version -= len(steps)
        return steps
