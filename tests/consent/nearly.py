"""Cases of which everything is as it should be, and such as differ from them in a few things."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import attrs
from hypothesis import strategies as st

from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Attempt, Collection, Facts, Listing, PointFacts, RegisterCheck, Subject
from crmcore.consent.request import Message, Request, Use
from crmcore.consent.words import ActKind, ActPurpose, Channel, EvidenceKind, Purpose
from crmcore.values.partial_date import PartialDate
from tests.consent.cases import LISTS, MAYBE, ZONES

NOON = datetime(2026, 8, 10, 12, tzinfo=UTC)
"""A Monday."""
PHONES = ("voice", "automated_call", "sms", "fax")


def given_by(channel: Any, purpose: Any, at: datetime) -> ConsentEvent:
    """A Yes that is as good as any."""
    return ConsentEvent(
        id="yes",
        kind="give",
        occurred_at=at - timedelta(days=40),
        scope=Scope(
            controller="acme", channels={channel}, purposes={purpose}, point="a@x.org", recipients={"beta"}
        ),
        evidence=Evidence(
            kind="double_opt_in" if channel not in PHONES else "e_signature",
            explicit=True,
            unambiguous=True,
            disclosed=True,
            written=True,
            names_the_number=True,
            condition_of_contract=False,
            condition_of_purchase=False,
            holder="self",
        ),
        open_ended=True,
    )


def shown(act: ConsentEvent, **said: Any) -> Evidence:
    """The evidence of an act, with other facts."""
    return attrs.evolve(act.evidence or Evidence(kind=None), **said)


def asked_for(channel: Any, purpose: Any, at: datetime) -> Request:
    """A request of which everything is known, and all as it should be."""
    return Request(
        controller="acme",
        channel=channel,
        purpose=purpose,
        at=at,
        point="a@x.org",
        message=Message(
            kind="other",
            promotion=purpose == "marketing",
            product="other",
            offer_of="own",
            sender_identified=True,
            unsubscribe=True,
            unsubscribe_burdened=False,
            postal_address=True,
            advertisement_label=True,
        ),
        use=Use(
            transfer="other",
            recipient="beta",
            aim="other",
            solely_automated=False,
            legal_effect=False,
            human_review=True,
        ),
        controller_kind="business",
        offered_to_children=False,
    )


def known(channel: Any, purpose: Any, at: datetime) -> Facts:
    return Facts(
        events=(given_by(channel, purpose, at),),
        subject=Subject(kind="consumer", adult=True),
        point=PointFacts(line="residential", kind="other", in_directory=True),
        collection=Collection(notice_at_collection=True),
        checks=(RegisterCheck(list="*", on=at.date()),),
        zones=("UTC",),
        holidays=frozenset(),
        gpc=False,
    )


EVIDENCE = st.builds(
    lambda name, value: {name: value},
    st.sampled_from(
        (
            "explicit",
            "unambiguous",
            "disclosed",
            "written",
            "names_the_number",
            "condition_of_contract",
            "condition_of_purchase",
        )
    ),
    MAYBE,
) | st.builds(lambda kind: {"kind": kind}, st.sampled_from(get_args(EvidenceKind)))
EVIDENCE |= st.sampled_from([{"holder": None}, {"holder": "previous_subscriber"}, {"given_by": "child"}])
MESSAGE = st.builds(
    lambda name, value: {name: value},
    st.sampled_from([one.name for one in attrs.fields(Message) if str(one.type) == "bool | None"]),
    MAYBE,
) | st.builds(
    lambda kind: {"kind": kind},
    st.sampled_from(
        (
            None,
            "asks_for_consent",
            "asks_to_opt_back_in_to_sale",
            "customer_satisfaction_survey",
            "personal_data_breach_notice",
        )
    ),
)
SUBJECT = st.sampled_from(
    (
        {"adult": None},
        {"adult": False},
        {"birth_dates": (PartialDate.parse("2010-08"),)},
        {"birth_dates": (PartialDate.parse("2008"),)},
        {"deceased": True},
        {"restricted_since": date(2026, 8, 1)},
        {"erased_on": date(2026, 8, 1)},
        {"kind": "corporate"},
        {"kind": None},
    )
)
USE = st.sampled_from(
    (
        {"transfer": "service_provider", "contract_in_place": True},
        {"transfer": "sale"},
        {"transfer": "share", "aim": "targeted_advertising"},
        {"data": {"health"}},
        {"data": {"precise_geolocation"}},
        {"data": {"shoe_size"}},
        {"recipient": None},
        {"recipient": "gamma"},
        {"solely_automated": True, "legal_effect": True},
        {"aim": "direct_marketing"},
        {"aim": None},
    )
)
REQUEST = st.sampled_from(
    (
        {"offered_to_children": True},
        {"offered_to_children": None},
        {"dialer": "autodialer"},
        {"controller_kind": "nonprofit"},
        {"basis": "legitimate_interest", "balanced": True},
        {"hours": "not_at_issue"},
    )
)


@st.composite
def noes(draw: Any, at: datetime) -> ConsentEvent:
    return ConsentEvent(
        id="no",
        kind=draw(st.sampled_from(get_args(ActKind))),
        occurred_at=at - timedelta(days=draw(st.sampled_from((1, 39, 41, 400)))),
        scope=Scope(
            controller="acme",
            channels=draw(st.frozensets(st.sampled_from(get_args(Channel)), max_size=2)),
            purposes=draw(st.frozensets(st.sampled_from(get_args(ActPurpose)), max_size=1)),
        ),
        evidence=Evidence(kind=draw(st.sampled_from(get_args(EvidenceKind)))),
    )


@st.composite
def nearly(draw: Any) -> tuple[Request, Facts]:
    """A case of which everything is as it should be, but for a few things."""
    channel, purpose = draw(st.sampled_from(get_args(Channel))), draw(st.sampled_from(get_args(Purpose)))
    at = NOON + timedelta(
        days=draw(st.integers(-800, 400)), minutes=draw(st.integers(-720, 720)) if draw(st.booleans()) else 0
    )
    request, facts = asked_for(channel, purpose, at), known(channel, purpose, at)
    parts = {"message": MESSAGE, "use": USE}
    for what in draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
        if what in parts:
            changed = attrs.evolve(getattr(request, what), **draw(parts[what]))
            request = attrs.evolve(request, **{what: changed})
        elif what == "request":
            request = attrs.evolve(request, **draw(REQUEST))
        else:
            facts = draw(changed_facts(what, request, facts))
    return request, facts


CHANGES = ("message", "use", "request", "evidence", "act", "no", "subject", "facts")


@st.composite
def changed_facts(draw: Any, what: str, request: Request, facts: Facts) -> Facts:
    at, events_ = request.at, facts.events
    if what == "evidence":
        first = attrs.evolve(events_[0], evidence=shown(events_[0], **draw(EVIDENCE)))
        return attrs.evolve(facts, events=(first, *events_[1:]))
    if what == "act":
        change = draw(
            st.sampled_from(
                (
                    {"open_ended": None},
                    {"open_ended": False},
                    {"occurred_at": at - timedelta(days=95), "open_ended": False},
                    {"valid_until": at - timedelta(days=1)},
                    {"kind": "assert_import"},
                    {"scope": attrs.evolve(events_[0].scope, channels=frozenset(), recipients=frozenset())},
                )
            )
        )
        return attrs.evolve(facts, events=(attrs.evolve(events_[0], **change), *events_[1:]))
    if what == "no":
        if len(events_) > 1:
            return facts
        return attrs.evolve(facts, events=(*events_, draw(noes(at))))
    if what == "subject":
        return attrs.evolve(facts, subject=attrs.evolve(facts.subject, **draw(SUBJECT)))
    day = at.date()
    return attrs.evolve(
        facts,
        **draw(
            st.sampled_from(
                (
                    {"checks": ()},
                    {"checks": (RegisterCheck(list="*", on=day - timedelta(days=20)),)},
                    {"checks": tuple(RegisterCheck(list=one, on=day) for one in LISTS[:8])},
                    {"zones": ()},
                    {"holidays": None},
                    {"holidays": frozenset({day})},
                    {"gpc": True},
                    {"gpc": None},
                    {"refused_in_call": day - timedelta(days=50)},
                    {"refused_in_call": day - timedelta(days=500)},
                    {"attempts": tuple(Attempt(at=at - timedelta(hours=one)) for one in range(3))},
                    {"attempts": tuple(Attempt(at=at - timedelta(days=5 * one)) for one in range(4))},
                    {"point": PointFacts(line="mobile", kind="wireless_domain_on_fcc_list")},
                    {"point": PointFacts()},
                    {"point": PointFacts(line="mobile", holder_since=day)},
                    {"collection": Collection(notice_at_collection=False)},
                    {"collection": Collection()},
                    *(
                        {"listings": (Listing(list=one, since=day - timedelta(days=400)),)}
                        for one in (*LISTS, "directory_asterisk", "usps_prohibitory_order", "in_preferences")
                    ),
                    *({"zones": (one,)} for one in ZONES),
                )
            )
        ),
    )
