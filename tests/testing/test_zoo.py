"""Every mutant is killed, and by the check that is about the promise that it breaks."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path

import attrs
import pytest

from crmcore.storage import (
    PARTS,
    Batch,
    Description,
    FeedPage,
    Key,
    Page,
    Receipt,
    Ref,
    adapter,
)
from crmcore.storage.capability import CHANGES, missing
from crmcore.testing import Harness
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.feedless import Feedless
from crmcore.testing.kit import REGISTRY, Guarantee
from crmcore.testing.promises import PROMISES
from crmcore.testing.running import judge
from crmcore.testing.toy import Toy
from crmcore.testing.zoo import HOOKS, MUTANTS, Mutant, Waiting
from crmcore.testing.zoo.skimming import Skimming
from tests.storage.wrapped_kit import NEVER_WAITS, NO_ITEMS, NO_PLACE, assert_kept, unclaimed

LINES = 10


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_is_killed_by_its_own_check(mutant: type[Mutant | Waiting], tmp_path: Path) -> None:
    harness = Harness(make=mutant, reopen=mutant, **HOOKS)
    verdict = judge(REGISTRY[mutant.caught_by], harness.subject(tmp_path))
    assert (verdict.status, verdict.raised) == ("FAIL", ""), verdict


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_is_small(mutant: type[Mutant | Waiting]) -> None:
    """But for the signatures, which are those of the protocol."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(mutant))).body
    assert isinstance(node, ast.ClassDef)
    calls = [part for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert sum((part.end_lineno or 0) - part.body[0].lineno + 1 for part in calls) <= LINES


def test_every_check_has_been_seen_to_fail() -> None:
    assert {mutant.caught_by for mutant in MUTANTS} == {one.name for one in GUARANTEES}
    assert {one.id for one in GUARANTEES} == set(PROMISES)
    assert len(MUTANTS) >= 60


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: one.name)
def test_what_the_mutants_are_made_from_keeps_every_promise(guarantee: Guarantee, tmp_path: Path) -> None:
    toy = Harness(make=Toy, reopen=Toy, level="L5", **HOOKS)
    assert_kept(guarantee, toy.subject(tmp_path), not_asked=NEVER_WAITS | NO_ITEMS | NO_PLACE)


def test_a_store_that_skims_well_gives_what_is_read(tmp_path: Path) -> None:
    subject = Harness(make=Skimming, reopen=Skimming, **HOOKS).subject(tmp_path)
    assert_kept(REGISTRY["what_is_skimmed_is_what_is_read"], subject)


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: one.name)
def test_a_store_without_a_feed_keeps_every_promise(guarantee: Guarantee, tmp_path: Path) -> None:
    lacking = unclaimed(*PARTS, CHANGES, keeps=False)
    assert_kept(guarantee, Harness(make=Feedless).subject(tmp_path), lacking, NEVER_WAITS | NO_ITEMS)


class Silent(Toy):
    """A store with every part, and without a feed."""

    def describe(self) -> Description:
        there = super().describe()
        lacking = adapter.unclaimed(CHANGES, "nobody asked for one")
        return attrs.evolve(
            there, capabilities=(*(one for one in there.capabilities if one.name != CHANGES), lacking)
        )

    def changes(self, tenant: str, after: str = "", limit: int = 500) -> FeedPage:
        raise missing(CHANGES)


ABOUT_THE_FEED = {
    "the_feed_has_what_was_loaded",
    "who_follows_a_dropped_tenant_is_told_so",
    "a_position_that_the_feed_does_not_reach_is_expired",
}
"""Checks of parts that ask nothing else of them than what becomes of the feed."""


@pytest.mark.parametrize("guarantee", [one for one in GUARANTEES if one.part], ids=lambda one: one.name)
def test_a_store_without_a_feed_may_have_every_other_part(guarantee: Guarantee, tmp_path: Path) -> None:
    silent = Harness(make=Silent, reopen=Silent, **HOOKS).subject(tmp_path)
    assert_kept(guarantee, silent, unclaimed(CHANGES), ABOUT_THE_FEED)


class TakesBack(Toy):
    """A store that nobody made a check for: it forgets the third reason that it was given."""

    def changes(self, tenant: str, after: str = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        return attrs.evolve(page, items=tuple(attrs.evolve(one, reason=None) for one in page.items))


class CountsFromZero(Toy):
    """Another: it gives the first entry of every ledger once more."""

    def ledger(self, tenant, streams, **options):  # type: ignore[no-untyped-def]  # as its base
        pages = super().ledger(tenant, streams, **options)
        return {name: Page((*page.items[:1], *page.items), page.next) for name, page in pages.items()}


class CountsWhoOnceCarried(Toy):
    """Another: its fan-out counts whoever carried a key, also those who no longer do."""

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        receipt = super().apply(batch, timeout=timeout)
        self.ever: dict[tuple[str, Key], set[Ref]] = getattr(self, "ever", {})
        for op in batch.ops:
            for key in getattr(op, "keys", ()):
                self.ever.setdefault((batch.tenant, key), set()).add(op.ref)  # type: ignore[union-attr]  # it has keys
        return receipt

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        counts = super().fanout(tenant, keys, cap=cap).items()
        ever = getattr(self, "ever", {})
        return {key: max(count, min(cap, len(ever.get((tenant, key), ())))) for key, count in counts}


@pytest.mark.parametrize("store", [TakesBack, CountsFromZero, CountsWhoOnceCarried])
def test_chance_finds_what_nobody_made_a_check_for(store: type[Toy], tmp_path: Path) -> None:
    subject = Harness(make=store, reopen=store, **HOOKS).subject(tmp_path)
    verdict = judge(REGISTRY["a_store_does_what_the_model_says"], subject)
    assert (verdict.status, verdict.raised) == ("FAIL", ""), verdict
    assert "after these calls:" in verdict.message


def test_chance_tells_the_fewest_calls_that_show_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a slow machine needs to find them."""
    monkeypatch.setattr("crmcore.testing.machine.running.SHRINKING", {"quick": 3600.0})
    subject = Harness(make=CountsFromZero).subject(tmp_path)
    verdict = judge(REGISTRY["a_store_does_what_the_model_says"], subject, deadline=3600.0)
    calls = verdict.message.partition("after these calls:\n")[2].splitlines()
    assert len(calls) == 1, verdict.message
    assert "Append" in calls[0] or "load" in calls[0]


def test_no_two_mutants_have_one_name() -> None:
    names = [mutant.__name__ for mutant in MUTANTS]
    assert sorted(set(names)) == sorted(names)
