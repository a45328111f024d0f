"""Which acts about a contact point count for a record, over acts alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from crmcore.consent.customer_decision import Member, decide_customer
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts, Subject
from crmcore.consent.whose import Having, counting, telling
from crmcore.values.frozen_map import FrozenMap
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
    points = {record: Having({POINT}) for record in having}
    return [one.id for one in telling(counting(acts, "bo", dict(joined), points))]


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


def test_a_yes_that_permits_nothing_lifts_a_no_of_its_own_record() -> None:
    def answer(
        *acts: ConsentEvent,
        law: str = "US",
        having: tuple[str, ...] = ("bo",),
        joined: Mapping[str, int] = FrozenMap({"bo": 0}),
    ) -> str:
        since = {record: START + timedelta(days=day) for record, day in joined.items()}
        told = counting(acts, "bo", since, {record: Having({POINT}) for record in having})
        members = [
            Member(
                record=record,
                points=frozenset({POINT} if record == "bo" else ()),
                facts=Facts(
                    events=told if record == "bo" else (), zones=("UTC",), subject=Subject(adult=True)
                ),
                jurisdictions=(law,),
                since=when,
            )
            for record, when in since.items()
        ]
        return "deny" if decide_customer(ASKED, members).answer == "deny" else "allow"

    no, again, own = (
        act("no", "withdraw", "ann", 1),
        act("again", "give", "ann", 2),
        act("own", "give", "bo", 3),
    )
    bare = Scope(controller="acme", point=POINT)
    halves = (act("asked", "request", "ann", 1), act("again", "confirm", "ann", 2, scope=bare))
    weak = Evidence(kind="preticked_box")
    assert answer(no, act("own", "give", "bo", 2), law="EU") == "deny"
    for having in (("ann", "bo"), ("bo",)):
        for law in ("US", "EU"):
            assert answer(no, again, own, law=law, having=having) == "allow"
            assert answer(no, *halves, own, law=law, having=having) == "allow"
            for more in (act("later", "withdraw", "ann", 4), act("more", "withdraw", "cy", 1)):
                assert answer(no, again, own, more, law=law) == "deny"
        assert answer(no, again, having=having) == "allow"
        assert (
            answer(no, act("again", "give", "ann", 2, evidence=weak), own, law="EU", having=having) == "deny"
        )
    for yeses in ((again,), halves, (act("own", "give", "bo", 0), again)):  # it permits nothing
        assert answer(no, *yeses, law="EU") == "deny"
    for kind in ("give", "assert_import"):
        stood_for = act("more", kind, "ann", 3, corrects="again", evidence=weak)
        assert answer(no, again, stood_for, own, law="EU") == "deny"
        assert answer(no, again, stood_for) == "deny"
    named = act("again", "give", "ann", 2, takes_back=("more",))
    assert answer(no, named, own, act("more", "withdraw", "cy", 1)) == "deny"
    apart = {"ann": 0, "cy": 0, "bo": 4}  # who said it was one customer with cy then, and is with bo since
    assert answer(no, again, joined=apart) == "allow"
    assert answer(act("no", "withdraw", "cy", 1), again, joined=apart) == "deny"


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
