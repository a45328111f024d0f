"""A jurisdiction with all that it includes: the rules that speak of a channel and a purpose, ready to be asked.

Invariant: what a pack leaves out of another stays out, and its own profiles and numbers stand before those that it
includes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cached_property

import attrs

from crmcore.consent.case import Case
from crmcore.consent.conditions.acts import Profile
from crmcore.consent.event import ConsentEvent
from crmcore.consent.finding import NO, Finding
from crmcore.consent.grace import Grace
from crmcore.consent.pack import Number, Pack, Rule
from crmcore.consent.standing import YESES, covers_yes
from crmcore.consent.zones import zone
from crmcore.errors import InvalidPack


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
        self.profiles: dict[str, Profile] = {}
        for one in reversed(chain):
            self.profiles.update(one.profiles)
        self.graces: tuple[Grace, ...] = next((one.graces for one in chain if one.graces), ())
        self.lifts = next((one.lifts for one in chain if one.lifts), "") or "any"
        self._numbers: tuple[Number, ...] = tuple(number for one in chain for number in one.numbers)
        self._speaking: dict[tuple[str, str], tuple[Rule, ...]] = {}

    def speaking(self, channel: str, purpose: str) -> tuple[Rule, ...]:
        """The rules about this channel and purpose, at whatever time."""
        key = (channel, purpose)
        found = self._speaking.get(key)
        if found is None:
            found = tuple(rule for rule in self.rules if rule.speaks_of(channel, purpose))
            self._speaking[key] = found
        return found

    @cached_property
    def edges(self) -> tuple[date, ...]:
        """The days on which some rule begins or no longer holds."""
        ends = (date.fromordinal(rule.until.toordinal() + 1) for rule in self.rules if rule.until is not None)
        return tuple(sorted({*ends, *(rule.since for rule in self.rules if rule.since is not None)}))

    def number(self, name: str, moment: datetime) -> int:
        """The number of that name at *moment*.

        Raises:
            InvalidPack: if the packs have none.
        """
        day = moment.astimezone(zone(self.pack.zone)).date()
        for number in self._numbers:
            if (
                number.name == name
                and (number.since is None or number.since <= day)
                and (number.until is None or day <= number.until)
            ):
                return number.value
        raise InvalidPack(f"the pack {self.pack.id} has no number {name!r} for that day")

    def valid(self, case: Case, event: ConsentEvent, profile: str) -> Finding:
        """Whether a Yes is one in the eyes of the profile of that name."""
        found = self.profiles.get(profile)
        return found.test(case, event) if found is not None else NO

    def yeses(self, case: Case) -> Iterator[ConsentEvent]:
        """The acts that take back an earlier No to the request."""
        for event in case.events:
            if (
                event.kind in YESES
                and event.kind != "assert_import"
                and covers_yes(event.scope, case.request, case.purpose)
                and self.valid(case, event, self.lifts).holds is True
            ):
                yield event


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
