"""What a field can hold: strict to parse, lossless to store, silent about personal content."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.values.calendar import BusinessCalendar
    from crmcore.values.email import EmailAddress
    from crmcore.values.frozen_map import FrozenMap
    from crmcore.values.identifier import Identifier
    from crmcore.values.ids import CustomerId, Id, Ids, InteractionId, JudgementId, PartyId, RelationshipId
    from crmcore.values.language import Language
    from crmcore.values.moment import Moment
    from crmcore.values.money import Money
    from crmcore.values.organization_name import OrganizationName
    from crmcore.values.partial_date import PartialDate
    from crmcore.values.period import Period
    from crmcore.values.person_name import NamePart, PersonName
    from crmcore.values.personal import Document, field_classes, personal
    from crmcore.values.phone import PhoneNumber
    from crmcore.values.postal_address import PostalAddress
    from crmcore.values.source import SYSTEM, Actor, Source

__all__ = [
    "SYSTEM",
    "Actor",
    "BusinessCalendar",
    "CustomerId",
    "Document",
    "EmailAddress",
    "FrozenMap",
    "Id",
    "Identifier",
    "Ids",
    "InteractionId",
    "JudgementId",
    "Language",
    "Moment",
    "Money",
    "NamePart",
    "OrganizationName",
    "PartialDate",
    "PartyId",
    "Period",
    "PersonName",
    "PhoneNumber",
    "PostalAddress",
    "RelationshipId",
    "Source",
    "field_classes",
    "personal",
]

__getattr__ = lazily(
    __name__,
    {
        "calendar": "BusinessCalendar",
        "email": "EmailAddress",
        "frozen_map": "FrozenMap",
        "identifier": "Identifier",
        "ids": "CustomerId Id Ids InteractionId JudgementId PartyId RelationshipId",
        "language": "Language",
        "moment": "Moment",
        "money": "Money",
        "organization_name": "OrganizationName",
        "partial_date": "PartialDate",
        "period": "Period",
        "person_name": "NamePart PersonName",
        "personal": "Document field_classes personal",
        "phone": "PhoneNumber",
        "postal_address": "PostalAddress",
        "source": "SYSTEM Actor Source",
    },
)
