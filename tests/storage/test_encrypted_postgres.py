"""An encrypted store over PostgreSQL: the essence of the kit, which was run whole by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmcore.storage import PostgresStore, lift
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_file import FileKeyStore
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import EXCLUSIVE, Guarantee
from crmcore.testing.subjects import Given
from tests.storage.encrypted_stores import WRAPPING
from tests.storage.postgres_server import GIVEN, Postgres, dsn
from tests.storage.wrapped_kit import assert_kept

ESSENCE = {
    "what_was_acknowledged_outlives_a_kill",
    "a_batch_sent_by_many_at_once_is_applied_once",
    "what_is_loaded_comes_back_with_all_that_it_was_given",
    "a_chunk_sent_again_writes_nothing",
    "what_was_erased_never_comes_back",
    "no_byte_of_a_dropped_tenant_is_left_but_where_the_report_says",
    "a_snapshot_has_all_that_can_be_read",
}
ASKED = [one for one in GUARANTEES if one.name in ESSENCE]
NOT_ASKED = {"no_byte_of_a_dropped_tenant_is_left_but_where_the_report_says"} if GIVEN else set[str]()
"""The files of a server that somebody named are out of reach."""


class EncryptedPostgres(Postgres):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def open(self, schema: str) -> Given:
        inner = PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE)
        return Encrypted(lift(inner), FileKeyStore(self._folder / f"{schema}.keys", wrapping=WRAPPING))


def test_the_essence_is_all_there() -> None:
    assert {one.name for one in ASKED} == ESSENCE


@pytest.mark.parametrize("guarantee", ASKED, ids=lambda one: one.name)
def test_an_encrypted_store_over_postgresql_keeps_its_promise(guarantee: Guarantee, tmp_path: Path) -> None:
    assert_kept(guarantee, EncryptedPostgres(tmp_path), not_asked=NOT_ASKED)
