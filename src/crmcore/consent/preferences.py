"""What wishes make of a request: nothing, a denial, or the question where the person is.

Invariant: wishes only ever deny. What they leave alone is decided by law and consent as if there were none, and all
contacts of a customer count, whichever record they were made under.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import attrs

from crmcore.consent.case import instant
from crmcore.consent.contacts_made import Contact, contacts_made
from crmcore.consent.counting import Span
from crmcore.consent.decision import RANK, Decision, RuleHit
from crmcore.consent.facts import Attempt
from crmcore.consent.finding import FOREVER, Finding
from crmcore.consent.request import Request
from crmcore.consent.telling import INFERRED, STATED
from crmcore.consent.topics import Topics
from crmcore.consent.wishes import Aspect, Cap, QuietHours, Wish, in_force
from crmcore.consent.words import Outcome, Stage
from crmcore.consent.zones import is_zone, zone
from crmcore.interaction.interaction import Interaction
from crmcore.values.instant import from_micros, micros
from crmcore.values.language import Language
from crmcore.values.personal import Document

_DAY = 86_400_000_000
_SECOND = 1_000_000
_SEARCHED = 512
_AHEAD = 10
"""So many days ahead quiet hours are looked at: a week comes round, whatever clocks do."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@attrs.frozen(kw_only=True)
class Verdict(Document):
    """What wishes say. *answer* is ``allow`` where they have nothing against it.

    From *retry_at* on no hour and no number of contacts stands against it; None where something else does. Until
    *expires_at*, exclusive, it stays so. *language* is the one that was asked for.
    """

    answer: Outcome
    hits: tuple[RuleHit, ...] = ()
    missing: tuple[str, ...] = ()
    retry_at: datetime | None = None
    expires_at: datetime | None = None
    language: Language | None = None


def weigh(
    request: Request,
    wishes: Iterable[Wish],
    *,
    attempts: Iterable[Attempt] = (),
    zones: Iterable[str] = (),
    joined: Mapping[str, datetime] | None = None,
    language: Language | None = None,
    topics: Topics | None = None,
    taken_for: str | None = None,
    interactions: Iterable[Interaction] = (),
) -> Verdict:
    """What the *wishes* of all records of a customer say of a request.

    *attempts* are the contacts of all records, and so are those *interactions* on their timelines that went out; one
    that two of them tell of is one. So are an attempt and an interaction by a channel that may be the same, no more
    than five minutes apart, or on the day of an interaction that tells no time. *zones* are where the person may be.
    *language* is that of the message, if it has one. By *topics* a wish about a topic is one about its sub-topics.
    *taken_for* is the purpose that a decision took the message for: wishes about either hold.

    >>> now = datetime(2026, 5, 4, 21, tzinfo=UTC)
    >>> night = Wish(id="w", record="r", said_at=now, quiet=(QuietHours(begin="22:00", end="07:00"),))
    >>> ask = Request(controller="us", channel="sms", purpose="marketing", at=now)
    >>> weigh(ask, [night], zones=["Europe/Berlin"]).retry_at.isoformat()
    '2026-05-05T05:00:00+00:00'
    """
    said = tuple(wishes)
    about = tuple(
        tuple(one for one in said if one.about(purpose, request.controller))
        for purpose in dict.fromkeys((request.purpose, taken_for or request.purpose))
    )
    made = contacts_made(attempts, interactions)
    told = _Told(request, about, made, tuple(zones), joined or {}, language, topics)
    now = micros(request.at)
    found = list(told.findings(now))
    hits = [hit for hit, finding in found if finding.holds is not False]
    denied = any(finding.holds for _, finding in found)
    unknown = any(finding.holds is None for _, finding in found)
    until = min([told.next_said(now), *(finding.until for _, finding in found)])
    return Verdict(
        answer="deny" if denied else "need_confirmation" if unknown else "allow",
        hits=tuple(sorted(hits, key=lambda hit: hit.status != "fired")),
        missing=() if denied else tuple(dict.fromkeys(name for _, one in found for name in one.missing)),
        retry_at=told.retry() if denied else None,
        expires_at=None if until >= FOREVER else from_micros(until),
        language=told.asked_for(),
    )


