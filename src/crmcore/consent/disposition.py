"""What becomes of each thing that is held about somebody who is to be erased, and why.

Invariant: everything that is held and may go has a line in the plan, and a line keeps nothing without a reason and a
law. A legal hold beats erasure, and turns it into restriction. What never goes with a person, such as the proof of what
they asked for, is named with its reason in `crmcore.app.SUBJECT_KINDS`, and has no line.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

import attrs

from crmcore.consent.checking import listed
from crmcore.consent.counting import Span
from crmcore.errors import InvalidPack, InvalidRightsRequest
from crmcore.values.personal import FieldClass

Action = Literal["delete", "anonymise", "restrict", "keep"]
STRENGTH: Mapping[str, int] = {"delete": 0, "anonymise": 1, "restrict": 2, "keep": 3}
"""How much of a thing stays by an action: of two the stronger one keeps more."""
HELD = "a legal hold"
"""What is cited where a legal hold keeps something."""
PeriodCounting = Literal["from_trigger", "end_of_year"]
DispositionTrigger = Literal["made", "last_use"]
_KEYS = frozenset(
    {
        "kind",
        "class",
        "purpose",
        "shared",
        "action",
        "until",
        "trigger",
        "counting",
        "text",
        "cite",
        "read",
    }
)


def end_of_period(period: Span, start: date, counting: PeriodCounting) -> date:
    """The last day of a period that counts from a day, or from the end of the year of that day.

    >>> end_of_period(Span.parse("P8Y"), date(2026, 2, 3), "end_of_year").isoformat()
    '2034-12-31'
    """
    return period.after(start.replace(month=12, day=31) if counting == "end_of_year" else start)


@attrs.frozen(kw_only=True)
class Disposition:
    """A line of the table: what becomes of data of a *kind* and *field_class* that a *purpose* needs.

    A *shared* line is about what concerns other people, too. *until* counts from the day on which the data was *made*,
    or from its *last_use*, if that is later.
    """

    kind: str = "*"
    field_class: FieldClass | Literal["*"] = "*"
    purpose: str = "*"
    shared: bool = False
    action: Action
    until: Span | None = None
    trigger: DispositionTrigger = "made"
    counting: PeriodCounting = "from_trigger"
    text: str
    cite: str
    read: bool = False

    def last_day(self, thing: Held) -> date | None:
        """The last day on which it holds for *thing*; None: as long as its reason does."""
        if self.until is None:
            return None
        used = thing.last_use if self.trigger == "last_use" else None
        start = thing.day if used is None else max(thing.day, used)
        return end_of_period(self.until, start, self.counting)

    def fits(self, thing: Held, purpose: str) -> bool:
        """Whether the line is about *thing*, needed for *purpose*."""
        return (
            self.kind in ("*", thing.kind)
            and self.purpose in ("*", purpose)
            and (self.field_class == "*" or self.field_class in thing.classes)
            and (thing.shared or not self.shared)
        )

    @property
    def narrowness(self) -> tuple[bool, bool, bool, bool]:
        """How narrow the line is: purpose before kind, before class."""
        return (self.purpose != "*", self.shared, self.kind != "*", self.field_class != "*")


@attrs.frozen(kw_only=True)
class Held:
    """A thing that is held: *place* is where, and the plan's only name for it; *kind* a record's or an entry's.

    *day* is that on which it was made, *last_use* the last on which it was, or may have been, relied on; *purposes* are
    those for which it is still needed; *shared* says that other people are concerned, too.
    """

    place: str
    kind: str
    classes: frozenset[FieldClass] = frozenset({"personal"})
    day: date
    last_use: date | None = None
    purposes: frozenset[str] = frozenset()
    shared: bool = False


_HOLD = (
    "a legal hold has an id and a reason, which are texts, kinds, which are several of them, and until, which is a "
    "date or None"
)


def _some_or_all(kinds: Iterable[str]) -> frozenset[str]:
    found = frozenset(listed(kinds, str, _HOLD, InvalidRightsRequest))
    return frozenset() if "*" in found else found


def _a_text(instance: object, attribute: object, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidRightsRequest(_HOLD)


def _a_day(instance: object, attribute: object, value: Any) -> None:
    if not isinstance(value, date | None) or isinstance(value, datetime):
        raise InvalidRightsRequest(_HOLD)


@attrs.frozen(kw_only=True)
class LegalHold:
    """Somebody must not lose data: a lawsuit, an audit. *until* None: until it is lifted.

    *kinds* empty, or with ``"*"`` among them, is all of it, and reads as empty.
    """

    id: str = attrs.field(validator=_a_text)
    reason: str = attrs.field(validator=_a_text)
    kinds: frozenset[str] = attrs.field(default=frozenset(), converter=_some_or_all)
    until: date | None = attrs.field(default=None, validator=_a_day)

    def holds(self, kind: str, on: date) -> bool:
        """Whether it holds data of that kind on a day."""
        return (not self.kinds or kind in self.kinds) and (self.until is None or on <= self.until)


def holds_told(holds: Iterable[LegalHold]) -> tuple[LegalHold, ...]:
    """The *holds* that somebody told.

    Raises:
        InvalidRightsRequest: if they are not several holds.
    """
    return listed(holds, LegalHold, "holds are several LegalHold(...)", InvalidRightsRequest)


def purposes_told(purposes: Mapping[str, Iterable[str]] | None) -> dict[str, frozenset[str]]:
    """The *purposes* that somebody told by the kind of data.

    Raises:
        InvalidRightsRequest: if they are not told so.
    """
    if isinstance(purposes, Mapping | None) and all(
        isinstance(kind, str) and _several_texts(names) for kind, names in (purposes or {}).items()
    ):
        return {kind: frozenset(names) for kind, names in (purposes or {}).items()}
    raise InvalidRightsRequest("purposes are told by the kind of data, such as {'interaction': {'claims'}}")


def _several_texts(names: Any) -> bool:
    several = isinstance(names, Set | Sequence) and not isinstance(names, str | bytes)
    return several and all(isinstance(name, str) for name in names)


@attrs.frozen(kw_only=True)
class Disposal:
    """What becomes of one thing. *until* None, where it is kept: as long as *reason* holds.

    *anyway* is the last day on which it stays though that is over, since something else keeps it that nobody may know
    by then: a table of one's own, a purpose, or (`date.max`) that erasing it was refused.
    """

    place: str
    kind: str
    action: Action
    reason: str
    cite: str
    until: date | None = None
    hold: str | None = None
    anyway: date | None = None


@attrs.frozen(kw_only=True)
class ErasurePlan:
    """What an erasure would do, thing by thing, and nothing of it done. *notes* say what else it means.

    *after* is the digest of the plan that was begun before, if one was: what was planned before that is another plan.
    """

    disposals: tuple[Disposal, ...]
    notes: tuple[str, ...] = ()
    after: str = ""

    def of(self, *actions: Action) -> tuple[Disposal, ...]:
        """Those with one of *actions*."""
        return tuple(one for one in self.disposals if one.action in actions)

    @property
    def digest(self) -> str:
        """The SHA-256 of the plan, by which an approval can name it."""
        lines = sorted(f"{one.place}\x1f{one.action}\x1f{one.until}" for one in self.disposals)
        lines += [self.after] if self.after else []
        return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()

    def summary(self) -> tuple[tuple[str, Action, str, str, date | None, int], ...]:
        """Kind, action, reason, law, until when, and how many: without any value, and without any id."""
        counts: dict[tuple[str, Action, str, str, date | None], int] = {}
        for one in self.disposals:
            line = (one.kind, one.action, one.reason, one.cite, one.until)
            counts[line] = counts.get(line, 0) + 1
        return tuple((*line, counts[line]) for line in sorted(counts, key=repr))

    def text(self) -> str:
        """The plan in words, a line per kind and reason, and the notes."""
        lines = [
            f"{action} {count} {kind}: {reason} ({cite})" + (f", until {until}" if until else "")
            for kind, action, reason, cite, until, count in self.summary()
        ]
        return "\n".join([*lines, *self.notes])


def plan_erasure(
    held: Iterable[Held],
    *,
    today: date,
    table: Iterable[Disposition] | None = None,
    holds: Iterable[LegalHold] = (),
) -> ErasurePlan:
    """What becomes of each thing that is *held*.

    Raises:
        InvalidRightsRequest: if something is needed for a purpose that no line of the table knows.

    >>> thing = Held(place="party 1", kind="party", day=date(2026, 1, 1))
    >>> print(plan_erasure([thing], today=date(2026, 5, 4)).text())
    delete 1 party: nothing obliges to keep it (GDPR art. 17(1))
    >>> print(plan_erasure([thing], today=date(2026, 5, 4), holds=[LegalHold(id="h1", reason="a lawsuit")]).text())
    restrict 1 party: a lawsuit (a legal hold)
    """
    lines = tuple(shipped_dispositions() if table is None else table)
    standing = tuple(holds)
    things = tuple(held)
    check_purposes((name for one in things for name in one.purposes), lines)
    return ErasurePlan(
        disposals=tuple(_disposal(one, lines, standing, today, own=table is not None) for one in things)
    )


def check_purposes(names: Iterable[str], table: Iterable[Disposition] | None = None) -> None:
    """Refuse purposes for which the table keeps nothing.

    Raises:
        InvalidRightsRequest: with those that no line of the table knows.
    """
    lines = shipped_dispositions() if table is None else table
    unknown = set(names) - {line.purpose for line in lines}
    if unknown:
        raise InvalidRightsRequest(
            f"the table of dispositions knows no purpose {', '.join(sorted(unknown))}: nothing would be kept for it"
        )


def _disposal(
    thing: Held, lines: tuple[Disposition, ...], holds: tuple[LegalHold, ...], today: date, *, own: bool
) -> Disposal:
    for hold in holds:
        if hold.holds(thing.kind, today):
            return Disposal(
                place=thing.place,
                kind=thing.kind,
                action="restrict",
                reason=hold.reason,
                cite=HELD,
                until=hold.until,
                hold=hold.id,
                anyway=_unheld(thing, lines, today) if own or thing.purposes else None,
            )
    chosen: list[tuple[int, date, Disposition]] = []
    for purpose in sorted(thing.purposes) or ["*"]:
        line = max(
            (line for line in lines if line.fits(thing, purpose)),
            key=lambda line: line.narrowness,
            default=None,
        )
        if line is None:
            raise InvalidPack(f"the table says nothing of {thing.kind}: give it a line for every kind ('*')")
        until = line.last_day(thing)
        if until is not None and until < today:
            # What kept it is over, so it is as if nobody needed it.
            line, until = _without(lines, thing), None
        chosen.append((STRENGTH[line.action], until or date.max, line))
    _, until, line = max(chosen, key=lambda one: one[:2])
    return Disposal(
        place=thing.place,
        kind=thing.kind,
        action=line.action,
        reason=line.text,
        cite=line.cite,
        until=None if until == date.max else until,
    )


def _unheld(thing: Held, lines: tuple[Disposition, ...], today: date) -> date | None:
    """The last day on which a thing stays if no hold keeps it; None if it would go."""
    try:
        one = _disposal(thing, lines, (), today, own=False)
    except InvalidPack:  # the table says nothing of what is held
        return None
    return (one.until or date.max) if one.action in ("keep", "restrict") else None


def _without(lines: Iterable[Disposition], thing: Held) -> Disposition:
    """The line for what nothing keeps any more."""
    fitting = [line for line in lines if line.until is None and line.fits(thing, "*")]
    if not fitting:
        raise InvalidPack(f"the table says nothing of {thing.kind} that nobody needs: give it such a line")
    return max(fitting, key=lambda line: line.narrowness)


def read_dispositions(text: str) -> tuple[Disposition, ...]:
    """The lines of a table in TOML.

    Raises:
        InvalidPack: if it is none, with the place that is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPack(f"the table of dispositions is no TOML: {error}") from None
    return tuple(_line(table, number) for number, table in enumerate(document.get("disposition", ()), 1))


