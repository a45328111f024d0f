"""How long data is kept: policies as data, and a plan with reasons before anything is done.

Invariant: nothing is deleted but by a time that ran out, and nothing that an obligation or a legal hold keeps; what
cannot be told is said, and left alone. Obligations keep and restrict, permissions delete.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal, get_args

import attrs

from crmcore.consent.checking import listed
from crmcore.consent.counting import Span
from crmcore.consent.disposition import (
    HELD,
    LegalHold,
    PeriodCounting,
    end_of_period,
    holds_told,
    purposes_told,
)
from crmcore.errors import InvalidPack, InvalidRightsRequest

Basis = Literal["obligation", "permission"]
RetentionAction = Literal["keep", "restrict", "delete", "anonymise", "find_out"]
_PERMITTED = ("delete", "anonymise", "keep")

# Both laws are cited from memory, and say so: they were not read in the source.
OPEN_REQUEST = (
    "a request of theirs about their data is open: settle it first",
    "GDPR art. 12(2) (from memory)",
)
RESTRICTED = ("its processing is restricted as they asked: lift that first", "GDPR art. 18(2) (from memory)")
"""Why somebody is not erased though their time is over, and by which law."""


@attrs.frozen(kw_only=True)
class RetentionPolicy:
    """How long data of a *category* is kept for a *purpose*, counted from the day of its *trigger*."""

    id: str
    category: str
    purpose: str
    jurisdiction: str = "*"
    trigger: str
    period: Span
    counting: PeriodCounting = "from_trigger"
    basis: Basis
    action: Literal["delete", "anonymise", "keep"] = "delete"
    text: str
    source: str
    read: bool = False

    def last_day(self, trigger: date) -> date:
        """The last day on which it holds.

        >>> books = next(one for one in shipped_retention() if one.id == "de-books")
        >>> books.last_day(date(2026, 2, 3)).isoformat()
        '2034-12-31'
        """
        return end_of_period(self.period, trigger, self.counting)


@attrs.frozen(kw_only=True)
class Retained:
    """A thing that is kept. *place* names it; *triggers* are the days from which policies count, as far as known.

    *jurisdictions* are all that may apply. A part of a country has the policies of the country, too. Of a customer
    *members* are the records that it has, and *last_contact* is the day of the last contact as the store knows it, by
    which is seen whether another has come since; *triggers* may know better. Nobody is erased who has an *open_request*
    about their data, or whose data are *restricted* as they asked: it is said why, and waits until that is settled.
    """

    place: str
    category: str
    members: tuple[str, ...] = ()
    jurisdictions: frozenset[str] = frozenset()
    triggers: Mapping[str, date] = attrs.field(factory=dict[str, date])
    last_contact: date | None = None
    open_request: bool = False
    restricted: bool = False

    @property
    def staying(self) -> tuple[str, str] | None:
        """Why the thing stays for now though its time is over, and by which law."""
        return OPEN_REQUEST if self.open_request else RESTRICTED if self.restricted else None


@attrs.frozen(kw_only=True)
class RetentionStep:
    """What is to be done with a thing, and why.

    *until* is the last day of what keeps it; *purpose* is that of a restriction. *members* and *last_contact* are what
    was known of a customer: before anything is done, it is looked whether they are still so. *held* is a digest of what
    is held of one whose erasure was cut off, if it cannot go on as it was begun. *noted* are the digests of the plans
    that were noted of the customer when this one was made: where another was applied since, this one erases nobody.
    """

    place: str
    category: str
    action: RetentionAction
    reason: str
    source: str
    until: date | None = None
    purpose: str | None = None
    members: tuple[str, ...] = ()
    last_contact: date | None = None
    held: str | None = None
    noted: tuple[str, ...] = ()

    @property
    def kept_for(self) -> str:
        """A digest of why it is kept, by which others are kept as well."""
        said = [self.action, self.category, self.reason, self.source, self.purpose]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _steps(values: Iterable[RetentionStep]) -> tuple[RetentionStep, ...]:
    return listed(values, RetentionStep, "steps are several RetentionStep(...)", InvalidRightsRequest)


@attrs.frozen(kw_only=True)
class RetentionPlan:
    """What retention would do, and nothing of it done.

    Of a customer that goes, what *holds* name by its kind stays, and what *purposes* need, by the kind of data.
    *notes* say what else it means, as of an `ErasurePlan`.
    """

    steps: tuple[RetentionStep, ...] = attrs.field(converter=_steps)
    holds: tuple[LegalHold, ...] = attrs.field(default=(), converter=holds_told)
    purposes: Mapping[str, frozenset[str]] = attrs.field(
        factory=dict[str, frozenset[str]], converter=purposes_told
    )
    notes: tuple[str, ...] = ()

    def of(self, *actions: RetentionAction) -> tuple[RetentionStep, ...]:
        """Those with one of *actions*."""
        return tuple(step for step in self.steps if step.action in actions)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all that the plan says but its notes, by which an approval can name it."""
        said = [
            sorted(json.dumps(attrs.astuple(one), default=str) for one in self.steps),
            sorted(json.dumps((one.id, one.reason, sorted(one.kinds), str(one.until))) for one in self.holds),
            sorted((kind, sorted(names)) for kind, names in self.purposes.items()),
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def text(self) -> str:
        """The plan in words, a line per reason, and the notes."""
        counts: dict[tuple[str, str, str, str], int] = {}
        for step in self.steps:
            line = (step.action, step.category, step.reason, step.source)
            counts[line] = counts.get(line, 0) + 1
        found = [
            f"{action} {count} {category}: {reason}" + (f" ({source})" if source else "")
            for (action, category, reason, source), count in sorted(counts.items())
        ]
        if self.of("delete"):
            found += self._staying()
        return "\n".join([*found, *self.notes])

    def _staying(self) -> Iterable[str]:
        """What stays of customers that go, in words."""
        categories = {step.category for step in self.steps}
        for hold in self.holds:
            if kinds := hold.kinds - categories:
                yield f"restrict what of it is {', '.join(sorted(kinds))}: {hold.reason} (a legal hold)"
        for kind, names in sorted(self.purposes.items()):
            yield f"keep what of it is {'anything' if kind == '*' else kind} as {', '.join(sorted(names))} needs it"


def plan_retention(
    things: Iterable[Retained],
    *,
    today: date,
    policies: Iterable[RetentionPolicy] | None = None,
    holds: Iterable[LegalHold] = (),
    purposes: Mapping[str, frozenset[str]] | None = None,
) -> RetentionPlan:
    """What becomes of each thing on a day.

    A hold names categories of things, or kinds of data (``"interaction"``, ...) that stay of a customer that goes;
    *purposes* are those for which data of a kind is still needed.

    >>> thing = Retained(
    ...     place="1", category="prospect", jurisdictions=frozenset({"FR"}), triggers={"last_contact": date(2023, 2, 1)}
    ... )
    >>> print(plan_retention([thing], today=date(2026, 2, 1)).steps[0].action)
    keep
    >>> print(plan_retention([thing], today=date(2026, 2, 2)).text())
    delete 1 prospect: data of prospects is kept for three years after their last contact (CNIL, référentiel ...)
    """
    known = tuple(shipped_retention() if policies is None else policies)
    standing = tuple(holds)
    return RetentionPlan(
        steps=tuple(_step(thing, known, standing, today) for thing in things),
        holds=standing,
        purposes=dict(purposes or {}),
    )


def _step(
    thing: Retained, policies: tuple[RetentionPolicy, ...], holds: tuple[LegalHold, ...], today: date
) -> RetentionStep:
    def step(action: RetentionAction, reason: str, source: str = "", **rest: Any) -> RetentionStep:
        return RetentionStep(
            place=thing.place,
            category=thing.category,
            action=action,
            reason=reason,
            source=source,
            members=thing.members,
            last_contact=thing.last_contact or thing.triggers.get("last_contact"),
            **rest,
        )

    for hold in holds:
        if hold.holds(thing.category, today):
            return step("restrict", hold.reason, HELD, until=hold.until, purpose="legal_claims")
    ours = [policy for policy in policies if _applies(policy, thing)]
    if not ours:
        return step("find_out", "no policy says how long this is kept")
    missing = sorted({policy.trigger for policy in ours} - thing.triggers.keys())
    if missing:
        return step("find_out", f"the day is not known: {', '.join(missing)}")
    ends = [(policy.last_day(thing.triggers[policy.trigger]), policy) for policy in ours]
    obliged = max(
        ((end, one) for end, one in ends if one.basis == "obligation" and today <= end),
        key=lambda pair: pair[0],
        default=None,
    )
    allowed = min(
        ((end, one) for end, one in ends if one.basis == "permission"), key=lambda pair: pair[0], default=None
    )
    if allowed is not None and today <= allowed[0]:
        return step("keep", allowed[1].text, allowed[1].source, until=allowed[0])
    if obliged is not None:
        end, policy = obliged
        return step("restrict", policy.text, policy.source, until=end, purpose=policy.purpose)
    _, policy = allowed if allowed is not None else max(ends, key=lambda pair: pair[0])
    if policy.action != "keep" and thing.staying is not None:
        return step("keep", *thing.staying)
    return step(policy.action, policy.text, policy.source)


def _applies(policy: RetentionPolicy, thing: Retained) -> bool:
    places = {*thing.jurisdictions, *(name.partition("-")[0] for name in thing.jurisdictions), "*"}
    return policy.category == thing.category and policy.jurisdiction in places


def read_retention(text: str) -> tuple[RetentionPolicy, ...]:
    """The policies of a table in TOML.

    Raises:
        InvalidPack: if it is none, with the place that is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPack(f"the table of retention is no TOML: {error}") from None
    return tuple(map(_policy, document.get("policy", ())))


def _policy(table: Mapping[str, Any]) -> RetentionPolicy:
    where = f"policy {table.get('id', 'without an id')}"
    fields = {field.name: field for field in attrs.fields(RetentionPolicy)}
    if wrong := set(table) - set(fields):
        raise InvalidPack(f"{where}: unknown key {', '.join(sorted(wrong))}")
    for name, field in fields.items():
        if field.default is attrs.NOTHING and not table.get(name):
            raise InvalidPack(f"{where}: {name} is missing")
    words: tuple[tuple[str, Iterable[str]], ...] = (
        ("basis", get_args(Basis)),
        ("counting", get_args(PeriodCounting)),
        ("action", _PERMITTED),
    )
    for name, known in words:
        if name in table and table[name] not in known:
            raise InvalidPack(f"{where}: {name} is one of {', '.join(known)}")
    return RetentionPolicy(**{**table, "period": Span.parse(table["period"])})


@cache
def shipped_retention() -> tuple[RetentionPolicy, ...]:
    """The policies that come with crmcore."""
    return read_retention((files("crmcore.consent") / "tables" / "retention.toml").read_text("utf-8"))
