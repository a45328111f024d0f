"""Conditions on registers, on what was between the person and us, and on how often we tried.

Invariant: that somebody is not on a register of the state is only known where the register was asked recently enough.
"""

from __future__ import annotations

from datetime import date

import attrs

from crmcore.consent.case import Case
from crmcore.consent.conditions.known import after, within
from crmcore.consent.counting import Span, shifted
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Listing, Relation
from crmcore.consent.finding import FOREVER, NO, Finding
from crmcore.consent.speaking import named
from crmcore.consent.wording import register
from crmcore.values.instant import micros

OWN = frozenset({"internal", "internal_dnc", "internal_hash"})
"""Lists of our own: they are known as they are."""

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR


@attrs.frozen
class Listed:
    """The point is on *list*, for *days* at least. A register of the state was asked at most *fresh* days ago.

    "*" stands for every list but our own; that all were asked is said by a check of "*".
    Where what a register said may be relied on for *relied* days, a listing that is later than that does not count yet.
    """

    list: str
    days: int = 0
    fresh: int | None = None
    lifted: bool = False
    relied: int | None = None

    def test(self, case: Case) -> Finding:
        asking = self.fresh is not None and self.list not in OWN
        if not asking and not case.facts.listings:
            return NO
        listings = [one for one in case.facts.listings if self._is(one.list)]
        until = FOREVER
        for listing in listings:
            since = case.midnight(shifted(listing.since, self.days))
            ends = FOREVER if listing.until is None else case.everywhere(listing.until)
            if self.relied is not None:
                since = max(since, self._relied_until(case, listing.since))
            if since <= case.now < ends and not (self.lifted and _lifted(case, listing)):
                return Finding(
                    True,
                    min(ends, case.next_event),
                    (f"list:{listing.list}",),
                    (),
                    f"on {register(listing.list)}{_left(case, listing) if self.lifted else ''}",
                )
            until = min([until, case.next_event, *(edge for edge in (since, ends) if edge > case.now)])
        return self._asked(case, until) if asking else Finding(False, until)

    def _is(self, name: str) -> bool:
        return name not in OWN if self.list == "*" else name == self.list

    def _relied_until(self, case: Case, since: date) -> int:
        """Until when an answer counts that is older than the listing: from when that is known, it counts."""
        days = (self.relied or 0) + 1
        before = [
            shifted(one.on, days)
            for one in case.facts.checks
            if one.list in (self.list, "*") and one.on < since
        ]
        after = any(since <= one.on for one in case.facts.checks if one.list in (self.list, "*"))
        return -FOREVER if after or not before else case.midnight(max(before))

    def _asked(self, case: Case, until: int) -> Finding:
        checks = [one.on for one in case.facts.checks if one.list in (self.list, "*")]
        found = within(case, checks, Span(days=self.fresh or 0), f"check:{self.list}")
        if found.holds:
            return Finding(False, min(until, found.until), (f"check:{self.list}",))
        why = f"{register(self.list)} was not asked within {self.fresh} days"
        return Finding(None, min(until, found.until), (), (f"check:{self.list}",), why)


def _lifted(case: Case, listing: Listing) -> bool:
    """Whether the person said yes on a later day than the listing is of, so that it takes a no back."""
    return any(
        found.holds is True and _shown(event, listing) and min(_days(case, event)) > listing.since
        for event, found in case.law.yeses(case)
    )


def _left(case: Case, listing: Listing) -> str:
    """Why the latest yes since the listing does not count for more than it; nothing if there is none."""
    since = () if case.brief else case.law.yeses(case)
    said = [pair for pair in since if max(_days(case, pair[0])) >= listing.since]
    if not said:
        return ""
    event, found = said[-1]
    if found.holds is not True:
        why = found.why or "it is none that takes back a no"
    elif not _shown(event, listing):
        why = "they were erased, and its evidence names no notice that was shown and no document"
    else:
        where = "" if case.placed else ", wherever the person may be: their time zone is not known"
        why = f"not on a later day than the list has{where}"
    return f"; {named(event)}: {why}"


def _days(case: Case, event: ConsentEvent) -> list[date]:
    """The days on which an act was done, where the person may be."""
    return [event.occurred_at.astimezone(where).date() for where in case.zones]


def _shown(event: ConsentEvent, listing: Listing) -> bool:
    """Whether the evidence names what shows it, where nothing else tells who had the address: they were erased."""
    if listing.reason != "erasure":
        return True
    shown = event.evidence
    names = () if shown is None else (shown.notice, shown.notice_sha256, shown.document)
    return any(char.isalnum() for name in names if name for char in name)


