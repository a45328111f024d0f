"""A fault that was found is told, with the calls before it, whatever else goes wrong; and what is opened twice."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crmcore.errors import Contention, Unavailable
from crmcore.storage import Append, Batch, MemoryStore, Receipt, SqliteStore
from crmcore.testing import Harness, Verdict
from crmcore.testing.kit import REGISTRY
from crmcore.testing.running import judge
from crmcore.testing.toy import Toy
from crmcore.testing.zoo import HOOKS

NO_HASTE = 3600.0
"""Seconds that only what hangs can take."""

BY_CHANCE = "a_store_does_what_the_model_says"
BESIDE = ["what_one_handle_writes_the_other_sees", "many_through_two_handles_have_one_order"]


@pytest.fixture(autouse=True)
def no_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow a machine is, fewer calls are looked for until there are no fewer."""
    monkeypatch.setattr("crmcore.testing.machine.running.SHRINKING", {"quick": NO_HASTE})


def judged(store: type[Any], check: str, place: Path) -> Verdict:
    subject = Harness(make=store, reopen=store, **HOOKS).subject(place, brief=True)
    return judge(REGISTRY[check], subject, deadline=NO_HASTE)


def calls_of(verdict: Verdict) -> list[str]:
    return verdict.message.partition("after these calls:\n")[2].splitlines()


class OpenedTwiceOnce(Toy):
    """Is open twice one single time, and then no more; its two sides do not know of each other."""

    left: ClassVar[list[str]] = []

    def hold(self) -> None:
        if self.file in self._opened and not self.left:
            raise Unavailable("the store is open already: close it first")
        if self.file in self._opened:
            self.left.pop()
        self._opened.add(self.file)


def test_a_fault_of_two_handles_stays_found_where_they_cannot_be_had_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenedTwiceOnce, "left", ["once"])
    found = judged(OpenedTwiceOnce, BY_CHANCE, tmp_path)
    assert (found.status, found.raised, OpenedTwiceOnce.left) == ("FAIL", "", [])
    assert calls_of(found)


class Torn(Toy):
    """Trips over its own feet when it is given an entry."""

    error: type[BaseException] = KeyError

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if any(isinstance(op, Append) for op in batch.ops):
            raise self.error("no such word")
        return super().apply(batch, timeout=timeout)


class EndsTheProgram(Torn):
    error = SystemExit


@pytest.mark.parametrize("store", [Torn, EndsTheProgram])
def test_what_a_store_raises_by_itself_is_told_with_the_calls_before_it(
    store: type[Torn], tmp_path: Path
) -> None:
    found = judged(store, BY_CHANCE, tmp_path)
    assert (found.status, found.raised) == ("FAIL", store.error.__name__)
    assert f"{store.error.__name__} at test_machine.py:" in found.message
    (call,) = calls_of(found)
    assert "Append" in call


class ClosesBadly(Torn):
    """Cannot even be closed, once it has tripped."""

    tripped = False

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.tripped = True
        receipt = super().apply(batch, timeout=timeout)
        self.tripped = False
        return receipt

    def close(self) -> None:
        super().close()
        if self.tripped:
            raise RuntimeError("cannot be closed")


def test_what_was_found_is_told_where_the_store_cannot_be_closed(tmp_path: Path) -> None:
    found = judged(ClosesBadly, BY_CHANCE, tmp_path)
    assert (found.status, found.raised) == ("FAIL", "KeyError")
    assert len(calls_of(found)) == 1


class BreaksTheSecondTime(Toy):
    def hold(self) -> None:
        if self.file in self._opened:
            raise KeyError("a fault of the adapter")
        super().hold()


@pytest.mark.parametrize("check", [*BESIDE, BY_CHANCE])
def test_a_fault_in_the_second_opening_is_no_store_that_is_opened_once(check: str, tmp_path: Path) -> None:
    found = judged(BreaksTheSecondTime, check, tmp_path)
    assert (found.status, found.raised) == ("FAIL", "KeyError")


@pytest.mark.parametrize("check", BESIDE)
def test_a_store_that_says_that_it_is_open_is_not_asked(check: str, tmp_path: Path) -> None:
    found = judged(Toy, check, tmp_path)
    assert (found.status, found.message) == (
        "NOT ASKED",
        "what is open is not opened once more (Unavailable)",
    )


class BusyForAMoment(SqliteStore):
    """Can be opened as often as one likes; the machine is busy at the second time."""

    opened: ClassVar[Counter[Path]] = Counter()

    def __init__(self, place: Path) -> None:
        self.opened[place] += 1
        if self.opened[place] == 2:
            raise Unavailable("the server does not answer: try again later")
        super().__init__(place / "crm.db")


class HeldUp(SqliteStore):
    """Says thrice that others are writing before it takes a batch, but for its first."""

    def __init__(self, place: Path) -> None:
        super().__init__(place / "crm.db")
        self.told: Counter[str] = Counter()

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.told[batch.idem] += 1
        if len(self.told) > 1 and self.told[batch.idem] <= 3:
            raise Contention("others are writing: send the same batch again")
        return super().apply(batch, timeout=timeout)


def test_a_busy_machine_is_asked_once_more(tmp_path: Path) -> None:
    assert judged(BusyForAMoment, BESIDE[0], tmp_path).status == "PASS"


def test_a_batch_that_others_hold_up_is_sent_again(tmp_path: Path) -> None:
    found = judged(HeldUp, BESIDE[1], tmp_path)
    assert found.status == "PASS", found


class LateOnce(MemoryStore):
    """Is late one single time, as where the machine is busy."""

    late: ClassVar[list[str]] = []

    def __init__(self, place: Path) -> None:
        super().__init__()

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if self.late and timeout < 1:
            self.late.pop()
            time.sleep(timeout + 1.2)
        return super().apply(batch, timeout=timeout)


@pytest.mark.parametrize("check", ["no_call_outlasts_its_timeout", "no_batch_waits_longer_than_it_was_told"])
def test_one_late_call_is_the_machine_and_not_the_store(
    check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LateOnce, "late", ["once"])
    assert (judged(LateOnce, check, tmp_path).status, LateOnce.late) == ("PASS", [])
