"""By when a request must be answered: deadlines as data, counted in days of one place.

Invariant: which days are holidays, and in which zone days begin, are asked of the caller; no zone is ever guessed. A
clock that stands still has no deadline, and a day counts only if the clock runs at its end.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Set
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import attrs

from crmcore.consent.counting import Span
from crmcore.consent.rights_words import PauseCause, Right, RightsLaw
from crmcore.errors import InvalidPack, InvalidRightsRequest

DueCounting = Literal["month", "days", "business_days"]
NO_HOLIDAYS: frozenset[date] = frozenset()

_DAY = timedelta(days=1)
_NO_DAYS = "none"
"""The period of rights for which a law names no days."""
_KEYS = frozenset(
    {
        "id",
        "law",
        "rights",
        "period",
        "extended",
        "counting",
        "rolls",
        "pauses",
        "at_once",
        "confirm",
        "identity",
        "text",
        "cite",
        "read",
    }
)


@attrs.frozen(kw_only=True)
class DeadlineRule:
    """One law's time for some rights. *extended* is the whole time from receipt, None if there is no extension.

    *period* None is a law that knows these rights and names no days: it is answered without delay.
    *pauses* may stop the clock; of *at_once* the processing stops at once, whatever time the answer may take. Receipt
    is confirmed within *confirm* business days. *identity* says whether it must be known who asks.
    """

    id: str
    law: RightsLaw
    rights: frozenset[Right]
    period: Span | None
    extended: Span | None = None
    counting: DueCounting = "days"
    rolls: bool = False
    pauses: frozenset[PauseCause] = frozenset()
    at_once: frozenset[Right] = frozenset()
    confirm: int | None = None
    identity: bool = True
    text: str
    cite: str
    read: bool = False


@attrs.frozen(kw_only=True)
class Stop:
    """The clock stood still from *start* to *end*; *end* None: it still does."""

    start: datetime
    end: datetime | None = None


def is_working(day: date, holidays: Set[date] = NO_HOLIDAYS) -> bool:
    """Whether it is neither a Saturday, a Sunday nor one of *holidays*."""
    return day.weekday() < 5 and day not in holidays


def last_day_of(
    rule: DeadlineRule,
    received: datetime,
    *,
    zone: str,
    stops: Iterable[Stop] = (),
    extended: bool = False,
    holidays: Set[date] = NO_HOLIDAYS,
) -> date | None:
    """The last day on which the answer is in time; None while the clock stands still, or where the law names no days.

    *stops* are those that were made in time, in their order.

    >>> rule = deadline_for("gdpr", "access")
    >>> last_day_of(rule, datetime.fromisoformat("2026-01-30T10:00+01:00"), zone="Europe/Berlin").isoformat()
    '2026-03-02'
    >>> uk, asked = deadline_for("uk_gdpr", "access"), datetime.fromisoformat("2026-03-03T10:00+00:00")
    >>> stop = Stop(start=asked, end=datetime.fromisoformat("2026-03-06T10:00+00:00"))
    >>> last_day_of(uk, asked, zone="Europe/London", stops=[stop]).isoformat()
    '2026-04-06'
    """
    place = zone_of(zone)
    span = rule.extended if extended and rule.extended is not None else rule.period
    if span is None:
        return None
    start = received.astimezone(place).date()
    due = _counted(span, start, rule.counting, holidays)
    for stop in stops:
        begun = stop.start.astimezone(place).date()
        if begun > _rolled(due, rule, holidays):
            break  # it was over before
        if stop.end is None:
            return None
        resumed = stop.end.astimezone(place).date()
        if resumed != begun:
            due = resumed if begun > due else due + (resumed - begun)
    return _rolled(due, rule, holidays)


def end_of(day: date, zone: str) -> datetime:
    """The instant at which a day is over in a zone: the beginning of the next one there.

    >>> end_of(date(2026, 3, 28), "Europe/Berlin").isoformat()
    '2026-03-29T00:00:00+01:00'
    """
    return datetime.combine(day + _DAY, time(), tzinfo=zone_of(zone))


def confirm_by(
    rule: DeadlineRule, received: datetime, *, zone: str, holidays: Set[date] = NO_HOLIDAYS
) -> date | None:
    """The last day on which receipt is confirmed in time; None where no law asks for that."""
    if rule.confirm is None:
        return None
    start = received.astimezone(zone_of(zone)).date()
    return _counted(Span(days=rule.confirm), start, "business_days", holidays)


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name.

    Raises:
        InvalidRightsRequest: if this system knows none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        raise InvalidRightsRequest(
            "days are counted in a zone: give the name of an IANA zone, such as 'Europe/Berlin'"
        ) from None


def _counted(span: Span, start: date, counting: str, holidays: Set[date]) -> date:
    if counting != "business_days":
        return span.after(start)
    day, left = start, span.days
    while left:
        day += _DAY
        left -= is_working(day, holidays)
    return day


def _rolled(day: date, rule: DeadlineRule, holidays: Set[date]) -> date:
    while rule.rolls and not is_working(day, holidays):
        day += _DAY
    return day


def read_deadlines(text: str) -> tuple[DeadlineRule, ...]:
    """The rules of a table in TOML.

    Raises:
        InvalidPack: if it is none, with the place that is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPack(f"the table of deadlines is no TOML: {error}") from None
    rules = tuple(map(_rule, document.get("deadline", ())))
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        for right in rule.rights:
            if (rule.law, right) in seen:
                raise InvalidPack(f"deadline {rule.id}: {rule.law} has two deadlines for {right}")
            seen.add((rule.law, right))
    return rules


