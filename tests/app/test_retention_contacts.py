"""Nobody goes by retention who was in touch, whatever they did, or who asked for something that forbids it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import attrs

from crmcore import Crm, Person
from crmcore.consent import Evidence, RetentionPlan, Wished
from crmcore.interaction import Participant
from crmcore.interaction.interaction import Direction
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Page, Record
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, collecting, customers

THEN, NOW = datetime(2020, 3, 1, 9, tzinfo=UTC), datetime(2026, 5, 4, 9, tzinfo=UTC)
Act = Callable[[Crm, PartyId], object]
IN_TOUCH = "the customer has been in touch since: plan again"


def silent(store: MemoryStore | None = None, number: int = 1) -> tuple[Crm, Clock, list[PartyId]]:
    """People who were recorded in 2020 and had another address then, each at a domain of their own. It is 2026."""
    clock = Clock(THEN)
    crm = customers(store, clock)
    ids = [crm.parties.add(Person.of("Ann Lee", email=f"old@{one}.example")).id for one in range(number)]
    for one, id in enumerate(ids):
        new = Person.of("Ann Lee", email=f"ann@{one}.example").contact_points
        crm.parties.change(id, partial(attrs.evolve, contact_points=new))
    clock.now = NOW
    return crm, clock, ids


def planned(crm: Crm) -> RetentionPlan:
    return crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items)


def wrote(address: str, direction: Direction = "inbound") -> Act:
    def act(crm: Crm, ann: PartyId) -> object:
        domain = crm.parties.get(ann).contact_points[0].key.partition("@")[2]
        named = address.replace("hers", domain).replace("HERS", domain.upper())
        people = [Participant(address=named, role="from")]
        return crm.interactions.record("email", direction=direction, occurred_at=NOW.date(), with_=people)

    return act


def said(kind: str, **facts: object) -> Act:
    return lambda crm, ann: crm.consent.record(kind, ann, **facts)  # type: ignore[arg-type]  # a test's facts


WISH = Wished(channels=frozenset({"email"}))
BY_MAIL = {"purposes": ["marketing"], "channels": ["email"]}
THEIRS: dict[str, Act] = {
    "a Yes": said("give", **BY_MAIL),
    "a No": said("withdraw", **BY_MAIL),
    "a wish": lambda crm, ann: crm.preferences.record(ann, WISH),
    "a request": lambda crm, ann: crm.requests.receive(
        ann, right="access", law="gdpr", channel="email", zone="Europe/Berlin"
    ),
    "a mail": wrote("ann@hers"),
    "a mail, written otherwise": wrote("Ann Lee <Ann@HERS>"),
    "a mail from what was theirs": wrote("old@hers"),
}
OURS: dict[str, Act] = {
    "an import": said("assert_import", **BY_MAIL),
    "a Yes without proof": said("give", evidence=Evidence.imported(), **BY_MAIL),
    "no act": said("give", evidence=Evidence(kind="silence"), **BY_MAIL),
    "a Yes is void": said("invalidate", **BY_MAIL),
    "a restriction by retention": said("restrict", via="retention:accounting"),
    "a guess": lambda crm, ann: crm.preferences.record(ann, WISH, basis="inferred"),
    "what we sent": wrote("ann@hers", "outbound"),
    "a change": lambda crm, ann: crm.parties.change(ann, lambda one: one.with_tag("x")),
}


def test_whatever_they_did_counts_as_contact_and_nothing_else() -> None:
    acts = THEIRS | OURS
    crm, clock, ids = silent(number=len(acts))
    plan = planned(crm)
    assert len(plan.of("delete")) == len(acts)
    clock.move(days=1)
    for act, ann in zip(acts.values(), ids, strict=True):
        act(crm, ann)
    names = {str(id): name for name, id in zip(acts, ids, strict=True)}
    anew = {names[one.place]: (one.action, one.last_contact) for one in planned(crm).steps}
    on = {name: clock.now.date() for name in THEIRS} | {name: NOW.date() for name in THEIRS if "mail" in name}
    assert {name: anew[name] for name in THEIRS} == {name: ("keep", on[name]) for name in THEIRS}
    assert {name: anew[name] for name in OURS} == dict.fromkeys(OURS, ("delete", THEN.date()))
    done = crm.retention.apply(plan)
    assert {names[one.place] for one in done.left} == THEIRS.keys()
    assert done.erased == len(OURS)


def test_what_somebody_else_did_at_the_same_address_is_no_contact_of_theirs() -> None:
    crm, _, (ann,) = silent()
    bo = crm.parties.add(Person.of("Bo Lee", email="ann@0.example")).id
    crm.consent.record("give", bo, point="ann@0.example", purposes=["marketing"], channels=["email"])
    assert {one.place: one.action for one in planned(crm).steps} == {ann: "delete", bo: "keep"}


def test_whoever_has_an_open_request_or_a_restriction_is_kept_and_it_is_said_why() -> None:
    crm, clock, (ann,) = silent()
    clock.now = THEN
    request = collecting(crm, ann, "restriction")
    crm.requests.carry_out(request.id)
    clock.now = NOW
    assert planned(crm).text() == (
        "keep 1 prospect: a request of theirs about their data is open: settle it first "
        "(GDPR art. 12(2) (from memory))"
    )
    crm.requests.move(request.id, "review")
    crm.requests.move(request.id, "respond", sha256="0" * 64)
    crm.requests.move(request.id, "close")
    plan = planned(crm)
    assert plan.text() == (
        "keep 1 prospect: its processing is restricted as they asked: lift that first (GDPR art. 18(2) (from memory))"
    )
    assert crm.retention.apply(plan).erased == 0
    crm.requests.announce_lifting(request.id, reason="settled")
    clock.move(days=1)
    crm.requests.lift(request.id)
    assert planned(crm).steps[0].action == "delete"


def test_what_was_asked_for_since_the_plan_is_said_of_whoever_is_given_back() -> None:
    asked: dict[str, Act] = {
        "a request of theirs about their data is open": THEIRS["a request"],
        "its processing is restricted as they asked": said("restrict", purposes=["marketing"]),
    }
    for reason, act in asked.items():
        crm, _, (ann,) = silent()
        plan = planned(crm)
        act(crm, ann)
        done = crm.retention.apply(plan)
        assert [one.reason.partition(":")[0] for one in done.left] == [reason]
        assert (done.erased, crm.parties.get(ann).id) == (0, ann)


class Counting(MemoryStore):
    """A store that counts how often all interactions are read."""

    reads = 0

    def scan(self, tenant: str, kind: str, **how: Any) -> Page[Record]:
        self.reads += kind == "interaction"
        return super().scan(tenant, kind, **how)


def test_all_interactions_are_read_once_for_a_run_however_many_go() -> None:
    store = Counting()
    crm, _, _ = silent(store, 6)
    plan = planned(crm)
    assert store.reads == 1
    assert crm.retention.apply(plan).erased == 6
    assert store.reads == 2
