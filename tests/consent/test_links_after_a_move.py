"""A link for unsubscribing that is pressed when the record that it was for has another address."""

from __future__ import annotations

import itertools

import attrs

from crmcore import Crm, Person, Source
from crmcore.app.unsubscribe_whose import RECORDS
from crmcore.consent import sign_ticket
from crmcore.party.contact_point import EmailPoint
from crmcore.storage import MemoryStore
from crmcore.storage.erasure import Erasure
from crmcore.storage.protocol import Ref
from crmcore.testing.ceilings import CeilingsStore
from crmcore.values.ids import JudgementId, PartyId
from crmcore.values.source import SYSTEM
from tests.app.houses import Clock
from tests.app.test_change_of_address import HOUR, SAID, answer, moves
from tests.consent.asking import YES
from tests.consent.test_suppression import NOW, OLD, erase
from tests.consent.test_unsubscribe import DAY, crm_of


def moved(store: MemoryStore) -> tuple[PartyId, str]:
    """Ann, who has given the address of her link up for another one, and the link."""
    crm = crm_of(store)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example")).id
    token = crm.unsubscribe.token(ann)
    crm.parties.change(ann, lambda party: party.without("ann@x.example").with_email("new@x.example"))
    return ann, token


def told(crm: Crm, ref: str) -> list[tuple[str, str | None]]:
    return [(act.kind, act.scope.point) for act in crm.consent.events(ref)]


def test_a_link_unsubscribes_who_has_another_address_by_then_and_nobody_else() -> None:
    withdrawn = [("withdraw", "ann@x.example")]
    for old, taken in itertools.product((False, True), repeat=2):
        store = MemoryStore()
        ann, token = moved(store)
        crm = crm_of(store, NOW + DAY)
        if old:  # a link as they were before
            token = sign_ticket(attrs.evolve(crm.unsubscribe.read(token), records=()), OLD)
        bo = crm.parties.add(Person.of("Bo Hill", email="bo@x.example")).id
        if taken:
            crm.parties.change(bo, lambda party: party.with_email("ann@x.example"))
        act = crm.unsubscribe.act(token)
        after = store.changes("default", "", 500).items
        again = crm_of(store, NOW + 2 * DAY).unsubscribe.act(token)
        assert again == act or (old and not taken)  # where the address is suppressed alone, no act is kept
        assert store.changes("default", "", 500).items == after
        assert (told(crm, ann), told(crm, bo)) == (withdrawn * (not old), withdrawn * taken)
        assert store.ledger("default", [f"consent:party:{bo}"])[f"consent:party:{bo}"].items == ()
        listed = crm.suppression.of(EmailPoint.of("ann@x.example"), controller="default")
        assert len(listed) == (not taken)


def test_a_link_is_taken_again_after_a_yes_at_the_new_address() -> None:
    store = MemoryStore()
    ann, token = moved(store)
    for _ in range(2):  # a batch that is run again takes it once
        with crm_of(store).batch(idem="webhook 7") as batch:
            first = batch.unsubscribe.act(token)
    crm = crm_of(store, NOW + DAY)
    crm.consent.record("give", ann, purposes=["marketing"], channels=["email"], point="new@x.example")
    second = crm_of(store, NOW + 2 * DAY).unsubscribe.act(token)
    assert second != first
    assert crm_of(store, NOW + 3 * DAY).unsubscribe.act(token) == second
    crm.parties.change(ann, lambda party: party.with_email("ann@x.example"))
    assert crm_of(store, NOW + 3 * DAY).unsubscribe.act(token) == second
    assert [act.kind for act in crm.consent.events(ann)] == ["withdraw", "give", "withdraw"]


