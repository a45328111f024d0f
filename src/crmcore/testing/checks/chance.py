"""Family A: whatever is asked in whichever order, a store does what the plain model does."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from crmcore.errors import MissingExtra
from crmcore.testing.kit import Subject, guarantee


@guarantee(
    "A", least={"batches applied": 60, "batches refused": 10, "stale checks": 3, "batches sent again": 5}
)
async def a_store_does_what_the_model_says(subject: Subject) -> None:
    """Batches, chunks, outcomes and pages in an order that chance chose are answered as the model answers them, and
    after each of them everything that can be read is what the model has."""
    try:
        machine: Any = import_module("crmcore.testing.machine")
    except ImportError:
        raise MissingExtra("random calls need hypothesis: pip install 'crmcore[testing]'") from None
    await asyncio.to_thread(machine.run_machine, subject)  # the machine has an event loop of its own
