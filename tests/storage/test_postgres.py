"""The stores on PostgreSQL keep every guarantee, in both colours; one of these is that they do what the model says."""

from __future__ import annotations

import pytest

from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import Guarantee
from tests.storage.postgres_server import GIVEN, VARIABLE, AsyncPostgres, Postgres, dsn
from tests.storage.wrapped_kit import NEVER_WAITS, NO_ITEMS, assert_kept

FIRST_SCHEMA = {"an_older_store_is_brought_up_to_date"}
"""No crmcore has written an older schema on PostgreSQL; how its steps are taken is tested in `test_postgres_faults`."""
COLOURS = {"sync": Postgres, "async": AsyncPostgres}
SAME_BYTES = {
    "no_byte_of_the_erased_is_left_but_where_the_report_says",
    "no_byte_of_a_dropped_tenant_is_left_but_where_the_report_says",
}
"""What is looked for in one colour, since the other leaves the same bytes, and only in the files of our own server."""
NOT_ASKED = {
    "sync": NO_ITEMS | FIRST_SCHEMA | NEVER_WAITS | (SAME_BYTES if GIVEN else set()),
    "async": NO_ITEMS | FIRST_SCHEMA | SAME_BYTES,
}


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: f"{one.id}-{one.name}")
@pytest.mark.parametrize("colour", COLOURS)
def test_a_store_on_postgresql_keeps_its_promise(guarantee: Guarantee, colour: str) -> None:
    assert_kept(guarantee, COLOURS[colour](), not_asked=NOT_ASKED[colour])


def test_our_own_server_stays_ours_whatever_a_test_tells_its_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, dsn())
    no_byte = next(one for one in GUARANTEES if one.name in SAME_BYTES)
    assert_kept(no_byte, Postgres(), not_asked=NOT_ASKED["sync"])
