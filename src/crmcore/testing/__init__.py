"""For authors of stores: the conformance kit, which checks every promise of a store and has been seen to fail."""

from crmcore.testing.conformance import conformance
from crmcore.testing.kit import EXCLUSIVE, INSTANTS, Broken, Inconclusive, Unusable
from crmcore.testing.running import BUDGETS, Harness, run_kit
from crmcore.testing.verdicts import Answer, Report, Verdict

__all__ = [
    "BUDGETS",
    "EXCLUSIVE",
    "INSTANTS",
    "Answer",
    "Broken",
    "Harness",
    "Inconclusive",
    "Report",
    "Unusable",
    "Verdict",
    "conformance",
    "run_kit",
]