def _line(table: Mapping[str, Any], number: int) -> Disposition:
    where = f"disposition {number}"
    if wrong := set(table) - _KEYS:
        raise InvalidPack(f"{where}: unknown key {', '.join(sorted(wrong))}")
    for key in ("kind", "action", "text", "cite"):
        if not table.get(key):
            raise InvalidPack(f"{where}: {key} is missing")
    if table["action"] not in get_args(Action):
        raise InvalidPack(f"{where}: the action is one of {', '.join(get_args(Action))}")
    if table.get("class", "*") not in ("*", *get_args(FieldClass)):
        raise InvalidPack(f"{where}: the class is one of {', '.join(get_args(FieldClass))}")
    for key, words in (("trigger", DispositionTrigger), ("counting", PeriodCounting)):
        if key in table and (table[key] not in get_args(words) or "until" not in table):
            raise InvalidPack(f"{where}: {key} is one of {', '.join(get_args(words))}, beside an until")
    if table["action"] in ("delete", "anonymise") and "until" in table:
        raise InvalidPack(f"{where}: what goes has no until")
    rest = {key: value for key, value in table.items() if key not in ("class", "until")}
    until = Span.parse(table["until"]) if "until" in table else None
    return Disposition(**rest, field_class=table.get("class", "*"), until=until)


@cache
def shipped_dispositions() -> tuple[Disposition, ...]:
    """The table that comes with crmcore."""
    return read_dispositions((files("crmcore.consent") / "tables" / "dispositions.toml").read_text("utf-8"))
