"""What the kit says is so: nothing is skipped in silence, and what could not be seen is no pass."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore.errors import MissingExtra
from crmcore.storage import (
    AsyncMemoryStore,
    Batch,
    Capability,
    ChunkReceipt,
    Description,
    MemoryStore,
    Put,
    Ref,
)
from crmcore.storage.capability import missing
from crmcore.testing import Harness, Report, Unusable, Verdict, conformance, run_kit
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import (
    NOW,
    REGISTRY,
    Broken,
    Guarantee,
    Inconclusive,
    NotAsked,
    Subject,
    guarantee,
    uid,
)
from crmcore.testing.manifest import MANIFEST
from crmcore.testing.promises import LEVELS, PROMISES
from crmcore.testing.running import judge, problems_of
from crmcore.testing.toy import Toy
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.source import SYSTEM

MEMORY = Harness(make=lambda place: MemoryStore())


def checked(check: object, **options: object) -> Guarantee:
    return Guarantee(id="G1", name="mine", rule="A rule.", check=check, **options)  # type: ignore[arg-type]  # made up


def verdict(check: object, tmp_path: Path, harness: Harness = MEMORY, **options: object) -> Verdict:
    return judge(checked(check, **options), harness.subject(tmp_path))


def report(*verdicts: Verdict, **options: object) -> Report:
    return Report(engine="x", level="L1", budget="quick", seed=0, seconds=0.0, verdicts=verdicts, **options)  # type: ignore[arg-type]  # made up


ALL_GOOD = tuple(Verdict(check=name, guarantee=id_, status="PASS") for name, id_ in MANIFEST.items())


def test_the_manifest_names_every_check_and_no_other() -> None:
    assert {one.name: one.id for one in GUARANTEES} == MANIFEST


def test_a_run_over_nothing_has_not_passed() -> None:
    assert report(*ALL_GOOD).passed
    assert not report().passed
    assert not report(*ALL_GOOD[1:]).passed
    assert report(*ALL_GOOD[1:]).missing == (ALL_GOOD[0].check,)


def test_a_kit_without_checks_has_not_passed(tmp_path: Path) -> None:
    found = run_kit(MEMORY, tmp_path, guarantees=[])
    assert not found.passed
    assert len(found.missing) == len(MANIFEST)
    assert {one.status for one in found.answers()} == {"FAIL"}


@pytest.mark.parametrize("status", ["FAIL", "INCONCLUSIVE"])
def test_one_check_that_is_not_passed_is_enough(status: Any) -> None:
    spoiled = attrs.evolve(ALL_GOOD[3], status=status, message="why")
    found = report(*ALL_GOOD[:3], spoiled, *ALL_GOOD[4:])
    assert not found.passed
    (answer,) = [one for one in found.answers() if one.guarantee == spoiled.guarantee]
    assert (answer.status, answer.messages) == (status, (f"{spoiled.check}: why",))


def test_a_guarantee_of_which_nothing_can_be_asked_is_not_claimed_and_says_why() -> None:
    about = [one for one in ALL_GOOD if one.guarantee == "G16"]
    others = [one for one in ALL_GOOD if one.guarantee != "G16"]
    unasked = [attrs.evolve(one, status="NOT ASKED", message="it cannot be") for one in about]
    found = report(*others, *unasked)
    assert found.passed
    assert found.not_asked() == tuple(unasked)
    assert str(next(one for one in found.answers() if one.guarantee == "G16")) == "NOT CLAIMED (it cannot be)"
    some = report(*others, *unasked[1:], about[0])
    assert str(next(one for one in some.answers() if one.guarantee == "G16")) == "PASS 1"


def test_a_store_that_keeps_what_nobody_opens_again_is_inconclusive(tmp_path: Path) -> None:
    found = judge(REGISTRY["a_reopened_store_has_everything"], Harness(make=Toy).subject(tmp_path))
    assert found.status == "INCONCLUSIVE"
    assert "reopen=..." in found.message


@pytest.mark.parametrize(
    ("check", "hook"),
    [
        ("an_older_store_is_brought_up_to_date", "older"),
        ("a_newer_store_is_not_opened", "newer"),
        ("damage_is_found", "damaged"),
    ],
)
def test_a_claim_that_nobody_could_look_at_is_inconclusive(check: str, hook: str, tmp_path: Path) -> None:
    found = judge(REGISTRY[check], Harness(make=Toy, reopen=Toy).subject(tmp_path))
    assert found.status == "INCONCLUSIVE"
    assert f"give the hook {hook}=..." in found.message


def test_what_is_printed_still_reaches_whoever_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def talks(subject: Subject) -> None:
        print("hello")

    assert verdict(talks, tmp_path).status == "PASS"
    assert capsys.readouterr().out == "hello\n"


def test_a_problem_of_the_level_is_enough() -> None:
    assert not report(*ALL_GOOD, problems=("L4 asks for eraser",)).passed


def test_too_few_exercised_events_are_inconclusive(tmp_path: Path) -> None:
    async def lazy(subject: Subject) -> None:
        subject.saw("conflicts", 49)

    found = verdict(lazy, tmp_path, least=FrozenMap({"conflicts": 50}))
    assert (found.status, found.seen["conflicts"]) == ("INCONCLUSIVE", 49)
    assert verdict(lazy, tmp_path / "2", least=FrozenMap({"conflicts": 49})).status == "PASS"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Broken("b"), "FAIL"),
        (NotAsked("n"), "NOT ASKED"),
        (Inconclusive("i"), "INCONCLUSIVE"),
        (ValueError("v"), "FAIL"),
        (MissingExtra("m"), "INCONCLUSIVE"),
        (SystemExit("s"), "FAIL"),
        (KeyboardInterrupt("k"), "FAIL"),
    ],
)
def test_whatever_a_check_raises_ends_in_a_verdict(error: BaseException, status: str, tmp_path: Path) -> None:
    async def ends(subject: Subject) -> None:
        raise error

    found = verdict(ends, tmp_path)
    assert found.status == status
    assert str(error) in found.message


def test_a_verdict_names_an_error_that_is_none_of_the_kit(tmp_path: Path) -> None:
    async def rotten(subject: Subject) -> None:
        raise TypeError("no such argument")

    async def broken(subject: Subject) -> None:
        raise Broken("b")

    assert verdict(rotten, tmp_path / "1").raised == "TypeError"
    assert verdict(broken, tmp_path / "2").raised == ""


def test_a_call_that_never_returns_is_a_failure(tmp_path: Path) -> None:
    held = threading.Event()

    async def waits(subject: Subject) -> None:
        held.wait(30)

    found = judge(checked(waits), MEMORY.subject(tmp_path), deadline=0.1)
    held.set()
    assert (found.status, found.message) == ("FAIL", "a call has not come back after 0.1 seconds")


@pytest.mark.parametrize(
    "tell",
    [
        lambda: logging.getLogger("x").debug("the %s", "ann@x.org"),
        lambda: warnings.warn("a canary", stacklevel=1),
        lambda: print("the canary"),
        lambda: sys.stderr.write("for bob@x.org"),
    ],
)
def test_a_log_or_warning_that_shows_a_value_fails_any_check(tell: object, tmp_path: Path) -> None:
    async def good(subject: Subject) -> None:
        tell()  # type: ignore[operator]  # one of the two above

    assert verdict(good, tmp_path).status == "FAIL"


def test_a_store_that_holds_something_is_never_written_to(tmp_path: Path) -> None:
    store = MemoryStore()
    ref = Ref("acme", "party", uid(1))
    op = Put(ref=ref, expect=0, schema=1, body={"real": 1})
    store.apply(Batch(tenant="acme", ops=(op,), idem="real", actor=SYSTEM, at=NOW))
    with pytest.raises(Unusable, match="holds something"):
        run_kit(Harness(make=lambda place: store), tmp_path)


def test_a_store_of_another_tenant_is_never_written_to(tmp_path: Path) -> None:
    def used(place: Path) -> MemoryStore:
        store = MemoryStore()
        op = Put(ref=Ref("a real one", "party", uid(1)), expect=0, schema=1, body={})
        store.apply(Batch(tenant="a real one", ops=(op,), idem="real", actor=SYSTEM, at=NOW))
        return store

    with pytest.raises(Unusable, match="holds something"):
        run_kit(Harness(make=used), tmp_path)


def test_a_store_with_other_exclusive_namespaces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="exclusive"):
        run_kit(Harness(make=lambda place: MemoryStore(exclusive=())), tmp_path)


def described(**changes: object) -> Description:
    return attrs.evolve(MemoryStore().describe(), **changes)  # type: ignore[arg-type]  # made up


def test_a_level_asks_for_its_parts_and_those_below() -> None:
    assert problems_of(described(), level="L2", reopen=False) == ()
    assert any("durable" in one for one in problems_of(described(), level="L4", reopen=False))
    bare = described(capabilities=(Capability(name="bulk", support="unsupported", reason="no"),))
    assert problems_of(bare, level="L1", reopen=False) == ()
    assert problems_of(bare, level="L2", reopen=False) == ("L2 asks for changes",)
    assert any(
        "reopen" in one for one in problems_of(described(durability="power"), level="L1", reopen=False)
    )


def test_the_levels_are_those_of_the_command_line() -> None:
    assert tuple(LEVELS) == ("L1", "L2", "L3", "L4", "L5")
    with pytest.raises(ValueError, match="levels"):
        Harness(make=lambda place: MemoryStore(), level="L6")


def test_what_is_not_claimed_is_said_with_the_reason_of_the_store(tmp_path: Path) -> None:
    class Plain(MemoryStore):
        def describe(self) -> Description:
            there = super().describe()
            kept = tuple(one for one in there.capabilities if one.name != "bulk")
            lacking = Capability(name="bulk", support="unsupported", reason="it is a toy")
            return attrs.evolve(there, capabilities=(*kept, lacking))

        def load(self, chunk: object, *, timeout: float = 30.0) -> ChunkReceipt:
            raise missing("bulk")

        def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
            raise missing("bulk")

    check = REGISTRY["a_chunk_is_of_one_tenant"]
    found = judge(check, Harness(make=lambda place: Plain()).subject(tmp_path))
    assert (found.status, found.message) == ("NOT CLAIMED", "it is a toy")


def test_a_check_without_a_rule_or_with_a_taken_name_is_not_registered() -> None:
    async def silent(subject: object) -> None:
        pass

    with pytest.raises(TypeError, match="no rule"):
        guarantee("G1")(silent)

    async def a_batch_is_applied_as_a_whole(subject: object) -> None:
        """Mine instead."""

    before = REGISTRY["a_batch_is_applied_as_a_whole"]
    with pytest.raises(TypeError, match="registered already"):
        guarantee("G1")(a_batch_is_applied_as_a_whole)
    assert REGISTRY["a_batch_is_applied_as_a_whole"] is before
    assert "silent" not in REGISTRY


def test_conformance_is_one_test_for_each_check_and_one_for_the_level() -> None:
    test = conformance(make=lambda place: AsyncMemoryStore())
    (mark,) = test.pytestmark  # type: ignore[attr-defined]  # set by pytest
    assert mark.args[1] == ["the_store_is_of_its_level", *MANIFEST]


def test_conformance_fails_where_the_store_does_and_skips_nothing_else(tmp_path: Path) -> None:
    class Bad(MemoryStore):
        def fanout(self, tenant, keys, *, cap):  # type: ignore[no-untyped-def]  # as its base
            return super().fanout(tenant, keys, cap=cap + 1)

    test = conformance(make=lambda place: Bad())
    with pytest.raises(AssertionError, match="fan-out"):
        test("fanout_counts_to_its_cap", tmp_path)
    test("a_batch_is_applied_as_a_whole", tmp_path / "2")
    with pytest.raises(pytest.skip.Exception, match="NOT CLAIMED: what is only in memory"):
        test("a_new_store_has_nothing_to_migrate", tmp_path / "3")
    with pytest.raises(AssertionError, match="not registered"):
        test("a check that is gone", tmp_path / "4")
    with pytest.raises(AssertionError, match="L3 asks for durable"):
        conformance(make=lambda place: Bad(), level="L3")("the_store_is_of_its_level", tmp_path / "5")


def test_conformance_without_pytest_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytest", None)
    with pytest.raises(MissingExtra, match=r"crmcore\[testing\]"):
        conformance(make=lambda place: MemoryStore())


def test_every_promise_has_a_check() -> None:
    assert {one.id for one in GUARANTEES} == set(PROMISES)


def test_a_budget_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="budgets"):
        conformance(make=lambda place: MemoryStore(), budget="long")
    with pytest.raises(ValueError, match="budgets"):
        MEMORY.subject(tmp_path, budget="long")
