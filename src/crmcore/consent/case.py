"""One question in the middle of being decided: the request and the facts, and what is worked out of them once.

Invariant: nothing that happened after the instant of the question, or was recorded after what was known then, is seen;
but a No that was recorded by then, whatever clock has dated it: it is the last that was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cached_property
from itertools import compress
from operator import itemgetter
from typing import Any

from crmcore.consent.clocks import heard_early
from crmcore.consent.contact import Contact
from crmcore.consent.controllers import is_nobody
from crmcore.consent.correcting import uncorrected
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.finding import FOREVER, Finding
from crmcore.consent.fixed import asked_key, facts_key
from crmcore.consent.policy import Policy
from crmcore.consent.request import Request
from crmcore.consent.words import LIFTING
from crmcore.consent.zones import zone
from crmcore.errors import InvalidDate
from crmcore.values.instant import micros, micros_of

_Acts = tuple[tuple[int, ConsentEvent], ...]

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""Since when the first record of a customer belongs to it."""

ENDS_OF_THE_WORLD = (timezone(timedelta(hours=14)), timezone(timedelta(hours=-12)))


class Case:
    """A request over facts, at an instant, as it was known then. In *brief*, nobody will ask why.

    *next_event* is when the next act is done, *no_such_act* that nothing of a kind was done, as long as nothing is.
    *asked*, *contact* and *joined* are taken from the request and the facts, where they are not given: whoever asks of
    many people knows the first for all of them, and the others without making a request and facts of their own.
    """

    def __init__(
        self,
        request: Request,
        facts: Facts,
        policy: Policy,
        known_at: datetime | None,
        at: datetime | None = None,
        *,
        brief: bool = False,
        asked: int | None = None,
        contact: Contact | None = None,
        joined: Mapping[str, datetime] | None = None,
    ) -> None:
        self.request, self.facts, self.policy, self.known_at = request, facts, policy, known_at
        self.at = request.at if at is None else at
        self.now = micros_of(self.at)
        self.channel = frozenset({request.channel})
        self.brief = brief
        self._asked = asked
        self.contact = Contact.of(request) if contact is None else contact
        self.joined = facts.joined if joined is None else joined
        self.event: ConsentEvent | None = None
        self.law: Any = None
        self.docket: Any = None
        self.rights: Set[str] = frozenset()
        self.purpose: str = request.purpose
        self.notes: dict[str, Finding] = {}
        self.valid: dict[tuple[str, int], Finding] = {}
        self.lifting: dict[tuple[str, str], Any] = {}
        self.said: dict[tuple[object, ...], Any] = {}
        self.past, self._others, self.next_event = self._told()
        self._kinds = [pair[1].kind for pair in self.past]
        self.kinds = frozenset(self._kinds)
        self._acts: dict[Set[str], _Acts] = {frozenset(): (), self.kinds: self.past}
        self.no_such_act = Finding(False, self.next_event)

    @cached_property
    def roots(self) -> Mapping[str, Any]:
        """What the paths of facts begin with."""
        facts, request, point = self.facts, self.request, self.contact.point
        return {
            "request": request if request.point == point else request.to(point),
            "message": self.request.message,
            "use": self.request.use,
            "policy": self.policy,
            "subject": facts.subject,
            "point": facts.point,
            "collection": facts.collection,
            "facts": facts,
        }

    def later(self, at: datetime) -> Case:
        """The same question at another instant, of which nobody asks why."""
        return Case(
            self.request,
            self.facts,
            self.policy,
            self.known_at,
            at,
            brief=True,
            asked=self._asked,
            contact=self.contact,
            joined=self.joined,
        )

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What is the same for many people: whoever has the same key is answered by the same narrowed docket."""
        asked = asked_key(self.request, self.policy) if self._asked is None else self._asked
        return asked, facts_key(self.facts, self.at.year)

    def under(self, law: Any, purpose: str, docket: Any) -> None:
        """Go on under *law*, which takes the message for one of *purpose*."""
        self.law, self.purpose, self.rights, self.docket = law, purpose, law.rights, docket
        self.notes, self.valid, self.lifting = {}, {}, {}

    def event_root(self, root: str) -> Any:
        """The act that is looked at, its evidence or its scope."""
        if self.event is None:
            return None
        return self.event if root == "act" else getattr(self.event, root)

    @property
    def placed(self) -> bool:
        """Whether it is known in which zones the person may be."""
        return bool(self.facts.zones)

    @cached_property
    def graced(self) -> bool:
        """Whether a withdrawal is given the time that a law has for it."""
        return self.policy.withdrawal_grace == "legal_max" and self.placed

    @cached_property
    def zones(self) -> tuple[tzinfo, ...]:
        """Where the person may be: if nobody knows, at both ends of the world, between which all days lie."""
        return tuple(zone(name) for name in self.facts.zones) or ENDS_OF_THE_WORLD

    @cached_property
    def days(self) -> frozenset[date]:
        """Which day it is there."""
        return frozenset(self.at.astimezone(one).date() for one in self.zones)

    def days_at(self, path: str) -> tuple[date, ...]:
        """The days that are known as the fact at *path*, those of the customer's other records among them."""
        root, _, name = path.partition(".")
        own = getattr(self.roots[root], name)
        others = self.facts.others_days.get(path, ())
        return others if own is None else (own, *others)

    def midnight(self, day: date) -> int:
        """When *day* first begins anywhere that the person may be, in microseconds."""
        return min((instant(day, time.min, one) for one in self.zones), default=FOREVER)

    def everywhere(self, day: date) -> int:
        """When *day* has begun wherever the person may be, in microseconds."""
        return max((instant(day, time.min, one) for one in self.zones), default=FOREVER)

    @cached_property
    def tomorrow(self) -> int:
        """When it is another day anywhere that the person may be."""
        return min(
            (
                instant(self.at.astimezone(one).date() + timedelta(days=1), time.min, one)
                for one in self.zones
            ),
            default=FOREVER,
        )

    def _told(self) -> tuple[_Acts, _Acts, int]:
        """What had been done, oldest first, each with its instant; what of it others did that may lift a No; and when
        the next act is done."""
        events, others = self.facts.events, self.facts.others_lifting
        if self.known_at is not None:
            known = self.known_at
            events, others = (
                tuple(one for one in told if (one.recorded_at or one.occurred_at) <= known)
                for told in (events, others)
            )
        past: list[tuple[int, ConsentEvent]] = []
        lifting: list[tuple[int, ConsentEvent]] = []
        coming = FOREVER
        for told, into in ((events, past), (others, lifting)):
            for event in uncorrected(told, self.now):
                when = micros_of(event.occurred_at)
                if when <= self.now:
                    (lifting if event.alone and event.kind in LIFTING else into).append((when, event))
                    continue
                early = heard_early(event)
                if early is not None and micros_of(early) <= self.now:
                    into.append((self.now, event))  # it is later than all that has been done by now
                elif early is not None:
                    when = micros_of(early)
                coming = min(coming, when)
        past.sort(key=itemgetter(0))
        lifting.sort(key=itemgetter(0))
        return tuple(past), tuple(lifting), coming

    @property
    def others_lift(self) -> bool:
        """Whether anything of others is told that may lift a No and permits nothing."""
        return bool(self._others or self.facts.others_lifting)

    @cached_property
    def lifting_acts(self) -> _Acts:
        """What had been done that may lift a No, also under other records of the customer, oldest first."""
        own = self.acts(LIFTING)
        return tuple(sorted((*own, *self._others), key=itemgetter(0))) if self._others else own

    @cached_property
    def taken_back(self) -> frozenset[str]:
        """The ids of Noes that a Yes takes back by name."""
        return frozenset([id for _, yes in self.lifting_acts for id in yes.takes_back])

    @cached_property
    def plain_noes(self) -> bool:
        """Whether nothing but restrictions sets a No apart from others: none is taken back by name, and whoever asks
        says who they are."""
        return not self.taken_back and not is_nobody(self.contact.controller)

    def acts(self, kinds: Set[str]) -> tuple[tuple[int, ConsentEvent], ...]:
        """What of these *kinds* had been done, oldest first, each with its instant in microseconds."""
        there = self.kinds & kinds
        found = self._acts.get(there)
        if found is None:
            found = self._acts[there] = tuple(compress(self.past, map(there.__contains__, self._kinds)))
        return found


def instant(day: date, clock: time, where: tzinfo) -> int:
    """When a clock on the wall shows that time on that day, the first time; after it where the clock skips it.

    The first and the last days of the calendar begin before and end after every instant.
    """
    try:
        return micros(datetime.combine(day, clock, tzinfo=where))
    except (OverflowError, InvalidDate):
        return FOREVER if day.year > 1 else -FOREVER
