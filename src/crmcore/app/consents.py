"""`crm.consent`: may we contact them, for this, this way, now, and why.

Invariant: a reference that leads to nobody is an error, never a permission.
"""

from __future__ import annotations

import attrs

from crmcore.app.flow import Flow
from crmcore.app.resolve import Reference, resolve
from crmcore.consent.decision import Decision, decide


@attrs.frozen
class AsyncConsents:
    """Decisions about contact."""

    _flow: Flow

    async def decide(self, ref: Reference, *, purpose: str, channel: str) -> Decision:
        """May this customer be contacted for *purpose* through *channel*?

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        await resolve(self._flow.reader(), ref)
        return decide(purpose=purpose, channel=channel)
