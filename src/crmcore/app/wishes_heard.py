"""A decision under the wishes of its customer.

Invariant: whoever is asked about, alone or among many, their wishes are heard in the same way; of a decision they leave
as much as it was, or less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmcore.app.contacts_since import contacts_since
from crmcore.app.unit import Unit
from crmcore.consent.contacts_made import since_when
from crmcore.consent.decision import Decision
from crmcore.consent.facts import Facts
from crmcore.consent.preferences import under_wishes, weigh
from crmcore.consent.request import Request
from crmcore.consent.topics import Topics
from crmcore.consent.wishes import Wish
from crmcore.consent.zones import is_zone
from crmcore.party.party import Party
from crmcore.values.language import Language


@attrs.frozen
class Hearing:
    """How wishes are heard: of a message in a *language*, by *topics*, as they were known at an instant or are now."""

    language: Language | None = None
    topics: Topics | None = None
    known_at: datetime | None = None

    def known(self, wish: Wish) -> bool:
        """Whether it is a wish that was known then."""
        return self.known_at is None or (wish.recorded_at or wish.said_at) <= self.known_at

    async def hear(
        self,
        unit: Unit,
        request: Request,
        decision: Decision,
        wishes: Iterable[Wish],
        told: Mapping[Party, Facts],
        joined: Mapping[str, datetime],
        about: str | None,
    ) -> Decision:
        """*decision* on a *request* under *wishes*.

        *told* is what the app says of each record, *joined* since when it belongs to the customer, *about* the contact
        point that would be used. The timeline is read of whom a cap is about, and as far back as that counts.
        """
        known = [wish for wish in wishes if self.known(wish)]
        since = since_when(request, known, decision.purpose)
        members = [party.id for party in told]
        verdict = weigh(
            request,
            known,
            attempts=[one for facts in told.values() for one in facts.attempts],
            interactions=[] if since is None else await contacts_since(unit, members, since, self.known_at),
            zones=_zones(told, about),
            joined=joined,
            language=self.language,
            topics=self.topics,
            taken_for=decision.purpose,
        )
        return under_wishes(decision, verdict)


def _zones(told: Mapping[Party, Facts], about: str | None) -> list[str]:
    """Where the person may be: by all records, if it is known of each that has the point."""
    names = {party: facts.zones or _own_zone(party) for party, facts in told.items()}
    owners = [
        party for party in told if about is None or about in {point.key for point in party.contact_points}
    ]
    if not all(names[party] for party in owners):
        return []
    return list(dict.fromkeys(name for some in names.values() for name in some))


def _own_zone(party: Party) -> tuple[str, ...]:
    return () if party.zone is None or not is_zone(party.zone) else (party.zone,)