def test_a_link_reaches_a_record_that_was_merged_and_of_one_that_was_erased_the_address_alone() -> None:
    for erased in (False, True):
        store = MemoryStore()
        ann, token = moved(store)
        crm = crm_of(store, NOW + DAY)
        other = crm.parties.add(Person.of("Ann Leigh", email="leigh@x.example")).id
        if erased:
            erase(store, ann)
        else:
            crm.identity.merge(ann, other)
        crm.unsubscribe.act(token)
        assert told(crm, other) == [("withdraw", "ann@x.example")] * (not erased)
        stream = f"consent:party:{ann}"
        assert len(store.ledger("default", [stream])[stream].items) == (not erased)
        assert len(crm.suppression.of(EmailPoint.of("ann@x.example"), controller="default")) == 1


def two_with_one_address(store: MemoryStore) -> tuple[PartyId, PartyId, JudgementId]:
    """Al and Bea, who are one customer for now; its id is that of Al, who was recorded first."""
    al, bea = (
        crm_of(store, at).parties.add(Person.of(name, email="h@x.example").with_source("shop", name[0])).id
        for name, at in (("Al Poe", NOW - DAY), ("Bea Poe", NOW))
    )
    return al, bea, crm_of(store).identity.merge(al, bea).id


def test_a_link_reaches_whichever_record_it_names_though_it_became_another_customers() -> None:
    both = ("h@x.example", "Poe", "the customer")
    for named in (Source("shop", "B"), "shop#B", "Bea Poe", "the record", *both):
        store = MemoryStore()
        al, bea, judged = two_with_one_address(store)
        ids = {"the record": str(bea), "the customer": str(al)}
        crm = crm_of(store)
        token = crm.unsubscribe.token(ids.get(named, named) if isinstance(named, str) else named)
        crm.identity.retract(judged)
        for id in (al, bea):
            crm.parties.change(
                id, lambda party: party.without("h@x.example").with_email(f"{party.id}@x.example")
            )
        crm.unsubscribe.act(token)
        assert (told(crm, al) != [], told(crm, bea) != []) == (named in both, True), named


def test_a_link_reaches_each_record_of_the_customer_before_and_after_it_is_pressed() -> None:
    for pressed, named in itertools.product(("before", "after"), (0, 1)):
        store = MemoryStore()
        pair = two_with_one_address(store)[:2]
        crm = crm_of(store)
        token = crm.unsubscribe.token(pair[named])
        if pressed == "before":
            crm.unsubscribe.act(token)
        crm.parties.change(
            pair[1 - named], lambda party: party.without("h@x.example").with_email("n@x.example")
        )
        crm.unsubscribe.act(token)
        for id in pair:
            acts = [one.id for one in crm_of(store).consent.events(id) if one.kind == "withdraw"]
            assert len(acts) == 2  # of each of them one, at the address or of who had moved by then
            kept = store.ledger("default", [f"consent:party:{id}"])[f"consent:party:{id}"].items
            assert len(kept) == (id != pair[named]) * (1 + (pressed == "before")), (pressed, named)
            assert crm.unsubscribe.act(token).id in acts
            assert len([one for one in crm.consent.events(id) if one.kind == "withdraw"]) == len(acts)
        row = crm.consent.decide(
            pair[0], purpose="marketing", channel="email", point="n@x.example", jurisdictions=["US"]
        )
        assert row.answer == "deny", (pressed, named)


def test_an_act_is_of_the_record_that_its_link_is_for_whoever_shares_the_address() -> None:
    for first, second in (("Ann", "Bo"), ("Bo", "Ann")):
        crm = crm_of(MemoryStore())
        ids = {name: crm.parties.add(Person.of(name, email="h@x.example")).id for name in (first, second)}
        assert crm.unsubscribe.act(crm.unsubscribe.token(ids["Ann"])).record == str(ids["Ann"])


def test_an_old_link_is_taken_where_more_have_the_address_than_a_batch_can_check() -> None:
    crm = Crm(CeilingsStore(), secrets=OLD, clock=lambda: NOW)
    ids = [crm.parties.add(Person.of(f"P{n} Q", email="info@x.example")).id for n in range(50)]
    token = crm.unsubscribe.token(ids[0])
    old = sign_ticket(attrs.evolve(crm.unsubscribe.read(token), records=()), OLD)
    assert crm.unsubscribe.act(old).kind == "withdraw"


