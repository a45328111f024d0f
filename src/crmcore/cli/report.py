"""The HTML report of a store: its largest customers, the pairs that a person should settle, one customer's timeline.

Invariant: everything is escaped, the file needs nothing else, and it shows only what the views show.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import attrs

from crmcore.app.crm import Crm
from crmcore.app.deduplication import Progress
from crmcore.app.resolve import Membership
from crmcore.identity.judgement import Judgement
from crmcore.party.party import Party
from crmcore.render import (
    Dot,
    Html,
    badge,
    definitions,
    details,
    figures,
    page,
    section,
    table,
    tag,
    timeline,
)
from crmcore.values.ids import PartyId
from crmcore.values.moment import moment_date
from crmcore.view.customer_view import CustomerView
from crmcore.view.view_text import held, is_extra, reason

LARGEST = 25
PAIRS = 200
TIMELINE = 1000


@attrs.frozen
class _Counts:
    customers: dict[str, int]
    records: int
    largest: tuple[Membership, ...]


def report(crm: Crm, *, focus: str | None = None, on_progress: Progress | None = None) -> str:
    """The report as one HTML document. *focus* is whose timeline is drawn (default: the person of most records)."""
    counts = _count(crm, on_progress)
    pairs = crm.identity.to_review(limit=PAIRS)
    views = [crm.customers.view(customer.id) for customer in counts.largest]
    shown = crm.customers.view(focus) if focus else next((v for v in views if v.kind == "person"), None)
    nouns = {"person": "people", "organization": "organizations", "household": "households"}
    return page(
        "Customers",
        figures(
            [
                (counts.records, "records"),
                *((n, nouns.get(kind, kind)) for kind, n in sorted(counts.customers.items(), reverse=True)),
                (len(pairs), "pairs to review" + (" (first ones)" if len(pairs) == PAIRS else "")),
            ]
        ),
        _person(crm, shown) if shown else None,
        section("Largest customers", *(_customer(crm, view) for view in views)),
        section("Pairs to review", *_pairs(crm, pairs)),
        lead="Who is who, where every value comes from, and what a person should settle.",
    )


def _count(crm: Crm, tell: Progress | None) -> _Counts:
    customers: dict[str, int] = {}
    records = 0
    large: list[tuple[int, str, Membership]] = []
    for kind in ("person", "organization", "household", "anonymous"):
        after: str | None = None
        while True:
            found = crm.customers.page(kind=kind, after=after, limit=1000)
            for customer in found.items:
                customers[kind] = customers.get(kind, 0) + 1
                records += len(customer.members)
                if len(customer.members) > 1:
                    large.append((-len(customer.members), customer.id, customer))
            large = sorted(large, key=lambda item: item[:2])[:LARGEST]
            if tell is not None:
                tell("counting customers", sum(customers.values()), 0)
            after = found.next
            if after is None:
                break
    return _Counts(customers, records, tuple(customer for _, _, customer in large))


def _person(crm: Crm, view: CustomerView) -> Html:
    names = _employers(crm, view)
    dots = [
        Dot(
            at=moment_date(i.occurred_at),
            series=_lane(names.get(i.parties[0], "no employer named")),
            label=i.subject or i.kind,
        )
        for i in crm.interactions.timeline(view.id, limit=TIMELINE).items
        if i.parties
    ]
    return section(
        view.name,
        timeline(dots, title="Contacts"),
        _facts(view),
        tag("p", f"digest {view.digest}", class_="quiet"),
    )


def _lane(name: str) -> str:
    """A name that fits above its lane on a phone."""
    return name if len(name) <= 34 else name[:33] + "…"


def _employers(crm: Crm, view: CustomerView) -> dict[PartyId, str]:
    """For each record of the customer, whom it works for: the lanes of the timeline."""
    found = {
        member: relationship.to
        for member in view.members
        for relationship in crm.relationships.of(member)
        if relationship.type == "employment" and relationship.from_ == member
    }
    names = crm.customers.names(found.values())
    return {member: names[employer] for member, employer in found.items()}


def _facts(view: CustomerView) -> Html:
    rows: list[tuple[str, Html]] = [
        (field.field, _said(field.text.replace("\n", ", "), reason(field)))
        for field in view.fields
        if not is_extra(field)
    ]
    rows += [(line.label, _said(line.other_name, held(line))) for line in view.relationships[:20]]
    if len(view.relationships) > 20:
        rows.append(("", _said(f"and {len(view.relationships) - 20} more", "")))
    kept = [field.field.partition(":")[2] for field in view.fields if is_extra(field)]
    if kept:
        rows.append(("also kept", _said(", ".join(kept), "")))
    rows.append(("unknown", _said(", ".join(view.unknown_fields), "")))
    return definitions(rows)


def _said(text: str, note: str) -> Html:
    return tag("span", text, " ", tag("small", note) if note else None)


def _customer(crm: Crm, view: CustomerView) -> Html:
    members = [crm.parties.get(member) for member in view.members]
    judgements = [j for j in crm.identity.judgements(view.id) if j.live and j.verdict == "same"]
    return details(
        tag(
            "span",
            f"{view.name} ",
            badge(f"{len(view.members)} records"),
            badge(f"{len(view.sources)} sources"),
        ),
        _facts(view),
        table(["record", "source", "seen", "address"], [_record(member) for member in members[:50]]),
        tag(
            "p",
            f"joined by {len(judgements)} judgements; the weakest: {_weakest(judgements)}",
            class_="quiet",
        ),
    )


def _record(party: Party) -> tuple[str, str, str, str]:
    source = party.sources[0].system if party.sources else ""
    seen = moment_date(party.observed_at).isoformat() if party.observed_at is not None else ""
    address = party.addresses[0].raw.replace("\n", ", ") if party.addresses else ""
    return party.display_name, source, seen, address


def _weakest(judgements: Sequence[Judgement]) -> str:
    if not judgements:
        return "none"
    weakest = min(judgements, key=lambda judgement: (judgement.score, judgement.id))
    if weakest.human:
        return "a person's word"
    return (
        ", ".join(f"{item.get('field')} {item.get('level')}" for item in weakest.evidence) or "no reason kept"
    )


def _pairs(crm: Crm, pairs: Sequence[Judgement]) -> list[Html]:
    if not pairs:
        return [tag("p", "Nothing waits for a person.", class_="quiet")]
    rows = []
    store = shlex.quote(crm.store.describe().address)
    for judgement in pairs:
        a, b = crm.parties.get(judgement.a), crm.parties.get(judgement.b)
        why = ", ".join(f"{item.get('field')} {item.get('level')}" for item in judgement.evidence)
        rows.append((_side(a), _side(b), why, f"crmcore merge {judgement.a} {judgement.b} --store {store}"))
    return [table(["one record", "another record", "what the matcher saw", "to merge"], rows)]


def _side(party: Party) -> Html:
    name, source, seen, address = _record(party)
    return tag(
        "span",
        tag("b", name),
        " ",
        tag("small", " · ".join(text for text in (address, source, seen) if text)),
    )
