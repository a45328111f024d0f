"""Laws of merge and unmerge: customers are a function of the live judgements, and nothing else remembers anything."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from random import Random

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.customer import Cluster, ClusterChanges, customers, diff
from crmcore.identity.identity_events import CustomersMerged, CustomerSplit, Verdict
from crmcore.identity.judgement import Judgement
from crmcore.identity.survivorship import Profile, survive
from crmcore.party.party import Organization, Party, Person
from crmcore.values.ids import CustomerId, PartyId
from tests.identity.said_by import PARTIES, back, guessed, said

SIX = PARTIES[:6]
Groups = tuple[tuple[PartyId, ...], ...]

_pairs = st.sampled_from(list(combinations(range(6), 2)))
_VERDICTS: tuple[Verdict, ...] = ("same", "same", "same", "different", "unsure")
_verdicts = st.sampled_from(_VERDICTS)


@st.composite
def judgement_lists(draw: st.DrawFn, *, weak: bool = True, max_size: int = 9) -> list[Judgement]:
    """Judgements of people and models on six parties, some of them taken back."""
    found: list[Judgement] = []
    for number in range(draw(st.integers(0, max_size))):
        a, b = draw(_pairs)
        verdict, minutes = draw(_verdicts), draw(st.integers(0, 3))
        if draw(st.booleans()):
            judgement = said(number, a, b, verdict, minutes=minutes)
        else:
            judgement = guessed(
                number,
                a,
                b,
                verdict,
                minutes=minutes,
                score=draw(st.integers(0, 3)),
                weak=weak and draw(st.booleans()),
            )
        found.append(back(judgement) if draw(st.integers(0, 3)) == 0 else judgement)
    return found


# --- an oracle that tries everything ------------------------------------------------------------------


def _connected(links: Iterable[tuple[PartyId, PartyId]]) -> set[frozenset[PartyId]]:
    groups = [{party} for party in SIX]
    for a, b in links:
        one, other = (next(group for group in groups if end in group) for end in (a, b))
        if one is not other:
            groups.remove(other)
            one |= other
    return {frozenset(group) for group in groups}


def _counting(
    judgements: list[Judgement],
) -> tuple[list[tuple[PartyId, PartyId]], set[tuple[PartyId, PartyId]]]:
    """The pairs to join, the most authoritative first, and those to keep apart, by going through every pair."""
    ranked: list[tuple[bool, int, tuple[PartyId, PartyId]]] = []
    apart: set[tuple[PartyId, PartyId]] = set()
    for pair in combinations(SIX, 2):
        live = [j for j in judgements if j.retracted is None and (j.a, j.b) == pair]
        human = {j.verdict for j in live if j.model is None}
        model = sorted((j.recorded_at, j.id, j.verdict, j.score) for j in live if j.model is not None)
        if "different" in human:
            apart.add(pair)
        elif "same" in human:
            ranked.append((False, 0, pair))
        elif not human and model and model[-1][2] == "same":
            ranked.append((True, -model[-1][3], pair))
    return [pair for _, _, pair in sorted(ranked)], apart


def _tried(judgements: list[Judgement]) -> set[frozenset[PartyId]]:
    """Of all sets of links that join no apart pair, the one that honours the first links first."""
    links, apart = _counting(judgements)
    best: tuple[bool, ...] = ()
    found = _connected([])
    for choice in range(2 ** len(links)):
        chosen = [bool(choice >> position & 1) for position in range(len(links))]
        groups = _connected(link for link, yes in zip(links, chosen, strict=True) if yes)
        if not any({a, b} <= group for a, b in apart for group in groups) and tuple(chosen) >= best:
            best, found = tuple(chosen), groups
    return found


@settings(max_examples=100, deadline=None)
@given(judgement_lists(weak=False, max_size=8))
def test_customers_are_the_best_of_all_partitions_that_can_be_tried(judgements: list[Judgement]) -> None:
    assert set(map(frozenset, customers(SIX, judgements).groups)) == _tried(judgements)


# --- a function of the live judgements ---------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(judgement_lists(), st.randoms(use_true_random=False))
def test_the_order_of_judgements_does_not_matter(judgements: list[Judgement], random: Random) -> None:
    before = customers(SIX, judgements)
    shuffled, parties = list(judgements), list(SIX)
    random.shuffle(shuffled)
    random.shuffle(parties)
    assert customers(parties, shuffled) == before


@settings(max_examples=100, deadline=None)
@given(judgement_lists())
def test_a_judgement_that_was_taken_back_is_as_if_never_said(judgements: list[Judgement]) -> None:
    live = [judgement for judgement in judgements if judgement.live]
    assert customers(SIX, judgements) == customers(SIX, live)


@settings(max_examples=100, deadline=None)
@given(judgement_lists())
def test_every_party_is_in_one_customer_and_every_former_id_resolves(judgements: list[Judgement]) -> None:
    partition = customers(SIX, judgements)
    assert sorted(party for group in partition.groups for party in group) == sorted(SIX)
    for group in partition.groups:
        assert {partition.of(party) for party in group} == {CustomerId(min(group))}
    for count in range(len(judgements)):
        former = customers(SIX, judgements[:count])
        for party in SIX:
            assert partition.of(former.of(party)) in {partition.of(member) for member in SIX}


@settings(max_examples=100, deadline=None)
@given(judgement_lists(), judgement_lists())
def test_a_different_lasts_whatever_is_said_later(
    judgements: list[Judgement], later: list[Judgement]
) -> None:
    known = {judgement.id for judgement in judgements}
    all_of_it = judgements + [judgement for judgement in later if judgement.id not in known]
    partition = customers(SIX, all_of_it)
    for judgement in judgements:
        if judgement.live and judgement.human and judgement.verdict == "different":
            assert partition.of(judgement.a) != partition.of(judgement.b)


@settings(max_examples=100, deadline=None)
@given(judgement_lists())
def test_what_people_said_is_heeded_or_named(judgements: list[Judgement]) -> None:
    partition = customers(SIX, judgements)
    apart = {j.pair for j in judgements if j.live and j.human and j.verdict == "different"}
    named = {(conflict.link.a, conflict.link.b) for conflict in partition.conflicts}
    for judgement in judgements:
        if judgement.live and judgement.human and judgement.verdict == "same" and judgement.pair not in apart:
            joined = partition.of(judgement.a) == partition.of(judgement.b)
            assert joined != (judgement.pair in named)
    by_id = {judgement.id: judgement for judgement in judgements}
    for conflict in partition.conflicts:
        # A SAME on a pair that people also keep apart is silent: it leads nowhere.
        said = [by_id[id] for id in conflict.judgements]
        verdicts = {j.pair: j.verdict for j in said if j.verdict == "same" and j.pair not in apart}
        assert any(set(conflict.apart) <= group for group in _connected(verdicts))
        for pair in verdicts:
            fewer = set(verdicts) - {pair}
            assert not any(set(conflict.apart) <= group for group in _connected(fewer))


@settings(max_examples=100, deadline=None)
@given(judgement_lists())
def test_customers_that_nothing_connects_can_be_computed_apart(judgements: list[Judgement]) -> None:
    """What an application does: it groups again only the parties that live SAMEs lead to."""
    whole = customers(SIX, judgements)
    reachable = _connected(j.pair for j in judgements if j.live and j.verdict == "same")
    parts = [group for part in reachable for group in customers(part, judgements).groups]
    assert tuple(sorted(parts)) == whole.groups


# --- merge and unmerge -------------------------------------------------------------------------------


def _parties() -> tuple[Party, ...]:
    people: list[Party] = [
        Person.of("Ann Lee", email="ann@x.org", birth_date="1985", tags=frozenset({"vip"})),
        Person.of("Ann B. Lee", email="ann@x.org", birth_date="1985-04-12", address="1 High St\nLeeds"),
        Person.of("ANN LEE", phone="+442079460018", address="9 Low Rd\nYork"),
        Organization.of("Lee & Co", email="info@lee.org"),
        Person.of("A. Hill", email="hill@x.org", standing="retracted"),
        Person.of("Ann Hill", occupation="engineer"),
    ]
    return tuple(attrs.evolve(party, id=id) for party, id in zip(people, SIX, strict=True))


def _read(judgements: list[Judgement]) -> dict[CustomerId, Profile]:
    """What users can read of all customers."""
    by_id = {party.id: party for party in _parties()}
    return {
        CustomerId(group[0]): survive([by_id[member] for member in group])
        for group in customers(SIX, judgements).groups
    }


@settings(max_examples=60, deadline=None)
@given(judgement_lists(max_size=6), _pairs, st.integers(0, 6), judgement_lists(max_size=3))
def test_a_merge_taken_back_leaves_what_users_can_read_as_it_was(
    judgements: list[Judgement], pair: tuple[int, int], position: int, others: list[Judgement]
) -> None:
    """Not only the last merge: others may have been said before and after it."""
    merge = said(100, *pair, "same")
    after = [attrs.evolve(j, id=said(200 + n, 0, 1, "same").id) for n, j in enumerate(others)]
    without = [*judgements, *after]
    undone = [*judgements[:position], back(merge), *judgements[position:], *after]
    assert _read(undone) == _read(without)


Stored = dict[CustomerId, Cluster]


def _write(stored: Stored, changes: ClusterChanges) -> Stored:
    kept = {id: cluster for id, cluster in stored.items() if cluster not in changes.delete}
    written = {**kept, **{cluster.id: cluster for cluster in changes.put}}
    members = [member for cluster in written.values() for member in cluster.members]
    assert len(members) == len(set(members))
    return written


@settings(max_examples=100, deadline=None)
@given(judgement_lists(), judgement_lists())
def test_stored_clusters_follow_the_judgements_wherever_they_go(
    one: list[Judgement], other: list[Judgement]
) -> None:
    stored: Stored = {}
    for judgements in (one, other, one):
        stored = _write(stored, diff(stored.values(), customers(SIX, judgements), judgements))
        groups = [group for group in customers(SIX, judgements).groups if len(group) > 1]
        assert [stored[id].members for id in sorted(stored)] == groups
        for cluster in stored.values():
            inside = {j.id for j in judgements if j.live and {j.a, j.b} <= set(cluster.members)}
            assert set(cluster.judgements) == inside
        assert diff(stored.values(), customers(SIX, judgements), judgements) == ClusterChanges()


@settings(max_examples=100, deadline=None)
@given(judgement_lists(), judgement_lists())
def test_whoever_follows_the_events_knows_every_customers_id(
    one: list[Judgement], other: list[Judgement]
) -> None:
    before, after = customers(SIX, one), customers(SIX, other)
    stored = diff([], before, one).put
    events = diff(stored, after, other).events
    merged = {
        former: event for event in events if isinstance(event, CustomersMerged) for former in event.from_
    }
    split = {event.from_: set(event.into) for event in events if isinstance(event, CustomerSplit)}
    for group in before.groups:
        former, now = CustomerId(group[0]), {after.of(member) for member in group}
        assert split.get(former, {after.of(former)}) == now
        assert (merged[former].into if former in merged else former) == after.of(former)
    causes = {j.id: j for j in other if j.live and j.verdict == "same"}
    for event in merged.values():
        assert event.judgements
        for id in event.judgements:
            cause = causes[id]
            assert after.of(cause.a) == after.of(cause.b) == event.into
            assert before.of(cause.a) != before.of(cause.b)
