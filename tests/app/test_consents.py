"""Laws of `crm.consent` over every engine: what was said stays said, and no merge, move or import makes it a yes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import CrmBatch
from crmcore.consent import ConsentEvent, Evidence, Facts, Form, Message, Practice
from crmcore.errors import AmbiguousReference, CrmError, IdempotencyMismatch, InvalidConsent, NotFound
from crmcore.storage import Erasure, MemoryStore, Ref
from crmcore.testing.ceilings import CeilingsStore
from crmcore.values.source import SYSTEM
from tests.app.houses import START, Clock, in_memory
from tests.consent.asking import PRACTICE, YES, asked

DAY = timedelta(days=1)
OURS: dict[str, Any] = {
    "purposes": ["marketing"],
    "channels": ["email"],
    "evidence": Evidence.double_opt_in(
        notice="newsletter", version="3", given_by="self", condition_of_contract=False
    ),
}
FORM = Message.marketing(sender_identified=True, unsubscribe=True, unsubscribe_burdened=False)


def person(crm: Crm, *addresses: str) -> Any:
    draft = Person.of("Ann Lee")
    for address in addresses:
        draft = draft.with_email(address)
    return crm.parties.add(draft)


def answer(crm: Crm | CrmBatch, ref: str, **more: Any) -> str:
    return str(asked(crm, ref, message=FORM, **more).answer)


def kinds(crm: Crm, ref: str) -> list[str]:
    return [event.kind for event in crm.consent.events(ref)]


# --- addresses ------------------------------------------------------------------------------------------


def test_acts_about_an_address_are_of_every_record_that_has_it(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "ann@x.org", "lee@x.org")
    crm.consent.record("give", one.id, point="Ann@X.org ", **OURS)
    assert kinds(crm, other.id) == kinds(crm, one.id) == ["give"]
    assert answer(crm, other.id, point="ann@x.org") == answer(crm, one.id) == "allow"
    crm.consent.withdraw(other.id, point="ann@x.org", purposes=["marketing"])
    assert answer(crm, other.id, point="ann@x.org") == answer(crm, one.id) == "deny"


def test_a_yes_for_an_address_is_none_for_another(crm: Crm) -> None:
    ann = person(crm, "ann@x.org", "lee@x.org")
    crm.consent.record("give", ann.id, point="ann@x.org", **OURS)
    assert answer(crm, ann.id, point="lee@x.org") == "deny"


def test_a_new_address_is_not_opted_in(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", **OURS)
    crm.consent.record("give", ann.id, **OURS)
    assert answer(crm, ann.id) == "allow"
    crm.parties.change(ann.id, lambda p: p.without("ann@x.org").with_email("lee@x.org"))
    assert answer(crm, ann.id) == "deny"
    crm.parties.change(ann.id, lambda p: p.with_email("ann@x.org"))
    assert answer(crm, ann.id, point="ann@x.org") == "allow"
    assert answer(crm, ann.id, point="lee@x.org") == "deny"


def test_whoever_opted_out_and_moves_stays_opted_out(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    no = crm.consent.withdraw("ann@x.org", purposes=["marketing"])
    for move in range(3):
        crm.parties.change(
            ann.id,
            lambda p, n=move: p.without(p.emails[0].raw).with_email(f"lee{n}@x.org"),  # type: ignore[misc]  # bound now
        )
    assert [event.id for event in crm.consent.events(ann.id)] == [no.id]
    crm.consent.record("give", ann.id, point="lee2@x.org", **OURS)
    assert answer(crm, ann.id) == "allow"


@pytest.mark.parametrize("spelled", ["+44 20 7946 0018", "+44 (0)20 7946-0018", "+442079460018"])
def test_an_act_is_about_the_number_or_the_address_that_was_meant_however_it_is_written(spelled: str) -> None:
    crm = in_memory(practice=PRACTICE)
    draft = Person.of("Ann Lee", email="Ann@Bücher.example").with_phone("+44 20 7946 0018")
    ann = crm.parties.add(draft.with_phone("+44 20 7946 0111"))
    for said in (
        crm.consent.record("give", spelled, purposes=["marketing"], channels=["sms"], evidence=YES),
        crm.consent.record("withdraw", ann.id, point=spelled, purposes=["marketing"], channels=["sms"]),
    ):
        assert (said.scope.point, said.scope.points) == ("+442079460018", None)
    assert crm.consent.decide(spelled, purpose="marketing", channel="sms", jurisdictions=["GB"]).answer
    for address in ("ANN@BÜCHER.EXAMPLE", " ann@bücher.example ", "ann@xn--bcher-kva.example"):
        assert crm.consent.record("give", address, **OURS).scope.point == "ann@xn--bcher-kva.example"
    assert crm.consent.record("give", "Ann Lee", **OURS).scope.point is None


def moved(crm: Crm, *acts: tuple[Any, Any], times: int = 1) -> tuple[str, str]:
    """What is answered in the United States, where nobody needs to say yes, before and after a move."""
    ann = person(crm, "ann@x.org")
    told: Any = {"jurisdictions": ["US"], "controller": "us", "facts": Facts(zones=("America/New_York",))}
    said: list[str] = []
    for kind, more in acts:
        what = {"purposes": ["marketing"], "channels": ["email"], "controller": "us", **more}
        if "corrects" in what:
            what["corrects"] = said[what["corrects"]]
        said.append(crm.consent.record(kind, "ann@x.org", **what).id)
    form = attrs.evolve(FORM, postal_address=True, advertisement_label=True)
    before = asked(crm, ann.id, **{**told, "message": form}).answer
    for number in range(times):
        crm.parties.change(
            ann.id,
            lambda p, n=number: p.without(p.emails[0].raw).with_email(f"lee{n}@x.org"),  # type: ignore[misc]  # bound now
        )
    return before, asked(crm, ann.id, **{**told, "message": form}).answer


@pytest.mark.parametrize(
    ("back", "answered"),
    [
        ([], "deny"),
        ([("give", {"evidence": YES})], "allow"),
        ([("give", {})], "deny"),
        ([("give", {"evidence": Evidence(kind="preticked_box")})], "deny"),
        ([("give", {"evidence": YES}), ("request", {"corrects": 1})], "deny"),
        ([("give", {"evidence": YES}), ("invalidate", {"corrects": 1})], "deny"),
        ([("give", {"evidence": YES}), ("invalidate", {})], "deny"),
        ([("request", {}), ("confirm", {"evidence": YES, "purposes": [], "channels": []})], "allow"),
    ],
)
def test_a_no_goes_along_with_a_move_but_for_one_that_was_lifted(
    back: list[tuple[Any, Any]], answered: str
) -> None:
    crm = in_memory(practice=PRACTICE)
    assert moved(crm, ("withdraw", {}), *back, times=2) == (answered, answered)


@pytest.mark.parametrize(
    ("via", "answered"), [("request:1", "allow"), (None, "allow"), ("request:2", "deny")]
)
def test_a_restriction_goes_along_with_a_move_but_for_one_that_its_own_lift_ended(
    via: str | None, answered: str
) -> None:
    crm = in_memory(practice=PRACTICE)
    assert moved(crm, ("restrict", {"via": "request:1"}), ("lift", {"via": via})) == (answered, answered)


def test_a_yes_without_channels_or_purposes_permits_nothing_and_that_is_said() -> None:
    crm = in_memory(practice=PRACTICE)
    ann = person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", purposes=["marketing"], evidence=YES)
    assert "(it names no channel)" in asked(crm, ann.id).explain()
    crm.consent.record("give", "ann@x.org", channels=["email"], evidence=YES)
    assert "(it names no purpose)" in asked(crm, ann.id).explain()


def test_a_point_that_nobody_has_takes_no_act_and_no_question(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    for ask in (crm.consent.withdraw, lambda ref, point: answer(crm, ref, point=point)):
        with pytest.raises(InvalidConsent, match="no record of this customer"):
            ask(ann.id, point="bo@x.org")
    with pytest.raises(NotFound):
        crm.consent.withdraw("bo@x.org")


def test_of_several_addresses_one_is_named(crm: Crm) -> None:
    ann = person(crm, "ann@x.org", "lee@x.org")
    with pytest.raises(InvalidConsent, match="has 2 contact points"):
        answer(crm, ann.id)
    assert answer(crm, "lee@x.org") == "deny"


def test_a_channel_without_a_contact_point_is_decided_on(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    assert answer(crm, ann.id, channel="push") == "need_confirmation"
    crm.consent.record("object", ann.id, purposes=["direct_marketing"])
    assert answer(crm, ann.id, channel="push") == "deny"


def test_the_view_says_the_latest_on_each_thing_and_names_consent_unknown_only_where_nothing_was_said(
    crm: Crm,
) -> None:
    ann = person(crm, "ann@x.org", "lee@x.org")
    view = crm.customers.view(ann.id)
    assert (view.consent, "consent" in view.unknown_fields) == ((), True)
    crm.consent.record("give", "ann@x.org", **OURS)
    crm.consent.withdraw("lee@x.org", purposes=["marketing"], channels=["email"])
    crm.consent.record("object", ann.id, purposes=["direct_marketing"], occurred_at=START - DAY)
    view = crm.customers.view(ann.id)
    day = f"{START:%Y-%m-%d}"
    assert set(view.consent[:2]) == {
        f"{day} agreed to marketing by e-mail for ann@x.org",
        f"{day} withdrew marketing by e-mail for lee@x.org",
    }
    assert view.consent[2:] == (f"{START - DAY:%Y-%m-%d} objected to direct marketing",)
    assert "consent" not in view.unknown_fields
    assert "ann@x.org" not in repr(view)
    assert "  consent    " in view.text()


# --- one address, several customers -------------------------------------------------------------------


def test_a_no_by_an_address_of_several_is_one_of_each(crm: Crm) -> None:
    ann, twin, other = (
        person(crm, "ann@x.org"),
        person(crm, "ann@x.org", "lee@x.org"),
        person(crm, "bo@x.org"),
    )
    both = (ann.id, twin.id)
    for id in both:
        crm.consent.record("give", id, point="ann@x.org", **OURS)
    said = crm.consent.withdraw(" Ann@x.org", purposes=["marketing"])
    noes = [one for one in crm.consent.events(ann.id) if one.kind == "withdraw"]
    assert said in noes
    assert (len({one.id for one in noes}), {one.record for one in noes}) == (2, {*both})
    assert [answer(crm, id, point="ann@x.org") for id in both] == ["deny", "deny"]
    crm.consent.record("give", ann.id, point="ann@x.org", **OURS)
    assert answer(crm, ann.id) == "deny"  # that of the other one stands
    merged = crm.identity.merge(*both)
    crm.consent.record("give", ann.id, point="ann@x.org", **OURS)
    assert answer(crm, ann.id, point="ann@x.org") == "allow"
    crm.identity.retract(merged.id)
    for id in both:  # by a way that does not reach the address it is about the person
        before = len(crm.consent.events(id))
        crm.consent.record("object", "ann@x.org", purposes=["profiling"], channels=["in_app"])
        assert len(crm.consent.events(id)) == before + 1
    assert crm.consent.withdraw("ann@x.org", point="lee@x.org").record == twin.id
    with pytest.raises(InvalidConsent, match="no record"):
        crm.consent.withdraw("ann@x.org", point="bo@x.org")
    assert crm.consent.events(other.id) == ()


def test_a_yes_by_an_address_of_several_says_what_to_do() -> None:
    crm = in_memory()
    ids = {person(crm, "ann@x.org").id, person(crm, "ann@x.org").id}
    for kind in ("give", "request", "confirm", "lift", "assert_import"):
        with pytest.raises(
            AmbiguousReference, match=f"2 customers have this address, and a {kind}"
        ) as raised:
            crm.consent.record(kind, "ann@x.org", **OURS)
        assert set(raised.value.candidates) == ids
    with pytest.raises(AmbiguousReference, match="fits 2 customers"):
        crm.consent.withdraw("Ann Lee")
    assert [crm.consent.events(id) for id in ids] == [(), ()]


def test_a_no_at_an_address_of_very_many_is_heard_by_all_of_them() -> None:
    crm = in_memory()
    ids = [person(crm, "info@x.org").id for _ in range(25)]
    crm.consent.withdraw("info@x.org", channels=["email"])
    assert all(len(crm.consent.events(id)) == 20 for id in ids[::8])


def test_a_no_by_an_address_of_very_many_that_it_does_not_reach_whole_is_no_batch_without_end() -> None:
    store = CeilingsStore()
    crm = Crm(store, clock=Clock())
    ids = sorted(person(crm, "info@x.org").id for _ in range(60))
    first = crm.consent.withdraw("info@x.org", channels=["email", "sms"])
    assert (first.record, first.scope.point) == (ids[0], None)
    for id, about in (
        (ids[0], [None, "info@x.org"]),
        (ids[19], [None, "info@x.org"]),
        (ids[59], ["info@x.org"]),
    ):
        said = crm.consent.events(id)
        assert sorted((one.scope.point for one in said), key=str) == sorted(about, key=str)
        assert {one.record for one in said if one.scope.point} == {ids[20]}
        assert all(one.scope.channels == {"email"} for one in said if one.scope.point)
        assert answer(crm, id, point="info@x.org") == "deny"
    crm.consent.withdraw("info@x.org", channels=["in_app"])
    assert [len(crm.consent.events(id)) for id in (ids[19], ids[20])] == [3, 1]
    with pytest.raises(AmbiguousReference, match="60 customers have this address") as raised:
        crm.consent.record("give", "info@x.org", **OURS)
    assert list(raised.value.candidates) == ids


# --- merges ---------------------------------------------------------------------------------------------


def test_merge_and_retraction_leave_exactly_what_was_there(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    crm.consent.record("give", one.id, point="ann@x.org", **OURS)
    crm.consent.record("object", other.id, purposes=["direct_marketing"])
    ids = (one.id, other.id)
    before = [(answer(crm, id), crm.consent.events(id), crm.customers.view(id).digest) for id in ids]
    merged = crm.identity.merge(*ids)
    assert [answer(crm, id, point=p) for id, p in zip(ids, ("ann@x.org", "lee@x.org"), strict=True)] == [
        "deny"
    ] * 2
    assert kinds(crm, one.id) == kinds(crm, other.id) == ["give", "object"]
    crm.identity.retract(merged.id)
    assert [(answer(crm, id), crm.consent.events(id), crm.customers.view(id).digest) for id in ids] == before


def test_a_no_of_the_merged_customer_stays_with_every_record(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    merged = crm.identity.merge(one.id, other.id)
    said = crm.consent.record("object", one.id, purposes=["direct_marketing"])
    assert said.members == (str(one.id), str(other.id))
    assert len(crm.consent.events(one.id)) == 1
    crm.identity.retract(merged.id)
    assert kinds(crm, one.id) == kinds(crm, other.id) == ["object"]


def test_a_yes_is_recorded_under_the_record_that_was_named(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "ann@x.org")
    crm.identity.merge(one.id, other.id)
    assert crm.consent.record("give", other.id, point="ann@x.org", **OURS).record == str(other.id)
    assert crm.consent.record("give", one.id, **OURS).record == str(one.id)


def test_an_import_tightens_and_never_loosens(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", **OURS)
    crm.consent.record("refuse", "ann@x.org", purposes=["marketing"], evidence=Evidence.imported())
    assert answer(crm, ann.id) == "deny"
    crm.consent.record("assert_import", "ann@x.org", **OURS)
    assert answer(crm, ann.id) == "deny"


# --- times ----------------------------------------------------------------------------------------------


def test_what_has_not_happened_yet_is_not_recorded(crm: Crm) -> None:
    person(crm, "ann@x.org")
    with pytest.raises(InvalidConsent, match="future"):
        crm.consent.withdraw("ann@x.org", occurred_at=START + 30 * DAY)
    assert crm.consent.events("ann@x.org") == ()


def test_what_was_true_and_what_was_known_are_two_questions(crm: Crm) -> None:
    person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", occurred_at=START - 9 * DAY, **OURS)
    crm.consent.withdraw("ann@x.org", purposes=["marketing"], occurred_at=START - 2 * DAY)
    then = START - DAY
    assert answer(crm, "ann@x.org", at=then) == "deny"
    assert answer(crm, "ann@x.org", at=START - 3 * DAY) == "allow"
    assert answer(crm, "ann@x.org", at=then, known_at=then) == "deny"
    assert asked(crm, "ann@x.org", message=FORM, at=then, known_at=then).rule is None


# --- batches, texts, erasure ---------------------------------------------------------------------------


def test_a_batch_records_and_sees_its_own_acts(crm: Crm) -> None:
    with crm.batch() as b:
        ann = b.parties.add(Person.of("Ann Lee", email="ann@x.org"))
        b.consent.record("give", "ann@x.org", **OURS)
        assert answer(b, ann.id) == "allow"
        b.consent.withdraw("ann@x.org", purposes=["marketing"])
        assert answer(b, ann.id) == "deny"
    assert kinds(crm, "ann@x.org") == ["give", "withdraw"]


def test_a_batch_that_runs_again_records_once_and_returns_the_same_acts(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")

    def signup(**more: Any) -> list[ConsentEvent]:
        with crm.batch(idem="signup 17") as b:
            about = b.consent.record("give", "ann@x.org", **{**OURS, **more})
            return [about, b.consent.record("object", ann.id, purposes=["profiling"])]

    assert signup() == signup()
    assert sorted(kinds(crm, ann.id)) == ["give", "object"]
    for other in (
        {"purposes": ["research"]},
        {"evidence": None},
        {"occurred_at": START - DAY},
        {"night": True},
    ):
        with pytest.raises(IdempotencyMismatch):
            signup(**other)


@pytest.mark.parametrize("text", ["' OR 1=1 --", "<script>alert(1)</script>", "\u202eevil", "x" * 5_000])
def test_hostile_texts_come_back_as_they_were_said_and_are_not_shown(text: str) -> None:
    crm = in_memory()
    person(crm, "ann@x.org")
    said = crm.consent.withdraw("ann@x.org", words=text, evidence=Evidence.imported(document=text))
    assert crm.consent.events("ann@x.org") == (said,)
    assert text not in f"{said!r} {crm.customers.view('ann@x.org').text()}"


def test_no_text_that_comes_along_loses_a_no(crm: Crm) -> None:
    person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", **OURS)
    for broken, kept in (("stop\0", "stop\ufffd"), ("stop \ud83d", "stop \ufffd")):
        shown = Evidence(kind="web_form", given_by=broken, locale=broken, document=broken, notice=broken)
        said: Any = {"brand": broken, "topics": [broken], "via": broken, "evidence": shown}
        no = crm.consent.withdraw("ann@x.org", words=broken, controller=broken, recipients=[broken], **said)
        assert (no.words, no.via, no.evidence, *no.scope.topics) == (kept, kept, shown, kept)
        assert no in crm.consent.events("ann@x.org")
        assert answer(crm, "ann@x.org", controller=broken, topic=broken, brand=broken) == "deny"
    long = crm.consent.withdraw(
        "ann@x.org", words="x" * 300_000, evidence=Evidence(kind=None, notice="n" * 999)
    )
    assert (len(long.words or ""), len(long.evidence.notice or "") if long.evidence else 0) == (10_000, 512)
    kinds = Evidence(kind=None, data=frozenset(f"{number} {'d' * 600}" for number in range(10_000)))
    named = crm.consent.withdraw("ann@x.org", evidence=kinds).evidence
    assert named is not None
    assert (len(named.data), max(map(len, named.data))) == (30_000 // 512, 512)
    many = Evidence(kind=None, data=frozenset(map(str, range(1_001))))
    named = crm.consent.withdraw("ann@x.org", evidence=many).evidence
    assert named is not None
    assert len(named.data) == 1_000
    assert answer(crm, "ann@x.org") == "deny"
    crm.consent.withdraw("ann@x.org", topics=[f"list {number}" for number in range(1_001)])


def test_a_yes_with_texts_without_end_is_refused_by_the_name_of_what_is_too_long() -> None:
    crm = in_memory()
    person(crm, "ann@x.org")
    too_long: dict[str, dict[str, Any]] = {
        "words": {"words": "x" * 10_001},
        "notice": {"evidence": Evidence.double_opt_in(notice="n" * 513, version="3")},
        "document": {"evidence": Evidence.imported(document="d" * 2_001)},
        "topics": {"topics": ["t" * 513]},
        "recipients": {"recipients": map(str, range(1_001))},
    }
    for field, wrong in too_long.items():
        with pytest.raises(InvalidConsent, match=f"^{field} of an act"):
            crm.consent.record("give", "ann@x.org", **{**OURS, **wrong})
    fits: Any = {"words": "x" * 10_000, "topics": ["t" * 512]}
    assert crm.consent.record("give", "ann@x.org", **OURS, **fits) in crm.consent.events("ann@x.org")


@pytest.mark.parametrize(
    "wrong",
    [
        {"words": 7},
        {"valid_until": "tomorrow"},
        {"night": "yes"},
        {"purposes": ["spam"]},
    ],
)
def test_what_could_not_be_read_again_is_refused(wrong: dict[str, Any]) -> None:
    crm = in_memory()
    person(crm, "ann@x.org")
    with pytest.raises(CrmError):
        crm.consent.withdraw("ann@x.org", **wrong)
    assert crm.consent.events("ann@x.org") == ()


def test_nothing_personal_shows(crm: Crm) -> None:
    person(crm, "canary@x.org")
    said = crm.consent.record(
        "give",
        "canary@x.org",
        words="canary",
        via="mail of canary",
        evidence=Evidence.imported(document="canary.csv", given_by="canary herself", holder="canary"),
    )
    about = crm.consent.record("give", crm.customers.resolve("canary@x.org").id, purposes=["marketing"])
    decision = asked(crm, "canary@x.org")
    for thing in (said, about, decision, crm.consent.events("canary@x.org"), decision.explain()):
        assert "canary" not in f"{thing} {thing!r}"


def test_consent_is_erased_with_the_customer() -> None:
    store = MemoryStore()
    with Crm(store) as crm:
        ann, bo = person(crm, "ann@x.org"), person(crm, "bo@x.org")
        for address in ("ann@x.org", "bo@x.org"):
            crm.consent.record("give", address, **OURS)
        crm.consent.record("object", ann.id)
        points = {event.ledger for event in crm.consent.events(ann.id) if event.scope.point is not None}
        hers = {Ref("default", kind, ann.id) for kind in ("party", "features")}
        hers |= {Ref("default", "contact_point", str(name).removeprefix("consent:cp:")) for name in points}
        report = store.erase(
            Erasure(
                tenant="default",
                refs=frozenset(hers),
                subjects=frozenset({str(ann.id)}),
                idem="e",
                actor=SYSTEM,
                at=START,
            )
        )
        assert (report.records, report.entries) == (3, 3)
        again = person(crm, "ann@x.org")
        assert crm.consent.events(again.id) == ()
        assert kinds(crm, bo.id) == ["give"]


# --- practice -------------------------------------------------------------------------------------------


def test_what_the_company_says_once_need_not_be_said_again() -> None:
    crm = in_memory(practice=Practice(**{**_fields(PRACTICE), "offered_to_children": False}))
    person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", purposes=["marketing"], channels=["email"], evidence=YES)
    decision = crm.consent.decide("ann@x.org", purpose="marketing", channel="email", jurisdictions=["DE"])
    assert decision.answer == "allow"
    assert {"message.unsubscribe", "request.offered_to_children", "evidence.condition_of_contract"} <= set(
        decision.practice
    )
    assert crm.consent.events("ann@x.org")[0].scope.controller == "northwind"
    assert crm.consent.events("ann@x.org")[0].evidence == YES


def _fields(practice: Practice) -> dict[str, Any]:
    return {name: getattr(practice, name) for name in ("controller", "marketing", "forms", "point")}


def test_what_a_call_says_stands_before_the_practice() -> None:
    crm = in_memory(practice=Practice(**{**_fields(PRACTICE), "offered_to_children": False}))
    person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", purposes=["marketing"], channels=["email"], evidence=YES)
    question: dict[str, Any] = {"purpose": "marketing", "channel": "email", "jurisdictions": ["DE"]}
    without = crm.consent.decide("ann@x.org", message=Message.marketing(unsubscribe=False), **question)
    assert (without.answer, without.rule) == ("deny", "eu.no_way_out")
    assert "message.unsubscribe" not in without.practice
    child = crm.consent.decide("ann@x.org", offered_to_children=True, **question)
    assert child.answer != "allow"


def test_a_form_tells_only_of_those_who_filled_it_in() -> None:
    crm = in_memory(
        practice=Practice(forms=[Form(notice="newsletter", version="4", condition_of_contract=False)])
    )
    person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", purposes=["marketing"], channels=["email"], evidence=YES)
    decision = asked(crm, "ann@x.org", message=FORM)
    assert (decision.answer, decision.practice) == ("need_confirmation", ())
    assert "whether the consent was made a condition of a contract" in decision.explain()


def test_a_notice_and_version_is_one_form() -> None:
    with pytest.raises(InvalidConsent, match="same notice"):
        Practice(forms=[Form(notice="a", version="1"), Form(notice="a", version="1", disclosed=True)])


def test_facts_of_one_record_are_no_facts_of_another(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    crm.identity.merge(one.id, other.id)
    dead = {str(other.id): Facts(gpc=True)}
    decision = asked(crm, "ann@x.org", message=FORM, facts=dead)
    assert decision.answer == "deny"
