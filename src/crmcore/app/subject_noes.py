"""The Noes of somebody who is erased: what becomes of them, so that no erasure makes anything be permitted.

Invariant: a No about an address that somebody else has, too, stays in its ledger without the person, and goes with who
else has it. What was refused is suppressed under every controller that an act names, wherever there are secrets; where
there are none, the plan says what will not be known again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Set
from datetime import date, datetime

import attrs

from crmcore.app.erasure_places import all_entries
from crmcore.app.subject_data import SubjectData
from crmcore.app.unit import Unit
from crmcore.consent.disposition import Disposal, ErasurePlan
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.ledger import party_stream
from crmcore.consent.speaking import ends_all
from crmcore.consent.words import NOES, YESES
from crmcore.party.party_keys import PARTY
from crmcore.serde import load
from crmcore.storage.protocol import Ref

_SAID = frozenset({"refuse", "withdraw", "object"})
"""What somebody said themselves, and did not only ask for until something is settled."""

_Said = tuple[str, datetime, Scope]
_Left = tuple[str, _Said]
_Places = Mapping[str, Ref | tuple[str, int]]
Acts = Mapping[tuple[str, int], ConsentEvent]
"""Acts by the ledger and number of their entries."""


def acts_in(data: SubjectData) -> dict[tuple[str, int], ConsentEvent]:
    """The acts of the person, by the ledger and number of their entries."""
    return {
        (entry.stream, entry.seq): load(ConsentEvent, entry.body)
        for entry in data.entries
        if entry.schema.startswith("consent.event/")
    }


def last_uses(acts: Acts, end: date) -> dict[tuple[str, int], date]:
    """The last day on which each Yes could be relied on: that of the first No after it that ends it, or *end*."""
    noes: dict[Scope, list[datetime]] = {}
    for act in acts.values():
        if act.kind in _SAID:
            noes.setdefault(act.scope, []).append(act.occurred_at)
    for said in noes.values():
        said.sort()
    found: dict[tuple[str, int], date] = {}
    for place, act in acts.items():
        if act.kind in YESES or act.kind == "request":
            later = [
                said[at].date()
                for scope, said in noes.items()
                if ends_all(scope, act.scope) and (at := bisect_left(said, act.occurred_at)) < len(said)
            ]
            found[place] = min(later, default=end)
    return found


def refused(acts: Iterable[ConsentEvent], own: str) -> tuple[Scope, ...]:
    """What is not to be done any more with the addresses of somebody who is erased, for each controller.

    That is direct marketing, and whatever else they said no to; a No that names no purpose is one to everything. A
    restriction under no controller is what an erasure wrote that kept them: it is none that they asked of everybody.
    """
    found = tuple(acts)
    named = (act.scope.controller for act in found if act.kind != "restrict" or act.scope.controller)
    controllers = dict.fromkeys([own, *named])
    scopes = []
    for controller in controllers:
        noes = [
            act.scope.purposes
            for act in found
            if act.kind in _SAID and act.scope.controller in (controller, None)
        ]
        purposes = frozenset({"direct_marketing"}).union(*noes)
        scopes.append(Scope(controller=controller, purposes=purposes if all(noes) else ()))
    return tuple(scopes)


async def left_of_noes(unit: Unit, data: SubjectData, acts: Acts, via: str) -> frozenset[_Left]:
    """What an erasure that was cut off, which marks what it writes as *via*, left of Noes for others, in the ledgers of
    addresses that they do not have any more."""
    streams = {place[0] for place in acts if acts[place].kind in NOES} - data.shared.keys()
    found: set[_Left] = set()
    for stream in streams:
        own = [one for one in await all_entries(unit, stream) if one.body.get("via") == via]
        others = [one for one in own if set(one.subjects) - set(data.members)]
        found.update((stream, _said(load(ConsentEvent, one.body))) for one in others)
    return frozenset(found)


def for_others(
    plan: ErasurePlan, data: SubjectData, acts: Acts, places: _Places, left: Set[_Left] = frozenset()
) -> ErasurePlan:
    """*plan*, by which no No goes that was said about an address that somebody else has, too, nor one that is *left* to
    somebody who had it."""
    noes = _noes(acts)

    def stays(one: Disposal) -> bool:
        stream = _stream(one, noes, places)
        return stream in data.shared or (bool(stream) and (stream, _said(noes[places[one.place]])) in left)

    return attrs.evolve(
        plan,
        disposals=tuple(
            attrs.evolve(
                one,
                action="anonymise",
                reason="somebody else has the address, too: who said no goes, that it was said stays",
                cite="GDPR art. 17(1), 21(3)",
            )
            if one.action == "delete" and stays(one)
            else one
            for one in plan.disposals
        ),
    )


def forgotten(plan: ErasurePlan, data: SubjectData, acts: Acts, places: _Places) -> tuple[str, ...]:
    """What will not be known any more of the Noes of the person, if there is no list of suppressed addresses."""
    noes = _noes(acts)
    gone = {one.place for one in plan.of("delete") if one.kind == PARTY.tag}
    own = {party_stream(str(party.id)) for party in data.parties if f"{PARTY.tag} {party.id}" in gone}
    lost = {
        noes[place].id
        for one in plan.disposals
        if (place := places[one.place]) in noes
        and isinstance(place, tuple)
        and (one.action == "delete" or place[0] in own)
    }
    if not lost:
        return ()
    return (
        f"{len(lost)} of the acts by which the person said no will not be known if an address of theirs comes back: "
        "open the crm with secrets=SecretRing({1: ...}) before you erase",
    )


async def keep_noes(
    unit: Unit, plan: ErasurePlan, data: SubjectData, acts: Acts, places: _Places, via: str
) -> None:
    """Plan what stays of Noes about addresses that others have, as entries about these.

    So it does of those, too, that are kept for some time as evidence. Done again, it plans nothing.
    """
    noes = _noes(acts)
    gone = any(one.kind == PARTY.tag for one in plan.of("delete"))
    there: dict[str, set[_Said]] = {}
    for one in plan.disposals if gone else plan.of("anonymise"):
        place, stream = places[one.place], _stream(one, noes, places)
        if stream not in data.shared:
            continue
        if stream not in there:
            entries = [unit.codecs["consent.event"].load(body) for _, body in await unit.entries(stream)]
            there[stream] = {_said(act) for act in entries if act.via == via}
        act = noes[place]
        if _said(act) in there[stream]:
            continue
        there[stream].add(_said(act))
        stays = ConsentEvent(
            id=act.id,  # a Yes of others may name it
            kind=act.kind,
            occurred_at=act.occurred_at,
            recorded_at=act.recorded_at,
            scope=act.scope,
            record=act.record,
            via=via,
            actor=unit.actor,
            ledger=stream,
        )
        unit.event(stream, stays, subjects=data.shared[stream], occurred_at=act.occurred_at)


def _said(act: ConsentEvent) -> _Said:
    """By what an act that stays is known again."""
    return act.kind, act.occurred_at, act.scope


def _noes(acts: Acts) -> dict[Ref | tuple[str, int], ConsentEvent]:
    return {place: act for place, act in acts.items() if act.kind in NOES}


def _stream(one: Disposal, noes: Mapping[Ref | tuple[str, int], ConsentEvent], places: _Places) -> str:
    """The ledger of a No; "" of anything else."""
    place = places[one.place]
    return place[0] if place in noes and isinstance(place, tuple) else ""
