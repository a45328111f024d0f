"""Nothing that an app logs by accident is personal: no `repr` and no refusal of a verb shows what is in the records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmcore import Actor, Anonymous, Crm, Household, Organization, Participant, Person, Source
from crmcore.errors import CrmError
from crmcore.values.ids import InteractionId, JudgementId, PartyId, RelationshipId
from tests.app.houses import START
from tests.party.test_refusals import told

SECRET = "canary4711"
PARTY = PartyId("01977420-dc00-7000-8000-000000000000")


def filled(crm: Crm) -> dict[str, Any]:
    """Two of everything, every text of which is a secret."""
    ann = crm.parties.add(
        Person.of(
            SECRET,
            email=f"{SECRET}@{SECRET}.org",
            phone=f"{SECRET} 1",
            address=f"{SECRET} 1\n{SECRET}",
            occupation=SECRET,
            tags={SECRET},
            extras={SECRET: SECRET},
        )
        .with_source("shop", SECRET)
        .with_identifier("lei", SECRET)
        .with_online(SECRET)
    )
    twin = crm.parties.add(Person.of(SECRET, email=f"{SECRET}@{SECRET}.org"))
    acme = crm.parties.add(Organization.of(SECRET))
    lees = crm.parties.add(Household.of(SECRET))
    cookie = crm.parties.add(Anonymous.of(SECRET))
    job = crm.relationships.add("employment", ann.id, acme.id, title=SECRET, department=SECRET, note=SECRET)
    crm.relationships.change(job.id, lambda r: r, reason=SECRET)
    crm.relationships.end(job.id, on=START.date(), reason=SECRET)
    call = crm.interactions.record(
        "call",
        direction="inbound",
        occurred_at=START,
        with_=[Participant(party=ann.id, address=SECRET)],
        subject=SECRET,
        body=SECRET,
        outcome=SECRET,
        thread=SECRET,
        dedupe_key=SECRET,
        sources=(Source("imap", SECRET),),
    )
    right = crm.interactions.correct(call.id, reason=SECRET, subject=SECRET + SECRET)
    crm.parties.change(ann.id, lambda p: p.renamed(SECRET + SECRET), reason=SECRET)
    different = crm.acting_as(Actor(kind="person", id=SECRET)).identity.mark_different(
        ann.id, twin.id, reason=SECRET
    )
    return {
        "ann": ann,
        "twin": twin,
        "acme": acme,
        "lees": lees,
        "cookie": cookie,
        "job": job,
        "call": call,
        "right": right,
        "different": different,
    }


@pytest.mark.needs("ordered_text")
def test_nothing_that_is_returned_shows_what_is_personal(crm: Crm) -> None:
    things = filled(crm)
    ann = things["ann"].id
    seen = [
        *things.values(),
        crm.parties.history(ann),
        crm.parties.find(source=Source("shop", SECRET)),
        crm.relationships.of(ann),
        crm.interactions.timeline(ann),
        crm.identity.matches(Person.of(SECRET, email=f"{SECRET}@{SECRET}.org")),
        crm.identity.judgements(ann),
        crm.identity.dedupe(),
        crm.identity.to_review(),
        crm.customers.resolve(ann),
        crm.customers.search(SECRET),
        crm.customers.page(),
        crm.customers.view(ann),
        crm.customers.profile(ann),
        crm.consent.decide(ann, purpose="marketing", channel="email"),
        crm.events(),
        crm.store.describe(),
    ]
    for thing in seen:
        assert SECRET not in f"{thing!r} {thing}", type(thing).__name__


def recorded(crm: Crm, who: PartyId, **facts: Any) -> Any:
    asked = {"kind": "call", "direction": "inbound", "occurred_at": START, **facts}
    return crm.interactions.record(with_=who, **asked)


REFUSED: dict[str, Callable[[Crm, dict[str, Any]], Any]] = {
    "taken source": lambda crm, x: crm.parties.add(Person.of(SECRET).with_source("shop", SECRET)),
    "two with one source": lambda crm, x: crm.parties.add_many([Person.of(SECRET).with_source("s", SECRET)] * 2),
    "stored already": lambda crm, x: crm.parties.add(x["ann"]),
    "nothing left": lambda crm, x: crm.parties.change(x["twin"].id, lambda p: p.changed(names=(), contact_points=())),
    "wrong change": lambda crm, x: crm.parties.change(x["ann"].id, lambda p: SECRET),  # type: ignore[type-var]  # refused at run time too
    "surrogate": lambda crm, x: crm.parties.add(Person.of("Ann", email=f"{SECRET}\ud800")),
    "float": lambda crm, x: crm.parties.add(Person.of(SECRET, extras={SECRET: 1.5})),
    "bytes": lambda crm, x: crm.parties.add(Person.of(SECRET, extras={SECRET: SECRET.encode()})),
    "enormous": lambda crm, x: crm.parties.add(Person.of(SECRET, extras={SECRET: SECRET * 1_000_000})),
    "no party": lambda crm, x: crm.parties.get(PartyId(SECRET)),
    "nobody": lambda crm, x: crm.customers.view(f"nobody {SECRET}"),
    "several": lambda crm, x: crm.customers.view(SECRET),
    "no region": lambda crm, x: crm.customers.resolve("112", region=SECRET),
    "wrong ends": lambda crm, x: crm.relationships.add("employment", x["acme"].id, x["ann"].id, note=SECRET),
    "wrong type": lambda crm, x: crm.relationships.add(SECRET, x["ann"].id, x["acme"].id),
    "circle": lambda crm, x: crm.relationships.add("reports_to", x["ann"].id, x["ann"].id, note=SECRET),
    "no relationship": lambda crm, x: crm.relationships.end(RelationshipId(SECRET), on=START.date()),
    "wrong kind": lambda crm, x: recorded(crm, x["ann"].id, kind=SECRET),
    "nobody there": lambda crm, x: recorded(crm, PartyId(SECRET)),
    "ours": lambda crm, x: crm.interactions.correct(x["call"].id, reason=SECRET, root=SECRET),
    "no part": lambda crm, x: crm.interactions.reassign(x["call"].id, from_=x["acme"].id, to=PARTY, reason=SECRET),
    "no interaction": lambda crm, x: crm.interactions.get(InteractionId(SECRET)),
    "forged cursor": lambda crm, x: crm.interactions.timeline(x["ann"].id, after=SECRET),
    "forged position": lambda crm, x: crm.events(SECRET),
    "decided": lambda crm, x: crm.identity.merge(x["ann"].id, x["twin"].id, reason=SECRET),
    "one and the same": lambda crm, x: crm.identity.merge(x["ann"].id, f"shop#{SECRET}"),
    "no judgement": lambda crm, x: crm.identity.retract(JudgementId(SECRET)),
    "taken back twice": lambda crm, x: [crm.identity.retract(x["different"].id, reason=SECRET) for _ in range(2)],
}  # fmt: skip


def test_no_refusal_shows_what_is_personal(crm: Crm) -> None:
    things = filled(crm)
    for name, call in REFUSED.items():
        with pytest.raises(CrmError) as raised:
            call(crm, things)
        assert SECRET not in told(raised.value), name
        assert not str(raised.value)[0].isupper(), name