@attrs.frozen
class _Told:
    """*wishes* are those about each purpose; *edges* when hours begin and end, as far as worked out."""

    request: Request
    wishes: tuple[tuple[Wish, ...], ...]
    contacts: tuple[Contact, ...]
    zones: tuple[str, ...]
    joined: Mapping[str, datetime]
    language: Language | None
    topics: Topics | None
    edges: dict[tuple[object, ...], Sequence[int]] = attrs.field(factory=dict)

    def about(self) -> tuple[str, ...]:
        """The topic of the request and all that it is part of."""
        topic = self.request.topic
        if topic is None:
            return ()
        return (topic,) if self.topics is None else self.topics.lineage(topic)

    def findings(self, now: int) -> Iterator[tuple[RuleHit, Finding]]:
        """What each wish says at an instant: a finding that holds is a denial."""
        at, request = from_micros(now), self.request
        for wish in self._in_force("channels", at):
            against = bool(wish.channels) and request.channel not in (wish.channels or ())
            yield _said(
                wish, "channel", "policy", "They want to be reached by other channels.", Finding(against)
            )
        for wish in self._in_force("only_topics", at):
            against = bool(wish.only_topics) and (wish.only_topics or frozenset()).isdisjoint(self.about())
            yield _said(wish, "topic", "policy", "They want to hear of other topics only.", Finding(against))
        for wish in self._in_force("no_topics", at):
            against = bool(wish.no_topics) and (
                request.topic is None or not (wish.no_topics or frozenset()).isdisjoint(self.about())
            )
            yield _said(wish, "topic", "policy", "They do not want to hear of this topic.", Finding(against))
        for wish in self._in_force("language", at):
            wanted = wish.language
            against = self.language is not None and wanted is not None and not _same(self.language, wanted)
            yield _said(wish, "language", "policy", "They asked for another language.", Finding(against))
        for wish in self._in_force("caps", at):
            for cap in wish.caps or ():
                text = f"They want at most {cap.most} a {cap.per}."
                yield _said(wish, "frequency", "cap", text, self._capped(cap, now))
        if request.hours == "not_at_issue":
            return
        for wish in self._in_force("quiet", at):
            for quiet in wish.quiet or ():
                text = f"They want quiet from {quiet.begin} to {quiet.end}."
                yield _said(wish, "quiet_hours", "time", text, self._quiet(quiet, now))

    def _in_force(self, aspect: Aspect, at: datetime) -> Iterator[Wish]:
        asking = self.request.controller
        found = (
            wish
            for about in self.wishes
            for wish in in_force(about, aspect, at, self.joined, controller=asking)
        )
        return iter(dict.fromkeys(found))

    def next_said(self, now: int) -> int:
        """When the next wish is said, of those that were said after the instant that is asked about."""
        said = (micros(one.said_at) for about in self.wishes for one in about)
        return min((when for when in said if when > now), default=FOREVER)

    def asked_for(self) -> Language | None:
        """The language of the latest wish that holds."""
        held = sorted(self._in_force("language", self.request.at), key=lambda one: (one.said_at, one.id))
        return held[-1].language if held else None

    def _capped(self, cap: Cap, now: int) -> Finding:
        """Denied while so many contacts are not yet a stretch ago."""
        if cap.channels and self.request.channel not in cap.channels:
            return Finding(False)
        counted = [
            one
            for one in self.contacts
            if not cap.channels or one.channels is None or not one.channels.isdisjoint(cap.channels)
        ]
        coming = min((one.first for one in counted if one.first > now), default=FOREVER)
        made = [(_leaves(one.last, cap), one.id) for one in counted if one.first <= now]
        recent = sorted(leaving for leaving, _ in made if leaving > now)
        because = ("facts.attempts", *(id for leaving, id in made if id is not None and leaving > now))
        if len(recent) < cap.most:
            return Finding(False, coming, because)
        return Finding(True, min(coming, recent[-cap.most]), because)

    def _quiet(self, quiet: QuietHours, now: int) -> Finding:
        """Denied while it is quiet anywhere that the person may be."""
        named = quiet.zone is not None and is_zone(quiet.zone)
        names = (str(quiet.zone),) if named else self.zones
        if not names:
            return Finding(None, missing=("facts.zones",), why="the time there is not known")
        places = [zone(name) for name in names]
        state = any(_silent(quiet, now, where) for where in places)
        edges = self._edges(quiet, now, names)
        until = next(
            (one for one in edges if any(_silent(quiet, one, w) for w in places) is not state), FOREVER
        )
        return Finding(state, until, ("facts.zones",))

    def _edges(self, quiet: QuietHours, now: int, names: tuple[str, ...]) -> Sequence[int]:
        """Those after an instant, soonest first. They are worked out once for each day."""
        today = from_micros(now).date()
        if not 2 < today.year < 9998:
            return ()  # the calendar ends there
        known = self.edges.get((quiet, today))
        if known is None:
            days = [today + timedelta(days=ahead) for ahead in range(-1, _AHEAD)]
            found = {edge for name in names for day in days for edge in self._of_day(quiet, day, name)}
            known = self.edges[quiet, today] = sorted(found)
        return known[bisect_right(known, now) :]

    def _of_day(self, quiet: QuietHours, day: date, name: str) -> Sequence[int]:
        found = self.edges.get((quiet, day, name))
        if found is None:
            found = self.edges[quiet, day, name] = tuple(_edges(quiet, day, zone(name)))
        return found

    def retry(self) -> datetime | None:
        """The first instant at which nothing is against it, if only hours and numbers of contacts are."""
        now = micros(self.request.at)
        for _ in range(_SEARCHED):
            found = list(self.findings(now))
            if any(one.holds is None or (one.holds and hit.stage == "policy") for hit, one in found):
                return None
            against = [one.until for _, one in found if one.holds]
            if not against:
                return from_micros(now)
            now = min(max(against), self.next_said(now))
            if now >= FOREVER:
                return None
        return None


