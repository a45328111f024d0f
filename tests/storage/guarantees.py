"""All guarantees of a store, each an ``async def`` over `AsyncStore`, under the id that the storage page gives it."""

from __future__ import annotations

import tests.storage.guarantees_bulk
import tests.storage.guarantees_keep
import tests.storage.guarantees_read
import tests.storage.guarantees_write  # noqa: F401  # importing the four fills the registry
from tests.storage.kit import REGISTRY, Guarantee

GUARANTEES: tuple[Guarantee, ...] = tuple(REGISTRY.values())
