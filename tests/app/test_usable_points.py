"""Nobody is contacted where their record says not to, nor by a record that was taken back; and no No is lost by it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.consent import Facts, Offer, PreferenceCentre, Subject, Topic, Topics, Wished
from crmcore.consent.words import Channel
from crmcore.errors import InvalidConsent, NotFound
from crmcore.party.contact_point import UNUSABLE, ContactPoint, EmailPoint, PhonePoint, PostalPoint
from crmcore.values.ids import PartyId
from crmcore.values.language import Language
from crmcore.values.period import Period
from tests.app.houses import START, Clock
from tests.consent.asking import PRACTICE, YES, company

A, B, DAY = "a@x.org", "b@y.org", timedelta(days=1)
SAID: Any = {"purposes": ["marketing"], "channels": ["email"]}
ASKED: Any = {
    "purpose": "marketing",
    "channel": "email",
    "jurisdictions": ["US"],
    "offered_to_children": False,
    "message": PRACTICE.marketing,
    "facts": Facts(
        subject=Subject(kind="consumer", adult=True), zones=("America/New_York",), point=PRACTICE.point
    ),
}
OVER: Period[date] = Period(None, date(2020, 1, 1))


def marked(**facts: Any) -> EmailPoint:
    return EmailPoint.of(A, **facts)


UNUSED: tuple[tuple[str, ContactPoint], ...] = (
    *((status, marked(status=status)) for status in sorted(UNUSABLE)),
    ("not_valid", marked(valid=OVER)),
    ("not_valid", marked(valid=Period(datetime(2030, 1, 1, tzinfo=UTC), None))),
    ("no_address", EmailPoint.of("ann at x.org")),
    ("no_address", EmailPoint.of("Ann <a@x.org>, b@x.org")),
    ("no_number", PhonePoint.of("9897433")),
)
"""A point that may not be used, and why."""

SOME = (UNUSED[0], UNUSED[4], UNUSED[6])
"""One that is marked, one that is over, and one that is no address."""


def holding(*points: ContactPoint) -> tuple[Clock, Crm, PartyId]:
    """Somebody with these contact points, who said yes."""
    clock = Clock()
    crm = company(clock)
    draft = Person.of("Ann Lee")
    for point in points:
        draft = draft.with_point(point)
    ann = crm.parties.add(draft).id
    crm.consent.record("give", ann, purposes=["marketing"], channels=["email", "voice"], evidence=YES)
    clock.now += timedelta(hours=2)
    return clock, crm, ann


def change(crm: Crm, id: PartyId, *points: ContactPoint) -> None:
    crm.parties.change(id, lambda p: p.changed(contact_points=points))


def alone_and_among_many(crm: Crm, *refs: str, **more: Any) -> tuple[str, str | None]:
    """The one answer about *refs*, and the rule behind it, however it is asked for; to all it is unreachable alone."""
    asked, answers = {**ASKED, **more}, set()
    for ref in refs:
        for asking in (crm.consent, crm.preferences):
            alone = asking.decide(ref, **asked)
            answers.add((alone.answer, alone.rule))
            if "point" not in asked:
                (told,) = asking.audience([ref], **asked)
                if told.decision is None:
                    assert (told.barrier, alone.answer) == ("unreachable", "deny")
                else:
                    answers.add((told.decision.answer, told.decision.rule))
    (found,) = answers
    return found


def test_nobody_is_contacted_at_a_point_that_may_not_be_used_and_the_answer_says_why() -> None:
    for why, point in UNUSED:
        channel: Channel = "voice" if point.kind == "phone" else "email"
        _, crm, ann = holding(point)
        named = [] if why.startswith("no_") else [A]
        expected = ("deny", f"record.{why}")
        assert alone_and_among_many(crm, ann, *named, channel=channel) == expected
        assert alone_and_among_many(crm, ann, channel=channel, point=point.raw) == expected
        assert [one.barrier for one in crm.consent.audience(**{**ASKED, "channel": channel})] == [
            "unreachable"
        ]
        decision = crm.consent.decide(ann, **{**ASKED, "channel": channel})
        assert "(the record itself)" in decision.explain()
        of_points = {name: told for name, told in ASKED.items() if name not in ("purpose", "channel")}
        matrix = crm.consent.matrix(ann, purposes=["marketing"], channels=[channel, "in_app"], **of_points)
        assert [row.answer for row in matrix.rows] == ["deny", "allow"]


def test_of_several_points_one_that_may_be_used_is_meant() -> None:
    for _, point in SOME:
        _, crm, ann = holding(point, EmailPoint.of(B))
        assert alone_and_among_many(crm, ann)[0] == "allow"
        assert [one.point for one in crm.consent.audience(**ASKED)] == [B]
        assert alone_and_among_many(crm, ann, point=point.raw)[0] == "deny"


def test_whoever_has_several_points_of_which_none_may_be_used_is_not_contacted() -> None:
    _, crm, ann = holding(marked(status="dead"), EmailPoint.of(B, status="bouncing"))
    assert alone_and_among_many(crm, ann) == ("deny", "record.dead")
    assert "What the record says" in crm.consent.decide(ann, **ASKED).to_html()
    assert [one.barrier for one in crm.consent.audience(**ASKED)] == ["unreachable"]


def test_a_letter_goes_to_whatever_is_written_on_it() -> None:
    _, crm, ann = holding(PostalPoint.of("the house by the river"))
    assert alone_and_among_many(crm, ann, channel="post")[0] == "allow"


def test_a_no_at_a_point_that_may_not_be_used_counts_as_ever() -> None:
    for _, point in SOME:
        clock, crm, ann = holding(point, EmailPoint.of(B))
        no = crm.consent.record("object", ann, point=point.raw)
        assert no.scope.point == point.key
        clock.now += DAY
        # An objection that is said of an address to everything is one of whoever has it, by what needs no address.
        assert alone_and_among_many(crm, ann, channel="in_app")[0] == "deny"
        other = crm.parties.add(Person.of("Ann Lee").with_point(EmailPoint.of(point.raw))).id
        if point.problem is None:
            assert alone_and_among_many(crm, other)[0] == "deny"
        change(crm, ann, EmailPoint.of(B))
        assert alone_and_among_many(crm, ann)[0] == "deny"


def test_a_point_is_used_while_it_is_valid_wherever_the_person_may_be() -> None:
    _, crm, ann = holding(marked(valid=Period(date(2026, 3, 10), date(2026, 4, 1))))
    begin, end = datetime(2026, 3, 10, 12, tzinfo=UTC), datetime(2026, 3, 31, 10, tzinfo=UTC)
    second = timedelta(seconds=1)
    for at, expected in (
        (begin - second, "record.not_valid"),
        (begin, None),
        (end - second, None),
        (end, "record.not_valid"),
    ):
        found = alone_and_among_many(crm, ann, A, at=at)
        assert found == (("deny", expected) if expected else ("allow", "us.canspam.opt_out_regime")), at
    for at, until in ((begin - second, begin), (START + DAY, end)):
        ends = [crm.consent.decide(ann, **ASKED, at=at).expires_at]
        ends += [one.decision.expires_at for one in crm.consent.audience([A], **ASKED, at=at) if one.decision]
        assert ends == [until, until]


def test_what_was_known_of_a_point_then_is_what_is_asked_about() -> None:
    clock, crm, ann = holding(marked())
    then = clock.now
    clock.now += DAY
    change(crm, ann, marked(status="dead"))
    assert alone_and_among_many(crm, ann) == ("deny", "record.dead")
    assert crm.consent.decide(ann, **ASKED, known_at=then).answer == "allow"


def test_of_several_records_with_a_point_each_ones_mark_counts_unless_it_was_taken_back() -> None:
    clock, crm, ann = holding(marked())
    other = crm.parties.add(Person.of("Ann Lee").with_point(marked(status="dead"))).id
    crm.identity.merge(ann, other)
    clock.now += DAY
    assert alone_and_among_many(crm, ann, other) == ("deny", "record.dead")
    crm.parties.retract(other, reason="a slip")
    assert alone_and_among_many(crm, ann, other, A)[0] == "allow"


def test_nobody_is_contacted_by_a_record_that_was_taken_back_until_it_is_restored() -> None:
    clock, crm, ann = holding(marked(), PhonePoint.of("+34 912 345 670"))
    crm.parties.retract(ann, reason="a slip")
    clock.now += DAY
    expected = ("deny", "record.taken_back")
    for channel in ("email", "sms", "post", "in_app"):
        assert alone_and_among_many(crm, ann, channel=channel)[0] == "deny"
    assert alone_and_among_many(crm, ann) == expected
    bo = crm.parties.add(Person.of("Bo Ek")).id
    crm.parties.retract(bo, reason="a slip")
    assert alone_and_among_many(crm, bo, channel="in_app") == expected
    assert list(crm.consent.audience(**ASKED)) == []
    with pytest.raises(NotFound):
        crm.consent.decide(A, **ASKED)
    for kind in ("give", "confirm", "request", "assert_import"):
        for point in (None, A):
            with pytest.raises(InvalidConsent, match="restore it first"):
                crm.consent.record(kind, ann, point=point, **SAID, evidence=YES)
    crm.parties.restore(ann, reason="it was right")
    assert alone_and_among_many(crm, ann, A)[0] == "allow"


def test_a_no_about_a_record_that_was_taken_back_is_kept() -> None:
    clock, crm, ann = holding(marked())
    crm.parties.retract(ann, reason="a slip")
    crm.consent.record("withdraw", ann, **SAID)
    clock.now += DAY
    centre = crm.preferences.centre(ann, [Offer(purpose="marketing", channel="email")], points={"email": A})
    with pytest.raises(InvalidConsent, match="restore it first"):
        crm.preferences.change(ann, centre, centre.choose("marketing", "email", on=True), evidence=YES)
    crm.parties.restore(ann, reason="it was right")
    rule = alone_and_among_many(crm, ann, A)[1]
    assert rule is not None
    assert not rule.startswith("record.")


def test_of_a_customer_whose_one_record_was_taken_back_the_others_decide() -> None:
    clock, crm, ann = holding(marked())
    other = crm.parties.add(Person.of("Ann Lee", email=B)).id
    crm.identity.merge(ann, other)
    clock.now += DAY
    crm.parties.retract(ann, reason="a slip")
    assert alone_and_among_many(crm, ann, other)[0] == "allow"
    assert [one.point for one in crm.consent.audience(**ASKED)] == [B]
    assert alone_and_among_many(crm, ann, point=A) == ("deny", "record.taken_back")
    named = crm.consent.record("give", other, **SAID, evidence=YES)
    assert named.record == str(other)
    assert named.scope.points == frozenset({B})


def test_a_yes_under_a_record_that_was_taken_back_is_none_of_another_of_the_customer() -> None:
    clock, crm, ann = holding(marked())
    bo = crm.parties.add(Person.of("Bo Lee").with_point(marked()).with_email(B)).id
    crm.identity.merge(ann, bo)
    offers = [Offer(purpose="marketing", channel=channel) for channel in ("email", "push")]
    for back, stands in ((ann, bo), (bo, ann)):
        crm.parties.retract(back, reason="not her")
        for point in (None, A, B):
            with pytest.raises(InvalidConsent, match="restore it first"):
                crm.consent.record("request", back, point=point, **SAID, evidence=YES)
        at: dict[Channel, str] = {"email": B if back == ann else A}
        for channel in ("email", "push"):
            clock.now += timedelta(hours=1)
            shown = crm.preferences.centre(stands, offers, points=at)
            off = shown.choose("marketing", channel, on=False)  # a No is never refused
            assert crm.preferences.change(back, shown, off, evidence=None).events
            shown = crm.preferences.centre(stands, offers, points=at)
            on = shown.choose("marketing", channel, on=True)
            with pytest.raises(InvalidConsent, match="restore it first"):
                crm.preferences.change(back, shown, on, evidence=YES)
            (yes,) = crm.preferences.change(stands, shown, on, evidence=YES).events
            assert yes.record == str(stands)
        # Nobody who was taken back is found by an address: it names who stands.
        assert crm.consent.record("give", A, **SAID, evidence=YES).record == str(stands)
        crm.parties.restore(back, reason="it was she")


def test_a_no_by_an_address_is_one_of_a_record_that_was_taken_back_too() -> None:
    number = PhonePoint.of("+34 912 345 670 ext 7")
    told: tuple[tuple[str, Channel, ContactPoint], ...] = (
        (A, "email", marked()),
        ("+34 912 345 670", "voice", number),
    )
    for spelled, channel, point in told:
        _, crm, ann = holding(point)
        bo = crm.parties.add(Person.of("Bo Ek").with_point(point)).id
        crm.parties.retract(ann, reason="a slip")
        assert crm.consent.withdraw(f" {spelled}", channels=[channel]).record == bo  # who stands comes first
        noes = [one for one in crm.consent.events(ann) if one.kind == "withdraw"]
        assert {one.record for one in noes} == {ann, bo}
        crm.parties.retract(bo, reason="a slip")
        assert crm.consent.withdraw(spelled, purposes=["marketing"]).record in {ann, bo}
        with pytest.raises(NotFound):
            crm.consent.record("give", spelled, **SAID, evidence=YES)
        crm.parties.restore(ann, reason="it was right")
        assert crm.consent.withdraw(spelled, purposes=["marketing"]).record == ann
        assert crm.customers.resolve(spelled).members == (ann,)


def page_that_is_refused() -> tuple[Clock, Crm, PartyId, str, PreferenceCentre, PreferenceCentre]:
    """A page with a line off and one on, of a customer whose first record was taken back."""
    offers = [Offer(purpose=purpose, channel="email") for purpose in ("marketing", "research")]
    clock, crm, ann = holding(marked())
    other = crm.parties.add(Person.of("Ann Lee").with_point(marked())).id
    crm.identity.merge(ann, other)
    crm.consent.record("give", other, **SAID, evidence=YES)
    crm.parties.retract(ann, reason="typed in twice")
    clock.now += DAY
    (customer,) = [str(one.ref) for one in crm.consent.audience(**ASKED)]
    shown = crm.preferences.centre(customer, offers, points={"email": A})
    chosen = shown.choose("marketing", "email", on=False).choose("research", "email", on=True)
    return clock, crm, other, customer, shown, chosen


def test_what_is_turned_off_on_a_page_is_kept_though_what_is_turned_on_is_refused() -> None:
    clock, crm, other, customer, shown, chosen = page_that_is_refused()
    known = len(crm.consent.events(customer))
    with pytest.raises(InvalidConsent, match="restore it first, or name") as raised:
        crm.preferences.change(customer, shown, chosen, evidence=YES)
    assert raised.value.__notes__ == ["what they turned off is recorded"]
    assert [one.kind for one in crm.consent.events(customer)[known:]] == ["withdraw"]
    clock.now += DAY
    assert alone_and_among_many(crm, other)[0] == "deny"
    assert not crm.preferences.of(customer)


@pytest.mark.parametrize("wished", [{"language": None}, {"no_topics": frozenset({"boats"})}])
def test_what_is_turned_off_on_a_page_is_kept_though_what_is_wished_there_is_refused(wished: Any) -> None:
    _, crm, ann = holding(marked())
    crm.preferences.record(ann, Wished(language=Language("de")))
    offers = [Offer(purpose="marketing", channel="email")]
    shown = attrs.evolve(crm.preferences.centre(ann, offers), topics=Topics([Topic(name="shoes")]))
    wrong = attrs.evolve(shown, wishes=attrs.evolve(shown.wishes, **wished))
    with pytest.raises(InvalidConsent, match=r"language is wished until|no topic") as raised:
        crm.preferences.change(ann, shown, wrong, evidence=YES)
    assert not hasattr(raised.value, "__notes__"), "nothing was turned off"
    with pytest.raises(InvalidConsent, match=r"language is wished until|no topic") as raised:
        crm.preferences.change(ann, shown, wrong.choose("marketing", "email", on=False), evidence=YES)
    assert raised.value.__notes__ == ["what they turned off is recorded"]
    assert [one.kind for one in crm.consent.events(ann)] == ["give", "withdraw"]
    assert len(crm.preferences.of(ann)) == 1


@pytest.mark.parametrize("idem", [None, "page"])
def test_a_page_that_is_refused_in_a_batch_leaves_nothing_there_and_does_not_say_otherwise(
    idem: str | None,
) -> None:
    _, crm, _, customer, shown, chosen = page_that_is_refused()
    known = crm.consent.events(customer)
    for _ in range(2):
        refused: list[InvalidConsent] = []
        with crm.batch(idem=idem) as batch:
            try:
                batch.preferences.change(customer, shown, chosen, evidence=YES)
            except InvalidConsent as error:  # the batch goes on
                refused.append(error)
        assert [getattr(one, "__notes__", []) for one in refused] == [[]]
        assert crm.consent.events(customer) == known
