"""Receipts say what was recorded and come back as what another system asserts; a signal says one thing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent import (
    ConsentEvent,
    Controller,
    Evidence,
    Facts,
    Message,
    Request,
    Scope,
    Use,
    decide,
    from_receipt,
    receipt_schema,
    signal_act,
    signalled,
    to_receipt,
    with_signal,
)
from crmcore.consent.words import NOES, YESES
from crmcore.errors import InvalidConsent

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ACME = Controller(id="acme", name="Acme Ltd", email="privacy@acme.example", country="GB")
GIVEN = ConsentEvent(
    id="e1",
    kind="give",
    occurred_at=NOW,
    scope=Scope(
        controller="acme", channels={"email"}, purposes={"marketing"}, point="ann@x.example", topics={"news"}
    ),
    evidence=Evidence(kind="double_opt_in", notice_version="3", notice_sha256="ab" * 32, explicit=True),
    words="call me Ann",
    valid_until=NOW + timedelta(days=365),
)


def fits(schema: Any, value: Any) -> bool:
    """As much of JSON Schema as the schema of a receipt uses."""
    if "enum" in schema:
        return value in schema["enum"]
    if schema["type"] == "object":
        return (
            isinstance(value, dict)
            and set(schema.get("required", ())) <= value.keys() <= schema["properties"].keys()
            and all(fits(schema["properties"][name], one) for name, one in value.items())
        )
    if schema["type"] == "array":
        return (
            isinstance(value, list) and len(value) >= 1 and all(fits(schema["items"], one) for one in value)
        )
    return isinstance(value, str) and len(value) >= schema.get("minLength", 0)


scopes = st.builds(
    Scope,
    controller=st.just("acme"),
    channels=st.sets(st.sampled_from(("email", "sms", "post"))),
    purposes=st.sets(st.sampled_from(("marketing", "research", "direct_marketing"))),
    topics=st.sets(st.sampled_from(("news", "offers"))),
    recipients=st.sets(st.sampled_from(("bank", "club"))),
    brand=st.sampled_from((None, "kids")),
    point=st.sampled_from((None, "ann@x.example")),
)
kinds = st.sampled_from(sorted(NOES | YESES | {"request", "lift"}))


@given(kinds, scopes, st.sampled_from((None, GIVEN.evidence)))
def test_every_receipt_fits_its_schema_and_comes_back_as_what_it_said(
    kind: Any, scope: Scope, evidence: Evidence | None
) -> None:
    event = attrs.evolve(GIVEN, kind=kind, scope=scope, evidence=evidence)
    receipt = json.loads(json.dumps(to_receipt(event, ACME, principal="customer 17")))
    assert fits(receipt_schema(), receipt)
    assert "ann@x.example" not in str(receipt)
    assert "call me Ann" not in str(receipt)
    if kind in ("request", "lift"):
        with pytest.raises(InvalidConsent):
            from_receipt(receipt)
        return
    if kind in YESES and scope.point is not None:
        with pytest.raises(InvalidConsent, match="say for which"):
            from_receipt(receipt)
    back = from_receipt(receipt, point=scope.point, record="r")
    assert back.kind == ("assert_import" if kind in YESES else kind)
    assert (back.occurred_at, back.valid_until, back.scope) == (event.occurred_at, event.valid_until, scope)


def test_a_receipt_never_lifts_a_no_and_a_no_on_one_is_one() -> None:
    withdrawn = to_receipt(attrs.evolve(GIVEN, kind="withdraw"), ACME, principal="17")
    assert from_receipt(withdrawn).kind == "withdraw"
    given = from_receipt(to_receipt(GIVEN, ACME, principal="17"), point="ann@x.example")
    assert given.kind not in ("give", "confirm", "lift")


def test_of_several_events_the_latest_counts() -> None:
    receipt = to_receipt(GIVEN, ACME, principal="17")
    later = {"event_time": "2026-06-01T00:00:00Z", "event_state": "withdrawn", "entity_id": "17"}
    receipt["events"].insert(0, later)
    assert from_receipt(receipt).kind == "withdraw"


def test_what_is_not_understood_narrows_a_yes_and_widens_a_no() -> None:
    def told(state: str, **changes: Any) -> ConsentEvent:
        receipt = to_receipt(GIVEN, ACME, principal="17")
        receipt["pii_processing"]["purposes"][0].update(changes)
        receipt["events"][0]["event_state"] = state
        return from_receipt(receipt, point="ann@x.example")

    assert told("given", purpose="newsletters").scope.purposes == frozenset()
    assert told("given", processing_method=["email", "pigeon"]).scope.channels == {"email"}
    for changes in ({"purpose": "newsletters"}, {"processing_method": ["email", "pigeon"]}):
        no = told("withdrawn", **changes)
        assert (no.scope.purposes, no.scope.channels, no.scope.topics) == (frozenset(),) * 3


def test_a_yes_whose_purposes_differ_is_not_mixed() -> None:
    receipt = to_receipt(
        attrs.evolve(GIVEN, scope=Scope(purposes={"marketing", "research"})), ACME, principal="1"
    )
    receipt["pii_processing"]["purposes"][0]["processing_method"] = ["sms"]
    with pytest.raises(InvalidConsent, match="differ"):
        from_receipt(receipt)
    receipt["events"][0]["event_state"] = "refused"
    assert from_receipt(receipt).scope.channels == frozenset()


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8), lambda one: st.lists(one, max_size=3), max_leaves=5
    )
)
def test_what_is_no_receipt_ends_in_a_sentence(odd: Any) -> None:
    good = to_receipt(GIVEN, ACME, principal="17")
    broken: list[Any] = [odd, {}, {**good, "events": odd}, {**good, "party_identification": odd}]
    broken.append({**good, "pii_processing": {"purposes": odd}})
    broken.append({**good, "pii_processing": {"purposes": [{"purpose": "marketing", "services": "news"}]}})
    for one in broken:
        with pytest.raises(InvalidConsent, match="receipt cannot be read"):
            from_receipt(one)


def test_at_one_instant_a_no_is_later_than_a_yes() -> None:
    receipt = to_receipt(GIVEN, ACME, principal="17")
    for state in ("withdrawn", "given"):
        receipt["events"].append({**receipt["events"][0], "event_state": state})
    assert from_receipt(receipt).kind == "withdraw"


def test_a_no_to_anything_is_not_narrowed_by_what_is_named_beside_it() -> None:
    scope = Scope(controller="acme", purposes={"marketing", "research"})
    receipt = to_receipt(attrs.evolve(GIVEN, kind="withdraw", scope=scope), ACME, principal="17")
    assert from_receipt(receipt).scope.purposes == {"marketing", "research"}
    receipt["pii_processing"]["purposes"][1]["purpose"] = "any"
    assert from_receipt(receipt).scope.purposes == frozenset()
    receipt["events"][0]["event_state"] = "given"
    assert from_receipt(receipt).scope.purposes == {"marketing"}


def test_an_act_is_to_whoever_answers_and_not_to_whoever_works_for_them() -> None:
    receipt = to_receipt(attrs.evolve(GIVEN, kind="withdraw"), ACME, principal="17")
    receipt["party_identification"].insert(0, {"party_id": "mailer", "party_role": "pii_processor"})
    assert from_receipt(receipt).scope.controller == "acme"
    receipt["party_identification"].append({"party_id": "beta", "party_role": "PII Controller"})
    assert from_receipt(receipt).scope.controller is None
    receipt["events"][0]["event_state"] = "given"
    with pytest.raises(InvalidConsent, match="several controllers"):
        from_receipt(receipt, point="ann@x.example")
    for party in receipt["party_identification"]:
        party["party_role"] = "pii_processor"
    receipt["pii_processing"]["purposes"][0]["pii_controllers"] = []
    assert from_receipt(receipt, point="ann@x.example").scope.controller is None


def test_a_yes_is_for_the_contact_points_that_it_was_for() -> None:
    scope = attrs.evolve(GIVEN.scope, point=None, points=frozenset({"ann@x.example", "+442079460018"}))
    receipt = to_receipt(attrs.evolve(GIVEN, scope=scope), ACME, principal="17")
    assert fits(receipt_schema(), receipt)
    with pytest.raises(InvalidConsent, match="say for which"):
        from_receipt(receipt)
    assert from_receipt(receipt, points=["ann@x.example"]).scope.points == frozenset({"ann@x.example"})
    one = from_receipt(receipt, point="ann@x.example").scope
    assert (one.point, one.points) == ("ann@x.example", None)
    receipt["events"][0]["event_state"] = "withdrawn"
    assert (from_receipt(receipt).scope.point, from_receipt(receipt).scope.points) == (None, None)


def test_what_an_objection_is_against_is_said_only_if_it_is_known() -> None:
    def basis(kind: Any, **said: Any) -> Any:
        receipt = to_receipt(attrs.evolve(GIVEN, kind=kind), ACME, principal="17", **said)
        return receipt["pii_processing"]["purposes"][0].get("lawful_basis")

    assert [basis(kind) for kind in ("give", "withdraw", "object", "restrict")] == ["consent"] * 2 + [
        None
    ] * 2
    assert basis("object", lawful_basis="legitimate_interest") == "legitimate_interest"


def test_the_receipt_of_another_controller_is_not_ours_to_give() -> None:
    with pytest.raises(InvalidConsent):
        to_receipt(attrs.evolve(GIVEN, scope=Scope(controller="other")), ACME, principal="17")


def test_only_the_one_signal_is_one_and_its_absence_says_nothing() -> None:
    assert signalled({"SEC-GPC": " 1 "}) is True
    assert signalled({"Accept": "1", "sec-gpc": "1"}) is True
    several: tuple[Any, ...] = (
        {b"Sec-GPC": b"1"},
        [(b"accept", b"*/*"), (b"sec-gpc", b"1")],
        (("Sec-GPC", "0"), ("Sec-GPC", "1")),
        {"wsgi.input": object(), "HTTP_SEC_GPC": "1"},
        {"Sec-GPC": "1, 1"},
    )
    for headers in several:
        assert signalled(headers) is True
    nothing: tuple[Any, ...] = (
        {},
        {"Sec-GPC": "0"},
        {"Sec-GPC": "true"},
        {"Sec-GPC": "11"},
        {"DNT": "1"},
        {"HTTP_ACCEPT": "1", "wsgi.input": object()},
        [],
        [(b"sec-gpc", b"\xff")],
    )
    for headers in nothing:
        assert signalled(headers) is None
        assert signal_act(headers, controller="acme", at=NOW, id="s") is None
    assert with_signal(with_signal(Facts(), {"Sec-GPC": "1"}), {}).gpc is True


@pytest.mark.parametrize(
    "odd",
    [
        None,
        1,
        "sec-gpc: 1",
        ["sec-gpc"],
        [("sec-gpc", "1", "2")],
        {"sec-gpc": None},
        {"Sec-GPC": 1},
        {1: "1"},
    ],
)
def test_what_are_no_headers_is_no_silence(odd: Any) -> None:
    with pytest.raises(InvalidConsent, match="these are no headers"):
        signalled(odd)


def test_a_signal_denies_sale_and_sharing_now_and_for_a_known_person_later() -> None:
    request = Request(
        controller="acme",
        channel="in_app",
        purpose="third_party_sharing",
        at=NOW + timedelta(days=1),
        use=Use(transfer="sale"),
        controller_kind="business",
        offered_to_children=False,
        message=Message(promotion=False),
    )
    now = decide(request, with_signal(Facts(), {"Sec-GPC": "1"}), jurisdictions=["US-CA"])
    assert (now.answer, now.rule) == ("deny", "us_ca.global_privacy_control")
    act = signal_act({"Sec-GPC": "1"}, controller="acme", at=NOW, id="s", record="r", members=("r",))
    assert act is not None
    later = decide(request, Facts(events=(act,)), jurisdictions=["US-CA"])
    assert later.answer == "deny"
    assert later.rule is not None
    assert later.rule != "us_ca.global_privacy_control"
