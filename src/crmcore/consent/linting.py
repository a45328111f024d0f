"""Looking a pack over: rules that cannot fire or decide, names that name nothing, a No that would make things freer.

Invariant: nothing is changed. An error is what cannot be meant; whatever may be meant is a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args

import attrs

from crmcore.consent.law import Law
from crmcore.consent.lint_names import names_nothing
from crmcore.consent.lint_rules import cannot_hold, doubled, frees, never_decides
from crmcore.consent.pack import Pack
from crmcore.consent.words import Channel, Purpose
from crmcore.errors import InvalidPack

Level = Literal["error", "note"]


@attrs.frozen(kw_only=True)
class Lint:
    """Something about *where*, a rule or another part of *pack*. *code* is the same for all findings of a kind."""

    pack: str
    level: Level
    code: str
    where: str
    text: str


@attrs.frozen(kw_only=True)
class Linted:
    """What was found in so many *packs*. Of all *citations* of rules, so many were *unread*: they are from memory."""

    packs: int
    citations: int
    unread: int
    findings: tuple[Lint, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(one.level == "error" for one in self.findings)


def lint(packs: Iterable[Pack], among: Mapping[str, Pack]) -> Linted:
    """Look *packs* over. *among* are all packs that they may include, by id.

    >>> from crmcore.consent.pack_reading import shipped_packs
    >>> lint([shipped_packs()["de"]], shipped_packs()).errors
    0
    """
    packs = tuple(packs)
    rules = [rule for pack in packs for rule in pack.rules]
    return Linted(
        packs=len(packs),
        citations=len(rules),
        unread=sum(not rule.read for rule in rules),
        findings=tuple(found for pack in packs for found in _found(pack, among)),
    )


def _found(pack: Pack, among: Mapping[str, Pack]) -> Iterator[Lint]:
    def told(level: Level, code: str, where: str, text: str) -> Lint:
        return Lint(pack=pack.id, level=level, code=code, where=where, text=text)

    try:
        law = Law(pack, among)
    except InvalidPack as error:
        yield told("error", "includes", "includes", str(error))
        return
    twins = [one.id for one in among.values() if one.jurisdiction == pack.jurisdiction and one.id != pack.id]
    for twin in twins:
        yield told("error", "jurisdiction", "jurisdiction", f"{twin} is a pack of {pack.jurisdiction} too")
    for code, where, text in names_nothing(pack, law, among):
        yield told("error", code, where, text)
    for rule in pack.rules:
        for check in (cannot_hold, frees):
            for code, text in check(rule, law):
                yield told("error", code, rule.id, text)
        for level, code, text in (*doubled(rule, law), *never_decides(rule, law)):
            yield told(level, code, rule.id, text)
    for name, profile in pack.profiles.items():
        for code, text in cannot_hold(profile, law):
            yield told("error", code, f"profile {name}", text)
    if silent := _never_allowed(law):
        yield told("note", "never_allowed", "law", f"nothing permits {', '.join(silent)}")
    if unread := sum(not rule.read for rule in pack.rules):
        text = f"{unread} of {len(pack.rules)} citations were not read in the source"
        yield told("note", "unread", "citations", text)


def _never_allowed(law: Law) -> list[str]:
    """Purposes and channels that nothing permits, in short where it is all channels of a purpose."""
    permits = [rule for rule in law.rules if rule.effect == "permit"]
    found = []
    for purpose in get_args(Purpose):
        none = [
            channel
            for channel in get_args(Channel)
            if not any(rule.speaks_of(channel, purpose) for rule in permits)
        ]
        if len(none) == len(get_args(Channel)):
            found.append(purpose)
        elif none:
            found.append(f"{purpose} by {' or '.join(none)}")
    return found
