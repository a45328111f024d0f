"""Telling whoever creates, imports or merges records that addresses of theirs are suppressed.

Invariant: nothing is refused and nothing is loosened by it: what is told is how many addresses, of which records and by
which entries, and never an address. Without secrets nothing can be known, and nothing is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from crmcore.app.flow import Flow
from crmcore.app.resolve import memberships
from crmcore.app.unit import Unit, load_record
from crmcore.consent.suppression import (
    SUPPRESSION,
    Occasion,
    Suppression,
    SuppressionMet,
    all_keys,
    met_stream,
)
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party_keys import PARTY
from crmcore.storage.protocol import Key, Ref
from crmcore.values.ids import PartyId

if TYPE_CHECKING:
    from crmcore.party.party import Party

Point = tuple[str, str]
Found = Mapping[Point, tuple[Suppression, ...]]
"""The entries that stand, by the kind and normal form of the contact point. What nobody suppressed is not in it."""

NOTHING: Found = {}


@attrs.frozen(kw_only=True)
class Suppressed:
    """A record with suppressed addresses: how many *points* these are, and the *entries* about them."""

    record: PartyId
    points: int
    entries: tuple[Suppression, ...]


async def suppressed_points(flow: Flow, unit: Unit, points: Iterable[ContactPoint]) -> Found:
    """The entries about *points* that stand now, for our own controller or for all; however they are written."""
    if flow.secrets is None:
        return NOTHING
    own, by_key = flow.controller(None), dict[Key, set[Point]]()
    for point in points:
        for key in all_keys(point, own, flow.secrets):
            by_key.setdefault(key, set()).add((point.kind, point.key))
    hits = {key: refs for key, refs in (await unit.find(by_key)).items() if refs}
    records = await unit.get(list({ref for refs in hits.values() for ref in refs}), check=False)
    entries: dict[Ref, Suppression] = {ref: load_record(SUPPRESSION, one) for ref, one in records.items()}
    found: dict[Point, dict[Ref, Suppression]] = {}
    for key, refs in hits.items():
        for name in by_key[key]:
            for ref in refs:
                if ref in entries and entries[ref].stands(unit.now) and entries[ref].tells(own):
                    found.setdefault(name, {})[ref] = entries[ref]
    return {name: tuple(said[ref] for ref in sorted(said)) for name, said in found.items()}


def suppressed_of(party: Party, found: Found) -> Suppressed | None:
    """What was *found* about the contact points of a stored party; None if nothing."""
    met = {name: found[name] for one in party.contact_points if (name := (one.kind, one.key)) in found}
    if not met:
        return None
    entries = {entry.id: entry for said in met.values() for entry in said}
    return Suppressed(record=party.id, points=len(met), entries=tuple(entries.values()))


def note_met(
    unit: Unit, parties: Iterable[Party], found: Found, occasion: Occasion
) -> tuple[Suppressed, ...]:
    """Tell in a domain event which of *parties* have suppressed addresses: one for each, of a merge one for all."""
    met = tuple(one for party in parties if (one := suppressed_of(party, found)) is not None)
    groups = [met] if occasion == "merged" and met else [(one,) for one in met]
    for group in groups:
        records = tuple(one.record for one in group)
        event = SuppressionMet(
            occasion=occasion,
            records=records,
            points=sum(one.points for one in group),
            entries=tuple(
                dict.fromkeys(id for one in group for entry in one.entries if (id := entry.id) is not None)
            ),
        )
        unit.event(met_stream(records[0]), event, subjects=records)
    return met


async def note_created(flow: Flow, unit: Unit, parties: Iterable[Party]) -> None:
    """`note_met` for parties that were just created."""
    stored = list(parties)
    found = await suppressed_points(flow, unit, [point for party in stored for point in party.contact_points])
    note_met(unit, stored, found, "created")


async def note_merged(flow: Flow, unit: Unit, record: PartyId) -> None:
    """`note_met` for the customer that *record* was just merged into."""
    if flow.secrets is None:
        return
    members = (await memberships(unit, [record]))[record].members
    records = await unit.get([unit.ref(PARTY.tag, member) for member in members], check=False)
    parties: list[Party] = [load_record(PARTY, found) for found in records.values()]
    points = [point for party in parties for point in party.contact_points]
    note_met(unit, parties, await suppressed_points(flow, unit, points), "merged")


async def note_changed(flow: Flow, unit: Unit, before: Party, after: Party) -> None:
    """`note_met` for the contact points that a change brought."""
    known = {(point.kind, point.key) for point in before.contact_points}
    new = [point for point in after.contact_points if (point.kind, point.key) not in known]
    note_met(unit, [after], await suppressed_points(flow, unit, new), "changed")
