"""Invented rows for the tests of matching, and short ways to compare them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crmcore.identity.deduplication import Deduplication, dedupe
from crmcore.identity.features import Features, features_of_row
from crmcore.identity.matcher import Match
from crmcore.identity.population import Population
from crmcore.identity.rules import RuleMatcher

MATCHER = RuleMatcher()


def row(**values: str) -> Features:
    """The features of a row."""
    return features_of_row(values)


def compared(one: Features, other: Features, population: Population | None = None) -> Match:
    """What the rules say of two records, among customers in general if no *population* is given."""
    return MATCHER.compare(one, other, population or Population())


def deduped(records: Sequence[Features], **decided: Any) -> Deduplication:
    """The records grouped by the rules."""
    return dedupe(records, MATCHER, **decided)


def together(records: Sequence[Features], **decided: Any) -> set[frozenset[Features]]:
    """The groups as sets of features, whatever the order and number of the records."""
    groups = deduped(records, **decided).groups
    return {frozenset(records[position] for position in group) for group in groups}


ANN = row(full_name="Ann Lee", birth_date="1985-04-12", email="ann.lee@x.org", street="5 Oak St", city="York")
STRANGERS = tuple(
    row(given_name=f"{first}{last[:2].lower()}", family_name=f"{last}{first[:3].lower()}", city=city)
    for first in ("Olaf", "Pia", "Uwe", "Wim", "Zoe", "Hal")
    for last, city in (("Brandt", "Kiel"), ("Castro", "Vigo"), ("Dvorak", "Brno"), ("Egede", "Nuuk"))
)
"""Two dozen people who have nothing in common but four cities."""
