"""All guarantees of a store, each an ``async def`` over `AsyncStore`, under the id that the storage page gives it.

Invariant: every module of this package is asked for its checks; what the manifest of the kit names must be among them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from crmcore.testing.kit import REGISTRY, Guarantee

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

GUARANTEES: tuple[Guarantee, ...] = tuple(REGISTRY.values())
