"""A decision as a page to read, print and keep: the answer, why, and every rule that was looked at.

Invariant: the page says what `Decision.explain` says and leaves no rule of the trace out; whatever a text holds, it
stays text. It names no contact point, as no decision does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from crmcore.consent.telling import Explanation, explained, law_of
from crmcore.consent.wording import SO, WHAT
from crmcore.consent.words import STAGES
from crmcore.render import (
    Child,
    Html,
    Tone,
    badge,
    bullets,
    definitions,
    join,
    notice,
    page,
    section,
    table,
    tag,
)

if TYPE_CHECKING:
    from crmcore.consent.decision import Decision, RuleHit

TONES: dict[str, Tone] = {"allow": "good", "deny": "bad", "need_confirmation": "warn"}
FOOTER = "The rules come from packs, which are engineering data and not legal advice."
_STAGES = {
    "classify": "what it is",
    "stop": "forbidden altogether",
    "no": "a no of theirs",
    "register": "registers",
    "permit": "permission",
    "form": "form of the message",
    "time": "hours",
    "cap": "number of contacts",
    "policy": "wishes and policy",
}
_PLACES = {"wishes": "Wishes of the person", "record": "What the record says"}
_STATUSES: dict[str, tuple[str, Tone]] = {
    "unknown": ("not known", "warn"),
    "defeated": ("set aside", "note"),
    "not_applicable": ("does not apply", "plain"),
}
_FIRED: dict[str, tuple[str, Tone]] = {
    "permit": ("permits", "good"),
    "deny": ("forbids", "bad"),
}


def decision_page(decision: Decision) -> Html:
    """The whole page, which needs nothing else."""
    told = explained(decision)
    facts = list(_facts(decision, told))
    return page(
        f"May we? {_begun(told.about)}",
        _answer(decision, told),
        definitions(facts) if facts else None,
        section("Every rule that was looked at", _trace(decision.trace), id="rules")
        if decision.trace
        else None,
        lead=f"Decided by the packs {', '.join(decision.packs)}." if decision.packs else None,
        footer=FOOTER,
    )


def decision_card(decision: Decision) -> Html:
    """The answer and why, to stand among other things."""
    return _answer(decision, explained(decision))


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]


def _answer(decision: Decision, told: Explanation) -> Html:
    lists = (
        ("What came near", told.more if told.near else ()),
        ("To be found out", told.missing),
        ("Taken from your own practice", told.own),
    )
    return join(
        notice(tag("strong", told.answer), f": {told.about}, by {told.law}", tone=TONES[decision.answer]),
        tag("p", told.main),
        bullets(told.more) if told.more and not told.near else None,
        (notice("Note: ", line) for line in told.notes),
        (section(title, bullets(lines), level=2) for title, lines in lists if lines),
    )


def _facts(decision: Decision, told: Explanation) -> Iterator[tuple[str, str | Html]]:
    if decision.rule is not None:
        yield "rule that decides", tag("code", decision.rule)
    if told.retry_at is not None:
        yield "possible again from", told.retry_at
    if told.expires_at is not None:
        yield "to be asked again from", told.expires_at
    if decision.facts_hash is not None:
        yield "stands for the facts", tag("code", decision.facts_hash)


def _trace(hits: Iterable[RuleHit]) -> Iterator[Html]:
    """A table for each jurisdiction, in the order of the stages."""
    by_place: dict[str, list[RuleHit]] = {}
    for hit in hits:
        by_place.setdefault(hit.jurisdiction, []).append(hit)
    for place, found in by_place.items():
        title = _PLACES.get(place) or _begun(law_of(place))
        rows = [_row(hit) for hit in sorted(found, key=lambda one: _order(one.stage))]
        yield section(title, table(["stage", "outcome", "rule and law", "because"], rows), level=3)


def _order(stage: str) -> int:
    return [*map(str, STAGES), stage].index(stage)


def _row(hit: RuleHit) -> tuple[str | Html, ...]:
    said, tone = _STATUSES.get(hit.status) or _FIRED.get(hit.effect, ("applies", "note"))
    behind = [hit.why] if hit.why else [SO.get(name) or WHAT.get(name) or name for name in hit.because]
    because: list[Child] = ["; ".join(behind)]
    if hit.defeated_by is not None:
        because += ["; " if behind else "", "set aside by ", tag("code", hit.defeated_by)]
    return (
        _STAGES.get(hit.stage, hit.stage),
        badge(said, tone),
        join(hit.text, tag("br"), tag("small", hit.cite, "; " if hit.cite else None, tag("code", hit.rule))),
        join(because),
    )
