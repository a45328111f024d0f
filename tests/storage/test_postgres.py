"""The stores on PostgreSQL keep every guarantee, in both colours, and do what the model says."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import rule, run_state_machine_as_test
from tests.storage.test_model import AgainstTheModel

from crmcore.storage import PostgresStore, Store
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import EXCLUSIVE, Guarantee
from crmcore.testing.subjects import examine
from tests.storage.postgres_server import AsyncPostgres, Postgres, drop, dsn, new_schema


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: f"{one.id}-{one.name}")
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_store_on_postgresql_keeps_its_promise(guarantee: Guarantee, colour: str) -> None:
    examine(guarantee, Postgres() if colour == "sync" else AsyncPostgres())


class PostgresAgainstTheModel(AgainstTheModel):
    def make(self) -> Store:
        self.schema = new_schema()
        return self.open()

    def open(self) -> Store:
        return PostgresStore(dsn(), schema=self.schema, exclusive=EXCLUSIVE)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.open()

    def teardown(self) -> None:
        super().teardown()
        drop(self.schema)


def test_a_store_on_postgresql_does_what_the_model_says() -> None:
    run_state_machine_as_test(
        PostgresAgainstTheModel, settings=settings(max_examples=20, stateful_step_count=20)
    )
