"""What a party's own record tells for a decision: its points, its kind and age, where it may live.

Invariant: nothing is guessed. A number's country and an address's country are candidates, all of which are asked; a
person is taken for a consumer, whom laws protect most, until an app says more. A record keeps each No about a contact
point that it gives up, with the kind of that point and with what may have lifted the No; of what others said it keeps
no words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Any, get_args

import attrs

from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.reach import Reach, reach_of
from crmcore.consent.told import replaced
from crmcore.consent.words import LIFTING, NOES, Channel, PointKind
from crmcore.party.party import Party


def points_of(party: Party) -> Iterator[tuple[PointKind, str]]:
    """The kind and the normal form of every contact point."""
    for point in party.contact_points:
        yield point.kind, point.key


def jurisdictions_of(party: Party) -> Iterator[str]:
    """Countries, and states of the United States, that addresses and numbers point at."""
    yield from reach_of(party).jurisdictions


def facts_of_record(reach: Reach, told: Facts, events: tuple[ConsentEvent, ...]) -> Facts:
    """*told*, filled in with what the record and its ledgers say."""
    subject, filled = told.subject, dict[str, Any]()
    if subject.kind is None and reach.kind is not None:
        filled["kind"] = reach.kind
    if reach.birth_date is not None and not subject.birth_dates:
        filled["birth_dates"] = (reach.birth_date,)
    if filled:
        subject = replaced(subject, **filled)
    return replaced(told, subject=subject, events=(*told.events, *events))


def outlasting(
    events: Iterable[ConsentEvent], kind: PointKind, own: Set[str], record: str | None = None
) -> Iterator[ConsentEvent]:
    """What a record keeps of *events*, about one contact point of that *kind*, when the point is no longer its own.

    Every No, which goes along to the points that are left, and what may have lifted it since: whether it has is for
    each decision to say. *own* are the records of its customer: of what others said only as much is kept as decisions
    need. A No that was said for several records, *record* among them, is kept as one of its own: what another of them
    says later lifts it not.
    """
    said = tuple(_kept(events, own))
    first = min((event.occurred_at for event in said if event.kind in NOES), default=None)
    if first is None:
        return
    for event in said:
        since = event.kind in LIFTING and event.occurred_at > first
        if event.kind in NOES:
            yield gone_along(_of_its_own(event, record), kind)
        elif since or event.kind == "request" or event.corrects is not None:
            yield event


def _of_its_own(no: ConsentEvent, record: str | None) -> ConsentEvent:
    if record is None or record not in no.members or record == no.record:
        return no
    return attrs.evolve(no, id=f"{no.id}:{record}", record=record)


def _kept(events: Iterable[ConsentEvent], own: Set[str]) -> Iterator[ConsentEvent]:
    """*events*, those of others without their words, and of their requests those on which a Yes of theirs leans."""
    said = tuple(events)
    leaning = {
        one.record
        for one in said
        if one.kind == "confirm" and not one.scope.channels and not one.scope.purposes
    }
    for event in said:
        if event.record is None or event.record in own:
            yield event
        elif event.kind != "request" or event.record in leaning:
            shown = event.evidence
            evidence = None if shown is None else attrs.evolve(shown, document=None)
            yield attrs.evolve(event, words=None, actor=None, evidence=evidence)


def gone_along(no: ConsentEvent, kind: PointKind | None) -> ConsentEvent:
    """A No about a contact point of that *kind*, as a record keeps it that has the point no more.

    None: nobody knows of which kind it was, so the No speaks of the points that are left by every way.
    """
    if kind is not None:
        return attrs.evolve(no, scope=attrs.evolve(no.scope, given_up=kind))
    channels = no.scope.channels or frozenset[Any](get_args(Channel))
    return attrs.evolve(no, scope=attrs.evolve(no.scope, given_up="email", channels=channels))


def lacks_kind(act: ConsentEvent, point: str | None) -> bool:
    """Whether *act*, in the ledger of a person but about a *point*, is a No that a record gave up with the point before
    the kind of that was kept with it."""
    return point is not None and act.scope.given_up is None and act.kind in NOES


def each_once(acts: Iterable[ConsentEvent]) -> tuple[ConsentEvent, ...]:
    """Those of *acts* with an id of their own: of a No that goes along what the record kept, which speaks of more."""
    found: dict[str, ConsentEvent] = {}
    for act in acts:
        if act.id not in found or act.scope.given_up is not None:
            found[act.id] = act
    return tuple(found.values())
