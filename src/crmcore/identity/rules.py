"""The first matcher: typed rules over normal forms, the same for every population, explained field by field.

Invariant: "same" needs agreement on two independent fields, or on one identifying value that nobody else has; a lone
name, street, birth date or phone is "unsure". Together the fields must rule out an accident among so many customers.
What contradicts (relatives, father and son, branches of an organization) is never outvoted by a shared household:
to join two customers is worse than to miss that two records are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

import attrs

from crmcore.identity.addresses import AddressForm
from crmcore.identity.comparison import years_apart
from crmcore.identity.evidence import EXCLUSIVE, reasons
from crmcore.identity.features import Features
from crmcore.identity.keys import blocking_keys
from crmcore.identity.matcher import Match, Reason, Verdict
from crmcore.identity.population import LEAST_SIZE, POINTS_A_BIT, Population

_COARSE = frozenset({"same region", "same country", "elsewhere region", "elsewhere country"})
_PERSONAL = frozenset({"e-mail", "identifier"})
_HOUSEHOLD = frozenset({"place", "phone"})
_OTHER_GIVEN_NAME = frozenset({"relatives", "strangers", "unlike"})
_OTHER_NAME = _OTHER_GIVEN_NAME | {"renamed", "rough"}
_GENERATION = 13
"""Namesakes of one household who were born so many years apart are a parent and a child; fewer may be an error."""


@attrs.frozen(kw_only=True)
class RuleMatcher:
    """Rules that need no training. All amounts are in bits.

    The fields together must be worth as many bits as it takes to number the customers, and *odds* more: 4 are sixteen
    to one that two records agree for being one customer and not by accident. With less than *surplus* beyond
    that a match is weak. Down to *doubt* bits below it is worth a person's look. *alone* is what a value must be worth
    to identify a customer all by itself; one that two different customers share is worth less in any population.

    A full name of rare words may be worth enough by itself; it still needs a second field that agrees, but then the
    country will do: whoever else bears that name would have to live there too.

    People of one household have much in common, so these are never the same customer, but "unsure" at most:

    - Two clearly different given names, whichever place, phone, mailbox, employer and birth date agree: these are
      twins, spouses, flatmates. Only an agreeing identifier of a scheme that issues one to each settles it. A short
      form ("Bob"), an initial or a misspelling of a given name is not clearly different.
    - Birth years a generation apart, whichever name, place, phone, shared mailbox, employer and occupation agree: these
      are father and son. Only a mailbox or identifier that identifies alone forgives it; years that lie nearer may be
      an error, since nobody gives two of their children one name.
    - A name and a birth year without its day: a common name has many bearers of each age.

    >>> from crmcore.identity.features import features_of_row
    >>> one = features_of_row({"full_name": "Ann Lee", "email": "ann@x.org"})
    >>> other = features_of_row({"full_name": "Lee, Ann", "email": "ANN@X.ORG"})
    >>> RuleMatcher().compare(one, other, Population()).verdict
    'same'
    """

    name: str = "rules/1"
    odds: int = 4
    surplus: int = 4
    doubt: int = 6
    alone: int = 18

    def keys(self, features: Features) -> frozenset[str]:
        """The texts under which records like this one are looked up."""
        return blocking_keys(features)

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        """Whether *a* and *b* are the same customer, among customers like those of *population*."""
        if a.kind != b.kind and "anonymous" not in (a.kind, b.kind):
            kinds = (a.kind, b.kind)
            return Match("different", 0, (Reason("kind", "different", 0, False, kinds),), contradicted=True)
        found = [*reasons(a, b, population)]
        fields = {reason.field: reason for reason in found}
        identified = self._identified(fields)
        other_years = not identified and _years(fields) >= _GENERATION
        if other_years:
            fields["birth date"] = _against(fields["birth date"])
            found = [fields[reason.field] for reason in found]
        score = sum([reason.points for reason in found])
        need = round(POINTS_A_BIT * (log2(max(population.size, LEAST_SIZE)) + self.odds))
        agreeing = _independent(fields)
        contradiction = other_years or _contradiction(
            fields, organizations="organization" in (a.kind, b.kind)
        )
        verdict: Verdict = "different"
        if (
            score >= need
            and (agreeing >= 2 or (identified and not _named_otherwise(fields)))
            and not contradiction
        ):
            verdict = "same"
        elif identified or (agreeing and score >= need - self.doubt * POINTS_A_BIT):
            verdict = "unsure"
        weak = verdict == "same" and score < need + self.surplus * POINTS_A_BIT
        return Match(verdict, score, tuple(found), weak, contradiction and not _perhaps(fields))

    def _identified(self, fields: Mapping[str, Reason]) -> bool:
        least = self.alone * POINTS_A_BIT
        return any(field in _PERSONAL and fields[field].points >= least for field in fields)


def _named_otherwise(fields: Mapping[str, Reason]) -> bool:
    """Whether both records name somebody, and not the same person: people who share a mailbox are not one customer."""
    name = fields.get("name")
    return name is not None and name.level in _OTHER_NAME


def _agrees(fields: Mapping[str, Reason], field: str) -> bool:
    reason = fields.get(field)
    return reason is not None and reason.agrees


def _independent(fields: Mapping[str, Reason]) -> int:
    """How many fields agree independently of each other.

    People of one household share address and phone: where the given names differ, the two are one field. A region or
    country is a field of its own only beside a name without any error: there are many similar names in a country.
    A year of birth is none beside a name alone.
    People of an organization are one only beside its whole name: people move within a group of companies.
    """
    agreeing = {field for field, reason in fields.items() if reason.agrees}
    name = fields.get("name")
    if name is None or name.level not in ("same", "close"):
        agreeing.discard("people")
    if name is not None and name.level != "same" and "place" in agreeing and fields["place"].level in _COARSE:
        agreeing.discard("place")
    shared = agreeing & _HOUSEHOLD
    if agreeing == {"name", "birth date"} and fields["birth date"].level == "year":
        return 1
    if name is not None and name.level in _OTHER_NAME and len(shared) == 2:
        return len(agreeing) - 1
    return len(agreeing)


def _contradiction(fields: Mapping[str, Reason], *, organizations: bool) -> bool:
    """Whether something says that these are two customers who have much in common.

    An identifier settles it: for two given names the same one, if its scheme issues one to each.
    """
    name = fields.get("name")
    if name is not None and name.level in _OTHER_GIVEN_NAME:
        return not _issued_once(fields.get("identifier"))
    if _agrees(fields, "identifier"):
        return False
    if organizations:
        return _branches(fields.get("place"))
    return name is not None and name.level == "generations"


def _perhaps(fields: Mapping[str, Reason]) -> bool:
    """Whether a contradiction may be an error, so that a third record may still bring the two together."""
    name = fields.get("name")
    if name is not None and (name.level in _OTHER_GIVEN_NAME or name.level == "generations"):
        return False
    return "birth date" in fields and _years(fields) < _GENERATION


def _issued_once(number: Reason | None) -> bool:
    if number is None or number.level != "same" or not number.agrees:
        return False
    return any(str(value).partition(":")[0].partition("@")[0] in EXCLUSIVE for value in number.values)


def _years(fields: Mapping[str, Reason]) -> int:
    """By how many years the birth dates differ."""
    if "birth date" not in fields:
        return 0
    one, other = map(str, fields["birth date"].values)
    return years_apart(one, other)


def _against(born: Reason) -> Reason:
    return attrs.evolve(born, points=min(born.points, 0), agrees=False) if born.agrees else born


def _branches(place: Reason | None) -> bool:
    """Whether both organizations have a door, and not the same one: branches share their name and switchboard."""
    if place is None or not place.level.startswith(("elsewhere", "different")):
        return False
    return all(isinstance(address, AddressForm) and address.door for address in place.values)
