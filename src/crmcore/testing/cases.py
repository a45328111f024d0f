"""The kit as tests of pytest: one line in a test file, one test for each check.

Invariant: the tests are made from the manifest of the kit, so none can be left out or overridden by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from crmcore.errors import MissingExtra
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import REGISTRY, holds
from crmcore.testing.manifest import MANIFEST
from crmcore.testing.running import BUDGETS, Harness, judge, problems_of
from crmcore.testing.subjects import Given

LEVEL = "the_store_is_of_its_level"


def conformance(
    *,
    make: Callable[[Path], Given],
    reopen: Callable[[Path], Given] | None = None,
    level: str = "L1",
    older: Callable[[Path], object] | None = None,
    newer: Callable[[Path], object] | None = None,
    damaged: Callable[[Path], object] | None = None,
    files: Callable[[Path], Iterable[Path]] | None = None,
    budget: str = "quick",
    minutes: float = 60.0,
    seed: int = 0,
) -> Callable[..., None]:
    """A test function of pytest that asks a store for everything that it claims, as one test for each check.

    *make* gives a fresh, empty store at a folder, and *reopen* opens it again; what the other arguments are says
    `Harness`. A part that the store does not claim is seen to be refused, and its tests are
    then skipped with the store's own reason; a part that *level* asks for may not be missing. Skipped too, with the
    reason, is what cannot come up with this store; what it claims and no hook lets the kit look at is a failure.

    Raises:
        MissingExtra: if pytest is not installed.
        ValueError: if there is no such *level* or *budget*.
    """
    try:
        pytest: Any = import_module("pytest")
    except ImportError:
        raise MissingExtra("conformance() makes tests of pytest: pip install 'crmcore[testing]'") from None
    harness = Harness(
        make=make, reopen=reopen, level=level, older=older, newer=newer, damaged=damaged, files=files
    )
    if budget not in BUDGETS:
        raise ValueError(f"the budgets are {', '.join(BUDGETS)}")
    cases = [LEVEL, *dict.fromkeys([*MANIFEST, *REGISTRY])]

    def test_conformance(check: str, tmp_path: Path) -> None:
        __tracebackhide__ = True  # what failed is in the message, not in the lines of the kit
        if check == LEVEL:
            _of_its_level(harness, tmp_path)
            return
        holds(check in REGISTRY, f"the kit has a check {check}, which is not registered")
        verdict = judge(REGISTRY[check], harness.subject(tmp_path, budget=budget, minutes=minutes, seed=seed))
        if verdict.status in ("NOT CLAIMED", "NOT ASKED"):
            pytest.skip(f"{verdict.status}: {verdict.message}")
        holds(verdict.status == "PASS", f"{verdict.status}: {verdict.message}")

    test_conformance.harness = harness  # type: ignore[attr-defined]  # for `crmcore testkit run`
    ids = [f"{REGISTRY[case].id}-{case}" if case in REGISTRY else case for case in cases]
    marked: Callable[..., None] = pytest.mark.parametrize("check", cases, ids=ids)(test_conformance)
    return marked


def _of_its_level(harness: Harness, folder: Path) -> None:
    description = harness.subject(folder).probe()
    problems = problems_of(description, level=harness.level, reopen=harness.reopen is not None)
    holds(not problems, "; ".join(problems))
    holds(GUARANTEES, "the kit has no checks")
