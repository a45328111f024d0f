"""Registers of people who want no contact, kept by others: asked through one call, and what it gives are facts.

Invariant: what a copy of a register says is as old as the copy. Whoever is not on it counts as asked for on the day of
the copy, not on the day of the question.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

import attrs

from crmcore.consent.address_forms import forms_of, point_of
from crmcore.consent.facts import Facts, Listing, RegisterCheck
from crmcore.consent.words import PointKind
from crmcore.errors import InvalidConsent, InvalidDate
from crmcore.party.contact_point import ContactPoint


class Register(Protocol):
    """A register that can be asked: a copy in a file, or the service of whoever keeps it."""

    def check(self, point: ContactPoint, on: date) -> RegisterCheck | Listing | None:
        """Whether *point* is on it: a `Listing` if it is, a `RegisterCheck` if it was asked and is not; None if it has
        nothing to say of that kind of contact point, or cannot be asked now."""
        ...


def ask_registers(facts: Facts, registers: Iterable[Register], point: ContactPoint, on: date) -> Facts:
    """*facts*, with what the *registers* say of a contact point.

    >>> tps = CopiedRegister.of("tps", ["+44 20 7946 0018"], as_of=date(2026, 5, 1), kind="phone")
    >>> found = ask_registers(Facts(), [tps], point_of("phone", "+44 20 7946 0019"), date(2026, 5, 20))
    >>> found.checks[0].on.isoformat(), found.listings
    ('2026-05-01', ())
    """
    answers = [answer for register in registers if (answer := register.check(point, on)) is not None]
    return attrs.evolve(
        facts,
        listings=(*facts.listings, *(one for one in answers if isinstance(one, Listing))),
        checks=(*facts.checks, *(one for one in answers if isinstance(one, RegisterCheck))),
    )


@attrs.frozen(kw_only=True)
class CopiedRegister:
    """A copy of a register, as of a day. *since* holds the normal forms that are on it, and since when."""

    name: str
    as_of: date
    kind: PointKind
    since: dict[str, date] = attrs.field(repr=False)

    @classmethod
    def of(
        cls,
        name: str,
        lines: Iterable[str],
        *,
        as_of: date,
        kind: PointKind,
        region: str | None = None,
    ) -> CopiedRegister:
        """From lines of text, such as an open file: an address each, and after a tab the day since when, if known.

        Empty lines are passed over. *region* is where local telephone numbers are dialled.

        Raises:
            InvalidConsent: if a line cannot be read: half a register would let people through. It names the line.
        """
        since: dict[str, date] = {}
        for number, line in enumerate(lines, 1):
            text, _, day = line.strip().partition("\t")
            if not text:
                continue
            try:
                begins = date.fromisoformat(day.strip()) if day.strip() else date.min
                forms = forms_of(point_of(kind, text, region=region))
            except (InvalidConsent, InvalidDate, ValueError):
                forms = frozenset()
                begins = date.min
            if not forms:
                raise InvalidConsent(
                    f"line {number} of the register {name} is no {kind} address, with its day after a tab if it has one"
                )
            for form in forms:
                since[form] = min(begins, since.get(form, date.max))
        return cls(name=name, as_of=as_of, kind=kind, since=since)

    def check(self, point: ContactPoint, on: date) -> RegisterCheck | Listing | None:
        """What the copy says: nothing of a text that is no whole number or address, nor, of one that is not on it, of a
        day before the copy was made."""
        if point.kind != self.kind or point.problem is not None:
            return None
        found = [self.since[form] for form in forms_of(point) if form in self.since]
        if found:
            return Listing(list=self.name, since=min(found))
        return RegisterCheck(list=self.name, on=self.as_of) if on >= self.as_of else None
