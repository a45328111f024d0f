"""Requests and facts of any kind, for laws that must hold whatever is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import attrs
from hypothesis import strategies as st

from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import (
    Attempt,
    Collection,
    CollectionSource,
    Facts,
    Listing,
    PointFacts,
    RegisterCheck,
    Relation,
    RelationKind,
    Subject,
    SubjectKind,
)
from crmcore.consent.pack_reading import shipped_packs
from crmcore.consent.request import Message, Request, Use
from crmcore.consent.words import ActKind, ActPurpose, Channel, EvidenceKind, Purpose
from crmcore.values.partial_date import PartialDate

NOW = datetime(2026, 8, 10, 12, tzinfo=UTC)
ZONES = ("Europe/Paris", "America/New_York", "America/Phoenix", "Australia/Sydney", "Asia/Kolkata", "+02:00")
JURISDICTIONS = sorted(pack.jurisdiction for pack in shipped_packs().values() if not pack.beside_law)
LISTS = (
    "tps",
    "ctps",
    "fps",
    "bloctel",
    "ecg_list",
    "national_dnc",
    "dncl_ca",
    "dncr_au",
    "internal",
    "internal_hash",
)
MAYBE = st.sampled_from((None, True, False))

moments = st.builds(
    lambda days, seconds: NOW + timedelta(days=days, seconds=seconds),
    st.integers(-900, 200),
    st.integers(0, 86_400),
)
days = st.builds(lambda offset: date(2026, 8, 10) + timedelta(days=offset), st.integers(-900, 100))


def flags(cls: type, **others: Any) -> st.SearchStrategy[Any]:
    """Values of an attrs class whose fields that may be true, false or not known are any of these."""
    maybe = {
        field.name: MAYBE
        for field in attrs.fields(cls)
        if field.type == "bool | None" and field.name not in others
    }
    return st.builds(cls, **maybe, **others)


def some(words: Any, most: int = 2) -> st.SearchStrategy[Any]:
    return st.frozensets(st.sampled_from(get_args(words)), max_size=most)


def one(words: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(get_args(words))


scopes = st.builds(
    Scope,
    controller=st.sampled_from(("acme", "acme", "beta", None, "default")),
    channels=some(Channel),
    purposes=some(ActPurpose),
    point=st.sampled_from((None, "a@x.org", "b@x.org")),
)
evidences = flags(
    Evidence,
    kind=st.sampled_from(get_args(EvidenceKind)),
    given_by=st.sampled_from((None, "self", "child", "parent")),
)
events = st.lists(
    st.builds(
        ConsentEvent,
        id=st.integers(0, 10**6).map(str),
        kind=st.sampled_from(get_args(ActKind)),
        occurred_at=moments,
        scope=scopes,
        evidence=st.none() | evidences,
        valid_until=st.none() | moments,
        night=st.booleans(),
        any_time=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda event: event.id,
)
odd_facts = st.builds(
    Facts,
    events=events.map(tuple),
    subject=flags(
        Subject,
        kind=one(SubjectKind),
        birth_dates=st.lists(
            st.sampled_from(("2010-08", "1990-01-01", "2013", "2012-02-29")).map(PartialDate.parse),
            max_size=2,
        ).map(tuple),
        deceased=st.booleans(),
        restricted_since=st.none() | days,
        erased_on=st.none() | days,
    ),
    point=flags(
        PointFacts,
        line=st.sampled_from((None, "residential", "mobile", "business")),
        holder_since=st.none() | days,
    ),
    collection=flags(Collection, source=one(CollectionSource)),
    relations=st.lists(
        flags(
            Relation,
            kind=st.sampled_from(get_args(RelationKind)),
            on=st.none() | days,
            until=st.none() | days,
            seller=st.sampled_from((None, "acme", "beta")),
        ),
        max_size=3,
    ).map(tuple),
    listings=st.lists(
        st.builds(Listing, list=st.sampled_from(LISTS), since=days, until=st.none() | days), max_size=2
    ).map(tuple),
    checks=st.lists(st.builds(RegisterCheck, list=st.sampled_from((*LISTS, "*")), on=days), max_size=2).map(
        tuple
    ),
    attempts=st.lists(
        st.builds(Attempt, at=moments, channel=one(Channel), same_subject=MAYBE), max_size=4
    ).map(tuple),
    zones=st.lists(st.sampled_from(ZONES), max_size=2, unique=True).map(tuple),
    holidays=st.none() | st.frozensets(days, max_size=2),
    gpc=MAYBE,
    refused_in_call=st.none() | days,
)
odd_requests = flags(
    Request,
    controller=st.just("acme"),
    channel=st.sampled_from(get_args(Channel)),
    purpose=st.sampled_from(get_args(Purpose)),
    at=moments,
    point=st.sampled_from((None, "a@x.org")),
    message=flags(
        Message,
        kind=st.sampled_from((None, "other", "survey", "asks_for_consent")),
        offer_of=st.sampled_from((None, "own", "partner")),
    ),
    use=flags(Use, transfer=st.sampled_from((None, "sale")), aim=st.sampled_from((None, "direct_marketing"))),
    controller_kind=st.sampled_from((None, "business", "charity")),
    dialer=st.sampled_from((None, "manual", "autodialer")),
    basis=st.sampled_from((None, "consent", "legitimate_interest")),
    hours=st.sampled_from(("at_issue", "not_at_issue")),
)
RULED = sorted(pack.jurisdiction for pack in shipped_packs().values() if pack.rules and not pack.beside_law)
"""Those with rules of their own, which are asked more often than those that only repeat what they include."""
jurisdictions = st.lists(
    st.sampled_from(RULED) | st.sampled_from(JURISDICTIONS), min_size=1, max_size=2, unique=True
)

NEWSLETTER = Request(
    controller="acme",
    channel="email",
    purpose="marketing",
    at=NOW,
    point="a@x.org",
    message=Message.marketing(
        kind="newsletter",
        similar=True,
        offer_of="own",
        product="shoes",
        sender_identified=True,
        unsubscribe=True,
        postal_address=True,
        advertisement_label=True,
        first_since_opt_out=True,
    ),
    use=Use(transfer="other", aim="other"),
    controller_kind="business",
    exempt_seller=False,
    unsolicited=True,
    dialer="manual",
    basis="consent",
    balanced=True,
    offered_to_children=False,
)
"""What may be sent nearly everywhere to whoever said yes to it."""
GIVEN = ConsentEvent(
    id="given",
    kind="give",
    occurred_at=NOW - timedelta(days=100),
    scope=Scope(
        controller="acme",
        channels=frozenset(get_args(Channel)),
        purposes={"marketing", "profiling", "fundraising"},
        point="a@x.org",
    ),
    evidence=Evidence.double_opt_in(
        notice="newsletter",
        version="3",
        given_by="self",
        explicit=True,
        written=True,
        disclosed=True,
        condition_of_purchase=False,
        condition_of_contract=False,
        unambiguous=True,
        confirmed_kind="own",
        holder="subscriber",
    ),
    open_ended=True,
)
SETTLED = Facts(
    subject=Subject(kind="consumer", adult=True),
    point=PointFacts(line="mobile", kind="other"),
    collection=Collection(source="sale", direct=True, opt_out_offered=True, notice_at_collection=True),
    relations=(Relation(kind="purchase", on=date(2026, 6, 1)),),
    checks=(RegisterCheck(list="*", on=NOW.date()),),
    zones=("Europe/Paris",),
    holidays=frozenset(),
    gpc=False,
)
"""What is known of a customer of whom nothing is open."""


def _near(acts: list[ConsentEvent], given: bool, other: Facts, names: frozenset[str]) -> Facts:
    """A settled customer who said what is in *acts*, and may have said yes, but that of some facts *other* is told."""
    told = {name: getattr(other, name) for name in names}
    return attrs.evolve(SETTLED, **told, events=(*((GIVEN,) if given else ()), *acts))


plain_noes = st.builds(
    lambda when: [
        ConsentEvent(
            id="no",
            kind="withdraw",
            occurred_at=when,
            scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
        )
    ],
    moments,
)
settled = st.builds(
    _near,
    st.just([]) | events | plain_noes,
    st.sampled_from((True, True, False)),
    odd_facts,
    st.frozensets(
        st.sampled_from(("subject", "relations", "listings", "checks", "zones", "gpc")), max_size=1
    ),
)
"""What is known of customers of whom little is open, so that much of what is asked is allowed."""
newsletters = st.builds(
    lambda at, channel, purpose: attrs.evolve(NEWSLETTER, at=at, channel=channel, purpose=purpose),
    st.integers(0, 72 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)) | moments,
    st.sampled_from(("email", "voice")),
    st.sampled_from(("marketing", "profiling", "fundraising")),
)
requests = odd_requests | newsletters
facts = odd_facts | settled
