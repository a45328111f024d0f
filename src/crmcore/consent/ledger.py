"""How consent lies on a store: a ledger for each contact point, and one for each party.

Invariant: an act is appended once, to the ledger of the address or of each record of the person that it is about, and
never changed. A contact point is found by every normal form that it has, and belongs to one ledger: its key in the
exclusive namespace ``member`` tells whether it has one, until a commit.
"""

from __future__ import annotations

from typing import Any

import attrs

from crmcore.consent.event import ConsentEvent
from crmcore.party.contact_point import EmailPoint, OnlinePoint, PhonePoint, PostalPoint
from crmcore.party.party_keys import MEMBER, key
from crmcore.serde import Codec
from crmcore.storage.protocol import Key
from crmcore.values.ids import Id
from crmcore.values.personal import Document

POINT = "contact_point"

Point = EmailPoint | PhonePoint | PostalPoint | OnlinePoint


@attrs.frozen(kw_only=True)
class LedgerPoint(Document):
    """A contact point that acts are about. What it is stands in its keys alone."""

    id: Id | None = None
    version: int = 0
    kind: str


CONTACT_POINT: Codec[LedgerPoint] = Codec(tag="contact_point", type=LedgerPoint)
CODECS: tuple[Codec[Any], ...] = (CONTACT_POINT, Codec(tag="consent.event", type=ConsentEvent))


def point_key(kind: str, normal: str) -> Key:
    """The key of a contact point's normal form."""
    return key(POINT, f"{kind}:{normal}")


def belonging_key(kind: str, normal: str) -> Key:
    """The exclusive key of the ledger that a contact point belongs to. Those of older stores have none."""
    return key(MEMBER, f"{kind}:{normal}")


def point_stream(id: str) -> str:
    """The ledger of acts about a contact point."""
    return f"consent:cp:{id}"


def point_of(stream: str | None) -> str | None:
    """The id of the contact point whose ledger that is; None if it is none of a contact point.

    >>> point_of(point_stream("p-1")), point_of(party_stream("r-1"))
    ('p-1', None)
    """
    before, sign, id = (stream or "").partition(point_stream(""))
    return id if sign and not before else None


def party_stream(id: str) -> str:
    """The ledger of acts about a person, as a record of them."""
    return f"consent:party:{id}"


def wish_stream(id: str) -> str:
    """The ledger of what a person wishes, as a record of them."""
    return f"wishes:party:{id}"
