"""An independent account of who is one customer, and a matcher that is easy to foresee."""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import combinations

import attrs

from crmcore import Crm, Judgement, Match
from crmcore.identity.features import Features
from crmcore.identity.matcher import Reason
from crmcore.identity.population import Population
from crmcore.values.ids import PartyId

Groups = frozenset[frozenset[PartyId]]


@attrs.frozen
class MailboxMatcher:
    """Who shares a mailbox is the same, who shares a telephone is a doubt, and names say nothing."""

    name: str = "mailbox/1"

    def keys(self, features: Features) -> frozenset[str]:
        return frozenset(features.emails + features.phones)

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        shared = sorted(set(a.emails) & set(b.emails))
        if shared:
            return Match("same", 200 + len(shared), (Reason("e-mail", "same", 200, True, (shared[0],) * 2),))
        if set(a.phones) & set(b.phones):
            return Match("unsure", 100, (Reason("phone", "same", 100, True, ()),))
        return Match("different", -100)


def judged(crm: Crm, parties: Iterable[PartyId]) -> dict[str, Judgement]:
    """Everything that was judged, by id."""
    return {judgement.id: judgement for party in parties for judgement in crm.identity.judgements(party)}


def grouped(parties: Iterable[PartyId], judgements: Iterable[Judgement]) -> Groups:
    """The customers that follow from live judgements, by trying every pair in the order of its authority."""
    live = [judgement for judgement in judgements if judgement.retracted is None]
    people = {
        pair: {j.verdict for j in live if (j.a, j.b) == pair and j.model is None}
        for pair in combinations(sorted(parties), 2)
    }
    apart = [pair for pair, said in people.items() if "different" in said]
    links = [pair for pair, said in sorted(people.items()) if "same" in said and "different" not in said]
    models: list[tuple[int, tuple[PartyId, PartyId]]] = []
    for pair, said in people.items():
        found = sorted((j.recorded_at, j.id, j.verdict, j.score) for j in live if (j.a, j.b) == pair)
        if not said and found and found[-1][2] == "same":
            models.append((-found[-1][3], pair))
    groups = [{party} for party in sorted(parties)]
    for a, b in [*links, *(pair for _, pair in sorted(models))]:
        one, other = (next(group for group in groups if end in group) for end in (a, b))
        if one is not other and not any(set(pair) <= one | other for pair in apart):
            groups.remove(other)
            one |= other
    return frozenset(frozenset(group) for group in groups)


def seen(crm: Crm, parties: Iterable[PartyId]) -> Groups:
    """The customers as a reader finds them."""
    return frozenset(frozenset(crm.customers.resolve(party).members) for party in parties)


def doubts(
    parties: Iterable[PartyId], judgements: Iterable[Judgement], gone: Container[PartyId] = ()
) -> dict[Groups, int]:
    """The pairs of customers that somebody should look at, each with its best score, by looking at every pair; nobody
    is asked about records that are *gone*."""
    live = [judgement for judgement in judgements if judgement.retracted is None]
    groups = grouped(parties, live)
    customer = {party: group for group in groups for party in group}
    settled = {frozenset({customer[j.a], customer[j.b]}) for j in live if j.model is None}
    found: dict[Groups, int] = {}
    for pair in {j.pair for j in live if j.a not in gone and j.b not in gone}:
        said = sorted((j.recorded_at, j.id, j.verdict, j.score) for j in live if j.pair == pair and j.model)
        two = frozenset({customer[pair[0]], customer[pair[1]]})
        if said and said[-1][2] == "unsure" and len(two) == 2 and two not in settled:
            found[two] = max(found.get(two, said[-1][3]), said[-1][3])
    return found
