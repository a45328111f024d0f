"""Cases that differ in one thing from such as the strict baseline allows, and that some law does not allow.

Invariant: what is yielded is not allowed by the strict baseline, nor by some other law: so the baseline has to say no.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

import attrs

from crmcore.consent.data_words import SENSITIVE
from crmcore.consent.decision import decide
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.facts import Attempt, Facts, Listing, RegisterCheck
from crmcore.consent.pack_reading import shipped_laws, shipped_packs
from crmcore.consent.request import Request
from crmcore.consent.words import NOES, Channel, EvidenceKind, Purpose
from crmcore.values.partial_date import PartialDate
from tests.consent.cases import LISTS
from tests.consent.nearly import NOON, asked_for, known

TODAY = NOON.date()
_DAY = timedelta(days=1)
FALSE = {
    "message": ("unsubscribe", "sender_identified", "postal_address", "advertisement_label"),
    "evidence": ("explicit", "unambiguous", "disclosed", "written", "names_the_number"),
    "collection": ("notice_at_collection",),
}
TRUE = {
    "message": ("unsubscribe_burdened", "promotion"),
    "evidence": ("condition_of_contract", "condition_of_purchase"),
    "subject": ("deceased",),
    "facts": ("gpc",),
}
EDGES = ((9, 10), (12, 13), (13, 14), (19, 20))
Case = tuple[Request, Facts]


def near() -> Iterator[tuple[str, Case]]:
    """The cases, each with a name."""
    laws = shipped_laws()
    places = [one.jurisdiction for one in shipped_packs().values() if one.rules and not one.beside_law]
    places.remove("*")
    for channel in get_args(Channel):
        for purpose in get_args(Purpose):
            plain = asked_for(channel, purpose, NOON), known(channel, purpose, NOON)
            for number, case in enumerate(_changed(*plain)):
                if _answer(case, "*", laws) != "allow" and any(
                    _answer(case, one, laws) != "allow" for one in places
                ):
                    yield f"near/{channel} {purpose} {number}", case


def _answer(case: Case, place: str, laws: Any) -> str:
    return decide(*case, jurisdictions=(place,), laws=laws, trace=False).answer


def _changed(request: Request, facts: Facts) -> Iterator[Case]:
    """The case with each one thing otherwise."""
    for told, value in ((FALSE, False), (TRUE, True)):
        for root, names in told.items():
            for name in names:
                yield _with(request, facts, root, name, value)
    for word in sorted(SENSITIVE):
        yield _with(request, facts, "use", "data", {word})
    for kind in ("asks_to_opt_back_in_to_sale", "customer_satisfaction_survey"):
        yield _with(request, facts, "message", "kind", kind)
    yield _with(request, facts, "message", "product", "pension_scheme")
    for evidence in get_args(EvidenceKind):
        yield _with(request, facts, "evidence", "kind", evidence)
    for name, day in (("restricted_since", TODAY - _DAY), ("erased_on", TODAY - _DAY)):
        yield _with(request, facts, "subject", name, day)
    yield _with(request, facts, "point", "holder_since", TODAY - _DAY)
    for years in (12, 15, 17, 18):
        born = PartialDate.parse((TODAY.replace(year=TODAY.year - years) + _DAY).isoformat())
        subject = attrs.evolve(facts.subject, birth_dates=(born,), adult=None)
        yield request, attrs.evolve(facts, subject=subject)
    yield _with(request, facts, "subject", "adult", False)
    for days in (1, 59, 60, 61):
        yield _with(request, facts, "facts", "refused_in_call", TODAY - days * _DAY)
    yield from _noes(request, facts)
    yield from _registers(request, facts)
    yield from _times(request, facts)


def _with(request: Request, facts: Facts, root: str, name: str, value: Any) -> Case:
    if root in ("message", "use"):
        part: Any = attrs.evolve(getattr(request, root), **{name: value})
        return attrs.evolve(request, **{root: part}), facts
    if root == "facts":
        return request, attrs.evolve(facts, **{name: value})
    if root == "evidence":
        changed = [
            one
            if one.evidence is None
            else attrs.evolve(one, evidence=attrs.evolve(one.evidence, **{name: value}))
            for one in facts.events
        ]
        return request, attrs.evolve(facts, events=tuple(changed))
    part = attrs.evolve(getattr(facts, root), **{name: value})
    return request, attrs.evolve(facts, **{root: part})


def _noes(request: Request, facts: Facts) -> Iterator[Case]:
    about: list[frozenset[Any]] = [frozenset(), frozenset({request.purpose}), frozenset({"marketing"})]
    about.append(frozenset({"third_party_sharing"}))
    for purposes in about:
        for kind in sorted(NOES):
            yield _said(request, facts, kind, frozenset(), purposes)
        for channel in get_args(Channel):
            yield _said(request, facts, "withdraw", frozenset({channel}), purposes)


def _said(request: Request, facts: Facts, kind: Any, channels: Any, purposes: Any) -> Case:
    scope = Scope(controller="acme", channels=channels, purposes=purposes)
    no = ConsentEvent(id="no", kind=kind, occurred_at=NOON - _DAY, scope=scope)
    return request, attrs.evolve(facts, events=(*facts.events, no))


def _registers(request: Request, facts: Facts) -> Iterator[Case]:
    for name in (*LISTS, "rpo", "usps_prohibitory_order", "directory_asterisk"):
        yield request, attrs.evolve(facts, listings=(Listing(list=name, since=TODAY - 40 * _DAY),))
    yield request, attrs.evolve(facts, checks=(RegisterCheck(list="*", on=TODAY - _DAY),))


def _times(request: Request, facts: Facts) -> Iterator[Case]:
    for number in (3, 4):
        for last in (timedelta(hours=23, minutes=59), timedelta(days=29, hours=23)):
            tried = tuple(Attempt(at=request.at - last, same_subject=True) for _ in range(number))
            yield request, attrs.evolve(facts, attempts=tried)
    for here in range(7):
        for hour in {hour for edge in EDGES for hour in edge} | {21}:
            for second in (-1, 0, 1):
                at = request.at.replace(hour=hour, minute=0) + here * _DAY + timedelta(seconds=second)
                yield attrs.evolve(request, at=at), facts
