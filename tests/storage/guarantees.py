"""All guarantees of a store, each an ``async def`` over `AsyncStore`, under the id that the storage page gives it."""

from __future__ import annotations

import tests.storage.guarantees_keep
import tests.storage.guarantees_read
import tests.storage.guarantees_write
from tests.storage.kit import REGISTRY, Guarantee

GUARANTEES: tuple[Guarantee, ...] = tuple(REGISTRY.values())

MODULES = (
    tests.storage.guarantees_keep,
    tests.storage.guarantees_read,
    tests.storage.guarantees_write,
)
"""Where the checks are: importing them fills the registry."""
