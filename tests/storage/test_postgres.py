"""The stores on PostgreSQL keep every guarantee, in both colours; one of these is that they do what the model says."""

from __future__ import annotations

import pytest

from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import Guarantee
from crmcore.testing.subjects import examine
from tests.storage.postgres_server import AsyncPostgres, Postgres

FIRST_SCHEMA = "an_older_store_is_brought_up_to_date"
"""No crmcore has written an older schema on PostgreSQL; how its steps are taken is tested in `test_postgres_faults`."""

ASKED = [one for one in GUARANTEES if one.name != FIRST_SCHEMA]
COLOURS = {"sync": Postgres, "async": AsyncPostgres}


@pytest.mark.parametrize("guarantee", ASKED, ids=lambda one: f"{one.id}-{one.name}")
@pytest.mark.parametrize("colour", COLOURS)
def test_a_store_on_postgresql_keeps_its_promise(guarantee: Guarantee, colour: str) -> None:
    examine(guarantee, COLOURS[colour]())
