"""Who: person, organization, household; contact points; relationships."""

from crmcore.party.contact_point import ContactPoint, EmailPoint, OnlinePoint, PhonePoint, PostalPoint
from crmcore.party.extra import Extra
from crmcore.party.history import FieldChange, PartyAdded, PartyChanged, PartyEvent, differences, replay
from crmcore.party.party import (
    Anonymous,
    Household,
    ImportMark,
    Organization,
    Party,
    Person,
)
from crmcore.party.relationship import (
    EMPLOYMENT,
    MEMBERSHIP,
    PARENT_COMPANY,
    REPORTS_TO,
    TYPES,
    Relationship,
    RelationshipType,
    check_cycle,
    check_kinds,
    check_overlap,
)

__all__ = [
    "EMPLOYMENT",
    "MEMBERSHIP",
    "PARENT_COMPANY",
    "REPORTS_TO",
    "TYPES",
    "Anonymous",
    "ContactPoint",
    "EmailPoint",
    "Extra",
    "FieldChange",
    "Household",
    "ImportMark",
    "OnlinePoint",
    "Organization",
    "Party",
    "PartyAdded",
    "PartyChanged",
    "PartyEvent",
    "Person",
    "PhonePoint",
    "PostalPoint",
    "Relationship",
    "RelationshipType",
    "check_cycle",
    "check_kinds",
    "check_overlap",
    "differences",
    "replay",
]
