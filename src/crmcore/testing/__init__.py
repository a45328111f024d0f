"""For authors of stores: the conformance kit, which checks every promise of a store and has been seen to fail.

Its checks use the exclusive namespaces of `EXCLUSIVE`, which is `crmcore.storage.EXCLUSIVE`: what a store has if it is
not told otherwise. The one namespace of ordered keys that all checks use, `INSTANTS`, holds instants: a store that
hides texts, and so keeps no order of them (``ordered_text``), keeps this one.
"""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.testing.cases import conformance
    from crmcore.testing.checks import GUARANTEES
    from crmcore.testing.faulty import Fault, Faulty, scripted, seeded
    from crmcore.testing.kit import EXCLUSIVE, INSTANTS, Broken, Inconclusive, Unusable
    from crmcore.testing.promises import LEVELS, PROMISES
    from crmcore.testing.running import BUDGETS, Harness, run_kit
    from crmcore.testing.selftest import SelfTest, run_selftest
    from crmcore.testing.verdicts import Answer, Report, Verdict

__all__ = [
    "BUDGETS",
    "EXCLUSIVE",
    "GUARANTEES",
    "INSTANTS",
    "LEVELS",
    "PROMISES",
    "Answer",
    "Broken",
    "Fault",
    "Faulty",
    "Harness",
    "Inconclusive",
    "Report",
    "SelfTest",
    "Unusable",
    "Verdict",
    "conformance",
    "run_kit",
    "run_selftest",
    "scripted",
    "seeded",
]

__getattr__ = lazily(
    __name__,
    {
        "cases": "conformance",
        "checks": "GUARANTEES",
        "faulty": "Fault Faulty scripted seeded",
        "kit": "EXCLUSIVE INSTANTS Broken Inconclusive Unusable",
        "promises": "LEVELS PROMISES",
        "running": "BUDGETS Harness run_kit",
        "selftest": "SelfTest run_selftest",
        "verdicts": "Answer Report Verdict",
    },
)
