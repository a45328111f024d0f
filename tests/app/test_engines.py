"""What an engine is said to lack it does lack, so that no test is kept from it without need."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmcore import Person
from crmcore.errors import BatchTooLarge
from crmcore.storage import Limits, claims
from tests.app.houses import LACKS, STORES, in_memory, opened


@pytest.mark.parametrize("engine", STORES)
def test_what_an_engine_is_said_to_lack_it_lacks(engine: str, tmp_path: Path) -> None:
    about = STORES[engine](tmp_path).describe()
    parts = {part for part in ("bulk", "ordered_text") if not claims(about, part)}
    few = {"large_batches"} if about.limits.max_items == Limits().max_items else set()
    assert parts | few == LACKS.get(engine, set())


def test_a_party_that_does_not_fit_a_batch_is_refused_and_nothing_of_it_is_stored(tmp_path: Path) -> None:
    many = Person.of("Bo Many", email="b0@x.org")
    for number in range(1, 100):
        many = many.with_email(f"b{number}@x.org")
    assert in_memory().parties.add(many).display_name == "Bo Many"
    with opened("ceilings", tmp_path) as crm:
        with pytest.raises(BatchTooLarge):
            crm.parties.add(many)
        assert crm.parties.find(email="b0@x.org") == ()