def _said(wish: Wish, name: str, stage: Stage, text: str, found: Finding) -> tuple[RuleHit, Finding]:
    hit = RuleHit(
        rule=f"wish.{name}",
        jurisdiction="wishes",
        stage=stage,
        effect="deny",
        status="fired" if found.holds else "unknown" if found.holds is None else "not_applicable",
        text=text,
        cite=STATED if wish.basis == "stated" else INFERRED,
        because=(wish.id, *found.because),
        why=found.why,
    )
    return hit, found


def _same(written: Language, wanted: Language) -> bool:
    """Whether a text in one language serves who asked for the other: German of Austria serves who asked for German."""
    asked, given = wanted.tag.split("-"), written.tag.split("-")
    return given[: len(asked)] == asked or asked[: len(given)] == given


def _leaves(last: int, cap: Cap) -> int:
    """When a contact counts no more."""
    if cap.per != "month":
        return last + (7 if cap.per == "week" else 1) * _DAY
    there = from_micros(last).astimezone(UTC)
    return micros(datetime.combine(Span(months=1).after(there.date()), there.timetz()))


def _silent(quiet: QuietHours, now: int, where: tzinfo) -> bool:
    here = from_micros(now).astimezone(where)
    clock, begins, ends = here.time(), quiet.begins, quiet.ends
    if begins < ends:
        return begins <= clock < ends and _on(quiet, here.date())
    yesterday = here.date() - timedelta(days=1)
    return (clock >= begins and _on(quiet, here.date())) or (clock < ends and _on(quiet, yesterday))


def _on(quiet: QuietHours, day: date) -> bool:
    return not quiet.days or _DAYS[day.weekday()] in quiet.days


def _edges(quiet: QuietHours, day: date, where: tzinfo) -> Iterator[int]:
    """The instants of a day there at which it may become quiet or end to be so: clocks show a time, for the first time
    and for the second, or are changed."""
    first, last = instant(day, time.min, where), instant(day + timedelta(days=1), time.min, where)
    yield first
    for clock in (quiet.begins, quiet.ends):
        yield instant(day, clock, where)
        yield instant(day, clock.replace(fold=1), where)
    if last - first != _DAY:
        yield _changed(first, last, where)


def _changed(first: int, last: int, where: tzinfo) -> int:
    """When clocks are changed between two instants, to the second."""
    before = from_micros(first).astimezone(where).utcoffset()
    while last - first > _SECOND:
        middle = (first + last) // 2 // _SECOND * _SECOND
        middle = middle if middle > first else first + _SECOND
        if from_micros(middle).astimezone(where).utcoffset() == before:
            first = middle
        else:
            last = middle
    return last


def under_wishes(
    decision: Decision, verdict: Verdict, again: Callable[[datetime], tuple[Decision, Verdict]] | None = None
) -> Decision:
    """*decision*, denied where the wishes deny: never more than it was.

    *again* gives both at another instant, so that *retry_at* is the first at which neither is against it. Without it,
    where both are against it, *retry_at* is the later of the two: ask once more then.
    """
    worse = RANK[verdict.answer] < RANK[decision.answer]
    answer = verdict.answer if worse else decision.answer
    against = tuple(f"{hit.text} ({hit.cite})" for hit in verdict.hits)
    ends = [one for one in (decision.expires_at, verdict.expires_at) if one is not None]
    return attrs.evolve(
        decision,
        answer=answer,
        rule=verdict.hits[0].rule if worse else decision.rule,
        reasons=(*against, *decision.reasons) if worse else (*decision.reasons, *against),
        trace=(*decision.trace, *verdict.hits) if decision.trace else (),
        missing=() if answer == "deny" else tuple(dict.fromkeys((*decision.missing, *verdict.missing))),
        retry_at=_later(decision, verdict, again) if answer == "deny" else None,
        expires_at=min(ends, default=None),
    )


def _later(
    decision: Decision, verdict: Verdict, again: Callable[[datetime], tuple[Decision, Verdict]] | None
) -> datetime | None:
    for _ in range(_SEARCHED):
        waits: list[datetime] = []
        for one in (decision, verdict):
            if one.answer == "need_confirmation" or (one.answer == "deny" and one.retry_at is None):
                return None
            if one.answer == "deny" and one.retry_at is not None:
                waits.append(one.retry_at)
        if not waits:
            return None
        if again is None:
            return max(waits)
        decision, verdict = again(max(waits))
        if decision.answer == verdict.answer == "allow":
            return max(waits)
    return None
