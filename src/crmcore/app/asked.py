"""By what a batch that runs again knows whom it was asked about.

Invariant: what a journal keeps of it confirms no guess of an address or a name. Where the crm has secrets the journal
makes a keyed hash of the whole; where it has none, people stand there by the ids of their records.
"""

from __future__ import annotations

from typing import Any

from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.resolve import Reference, parties_named, resolve


async def asked_about(flow: Flow, ref: Reference, point: str | None = None) -> tuple[Any, ...]:
    """What stands for *ref*, and for the contact point that is named, in what a verb of a batch was asked.

    Raises:
        NotFound: if nothing answers to *ref*.
        AmbiguousReference: if it fits several customers.
    """
    if flow.journal is None or flow.secrets is not None:
        return str(ref), point
    unit = flow.reader()
    named = sorted(map(str, await parties_named(unit, ref)))
    customer = await resolve(unit, ref)
    if point is None:
        return tuple(named), None
    # Which of the customer's it is: its number among them says nothing of it.
    parties = await load_parties(unit, customer.members)
    forms = sorted({one.key for party in parties for one in party.contact_points})
    said = {one.key for party in parties if (one := party.contact_point(point.strip())) is not None}
    return tuple(named), [number for number, form in enumerate(forms) if form in said]
