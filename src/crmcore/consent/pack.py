"""Packs: law as data. A pack holds the rules of one jurisdiction, each with its dates, its citation and a sentence.

Invariant: a pack holds no code and no default that allows. A rule outside of its dates does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import attrs

from crmcore.consent.conditions.acts import Profile
from crmcore.consent.grace import Grace
from crmcore.consent.words import Stage

Effect = Literal["deny", "permit", "classify", "note"]


@attrs.frozen(kw_only=True)
class Rule:
    """One rule. *when* is its condition, *unless* what defeats it; *defeated_by* names rules whose condition does.

    *since* and *until* bound the days on which it is in force, the last one included. *read* says whether its citation
    was read in the source or is from memory.
    """

    id: str
    stage: Stage
    effect: Effect
    text: str
    cite: str
    when: Any
    unless: Any = None
    defeated_by: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    becomes: str | None = None
    since: date | None = None
    until: date | None = None
    read: bool = False
    pack: str = ""

    def speaks_of(self, channel: str, purpose: str) -> bool:
        """Whether the rule is about this channel and this purpose at all."""
        return (not self.channels or channel in self.channels) and (
            not self.purposes or purpose in self.purposes
        )

    def in_force(self, day: date) -> bool:
        """Whether the rule is in force on *day*."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


@attrs.frozen(kw_only=True)
class Pack:
    """The rules of one jurisdiction. *includes* are packs whose rules hold here too, but for those in *without*.

    *citing* says by which name the included rules are cited here. *lifts* is the profile of a Yes that takes back an
    earlier No; without one, none does. *beside_law* says that it is no law, but rules of others that a policy may ask
    beside it. *leap_birthday* is the day on which, in other years, somebody turns older who was born on 29 February:
    28 February or 1 March.
    """

    id: str
    jurisdiction: str
    name: str
    version: str
    rules: tuple[Rule, ...]
    zone: str = "UTC"
    includes: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    citing: Mapping[str, str] = attrs.field(factory=dict[str, str])
    profiles: Mapping[str, Profile] = attrs.field(factory=dict[str, Profile])
    graces: tuple[Grace, ...] = ()
    lifts: str | None = None
    beside_law: bool = False
    leap_birthday: Literal["feb28", "mar1"] | None = None
    numbers: tuple[Number, ...] = ()
    note: str = ""


@attrs.frozen(kw_only=True)
class Number:
    """A number that rules refer to by name, such as the age of digital consent, with the days on which it holds."""

    name: str
    value: int
    cite: str
    since: date | None = None
    until: date | None = None
