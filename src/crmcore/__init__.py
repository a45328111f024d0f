"""crmcore: a consistent customer model for any app.

>>> from crmcore import Crm, Person
>>> with Crm.open() as crm:
...     ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
...     crm.customers.view("ann@x.org").name
'Ann Lee'
"""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.app import AsyncCrm, Crm
    from crmcore.consent import Decision
    from crmcore.errors import CrmError
    from crmcore.identity import Judgement, Match, Matcher, RuleMatcher, SurvivorshipPolicy
    from crmcore.interaction import Interaction, Participant
    from crmcore.party import Anonymous, Extra, Household, Organization, Party, Person, Relationship
    from crmcore.values import (
        Actor,
        BusinessCalendar,
        EmailAddress,
        Identifier,
        Language,
        Money,
        OrganizationName,
        PartialDate,
        Period,
        PersonName,
        PhoneNumber,
        PostalAddress,
        Source,
    )
    from crmcore.view import CustomerView

__version__ = "0.1.0.dev0"

__all__ = [
    # the app
    "AsyncCrm",
    "Crm",
    "CrmError",
    # who
    "Anonymous",
    "Extra",
    "Household",
    "Organization",
    "Party",
    "Person",
    "Relationship",
    # what happened, who is who, may we
    "CustomerView",
    "Decision",
    "Interaction",
    "Judgement",
    "Match",
    "Matcher",
    "Participant",
    "RuleMatcher",
    "SurvivorshipPolicy",
    # values
    "Actor",
    "BusinessCalendar",
    "EmailAddress",
    "Identifier",
    "Language",
    "Money",
    "OrganizationName",
    "PartialDate",
    "Period",
    "PersonName",
    "PhoneNumber",
    "PostalAddress",
    "Source",
    "__version__",
]

__getattr__ = lazily(
    __name__,
    {
        "app": "AsyncCrm Crm",
        "errors": "CrmError",
        "party": "Anonymous Extra Household Organization Party Person Relationship",
        "view": "CustomerView",
        "consent": "Decision",
        "interaction": "Interaction Participant",
        "identity": "Judgement Match Matcher RuleMatcher SurvivorshipPolicy",
        "values": (
            "Actor BusinessCalendar EmailAddress Identifier Language Money OrganizationName PartialDate Period "
            "PersonName PhoneNumber PostalAddress Source"
        ),
    },
)
