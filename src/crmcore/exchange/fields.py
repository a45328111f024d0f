"""What a column can be mapped to.

Invariant: every field is named once, here; a field either takes one column or several, and says so.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.values.frozen_map import FrozenMap

Holds = Literal["name", "organization", "email", "phone", "date", "url", "country", "text"]
"""What the values of a field look like, for comparing a column's name with what is in it."""


@attrs.frozen(kw_only=True)
class Field:
    """A target of the mapping. *many*: several columns may be mapped to it."""

    name: str
    holds: Holds
    says: str
    many: bool = False


def _fields() -> FrozenMap[str, Field]:
    made = (
        Field(name="full_name", holds="name", says="the whole name of a person"),
        Field(name="given_name", holds="name", says="given names"),
        Field(name="middle_name", holds="name", says="middle names"),
        Field(name="family_name", holds="name", says="family names"),
        Field(name="honorific", holds="text", says="a title such as Dr"),
        Field(name="org_name", holds="organization", says="the name of an organization"),
        Field(name="birth_date", holds="date", says="a date of birth"),
        Field(name="email", holds="email", says="an e-mail address", many=True),
        Field(name="phone", holds="phone", says="a telephone number", many=True),
        Field(name="fax", holds="phone", says="a fax number", many=True),
        Field(name="street_no", holds="text", says="a house number"),
        Field(name="street", holds="text", says="a street, with or without the house number"),
        Field(name="address", holds="text", says="lines of an address as they are written", many=True),
        Field(name="city", holds="text", says="a town"),
        Field(name="postcode", holds="text", says="a postal code"),
        Field(name="region", holds="text", says="a state, province or county"),
        Field(name="country", holds="country", says="a country, by code or name"),
        Field(name="national_id", holds="text", says="a number that a state gave the person"),
        Field(name="occupation", holds="text", says="a profession or position"),
        Field(name="employer", holds="organization", says="the organization that the person works for"),
        Field(name="language", holds="text", says="a language tag such as en"),
        Field(name="website", holds="url", says="a web address", many=True),
        Field(name="tag", holds="text", says="labels, with commas or semicolons between them", many=True),
        Field(name="contact_date", holds="date", says="when a contact took place: an interaction"),
        Field(name="contact_subject", holds="text", says="what that contact was about"),
        Field(name="observed_on", holds="date", says="when the source saw all this"),
        Field(name="note", holds="text", says="a remark"),
    )
    return FrozenMap({field.name: field for field in made})


FIELDS: FrozenMap[str, Field] = _fields()
"""All fields by name."""

IGNORE = "ignore"
"""Mapped to this, a column is kept as an extra, whatever it looks like."""

READY = frozenset(
    "given_name family_name full_name org_name birth_date email phone street_no street city postcode region "
    "country national_id occupation employer".split()
)
"""Columns that bear these very names need no mapping."""

TRUTH = frozenset({"cluster", "clusterid", "trueid", "truth", "groundtruth", "truecluster"})
"""Squeezed names of columns that hold the answer to who is who; they are never read."""

ROW_ID = "recid"
"""The squeezed name of the column that may serve as the record id without being named."""
