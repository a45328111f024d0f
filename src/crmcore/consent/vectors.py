"""Reading tables of decision vectors: what a law answers, one question a row.

Invariant: a table's defaults are stated here as facts, and nowhere else; a key that its vocabulary does not know is an
error of the table.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast, get_args

import attrs

from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import (
    Attempt,
    Collection,
    Facts,
    Listing,
    PointFacts,
    RegisterCheck,
    Relation,
    Subject,
)
from crmcore.consent.policy import Policy
from crmcore.consent.request import Message, Request, Use
from crmcore.consent.speaking import MARKETING
from crmcore.consent.words import Outcome
from crmcore.consent.zones import zone
from crmcore.errors import InvalidConsent
from crmcore.values.partial_date import PartialDate

_EVIDENCE = {
    "web_doi": "double_opt_in",
    "web_doi_pending": "double_opt_in_pending",
    "web_form_active": "web_form",
    "web_single_optin_unverified": "web_form_unverified",
    "esign": "e_signature",
    "paper_signed": "signed_paper",
    "verbal_recorded": "recorded_call",
    "verbal_unrecorded": "unrecorded_call",
    "sms_keyword_START": "sms_keyword",
    "two_step_optin": "two_step_opt_in",
    "number_provided": "number_given",
    "parent_verified": "parent_verified",
    "pre_ticked": "preticked_box",
    "silence": "silence",
    "bundled_terms": "bundled_terms",
    "bundled_generic": "bundled_generic",
    "import_no_proof": "import_without_proof",
}
_QUALITIES = frozenset(
    {
        "given_by",
        "explicit",
        "written",
        "clear_and_conspicuous_disclosure",
        "conditional_on_contract",
        "number_included",
        "clear_and_unambiguous",
        "cp_confirmed",
        "number_holder",
        "data",
    }
)
"""What is told of an act that counts as evidence of it, whatever its kind."""
_UNSAID = {"confirm": "web_doi", "give": "import_no_proof"}
"""What an act rests on where nothing is said of it: a click for a confirmation, nothing that can be shown for a Yes."""
_SIGNED = frozenset({"esign", "paper_signed"})
"""What is in writing, where nothing is said of it."""
_OF_THEMSELVES = frozenset({"sale", "negotiation", "registration", "donation", "inquiry"})
"""The sources of an address which say that its owner gave it, where nothing else is said of that."""
_TRANSFER = {
    "sale": "sale",
    "share_cross_context_ads": "share",
    "service_provider_disclosure": "service_provider",
}
_SENDER = {
    "charity": "charity",
    "registered_charity": "registered_charity",
    "tax_exempt_nonprofit": "nonprofit",
}
_DIALER = {
    "manual": "manual",
    "autodialer": "autodialer",
    "automated_selection_and_dialing": "automated_selection",
    "prerecorded": "prerecorded",
}
_ANSWERS = get_args(Outcome)
_SUBJECT = {"partnership_unincorporated": "partnership"}
_AIM = {"infer_characteristics": "inference"}


@attrs.frozen(kw_only=True)
class Vector:
    """One row: what is asked, what is known, and what the law answers."""

    id: str
    jurisdiction: str
    request: Request
    facts: Facts
    policy: Policy
    expected: Outcome
    rule: str
    citation: str
    confidence: str


_COLUMNS = ("id", "jurisdiction", "channel", "purpose", "facts", "at", "expected", "confidence")
"""What every table has; it may have more, such as the rule and the citation that decide."""

_CONFIDENCES = ("high", "medium", "low")


def read_vectors(path: Path) -> Iterator[Vector]:
    """The rows of the table at *path*, which is UTF-8 and may begin with a byte-order mark.

    Raises:
        InvalidConsent: if a row cannot be read, of which the id is told, or the file is no such table.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        try:
            lacking = [name for name in _COLUMNS if name not in (rows.fieldnames or _COLUMNS)]
            if lacking:
                raise InvalidConsent(
                    f"the table has no column {', '.join(lacking)}: its first line names them"
                )
            for row in rows:
                yield _read(row)
        except UnicodeDecodeError:
            raise InvalidConsent("the table is no UTF-8 text: save it as a CSV file in UTF-8") from None
        except csv.Error as error:
            raise InvalidConsent(f"the table cannot be read: {error}") from None


