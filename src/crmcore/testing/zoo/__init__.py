"""The zoo: stores that break one promise each, to show that the checks can fail.

Invariant: every mutant is killed by the check that it names, or this kit is not released.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from crmcore.testing.zoo.cancelling import Waiting
from crmcore.testing.zoo.mutant import HOOKS, Mutant

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

MUTANTS: tuple[type[Mutant | Waiting], ...] = tuple(
    sorted([*Mutant.__subclasses__(), *Waiting.__subclasses__()], key=lambda mutant: mutant.__name__)
)

__all__ = ["HOOKS", "MUTANTS", "Mutant", "Waiting"]
