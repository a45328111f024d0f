"""Stores in which a model is frozen, and an independent account of who is one customer there."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import combinations
from typing import Any

import attrs

from crmcore import Crm, Person
from crmcore.app.deduplication import scan_all
from crmcore.app.frozen import Matching, put_state
from crmcore.identity.cluster import Link, agglomerate
from crmcore.identity.customer import CAP
from crmcore.identity.deduplication import regroup
from crmcore.identity.features import Features, features_of
from crmcore.identity.judgement import Judgement, links_of
from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.projection import PROJECTED
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.lift import run
from crmcore.storage.protocol import Store
from crmcore.values.ids import Id, PartyId
from tests.app.judging import Groups, judged
from tests.identity.model.invented import households, records


def _learned() -> MatchModel:
    model = Matcher().learn(records(households())).model
    assert model is not None
    return model


MODEL = _learned()
"""Learned of invented households."""


def frozen(store: Store, cap: int, **options: Any) -> Crm:
    """Customers over a store in which `MODEL` is frozen, with blocks up to *cap*, and nothing was looked at yet."""
    crm = Crm(store, matcher=MODEL, **options)
    flow = flow_of(crm)

    async def freeze() -> None:
        unit = flow.new_unit()
        await put_state(unit, Matching(model=MODEL.name, recipe=MODEL.name, cap=cap, index=PROJECTED))
        await flow.write(unit, str(flow.ids.new(Id)))

    run(freeze())
    return crm


def flow_of(crm: Any) -> Any:
    """What lies below the namespaces of a synchronous `Crm`."""
    return crm.identity._flow._flow


def everyone(crm: Crm) -> list[Party]:
    """All parties, in the order of their ids."""
    found: list[Party] = run(scan_all(flow_of(crm).new_unit(), PARTY))
    return found


def pairs_of_all(features: Sequence[Features], cap: int) -> list[tuple[int, int]]:
    """The pairs of positions that comparing everything would look at."""
    at = [position for position, one in enumerate(features) if not one.empty]
    table, rows = LearnedMatcher(model=MODEL).table([features[position] for position in at]).distinct()
    candidates = Candidates(table, cap=cap)
    partners = [set(candidates.partners(row)) for row in range(len(table.rows))]
    return [
        (at[i], at[j])
        for i, j in combinations(range(len(at)), 2)
        if rows[i] == rows[j] or max(rows[i], rows[j]) in partners[min(rows[i], rows[j])]
    ]


def expected(crm: Crm, cap: int) -> Groups:
    """The customers that comparing everything at once gives, with what people said; through a record that was taken
    back those stay joined that it joined."""
    parties = everyone(crm)
    known: list[Judgement] = list(judged(crm, [party.id for party in parties]).values())
    active = [party for party in parties if party.standing == "active"]
    at = {party.id: position for position, party in enumerate(active)}
    links, apart = links_of(known)
    features = [features_of(party) for party in active]
    found = regroup(
        features,
        LearnedMatcher(model=MODEL),
        pairs_of_all(features, cap),
        apart=[(at[a], at[b]) for a, b in met(apart, links, at)],
        together=[(at[a], at[b]) for a, b in met([(one.a, one.b) for one in links if one.human], links, at)],
    )
    # What was judged of records that were taken back stands.
    counting = [one for one in links if one.human or one.a not in at or one.b not in at]
    for pair in found.links:
        a, b = sorted((active[pair.a].id, active[pair.b].id))
        counting.append(Link(a, b, False, pair.match.score, pair.match.weak, pair.support))
    groups = agglomerate([party.id for party in parties], counting, apart, cap=CAP).groups
    return frozenset(map(frozenset, groups))


def met(
    pairs: Iterable[tuple[PartyId, PartyId]], links: Iterable[Link[PartyId]], active: Container[PartyId]
) -> set[tuple[PartyId, PartyId]]:
    """The pairs of active parties that *pairs* are about: an end that was taken back stands for those whom people took
    for it."""
    near: dict[PartyId, set[PartyId]] = {}
    for one in links:
        if one.human:
            near.setdefault(one.a, set()).add(one.b)
            near.setdefault(one.b, set()).add(one.a)

    def behind(end: PartyId) -> set[PartyId]:
        seen, frontier = {end}, [end]
        while frontier:
            at = frontier.pop()
            more = near.get(at, set()) - seen if at not in active else set[PartyId]()
            seen |= more
            frontier += more
        return {party for party in seen if party in active}

    ways = {(min(x, y), max(x, y)) for a, b in pairs for x in behind(a) for y in behind(b)}
    return {(x, y) for x, y in ways if x != y}


@attrs.frozen
class Row:
    """The fields of an invented person, of which few different values are used, so that records collide."""

    given: str = "emma"
    family: str = "brandt"
    born: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""

    def draft(self) -> Person:
        """The person."""
        place = ", ".join(part for part in (self.street, self.city) if part)
        return Person.of(
            f"{self.given} {self.family}",
            birth_date=self.born or None,
            email=self.email or None,
            phone=self.phone or None,
            address=place or None,
        )