def _read(row: Mapping[str | None, Any]) -> Vector:
    try:
        if None in row or None in row.values():
            raise ValueError("it has not as many fields as the first line has columns")
        return vector_of(cast("Mapping[str, str]", row))
    except KeyError as error:
        why = f"{error} is missing, or no word that a table may use"
    except (ValueError, TypeError, AttributeError, InvalidConsent) as error:
        why = str(error)
    raise InvalidConsent(f"the row {row.get('id')} cannot be read: {why}")


class _Told(dict[str, Any]):
    """What a row says, of which every key must be taken."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)

    def take(self, key: str, default: Any = None) -> Any:
        return self.pop(key, default)

    def done(self, what: str) -> None:
        if self:
            raise ValueError(f"{what} has the unknown keys {', '.join(sorted(self))}")


def vector_of(row: Mapping[str, str]) -> Vector:
    """The vector of one row, by the names of its columns.

    Raises:
        KeyError, ValueError, TypeError: if it is none.
    """
    facts = json.loads(row["facts"])
    if not isinstance(facts, dict):
        raise TypeError("facts are a JSON object")
    told = _Told(facts)
    at = datetime.fromisoformat(row["at"])
    grace = told.take("policy", {}).get("withdrawal_grace", "none")
    rel = _Told(told.take("rel", {}))
    request = _request(row, at, told, rel)
    known = _facts(told, rel, at, request)
    rel.done("rel")
    told.done("the row")
    return Vector(
        id=row["id"],
        jurisdiction=row["jurisdiction"],
        request=request,
        facts=known,
        policy=Policy(withdrawal_grace=grace),
        expected=cast("Outcome", _word(row["expected"], _ANSWERS, "expected")),
        rule=row.get("deciding_rule", ""),
        citation=row.get("citation", ""),
        confidence=_word(row["confidence"].strip().lower(), _CONFIDENCES, "confidence"),
    )


def _word(said: str, words: tuple[str, ...], column: str) -> str:
    if said not in words:
        raise ValueError(f"{column} is one of {', '.join(words)}")
    return said


def _request(row: Mapping[str, str], at: datetime, told: _Told, rel: _Told) -> Request:
    sender_kind = told.take("sender_kind")
    dialer = told.take("dialer")
    children = [told.take("iss_offered_to_child"), told.take("service_directed_to_children")]
    email = row["channel"] in ("email", "automated_call", "voice", "sms", "fax", "push", "in_app", "post")
    return Request(
        controller=told.take("sender", "acme"),
        channel=cast("Any", row["channel"]),
        purpose=cast("Any", row["purpose"]),
        at=at,
        point=told.take("cp", "em1" if row["channel"] == "email" else "ph1") if email else None,
        message=_message(row["purpose"], _Told(told.take("message", {})), told, rel),
        use=_use(told),
        controller_kind=cast("Any", "business" if sender_kind is None else _SENDER[sender_kind]),
        exempt_seller=told.take("seller_exempt", False),
        unsolicited=told.take("unsolicited", True),
        dialer=cast("Any", "manual" if dialer is None else _DIALER[dialer]),
        basis=told.take("legal_basis_claimed", _basis(row, told)),
        balanced=told.take("lia_passed", True),
        offered_to_children=any(children),
        hours="at_issue" if "tz" in told else "not_at_issue",
    )


def _basis(row: Mapping[str, str], told: _Told) -> str:
    """Who asked for consent to this relies on it, where nothing else is said, and has no interest to fall back on."""
    channel, purpose, sender = row["channel"], row["purpose"], told.get("sender", "acme")
    purposes = {purpose, "direct_marketing"} if purpose in MARKETING else {purpose}
    asked = any(
        act["act"] in ("request", "give", "confirm")
        and act.get("to", sender) == sender
        and channel in act.get("ch", (channel,))
        and not purposes.isdisjoint(act.get("pu", (purpose,)))
        for act in told.get("consents", ())
    )
    return "consent" if asked else "legitimate_interest"


def _message(purpose: str, said: _Told, told: _Told, rel: _Told) -> Message:
    """A marketing message is identified and can be left; one for a service holds no promotion.

    What is not said to be similar, to belong to a contract or to a profession is not.
    """
    related = [rel.take("related_to_purchase"), rel.take("message_related")]
    message = Message(
        kind=said.take("kind", "other"),
        promotion=said.take("contains_promotion", purpose == "marketing"),
        similar=rel.take("similar", False),
        related=next((one for one in related if one is not None), False),
        same_kind=rel.take("same_kind", False),
        offer_of={None: "own", "partner_company_offer": "partner"}[rel.take("kind_of_offer")],  # type: ignore[arg-type]  # of the table
        relates_to_contract=rel.take("offer_relates_to_contract", False),
        profession_related=told.take("related_to_profession", False),
        charitable_only=rel.take("charitable_purpose_only", False),
        product=told.take("product", "other"),
        sender_identified=said.take("sender_identified", True),
        unsubscribe=said.take("has_unsubscribe", rel.take("optout_in_message", True)),
        unsubscribe_burdened=said.take("unsubscribe_requires_fee_or_login", False),
        postal_address=said.take("has_postal_address", True),
        fax_opt_out_notice=said.take("has_fax_optout_notice", True),
        first_since_opt_out=said.take("first_since_optout", True),
        advertisement_label=said.take("advertisement_label", True),
    )
    said.done("message")
    return message


def _use(told: _Told) -> Use:
    decision = _Told(told.take("decision", {}))
    transfer, detail = told.take("transfer"), told.take("purpose_detail")
    use = Use(
        transfer=cast("Any", "other" if transfer is None else _TRANSFER[transfer]),
        recipient=told.take("recipient"),
        contract_in_place=told.take("contract_in_place", False),
        data=told.take("data", ()),
        aim=cast("Any", told.take("profiling_for") or _AIM.get(detail, detail) or "other"),
        solely_automated=decision.take("solely_automated", False),
        legal_effect=decision.take("legal_effect", False),
        human_review=decision.take("human_review_available", False),
    )
    decision.done("decision")
    return use


def _facts(told: _Told, rel: _Told, at: datetime, request: Request) -> Facts:
    tz = told.take("tz")
    checked = told.take("dnc_checked")
    prior = told.take("prior_calls", ())
    same = told.take("prior_calls_same_subject", ())
    number = told.take("number_reassigned")
    known = told.take("age_known")
    rel.setdefault("address_source", _source(rel))
    births = told.take("birth_date")
    if known is False:
        births = None
    told.take("number_area_code")
    told.take("residence")
    told.take("city")
    refused = told.take("refused_in_call")
    return Facts(
        events=tuple(_event(n, _Told(one), request) for n, one in enumerate(told.take("consents", ()))),
        subject=_subject(told, births, known, rel.take("presumed_interest", False)),
        point=PointFacts(
            line=told.take("line", "residential"),
            kind=told.take("cp_kind", "other"),
            holder_since=None if number is None else _day(number),
            device_permission=told.take("device_permission", False),
            in_directory=told.take("in_directory", True),
        ),
        relations=tuple(_relations(rel)),
        collection=_collection(told, rel),
        listings=tuple(_listing(_Told(one)) for one in told.take("suppress", ())),
        checks=(RegisterCheck(list="*", on=_day(checked["on"]) if checked else _today(at, tz)),),
        attempts=(
            *(
                Attempt(at=datetime.fromisoformat(one), channel=request.channel, same_subject=False)
                for one in prior
            ),
            *(
                Attempt(at=datetime.fromisoformat(one), channel=request.channel, same_subject=True)
                for one in same
            ),
        ),
        zones=(tz if tz is not None else f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:5],),
        holidays=frozenset(date.fromisoformat(one) for one in told.take("public_holidays", ())),
        gpc=told.take("gpc", False),
        refused_in_call=None if refused is None else _day(refused),
    )


def _today(at: datetime, tz: str | None) -> date:
    return at.date() if tz is None else at.astimezone(zone(tz)).date()


def _subject(told: _Told, births: str | None, known: bool | None, presumed: bool | None) -> Subject:
    """A consumer and adult, if nothing else is said; with ``age_known`` false, nothing of the age is."""
    kind = told.take("subject", "consumer")
    restriction, erased = told.take("restriction"), told.take("erased")
    return Subject(
        kind=cast("Any", _SUBJECT.get(kind, kind)),
        birth_dates=() if births is None else (PartialDate.parse(births),),
        adult=True if births is None and known is not False else None,
        deceased=told.take("deceased", False),
        restricted_since=None if restriction is None else _day(restriction["since"]),
        erased_on=None if erased is None else _day(erased),
        known=told.take("consumer_known"),
        presumed_interest=presumed,
    )


def _collection(told: _Told, rel: _Told) -> Collection:
    published, disclosed = told.take("published", {}), told.take("disclosed", {})
    how = published or disclosed
    source = rel.take("address_source")
    return Collection(
        source=source,
        opt_out_offered=rel.take("optout_offered_at_collection", False),
        direct=rel.take("contact_collected_directly", source in _OF_THEMSELVES),
        voluntary=rel.take("fax_number_provided_voluntarily", False),
        published=published.get("conspicuous", bool(published)),
        disclosed=bool(disclosed),
        refusal_stated=how.get("no_unsolicited_statement", False if how else None),
        relevant_to_role=how.get("relevant_to_role", False),
        informed=told.take("informed_and_could_object", False),
        notice_at_collection=told.take("notice_at_collection", True),
    )


def _source(rel: _Told) -> str | None:
    """Where nothing else is said, an address came by what was between them: a sale, an inquiry, a gift, an account."""
    if not rel.keys().isdisjoint(("last_purchase", "open_order", "contract_active", "contract_end")):
        return "sale"
    if "last_inquiry" in rel or "quote_requested" in rel:
        return "negotiation"
    if "donation" in rel:
        return "donation"
    return "registration" if "account_created" in rel or "account_type" in rel else None


def _relations(rel: _Told) -> Iterator[Relation]:
    seller = rel.take("seller")
    if rel.get("address_source") == "negotiation":
        yield Relation(kind="negotiation", seller=seller)
    for key, kind in (
        ("last_purchase", "purchase"),
        ("last_inquiry", "inquiry"),
        ("donation", "donation"),
        ("quote_requested", "quote"),
        ("open_order", "order"),
        ("member_since", "membership"),
    ):
        if (day := rel.take(key)) is not None:
            yield Relation(kind=cast("Any", kind), on=_day(day), seller=seller)
    active, end, written = rel.take("contract_active"), rel.take("contract_end"), rel.take("contract_kind")
    if active is not None or end is not None:
        until = None if end is None else _day(end)
        yield Relation(
            kind="contract", active=active, until=until, written=written == "written", seller=seller
        )
    created, tier = rel.take("account_created"), rel.take("account_type")
    if created is not None or tier is not None:
        on = None if created is None else _day(created)
        yield Relation(
            kind="account", on=on, paid=False if tier == "free_tier_of_paid_service" else None, seller=seller
        )
    for key in ("ongoing_customer", "ongoing_relationship", "transactional_relationship"):
        if rel.take(key):
            yield Relation(kind="ongoing", active=True, seller=seller)


def _listing(one: _Told) -> Listing:
    one.take("match")
    listing = Listing(
        list=one.take("list"), since=_day(one.take("since", "0001-01-01")), reason=one.take("reason")
    )
    one.done("suppress")
    return listing


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _end(text: str, at: datetime) -> datetime:
    """An instant; of a day its end, where the row is."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=at.tzinfo) + timedelta(days=len(text) == 10)