def test_where_nothing_tells_the_address_any_more_a_link_is_about_the_person() -> None:
    store = MemoryStore()
    ann, token = moved(store)
    crm = crm_of(store, NOW + DAY)
    ledger = crm.unsubscribe.read(token).point
    assert ledger is not None
    store.erase(
        Erasure(
            tenant="default",
            refs=frozenset({Ref("default", "contact_point", ledger)}),
            idem="f",
            actor=SYSTEM,
            at=NOW,
        )
    )
    act = crm.unsubscribe.act(token)
    assert crm_of(store, NOW + 2 * DAY).unsubscribe.act(token) == act
    (only,) = crm.consent.events(ann)
    assert (only.scope.point, only.scope.channels) == (None, frozenset({"email"}))
    assert only.members == (str(ann),)


def test_the_no_of_each_record_that_a_link_reaches_is_one_of_its_own() -> None:
    """Of one id they would be taken for one act after a merge, and the last one for all of them."""
    for pressed, same in itertools.product(("before", "after"), (True, False)):
        clock = Clock()
        crm = Crm(MemoryStore(), secrets=OLD, clock=clock)
        ids = [crm.parties.add(Person.of(name, email="h@x.example")).id for name in ("Al Poe", "Bea Poe")]
        judged = crm.identity.merge(*ids)
        token = crm.unsubscribe.token("h@x.example")
        crm.identity.retract(judged.id)
        if pressed == "before":
            crm.unsubscribe.act(token)
        new = ["n@x.example", "n@x.example" if same else "m@x.example"]
        for id, point in zip(ids, new, strict=True):
            moves(clock, crm, id, "h@x.example", point)
        if pressed == "after":
            crm.unsubscribe.act(token)
        noes = [{act.id for act in crm.consent.events(id) if act.record == id} for id in ids]
        assert [len(own) for own in noes] == [1, 1]
        assert not noes[0] & noes[1]
        clock.now += HOUR
        for said in (SAID, {**SAID, "point": "n@x.example"}):
            crm.consent.record("give", ids[0], evidence=YES, **said)
        clock.now += HOUR
        assert [answer(crm, id) for id in ids] == ["allow", "deny"], (pressed, same)
        crm.identity.merge(*ids)
        clock.now += HOUR
        for point in new:
            assert answer(crm, ids[0], point=point) == "deny", (pressed, same)


def test_a_link_finds_the_records_that_it_has_no_room_to_name() -> None:
    """And none that came later or never had the address; a store that takes few at once holds as many as it can."""
    for named, split in (("the customer", False), ("the last", False), ("the customer", True)):
        clock = Clock()
        crm = Crm(CeilingsStore(), secrets=OLD, clock=clock)
        ids = [crm.parties.add(Person.of(f"Al Poe {n}", email="h@x.example")).id for n in range(RECORDS + 2)]
        other = crm.parties.add(Person.of("Al Poe", email="z@x.example")).id
        judged = [crm.identity.merge(ids[0], id) for id in (*ids[1:], other)]
        token = crm.unsubscribe.token(ids[-1] if named == "the last" else ids[0], point="h@x.example")
        assert len(token) < 998
        clock.now += HOUR
        moved = ids[-2]
        moves(clock, crm, moved, "h@x.example", "n@x.example")
        late = crm.parties.add(Person.of("Al Poe", email="l@x.example")).id
        if split:
            for one in judged:
                crm.identity.retract(one.id)
        else:
            crm.identity.merge(ids[0], late)
        crm.unsubscribe.act(token)
        said = {act.record for act in crm.consent.events(moved)}
        assert said == ({str(moved)} if split else set(map(str, ids))), (named, split)
        if split:
            assert told(crm, other) == told(crm, late) == []
