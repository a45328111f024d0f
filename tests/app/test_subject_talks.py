"""Interactions of a person are found whether they are read anew for them or were read before, for many."""

from __future__ import annotations

from random import Random

from crmcore import Crm, Person
from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.subject_addresses import Addresses
from crmcore.app.subject_data import points_known
from crmcore.app.subject_talks import Talks
from crmcore.errors import InvalidInteraction
from crmcore.interaction import Interaction, Participant
from crmcore.storage.lift import run
from crmcore.values.ids import InteractionId, PartyId
from tests.app.requests import NOW, customers

TEXTS = (
    "ann@x.example",
    " ANN@x.example",
    "Ann <ann@x.example>",
    "bo@x.example",
    "fam@x.example",
    "+44 20 7946 0018",
)
READ = 20


def test_what_was_read_before_finds_what_reading_everything_finds() -> None:
    dice, crm = Random(7), customers()
    ann, bo = (
        crm.parties.add(
            Person.of(name, email=f"{name[:2].strip().lower()}@x.example").with_email("fam@x.example")
        ).id
        for name in ("An Lee", "Bo Hill")
    )
    crm.parties.change(
        ann, lambda one: one.with_email("ann@x.example").with_phone("020 7946 0018", region="GB")
    )
    flow: Flow = crm.interactions._flow._flow
    told: list[Interaction] = []
    talks: Talks | None = None
    for number in range(60):
        if number == READ:
            talks = run(Talks.read(flow.reader()))
        told.append(something(crm, dice, (ann, bo), told))
        if talks is not None and number % 5 == 0:
            for who in (ann, bo):
                assert found(flow, who, talks) == found(flow, who, None)
    everything = [one.id for one in told]
    assert found(flow, ann, talks) == [
        id for id in sorted(everything) if about(crm, id, ann, "ann@x.example")
    ]


def something(crm: Crm, dice: Random, ids: tuple[PartyId, ...], told: list[Interaction]) -> Interaction:
    """Something is said, put right, put to somebody else, or taken back."""
    say = crm.interactions
    standing = [one for one in told if one.retracts is None]
    kind, old = dice.randrange(6), dice.choice(standing).id if standing else None
    people = [
        Participant(party=dice.choice(ids))
        if dice.random() < 0.4
        else Participant(address=dice.choice(TEXTS))
        for _ in range(dice.randint(1, 2))
    ]
    try:
        if kind == 0 and old is not None:
            return say.retract(old, reason="wrong")
        if kind in (1, 2) and old is not None:
            return say.correct(old, reason="wrong", participants=tuple(people))
    except InvalidInteraction:  # it was taken back
        return something(crm, dice, ids, told)
    return say.record("email", direction="inbound", occurred_at=NOW, with_=people)


def found(flow: Flow, who: PartyId, talks: Talks | None) -> list[InteractionId]:
    unit = flow.reader()
    _, own = run(points_known(unit, run(load_parties(unit, [who]))))
    read = talks or run(Talks.read(unit))
    return [one.id for one in run(read.of(unit, {who}, Addresses.of(own)))]


def about(crm: Crm, id: InteractionId, who: PartyId, address: str) -> bool:
    one = crm.interactions.get(id)
    texts = {person.address for person in one.participants if person.party is None and person.address}
    spelled = {" ANN@x.example", "Ann <ann@x.example>", "fam@x.example", "+44 20 7946 0018", address}
    return who in one.parties or bool(texts & spelled)
