"""Stores that are wrong in one way each are caught with what they do, and a sound one is not."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest

from crmcore.storage import AsyncMemoryStore
from crmcore.testing.history import Hammered, Plan, hammer
from tests.faults.weak import WEAK, Sound

PLAN = Plan(writers=6, batches=40, rotate=15)


def hammered(store: Any, plan: Plan = PLAN) -> Hammered:
    return asyncio.run(hammer(store, plan))


@pytest.mark.parametrize("weak", WEAK, ids=lambda weak: weak.__name__)
def test_a_weak_store_is_caught(weak: type[Sound]) -> None:
    found = {one.name for one in hammered(weak()).anomalies}
    assert weak.shows <= found


def test_a_sound_store_is_clean() -> None:
    for seed in range(3):
        done = hammered(Sound(), Plan(seed=seed, writers=6, batches=40, rotate=15))
        assert done.anomalies == ()
        assert done.too_little(PLAN) == ""
        assert done.conflicts > 40


def test_a_run_that_meets_nobody_proves_nothing() -> None:
    alone = Plan(writers=1, batches=40, readers=0)
    assert "met others" in hammered(AsyncMemoryStore(), alone).too_little(alone)
    done = hammered(AsyncMemoryStore())
    assert done.too_little(PLAN) == ""
    assert "pages of the feed" in attrs.evolve(done, between=0).too_little(PLAN)
    assert "were applied" in attrs.evolve(done, refused=done.applied * 9).too_little(PLAN)
