"""How somebody wants to be contacted: by which channels, how often, in which language, at which hours, about what.

Invariant: what a person stated stands before what was inferred of them. A wish replaces an earlier one of its own
record, or one of another record that had become the same customer by then: no merge makes a wish go away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from typing import Any, Literal, get_args

import attrs

from crmcore.consent.checking import some_of, together
from crmcore.consent.controllers import hears, told_another
from crmcore.consent.words import Channel, Purpose
from crmcore.errors import InvalidConsent
from crmcore.serde import Codec
from crmcore.values.instant import ensure_aware
from crmcore.values.language import Language
from crmcore.values.personal import Document, personal
from crmcore.values.text import storable

Stretch = Literal["day", "week", "month"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Basis = Literal["stated", "inferred"]
Aspect = Literal["channels", "caps", "language", "quiet", "only_topics", "no_topics"]

EXEMPT = frozenset({"transactional", "legal_notice"})
"""What a wish that names no purposes is not about: a receipt comes at any hour."""

MOST = 50
"""So many caps, and so many quiet hours, a wish may have."""


def _one_of(words: Any, what: str) -> Any:
    def check(instance: object, attribute: object, value: object) -> None:
        if value not in get_args(words):
            raise InvalidConsent(f"{what} is one of {', '.join(get_args(words))}")

    return check


def _some_of(words: Any, what: str) -> Any:
    return attrs.validators.optional(some_of(words, what))


def _together(values: Iterable[Any] | None) -> frozenset[Any] | None:
    return None if values is None else together(values)


def _in_order(values: Iterable[Any] | None) -> tuple[Any, ...] | None:
    try:
        return None if values is None else tuple(values)
    except TypeError:
        raise InvalidConsent("caps, and quiet hours, are given as a list or a tuple") from None


def _some_few(kind: type) -> Any:
    """A validator: up to so many of one type. Of what was stored before there was a limit there may be more."""

    def check(instance: object, attribute: object, value: tuple[Any, ...] | None) -> None:
        if value is not None and not (len(value) <= MOST and all(isinstance(one, kind) for one in value)):
            raise InvalidConsent(
                f"a wish has {MOST} of {kind.__name__} at most, and nothing else in their place"
            )

    return check


def _topics(instance: object, attribute: object, value: frozenset[Any] | None) -> None:
    """Each stands in a line that people read, and never makes one of its own."""
    if not all(isinstance(one, str) and one.strip() and one.isprintable() for one in value or ()):
        raise InvalidConsent("the name of a topic is a printable text, such as 'news'")


def _utc(moment: datetime) -> datetime:
    return ensure_aware(moment)


def _utc_or_none(moment: datetime | None) -> datetime | None:
    return None if moment is None else ensure_aware(moment)


def _at_least_one(instance: object, attribute: object, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidConsent("a cap allows one contact at least: whoever wants none withdraws their consent")


@attrs.frozen(kw_only=True)
class Cap(Document):
    """At most so many contacts in any stretch of a day (24 hours), a week (7 days) or a month, by *channels* or all."""

    most: int = attrs.field(validator=_at_least_one)
    per: Stretch = attrs.field(validator=_one_of(Stretch, "the stretch of a cap"))
    channels: frozenset[Channel] = attrs.field(
        default=frozenset(), converter=together, validator=some_of(Channel, "channels")
    )


@attrs.frozen(kw_only=True)
class QuietHours(Document):
    """From *begin* until *end*, exclusive, on wall clocks (``"22:00"``); over midnight where the end is not later.

    *days* are those on which they begin, all if there are none. They are of the *zone* that was named with them, or of
    where the person is.

    >>> QuietHours(begin="22:00", end="07:00").begins
    datetime.time(22, 0)
    """

    begin: str
    end: str
    days: frozenset[Weekday] = attrs.field(
        default=frozenset(), converter=together, validator=some_of(Weekday, "days")
    )
    zone: str | None = personal(default=None)

    def __attrs_post_init__(self) -> None:
        _ = self.begins, self.ends

    @property
    def begins(self) -> time:
        """The time at which it becomes quiet."""
        return _clock(self.begin)

    @property
    def ends(self) -> time:
        """The time from which it is quiet no more."""
        return _clock(self.end)


def _clock(text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is not None:
        raise InvalidConsent("a time of day is written like '22:00', as a clock on the wall shows it")
    return found


@attrs.frozen(kw_only=True)
class Wish(Document):
    """What was said, or inferred, at once. What is None was not spoken of; what is empty is wanted no longer.

    *channels* are the only ones that are wanted, *only_topics* the only topics; *no_topics* are not wanted. It is about
    all *purposes* but transactions and notices of law, unless it names some, and about all controllers, unless it
    names one. *record* is the party under which it was recorded.
    """

    type: Literal["consent.wish"] = "consent.wish"
    id: str
    record: str
    basis: Basis = attrs.field(default="stated", validator=_one_of(Basis, "the basis of a wish"))
    said_at: datetime = attrs.field(converter=_utc)
    recorded_at: datetime | None = attrs.field(default=None, converter=_utc_or_none)
    controller: str | None = attrs.field(default=None, converter=storable)
    purposes: frozenset[Purpose] = attrs.field(
        default=frozenset(), converter=together, validator=some_of(Purpose, "purposes")
    )
    channels: frozenset[Channel] | None = attrs.field(
        default=None, converter=_together, validator=_some_of(Channel, "channels")
    )
    caps: tuple[Cap, ...] | None = attrs.field(default=None, converter=_in_order)
    language: Language | None = personal(default=None)
    quiet: tuple[QuietHours, ...] | None = personal(default=None, converter=_in_order)
    only_topics: frozenset[str] | None = personal(default=None, converter=_together)
    no_topics: frozenset[str] | None = personal(default=None, converter=_together)

    def about(self, purpose: str, controller: str) -> bool:
        """Whether it speaks of what a controller does for a purpose."""
        named = purpose in self.purposes if self.purposes else purpose not in EXEMPT
        return named and hears(controller, self.controller)


@attrs.frozen(kw_only=True)
class Wished(Document):
    """What is wished by now, of each aspect; None is what was never spoken of. The aspects are those of `Wish`."""

    channels: frozenset[Channel] | None = attrs.field(
        default=None, converter=_together, validator=_some_of(Channel, "channels")
    )
    caps: tuple[Cap, ...] | None = attrs.field(default=None, converter=_in_order, validator=_some_few(Cap))
    language: Language | None = personal(default=None)
    quiet: tuple[QuietHours, ...] | None = personal(
        default=None, converter=_in_order, validator=_some_few(QuietHours)
    )
    only_topics: frozenset[str] | None = personal(default=None, converter=_together, validator=_topics)
    no_topics: frozenset[str] | None = personal(default=None, converter=_together, validator=_topics)


WISH: Codec[Wish] = Codec(tag="consent.wish", type=Wish, versioned=False)
CODECS: tuple[Codec[Any], ...] = (WISH,)


def in_force(
    wishes: Iterable[Wish],
    aspect: Aspect,
    at: datetime,
    joined: Mapping[str, datetime] | None = None,
    *,
    controller: str,
) -> Iterator[Wish]:
    """The wishes that hold on one *aspect* at an instant; several, where none of them replaces the others.

    *wishes* are all about what is asked by *controller*, so that a later one replaces an earlier one there, however
    wide either is beside; but one that told nobody by name, or by another spelling, replaces none that told somebody.
    *joined* says since when each record belongs to the customer.
    """
    spoken = [one for one in wishes if getattr(one, aspect) is not None and one.said_at <= at]
    for wish in spoken:
        of_another = told_another(controller, wish.controller)
        replacing = (
            other
            for other in spoken
            if other.controller in (None, wish.controller)
            or (other.controller == controller and not of_another)
        )
        if not any(_replaces(other, wish, joined or {}) for other in replacing):
            yield wish


def _replaces(new: Wish, old: Wish, joined: Mapping[str, datetime]) -> bool:
    """A statement replaces what was inferred, before it or later, and what was stated before; a guess only guesses."""
    if new.basis == old.basis:
        later = new.said_at > old.said_at
    else:
        later = new.basis == "stated"
    return later and _one_customer(new, old, joined)


def _one_customer(new: Wish, old: Wish, joined: Mapping[str, datetime]) -> bool:
    if new.record == old.record:
        return True
    since = [joined.get(new.record), joined.get(old.record)]
    known = new.recorded_at or new.said_at
    return all(one is not None and known >= one for one in since)
