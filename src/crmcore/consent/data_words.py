"""Kinds of personal data: one vocabulary for the packs and for those who ask.

Invariant: a word that is not among these is not known to any law, so that nobody can tell what it asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmcore.consent.checking import together

SENSITIVE = frozenset(
    {
        "account_credentials",
        "biometric",
        "citizenship",
        "contents_of_messages",
        "criminal_record",
        "ethnic_origin",
        "financial",
        "genetic",
        "government_id",
        "health",
        "immigration_status",
        "neural",
        "philosophical_belief",
        "political_opinion",
        "precise_geolocation",
        "religion",
        "sensitive",
        "sex_life",
        "sexual_orientation",
        "trade_union",
    }
)
"""What some law protects more than the rest."""

ORDINARY = frozenset(
    {
        "address",
        "age",
        "birth_date",
        "browsing",
        "contact",
        "cookies",
        "demographics",
        "device",
        "email",
        "interests",
        "ip_address",
        "language",
        "location",
        "loyalty",
        "name",
        "newsletter_clicks",
        "orders",
        "payment",
        "phone",
        "preferences",
        "profile",
        "purchases",
        "subscriptions",
        "transactions",
        "usage",
    }
)
"""What is protected as all personal data are."""

KNOWN = SENSITIVE | ORDINARY

ALSO: Mapping[str, str] = {
    "biometrics": "biometric",
    "browsing_history": "browsing",
    "clicks": "newsletter_clicks",
    "criminal_convictions": "criminal_record",
    "criminal_offences": "criminal_record",
    "date_of_birth": "birth_date",
    "disability": "health",
    "email_address": "email",
    "ethnicity": "ethnic_origin",
    "financial_account": "financial",
    "genetics": "genetic",
    "geolocation_precise": "precise_geolocation",
    "health_data": "health",
    "medical": "health",
    "order_history": "orders",
    "phone_number": "phone",
    "philosophical_beliefs": "philosophical_belief",
    "political_opinions": "political_opinion",
    "postal_address": "address",
    "purchase_history": "purchases",
    "race": "ethnic_origin",
    "racial_or_ethnic_origin": "ethnic_origin",
    "racial_origin": "ethnic_origin",
    "religious_belief": "religion",
    "religious_beliefs": "religion",
    "social_security_number": "government_id",
    "trade_union_membership": "trade_union",
    "union_membership": "trade_union",
}
"""Other words for the same."""


def kinds_of_data(words: Iterable[str]) -> frozenset[str]:
    """Those kinds of data, each by its one word; a word that is not known stays as it is.

    >>> sorted(kinds_of_data(["religious_beliefs", "shoe_size"]))
    ['religion', 'shoe_size']
    """
    return frozenset(ALSO.get(word, word) for word in together(words))
