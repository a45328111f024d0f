"""One reference and one channel mean one contact point, whoever asks and whoever records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent import Facts, Subject
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import OnlinePoint
from crmcore.values.source import Source
from tests.app.houses import Clock, opened
from tests.app.test_change_of_address import ann_of
from tests.consent.asking import PRACTICE, YES, company

HOUR = timedelta(hours=1)
MAIL, OTHER_MAIL = "a@x.org", "b@y.org"
WITH, BARE, NEXT = "+34 912 345 670 x5", "+34 912 345 670", "+34 912 345 671"
MARKETING: Any = {"purposes": ["marketing"]}
ASKED: Any = {
    "purpose": "marketing",
    "offered_to_children": False,
    "message": PRACTICE.marketing,
    "facts": Facts(
        subject=Subject(kind="consumer", adult=True),
        zones=("Europe/Madrid",),
        point=PRACTICE.point,
        holidays=frozenset(),
    ),
}


def answer(crm: Crm, ref: str, channel: Any, law: str, **more: Any) -> str:
    asked = {**ASKED, "channel": channel, "jurisdictions": [law], **more}
    return str(crm.consent.decide(ref, **asked).answer)


# --- acts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ref", "channels"),
    [(WITH, ["email"]), (MAIL, ["email", "sms"]), (MAIL, ["sms"]), (BARE, ["sms"]), (NEXT, ["email", "sms"])],
)
def test_a_no_by_a_channel_holds_by_whatever_the_person_was_named(ref: str, channels: Any) -> None:
    clock, crm, ann = ann_of(MAIL, WITH, NEXT, "+34 912 345 670 x6")
    by: Any
    for point, by in ((MAIL, "email"), (WITH, "sms"), (NEXT, "sms")):
        crm.consent.record("give", ann, point=point, **MARKETING, channels=[by], evidence=YES)
    clock.now += HOUR
    no = crm.consent.record("withdraw", ref, **MARKETING, channels=channels)
    assert no.scope.point is None
    clock.now += HOUR
    for point, by in ((MAIL, "email"), (WITH, "sms"), (NEXT, "sms")):
        for law in ("ES", "US" if by == "email" else "GB"):
            expected = by not in channels
            assert (answer(crm, ann, by, law, point=point) == "allow") is expected, (by, law)


def test_a_no_at_an_address_stands_whoever_names_the_person_by_a_number() -> None:
    clock, crm, ann = ann_of(MAIL, NEXT)
    crm.consent.record("object", MAIL)
    clock.now += HOUR
    for ref in (ann, MAIL, NEXT, "Ann Lee"):
        assert (answer(crm, ref, "email", "US"), answer(crm, ref, "in_app", "US")) == ("deny", "deny")


def test_a_yes_to_a_number_without_its_extension_is_one_to_that_number_alone() -> None:
    clock, crm, ann = ann_of(WITH, NEXT)
    yes: Any = {**MARKETING, "channels": ["sms"], "evidence": YES}
    with crm.batch(idem="yes") as b:
        said = b.consent.record("give", BARE, **yes)
    with crm.batch(idem="yes") as b:
        assert b.consent.record("give", BARE, **yes) == said
    assert said.scope.point == "+34912345670x5"
    assert crm.consent.record("give", ann, point=BARE, **yes).scope.point == "+34912345670x5"
    clock.now += HOUR
    for law in ("ES", "FR", "GB"):
        assert [answer(crm, ann, "sms", law, point=one) for one in (WITH, NEXT)] == ["allow", "deny"]
    crm.parties.change(ann, lambda p: p.with_phone("+34 912 345 670 x6"))
    for ref, point in ((BARE, None), (str(ann), BARE)):
        with pytest.raises(InvalidConsent, match="differ by their extension"):
            crm.consent.record("give", ref, point=point, **yes)
    assert crm.consent.withdraw(BARE, **MARKETING, channels=["sms"]).scope.point is None


def test_a_yes_holds_at_the_address_it_was_said_of_and_by_what_needs_none() -> None:
    clock, crm, ann = ann_of(MAIL, OTHER_MAIL, NEXT)
    crm.consent.record("give", MAIL, **MARKETING, channels=["email", "sms", "in_app"], evidence=YES)
    clock.now += HOUR
    assert [answer(crm, ann, "email", "DE", point=one) for one in (MAIL, OTHER_MAIL)] == ["allow", "deny"]
    assert [answer(crm, ann, by, "DE") for by in ("sms", "in_app")] == ["deny", "allow"]


def test_an_act_about_the_person_stands_under_the_record_that_was_named() -> None:
    crm = company()
    one = crm.parties.add(Person.of("Ann Lee", email=MAIL))
    other = crm.parties.add(
        Person.of("Ann Lee", email=OTHER_MAIL, phone=NEXT, sources=(Source("shop", "7"),))
    )
    crm.identity.merge(one.id, other.id)
    for ref in (NEXT, other.id, Source("shop", "7"), "shop#7"):
        yes = crm.consent.record("give", ref, **MARKETING, channels=["email"], evidence=YES)
        assert (yes.record, yes.scope.points) == (str(other.id), frozenset((OTHER_MAIL, "+34912345671")))


def test_a_point_that_the_channel_does_not_reach_is_refused_where_it_is_named_for_it() -> None:
    _, crm, ann = ann_of(MAIL, NEXT)
    crm.parties.change(
        ann, lambda p: p.changed(contact_points=(OnlinePoint.of(MAIL, service="web"), *p.contact_points))
    )
    wrong: Any = [(NEXT, "email"), (MAIL, "sms"), (MAIL, "in_app"), ("web:a@x.org", "email"), (7, "email")]
    for point, channel in wrong:
        for ask in (
            lambda point, channel: crm.consent.record("give", ann, point=point, channels=[channel]),
            lambda point, channel: crm.consent.matrix(ann, point=point, channels=[channel]),
            lambda point, channel: answer(crm, ann, channel, "DE", point=point),
            lambda point, channel: crm.preferences.decide(ann, point=point, **{**ASKED, "channel": channel}),
        ):
            with pytest.raises(InvalidConsent):
                ask(point, channel)
    with pytest.raises(InvalidConsent, match="not reached by email and sms"):
        crm.consent.withdraw(ann, point=MAIL, channels=["email", "sms"])
    assert crm.consent.events(ann) == ()
    # A handle that is spelled as the address is nothing that a message goes to.
    assert crm.consent.withdraw(ann, point=MAIL, channels=["email"]).scope.point == MAIL
    assert crm.consent.withdraw(MAIL).scope.point == MAIL


# --- questions ------------------------------------------------------------------------------------------

CHANNELS: Any = ("email", "sms", "voice", "automated_call", "fax", "post", "push", "in_app")
CALLS = ("sms", "voice", "automated_call", "fax")
REFS = (MAIL, BARE, WITH, OTHER_MAIL, NEXT)
acts = st.tuples(
    st.sampled_from(("give", "withdraw", "object", "refuse")),
    st.sampled_from((*REFS, None)),
    st.sampled_from(((), ("email",), ("sms",), ("email", "sms"), ("email", "in_app"))),
)


@settings(max_examples=3)
@given(
    st.lists(acts, max_size=3),
    st.sampled_from(("US", "US", "ES")),
    st.sampled_from(((), (OTHER_MAIL,), (NEXT,), (OTHER_MAIL, NEXT))),
    st.sampled_from(CHANNELS),
)
@example([("object", MAIL, ())], "US", (), "email")
@example([("object", MAIL, ())], "US", (), "in_app")
@example([("give", BARE, ("sms",))], "ES", (NEXT,), "sms")
def test_alone_among_many_and_in_a_table_one_point_is_meant(
    said: list[tuple[Any, str | None, Any]], law: str, more: tuple[str, ...], channel: Any
) -> None:
    clock, crm, ann = ann_of(MAIL, WITH, *more)
    for kind, ref, by in said:
        if ref in (None, MAIL, BARE, WITH, *more):
            evidence = YES if kind == "give" else None
            crm.consent.record(kind, ref or ann, **MARKETING, channels=by, evidence=evidence)
            clock.now += HOUR
    rows = {
        row.point: row.answer
        for row in crm.consent.matrix(
            ann,
            channels=[channel],
            jurisdictions=[law],
            purposes=["marketing"],
            **{name: told for name, told in ASKED.items() if name != "purpose"},
        ).rows
    }
    asked = {**ASKED, "channel": channel, "jurisdictions": [law]}
    for ref in (ann, *(one for one in REFS if one in (MAIL, BARE, WITH, *more))):
        (told,) = crm.consent.audience([ref], **asked)
        if told.decision is None:
            assert (told.barrier, channel) == ("unreachable", "post")
            continue
        point = None
        named = ("email",) if "@" in ref else CALLS if ref.startswith("+") else ()
        if len(rows) > 1 and channel not in named:
            # Wishes are heard of what `crm.consent.decide` says, and there are none.
            with pytest.raises(InvalidConsent, match="has 2 contact points"):
                crm.preferences.decide(ref, **asked)
            point = told.point
        alone = crm.preferences.decide(ref, point=point, **asked)
        assert alone.answer == told.decision.answer == rows[told.point]
        assert alone.rule == told.decision.rule


def test_over_a_store_without_an_order_of_texts_an_unknown_name_ends_no_audience(tmp_path: Any) -> None:
    with opened("encrypted", tmp_path, clock=Clock(), practice=PRACTICE) as crm:
        crm.parties.add(Person.of("Ann Lee", email=MAIL))
        refs = (NEXT, "Nobody", MAIL)
        found = [one.barrier for one in crm.consent.audience(refs, **{**ASKED, "channel": "email"})]
    assert found == ["not_found", "not_found", None]


def test_a_text_that_may_be_several_points_is_a_no_of_the_person_and_no_yes() -> None:
    crm = company()
    draft = Person.of("Ann Lee").with_phone("020 7946 0018", region="GB")
    ann = crm.parties.add(draft.with_phone("020 7946 0018", region="NL")).id
    said: Any = {**MARKETING, "channels": ["sms"]}
    with pytest.raises(InvalidConsent, match="in full"):
        crm.consent.record("give", ann, point="020 7946 0018", **said, evidence=YES)
    with pytest.raises(InvalidConsent, match="in full"):
        answer(crm, ann, "sms", "GB", point="020 7946 0018")
    whole = crm.consent.record("give", ann, point="+31 20 7946 0018", **said, evidence=YES)
    assert whole.scope.point == "+312079460018"
    assert crm.consent.withdraw(ann, point="020 7946 0018", **said).scope.point is None


def test_what_is_no_reference_is_refused_in_a_sentence() -> None:
    crm = company()
    wrong: Any
    for wrong in (None, 5, b"a@x.org"):
        with pytest.raises(InvalidConsent, match="a reference is"):
            crm.consent.withdraw(wrong)
        with pytest.raises(InvalidConsent, match="a reference is"), crm.batch(idem="x") as b:
            b.consent.withdraw(wrong)
        with pytest.raises(InvalidConsent, match="a reference is"):
            crm.consent.decide(wrong, purpose="marketing", channel="email")