def _event(number: int, act: _Told, request: Request) -> ConsentEvent:
    evidence = act.take("ev", _UNSAID.get(act["act"]))
    scope = act.take("scope")
    period = act.take("period")
    until = act.take("valid_until")
    condition = [act.take("condition_of_purchase"), act.take("not_condition_of_purchase")]
    purposes = act.take("pu", () if scope is None else (scope,))
    event = ConsentEvent(
        id=f"act-{number + 1}",
        kind=act.take("act"),
        occurred_at=datetime.fromisoformat(act.take("t")),
        scope=Scope(
            controller=act.take("to", request.controller),
            channels=act.take("ch", ()),
            purposes=purposes,
            point=act.take("cp", request.point if request.point in ("em1", "ph1") else None),
            recipients=act.take("recipients", ()),
            right=act.take("right"),
        ),
        evidence=None
        if evidence is None and _QUALITIES.isdisjoint(act)
        else Evidence(
            kind=cast("Any", None if evidence is None else _EVIDENCE[evidence]),
            given_by=act.take("given_by", "parent" if evidence == "parent_verified" else "self"),
            explicit=act.take("explicit", False),
            written=act.take("written", evidence in _SIGNED),
            disclosed=act.take("clear_and_conspicuous_disclosure", True),
            condition_of_purchase=condition[0] if condition[0] is not None else condition[1] is False,
            condition_of_contract=act.take("conditional_on_contract", False),
            names_the_number=act.take("number_included", True),
            unambiguous=act.take("clear_and_unambiguous", True),
            confirmed_kind=act.take("cp_confirmed", "own"),
            holder=act.take("number_holder", "subscriber"),
            data=act.take("data", ()),
        ),
        valid_until=None if until is None else _end(until, request.at),
        open_ended=period == "indefinite",
        night=bool(act.take("night")),
        any_time=act.take("covers_time") == "any",
        via=act.take("via"),
        words=act.take("text"),
    )
    act.done("consents")
    return event
