"""Every mutant is killed, and by the check that is about the promise that it breaks."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path

import pytest

from crmcore.testing import Harness, run_kit
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.feedless import Feedless
from crmcore.testing.kit import REGISTRY
from crmcore.testing.promises import PROMISES
from crmcore.testing.running import judge
from crmcore.testing.toy import Toy, damaged, newer, older
from crmcore.testing.zoo import HOOKS, MUTANTS, Mutant, Waiting

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


def test_what_the_mutants_are_made_from_passes_the_highest_level(tmp_path: Path) -> None:
    harness = Harness(make=Toy, reopen=Toy, level="L5", older=older, newer=newer, damaged=damaged)
    report = run_kit(harness, tmp_path)
    assert report.passed, [one for one in report.verdicts if one.status != "PASS"]


def test_a_store_without_a_feed_passes_the_lowest_level(tmp_path: Path) -> None:
    report = run_kit(Harness(make=Feedless, level="L1"), tmp_path)
    assert report.passed, [one for one in report.verdicts if one.status == "FAIL"]


class TakesBack(Toy):
    """A store that nobody made a check for: it forgets the third reason that it was given."""

    def changes(self, tenant: str, after: str = "", limit: int = 500):  # type: ignore[no-untyped-def]  # as its base
        page = super().changes(tenant, after, limit)
        import attrs

        return attrs.evolve(page, items=tuple(attrs.evolve(one, reason=None) for one in page.items))


class CountsFromZero(Toy):
    """Another: it gives the first entry of every ledger once more."""

    def ledger(self, tenant, streams, **options):  # type: ignore[no-untyped-def]  # as its base
        from crmcore.storage import Page

        pages = super().ledger(tenant, streams, **options)
        return {name: Page((*page.items[:1], *page.items), page.next) for name, page in pages.items()}


@pytest.mark.parametrize("store", [TakesBack, CountsFromZero])
def test_a_mutant_that_nobody_made_a_check_for_fails_somewhere(store: type[Toy], tmp_path: Path) -> None:
    checks = [one for one in GUARANTEES if one.id != "A"]
    report = run_kit(Harness(make=store, reopen=store, **HOOKS), tmp_path, guarantees=checks)
    assert any(one.status == "FAIL" for one in report.verdicts)
