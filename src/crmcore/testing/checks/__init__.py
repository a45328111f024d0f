"""All guarantees of a store, each an ``async def`` over `AsyncStore`, under the id that the storage page gives it."""

from __future__ import annotations

import crmcore.testing.checks.bulk
import crmcore.testing.checks.keep
import crmcore.testing.checks.read
import crmcore.testing.checks.write  # noqa: F401  # importing the four fills the registry
from crmcore.testing.kit import REGISTRY, Guarantee

GUARANTEES: tuple[Guarantee, ...] = tuple(REGISTRY.values())
