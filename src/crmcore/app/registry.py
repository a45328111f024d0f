"""The codecs of all rooms, joined once and never changed."""

from __future__ import annotations

from crmcore.app.frozen import CODECS as MATCHING
from crmcore.app.journal import CODECS as BATCH
from crmcore.consent.certificate import CODECS as CERTIFICATES
from crmcore.consent.ledger import CODECS as CONSENT
from crmcore.consent.rights_request import CODECS as RIGHTS
from crmcore.consent.suppression import CODECS as SUPPRESSION
from crmcore.consent.wishes import CODECS as WISHES
from crmcore.identity.identity_keys import CODECS as IDENTITY
from crmcore.interaction.lay import CODECS as INTERACTION
from crmcore.party.party_keys import CODECS as PARTY
from crmcore.serde import Codecs

REGISTRY = Codecs.of(
    PARTY, INTERACTION, CONSENT, WISHES, SUPPRESSION, RIGHTS, CERTIFICATES, IDENTITY, BATCH, MATCHING
)
"""Every kind of document that this crmcore reads and writes, by tag."""
