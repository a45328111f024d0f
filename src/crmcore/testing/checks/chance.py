"""Family A: whatever is asked in whichever order, a store does what the plain model does."""

from __future__ import annotations

from crmcore.testing.kit import Subject, guarantee
from crmcore.testing.machine import run_machine
from crmcore.testing.machine.running import LEAST


@guarantee("A", least=LEAST)
async def a_store_does_what_the_model_says(subject: Subject) -> None:
    """Batches, chunks, outcomes and pages in an order that chance chose are answered as the model answers them, and
    after each of them everything that can be read is what the model has. The store may be opened twice, closed and
    opened again, or restored into another meanwhile: that changes no answer."""
    await run_machine(subject)
