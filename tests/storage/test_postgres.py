"""The stores on PostgreSQL keep every guarantee, in both colours; one of these is that they do what the model says."""

from __future__ import annotations

import pytest

from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import Guarantee
from crmcore.testing.subjects import examine
from tests.storage.postgres_server import AsyncPostgres, Postgres

COLOURS = {"sync": Postgres, "async": AsyncPostgres}


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: f"{one.id}-{one.name}")
@pytest.mark.parametrize("colour", COLOURS)
def test_a_store_on_postgresql_keeps_its_promise(guarantee: Guarantee, colour: str) -> None:
    examine(guarantee, COLOURS[colour]())
