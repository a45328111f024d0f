"""A jurisdiction with all that it includes: the rules that speak of a channel and a purpose, ready to be asked.

Invariant: what a pack leaves out of another stays out, and its own profiles, numbers and graces stand before those that
it includes. A rule is on a docket only if it is in force then, and stands there in the order in which answers count.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import cached_property, partial

import attrs

from crmcore.consent.case import Case, instant
from crmcore.consent.conditions.acts import Consented, Profile, SaidNo
from crmcore.consent.conditions.listed import Asked, Listed
from crmcore.consent.conditions.walking import parts
from crmcore.consent.counting import shifted
from crmcore.consent.docket import Docket
from crmcore.consent.event import ConsentEvent
from crmcore.consent.finding import FOREVER, NO, Finding
from crmcore.consent.grace import Grace
from crmcore.consent.lifting import Lifting
from crmcore.consent.pack import Number, Pack, Rule
from crmcore.consent.speaking import agreed, covers_yes
from crmcore.consent.words import STAGES, YESES
from crmcore.consent.zones import zone
from crmcore.errors import InvalidPack

_SAID = YESES - {"assert_import"}
_ORDER = {stage: number for number, stage in enumerate(STAGES)}


class Law:
    """All rules of one jurisdiction."""

    def __init__(self, pack: Pack, packs: Mapping[str, Pack]) -> None:
        self.pack = pack
        self.jurisdiction = pack.jurisdiction
        chain = list(_chain(pack, packs, ()))
        left_out = {rule for one in chain for rule in one.without}
        self.rules = tuple(
            _cited(rule, pack) for one in reversed(chain) for rule in one.rules if rule.id not in left_out
        )
        self.by_id = {rule.id: rule for rule in self.rules}
        asked = [part for rule in self.rules for part, _ in (*parts(rule.when), *parts(rule.unless))]
        self.rights = frozenset(
            one.right for one in asked if isinstance(one, SaidNo) and one.right is not None
        )
        self.lists = frozenset(one.list for one in asked if isinstance(one, Asked | Listed))
        self.profiles: dict[str, Profile] = {}
        for one in reversed(chain):
            self.profiles.update(one.profiles)
        _check_profiles(pack, self.profiles)
        self.graces: tuple[Grace, ...] = tuple(grace for one in chain for grace in one.graces)
        self.leap_birthday = next((one.leap_birthday for one in chain if one.leap_birthday), "mar1")
        self.lifts = next((one.lifts for one in chain if one.lifts), "") or "any"
        self._numbers: tuple[Number, ...] = tuple(number for one in chain for number in one.numbers)
        self.packs = tuple(dict.fromkeys(f"{one.id} {one.version}" for one in chain))
        self._dockets: dict[tuple[str, str, int], Docket] = {}

    def docket(self, channel: str, purpose: str, now: int) -> Docket:
        """The rules about this channel and this purpose that are in force at the instant *now*, in microseconds."""
        passed = bisect_right(self._edges, now)
        key = (channel, purpose, passed)
        found = self._dockets.get(key)
        if found is None:
            found = self._dockets[key] = self._docket(channel, purpose, passed)
        return found

    def _docket(self, channel: str, purpose: str, passed: int) -> Docket:
        day = self._days[passed - 1] if passed else date.min
        in_force = {rule.id: rule for rule in self.rules if rule.in_force(day)}
        rules = [rule for rule in in_force.values() if rule.speaks_of(channel, purpose)]
        denies = sorted((rule for rule in rules if rule.effect == "deny"), key=lambda one: _ORDER[one.stage])
        return Docket(
            classifying=tuple(rule for rule in rules if rule.effect == "classify"),
            stops=tuple(rule for rule in denies if _ORDER[rule.stage] < _ORDER["permit"]),
            permits=tuple(rule for rule in rules if rule.effect == "permit"),
            limits=tuple(rule for rule in denies if _ORDER[rule.stage] >= _ORDER["permit"]),
            defeaters={
                rule.id: tuple(in_force[name] for name in rule.defeated_by if name in in_force)
                for rule in rules
            },
            until=self._edges[passed] if passed < len(self._edges) else FOREVER,
            profiles=self.profiles,
            narrowed={},
        )

    @cached_property
    def _days(self) -> tuple[date, ...]:
        """The days on which some rule begins or no longer holds."""
        ends = (shifted(rule.until, 1) for rule in self.rules if rule.until is not None)
        return tuple(sorted({*ends, *(rule.since for rule in self.rules if rule.since is not None)}))

    @cached_property
    def _edges(self) -> tuple[int, ...]:
        """When those days begin."""
        where = zone(self.pack.zone)
        return tuple(instant(day, time.min, where) for day in self._days)

    def has_number(self, name: str) -> bool:
        """Whether the packs have a number of that name, at whatever time."""
        return any(number.name == name for number in self._numbers)

    def at_most(self, name: str, value: int) -> bool:
        """Whether the number of that name is *value* or less at all times."""
        found = [number for number in self._numbers if number.name == name]
        always = any(number.since is None and number.until is None for number in found)
        return always and all(number.value <= value for number in found)

    def is_fixed(self, name: str) -> bool:
        """Whether the number of that name is the same at all times."""
        found = next((number for number in self._numbers if number.name == name), None)
        return found is not None and found.since is None and found.until is None

    def number(self, name: str, moment: datetime) -> int:
        """The number of that name at *moment*.

        Raises:
            InvalidPack: if the packs have none.
        """
        return self._number(name, moment).value

    def number_ends(self, name: str, moment: datetime) -> int:
        """When the number of that name at *moment* may be another one, in microseconds."""
        where = zone(self.pack.zone)
        today = moment.astimezone(where).date()
        alike = [number for number in self._numbers if number.name == name]
        days = [one.since for one in alike if one.since is not None]
        days += [shifted(one.until, 1) for one in alike if one.until is not None]
        coming = min((day for day in days if day > today), default=None)
        return FOREVER if coming is None else instant(coming, time.min, where)

    def _number(self, name: str, moment: datetime) -> Number:
        day = moment.astimezone(zone(self.pack.zone)).date()
        for number in self._numbers:
            if (
                number.name == name
                and (number.since is None or number.since <= day)
                and (number.until is None or day <= number.until)
            ):
                return number
        raise InvalidPack(f"the pack {self.pack.id} has no number {name!r} for that day")

    def valid(self, case: Case, event: ConsentEvent, profile: str) -> Finding:
        """Whether a Yes is one in the eyes of the profile of that name."""
        key = (profile, id(event))
        known = case.valid.get(key)
        if known is None:
            found = case.docket.profiles.get(profile)
            known = case.valid[key] = found.test(case, event) if found is not None else NO
        return known

    def lifting(self, case: Case, purpose: str, profile: str) -> Lifting:
        """The acts that lift a No to the request for that purpose, in the eyes of the profile of that name."""
        key = (purpose, profile)
        found: Lifting | None = case.lifting.get(key)
        if found is None:
            found = case.lifting[key] = Lifting(case, purpose, partial(self.valid, profile=profile))
        return found

    def yeses(self, case: Case) -> Iterator[tuple[ConsentEvent, Finding]]:
        """The acts that say yes to the request, oldest first, and whether each takes back an earlier No to it."""
        for _, event in case.acts(_SAID):
            if covers_yes(agreed(case, event), case.contact, case.purpose):
                yield event, self.valid(case, event, self.lifts)


def _check_profiles(pack: Pack, profiles: Mapping[str, Profile]) -> None:
    """Refuse profiles that ask for themselves, if only by way of others: whether a Yes is one would never be told."""
    asked = {
        name: {part.profile for part, _ in parts(one.condition) if isinstance(part, Consented)}
        for name, one in profiles.items()
    }
    for name in asked:
        reached, rest = set[str](), list(asked[name])
        while rest:
            other = rest.pop()
            if other not in reached:
                reached.add(other)
                rest += asked.get(other, ())
        if name in reached:
            raise InvalidPack(
                f"the pack {pack.id} has a profile {name} that asks for itself: say what it needs"
            )


def _chain(pack: Pack, packs: Mapping[str, Pack], above: tuple[str, ...]) -> Iterator[Pack]:
    if pack.id in above:
        raise InvalidPack(f"the packs {' and '.join(above)} include each other")
    yield pack
    for name in pack.includes:
        if name not in packs:
            raise InvalidPack(f"the pack {pack.id} includes {name}, which is not there")
        yield from _chain(packs[name], packs, (*above, pack.id))


def _cited(rule: Rule, pack: Pack) -> Rule:
    """A rule of another pack, under the name that it has in this one."""
    if rule.pack == pack.id or not pack.citing:
        return rule
    words = "|".join(re.escape(name) for name in sorted(pack.citing, key=len, reverse=True))
    return attrs.evolve(rule, cite=re.sub(words, lambda found: pack.citing[found[0]], rule.cite))
