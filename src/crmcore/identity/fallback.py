"""What decides where nothing can be learned: the rules, held to what the learner was told.

Invariant: a field that must not be used for linking is not used by the rules either, and what the policy's own rules
forbid or demand holds whether or not there is a model.
"""

from __future__ import annotations

from collections.abc import Container

import attrs

from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match, Reason, Verdict
from crmcore.identity.model.columns import COLUMNS
from crmcore.identity.model.encoding import encode
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.patterns import Comparer, levels_of
from crmcore.identity.model.policy import USUAL_RULES
from crmcore.identity.population import Population
from crmcore.identity.rules import RuleMatcher

_STANDARD = frozenset(column.name for column in COLUMNS)


def seen_by(matcher: Matcher, record: Features) -> Features:
    """*record* with the fields alone that *matcher* compares.

    >>> from crmcore.identity.features import features_of_row
    >>> record = features_of_row({"full_name": "Ann Lee", "email": "ann@x.org"})
    >>> seen_by(Matcher.for_fields(without=["email"]), record).emails
    ()
    """
    # A column with a source of its own takes its values where it likes: what it may see is for its author to say.
    hidden = _STANDARD - {column.name for column in matcher.columns}
    if not hidden or any(column.source is not None for column in matcher.columns):
        return record
    names = tuple(
        name._replace(
            given=() if "given name" in hidden else name.given,
            family=() if "family name" in hidden else name.family,
            generation="" if "generation" in hidden else name.generation,
        )
        for name in record.names
    )
    place = {"postcode", "city", "region", "country"} - hidden
    addresses = tuple(_only(address, place, street="street" not in hidden) for address in record.addresses)
    return attrs.evolve(
        record,
        names=tuple(sorted({name for name in names if name.given or name.family})),
        addresses=tuple(sorted({address for address in addresses if any(address)})),
        birth_dates=() if "birth date" in hidden else record.birth_dates,
        emails=() if "e-mail" in hidden else record.emails,
        phones=() if "phone" in hidden else record.phones,
        identifiers=() if "identifier" in hidden else record.identifiers,
        occupation="" if "occupation" in hidden else record.occupation,
        organizations=() if "organization name" in hidden else record.organizations,
        employers=() if "employer" in hidden else record.employers,
    )


def _only(address: AddressForm, place: Container[str], *, street: bool) -> AddressForm:
    shown = address if street else AddressForm()
    return shown._replace(
        postcode=address.postcode if "postcode" in place else "",
        city=address.city if "city" in place else "",
        region=address.region if "region" in place else "",
        country=address.country if "country" in place else "",
    )


@attrs.frozen
class FallbackMatcher:
    """The rules, seeing what *learner* would compare, and under the rules of its policy."""

    learner: Matcher = Matcher()
    rules: RuleMatcher = RuleMatcher()

    @property
    def name(self) -> str:
        """The name of the rules."""
        return self.rules.name

    def keys(self, features: Features) -> frozenset[str]:
        """The texts under which records like this one are looked up."""
        return self.rules.keys(seen_by(self.learner, features))

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        """What the rules say, unless a rule of the policy says otherwise."""
        one, other = seen_by(self.learner, a), seen_by(self.learner, b)
        match = self.rules.compare(one, other, population)
        # The rules have a way of their own with what the usual policy rules speak of.
        if set(self.learner.policy.rules) <= set(USUAL_RULES):
            return match
        columns = self.learner.columns
        levels = levels_of(Comparer(encode([one, other], columns)).pattern(0, 1), len(columns))
        named = {column.name: level for column, level in zip(columns, levels, strict=False)}
        rule = self.learner.policy.ruling(named)
        if rule is None or rule in USUAL_RULES:
            return match
        verdict: Verdict = rule.ruling
        if verdict == "related" and match.verdict != "same":
            return match
        return attrs.evolve(
            match,
            verdict=verdict,
            score=max(match.score, 0),
            reasons=(*match.reasons, Reason("rule", rule.name, max(match.score, 0) - match.score, False)),
            weak=False,
            contradicted=verdict == "different",
        )
