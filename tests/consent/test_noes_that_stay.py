"""What a No needs to be taken back: what ends one kind of No ends no other, and nobody else takes it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts
from crmcore.consent.known import facts_of_record, outlasting
from crmcore.consent.reach import Reach, ReachedPoint
from crmcore.consent.request import Use
from crmcore.consent.words import ActKind
from tests.consent.rows import asked, row, said

NOON = "2026-05-12T10:00:00+02:00"
FIRST, DAY = datetime(2026, 2, 1, tzinfo=UTC), timedelta(days=1)
SCOPE = Scope(controller="acme", channels={"email"}, purposes={"marketing"})
ELSEWHERE = Scope(controller="acme", channels={"sms"}, purposes={"marketing"})
IMPORTED = Evidence.imported(document="list.csv")
TWICE = Evidence(kind="two_step_opt_in", condition_of_contract=False)
EVIDENCE = Evidence(kind="double_opt_in", condition_of_contract=False)
GIVEN = said("give", "2026-02-01T09:00:00Z", "email", ev="web_doi")
WITHDRAWN = said("withdraw", "2026-03-01T09:00:00Z", "email")


@pytest.mark.parametrize("no", ["refuse", "withdraw", "object", "invalidate"])
def test_a_lift_ends_a_restriction_and_no_other_no(no: ActKind) -> None:
    objected = said(no, "2026-03-05T09:00:00Z", "post", pu=["direct_marketing"])
    restricted = said("restrict", "2026-03-10T09:00:00Z", "post")
    lifted = said("lift", "2026-04-01T09:00:00Z", "post")
    for acts, expected in (([objected, restricted, lifted], "deny"), ([restricted, lifted], "allow")):
        one = row("EU", "post", "marketing", {"consents": acts}, NOON)
        assert asked(one).answer == expected


@pytest.mark.parametrize(
    ("place", "right", "expected"),
    [
        ("EU", "art21", "deny"),
        ("EU", "limit_sensitive_pi", "deny"),
        ("US-CA", "ccpa_1798_120", "deny"),
        ("US-CA", "limit_sensitive_pi", "allow"),
    ],
)
def test_a_right_that_the_law_has_no_rule_for_is_a_plain_no(place: str, right: str, expected: str) -> None:
    no = said("object", "2026-03-01T09:00:00Z", "email", right=right)
    assert asked(row(place, "email", "marketing", {"consents": [GIVEN, no]}, NOON)).answer == expected


def acts(*told: dict[str, Any]) -> tuple[ConsentEvent, ...]:
    """A Yes, a No that takes it back, and what else is *told*; ids are yes, no and then a, b, ..."""
    given = ConsentEvent(
        id="yes", kind="give", occurred_at=FIRST, scope=SCOPE, evidence=EVIDENCE, record="ann"
    )
    no = attrs.evolve(given, id="no", kind="withdraw", occurred_at=FIRST + DAY, evidence=None)
    more = [
        attrs.evolve(given, **{"id": "abc"[number], "occurred_at": FIRST + 2 * DAY, "evidence": None, **one})
        for number, one in enumerate(told)
    ]
    return (given, *([] if any(one.id == "no" for one in more) else [no]), *more)


@pytest.mark.parametrize(
    "told",
    [
        [],
        [{"kind": "assert_import", "corrects": "no"}],
        [{"kind": "assert_import", "corrects": "no", "evidence": EVIDENCE}],
        [{"kind": "request", "corrects": "no"}],
        [{"kind": "lift", "corrects": "no"}],
        [{"kind": "give", "corrects": "no"}],
        [{"kind": "restrict", "corrects": "no"}, {"kind": "lift", "occurred_at": FIRST + 3 * DAY}],
        [{"id": "no", "kind": "withdraw", "corrects": "no"}],
        [{"id": "no", "kind": "withdraw", "corrects": "b"}, {"kind": "withdraw", "corrects": "no"}],
        [{"kind": "withdraw", "corrects": "no", "scope": ELSEWHERE, "occurred_at": FIRST + 900 * DAY}],
        [{"kind": "withdraw", "corrects": "no", "scope": ELSEWHERE, "record": "bob"}],
        [{"kind": "withdraw", "corrects": "no", "scope": ELSEWHERE}],
        [{"kind": "withdraw", "corrects": "no", "scope": ELSEWHERE, "evidence": IMPORTED}],
        [{"kind": "object", "corrects": "no", "scope": ELSEWHERE}],
        [
            {"kind": "withdraw", "corrects": "no", "scope": ELSEWHERE},
            {"kind": "withdraw", "corrects": "a", "scope": ELSEWHERE},
        ],
        # It is said to have come before the Yes.
        [{"kind": "withdraw", "corrects": "no", "occurred_at": FIRST - DAY, "evidence": IMPORTED}],
    ],
)
def test_a_correction_takes_no_no_back(told: list[dict[str, Any]]) -> None:
    one = row("EU", "email", "marketing", {}, NOON)
    assert asked(one, events=acts(*told)).answer == "deny"
    assert asked(one, events=tuple(reversed(acts(*told)))).answer == "deny"


@pytest.mark.parametrize(
    "told",
    [
        [{"kind": "give", "corrects": "no", "evidence": EVIDENCE}],
        [{"kind": "give", "corrects": "no", "evidence": EVIDENCE}, {"kind": "withdraw", "scope": ELSEWHERE}],
    ],
)
def test_a_no_that_is_corrected_is_lifted_by_a_yes_as_ever(told: list[dict[str, Any]]) -> None:
    assert asked(row("EU", "email", "marketing", {}, NOON), events=acts(*told)).answer == "allow"


def test_a_correction_to_come_ends_the_answer() -> None:
    coming = {"kind": "withdraw", "corrects": "no", "scope": ELSEWHERE, "occurred_at": FIRST + 900 * DAY}
    found = asked(row("EU", "email", "marketing", {}, NOON), events=acts(coming))
    assert found.expires_at == FIRST + 900 * DAY


def test_many_corrections_of_corrections_are_followed() -> None:
    """Each stands for the one before it, which stood for a Yes; that none stands for the last is what counts."""
    chain = [
        {"kind": "give", "id": f"c{n}", "corrects": f"c{n - 1}" if n else "yes", "scope": ELSEWHERE}
        for n in range(3)
    ]
    last = {**chain[2], "scope": SCOPE, "evidence": EVIDENCE}
    for acts_told, expected in (([*chain[:2], last], "allow"), (chain, "deny")):
        found = [one for one in acts(*acts_told) if one.id != "no"]
        assert asked(row("EU", "email", "marketing", {}, NOON), events=tuple(found)).answer == expected


@pytest.mark.parametrize(("via", "expected"), [(None, "allow"), ("request:1", "deny")])
def test_what_is_known_to_be_restricted_is_not_lifted_by_the_end_of_something_else(
    via: str | None, expected: str
) -> None:
    lifted = said("lift", "2026-05-01T09:00:00Z", "email", **({} if via is None else {"via": via}))
    told = {"consents": [GIVEN, lifted], "restriction": {"since": "2026-04-01"}}
    assert asked(row("EU", "email", "marketing", told, NOON)).answer == expected


SHARED = ("gamma", "delta", "epsilon", None)


@given(
    st.sampled_from(("US-CA", "EU", "AU")),
    st.sampled_from(("withdraw", "restrict", "object", "refuse")),
    st.sampled_from(("give", "confirm", "lift")),
    st.frozensets(st.sampled_from(("gamma", "delta")), min_size=1),
    st.sampled_from(SHARED),
    st.booleans(),
)
def test_what_is_given_to_some_lifts_a_no_for_nobody_else(
    place: str, no: ActKind, back: ActKind, named: frozenset[str], recipient: str | None, asked_first: bool
) -> None:
    """Whoever else is named changes nothing for those who are, and whoever is not told is none of them."""
    one = row(place, "in_app", "third_party_sharing", {}, "2026-05-12T10:00:00-07:00")
    scope = Scope(controller="acme", channels={"in_app"}, purposes={"third_party_sharing"})
    first = ConsentEvent(id="yes", kind="give", occurred_at=FIRST, scope=scope, evidence=TWICE, record="ann")
    against = attrs.evolve(first, id="no", kind=no, occurred_at=FIRST + DAY, evidence=None)
    use = Use(recipient=recipient, transfer="sale")

    def answered(names: frozenset[str]) -> str:
        said = [attrs.evolve(first, id="back", kind=back, occurred_at=FIRST + 3 * DAY)]
        narrow = attrs.evolve(scope, recipients=names)
        if back == "confirm" and asked_first:  # what a bare confirmation is about stands in its request
            said.append(
                attrs.evolve(said[0], id="ask", kind="request", occurred_at=FIRST + 2 * DAY, scope=narrow)
            )
            narrow = Scope(controller="acme")
        said[0] = attrs.evolve(said[0], scope=narrow)
        return asked(one, attrs.evolve(one.request, use=use), events=(first, against, *said)).answer

    if recipient is not None and recipient in named:
        assert answered(named) == answered(frozenset((recipient,)))
    else:
        assert answered(named) != "allow"
        assert answered(named) == "deny" or recipient is None


def test_a_no_about_a_former_address_is_kept_with_what_came_after_it() -> None:
    no = ConsentEvent(
        id="no",
        kind="withdraw",
        occurred_at=FIRST,
        scope=Scope(
            controller="acme", channels={"email"}, purposes={"third_party_sharing"}, point="ann@x.org"
        ),
        record="ann",
    )
    yes = attrs.evolve(no, id="yes", kind="give", occurred_at=FIRST + DAY)
    before = attrs.evolve(yes, id="before", occurred_at=FIRST - DAY)
    kept = attrs.evolve(no, scope=attrs.evolve(no.scope, given_up="email"))
    assert list(outlasting((before, no, yes), "email", set())) == [kept, yes]
    many = tuple(ReachedPoint("email", f"{number}@x.org", None) for number in range(9))
    reach = Reach("consumer", many, (), None)
    assert facts_of_record(reach, Facts(), (kept, yes)).events == (kept, yes)  # once, for all that are left
    assert list(outlasting((before, yes), "email", set())) == []
