"""Which acts about a contact point count for a record, over acts alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from crmcore.consent.customer_decision import Member, decide_customer
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts, Subject
from crmcore.consent.whose import counting
from tests.consent.test_members import ASKED

START = datetime(2026, 1, 1, tzinfo=UTC)
POINT = "a@x.org"


def act(id: str, kind: Any, record: str | None, day: int, **more: Any) -> ConsentEvent:
    """An act about marketing by e-mail at one address."""
    scope = Scope(controller="acme", channels={"email"}, purposes={"marketing"}, point=POINT)
    shown = Evidence(kind="double_opt_in", condition_of_contract=False)
    return ConsentEvent(
        id=id,
        kind=kind,
        record=record,
        occurred_at=START + timedelta(days=day),
        **{"scope": scope, "evidence": shown, **more},
    )


def left(*acts: ConsentEvent, joined: Any = (), having: tuple[str, ...] = ("bo",)) -> list[str]:
    points = {record: {POINT} for record in having}
    return [one.id for one in counting(acts, "bo", dict(joined), points)]


def test_what_permits_counts_with_its_record_and_a_no_for_whoever_has_the_point() -> None:
    for kind in ("give", "confirm", "assert_import", "request"):
        one = act("1", kind, "ann", 1)
        assert left(one) == []
        assert left(one, having=("ann", "bo")) == ["1"]
        assert left(act("1", kind, "bo", 1)) == left(act("1", kind, None, 1)) == ["1"]
        since = {"ann": START, "bo": START + timedelta(days=1)}
        assert left(one, joined=since) == ["1"]
        assert left(one, joined={**since, "bo": START + timedelta(days=2)}) == []
    for kind in ("withdraw", "refuse", "object", "restrict", "invalidate", "lift"):
        assert left(act("1", kind, "ann", 1)) == ["1"]


def test_what_is_corrected_by_an_act_that_does_not_count_does_not_count_again() -> None:
    elsewhere = Scope(controller="acme", channels={"email"}, purposes={"marketing"}, point="gone@x.org")
    first = act("1", "give", "ann", 1)
    second = act("2", "give", "ann", 2, scope=elsewhere, corrects="1")
    third = act("3", "give", "ann", 3, corrects="2")
    assert left(first, second, having=("ann", "bo")) == []
    assert left(first, second, third, having=("ann", "bo")) == ["3"]
    assert left(act("0", "withdraw", "ann", 0), act("4", "give", "ann", 2, corrects="0")) == ["0"]


def test_a_no_of_one_record_alone_ends_what_that_one_agreed_to_and_nothing_else() -> None:
    end = act("end", "withdraw", "ann", 2, scope=Scope(controller="acme", point=POINT), alone=True)
    acts = (act("1", "give", "ann", 1), act("2", "give", "bo", 1), end, act("3", "give", "ann", 3))
    assert left(*acts, having=("ann", "bo")) == ["2", "3"]
    now = START + timedelta(days=9)
    assert left(*acts, having=("ann", "bo"), joined={"ann": now, "bo": now}) == ["2", "end", "3"]


def test_no_merge_makes_a_yes_take_back_a_no_of_others() -> None:
    no = act("no", "withdraw", "cy", 1)
    own = act("own", "give", "bo", 2)
    named = act("named", "give", "ann", 3, takes_back=("no", "again"))
    said = (no, own, named)

    def member(record: str, *acts: ConsentEvent, since: int | None = None) -> Member:
        return Member(
            record=record,
            points=frozenset({POINT}),
            facts=Facts(events=acts, zones=("UTC",), subject=Subject(adult=True)),
            jurisdictions=("EU",),
            since=None if since is None else START + timedelta(days=since),
        )

    def answer(*members: Member) -> str:
        return decide_customer(ASKED, members).answer

    assert answer(member("ann", *said)) == "allow"
    more = [act(id, "withdraw", "cy", 1) for id in ("another", "again")]
    assert answer(member("ann", *said, more[1])) == "allow"
    assert answer(member("ann", *said, *more)) == "deny"
    assert answer(member("bo", *said)) == "deny"
    assert answer(member("ann", *said), member("bo", *said, since=2)) == "allow"
    assert answer(member("ann", *said), member("bo", *said, since=4)) == "deny"
    assert answer(member("ann", *said), member("cy", *said, since=4)) == "deny"