@attrs.frozen
class Asked:
    """The register *list* was asked at most *within* days ago; not known where nothing says that it ever was.

    For laws that forbid to contact anybody without having asked, whatever the register would have said.
    """

    list: str
    within: int

    def test(self, case: Case) -> Finding:
        what = f"check:{self.list}"
        checks = [one.on for one in case.facts.checks if one.list in (self.list, "*")]
        if not checks:
            return Finding(None, missing=(what,), why=f"whether {register(self.list)} was asked is not known")
        return within(case, checks, Span(days=self.within), what)


@attrs.frozen
class Related:
    """Something of these *kinds* is between the person and the controller: at most *span* ago, or not *ended* longer.

    Without either it has begun and not ended.
    *counting* names how the time is counted.
    """

    kinds: frozenset[str]
    span: Span | None = None
    ended: Span | None = None
    counting: str = "calendar_months"
    active: bool | None = None
    written: bool | None = None
    paid: bool | None = None
    not_before: date | None = None

    def test(self, case: Case) -> Finding:
        words = " or ".join(sorted(self.kinds))
        found = [one for one in case.facts.relations if one.kind in self.kinds and self._fits(one, case)]
        if not found:
            return Finding(False, why=f"there is no {words}")
        if self.ended is not None:
            return self._ended(case, found, words)
        if self.span is None:
            return _lasting(case, found, words)
        days = [one.on for one in found if one.on is not None]
        return within(case, days, self.span, f"the {words}", self.counting)

    def _ended(self, case: Case, found: list[Relation], words: str) -> Finding:
        begun = [one for one in found if one.on is None or one.on <= min(case.days)]
        if any(one.until is None and one.active is not False for one in begun):
            return Finding(True, because=(words,))
        coming = [case.midnight(one.on) for one in found if one.on is not None and one not in begun]
        edge = max(min(coming, default=FOREVER), case.now + 1)
        ends = [one.until for one in begun if one.until is not None]
        if not ends:
            return Finding(False, edge, why=f"there is no {words} that lasts")
        ended = within(case, ends, self.ended, f"the end of the {words}", self.counting, ahead=True)
        return ended if ended.holds else ended._replace(until=min(ended.until, edge))

    def _fits(self, one: Relation, case: Case) -> bool:
        return (
            (one.seller is None or one.seller == case.request.controller)
            and (self.active is None or _active(one) is self.active)
            and (self.written is None or one.written is self.written)
            and (self.paid is None or one.paid is self.paid)
            and (self.not_before is None or (one.on is not None and one.on >= self.not_before))
        )


def _active(one: Relation) -> bool | None:
    """Whether it goes on, as far as that is told: one with an end does until then, unless it is told otherwise."""
    return True if one.active is None and one.until is not None else one.active


def _lasting(case: Case, found: list[Relation], words: str) -> Finding:
    """Whether one of these relations has begun and not ended, wherever the person may be."""
    first, last = min(case.days), max(case.days)
    found = [one for one in found if one.active is not False and (one.until is None or one.until >= first)]
    begun = [one for one in found if one.on is None or one.on <= last]
    lasting = [
        one
        for one in begun
        if (one.on is None or one.on <= first) and (one.until is None or one.until >= last)
    ]
    if lasting:
        return Finding(True, max(_end(case, one) for one in lasting), (words,))
    if begun:
        return Finding(
            None, case.tomorrow, (), ("facts.zones",), f"whether there is a {words} hangs on the zone"
        )
    coming = min((case.midnight(one.on) for one in found if one.on is not None), default=FOREVER)
    return Finding(False, coming, why=f"there is no {words} that lasts")


def _end(case: Case, one: Relation) -> int:
    return FOREVER if one.until is None else after(case, one.until)


@attrs.frozen
class Tried:
    """We have contacted them *times* times or more within the last *hours* or *days*; of *same_subject*, about this.

    Counted are contacts by any channel *across*, by whatever channel without them.
    """

    times: int
    hours: int | None = None
    days: int | None = None
    same_subject: bool = False
    across: frozenset[str] = frozenset()

    def test(self, case: Case) -> Finding:
        length = (self.hours or 0) * _HOUR + (self.days or 0) * _DAY
        when = sorted(
            micros(one.at)
            for one in case.facts.attempts
            if (not self.same_subject or one.same_subject is not False)
            and (not self.across or one.channel is None or one.channel in self.across)
        )
        recent = [one for one in when if case.now - length < one <= case.now]
        coming = min((one for one in when if one > case.now), default=FOREVER)
        if len(recent) < self.times:
            return Finding(False, coming)
        until = recent[len(recent) - self.times] + length
        return Finding(True, min(until, coming), ("attempts",), (), f"{len(recent)} contacts already")
