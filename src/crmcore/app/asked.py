"""By what a batch that runs again knows whom it was asked about.

Invariant: what a journal keeps of it confirms no guess of an address or a name. Where the crm has secrets the journal
makes a keyed hash of the whole; where it has none, it keeps nothing, and whoever is asked about again is compared with
what was written then.
"""

from __future__ import annotations

from crmcore.app.flow import Flow
from crmcore.app.resolve import Reference, parties_named
from crmcore.app.whom import Whom


async def asked_about(flow: Flow, ref: Reference, point: str | None = None) -> tuple[Whom]:
    """What stands for *ref*, and for the contact point that is named, in what a verb of a batch was asked."""
    if flow.journal is None or not flow.journal.replaying:
        return (Whom(ref, point),)
    return (Whom(ref, point, frozenset(map(str, await parties_named(flow.reader(), ref)))),)
