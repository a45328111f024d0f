"""Conditions on what the person did: a Yes that stands, a No that stands.

Invariant: whether a Yes is one is said by the law that is asked, by the name of a profile.
"""

from __future__ import annotations

from datetime import date, time
from functools import partial

import attrs

from crmcore.consent.case import Case, instant
from crmcore.consent.conditions.all_of import Condition
from crmcore.consent.counting import Span, last_day, shifted
from crmcore.consent.data_words import kinds_of_data
from crmcore.consent.event import ConsentEvent
from crmcore.consent.finding import FOREVER, YES, Finding, either
from crmcore.consent.noes import noes
from crmcore.consent.speaking import agreed, aim_open, covers_lift
from crmcore.consent.standing import standing_no, standing_yes
from crmcore.values.instant import micros


@attrs.frozen
class Consented:
    """A Yes stands that the profile *profile* takes for one; *night* or *any_time* also speak of those hours.

    *after* is the path of a day: the Yes was said after it, if it has come, and after those of the customer's other
    records. *about* are the purposes of a Yes that will do, where it need not be that of the request. A No by a channel
    in *across* takes it back, whatever it was about.
    """

    profile: str
    night: bool = False
    any_time: bool = False
    after: str | None = None
    about: frozenset[str] = frozenset()
    across: frozenset[str] = frozenset()

    def test(self, case: Case) -> Finding:
        law = case.law

        def valid(case: Case, event: ConsentEvent) -> Finding:
            if self.night and not event.night:
                return Finding(False, why="it does not speak of the night")
            if self.any_time and not event.any_time:
                return Finding(False, why="it does not speak of those hours")
            after = self.follows(case, event)
            if not after.holds:
                return after
            found: Finding = law.valid(case, event, self.profile)
            return found if found.until <= after.until else found._replace(until=after.until)

        if not self.about:
            return standing_yes(case, case.purpose, valid, law.graces, self.across)
        return either(standing_yes(case, one, valid, law.graces, self.across) for one in sorted(self.about))

    def follows(self, case: Case, event: ConsentEvent) -> Finding:
        """Whether *event* came after the day that it must come after."""
        if self.after is None:
            return YES
        today = max(case.days)
        known = case.days_at(self.after)
        until = min((case.midnight(day) for day in known if day > today), default=FOREVER)
        last = max((day for day in known if day <= today), default=None)
        if last is None or all(event.occurred_at.astimezone(one).date() > last for one in case.zones):
            return Finding(True, until)
        return Finding(False, why="it was said before")


@attrs.frozen
class Lifted:
    """What was suspended on the day at the path *after* was taken up again since, by an act that lifts it.

    What was suspended under another record of the customer as well is not: the act says nothing of that; nor does one
    that ends what came by a request of its own.
    """

    after: str

    def test(self, case: Case) -> Finding:
        root, _, name = self.after.partition(".")
        if getattr(case.roots[root], name) is None or case.facts.others_days.get(self.after):
            return case.no_such_act
        since = Consented("", after=self.after)
        for _, event in case.acts(_LIFTS):
            covers = event.via is None and covers_lift(event.scope, case.contact, case.purpose, case.channel)
            if covers and since.follows(case, event).holds:
                return Finding(True, because=(event.id,))
        return case.no_such_act


_LIFTS = frozenset({"lift"})


@attrs.frozen
class SpeaksOfTheData:
    """The Yes names no data, or all those that are to be used."""

    def test(self, case: Case) -> Finding:
        event = case.event
        named = kinds_of_data(() if event is None or event.evidence is None else event.evidence.data)
        if not named or case.request.use.data <= named:
            return YES
        return Finding(False, why="it speaks of other data")


@attrs.frozen
class NamesRecipient:
    """The Yes names whoever gets the data, where they are passed on."""

    def test(self, case: Case) -> Finding:
        event, recipient = case.event, case.request.use.recipient
        if case.purpose != "third_party_sharing":
            return YES
        names = frozenset() if event is None else agreed(case, event).recipients
        if names and recipient is None:
            return Finding(None, missing=("use.recipient",), why="who gets the data is not known")
        return YES if recipient in names else Finding(False, why="it does not name who gets the data")


@attrs.frozen
class Unlapsed:
    """The Yes names its end, or says that it has none; else it lapses *span* after the day on which it was given."""

    span: Span
    counting: str

    def test(self, case: Case) -> Finding:
        event = case.event
        if event is None:
            return Finding(False, why="there is no act")
        if event.open_ended or event.valid_until is not None:
            return Finding(True, because=(event.id,))
        if event.open_ended is None:
            return Finding(None, missing=("act.open_ended",), why="whether it names a time is not known")
        ends = [
            instant(shifted(self._last(event.occurred_at.astimezone(where).date()), 1), time.min, where)
            for where in case.zones
        ]
        if case.now < min(ends):
            return Finding(True, min(ends), (event.id,))
        if case.now >= max(ends):
            return Finding(False, why="it lapsed, since it names no time")
        return Finding(None, max(ends), (), ("facts.zones",), "whether it lapsed hangs on the zone")

    def _last(self, given: date) -> date:
        return last_day(self.span, given, self.counting)


@attrs.frozen
class SaidNo:
    """A No of these *kinds* stands, about the request or, with *across*, about one of those channels.

    *about* asks of a No to another purpose; *right* of one that exercised that right. *lifts* is the profile of a Yes
    that takes it back, where it is not that of the law; *named*, that the act names its purposes; *at_once*, that no
    time for processing is given. With *within* or *minutes* only one that was said so recently counts.
    """

    kinds: frozenset[str]
    across: frozenset[str] = frozenset()
    about: str | None = None
    right: str | None = None
    lifts: str | None = None
    named: bool = False
    at_once: bool = False
    within: Span | None = None
    minutes: int | None = None

    def test(self, case: Case) -> Finding:
        if case.kinds.isdisjoint(self.kinds):
            return case.no_such_act
        sure = self._standing(case)
        if sure.holds or not aim_open(case.contact, self.about or case.purpose):
            return sure
        perhaps = self._standing(case, perhaps=True)
        if perhaps.holds:
            return Finding(None, perhaps.until, (), ("use.aim",), "what the data are used for is not known")
        return perhaps

    def _standing(self, case: Case, *, perhaps: bool = False) -> Finding:
        purpose = self.about or case.purpose
        channels = self.across or case.channel
        found = noes(case, self.kinds, purpose, channels, self.right, named=self.named, perhaps=perhaps)
        if not found.all:
            return case.no_such_act
        law = case.law
        return standing_no(
            case,
            found,
            () if self.at_once else law.graces,
            law.lifting(case, purpose, self.lifts or law.lifts),
            None if self.minutes is None and self.within is None else partial(self._lasting, case),
        )

    def _lasting(self, case: Case, event: ConsentEvent) -> int:
        """Until when the act is recent enough: minutes to their last instant, months to the end of their last day."""
        if self.minutes is not None:
            return micros(event.occurred_at) + self.minutes * 60_000_000 + 1
        if self.within is None:
            return FOREVER
        return max(
            instant(
                shifted(
                    last_day(self.within, event.occurred_at.astimezone(one).date(), "calendar_months"), 1
                ),
                time.min,
                one,
            )
            for one in case.zones
        )


@attrs.frozen
class Profile:
    """When a Yes is one: a *condition* on the act, its evidence and whoever gave it."""

    name: str
    condition: Condition

    def test(self, case: Case, event: ConsentEvent) -> Finding:
        before, case.event = case.event, event
        try:
            return self.condition.test(case)
        finally:
            case.event = before
