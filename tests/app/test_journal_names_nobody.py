"""What a batch leaves behind of whom it was about: nothing on which an address could be guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmcore import Crm, Person, Source
from crmcore.app.asked import Asked
from crmcore.app.whom import Whom
from crmcore.consent import SecretRing, Wished
from crmcore.errors import AmbiguousReference, IdempotencyMismatch, NotFound
from crmcore.storage import MemoryStore
from crmcore.storage.wrappers import Encrypted, MemoryKeyStore, wrapped
from crmcore.values.language import Language
from tests.app.requests import Clock, collecting

OLD = SecretRing({1: b"1" * 32})
BOTH = SecretRing({1: b"1" * 32, 2: b"2" * 32})
ANN, TOO = "ann@x.example", "ann@y.example"


def opened(store: MemoryStore, secrets: SecretRing | None, clock: Clock | None = None) -> Crm:
    return Crm(store, clock=clock or Clock(), secrets=secrets)


def people(store: MemoryStore, secrets: SecretRing | None, clock: Clock | None = None) -> Crm:
    crm = opened(store, secrets, clock)
    crm.parties.add(Person.of("Ann Lee", email=ANN).with_email(TOO))
    crm.parties.add(Person.of("Bo Hill", email="bo@x.example"))
    return crm


def run_batch(crm: Crm, ref: str, point: str | None = None, purpose: Any = "marketing") -> tuple[Any, Any]:
    with crm.batch(idem="webhook 7") as b:
        act = b.consent.record("withdraw", ref, point=point, purposes=[purpose])
        return act, b.requests.receive(ref, right="access", law="gdpr", channel="email", zone="Europe/Berlin")


def test_what_a_journal_keeps_of_what_was_asked_can_be_tried_by_nobody_without_the_secret() -> None:
    left = []
    for secret in (b"1", b"1", b"2"):
        store = MemoryStore()
        run_batch(people(store, SecretRing({1: secret * 32})), ANN, ANN)
        (journal,) = store.scan("default", "batch", limit=9).items
        left.append({call["digest"] for call in journal.body["calls"]})
    assert len(left[0]) == 2
    assert left[0] == left[1]
    assert left[0].isdisjoint(left[2])


@pytest.mark.parametrize("secrets", [None, OLD])
def test_a_batch_about_somebody_else_is_another_one(secrets: SecretRing | None) -> None:
    crm = people(MemoryStore(), secrets)
    done = run_batch(crm, ANN, ANN)
    assert run_batch(crm, ANN, ANN) == done
    for ref, point, purpose in (
        ("bo@x.example", None, "marketing"),
        (ANN, TOO, "marketing"),
        (ANN, ANN, "research"),
    ):
        with pytest.raises(IdempotencyMismatch):
            run_batch(crm, ref, point, purpose)
    assert len(crm.consent.events(ANN)) == 1


def test_a_batch_runs_again_under_newer_secrets_and_those_that_came_later() -> None:
    store = MemoryStore()
    done = run_batch(people(store, OLD), ANN)
    assert run_batch(opened(store, BOTH), ANN) == done
    store = MemoryStore()
    with people(store, None).batch(idem="add") as b:
        added = b.parties.add(Person.of("Cleo", email="c@x.example"))
    with opened(store, BOTH).batch(idem="add") as b:
        assert b.parties.add(Person.of("Cleo", email="c@x.example")) == added


@pytest.mark.parametrize("secrets", [None, OLD])
@pytest.mark.parametrize("point", [None, ANN])
def test_a_batch_runs_again_also_when_the_address_has_left_or_somebody_else_has_it_too(
    secrets: SecretRing | None, point: str | None
) -> None:
    crm = people(MemoryStore(), secrets)
    done = run_batch(crm, ANN, point)
    crm.parties.add(Person.of("Ann Lee", email=ANN).with_email("ann@a.example"))
    assert run_batch(crm, ANN, point) == done
    ann, other = done[0].record, Person.of("Ann Lee", email="ann@z.example").contact_points
    crm.parties.change(ann, lambda party: party.changed(contact_points=other))
    assert run_batch(crm, ANN, point) == done


@pytest.mark.parametrize("secrets", [None, OLD])
def test_a_request_that_came_in_a_batch_is_known_again_after_whoever_asked_was_erased(
    secrets: SecretRing | None,
) -> None:
    crm = people(MemoryStore(), secrets)
    ann = crm.parties.find(email=ANN)[0].id

    def received(ref: str) -> Any:
        with crm.batch(idem=f"r{ref == ann}") as b:
            return b.requests.receive(ref, right="erasure", law="gdpr", channel="email", zone="Europe/Berlin")

    by_address, by_id = received(ANN), received(ann)
    erase(crm, by_id)
    assert received(ann).id == by_id.id
    if secrets is not None:
        assert received(ANN).id == by_address.id
        return
    with pytest.raises(NotFound, match="erased since"):  # nobody can tell any more whose address it was
        received(ANN)


def erase(crm: Crm, request: Any) -> None:
    crm.requests.identify(request.id, "logged_in")
    for step in ("accept", "collect"):
        crm.requests.move(request.id, step)
    crm.requests.erase(request.id, plan_sha256=crm.requests.erasure_plan(request.id).digest)


@pytest.mark.parametrize("secrets", [None, OLD])
@pytest.mark.parametrize("by", ["address", "id", "name"])
def test_nobody_is_given_what_is_somebody_elses_when_one_of_them_was_erased(
    secrets: SecretRing | None, by: str
) -> None:
    clock = Clock()
    crm = people(MemoryStore(), secrets, clock)
    ann, bo = crm.parties.find(email=ANN)[0].id, crm.parties.find(email="bo@x.example")[0].id
    refs = {"address": (ANN, "bo@x.example"), "id": (ann, bo), "name": ("Ann Lee", "Bo Hill")}[by]

    def wishes() -> Any:
        with crm.batch(idem="k") as b:
            for ref in refs:
                try:
                    yield b.preferences.record(ref, Wished(language=Language("de"))).record
                except NotFound:
                    yield None

    assert list(wishes()) == [ann, bo]
    erase(crm, crm.requests.receive(ann, right="erasure", law="gdpr", channel="email", zone="Europe/Berlin"))
    assert list(wishes()) == [None, bo]
    clock.move(days=1)  # whoever has the address and the name by now was not asked about then
    crm.parties.change(bo, lambda party: party.renamed("Ann Lee").with_email(ANN))
    assert list(wishes()) == [None, bo]


@pytest.mark.parametrize("secrets", [None, OLD])
def test_nothing_is_given_to_a_reference_that_the_batch_was_not_asked_about(
    secrets: SecretRing | None,
) -> None:
    crm = people(MemoryStore(), secrets)
    one, other = "+12125550123", "+14155550123"
    for number in (one, other):
        crm.parties.add(Person.of(f"Of {number}", phone=number))
    ids = {ref: crm.customers.resolve(ref).id for ref in (one, other)}
    wish = Wished(language=Language("de"))
    verbs: dict[str, Callable[[Any, Any], Any]] = {
        "act": lambda b, ref: b.consent.record("withdraw", ref, purposes=["marketing"]),
        "wish": lambda b, ref: b.preferences.record(ref, wish),
        "request": lambda b, ref: b.requests.receive(
            ref, right="access", law="gdpr", channel="email", zone="Europe/Berlin"
        ),
    }
    for name, verb in verbs.items():

        def said(*refs: str | Source, name: str = name, verb: Callable[[Any, Any], Any] = verb) -> list[Any]:
            with crm.batch(idem=name) as b:
                return [verb(b, ref) for ref in refs]

        done = said(one, ids[one])
        assert said(ids[one], one) == done[::-1]
        for ref in (other, ids[other], "amn@x.example", "No Such Name", str(done[0].id), Source("shop", "1")):
            with pytest.raises(IdempotencyMismatch):
                said(ref)
        assert said(one, ids[one]) == done


def test_without_secrets_whoever_had_an_address_then_is_meant_though_others_have_it_by_now() -> None:
    clock = Clock()
    crm = Crm(MemoryStore(), clock=clock)
    people_ = [crm.parties.add(Person.of(name, email=f"{name}@x.example")) for name in ("ann", "bo")]
    refs = [f"{name}@x.example" for name in ("ann", "bo")]

    def wishes(*refs: str) -> list[Any]:
        with crm.batch(idem="k") as b:
            return [b.preferences.record(ref, Wished(language=Language("de"))) for ref in refs]

    done = wishes(*refs)
    clock.move(days=1)
    for party, address in zip(people_, refs[::-1], strict=True):
        points = Person.of("x", email=address).contact_points
        crm.parties.change(party.id, lambda one, points=points: one.changed(contact_points=points))  # type: ignore[misc]  # a default argument
    assert wishes(*refs) == done
    assert wishes(*refs[::-1]) == done[::-1]


def test_a_reference_that_leads_to_another_record_of_the_customer_is_known_again() -> None:
    crm = people(MemoryStore(), None)
    crm.identity.merge(ANN, "bo@x.example")

    def wish() -> Any:
        with crm.batch(idem="k") as b:
            return b.preferences.record("Bo Hill", Wished(language=Language("de")))

    assert wish() == wish()


def test_a_number_that_has_left_is_known_again_in_a_store_that_keeps_no_order_of_names() -> None:
    crm = Crm(wrapped(MemoryStore(), lambda inner: Encrypted(inner, MemoryKeyStore())), clock=Clock())
    ann = crm.parties.add(Person.of("Ann Lee", email=ANN, phone="+12125550123"))

    def wish() -> Any:
        with crm.batch(idem="k") as b:
            return b.preferences.record("+1 212 555 0123", Wished(language=Language("de")))

    done = wish()
    crm.parties.change(ann.id, lambda party: party.without("+12125550123"))
    assert wish() == done


def test_a_judgement_is_known_again_by_the_very_records_that_were_named() -> None:
    crm = people(MemoryStore(), None)
    ids = [crm.parties.add(Person.of(f"Cleo {n}")).id for n in range(3)]

    def merged(one: str, other: str) -> Any:
        with crm.batch(idem="k") as b:
            return b.identity.merge(one, other)

    judgement = merged(ids[0], ids[1])
    crm.identity.merge(ids[1], ids[2])
    with pytest.raises(IdempotencyMismatch):
        merged(ids[1], ids[2])
    with pytest.raises(IdempotencyMismatch):  # as with secrets, by which a call is known as a whole
        merged(ids[1], ids[0])
    assert merged(ids[0], ids[1]) == judgement


def test_a_link_that_was_pressed_in_a_batch_gives_the_act_of_then_when_it_runs_again() -> None:
    clock = Clock()
    crm = Crm(MemoryStore(), clock=clock, secrets=OLD)
    crm.parties.add(Person.of("Ann Lee", email=ANN))
    token = crm.unsubscribe.token(ANN)

    def pressed() -> Any:
        clock.move(hours=1)
        with crm.batch(idem="click") as b:
            return b.unsubscribe.act(token)

    act = pressed()
    clock.move(hours=1)
    crm.consent.record("give", ANN, purposes=["marketing"], channels=["email"])
    assert pressed() == act
    assert act in crm.consent.events(ANN)
    assert len(crm.consent.events(ANN)) == 2


def test_what_was_asked_is_the_same_text_in_every_process_and_shows_nobody() -> None:
    asked = Asked("x", (frozenset("zyxwvu"),), (Whom(ANN, TOO),), ({"tags": frozenset("zyxwvu")},), (ANN,))
    letters = ",".join(f'"{letter}"' for letter in "uvwxyz")
    assert asked.in_the_open() == f'["x",[[{letters}]],[["address",true]]]'
    assert asked.as_a_whole().count(f"[{letters}]") == 2
    assert "@" not in repr(asked) + repr(asked.whom)


def test_without_secrets_another_address_is_not_taken_for_one_that_was_given_up() -> None:
    crm = people(MemoryStore(), None)
    ann = crm.parties.find(email=ANN)[0].id

    def said(point: str, ref: str = ann) -> Any:
        with crm.batch(idem="k") as b:
            return b.consent.record("withdraw", ref, purposes=["marketing"], point=point)

    done = said(ANN)
    hill = crm.parties.add(Person.of("Ann Hill", email=ANN)).id
    with pytest.raises(IdempotencyMismatch):  # who has the address, too, was not meant
        said(ANN, hill)
    other = Person.of("Ann Lee", email=TOO).contact_points
    crm.parties.change(ann, lambda party: party.changed(contact_points=other))
    with pytest.raises(IdempotencyMismatch):
        said(TOO)
    assert said(ANN) == done


@pytest.mark.parametrize("secrets", [None, OLD])
def test_a_batch_about_several_runs_again_in_any_order_but_not_more_often(secrets: SecretRing | None) -> None:
    crm = people(MemoryStore(), secrets)

    def said(*refs: str) -> list[Any]:
        with crm.batch(idem="k") as b:
            return [b.consent.record("withdraw", ref, purposes=["marketing"]) for ref in refs]

    first, second = said(ANN, "bo@x.example")
    assert said("bo@x.example", ANN) == [second, first]
    with pytest.raises(IdempotencyMismatch):
        said(ANN, ANN)


def test_a_batch_without_secrets_that_runs_again_in_another_order_reads_everything_once() -> None:
    class Counting(MemoryStore):
        reads = 0

        def ledger(self, *args: Any, **more: Any) -> Any:
            self.reads += 1
            return super().ledger(*args, **more)

    store = Counting()
    crm = opened(store, None)
    refs = [f"p{n}@x.example" for n in range(20)]
    crm.parties.add_many([Person.of(f"P{n}", email=ref) for n, ref in enumerate(refs)])

    def wishes(refs: list[str]) -> list[Any]:
        with crm.batch(idem="k") as b:
            return [b.preferences.record(ref, Wished(language=Language("de"))) for ref in refs]

    done = wishes(refs)
    store.reads = 0
    assert wishes(refs[::-1]) == done[::-1]
    assert store.reads <= 2 * len(refs)  # what was written, and the history of whom it is about

    def added(refs: list[str]) -> list[Any]:
        with crm.batch(idem="add") as b:
            return [b.parties.add(Person.of(f"Q {ref}")) for ref in refs]

    some = added(refs)
    store.reads = 0
    assert added(refs[::-1]) == some[::-1]
    assert store.reads <= len(refs)


@pytest.mark.parametrize("secrets", [None, OLD])
def test_one_record_of_a_source_is_told_from_another_and_a_friend_from_whoever_names_them(
    secrets: SecretRing | None,
) -> None:
    crm = opened(MemoryStore(), secrets)
    ann = Person.of("Ann Lee", email=ANN).with_source("shop", "1")
    ann = crm.parties.add(ann.changed(extras={"friend": "bo@x.example"}))
    crm.parties.add(Person.of("Bo Hill", email="bo@x.example").with_source("shop", "2"))

    def wishes(idem: str, *refs: str | Source) -> list[Any]:
        with crm.batch(idem=idem) as b:
            return [b.preferences.record(ref, Wished(language=Language("de"))) for ref in refs]

    pairs: Any = ((Source("shop", "1"), Source("shop", "2")), ("shop#1", "shop#2"), (ANN, "bo@x.example"))
    for number, (one, other) in enumerate(pairs):
        done = wishes(f"both {number}", one, other)
        assert wishes(f"both {number}", other, one) == done[::-1]
        wishes(f"one {number}", one)
        with pytest.raises(IdempotencyMismatch):
            wishes(f"one {number}", other)
    crm.parties.change(ann.id, lambda party: party.changed(sources=()))
    for number, (one, _) in enumerate(pairs):
        assert [wish.record for wish in wishes(f"one {number}", one)] == [str(ann.id)]


@pytest.mark.parametrize("secrets", [None, OLD])
def test_nobody_is_given_the_act_of_whoever_has_a_longer_name_or_had_the_address_before(
    secrets: SecretRing | None,
) -> None:
    crm = opened(MemoryStore(), secrets)
    bo = crm.parties.add(Person.of("Ann Leeson", email="s@x.example"))
    crm.parties.change(bo.id, lambda party: party.without("s@x.example").with_email("bo@x.example"))
    ann = crm.parties.add(Person.of("Ann Lee", email="s@x.example"))
    crm.parties.add(Person.of("Ann Lee"))

    def said(idem: str, *refs: str) -> list[str | None]:
        found: list[str | None] = []
        with crm.batch(idem=idem) as b:
            for ref in refs:
                try:
                    found.append(b.preferences.record(ref, Wished(language=Language("de"))).record)
                except (AmbiguousReference, IdempotencyMismatch):
                    found.append(None)
        return found

    for idem, refs in (("names", ("Ann Lee", "Ann Leeson")), ("parts", ("Ann", "Leeson"))):
        assert said(idem, *refs) == said(idem, *refs) == [None, str(bo.id)]
    assert said("both", "bo@x.example", "s@x.example") == [str(bo.id), str(ann.id)]
    assert said("both", "s@x.example", "bo@x.example") == [str(ann.id), str(bo.id)]
    said("one", "bo@x.example")
    assert said("one", "s@x.example", "bo@x.example") == [None, str(bo.id)]
    crm.parties.add(Person.of("Bea Leeson"))
    crm.parties.change(bo.id, lambda party: party.changed(names=Person.of("Cy Poe").names))
    assert said("names", "Ann Leeson") == [str(bo.id)]
    # What was part of a name is part of another one by now.
    assert said("parts", "Leeson") == [None if secrets is None else str(bo.id)]


def test_a_batch_is_known_again_though_the_clocks_of_others_are_ahead() -> None:
    store, ahead = MemoryStore(), Clock()
    ahead.move(days=1)
    ann = people(store, None, ahead).parties.find(email=ANN)[0]
    Crm(store, clock=ahead).parties.change(ann.id, lambda party: party.with_email("n@x.example"))
    crm = opened(store, None)
    done = run_batch(crm, "n@x.example")
    assert run_batch(crm, "n@x.example") == done


def test_without_secrets_a_member_by_part_of_a_name_and_another_by_the_whole_are_known_again() -> None:
    crm = people(MemoryStore(), None)
    crm.identity.merge(ANN, crm.parties.add(Person.of("Ann Leeson")).id)
    done = run_batch(crm, "Ann Lee")
    assert run_batch(crm, "Ann Lee") == done


def test_purposes_and_records_are_the_same_in_any_order() -> None:
    crm = people(MemoryStore(), OLD)
    ann = crm.parties.find(email=ANN)[0].id
    too = crm.parties.add(Person.of("Ann Lee", email="ann@z.example")).id
    crm.identity.merge(ann, too)
    objects, wrong = (collecting(crm, ann, right).id for right in ("objection", "rectification"))
    done: list[Any] = []
    for turn in (1, -1):
        purposes: list[Any] = ["marketing", "research"][::turn]
        with crm.batch(idem="k") as b:
            act = b.requests.carry_out(objects, purposes=purposes)
            changed = b.requests.rectify(
                wrong, lambda party: party.renamed("Bea"), records=[ann, too][::turn]
            )
            b.unsubscribe.token(ANN, purposes=purposes, point=ANN)
            done.append((act, changed))
    assert done[0] == done[1]


@pytest.mark.parametrize("secrets", [None, OLD])
def test_another_address_name_source_or_point_of_the_same_customer_is_something_else(
    secrets: SecretRing | None,
) -> None:
    crm = opened(MemoryStore(), secrets)
    draft = Person.of("Ann Lee", email=ANN).with_email(TOO).with_source("shop", "1").with_source("shop", "2")
    draft = draft.with_phone(whole := "+43 1 2345678 ext. 5")
    ann = crm.parties.add(draft.changed(names=(*draft.names, *Person.of("Ann Hill").names))).id
    bare = "+43 1 2345678"
    points = [f"{word}@z.example" for word in ("one", "other")]
    crm.identity.merge(ann, crm.parties.add(Person.of("Cleo", email=points[0]).with_email(points[1])).id)

    def said(idem: str, ref: Any, point: str | None = None) -> Any:
        with crm.batch(idem=idem) as b:
            return b.consent.record(
                "withdraw", ref, point=point, channels=["in_app"] if point is None else ()
            )

    meant: Any = (
        ((ANN, None), (TOO, None)),
        (("Ann Lee", None), ("Ann Hill", None)),
        ((Source("shop", "1"), None), (Source("shop", "2"), None)),
        *(((ref, points[0]), (ref, points[1])) for ref in (ann, "Lee")),
        *(((one, None), (other, None)) for one, other in ((whole, bare), (bare, whole))),
        *(((ann, one), (ann, other)) for one, other in ((whole, bare), (bare, whole))),
    )
    for number, (one, other) in enumerate(meant):
        done = said(f"k{number}", *one)
        with pytest.raises(IdempotencyMismatch):
            said(f"k{number}", *other)
        assert said(f"k{number}", *one) == done
