"""Hypothesis strategies for every kind of stored document, by tag."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from hypothesis import strategies as st

from crmcore.app.frozen import Matching, ModelPart
from crmcore.app.journal import Call, Written
from crmcore.consent.certificate import CertificateLine, ErasureBegun, ErasureCertificate, Restriction
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.ledger import LedgerPoint
from crmcore.consent.rights_request import (
    DecidedItem,
    IdentityEvidence,
    Notice,
    Pause,
    Requester,
    RequestId,
    RightsRequest,
    RightsStep,
)
from crmcore.consent.rights_words import Right, RightsLaw, StepKind
from crmcore.consent.suppression import Occasion, Suppression, SuppressionMet, SuppressionReason
from crmcore.consent.wishes import Basis, Cap, QuietHours, Wish
from crmcore.consent.words import ActKind, ActPurpose, Channel, EvidenceKind, PointKind
from crmcore.identity.customer import Cluster
from crmcore.identity.identity_events import (
    CustomersMerged,
    CustomerSplit,
    JudgementMade,
    JudgementRetracted,
)
from crmcore.identity.judgement import Judgement, Retraction
from crmcore.identity.review_queue import Queue
from crmcore.interaction import InteractionCorrected, InteractionRecorded, InteractionRetracted
from crmcore.party import FieldChange, PartyAdded, PartyChanged
from crmcore.party.relationship_events import RelationshipAdded, RelationshipChanged
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import CustomerId, Id, Ids, JudgementId
from crmcore.values.language import Language
from crmcore.values.source import Actor
from tests.interaction.strategies import INTERACTIONS, interactions
from tests.party.strategies import (
    PARTIES,
    RELATIONSHIPS,
    actors,
    extras,
    json_values,
    parties,
    relationships,
    visible_texts,
)
from tests.values.strategies_time import aware_datetimes

_ids = Ids(lambda: 1_750_000_000_000, lambda bits: 0)
JUDGEMENTS = tuple(_ids.new(JudgementId) for _ in range(3))
CUSTOMERS = tuple(CustomerId(party) for party in PARTIES)

_reasons = st.none() | visible_texts(12)
_verdicts: st.SearchStrategy[Any] = st.sampled_from(["same", "different", "unsure"])
_some_parties = st.lists(st.sampled_from(PARTIES), unique=True, max_size=3).map(tuple)


def _instants() -> st.SearchStrategy[datetime]:
    return aware_datetimes().map(lambda moment: moment.astimezone(UTC))


@st.composite
def judgements(draw: st.DrawFn) -> Judgement:
    """A person's or a model's, standing or taken back."""
    model = draw(st.none() | st.just("rules/1"))
    evidence = st.lists(
        st.dictionaries(visible_texts(6), json_values(), max_size=2).map(FrozenMap), max_size=2
    )
    retraction = st.builds(Retraction, actor=actors(), at=_instants(), reason=_reasons)
    return Judgement(
        id=draw(st.sampled_from(JUDGEMENTS)),
        version=draw(st.integers(1, 3)),
        a=PARTIES[0],
        b=draw(st.sampled_from(PARTIES[1:])),
        verdict=draw(_verdicts),
        actor=draw(actors()) if model is None else Actor(kind="model", id=model),
        recorded_at=draw(_instants()),
        reason=draw(_reasons),
        model=model,
        score=draw(st.integers(-500, 500)),
        weak=draw(st.booleans()),
        support=draw(st.integers(1, 3)),
        evidence=draw(evidence.map(tuple)),
        retracted=draw(st.none() | retraction),
    )


def clusters() -> st.SearchStrategy[Cluster]:
    return st.builds(
        lambda members, judged, version: Cluster(
            id=CustomerId(members[0]), version=version, members=members, judgements=judged
        ),
        st.lists(st.sampled_from(PARTIES), unique=True, min_size=2).map(lambda m: tuple(sorted(m))),
        st.lists(st.sampled_from(JUDGEMENTS), unique=True).map(tuple),
        st.integers(1, 3),
    )


def field_changes() -> st.SearchStrategy[FieldChange]:
    return st.builds(FieldChange, field=visible_texts(6), before=json_values(), after=json_values())


_said = {
    "judgement": st.sampled_from(JUDGEMENTS),
    "a": st.just(PARTIES[0]),
    "b": st.just(PARTIES[1]),
    "actor": actors(),
    "reason": _reasons,
}
_happened = {
    "interaction": st.just(INTERACTIONS[0]),
    "parties": _some_parties,
    "actor": actors(),
    "reason": _reasons,
}

_words: Any = st.frozensets(visible_texts(6), max_size=2)
_maybe = st.none() | st.booleans()
_scopes = st.builds(
    Scope,
    controller=st.none() | visible_texts(6),
    brand=st.none() | visible_texts(6),
    channels=st.frozensets(st.sampled_from(get_args(Channel)), max_size=2),
    purposes=st.frozensets(st.sampled_from(get_args(ActPurpose)), max_size=2),
    point=st.none() | visible_texts(6),
    points=st.none() | _words,
    topics=_words,
    recipients=_words,
    right=st.none() | st.just("sale"),
)
_evidence = st.builds(
    Evidence,
    kind=st.sampled_from(get_args(EvidenceKind)),
    notice=st.none() | visible_texts(6),
    explicit=_maybe,
    condition_of_contract=_maybe,
    data=_words,
)
acts = st.builds(
    ConsentEvent,
    id=st.just("019000a1-b2c3-7009-8000-0000000000aa"),
    kind=st.sampled_from(get_args(ActKind)),
    # Acts at the ends of the calendar, which have no day in some zone, are refused.
    occurred_at=_instants().filter(lambda moment: 1 < moment.year < 9999),
    recorded_at=st.none() | _instants(),
    scope=_scopes,
    evidence=st.none() | _evidence,
    record=st.none() | st.sampled_from(PARTIES).map(str),
    members=_some_parties.map(lambda found: tuple(map(str, found))),
    valid_until=st.none() | _instants(),
    open_ended=_maybe,
    night=st.booleans(),
    words=_reasons,
    actor=st.none() | actors(),
)

_request_ids = st.just(RequestId("019000a1-b2c3-7009-8000-0000000000aa"))
_proofs = st.builds(IdentityEvidence, kind=st.just("logged_in"), document=_reasons, at=_instants())
_decided = st.builds(DecidedItem, item=st.just("record"), decision=st.just("grant"), reason=_reasons)
_notices = st.builds(
    Notice,
    processor=st.just("mailer"),
    what=st.just("erase"),
    told_at=st.none() | _instants(),
    due=st.none() | st.dates(),
    reason=_reasons,
)
_requests = st.builds(
    RightsRequest,
    right=st.sampled_from(get_args(Right)),
    law=st.sampled_from(get_args(RightsLaw)),
    received_at=_instants(),
    channel=st.just("email"),
    zone=st.just("Europe/Berlin"),
    requester=st.builds(Requester, name=_reasons, authority=_reasons),
    customer=st.just("c"),
    members=st.just(("c",)),
    anchor=st.just("c"),
    scope=_reasons,
    identity=st.tuples(_proofs),
    pauses=st.tuples(st.builds(Pause, cause=st.just("identity"), start=_instants())),
    items=st.tuples(_decided),
    notices=st.tuples(_notices),
)
_lines = st.builds(
    CertificateLine,
    kind=st.just("party"),
    action=st.just("delete"),
    count=st.integers(1, 9),
    reason=st.just("r"),
    cite=st.just("c"),
    until=st.none() | st.dates(),
)

DOCUMENTS: Mapping[str, st.SearchStrategy[Any]] = {
    "party": parties(),
    "party.added": st.builds(
        PartyAdded, party=st.sampled_from(PARTIES), actor=actors(), reason=_reasons, fields=extras()
    ),
    "party.changed": st.builds(
        PartyChanged,
        party=st.sampled_from(PARTIES),
        version=st.integers(2, 9),
        actor=actors(),
        reason=_reasons,
        changes=st.lists(field_changes(), max_size=3).map(tuple),
    ),
    "relationship": relationships(),
    "relationship.added": st.builds(
        RelationshipAdded,
        relationship=st.sampled_from(RELATIONSHIPS),
        type_key=st.just("employment"),
        actor=actors(),
        reason=_reasons,
    ),
    "relationship.changed": st.builds(
        RelationshipChanged,
        relationship=st.sampled_from(RELATIONSHIPS),
        before=relationships(),
        after=relationships(),
        actor=actors(),
        reason=_reasons,
    ),
    "matching": st.builds(
        Matching,
        version=st.integers(0, 9),
        model=st.sampled_from(["", "model/0123456789ab"]),
        parts=st.integers(0, 9),
        recipe=st.sampled_from(["", "0123456789abcdef"]),
        position=st.sampled_from(["", "opaque"]),
        records=st.integers(0, 10**6),
        cap=st.integers(0, 2500),
        near=st.booleans(),
        index=st.sampled_from(["", "features/1"]),
    ),
    "match_model.part": st.builds(ModelPart, model=st.just("model/0123456789ab"), text=st.text(max_size=20)),
    "interaction": interactions(),
    "interaction.recorded": st.builds(InteractionRecorded, **_happened),
    "interaction.corrected": st.builds(InteractionCorrected, corrects=st.just(INTERACTIONS[1]), **_happened),
    "interaction.retracted": st.builds(InteractionRetracted, retracts=st.just(INTERACTIONS[1]), **_happened),
    "judgement": judgements(),
    "judgement.made": st.builds(JudgementMade, verdict=_verdicts, **_said),
    "judgement.retracted": st.builds(JudgementRetracted, **_said),
    "cluster": clusters(),
    "customers.merged": st.builds(
        CustomersMerged,
        into=st.just(CUSTOMERS[0]),
        from_=st.lists(st.sampled_from(CUSTOMERS[1:]), unique=True).map(tuple),
        judgements=st.lists(st.sampled_from(JUDGEMENTS), unique=True).map(tuple),
    ),
    "customer.split": st.builds(
        CustomerSplit,
        from_=st.just(CUSTOMERS[0]),
        into=st.lists(st.sampled_from(CUSTOMERS), unique=True).map(tuple),
    ),
    "consent.event": acts,
    "consent.wish": st.builds(
        Wish,
        id=st.just("w1"),
        record=st.just("r1"),
        basis=st.sampled_from(get_args(Basis)),
        said_at=_instants(),
        recorded_at=st.none() | _instants(),
        controller=st.none() | st.just("acme"),
        purposes=st.frozensets(st.sampled_from(["marketing", "service"])),
        channels=st.none() | st.frozensets(st.sampled_from(["email", "sms"])),
        caps=st.none() | st.lists(st.builds(Cap, most=st.integers(1, 9), per=st.just("week"))).map(tuple),
        language=st.none() | st.just(Language("de-AT")),
        quiet=st.none() | st.just((QuietHours(begin="22:00", end="07:00", zone="Europe/Vienna"),)),
        only_topics=st.none() | st.frozensets(st.sampled_from(["news", "sale"])),
        no_topics=st.none() | st.frozensets(st.sampled_from(["news", "sale"])),
    ),
    "contact_point": st.builds(
        LedgerPoint, kind=st.sampled_from(["email", "phone"]), version=st.integers(1, 3)
    ),
    "suppression": st.builds(
        Suppression,
        version=st.integers(1, 3),
        kind=st.sampled_from(get_args(PointKind)),
        reason=st.sampled_from(get_args(SuppressionReason)),
        since=_instants(),
        until=st.none() | _instants(),
        scope=st.builds(Scope, channels=st.frozensets(st.sampled_from(["email", "sms"]))),
        secret=st.integers(1, 3),
        actor=st.none() | actors(),
    ),
    "suppression.met": st.builds(
        SuppressionMet,
        occasion=st.sampled_from(get_args(Occasion)),
        records=st.lists(st.sampled_from(PARTIES), unique=True).map(tuple),
        points=st.integers(1, 3),
        entries=st.lists(st.sampled_from(JUDGEMENTS), unique=True).map(lambda ids: tuple(map(Id, ids))),
    ),
    "rights.request": _requests,
    "rights.step": st.builds(
        RightsStep,
        request=_request_ids,
        kind=st.sampled_from(get_args(StepKind)),
        at=_instants(),
        actor=st.none() | actors(),
        reason=_reasons,
        received=st.none() | _requests,
        evidence=st.none() | _proofs,
        item=st.none() | _decided,
        notice=st.none() | _notices,
    ),
    "rights.erasure": st.builds(
        ErasureBegun,
        request=_request_ids,
        plan_sha256=st.just("0f"),
        lines=st.tuples(_lines),
        places=st.just(("AAAAAAAA",)),
        more=st.integers(0, 1),
        points=st.just(("019000a1-b2c3-7009-8000-0000000000aa",)),
        category=st.none() | st.just("prospect"),
        restricted=st.just(())
        | st.just(
            (Restriction(mark="retention:legal_claims", members=("019000a1-b2c3-7009-8000-0000000000aa",)),)
        ),
    ),
    "rights.certificate": st.builds(
        ErasureCertificate,
        request=_request_ids,
        done_at=_instants(),
        plan_sha256=st.just("0f"),
        lines=st.tuples(_lines),
        remains=st.just(()),
    ),
    "review.queue": st.builds(Queue, order=st.integers(1, 3)),
    "batch": st.builds(
        Written,
        calls=st.lists(st.builds(Call, digest=st.just("0f"), result=json_values()), max_size=2).map(tuple),
    ),
}
"""A strategy for every tag of the registry."""
