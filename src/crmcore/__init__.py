"""crmcore: a consistent customer model for any app.

>>> from crmcore import Crm, Person
>>> with Crm.open() as crm:
...     ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
...     crm.customers.view("ann@x.org").name
'Ann Lee'
"""

# values
# the app
from crmcore.app import AsyncCrm, Crm

# what happened, who is who, may we
from crmcore.consent import Decision
from crmcore.errors import CrmError
from crmcore.identity import Judgement, Match, Matcher, RuleMatcher, SurvivorshipPolicy
from crmcore.interaction import Interaction, Participant

# who
from crmcore.party import Anonymous, Extra, Household, Organization, Party, Person, Relationship
from crmcore.values.calendar import BusinessCalendar
from crmcore.values.email import EmailAddress
from crmcore.values.identifier import Identifier
from crmcore.values.language import Language
from crmcore.values.money import Money
from crmcore.values.organization_name import OrganizationName
from crmcore.values.partial_date import PartialDate
from crmcore.values.period import Period
from crmcore.values.person_name import PersonName
from crmcore.values.phone import PhoneNumber
from crmcore.values.postal_address import PostalAddress
from crmcore.values.source import Actor, Source
from crmcore.view import CustomerView

__version__ = "0.1.0.dev0"

__all__ = [
    "Actor",
    "Anonymous",
    "AsyncCrm",
    "BusinessCalendar",
    "Crm",
    "CrmError",
    "CustomerView",
    "Decision",
    "EmailAddress",
    "Extra",
    "Household",
    "Identifier",
    "Interaction",
    "Judgement",
    "Language",
    "Match",
    "Matcher",
    "Money",
    "Organization",
    "OrganizationName",
    "Participant",
    "Party",
    "PartialDate",
    "Period",
    "Person",
    "PersonName",
    "PhoneNumber",
    "PostalAddress",
    "Relationship",
    "RuleMatcher",
    "Source",
    "SurvivorshipPolicy",
    "__version__",
]