def _rule(table: Mapping[str, Any]) -> DeadlineRule:
    where = f"deadline {table.get('id', 'without an id')}"
    if wrong := set(table) - _KEYS:
        raise InvalidPack(f"{where}: unknown key {', '.join(sorted(wrong))}")
    named = table.get("period") != _NO_DAYS
    for key in ("id", "law", "rights", "period", *(["counting"] if named else ()), "text", "cite"):
        if not table.get(key):
            raise InvalidPack(f"{where}: {key} is missing")
    if not named and (wrong := set(table) & {"counting", "extended", "rolls", "pauses"}):
        raise InvalidPack(f"{where}: where no days are named, {', '.join(sorted(wrong))} counts nothing")
    known: tuple[tuple[str, Any], ...] = (("rights", Right), ("pauses", PauseCause), ("at_once", Right))
    for key, words in known:
        if wrong := set(table.get(key, ())) - set(get_args(words)):
            raise InvalidPack(f"{where}: {key} has an unknown word: {', '.join(sorted(wrong))}")
    if table["law"] not in get_args(RightsLaw) or table.get("counting", "days") not in get_args(DueCounting):
        raise InvalidPack(f"{where}: law or counting is an unknown word")
    if table.get("counting") == "business_days" and table.get("pauses"):
        raise InvalidPack(f"{where}: a time of business days has no pauses")
    return DeadlineRule(
        **{
            **table,
            "period": Span.parse(table["period"]) if named else None,
            "extended": Span.parse(table["extended"]) if "extended" in table else None,
            **{key: frozenset(table.get(key, ())) for key in ("rights", "pauses", "at_once")},
        }
    )


@cache
def shipped_deadlines() -> tuple[DeadlineRule, ...]:
    """The deadlines that come with crmcore."""
    return read_deadlines((files("crmcore.consent") / "tables" / "deadlines.toml").read_text("utf-8"))


def deadline_for(law: str, right: str, rules: Iterable[DeadlineRule] | None = None) -> DeadlineRule:
    """The rule of a law for a right.

    Raises:
        InvalidRightsRequest: if no time is known for that law, or for that right under it.

    >>> deadline_for("privacy_act_nz", "access").period
    Span(months=0, days=20)
    """
    among = tuple(shipped_deadlines() if rules is None else rules)
    for rule in among:
        if rule.law == law and right in tuple(rule.rights):
            return rule
    laws = sorted({rule.law for rule in among})
    if law not in laws:
        raise InvalidRightsRequest(f"no time is known for this law: known are {', '.join(laws)}")
    raise InvalidRightsRequest(
        "this law knows no such right, or none with a time that is known: see crmcore.consent.shipped_deadlines()"
    )
