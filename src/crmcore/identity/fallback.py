"""What decides where nothing can be learned: the rules, held to what the learner was told.

Invariant: a field that must not be used for linking is not used by the rules either, and what the policy's own rules
forbid or demand holds whether or not there is a model.
"""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property

import attrs

from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match, Reason, Verdict
from crmcore.identity.model.columns import COLUMNS
from crmcore.identity.model.encoding import encode
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.patterns import Comparer, levels_of
from crmcore.identity.model.policy import USUAL_RULES, Policy, Rule
from crmcore.identity.model.scoring import LearnedMatcher
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
    hidden = _STANDARD - {column.name for column in matcher.columns}
    if not hidden:
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
    emails = () if "e-mail" in hidden else record.emails
    phones = () if "phone" in hidden else record.phones
    return attrs.evolve(
        record,
        names=tuple(sorted({name for name in names if name.given or name.family})),
        addresses=tuple(sorted({address for address in addresses if any(address)})),
        birth_dates=() if "birth date" in hidden else record.birth_dates,
        emails=emails,
        phones=phones,
        shared=record.shared & {*emails, *phones},
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


@attrs.frozen(slots=False)
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
        match = self.rules.compare(seen_by(self.learner, a), seen_by(self.learner, b), population)
        rule = self.ruling(a, b)
        if rule is None or (rule.ruling == "related" and match.verdict == "different"):
            return match
        verdict: Verdict = rule.ruling
        return attrs.evolve(
            match,
            verdict=verdict,
            score=max(match.score, 0),
            reasons=(*match.reasons, Reason("rule", rule.name, max(match.score, 0) - match.score, False)),
            weak=False,
            contradicted=verdict == "different",
        )

    def ruling(self, a: Features, b: Features) -> Rule | None:
        """The strictest rule of the policy that speaks of two records; the usual ones are not asked."""
        if not self._policy.rules or (a.kind != b.kind and "anonymous" not in (a.kind, b.kind)):
            return None
        columns = self.learner.columns
        levels = levels_of(Comparer(encode([a, b], columns)).pattern(0, 1), len(columns))
        return self._policy.ruling(
            {column.name: level for column, level in zip(columns, levels, strict=False)}
        )

    def forbids(self, a: Features, b: Features) -> bool:
        """Whether a rule of the policy keeps two records apart, by way of third records too."""
        rule = self.ruling(a, b)
        return rule is not None and rule.ruling == "different"

    @property
    def strict(self) -> bool:
        """Whether there are rules that may keep records apart."""
        return any(rule.ruling == "different" for rule in self._policy.rules)

    @cached_property
    def _policy(self) -> Policy:
        return Policy(rules=tuple(rule for rule in self.learner.policy.rules if rule not in USUAL_RULES))


@attrs.frozen
class MatcherByKind:
    """A *model* for the kinds of customer that it knows, and the *rules* for the others."""

    model: LearnedMatcher
    rules: FallbackMatcher = FallbackMatcher()

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model.name

    def of(self, kind: str) -> LearnedMatcher | FallbackMatcher:
        """What decides on a kind of customer."""
        return self.model if self.model.suits(kind) else self.rules

    def keys(self, features: Features) -> frozenset[str]:
        """The texts under which records like this one are looked up."""
        return self.of(features.kind).keys(features)

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        """What the matcher for their kind says of two records."""
        kind = b.kind if a.kind == "anonymous" else a.kind
        return self.of(kind).compare(a, b, population)
