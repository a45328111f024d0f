"""A store that is not locked is seen not to be, however lucky it is."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from crmcore.errors import Contention
from crmcore.storage import MemoryStore, lift
from crmcore.testing import Harness
from crmcore.testing.at_once import at_once
from crmcore.testing.kit import REGISTRY
from crmcore.testing.running import judge


class NoLock:
    """Lets everybody in."""

    def acquire(self, timeout: float = -1) -> bool:
        return True

    def release(self) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


class Unlocked(MemoryStore):
    def __init__(self, place: Path) -> None:
        super().__init__()
        self._lock = NoLock()  # type: ignore[assignment]  # that is what is wrong with it


@pytest.mark.parametrize("run", range(5))
def test_a_store_without_a_lock_always_fails(run: int, tmp_path: Path) -> None:
    checks = ["what_many_write_at_once_has_one_order", "every_call_sees_whole_batches_while_others_write"]
    found = [judge(REGISTRY[one], Harness(make=Unlocked).subject(tmp_path / one)) for one in checks]
    assert any(one.status == "FAIL" for one in found)


def test_errors_of_the_store_are_answers_and_others_are_raised() -> None:
    async def busy() -> None:
        raise Contention("busy")

    async def wrong() -> None:
        raise ValueError("mine")

    before = sys.getswitchinterval()
    (answer,) = asyncio.run(at_once(lift(MemoryStore()), [busy]))
    assert isinstance(answer, Contention)
    with pytest.raises(ValueError, match="mine"):
        asyncio.run(at_once(lift(MemoryStore()), [busy, wrong]))
    assert sys.getswitchinterval() == before
