"""The matrix of a customer: each row is what is decided for it alone, and the customer is read once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.consent import ConsentMatrix, Facts, Message, SecretRing
from crmcore.consent.consent_matrix import message_for
from crmcore.errors import AmbiguousReference, InvalidConsent, NotFound
from crmcore.storage import MemoryStore
from crmcore.storage.wrappers import Passing, wrapped
from tests.app.houses import START, in_memory, options
from tests.app.test_consents import OURS
from tests.consent.asking import PRACTICE

DAY = timedelta(days=1)
PHONE = "+442079460018"
CHANNELS: Any = ("email", "sms", "voice", "automated_call", "fax", "post", "push", "in_app")
PURPOSES: Any = ("marketing", "service", "transactional", "legal_notice", "profiling", "research")
SAID: Any = {"jurisdictions": ["DE"], "offered_to_children": False, "at": START + DAY}
KNOWN = Facts(zones=("Europe/Berlin",))


def story(crm: Crm) -> str:
    """A customer of two records who agreed, moved away from one address and objected about another."""
    one = crm.parties.add(Person.of("Ann Lee", email="ann@x.org", phone="020 7946 0018", region="GB"))
    other = crm.parties.add(Person.of("Ann Lee", email="lee@x.org").with_email("ann@x.org"))
    crm.consent.record("give", one.id, point="ann@x.org", **OURS)
    crm.consent.withdraw(other.id, point="lee@x.org", purposes=["marketing"])
    crm.identity.merge(one.id, other.id)
    return str(one.id)


def test_each_row_is_what_is_decided_for_it_alone(crm: Crm) -> None:
    ann = story(crm)
    matrix = crm.consent.matrix(ann, purposes=PURPOSES, channels=CHANNELS, facts=KNOWN, **SAID)
    pairs: list[tuple[str, str | None]] = [("email", "ann@x.org"), ("email", "lee@x.org")]
    pairs += [(channel, PHONE) for channel in ("sms", "voice", "automated_call", "fax")]
    pairs += [("push", None), ("in_app", None)]
    assert [(r.purpose, r.channel, r.point) for r in matrix.rows] == [
        (purpose, *pair) for purpose in PURPOSES for pair in pairs
    ]
    taken_for = {"marketing": Message.marketing(), "profiling": Message(), "research": Message()}
    for row in matrix.rows:
        message = taken_for.get(row.purpose, Message.service())
        alone = crm.consent.decide(
            ann,
            purpose=row.purpose,
            channel=row.channel,
            point=row.point,
            message=message,
            facts=KNOWN,
            **SAID,
        )
        assert (row.answer, row.rule, row.jurisdiction) == (alone.answer, alone.rule, alone.jurisdiction)
        assert (row.expires_at, row.retry_at) == (alone.expires_at, alone.retry_at)
        assert row.reason
        assert "\n" not in row.reason
    assert {row.answer for row in matrix.rows} == {"allow", "deny", "need_confirmation"}


def test_without_channels_it_is_about_those_by_which_the_customer_is_reached() -> None:
    crm = in_memory(practice=PRACTICE)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    assert [(r.purpose, r.channel) for r in crm.consent.matrix(ann.id).rows] == [
        ("marketing", "email"),
        ("service", "email"),
        ("transactional", "email"),
    ]
    assert crm.consent.matrix(ann.id, channels=["sms"]).rows == ()
    bo = crm.parties.add(Person.of("Bo Hill"))
    empty = crm.consent.matrix(bo.id)
    assert empty.rows == ()
    assert "no contact point" in empty.text()
    assert "no contact point" in empty.to_html()


def test_one_point_is_asked_about_alone_and_must_be_one_of_theirs(crm: Crm) -> None:
    ann = story(crm)
    rows = crm.consent.matrix(ann, point="LEE@x.org", **SAID).rows
    assert {row.point for row in rows} == {"lee@x.org"}
    assert len(crm.consent.matrix("lee@x.org", **SAID).rows) == 18
    with pytest.raises(InvalidConsent, match="no record of this customer"):
        crm.consent.matrix(ann, point="bo@x.org")
    with pytest.raises(NotFound):
        crm.consent.matrix("bo@x.org")
    crm.parties.add(Person.of("Ann Lee", email="lee@x.org"))
    with pytest.raises(AmbiguousReference):
        crm.consent.matrix("lee@x.org")


@pytest.mark.parametrize(
    "wrong",
    [{"purposes": ["advertising"]}, {"channels": ["pigeon", "email"]}, {"channels": ["email"], "basis": "?"}],
)
def test_what_is_no_purpose_or_channel_is_refused(wrong: dict[str, Any]) -> None:
    crm = in_memory()
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    with pytest.raises(InvalidConsent):
        crm.consent.matrix(ann.id, **wrong)


@pytest.mark.parametrize(
    ("purpose", "promotion"),
    [
        *((purpose, True) for purpose in ("marketing", "fundraising", "political")),
        *((purpose, False) for purpose in ("service", "transactional", "legal_notice")),
        *((purpose, None) for purpose in ("profiling", "third_party_sharing", "research")),
    ],
)
def test_what_is_not_told_of_a_message_follows_from_the_purpose(purpose: Any, promotion: bool | None) -> None:
    assert message_for(purpose, None) == Message(promotion=promotion)
    assert message_for(purpose, {}) == Message(promotion=promotion)


def test_a_message_is_told_for_all_purposes_or_for_each() -> None:
    crm = in_memory(practice=PRACTICE)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    ads = Message(promotion=True)
    told: Any
    for told, expected in (
        (None, ["deny", "need_confirmation"]),
        ({"transactional": Message.service(kind="receipt")}, ["deny", "allow"]),
        (ads, ["deny", "deny"]),
    ):
        rows = crm.consent.matrix(ann.id, purposes=["marketing", "transactional"], message=told, **SAID).rows
        assert [row.answer for row in rows] == expected


def test_it_is_asked_at_any_instant_as_it_was_known() -> None:
    crm = in_memory(practice=PRACTICE)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    crm.consent.record("give", "ann@x.org", occurred_at=START - 9 * DAY, **OURS)
    asked: Any = {**SAID, "purposes": ["marketing"], "at": START - DAY}
    assert [row.answer for row in crm.consent.matrix(ann.id, **asked).rows] == ["allow"]
    before = crm.consent.matrix(ann.id, known_at=START - DAY, **asked)
    assert [row.answer for row in before.rows] == ["deny"]
    assert "as it was known on" in before.text()


class Counting(Passing):
    """Counts the calls of each method."""

    calls = 0

    async def around(self, call: Any) -> Any:
        self.calls += 1
        return await call.through()


def test_a_customer_is_read_once_however_many_questions_there_are() -> None:
    made: list[Counting] = []

    def counting(inner: Any) -> Counting:
        made.append(Counting(inner))
        return made[0]

    crm = Crm(wrapped(MemoryStore(), counting), **options(secrets=SecretRing({1: bytes(32)})))
    ann = story(crm)
    crm.suppression.add("email", "ann@x.org", reason="objection")
    found = []
    for purposes in (PURPOSES[:1], PURPOSES):
        before = made[0].calls
        assert crm.consent.matrix(ann, purposes=purposes, **SAID).rows
        found.append(made[0].calls - before)
    assert found[0] == found[1] > 0


def test_what_is_suppressed_is_denied_at_that_point_alone() -> None:
    crm = Crm(MemoryStore(), **options(practice=PRACTICE, secrets=SecretRing({1: bytes(32)})))
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org").with_email("lee@x.org"))
    for point in ("ann@x.org", "lee@x.org"):
        crm.consent.record("give", ann.id, point=point, **OURS)
    crm.suppression.add("email", "lee@x.org", reason="objection")
    rows = crm.consent.matrix(ann.id, purposes=["marketing"], **SAID).rows
    assert [(row.point, row.answer) for row in rows] == [("ann@x.org", "allow"), ("lee@x.org", "deny")]


def test_the_text_and_the_page_show_every_row_and_the_repr_no_point(crm: Crm) -> None:
    matrix: ConsentMatrix = crm.consent.matrix(story(crm), **SAID)
    header, *lines = matrix.text().splitlines()[1:]
    place = header.index("answer")
    for row, line in zip(matrix.rows, lines, strict=True):
        assert line[place:].startswith(
            {"allow": "Yes ", "deny": "No ", "need_confirmation": "Not yet "}[row.answer]
        )
        assert row.point is not None
        assert row.point in line
        assert row.point in matrix.to_html()
        assert row.point not in repr(matrix)
