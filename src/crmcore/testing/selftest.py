"""Whether the kit can fail: every store of the zoo against the check that it was made for, and good stores against all.

Invariant: a mutant counts as killed only if its own check finds a promise broken. One that dies of an error of its own
is rotten, and shows nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from crmcore.testing.feedless import Feedless
from crmcore.testing.kit import REGISTRY
from crmcore.testing.manifest import KIT
from crmcore.testing.running import Harness, Progress, judge, run_kit
from crmcore.testing.shipped import SHIPPED
from crmcore.testing.toy import Toy
from crmcore.testing.verdicts import Report
from crmcore.testing.zoo import HOOKS, MUTANTS

REFERENCES: Mapping[str, Harness] = {
    "memory": SHIPPED["memory"],
    "sqlite": SHIPPED["sqlite"],
    "toy": Harness(make=Toy, reopen=Toy, level="L5", **HOOKS),
    "feedless": Harness(make=Feedless, level="L1"),
}
"""Good stores: what fails over one of these is a fault of the kit, or of the store."""


@attrs.frozen(kw_only=True)
class SelfTest:
    """What a self-test found: the names of the mutants that were *killed* and that *survived* the check made for them,
    those that are *rotten* (they died of an error of their own), the checks that no mutant is made for, and the
    reports of good stores."""

    killed: tuple[str, ...]
    survived: tuple[str, ...]
    rotten: tuple[str, ...]
    unproven: tuple[str, ...]
    references: Mapping[str, Report]
    seconds: float
    kit: str = KIT

    @property
    def passed(self) -> bool:
        """Whether this kit can be trusted: every check has a mutant, every mutant was killed, and every good
        store passed."""
        bad = self.survived or self.rotten or self.unproven
        return bool(self.killed) and not bad and all(one.passed for one in self.references.values())

    def document(self) -> dict[str, Any]:
        """The self-test as one JSON document."""
        return {
            "kit": self.kit,
            "passed": self.passed,
            "mutants": len(self.killed) + len(self.survived) + len(self.rotten),
            "killed": list(self.killed),
            "survived": list(self.survived),
            "rotten": list(self.rotten),
            "unproven": list(self.unproven),
            "seconds": round(self.seconds, 2),
            "references": {name: report.document() for name, report in self.references.items()},
        }


def run_selftest(folder: Path, *, progress: Progress = lambda stage, done, total: None) -> SelfTest:
    """Run the zoo and the good stores. *folder* is empty, and what is made there stays."""
    began = time.monotonic()
    killed: list[str] = []
    survived: list[str] = []
    rotten: list[str] = []
    for number, mutant in enumerate(MUTANTS):
        progress("mutants", number, len(MUTANTS))
        zoo = Harness(make=mutant, reopen=mutant, **HOOKS)
        verdict = judge(REGISTRY[mutant.caught_by], zoo.subject(folder / mutant.__name__))
        into = survived if verdict.status != "FAIL" else rotten if verdict.raised else killed
        into.append(mutant.__name__)
    proven = {mutant.caught_by for mutant in MUTANTS}
    reports = {}
    for name, harness in REFERENCES.items():
        around = name in (
            "toy",
            "feedless",
        )  # these are little more than the store in memory, which is asked first
        reports[name] = run_kit(harness, folder / "good" / name, brief=around, progress=progress)
    return SelfTest(
        killed=tuple(killed),
        survived=tuple(survived),
        rotten=tuple(rotten),
        unproven=tuple(name for name in REGISTRY if name not in proven),
        references=reports,
        seconds=time.monotonic() - began,
    )
